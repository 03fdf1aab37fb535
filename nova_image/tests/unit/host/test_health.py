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

"""Tests of nova_image.host.health: nova-image-run --check --glance."""

import fixtures
import mock
from oslo_config import cfg

from nova_image import conf as nova_image_conf
from nova_image.tests.unit import base
from nova_image.tests.unit.host import fake_nova
from nova_image.tests.unit import recordings

_VERSIONS = recordings.Answer(200, content=b'{"versions": []}')


class HealthTest(base.TestCase):
    """A Glance is asked without a token."""

    def setUp(self):
        super(HealthTest, self).setUp()
        self.nova = self.useFixture(fake_nova.FakeNova())
        self.conf = self.nova.conf
        nova_image_conf.register_opts(self.conf)
        from nova_image.host import health
        self.health = health

    def _use(self, *urls):
        self.conf.set_override('api_servers', urls, 'glance')

    def _fail(self):
        return str(self.assertRaises(self.health.Unhealthy, self.health.ask,
                                     self.conf))

    def test_a_glance_that_answers(self):
        self._use('http://glance:9292/v2')
        self.glance.answers(_VERSIONS)
        self.assertIn('http://glance:9292 answers in 0.',
                      self.health.ask(self.conf))
        call, = self.glance.calls
        self.assertEqual(('GET', '/versions'), (call.method, call.path))
        self.assertEqual([], [name for name in call.headers
                              if name.startswith(('x-', 'auth'))])

    def test_one_of_two(self):
        self._use('http://one:9292', 'http://two:9292')
        self.glance.answers(base.Lost(), _VERSIONS)
        self.assertIn('http://two:9292', self.health.ask(self.conf))

    def test_none_of_two(self):
        self._use('http://u:secret@one:9292', 'http://two:9292')
        self.glance.answers(base.Lost(), recordings.Answer(503))
        text = self._fail()
        self.assertIn('one:9292: connection reset', text)
        self.assertIn('two:9292: ', text)
        self.assertNotIn('secret', text)
        self.assertEqual(2, len(self.glance.calls))

    def test_what_is_not_a_glance(self):
        self._use('http://one:9292')
        self.glance.answers(recordings.Answer(200, content=b'<html>'))
        self.assertIn('one:9292', self._fail())

    def test_a_catalog_without_credentials(self):
        self.assertIn('[service_user]', self._fail())

    def test_a_catalog(self):
        auth = mock.Mock()
        auth.get_endpoint.return_value = 'http://found:9292/v2'
        self.useFixture(fixtures.MockPatchObject(
            self.health.bridge.NovaIdentity, 'service_auth',
            return_value=auth))
        self.glance.answers(_VERSIONS)
        self.assertIn('http://found:9292', self.health.ask(self.conf))

    def test_a_catalog_that_cannot_be_read(self):
        auth = mock.Mock()
        auth.get_endpoint.side_effect = ValueError('no Keystone')
        self.useFixture(fixtures.MockPatchObject(
            self.health.bridge.NovaIdentity, 'service_auth',
            return_value=auth))
        self.assertIn('no Keystone', self._fail())


class CheckTest(base.TestCase):
    """The line and the exit code of the command."""

    def setUp(self):
        super(CheckTest, self).setUp()
        self.useFixture(fake_nova.FakeNova())
        from nova_image.host import check
        self.check = check
        self.useFixture(fixtures.MockPatch('warnings.simplefilter'))
        self.useFixture(fixtures.MockPatchObject(
            check, 'check', return_value='nova-compute runs'))

    def _run(self, asked):
        streams = {}
        for name in 'stdout', 'stderr':
            streams[name] = self.useFixture(
                fixtures.StringStream(name)).stream
            self.useFixture(fixtures.MonkeyPatch('sys.' + name,
                                                 streams[name]))
        from nova_image.host import health
        with mock.patch.object(health, 'ask', side_effect=[asked]) as ask:
            code = self.check.main('nova-compute', [], None, True)
        ask.assert_called_once_with(cfg.CONF)
        for stream in streams.values():
            stream.flush()
            stream.seek(0)
        return code, streams['stdout'].read(), streams['stderr'].read()

    def test_an_answer(self):
        self.assertEqual((0, 'nova-compute runs; it answers\n', ''),
                         self._run('it answers'))

    def test_no_answer(self):
        from nova_image.host import health
        self.assertEqual(
            (1, '', 'nova-image-run: nova-compute runs, but no Glance '
             'answers: it is gone\n'), self._run(health.Unhealthy(
                 'it is gone')))
