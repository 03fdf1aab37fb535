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

"""The tests of data_requests() that both drivers share."""

from nova_image import exception
from nova_image.image import endpoint
from nova_image.tests.unit import base
from nova_image.tests.unit import recordings

SERVERS = ['http://one:9292', 'https://two/image']
QUEUED = recordings.QUEUED


class Tokens(object):
    """An auth plugin with a token and that of a service.

    Each token is used once.
    """

    def __init__(self):
        self.given = 0

    def get_headers(self, session):
        """Return the headers of a request."""
        self.given += 1
        return {u'X-Auth-Token': u'token %d' % self.given,
                'X-Service-Token': 'of the service'}


class DataRequestsCase(base.TestCase):
    """Base class: ``service`` is the driver."""

    #: what is between the server and the image's ID
    images = ''

    def setUp(self):
        super(DataRequestsCase, self).setUp()
        self.set(api_servers=SERVERS)
        self.service = self.driver()

    def requests(self, action='download', image_id=QUEUED):
        """Return an iterator over the requests for an image's data."""
        return self.service.data_requests(self.context, image_id, action)

    def url(self, server, rest=''):
        """Return the URL of an image, or of something below it."""
        return server + self.images + QUEUED + rest


class SharedTests(object):
    """What does not depend on the API."""

    def test_each_attempt_gets_the_next_server_and_a_new_token(self):
        plugin = Tokens()
        self.context.get_auth_plugin = lambda: plugin
        found, others = self.requests(), self.requests()
        first = next(found)
        next(others)
        second, third = next(found), next(found)
        self.assertEqual(first['url'], third['url'])
        self.assertEqual(
            sorted(SERVERS), sorted(one['url'].partition(self.images)[0]
                                    for one in (first, second)))
        self.assertNotEqual(first['headers']['X-Auth-Token'],
                            second['headers']['X-Auth-Token'])
        self.assertEqual('of the service',
                         first['headers']['X-Service-Token'])

    def test_a_server_that_failed_is_left_out(self):
        endpoint.HEALTH.failed(SERVERS[0])
        found = self.requests()
        for _ in range(3):
            self.assertIn(SERVERS[1], next(found)['url'])

    def test_everything_is_native_text(self):
        """Python 2 cannot send bytes after unicode."""
        self.context.global_id = u'req-\xfc'
        for action in 'download', 'upload':
            found = next(self.requests(action))
            for one in (found, found.get('check', found)):
                self.assertIs(str, type(one['url']))
                for pair in one['headers'].items():
                    self.assertEqual([str, str], list(map(type, pair)))

    def test_the_servers_of_the_catalog(self):
        self.set(api_servers=None)
        self.context.service_catalog = [{
            'type': 'image', 'endpoints': [{
                'interface': 'internal', 'region_id': 'r',
                'url': 'http://catalog:1/v9'}]}]
        self.service = self.driver()
        found = self.requests()
        for _ in range(2):
            self.assertTrue(next(found)['url'].startswith(
                'http://catalog:1' + self.images))

    def test_options_of_the_connection(self):
        self.assertEqual((False, 120), self._connection('download'))
        self.assertEqual((False, 600), self._connection('upload'))
        self.set(insecure=True, timeout=7, transfer_stall_timeout=0)
        self.assertEqual((True, 7), self._connection('download'))
        self.assertEqual((True, 7), self._connection('upload'))

    def _connection(self, action):
        found = next(self.requests(action))
        return found['insecure'], found['timeout']

    def test_identity_without_keystone(self):
        self.without_keystone(roles=['member', 'reader'])
        self.assertEqual(
            {'X-Identity-Status': 'Confirmed', 'X-User-Id': 'a-user',
             'X-Tenant-Id': 'a-project', 'X-Roles': 'member,reader'},
            next(self.requests())['headers'])

    def test_a_user_does_not_get_the_token_of_the_service(self):
        self.without_keystone()
        self.set(auth_type='v3password')
        self.service.client._identity._service_auth = Tokens()
        for action in 'download', 'upload':
            self.assertRaises(exception.ImageNotAuthorized, next,
                              self.requests(action))
        self.context.is_admin = True
        self.assertIn('X-Auth-Token', next(self.requests())['headers'])

    def test_no_request_is_sent(self):
        next(self.requests())
        next(self.requests('upload'))
        self.assert_calls([])
