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

"""Tests of nova_image.image.identity: tokens, sessions, headers."""

import os

import fixtures
import mock

from nova_image.image import identity
from nova_image.image import messages
from nova_image.tests.unit import base
from nova_image.tests.unit import recordings

KEYSTONE = 'http://keystone:5000'
IDENTITY_HEADERS = ('x-identity-status', 'x-user-id', 'x-tenant-id',
                    'x-roles')


class TestContextToken(base.TestCase):
    """The auth plugin for a caller's token."""

    def test_the_token_is_returned_unchanged(self):
        plugin = identity.ContextToken('t')
        self.assertEqual('t', plugin.get_token(None))
        self.assertFalse(plugin.invalidate())

    def test_there_is_no_endpoint_without_a_catalog(self):
        plugin = identity.ContextToken('t')
        self.assertIsNone(plugin.get_endpoint(None, service_type='image'))


class TestSessions(base.TestCase):
    """There is one session for each process and endpoint."""

    def setUp(self):
        super(TestSessions, self).setUp()
        self.identity = identity.Identity(self.conf)

    def test_each_endpoint_has_one_session(self):
        one = self.identity.session('http://one')
        self.assertIs(one, self.identity.session('http://one'))
        self.assertIsNot(one, self.identity.session('http://two'))

    def test_a_forked_process_has_its_own_session(self):
        one = self.identity.session('http://one')
        with mock.patch('os.getpid', return_value=os.getpid() + 1):
            self.assertIsNot(one, self.identity.session('http://one'))

    def test_the_timeout_is_configured(self):
        self.assertEqual(600.0, self.identity.session('http://one').timeout)
        self.set(timeout=5)
        self.assertEqual(5.0, self.identity.session('http://two').timeout)

    def test_the_verification_of_certificates_is_configured(self):
        self.set(insecure=True)
        self.assertFalse(self.identity.session('http://one').verify)
        self.set(insecure=False, cafile='/ca')
        self.assertEqual('/ca', self.identity.session('http://two').verify)


class TestAuth(base.TestCase):
    """The auth plugin for a context."""

    def _auth(self):
        return identity.Identity(self.conf).auth(self.context)

    def test_the_callers_token_is_used(self):
        self.assertEqual('a-secret-token', self._auth().get_token(None))

    def test_the_plugin_of_the_context_is_used(self):
        plugin = self.with_renewable_token()
        self.assertIs(plugin, self._auth())

    def test_there_is_no_plugin_without_a_token(self):
        for token in (None, ''):
            self.context.auth_token = token
            self.assertIsNone(self._auth())
        del self.context.auth_token
        self.assertIsNone(self._auth())

    def _identity_with_credentials(self):
        path = self.useFixture(fixtures.TempDir()).join('nova.conf')
        with open(path, 'w') as stream:
            stream.write('[glance]\nauth_type = v3token\ntoken = of-nova\n'
                         'auth_url = %s/v3\n' % KEYSTONE)
        self.conf = self.new_conf()
        self.conf(['--config-file', path], project='nova_image')
        return identity.Identity(self.conf)

    def test_the_services_credentials_are_used_without_a_token(self):
        service = self._identity_with_credentials()
        self.without_keystone()
        plugin = service.auth(self.context)
        self.assertEqual(KEYSTONE + '/v3', plugin.auth_url)
        self.assertIs(plugin, service.auth(self.context))

    def test_service_auth_returns_the_services_plugin(self):
        self.assertIsNone(identity.Identity(self.conf).service_auth())
        service = self._identity_with_credentials()
        self.assertIs(service.configured_auth(), service.service_auth())


class TestSender(base.TestCase):
    """Who sends a request."""

    def _sender(self, **attributes):
        return identity.Identity(self.conf).sender(
            base.Context(**attributes))

    def test_tokens_are_senders(self):
        self.assertEqual(self._sender(), self._sender())
        self.assertNotEqual(self._sender(), self._sender(auth_token='b'))
        self.assertNotIn('a-secret-token', self._sender())

    def test_callers_without_keystone_are_senders(self):
        first = self._sender(auth_token=None)
        self.assertEqual(first, self._sender(auth_token=None))
        for other in ({'user_id': 'b'}, {'project_id': 'b'}, {'roles': None}):
            self.assertNotEqual(first, self._sender(auth_token=None, **other))

    def test_the_service_is_one_sender(self):
        with mock.patch.object(identity.Identity, 'configured_auth'):
            self.assertEqual(self._sender(auth_token=None),
                             self._sender(auth_token=None, user_id='b'))
            self.assertEqual(
                self._sender(auth_token=None),
                identity.Identity(self.conf).sender(self.context, True))


class TestHeaders(base.TestCase):
    """The headers that identify the caller."""

    def _headers(self, **kwargs):
        self.glance.answers(recordings.Answer(content=b'{}'))
        self.client().call(self.context, messages.Request(
            'GET', '/v2/images', 'list images', **kwargs))
        return self.glance.calls[-1].headers

    def test_with_keystone_only_the_token_is_sent(self):
        headers = self._headers()
        self.assertEqual('a-secret-token', _text(headers['x-auth-token']))
        for name in IDENTITY_HEADERS:
            self.assertNotIn(name, headers)

    def test_without_keystone_the_identity_is_sent(self):
        self.without_keystone(roles=['member', 'a role'])
        headers = self._headers()
        self.assertEqual(
            ['Confirmed', 'a-user', 'a-project', 'member,a role'],
            [_text(headers[name]) for name in IDENTITY_HEADERS])
        self.assertNotIn('x-auth-token', headers)

    def test_a_request_as_the_service_has_its_token(self):
        self.assertEqual('a-secret-token', _text(
            self._headers(as_service=True)['x-auth-token']))
        with mock.patch.object(
                identity.Identity, 'service_auth',
                return_value=identity.ContextToken('of-the-service')):
            self.assertEqual('of-the-service', _text(
                self._headers(as_service=True)['x-auth-token']))
            self.assertEqual('a-secret-token', _text(
                self._headers()['x-auth-token']))

    def test_netrc_is_ignored(self):
        path = os.path.join(self.useFixture(fixtures.TempDir()).path, 'netrc')
        with open(path, 'w') as netrc:
            netrc.write('default login a-login password a-password')
        self.useFixture(fixtures.EnvironmentVariable('NETRC', path))
        self.assertNotIn('authorization', self._headers())

    def test_a_missing_user_and_missing_roles_are_empty_headers(self):
        self.without_keystone(user_id=None, roles=None)
        headers = self._headers()
        self.assertEqual(['', ''], [
            _text(headers[name]) for name in ('x-user-id', 'x-roles')])

    def test_a_missing_project_is_not_sent(self):
        for project in None, '':
            self.without_keystone(project_id=project)
            self.assertNotIn('x-tenant-id', self._headers())

    def test_names_are_sent_as_utf_8(self):
        self.without_keystone(project_id=recordings.NAME)
        self.assertEqual(recordings.NAME,
                         _text(self._headers()['x-tenant-id']))

    def test_the_global_request_id_is_sent(self):
        self.assertNotIn('x-openstack-request-id', self._headers())
        self.context.global_id = 'req-1'
        self.assertEqual('req-1', _text(
            self._headers()['x-openstack-request-id']))

    def test_the_user_agent_names_nova_image(self):
        self.assertIn('nova_image', _text(self._headers()['user-agent']))


def _text(header):
    """Return a header as Glance reads it: the UTF-8 on the wire."""
    if not isinstance(header, bytes):
        header = header.encode('latin-1')
    return header.decode('utf-8')


class TestMaySee(base.TestCase):
    """Which images a caller may see without Keystone."""

    def _may_see(self, owner=None, is_public=False, **properties):
        return identity.may_see(self.context, {
            'owner': owner, 'is_public': is_public, 'properties': properties})

    def test_public_images_are_for_all_and_admins_see_everything(self):
        self.without_keystone()
        self.assertTrue(self._may_see(owner='another', is_public=True))
        self.context.is_admin = True
        self.assertTrue(self._may_see(owner='another'))

    def test_the_owner_decides(self):
        self.without_keystone()
        self.assertTrue(self._may_see(owner='a-project'))
        self.assertFalse(self._may_see(owner='another'))
        self.assertFalse(self._may_see(
            owner='another', project_id='a-project', user_id='a-user'))

    def test_properties_decide_if_there_is_no_owner(self):
        self.without_keystone()
        for name in ('owner_id', 'project_id'):
            self.assertTrue(self._may_see(**{name: 'a-project'}))
            self.assertFalse(self._may_see(**{name: 'another'}))
        self.assertTrue(self._may_see(user_id='a-user'))
        self.assertFalse(self._may_see(user_id='another'))

    def test_a_caller_without_identity_owns_nothing(self):
        self.without_keystone(project_id=None, user_id=None)
        self.assertFalse(self._may_see())
        self.assertFalse(self._may_see(owner='another'))
