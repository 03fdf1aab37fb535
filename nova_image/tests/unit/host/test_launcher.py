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

"""nova-image-run runs a service with the drivers installed."""

import sys

import fixtures
import mock
import testtools

from nova_image.tests.unit.host import fake_nova


class LauncherTest(testtools.TestCase):
    """The command, over a stand-in for Nova and its entry points."""

    def setUp(self):
        """Have one service, whose main() parses its arguments."""
        super(LauncherTest, self).setUp()
        self.nova = self.useFixture(fake_nova.FakeNova())
        self.config = self.nova.modules['nova.config']
        self.config.parse_args = mock.Mock()
        self.install = self.useFixture(fixtures.MockPatch(
            'nova_image.host.bridge.install')).mock
        from nova_image.host import launcher
        self.launcher = launcher
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.host.launcher.named.NamedExtensionManager',
            self._find))

    def _find(self, namespace, names, **kwargs):
        if names == ['nova-compute']:
            return [mock.Mock(plugin=self._service)]
        return []

    def _service(self):
        self.install.assert_not_called()
        self.config.parse_args(sys.argv)
        self.install.assert_called_once()
        return 0

    def _run(self, *arguments):
        self.useFixture(fixtures.MonkeyPatch(
            'sys.argv', ['/usr/bin/nova-image-run'] + list(arguments)))
        return self.launcher.main()

    def test_installs_when_configured(self):
        """Not before: the configuration says which driver."""
        parse = self.config.parse_args
        self.assertEqual(0, self._run('nova-compute', '--debug'))
        parse.assert_called_once_with(['nova-compute', '--debug'])

    def test_unknown_service(self):
        """One line says which."""
        error = self.assertRaises(SystemExit, self._run, 'nova-nothing')
        self.assertIn('nova-nothing', str(error))

    def test_failure_ends_the_service(self):
        """The service does not run on with stock code."""
        self.install.side_effect = ImportError('broken')
        self.assertRaises(SystemExit, self._run, 'nova-compute')

    def test_usage(self):
        """Without a service the usage is shown, and the exit code is 2."""
        output = self.useFixture(fixtures.StringStream('stdout')).stream
        self.useFixture(fixtures.MonkeyPatch('sys.stdout', output))
        self.assertEqual(2, self._run())
        self.assertEqual(0, self._run('--help'))
