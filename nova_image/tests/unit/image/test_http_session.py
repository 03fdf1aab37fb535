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

"""Tests of nova_image.image.http_session: work that is not repeated."""

import io
import logging
import resource

import fixtures
import mock
import requests
from requests.packages import urllib3
import six
import testtools

from nova_image.image import http_session
from nova_image.tests.unit import base
from nova_image.tests.unit import recordings

_HAS_POOLS = hasattr(requests.adapters.HTTPAdapter,
                     'get_connection_with_tls_context')


class TestRequests(base.TestCase):
    """A session adds nothing of its own to requests."""

    def setUp(self):
        super(TestRequests, self).setUp()
        self.http = http_session.HttpSession()

    def _prepare(self, session, url='http://one/a', **kwargs):
        return session.prepare_request(requests.Request('get', url, **kwargs))

    def test_the_session_adds_no_headers_or_parameters(self):
        self.http.cookies.set('of', 'another user')
        self.http.params = {'of': 'the session'}
        prepared = self._prepare(self.http, headers={'X-Own': 'a'})
        self.assertEqual({'X-Own': 'a'}, dict(prepared.headers))
        self.assertEqual(('GET', 'http://one/a'),
                         (prepared.method, prepared.url))

    def test_the_target_of_a_redirect_is_not_parsed(self):
        for target in ('http://[::1/v2', 'http://other/', '\xff'):
            self.glance.answers(recordings.Answer(
                302, headers={'Location': target}, content=b'moved'))
            found = self.http.get(base.ENDPOINT, allow_redirects=False)
            self.assertEqual((302, b'moved'),
                             (found.status_code, found.content))

    def test_an_impossible_host_is_an_error_of_requests(self):
        adapter = self.http.get_adapter(base.ENDPOINT)
        for host in ('a..b', 'a' * 70):
            self.assertRaises(
                requests.ConnectionError, adapter.send,
                self._prepare(self.http, 'http://%s/' % host))

    def test_a_body_that_is_not_http_is_an_error_of_requests(self):
        for error in (ValueError('read length must be non-negative or -1'),
                      AttributeError('x'), six.moves.http_client.BadStatusLine(
                          'x')):
            raw = base.BrokenBody(b'abc', error)
            adapter = self.http.get_adapter(base.ENDPOINT)
            response = adapter.build_response(
                self._prepare(self.http), urllib3.HTTPResponse(
                    raw, preload_content=False))
            pieces = response.iter_content(2)
            self.assertEqual(b'ab', next(pieces))
            self.assertRaises(requests.exceptions.RequestException, list,
                              pieces)

    def test_urls_are_those_of_a_plain_session(self):
        for url, params in (('http://one', None), ('http://one/a?b=c', None),
                            ('http://one/a?b=c', {'d': u'\xe4'})):
            self.assertEqual(
                self._prepare(requests.Session(), url, params=params).url,
                self._prepare(self.http, url, params=params).url)

    def test_bodies_are_those_of_a_plain_session(self):
        for data in (b'some data', io.BytesIO(b'some data'), None):
            expected = self._prepare(requests.Session(), data=data)
            prepared = self._prepare(self.http, data=data)
            self.assertEqual(expected.body, prepared.body)
            self.assertEqual(expected.headers.get('Content-Length'),
                             prepared.headers.get('Content-Length'))


class TestEnvironment(base.TestCase):
    """The environment is read once for each server."""

    def setUp(self):
        super(TestEnvironment, self).setUp()
        self.http = http_session.HttpSession()
        for name in ('no_proxy', 'all_proxy'):
            for variable in (name, name.upper()):
                self.useFixture(fixtures.EnvironmentVariable(variable))
        self._set('http://proxy:1')

    def _set(self, value):
        for name in ('http_proxy', 'HTTP_PROXY'):
            self.useFixture(fixtures.EnvironmentVariable(name, value))

    def _proxy(self, url, **proxies):
        return self.http.merge_environment_settings(
            url, proxies, False, None, None)['proxies'].get('http')

    def test_proxies_are_read_once_for_each_server(self):
        self.assertEqual('http://proxy:1', self._proxy('http://one/a'))
        self._set('http://proxy:2')
        self.assertEqual('http://proxy:1', self._proxy('http://one/b'))
        self.assertEqual('http://proxy:2', self._proxy('http://two/b'))

    def test_proxies_of_the_caller_are_not_remembered(self):
        self.assertEqual('http://own', self._proxy(
            'http://one/a', http='http://own'))
        self.assertEqual('http://proxy:1', self._proxy('http://one/a'))

    def test_other_settings_are_remembered_separately(self):
        def verified(verify):
            return self.http.merge_environment_settings(
                'http://one/a', {}, False, verify, None)['verify']
        self.assertEqual([False, '/ca', False],
                         [verified(False), verified('/ca'), verified(False)])


class TestConnections(base.TestCase):
    """The connection pool of a server is looked up once."""

    def setUp(self):
        super(TestConnections, self).setUp()
        # The fixture replaces get_adapter, not the mounted adapters.
        self.adapters = http_session.HttpSession().adapters
        self.adapter = self.adapters['https://']

    def _idle(self, scheme='http'):
        """Return how many of 600 idle connections are kept."""
        pool = http_session.HttpSession().adapters[
            scheme + '://'].poolmanager.connection_from_host('one', 1, scheme)
        for one in [pool._get_conn() for _ in range(600)]:
            pool._put_conn(one)
        return pool.pool.qsize()

    def test_a_pool_keeps_the_connections_of_many_callers(self):
        log = self.useFixture(fixtures.FakeLogger(level=logging.INFO))
        self._limit_files(10000)
        for scheme in ('http', 'https'):
            self.assertEqual(http_session.POOL_SIZE, self._idle(scheme))
        self.assertEqual('', log.output)

    def test_a_pool_leaves_files_to_others(self):
        self._limit_files(1024)
        self.assertEqual(256, self._idle())
        self._limit_files(resource.RLIM_INFINITY)
        self.assertEqual(http_session.POOL_SIZE, self._idle())

    def _limit_files(self, count):
        self.useFixture(fixtures.MonkeyPatch(
            'resource.getrlimit', lambda _: (count, count)))

    def _pool(self, url='https://one/a', verify=True, **kwargs):
        request = requests.Request('GET', url).prepare()
        return self.adapter.get_connection_with_tls_context(
            request, verify, **kwargs)

    @testtools.skipUnless(_HAS_POOLS, 'requests before 2.32 keeps its pools')
    def test_the_pool_is_looked_up_once_for_each_server(self):
        with mock.patch.object(
                requests.adapters.HTTPAdapter,
                'get_connection_with_tls_context',
                side_effect=lambda *args, **kwargs: mock.Mock()) as lookup:
            one = self._pool('https://one/a')
            self.assertIs(one, self._pool('https://one/b?c'))
            self.assertIsNot(one, self._pool('https://two/a'))
        self.assertEqual(2, lookup.call_count)

    @testtools.skipUnless(_HAS_POOLS, 'requests before 2.32 keeps its pools')
    def test_other_settings_have_other_pools(self):
        found = [self._pool(), self._pool(verify=False),
                 self._pool(cert=('/cert', '/key')),
                 self._pool(proxies={'https': 'http://proxy:1'}),
                 self._pool(proxies={'https': 'http://proxy:2'}),
                 self._pool('http://one/a')]
        self.assertEqual(len(found), len(set(map(id, found))))
        self.assertIs(found[0], self._pool())

    @testtools.skipUnless(_HAS_POOLS, 'requests before 2.32 keeps its pools')
    def test_a_closed_pool_is_replaced(self):
        before = self._pool()
        self.adapter.close()
        before.close()
        self.assertIsNot(before, self._pool())
