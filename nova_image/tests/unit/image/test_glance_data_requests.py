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

"""Tests of the v1 driver: requests that other machines send."""

from nova_image.tests.unit.image import data_requests_case as case


class TestDataRequests(case.SharedTests, case.DataRequestsCase):
    """``data_requests()`` of the v1 driver."""

    images = '/v1/images/'

    def setUp(self):
        super(TestDataRequests, self).setUp()
        self.set(use_glance_v1=True)
        self.service = self.driver()

    def test_download(self):
        found = next(self.requests())
        self.assertIn(found['url'], [self.url(server)
                                     for server in case.SERVERS])
        self.assertEqual(
            {'method': 'GET', 'url': found['url'], 'insecure': False,
             'timeout': 120, 'headers': {'X-Auth-Token': 'a-secret-token'}},
            found)

    def test_upload(self):
        """It changes no visibility, formats or properties."""
        self.set(api_servers=case.SERVERS[:1])
        self.service = self.driver()
        found = next(self.requests('upload'))
        token, url = {'X-Auth-Token': 'a-secret-token'}, self.url(
            case.SERVERS[0])
        self.assertEqual({
            'method': 'PUT', 'url': url,
            'headers': dict(token, **{
                'Content-Type': 'application/octet-stream',
                'x-glance-registry-purge-props': 'False'}),
            'insecure': False, 'timeout': 600, 'expects': [200],
            'check': {
                'method': 'HEAD', 'url': url, 'headers': token,
                'insecure': False, 'timeout': 600,
                'header': 'x-image-meta-status', 'field': None,
                'expects': 'queued'},
        }, found)
