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


"""No token, password or credential gets into a log or an error."""

import io
import logging
import secrets
import traceback
import typing

import testtools

from nova_image import exception
from nova_image.image import driver
from nova_image.tests.functional import base
from nova_image.tests.functional import loopback
from nova_image.tests.functional import servers
from nova_image.tests.functional import test_keystone

_RAW = {'name': 'an image', 'disk_format': 'raw', 'container_format': 'bare'}


class SecretsTest(test_keystone.SecuredTest):
    """All operations, with the DEBUG log of every library on."""

    def setUp(self) -> None:
        """Create a store whose URL has a password."""
        super().setUp()
        self.password = 'pass-' + secrets.token_hex(8)
        servers.SECRETS.add(self.password)
        self.store = self.useFixture(loopback.WebStore(b'elsewhere'))
        self.location = 'http://someone:%s@%s/image' % (
            self.password, self.store.host)
        self.errors: list[str] = []

    def drivers(self) -> list[tuple[driver.ImageDriver, typing.Any]]:
        """Return drivers and contexts that use all kinds of secrets."""
        quick = {'debug': True, 'num_retries': 0}
        conf = test_keystone.password_conf('demo')
        for name, value in quick.items():
            conf.set_override(name, value, 'glance')
        with_plugin = test_keystone.PluginContext(
            auth_token=servers.token_of('demo'))
        with_plugin.plugin = self.keystone.session('demo').auth
        return [(self.make_driver(**quick), self.context_of('demo')),
                (self.make_driver(**quick), with_plugin),
                (driver.load(conf), base.Context(is_admin=True))]

    def assertFails(self, operation: typing.Any, *args: typing.Any,
                    **kwargs: typing.Any) -> Exception:
        """Check that an operation fails, and keep all text of its error."""
        error = self.assertRaises(exception.NovaImageException, operation,
                                  *args, **kwargs)
        # Neither source lines of the traceback nor this test's arguments.
        self.errors += [str(error), repr(error), repr(error.args),
                        repr(vars(error)), error.format_message()]
        self.errors += traceback.format_exception(error)
        return error

    def test_successes_and_failures_reveal_nothing(self) -> None:
        for image_driver, ctx in self.drivers():
            self._successes(image_driver, ctx)
            self._failures(image_driver, ctx)
        self.assertIn('nova_image.image.client', self.log.text)
        self.assertIn('urllib3', self.log.text)
        self.assertNotEqual([], self.errors)
        self.assertNoSecrets('\n'.join(self.errors), 'an error')

    def _successes(self, image_driver: driver.ImageDriver,
                   ctx: typing.Any) -> None:
        image_id = image_driver.create(ctx, dict(_RAW), b'data')['id']
        image_driver.show(ctx, image_id, include_locations=True)
        image_driver.detail(ctx, filters={'name': 'an image'})
        image_driver.update(ctx, image_id, {'properties': {'a': 'b'}})
        image_driver.download(ctx, image_id, io.BytesIO())
        image_driver.delete(ctx, image_id)
        for meta in ({}, {'location': self.location}):
            image_id = image_driver.create(ctx, _RAW | meta)['id']
            if not meta:
                image_driver.update(ctx, image_id,
                                    {'location': self.location})
            shown = image_driver.show(ctx, image_id, include_locations=True)
            self.assertEqual([self.location], [
                place['url'] for place in shown['locations']])
            self.assertEqual(b'elsewhere', b''.join(
                image_driver.download(ctx, image_id)))
            image_driver.delete(ctx, image_id)

    def _failures(self, image_driver: driver.ImageDriver,
                  ctx: typing.Any) -> None:
        image_id = image_driver.create(ctx, dict(_RAW, protected=True),
                                       b'data')['id']
        self.assertFails(image_driver.delete, ctx, image_id)
        self.assertFails(image_driver.show, ctx, base.new_id())
        for location in (
                'swift://someone:%s@auth.example/c/o' % self.password,
                self.location.replace('image', 'x' * 9 + '?' + 'y' * 9).
                replace(self.store.host, '127.0.0.1:1')):
            self.assertFails(image_driver.create, ctx, dict(
                _RAW, location=location))
            self.assertFails(image_driver.update, ctx, image_id,
                             {'location': location})
        self.assertFails(image_driver.update, ctx, image_id,
                         {'location': self.location}, b'data')
        self.assertFails(image_driver.create, ctx, dict(_RAW, is_public=True))

    def test_broken_endpoints_reveal_nothing(self) -> None:
        ctx = self.context_of('demo')
        echo = ('X-Auth-Token: %s in %s' % (
            ctx.auth_token, self.location)).encode()
        for script in (loopback.saying(), loopback.saying(echo),
                       loopback.answering('400 Bad', echo),
                       loopback.answering('500 Oops', echo),
                       loopback.answering('200 OK', echo),
                       loopback.answering('302 Found', b'', 'Location: ' +
                                          self.location)):
            with loopback.BrokenGlance(script) as glance:
                url = glance.url.replace('://', '://user:%s@' % self.password)
                for address in (glance.url, url):
                    self._ask(base.make_driver('v2', [address], {
                        'num_retries': 0, 'debug': True}), ctx)
        self.assertNoSecrets('\n'.join(self.errors), 'an error')

    def _ask(self, image_driver: driver.ImageDriver,
             ctx: typing.Any) -> None:
        self.assertFails(image_driver.detail, ctx)
        self.assertFails(image_driver.show, ctx, base.new_id())
        self.assertFails(image_driver.create, ctx, dict(
            _RAW, location=self.location))

    def test_bad_token_is_not_revealed(self) -> None:
        ctx = self.context_of('demo', auth_token='bad-' + base.new_id())
        error = self.assertFails(self.driver.detail, ctx)
        self.assertIsInstance(error, exception.Forbidden)
        self.assertNoSecrets('\n'.join(self.errors), 'an error')


class GuardTest(testtools.TestCase):
    """Every functional test fails if anything logs a secret."""

    def test_logged_secret_fails_the_test_without_revealing_it(self) -> None:
        secret = 'secret-' + base.new_id()
        self.addCleanup(servers.SECRETS.discard, secret)

        class Leaking(base.FunctionalTest):
            def test(self) -> None:
                base.Context(auth_token=secret)
                logging.getLogger('anybody.at.all').debug('x %s', secret)

        result = testtools.TestResult()
        Leaking('test').run(result)
        (_, message), = result.failures
        self.assertIn('A secret is in the log', message)
        self.assertNotIn(secret, message)

    def test_other_log_lines_do_not_fail_the_test(self) -> None:
        class Quiet(base.FunctionalTest):
            def test(self) -> None:
                logging.getLogger('anybody.at.all').debug('no secret')

        result = testtools.TestResult()
        Quiet('test').run(result)
        self.assertTrue(result.wasSuccessful())
