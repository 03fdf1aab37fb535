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

"""Tests of nova_image.image.endpoint: which Glance to ask."""

import gc
import weakref

import fixtures
import mock
from oslo_utils import timeutils
import six

from nova_image import exception
from nova_image.image import endpoint
from nova_image.image import identity
from nova_image.tests.unit import base

SERVERS = ['http://one:9292', 'http://two:9292', 'http://three:9292']

CATALOG = [{
    'type': 'image', 'name': 'glance', 'endpoints': [
        {'interface': 'public', 'region': 'R1', 'url': 'http://public/v2'},
        {'interface': 'internal', 'region': 'R1',
         'url': 'http://internal/image'},
        {'interface': 'internal', 'region': 'R2', 'url': 'http://far'}]}]


def _catalog_of(url):
    return [{'type': 'image', 'endpoints': [
        {'interface': 'internal', 'region': 'R1', 'url': url}]}]


class TestVersions(base.TestCase):
    """The version at the end of a URL."""

    def _assert_stripped(self, expected, url):
        self.assertEqual(expected, endpoint.strip_version(url))

    def test_versions_are_stripped(self):
        for ending in ('', '/', '/v1', '/v1/', '/v2', '/v2/', '/v2.9',
                       '/v2.15/', '/v10'):
            self._assert_stripped('http://glance:9292',
                                  'http://glance:9292' + ending)

    def test_the_path_before_the_version_is_kept(self):
        for ending in ('', '/', '/v1', '/v2/', '/v2.9'):
            self._assert_stripped('https://cloud/image',
                                  'https://cloud/image' + ending)
            self._assert_stripped('https://cloud/v3/image',
                                  'https://cloud/v3/image' + ending)

    def test_anything_but_a_version_is_kept(self):
        for url in ('http://glance/v2x', 'http://glance/xv2',
                    'http://glance/v', 'http://glance/v2.', 'http://v2',
                    'http://v2:9292', 'http://glance/v2-image',
                    'http://glance.v2'):
            self._assert_stripped(url, url)
        self._assert_stripped('http://v2', 'http://v2/v2/')

    def test_only_one_version_is_stripped(self):
        self._assert_stripped('http://glance/v1', 'http://glance/v1/v2')


class TestConfigured(base.TestCase):
    """Servers that the configuration names."""

    def _endpoints(self, **kwargs):
        return endpoint.Endpoints(
            self.conf, identity.Identity(self.conf), **kwargs)

    def _chosen(self, endpoints, times):
        return [endpoints.choose(self.context) for _ in range(times)]

    def test_urls_are_completed(self):
        self.set(api_servers=[' one:9292/ ', 'https://two/image/v2',
                              '10.0.0.1:9292', 'http://[::1]:9292/v1'])
        self.assertEqual(
            {'http://one:9292', 'https://two/image', 'http://10.0.0.1:9292',
             'http://[::1]:9292'},
            set(self._endpoints().known(self.context)))

    def test_servers_take_turns(self):
        self.set(api_servers=SERVERS)
        chosen = self._chosen(self._endpoints(), 6)
        self.assertEqual(sorted(SERVERS), sorted(chosen[:3]))
        self.assertEqual(chosen[:3], chosen[3:])

    def test_the_order_is_random_and_the_option_unchanged(self):
        self.set(api_servers=SERVERS)
        orders = {tuple(self._chosen(self._endpoints(), 3))
                  for _ in range(100)}
        self.assertGreater(len(orders), 1)
        self.assertEqual(['http://one:9292', 'http://two:9292',
                          'http://three:9292'], self.conf.glance.api_servers)

    def test_endpoint_override_is_used_without_api_servers(self):
        self.set(api_servers=None, endpoint_override='http://other/image/v2')
        self.assertEqual(['http://other/image'],
                         self._chosen(self._endpoints(), 1))

    def test_api_servers_take_precedence_over_endpoint_override(self):
        self.set(endpoint_override='http://other')
        self.assertEqual([base.ENDPOINT], self._chosen(self._endpoints(), 1))

    def test_a_pinned_server_is_the_only_one(self):
        self.set(api_servers=SERVERS)
        endpoints = self._endpoints(pinned='http://two:9292')
        self.assertEqual(['http://two:9292'] * 3, self._chosen(endpoints, 3))
        self.assertEqual(['http://two:9292'], endpoints.known(self.context))

    def test_knowledge_is_shared_between_equal_sets_of_servers(self):
        self.set(api_servers=SERVERS)
        first = self._endpoints().knowledge(self.context)
        self.assertIs(first, self._endpoints().knowledge(self.context))
        self.set(api_servers=SERVERS[:1])
        self.assertIsNot(first, self._endpoints().knowledge(self.context))


class TestHealth(base.TestCase):
    """Servers that have failed rest for a while."""

    def setUp(self):
        super(TestHealth, self).setUp()
        self.set(api_servers=SERVERS[:2])
        self.endpoints = endpoint.Endpoints(
            self.conf, identity.Identity(self.conf))
        self.now = self.useFixture(fixtures.MockPatchObject(
            timeutils, 'now', return_value=1000.0)).mock

    def _chosen(self):
        return {self.endpoints.choose(self.context) for _ in range(4)}

    def test_a_failed_server_rests(self):
        endpoint.HEALTH.failed(SERVERS[0])
        self.assertEqual({SERVERS[1]}, self._chosen())
        self.now.return_value += endpoint.REST + 1
        self.assertEqual(set(SERVERS[:2]), self._chosen())

    def test_a_server_that_answered_does_not_rest(self):
        endpoint.HEALTH.failed(SERVERS[0])
        endpoint.HEALTH.answered(SERVERS[0])
        self.assertEqual(set(SERVERS[:2]), self._chosen())

    def test_all_servers_are_asked_if_all_have_failed(self):
        for url in SERVERS[:2]:
            endpoint.HEALTH.failed(url)
        self.assertEqual(set(SERVERS[:2]), self._chosen())


class TestCatalog(base.TestCase):
    """Servers that the service catalog names."""

    def setUp(self):
        super(TestCatalog, self).setUp()
        self.set(api_servers=None, region_name='R1')
        self.context.service_catalog = CATALOG

    def _next(self):
        endpoints = endpoint.Endpoints(
            self.conf, identity.Identity(self.conf))
        self.assertEqual([endpoints.choose(self.context)],
                         endpoints.known(self.context))
        return endpoints.choose(self.context)

    def test_interfaces_are_tried_in_their_order(self):
        self.assertEqual('http://internal/image', self._next())
        self.set(valid_interfaces=['public', 'internal'])
        self.assertEqual('http://public', self._next())

    def test_the_region_is_respected(self):
        self.set(region_name='R2')
        self.assertEqual('http://far', self._next())

    def test_a_catalog_of_keystone_v2_is_read(self):
        self.context.service_catalog = [{
            'type': 'image', 'endpoints': [{
                'region': 'R1', 'internalURL': 'http://old:9292/v1',
                'publicURL': 'http://public'}]}]
        self.assertEqual('http://old:9292', self._next())

    def test_a_catalog_without_an_image_service_is_an_error(self):
        for catalog in ([], None, [{'type': 'compute', 'endpoints': []}]):
            self.context.service_catalog = catalog
            error = self.assertRaises(exception.GlanceConnectionFailed,
                                      self._next)
            for words in ('no image service', 'region R1', 'api_servers'):
                self.assertIn(words, six.text_type(error))

    def test_a_catalog_with_an_unusable_url_is_an_error(self):
        for url in (5, ['http://a'], 'http://[::1:9292', 'file:///etc',
                    'glance', 'http://', 'http://a:x'):
            self.context.service_catalog = [{'type': 'image', 'endpoints': [
                {'region': 'R1', 'interface': 'internal', 'url': url}]}]
            error = self.assertRaises(exception.GlanceEndpointUnknown,
                                      self._next)
            self.assertIn('the service catalog ', error.reason)

    def test_having_neither_catalog_nor_token_is_an_error(self):
        self.without_keystone()
        self.assertRaises(exception.GlanceConnectionFailed, self._next)

    def test_no_request_discovers_the_version(self):
        self._next()
        self.assert_calls([])

    def _readings(self, *contexts):
        """Return how often the catalogs of some contexts are read."""
        service = identity.Identity(self.conf)
        endpoints = endpoint.Endpoints(self.conf, service)
        with mock.patch.object(service, 'auth', wraps=service.auth) as auth:
            for context in contexts:
                self.assertEqual('http://internal/image',
                                 endpoints.choose(context))
            return auth.call_count

    def test_the_catalog_is_read_once_for_each_context(self):
        other = base.Context(service_catalog=CATALOG)
        self.assertEqual(1, self._readings(self.context, self.context))
        self.assertEqual(2, self._readings(self.context, other, self.context))

    def test_contexts_are_not_kept_alive(self):
        endpoints = endpoint.Endpoints(
            self.conf, identity.Identity(self.conf))
        context = base.Context(service_catalog=CATALOG)
        gone = weakref.ref(context)
        endpoints.choose(context)
        del context
        gc.collect()
        self.assertIsNone(gone())

    def test_contexts_that_cannot_be_hashed_or_referenced(self):
        class Unhashable(base.Context):
            __hash__ = None

        class Slots(object):
            __slots__ = ('auth_token', 'service_catalog')

        context = Unhashable(service_catalog=CATALOG)
        self.assertEqual(1, self._readings(context, context))
        context = Slots()
        context.auth_token, context.service_catalog = 'a-token', CATALOG
        self.assertEqual(2, self._readings(context, context))

    def _chosen(self, change, context=None):
        """Return the URL for a context before and after a change of it."""
        endpoints = endpoint.Endpoints(
            self.conf, identity.Identity(self.conf))
        first = endpoints.choose(self.context)
        change()
        context = context or self.context
        self.assertEqual([endpoints.choose(context)],
                         endpoints.known(context))
        return first, endpoints.choose(context)

    def test_a_catalog_that_changes_is_read_again(self):
        def replace():
            self.context.service_catalog = _catalog_of('http://new')

        def change():
            self.context.service_catalog[0]['endpoints'][0]['url'] = (
                'http://newer')

        self.context.service_catalog = _catalog_of('http://old')
        self.assertEqual(('http://old', 'http://new'), self._chosen(replace))
        self.assertEqual(('http://new', 'http://newer'),
                         self._chosen(change))

    def test_the_catalog_is_read_again_for_another_token(self):
        service = identity.Identity(self.conf)
        endpoints = endpoint.Endpoints(self.conf, service)
        with mock.patch.object(service, 'auth', wraps=service.auth) as auth:
            for token in ('one', 'one', 'two'):
                self.context.auth_token = token
                endpoints.choose(self.context)
            self.assertEqual(2, auth.call_count)

    def test_contexts_that_are_equal_have_their_own_catalogs(self):
        class Equal(base.Context):
            def __eq__(self, other):
                return True

            def __hash__(self):
                return 1

        self.context = Equal(service_catalog=_catalog_of('http://old'))
        other = Equal(service_catalog=_catalog_of('http://new'))
        self.assertEqual(('http://old', 'http://new'),
                         self._chosen(lambda: None, other))

    def test_the_catalog_of_a_plugin_is_read_each_time(self):
        plugin = mock.Mock()
        plugin.get_endpoint.side_effect = ['http://old', 'http://new']
        self.context.get_auth_plugin = lambda: plugin
        endpoints = endpoint.Endpoints(
            self.conf, identity.Identity(self.conf))
        self.assertEqual(['http://old', 'http://new'], [
            endpoints.choose(self.context) for _ in range(2)])

    def test_the_catalog_of_novas_context_is_read_once(self):
        self.context.get_auth_plugin = lambda: identity.ContextToken(
            'a-secret-token', CATALOG)
        self.context.user_auth_plugin = None
        self.assertEqual(1, self._readings(self.context, self.context))
        self.context.user_auth_plugin = identity.ContextToken('', CATALOG)
        self.assertEqual(2, self._readings(self.context, self.context))

    def test_the_catalog_is_read_each_time_without_a_token(self):
        # The service's plugin keeps its catalog up to date.
        plugin = identity.ContextToken('of-the-service', CATALOG)
        self.without_keystone()
        with mock.patch.object(identity.Identity, 'configured_auth',
                               return_value=plugin):
            self.assertEqual(2, self._readings(self.context, self.context))


class TestReferences(base.TestCase):
    """URLs of images."""

    def test_a_url_is_split_into_endpoint_and_id(self):
        for url, expected in (
                ('http://glance:9292/images/ID', 'http://glance:9292'),
                ('http://glance:9292/v1/images/ID', 'http://glance:9292'),
                ('http://glance:9292/v2/images/ID/', 'http://glance:9292'),
                ('https://cloud/image/v2/images/ID', 'https://cloud/image'),
                ('https://cloud/images/v2/images/ID',
                 'https://cloud/images')):
            self.assertEqual((expected, 'ID'), endpoint.parse_reference(url))

    def test_the_id_is_percent_decoded(self):
        self.assertEqual(
            ('http://glance', 'a b'),
            endpoint.parse_reference('http://glance/v2/images/a%20b'))

    def test_other_urls_are_refused(self):
        for url in ('/images/ID', 'images/ID', 'http://glance/v2/ID', 'a/b',
                    'http://glance/v2/images/', 'http://glance',
                    'file:///images/ID', 'http://glance/v2/images/ID/file',
                    'http://[::1/images/ID',
                    'http:///images/ID'):
            error = self.assertRaises(exception.InvalidImageRef,
                                      endpoint.parse_reference, url)
            self.assertIn(url, six.text_type(error))

    def test_credentials_are_not_shown(self):
        error = self.assertRaises(
            exception.InvalidImageRef, endpoint.parse_reference,
            'http://user:pa55@glance/nothing')
        self.assertNotIn('pa55', six.text_type(error))
