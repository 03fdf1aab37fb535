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

"""Tests of nova_image.host.service: the show that follows a download."""

import io

import fixtures

from nova_image import exception
from nova_image.tests.unit import base
from nova_image.tests.unit.host import test_bridge


class ShowAfterDownloadTest(test_bridge.BridgeTestCase):
    """Nova shows an image after its download, to learn its format."""

    def setUp(self):
        """Create a service whose driver returns two versions of an image."""
        super(ShowAfterDownloadTest, self).setUp()
        self.service = self.install()
        self.context = base.Context()
        self.driver.fetch.return_value = {'id': 'an-id', 'name': 'before'}
        self.driver.show.return_value = {'id': 'an-id', 'name': 'after'}

    def _download(self, image_id='an-id'):
        self.assertIsNone(self.service.download(
            self.context, image_id, dst_path='path',
            trusted_certs=['a-cert']))

    def _shown(self, context=None, image_id='an-id', **options):
        return self.service.show(context or self.context, image_id,
                                 **options)['name']

    def test_the_show_makes_no_request(self):
        self._download()
        self.driver.fetch.assert_called_once_with(
            self.context, 'an-id', None, 'path', trusted_certs=['a-cert'])
        self.assertEqual('before', self._shown())
        self.driver.show.assert_not_called()

    def test_a_download_to_a_file_object(self):
        self.assertIsNone(self.service.download(
            self.context, 'an-id', io.BytesIO()))
        self.assertEqual('before', self._shown())

    def test_only_one_show(self):
        """Nova may show an image again until it has changed."""
        self._download()
        self._shown()
        self.assertEqual('after', self._shown())

    def test_only_in_the_same_request(self):
        self._download()
        self.assertEqual('after', self._shown(base.Context()))

    def test_only_the_same_image(self):
        self._download()
        self.assertEqual('after', self._shown(image_id='other'))

    def test_not_with_locations(self):
        self._download()
        self.assertEqual('after', self._shown(include_locations=True))
        self.driver.show.assert_called_once_with(
            self.context, 'an-id', True, True)

    def test_not_after_a_while(self):
        clock = self.useFixture(fixtures.MockPatch(
            'oslo_utils.timeutils.now', return_value=100)).mock
        self._download()
        clock.return_value = 111
        self.assertEqual('after', self._shown())

    def test_not_after_a_change_by_the_same_request(self):
        for change in (
                lambda: self.service.update(self.context, 'an-id', {}),
                lambda: self.service.delete(self.context, 'an-id'),
                lambda: self.service.image_import_copy(
                    self.context, 'an-id', ['store'])):
            self._download()
            change()
            self.assertEqual('after', self._shown())

    def test_not_after_a_download_that_fails(self):
        self.driver.fetch.side_effect = exception.ImageCorrupt(
            image_id='an-id')
        self.assertRaises(
            self.nova.modules['nova.exception'].ImageUnacceptable,
            self._download)
        self.assertEqual('after', self._shown())

    def test_a_driver_that_does_not_know_the_image(self):
        self.driver.fetch.return_value = None
        self._download()
        self.assertEqual('after', self._shown())

    def test_a_context_that_cannot_be_remembered(self):
        """Nova's can, but callers may have others."""
        self.service.download('context', 'an-id', dst_path='path')
        self.assertEqual('after', self._shown('context'))

    def test_an_image_is_forgotten_with_its_request(self):
        self._download()
        self.assertEqual(1, len(self.service._downloaded._images))
        self.context = None
        self.driver.reset_mock()  # it has recorded the context
        self.assertEqual(0, len(self.service._downloaded._images))
