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


"""The v2 driver on a Glance that uses a real Keystone."""

import collections.abc
import contextlib
import typing

import fixtures as lib_fixtures
from keystoneauth1 import loading
from keystoneauth1 import plugin
import requests

from nova_image import exception
from nova_image.image import driver
from nova_image.tests.functional import base
from nova_image.tests.functional import servers

#: headers that no request may have together with a token
_IDENTITY = {'x-identity-status', 'x-user-id', 'x-tenant-id', 'x-project-id',
             'x-roles'}


class PluginContext(base.Context):
    """A context with its own auth plugin, like Nova's."""

    plugin: plugin.BaseAuthPlugin

    def get_auth_plugin(self) -> plugin.BaseAuthPlugin:
        """Return the plugin."""
        return self.plugin


def catalog_v3(url: str, **changes: str) -> list[dict[str, typing.Any]]:
    """Return a service catalog in the format of Keystone's API v3."""
    return [{'type': 'image', 'name': 'glance', 'endpoints': [
        {'interface': interface, 'url': url, 'region': 'RegionOne',
         'region_id': 'RegionOne', **changes}
        for interface in ('public', 'internal', 'admin')]}]


def catalog_v2(url: str) -> list[dict[str, typing.Any]]:
    """Return a service catalog in the format of Keystone's API v2."""
    return [{'type': 'image', 'name': 'glance', 'endpoints': [
        {'region': 'RegionOne', 'publicURL': url, 'internalURL': url,
         'adminURL': url}]}]


def password_conf(user: str) -> typing.Any:
    """Return a configuration with the password of a Keystone user."""
    conf = base.make_conf({})
    loading.register_auth_conf_options(conf, 'glance')
    conf.register_opts(loading.get_auth_plugin_conf_options('password'),
                       group='glance')
    options = servers.keystone().auth_options(user)
    for name, value in {'auth_type': 'password', **options}.items():
        conf.set_override(name, value, 'glance')
    return conf


class SecuredTest(base.FunctionalTest):
    """A test on secured_glance(), whose images are deleted afterwards."""

    def setUp(self) -> None:
        """Start Glance first, so that its passwords are known secrets."""
        self.glance = servers.secured_glance()
        super().setUp()
        self.keystone = servers.keystone()
        self.raw = servers.RawGlance(
            self.glance.url, {'X-Auth-Token': servers.token_of('admin')})
        self.addCleanup(self.raw.wipe)
        self.driver = self.make_driver()

    def make_driver(self, **options: typing.Any) -> driver.ImageDriver:
        """Return the v2 driver, which finds Glance in the catalog."""
        return base.make_driver('v2', [], options)

    def context_of(self, user: str, **changes: typing.Any) -> base.Context:
        """Return the context of a Keystone user, with a new token."""
        project = {'admin': 'admin'}.get(user, user)
        return base.Context(**{
            'auth_token': servers.token_of(user),
            'project_id': self.keystone.project_id(project),
            'user_id': self.keystone.user_id(user),
            'is_admin': user == 'admin',
            'roles': ('admin',) if user == 'admin' else ('member',),
            'service_catalog': catalog_v3(self.glance.url), **changes})

    def check_lifecycle(self, image_driver: driver.ImageDriver,
                        ctx: typing.Any) -> None:
        """Check that an image can be created, read, changed and deleted."""
        image = image_driver.create(ctx, {
            'name': 'an image', 'disk_format': 'raw',
            'container_format': 'bare'}, b'some data')
        image_id = image['id']
        self.assertEqual('active', image['status'])
        self.assertEqual(image, image_driver.show(ctx, image_id))
        self.assertEqual([image], image_driver.detail(ctx))
        image_driver.update(ctx, image_id, {'name': 'another'})
        self.assertEqual(b'some data', b''.join(
            image_driver.download(ctx, image_id)))
        self.assertIs(True, image_driver.delete(ctx, image_id))
        self.assertEqual([], self.raw.images())


class KeystoneTest(SecuredTest):
    """Tokens, catalogs, plugins and permissions."""

    def test_catalog_of_the_context(self) -> None:
        url = self.glance.url
        for catalog in (catalog_v3(url), catalog_v3(url + '/'),
                        catalog_v3(url + '/v2'), catalog_v2(url),
                        catalog_v2(url + '/v2/')):
            self.check_lifecycle(self.driver, self.context_of(
                'demo', service_catalog=catalog))

    def test_catalog_of_keystone(self) -> None:
        session = self.keystone.session('demo')
        access = session.auth.get_access(session)
        self.check_lifecycle(self.driver, self.context_of(
            'demo', service_catalog=access.service_catalog.catalog))

    def test_configured_interface_and_region(self) -> None:
        catalog = (catalog_v3('http://127.0.0.1:1', region='Elsewhere',
                              region_id='Elsewhere') +
                   catalog_v3(self.glance.url))
        ctx = self.context_of('demo', service_catalog=catalog)
        self.check_lifecycle(self.make_driver(
            region_name='RegionOne', valid_interfaces=['admin']), ctx)
        error = self.assertRaises(
            exception.GlanceConnectionFailed,
            self.make_driver(region_name='Nowhere').detail, ctx)
        for word in ('Nowhere', 'image', 'api_servers'):
            self.assertIn(word, str(error))

    def test_configured_endpoints_need_no_catalog(self) -> None:
        url = self.glance.url
        for options in ({'endpoint_override': url},
                        {'endpoint_override': url + '/v2'},
                        {'api_servers': [url]}):
            self.check_lifecycle(self.make_driver(**options), self.context_of(
                'demo', service_catalog=None))

    def test_no_endpoint_anywhere(self) -> None:
        for catalog in (None, [], catalog_v3('')):
            error = self.assertRaises(
                exception.GlanceConnectionFailed, self.driver.detail,
                self.context_of('demo', service_catalog=catalog))
            self.assertIn('endpoint_override', str(error))

    def test_plugin_of_the_context(self) -> None:
        ctx = PluginContext(
            auth_token=servers.token_of('demo'),
            project_id=self.keystone.project_id('demo'))
        ctx.plugin = self.keystone.session('demo').auth
        self.check_lifecycle(self.driver, ctx)

    def test_password_of_the_configuration(self) -> None:
        image_driver = driver.load(password_conf('demo'))
        self.check_lifecycle(image_driver, base.Context(is_admin=True))

    def test_users_do_not_get_the_rights_of_the_service(self) -> None:
        image_driver = driver.load(password_conf('admin'))
        ctx = self.context_of('demo')
        image_id = self.driver.create(ctx, {
            'name': 'private', 'disk_format': 'raw',
            'container_format': 'bare'}, b'some data')['id']
        owner = base.Context(project_id=ctx.project_id)
        mallory = base.Context(project_id=base.new_id())
        with _sent() as sent:
            self.assertEqual([[image_id], []], [
                [image['id'] for image in image_driver.detail(caller)]
                for caller in (owner, mallory)])
            self.assertEqual(b'some data', b''.join(
                image_driver.download(owner, image_id)))
            for operation in (image_driver.show, image_driver.download):
                self.assertRaises(exception.ImageNotFound, operation, mallory,
                                  image_id)
            for caller in (owner, mallory):
                for operation, args in (
                        (image_driver.update, ({'name': 'x'},)),
                        (image_driver.members, ()),
                        (image_driver.delete, ())):
                    self.assertRaises(
                        (exception.ImageNotAuthorized,
                         exception.ImageNotFound), operation, caller,
                        image_id, *args)
        self.assertEqual({'GET'}, {
            one.method for one in sent if self.glance.url in one.url})
        self.assertEqual('private', self.driver.show(ctx, image_id)['name'])

    def test_wrong_password_of_the_configuration(self) -> None:
        conf = password_conf('demo')
        servers.SECRETS.add('not the password of demo')
        conf.set_override('password', 'not the password of demo', 'glance')
        error = self.assertRaises(
            exception.Forbidden, driver.load(conf).detail, base.Context())
        self.assertIn('credentials in [glance]', str(error))
        self.assertNoSecrets(str(error), 'the error')

    def _bad_tokens(self) -> list[str]:
        revoked = servers.token_of('demo')
        answer = requests.delete(
            self.keystone.auth_url + '/auth/tokens', timeout=30, headers={
                'X-Auth-Token': servers.token_of('admin'),
                'X-Subject-Token': revoked})
        self.assertEqual(204, answer.status_code)
        return [revoked, 'no-token-' + base.new_id()]

    def test_revoked_and_invalid_tokens(self) -> None:
        image_id = self.driver.create(self.context_of('demo'), {
            'name': 'an image'})['id']
        for token in self._bad_tokens():
            ctx = self.context_of('demo', auth_token=token)
            for operation, args in (
                    (self.driver.detail, ()),
                    (self.driver.show, (image_id,)),
                    (self.driver.create, ({'name': 'x'}, b'data')),
                    (self.driver.update, (image_id, {'name': 'x'})),
                    (self.driver.download, (image_id,)),
                    (self.driver.delete, (image_id,))):
                error = self.assertRaises(exception.Forbidden, operation,
                                          ctx, *args)
                for word in ('401', self.glance.url, 'uthoriz'):
                    self.assertIn(word, str(error))
                self.assertNoSecrets(str(error), 'the error')
        image, = self.raw.images()
        self.assertEqual('an image', image['name'])

    def test_roles(self) -> None:
        public = {'name': 'public', 'is_public': True}
        demo, root = self.context_of('demo'), self.context_of('admin')
        error = self.assertRaises(exception.Forbidden, self.driver.create,
                                  demo, public)
        self.assertIn('403', str(error))
        image = self.driver.create(root, public)
        self.assertEqual(image, self.driver.show(demo, image['id']))
        self.assertRaises(exception.Forbidden, self.driver.delete, demo,
                          image['id'])
        mine = self.driver.create(demo, {'name': 'mine'})
        self.assertEqual(mine, self.driver.show(root, mine['id']))

    def test_sharing(self) -> None:
        demo, other = self.context_of('demo'), self.context_of('other')
        meta = {'name': 'snapshot', 'disk_format': 'raw',
                'container_format': 'bare', 'properties': {
                    'instance_owner': self.keystone.project_id('other')}}
        shared = self.driver.create(demo, meta, b'some data')
        self.assertEqual(shared, self.driver.show(other, shared['id']))
        self.assertEqual(b'some data', b''.join(
            self.driver.download(other, shared['id'])))
        self.assertRaises(exception.Forbidden, self.driver.delete, other,
                          shared['id'])
        # As in any list of v2: not before the project has accepted it.
        self.assertEqual([], self.driver.detail(other))
        del meta['properties']
        mine = self.driver.create(demo, meta, b'some data')
        for operation in (self.driver.show, self.driver.download,
                          self.driver.delete):
            error = self.assertRaises(exception.ImageNotFound, operation,
                                      other, mine['id'])
            self.assertIn(mine['id'], str(error))

    def test_no_identity_headers_together_with_a_token(self) -> None:
        ctx = PluginContext(
            auth_token=servers.token_of('demo'), user_id='somebody',
            project_id='some-project', roles=('admin',))
        ctx.plugin = self.keystone.session('demo').auth
        for image_driver, context in (
                (self.driver, self.context_of('demo')), (self.driver, ctx),
                (driver.load(password_conf('demo')),
                 base.Context(is_admin=True))):
            with _sent() as sent:
                self.check_lifecycle(image_driver, context)
            asked = [one for one in sent if self.glance.url in one.url]
            self.assertGreater(len(asked), 7)
            for one in asked:
                names = {name.lower() for name in one.headers}
                self.assertIn('x-auth-token', names)
                self.assertEqual(set(), names & _IDENTITY)

    def test_global_request_id_is_sent(self) -> None:
        with _sent() as sent:
            self.driver.detail(self.context_of('demo', global_id='req-7'))
        self.assertEqual('req-7', sent[-1].headers['X-OpenStack-Request-ID'])


@contextlib.contextmanager
def _sent() -> collections.abc.Iterator[list[requests.PreparedRequest]]:
    """Record the requests that are sent in the body of a ``with``."""
    noted: list[requests.PreparedRequest] = []
    send = requests.Session.send

    def noting_send(self: requests.Session, request: requests.PreparedRequest,
                    **kwargs: typing.Any) -> requests.Response:
        noted.append(request)
        return send(self, request, **kwargs)

    with lib_fixtures.MonkeyPatch('requests.Session.send', noting_send):
        yield noted
