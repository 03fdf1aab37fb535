#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""Tests of nova_image.virt.images."""

import mock
import testtools

from nova_image import exception
from nova_image.virt import images


class FetchTest(testtools.TestCase):
    """fetch() downloads an image through the API, with inspection."""

    def setUp(self):
        super(FetchTest, self).setUp()
        self.api = mock.Mock(spec=['download'])

    def test_inspects_by_default(self):
        self.assertIsNone(images.fetch('CONTEXT', 'ID', '/a/path', self.api))
        self.api.download.assert_called_once_with(
            'CONTEXT', 'ID', dest_path='/a/path', trusted_certs=None,
            inspect=True)

    def test_options_of_the_caller(self):
        images.fetch('CONTEXT', 'ID', '/a/path', api=self.api,
                     trusted_certs=['CERT'], inspect=False)
        self.api.download.assert_called_once_with(
            'CONTEXT', 'ID', dest_path='/a/path', trusted_certs=['CERT'],
            inspect=False)

    def test_errors_are_raised(self):
        self.api.download.side_effect = exception.ImageUnacceptable()
        self.assertRaises(exception.ImageUnacceptable, images.fetch,
                          'CONTEXT', 'ID', '/a/path', self.api)

    @mock.patch('nova_image.image.api.API')
    def test_new_api_by_default(self, api):
        images.fetch('CONTEXT', 'ID', '/a/path')
        api.assert_called_once_with()
        api.return_value.download.assert_called_once_with(
            'CONTEXT', 'ID', dest_path='/a/path', trusted_certs=None,
            inspect=True)
