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

"""Tests of nova_image.host.launcher: nova-image-run."""

import os
import subprocess
import sys

import fixtures
import mock
import testtools

from nova_image.tests.unit.host import fake_nova


class LauncherTest(testtools.TestCase):
    """The command, with a fake Nova and fake entry points."""

    def setUp(self):
        """Provide one service, whose main() parses its arguments."""
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

    def test_installs_after_configuration(self):
        """The driver is installed once the configuration is parsed."""
        parse = self.config.parse_args
        self.assertEqual(0, self._run('nova-compute', '--debug'))
        parse.assert_called_once_with(['nova-compute', '--debug'])

    def test_unknown_service(self):
        """The message names the service."""
        error = self.assertRaises(SystemExit, self._run, 'nova-nothing')
        self.assertIn('nova-nothing', str(error))

    def test_failure_ends_the_service(self):
        """The service does not fall back to Nova's own code."""
        self.install.side_effect = ImportError('broken')
        self.assertRaises(SystemExit, self._run, 'nova-compute')

    def test_check(self):
        """--check passes the service, its arguments and a search."""
        main = self.useFixture(fixtures.MockPatch(
            'nova_image.host.check.main', return_value=1)).mock
        self.assertEqual(1, self._run('--check', 'nova-compute', '--debug'))
        (service, arguments, find, asks), _ = main.call_args
        self.assertEqual(('nova-compute', ['--debug'], False),
                         (service, arguments, asks))
        self.assertEqual(self._service, find('nova-compute'))
        self.assertIsNone(find('nova-nothing'))
        self.config.parse_args.assert_not_called()

    def test_check_of_glance(self):
        """--glance asks Glance, too, and is not passed to the service."""
        main = self.useFixture(fixtures.MockPatch(
            'nova_image.host.check.main', return_value=1)).mock
        self.assertEqual(1, self._run('--check', '--glance', 'nova-compute'))
        (service, arguments, _, asks), _ = main.call_args
        self.assertEqual(('nova-compute', [], True),
                         (service, arguments, asks))

    def test_usage(self):
        """Without a service the command prints its usage and returns 2."""
        output = self.useFixture(fixtures.StringStream('stdout')).stream
        self.useFixture(fixtures.MonkeyPatch('sys.stdout', output))
        self.assertEqual(2, self._run())
        self.assertEqual(2, self._run('--check'))
        self.assertEqual(2, self._run('--check', '--glance'))
        self.assertEqual(0, self._run('--help'))

    def test_output_that_nobody_reads(self):
        """A closed pipe or a full disk costs no traceback."""
        for argv in (['--help'], []):
            reading, writing = os.pipe()
            os.close(reading)
            self.assertEqual((141, b''), _output_to(writing, argv))
            os.close(writing)
            full = os.open('/dev/full', os.O_WRONLY)
            self.assertEqual(
                (1, b'nova-image-run: standard output: No space left on '
                 b'device\n'), _output_to(full, argv))
            os.close(full)

    def test_closed_output(self):
        """A check that nobody reads costs no traceback."""
        self.useFixture(fixtures.MonkeyPatch('sys.stdout', None))
        self.useFixture(fixtures.MockPatch(
            'nova_image.host.check.main', side_effect=_print))
        self.assertEqual(1, self._run('--check', 'nova-compute'))
        self.assertEqual(0, self._run('--help'))


def _print(*args):
    sys.stdout.write('No\n')
    return 1


def _output_to(number, argv):
    """Run the command; return its exit code and its standard error.

    :param number: file descriptor of its standard output
    """
    process = subprocess.Popen(
        [sys.executable, '-c', 'import sys; from nova_image.host import '
         'launcher; sys.exit(launcher.main())'] + argv,
        stdout=number, stderr=subprocess.PIPE)
    _, error = process.communicate()
    return process.returncode, error
