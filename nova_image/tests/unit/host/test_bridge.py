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

"""Tests of nova_image.host.bridge."""

import io
import os
import threading

import fixtures
from keystoneauth1.identity import v3
from keystoneauth1 import service_token
import mock
from oslo_config import cfg
from oslo_log import log as logging
import testtools

from nova_image import conf as nova_image_conf
from nova_image import exception
from nova_image.image import driver
from nova_image.metrics import hook
from nova_image.tests.unit import base
from nova_image.tests.unit.host import fake_nova
from nova_image.tests.unit.metrics import case as metrics_case


class BridgeTestCase(testtools.TestCase):
    """Base class: installs a mock driver into a fake Nova."""

    def setUp(self):
        """Create the fake Nova and the mock driver."""
        super(BridgeTestCase, self).setUp()
        self.nova = self.useFixture(fake_nova.FakeNova())
        nova_image_conf.register_opts(self.nova.conf)
        self.glance = self.nova.modules['nova.image.glance']
        self.driver = mock.Mock(deprecation='')
        self.real_load = driver.load
        self.load = self.useFixture(fixtures.MockPatch(
            'nova_image.image.driver.load', return_value=self.driver)).mock
        self.useFixture(fixtures.MockPatchObject(logging, 'setup'))
        self.log = self.useFixture(fixtures.FakeLogger())
        from nova_image.host import bridge
        self.bridge = bridge

    def install(self):
        """Install with the configuration of the fake Nova."""
        return self.bridge.install(self.nova.conf)


class InstallTest(BridgeTestCase):
    """install() replaces the two functions of Nova."""

    def test_default_service(self):
        """Nova's callers get the driver's answers."""
        self.install()
        self.driver.show.return_value = {'id': 'an-id'}
        service = self.glance.get_default_image_service()
        self.assertEqual({'id': 'an-id'}, service.show('context', 'an-id'))

    def test_metrics_begin_when_a_service_starts(self):
        """They do so in each worker, after it was forked."""
        self.nova.add('nova.service')
        module = self.nova.modules['nova.service']

        class Service(object):
            def start(self):
                return 'started'
        module.Service = Service
        sink = metrics_case.RememberedSink()
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.metrics.hook.METRICS',
            hook.Live(sink, ('1', 'v2', 'nova-compute'))))
        self.install()
        self.assertEqual([], sink.values)
        self.assertEqual('started', Service().start())
        self.assertEqual(['nova_image_info'],
                         [name for name, _, _ in sink.values])

    def test_without_metrics_services_are_as_they_are(self):
        self.nova.add('nova.service')
        module = self.nova.modules['nova.service']
        module.Service = type('Service', (object,), {'start': len})
        self.install()
        self.assertIs(len, module.Service.start)

    def test_twice(self):
        """A second call changes nothing and loads nothing."""
        first = self.install()
        self.assertIs(first, self.install())
        self.load.assert_called_once()

    def test_remote_by_id(self):
        """An ID is resolved to the default service."""
        service = self.install()
        self.driver.resolve.return_value = self.driver, 'an-id'
        self.assertEqual(
            (service, 'an-id'),
            self.glance.get_remote_image_service('context', 'an-id'))

    def test_remote_by_url(self):
        """A URL of a known Glance is resolved to that Glance."""
        self.install()
        pinned, url = mock.Mock(), 'http://glance2:9292/v2/images/an-id'
        self.driver.resolve.return_value = pinned, 'an-id'
        service, image_id = self.glance.get_remote_image_service(
            'context', url)
        self.driver.resolve.assert_called_once_with('context', url)
        self.assertIs(pinned, service.driver)
        self.assertEqual('an-id', image_id)

    def test_unknown_url(self):
        """A URL that must not receive the token raises Nova's exception."""
        self.install()
        self.driver.resolve.side_effect = (
            exception.InvalidImageRef(reason='unknown'))
        self.assertRaises(
            self.nova.modules['nova.exception'].InvalidImageRef,
            self.glance.get_remote_image_service, 'context',
            'http://evil/v2/images/an-id')

    def test_load_installs_nothing(self):
        """Programs without images only try whether the driver loads."""
        self.assertIs(self.driver, self.bridge.load(self.nova.conf))
        self.assertEqual('stock', self.glance.get_default_image_service())

    def test_failure_leaves_stock_code(self):
        """A driver that cannot be loaded leaves Nova's code in place."""
        self.load.side_effect = exception.DriverLoadError()
        self.assertRaises(exception.DriverLoadError, self.install)
        self.assertEqual('stock', self.glance.get_default_image_service())

    def test_errors_are_those_of_nova(self):
        """Every method raises exceptions that Nova's callers catch."""
        service = self.install()
        for name, arguments in (
                ('detail', ()), ('show', ('id',)), ('create', ({},)),
                ('update', ('id', {})), ('delete', ('id',)),
                ('download', ('id',)), ('image_import_copy', ('id', []))):
            getattr(self.driver, name).side_effect = exception.ImageCorrupt(
                image_id='id')
            self.assertRaises(
                self.nova.modules['nova.exception'].ImageUnacceptable,
                getattr(service, name), 'context', *arguments)

    def test_errors_of_detail_are_those_without_an_image(self):
        """An invalid limit is not about an image."""
        self.driver.detail.side_effect = exception.ImageBadRequest(
            reason='limit is not a number')
        nova = self.nova.modules['nova.exception']
        error = self.assertRaises(nova.Invalid, self.install().detail, 'ctx')
        self.assertIs(nova.Invalid, type(error))
        self.assertEqual('limit is not a number', str(error))

    def test_errors_before_a_request_name_the_image(self):
        """The drivers find them without knowing the image."""
        def chunks():
            raise exception.ImageBadRequest(reason='why')
            yield

        service = self.install()
        for name, arguments in (
                ('show', ('an-id',)), ('create', ({'id': 'an-id'},)),
                ('update', ('an-id', {})), ('delete', ('an-id',)),
                ('download', ('an-id',)),
                ('image_import_copy', ('an-id', []))):
            getattr(self.driver, name).side_effect = (
                exception.ImageUnacceptable(reason='why'))
            error = self.assertRaises(
                self.nova.modules['nova.exception'].ImageUnacceptable,
                getattr(service, name), 'context', *arguments)
            self.assertEqual('Image an-id is unacceptable: why', str(error))
        self.driver.download = mock.Mock(return_value=chunks())
        error = self.assertRaises(
            self.nova.modules['nova.exception'].ImageBadRequest,
            next, service.download('context', 'an-id'))
        self.assertIn('image an-id', str(error))

    def test_files_that_are_open_as_text(self):
        """Nova's driver for z/VM uploads them; the bytes are what counts."""
        path = os.path.join(self.useFixture(fixtures.TempDir()).path, 'disk')
        with open(path, 'wb') as disk:
            disk.write(b'\xff\r\n')
        with io.open(path, 'r') as disk:
            self.install().update('context', 'an-id', {}, disk)
            data = self.driver.update.call_args[0][3]
            self.assertEqual(b'\xff\r\n', data.read())
        with io.open(path, 'rb') as disk:
            self.install().update('context', 'an-id', {}, disk)
            self.assertIs(disk, self.driver.update.call_args[0][3])

    def test_stream_errors_are_those_of_nova(self):
        """The iterator of a download raises them, too."""
        def chunks():
            yield b'bytes'
            raise exception.ImageCorrupt(image_id='id')
        self.driver.download.return_value = chunks()
        stream = self.install().download('context', 'id')
        self.assertEqual(b'bytes', next(stream))
        self.assertRaises(
            self.nova.modules['nova.exception'].ImageUnacceptable,
            next, stream)


class AnnounceTest(BridgeTestCase):
    """The driver in use is logged once."""

    def test_after_logging_is_set_up(self):
        """Messages logged before that would be lost."""
        self.install()
        self.assertNotIn('serves the images', self.log.output)
        logging.setup('conf', 'nova')
        logging.setup('conf', 'nova')
        self.assertEqual(1, self.log.output.count('serves the images of'))
        self.assertIn('nova-compute, Nova 34.0.0', self.log.output)

    def test_warnings(self):
        """A warning of load() also waits for the log, and appears once."""
        class Deprecated(driver.ImageDriver):
            """A deprecated driver."""

            deprecation = 'v1 is going away'

        self.load.side_effect = self.real_load
        self.useFixture(fixtures.MockPatchObject(
            Deprecated, '__abstractmethods__', ()))
        self.useFixture(fixtures.MockPatchObject(
            driver, '_find', return_value=Deprecated))
        self.install()
        self.assertEqual('', self.log.output)
        logging.setup('conf', 'nova')
        logging.setup('conf', 'nova')
        self.assertEqual(1, self.log.output.count('v1 is going away'))


class NovaIdentityTest(BridgeTestCase):
    """Tokens are obtained from Nova."""

    def setUp(self):
        """Create an identity with the configuration of the fake Nova."""
        super(NovaIdentityTest, self).setUp()
        self.identity = self.bridge.NovaIdentity(self.nova.conf)
        self.service_auth = self.nova.modules['nova.service_auth']

    def test_nova_34(self):
        """The service user's token is sent along."""
        self.service_auth.get_service_user_token_auth_plugin = mock.Mock()
        context = base.Context()
        self.assertIs(
            self.service_auth.get_service_user_token_auth_plugin.return_value,
            self.identity.auth(context))

    def test_nova_15(self):
        """The function has another name there."""
        self.service_auth.get_auth_plugin = mock.Mock()
        self.assertIs(self.service_auth.get_auth_plugin.return_value,
                      self.identity.auth(base.Context()))

    def _send_service_token(self, value):
        self.nova.conf.register_opt(cfg.BoolOpt(
            'send_service_user_token', default=value), group='service_user')

    def test_service_user(self):
        """Nova's own requests use the credentials of its service token."""
        self._send_service_token(True)
        get_plugin = self.service_auth.get_service_auth_plugin = mock.Mock()
        self.assertIs(get_plugin.return_value, self.identity.service_auth())
        get_plugin.assert_called_once_with('service_user')

    def test_its_renewal_holds_up_no_other_request(self):
        """Nova's requests share the plugin of the service token."""
        self._send_service_token(True)
        shared = [v3.Password('https://keystone', password='a')
                  for _ in range(2)]
        self.service_auth.get_service_auth_plugin = mock.Mock(
            return_value=shared[0])
        self.assertIs(shared[0], self.identity.service_auth())
        self.service_auth.get_service_user_token_auth_plugin = mock.Mock(
            return_value=service_token.ServiceTokenAuthWrapper(
                mock.Mock(), shared[1]))
        for _ in range(2):
            self.identity.auth(base.Context())
        for plugin in shared:
            self.assertIsInstance(plugin, v3.Password)
            plugin.auth_ref = mock.Mock()  # a token that is still valid
            plugin.auth_ref.will_expire_soon.return_value = False
            found = []
            thread = threading.Thread(
                target=lambda one=plugin, to=found: to.append(
                    one.get_access(None)))
            thread.daemon = True
            with plugin._lock:  # another request renews it
                thread.start()
                thread.join(30)
                self.assertEqual([plugin.auth_ref], found)

    def test_no_service_user(self):
        """Without them, its requests use those of [glance], if any."""
        self.assertIsNone(self.identity.service_auth())
        self._send_service_token(True)  # as in Nova 15
        self.assertIsNone(self.identity.service_auth())
        self.service_auth.get_service_auth_plugin = mock.Mock()
        self.nova.conf.set_override('send_service_user_token', False,
                                    'service_user')
        self.assertIsNone(self.identity.service_auth())

    def test_no_token_in_nova_34(self):
        """With Keystone, identity headers are never sent."""
        self.assertRaises(cfg.NoSuchOptError, getattr, self.nova.conf.api,
                          'auth_strategy')
        self.assertRaises(exception.Forbidden, self.identity.auth,
                          base.Context(auth_token=None))

    def test_no_token_in_nova_15(self):
        """An option states whether Nova 15 uses Keystone."""
        context = base.Context(auth_token=None)
        self.nova.register_auth_strategy('keystone')
        self.assertRaises(exception.Forbidden, self.identity.auth, context)
        self.nova.register_auth_strategy('noauth2')
        self.assertIsNone(self.identity.auth(context))
