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

"""Tests of nova_image.host.check: nova-image-run --check."""

import os
import sys

import fixtures
import mock
from oslo_config import cfg
import testtools

from nova_image.tests.unit.host import fake_nova

_COMPUTE = 'nova-compute'
_WITH_DRIVERS = testtools.skipUnless(
    hasattr(cfg.ConfigOpts, '_load_alternative_sources'),
    'oslo.config has no configuration drivers')


class CheckTest(testtools.TestCase):
    """The check, with a fake Nova whose configuration is in a file."""

    def setUp(self):
        """Let the fake Nova parse a file, and install a mock driver."""
        super(CheckTest, self).setUp()
        self.nova = self.useFixture(fake_nova.FakeNova())
        self.useFixture(fixtures.MonkeyPatch(
            'oslo_config.cfg.CONF', self.nova.conf))
        self.useFixture(fixtures.MonkeyPatch('sys.argv', list(sys.argv)))
        self.useFixture(fixtures.MockPatch('warnings.simplefilter'))
        self.load = self.useFixture(fixtures.MockPatch(
            'nova_image.image.driver.load',
            return_value=mock.Mock(deprecation=''))).mock
        self.stderr = self.useFixture(fixtures.StringStream('stderr')).stream
        self.useFixture(fixtures.MonkeyPatch('sys.stderr', self.stderr))
        self.stdout = self.useFixture(fixtures.StringStream('stdout')).stream
        self.useFixture(fixtures.MonkeyPatch('sys.stdout', self.stdout))
        self.folder = self.useFixture(fixtures.TempDir()).path
        self.file = os.path.join(self.folder, 'nova.conf')
        self.nova.modules['nova.config'].parse_args = self._parse_args
        from nova_image.host import check
        self.check = check

    def _parse_args(self, argv, default_config_files=None, **kwargs):
        self.assertEqual({'configure_db': False, 'init_rpc': False}, kwargs)
        self.nova.conf(argv[1:], prog=argv[0], default_config_files=(
            default_config_files or [self.file]))

    def _write(self, text):
        with open(self.file, 'w') as stream:
            stream.write(text)

    def _configure(self):
        self._write('[DEFAULT]\nconfig_source = nova_image\n'
                    '[nova_image]\ndriver = nova_image\n')

    def _run(self, service=_COMPUTE, *arguments):
        """Run the check; return its exit code and its one line."""
        code = self.check.main(service, list(arguments), self._find)
        self.stdout.flush()
        self.stderr.flush()
        lines = []
        for stream in self.stdout, self.stderr:
            stream.seek(0)
            lines.append(stream.read().splitlines())
        self.assertEqual([1, 0] if code == 0 else [0, 1],
                         list(map(len, lines)))
        return code, sum(lines, [])[0]

    @staticmethod
    def _find(name):
        if name == 'nova-broken':
            raise SystemExit('nova-image-run: service nova-broken cannot be '
                             'loaded')
        return CheckTest if name == _COMPUTE else None

    def _fails(self, *words, **kwargs):
        code, line = self._run(kwargs.get('service', _COMPUTE))
        self.assertEqual(1, code)
        self.assertTrue(line.startswith('nova-image-run: '), line)
        for word in words:
            self.assertIn(word, line)

    def test_a_service_that_runs_with_the_driver(self):
        self._configure()
        code, line = self._run()
        self.assertEqual(0, code)
        self.assertIn('nova-compute runs with the driver Mock', line)

    def test_arguments_are_those_of_the_service(self):
        self._write('')
        other = os.path.join(self.folder, 'other.conf')
        os.rename(self.file, other)
        self._configure()
        os.rename(self.file, other)
        self.assertEqual(0, self._run(_COMPUTE, '--config-file', other)[0])

    @_WITH_DRIVERS
    def test_a_missing_config_source(self):
        self._write('')
        self._fails("Nova's own image code", 'config_source is not set',
                    'Set config_source = nova_image', self.file)

    @_WITH_DRIVERS
    def test_a_missing_section(self):
        self._write('[DEFAULT]\nconfig_source = nova_image\n')
        self._fails('no section', '(nova_image)', 'driver = nova_image')

    @_WITH_DRIVERS
    def test_another_config_source(self):
        self._write('[DEFAULT]\nconfig_source = vault\n'
                    '[vault]\ndriver = another\n')
        self._fails('no section', '(vault)')

    @_WITH_DRIVERS
    def test_a_missing_entry_point(self):
        """The package is not installed, or only half of it."""
        self._configure()
        real = self.check.extension.ExtensionManager

        def without_ours(*args, **kwargs):
            manager = real(*args, **kwargs)
            manager.extensions = [one for one in manager.extensions
                                  if one.name != 'nova_image']
            return manager

        for name in ('stevedore.extension.ExtensionManager',
                     'stevedore.ExtensionManager'):
            self.useFixture(fixtures.MonkeyPatch(name, without_ours))
        self._fails('entry point', 'install the package again')

    def test_a_driver_that_does_not_load(self):
        self._configure()
        self.load.side_effect = ImportError('it is\nbroken')
        self._fails('does not start', 'it is broken')

    def test_a_mistake_in_the_file(self):
        self._write('config_source')
        self._fails('nova-compute would not start', self.file)

    def test_a_missing_file(self):
        os.rename(self.folder, self.folder + 'x')
        self.addCleanup(os.rename, self.folder + 'x', self.folder)
        self._fails('nova-compute would not start', self.file)

    def test_an_oslo_config_without_configuration_drivers(self):
        """Then only nova-image-run starts services with the driver."""
        self._write('')

        def parse(*args, **kwargs):
            self._parse_args(*args, **kwargs)
            self.useFixture(fixtures.MonkeyPatch(
                'oslo_config.cfg.CONF', mock.Mock(
                    spec=['prog', 'config_file'], prog=_COMPUTE)))

        self.nova.modules['nova.config'].parse_args = parse
        code, line = self._run()
        self.assertEqual(0, code)
        self.assertIn('if nova-image-run starts it', line)

    def test_a_service_of_another_python(self):
        self._fails('nova-nothing is not installed', sys.executable,
                    service='nova-nothing')

    def test_a_command_of_another_python(self):
        self._configure()
        command = os.path.join(self.folder, _COMPUTE)
        for first in ('#!/opt/nova/bin/python3\n', 'a binary\n', ''):
            with open(command, 'w') as stream:
                stream.write(first)
            self.stderr.seek(0)
            self.stderr.truncate()
            self._fails('another Python', command, sys.executable,
                        service=command)
        with open(command, 'w') as stream:
            stream.write('#!%s -s\n' % os.path.join(
                os.path.dirname(sys.executable), 'python3'))
        self.stderr.seek(0)
        self.stderr.truncate()
        self.assertEqual(0, self._run(command)[0])

    def test_a_command_of_another_python_on_the_path(self):
        """The package is installed, but not where the service runs."""
        self._configure()
        command = os.path.join(self.folder, _COMPUTE)
        with open(command, 'w') as stream:
            stream.write('#!/opt/nova/bin/python3\n')
        os.chmod(command, 0o700)
        self.useFixture(fixtures.EnvironmentVariable('PATH', os.pathsep.join(
            ['', '/nowhere', self.folder])))
        self._fails('another Python', command, '/opt/nova/bin/python3')

    def test_a_service_that_does_not_load(self):
        self._configure()
        code, line = self._run('nova-broken')
        self.assertEqual((1, 'nova-image-run: service nova-broken cannot be '
                             'loaded'), (code, line))

    def test_a_missing_command(self):
        self._fails('cannot be read', service=os.path.join(
            self.folder, _COMPUTE))

    def test_a_program_without_images(self):
        self._configure()
        self._fails('does not use images', service='nova-scheduler')

    def test_nova_api_under_a_wsgi_server(self):
        """It is not a command, and has its own default files."""
        self._configure()
        elsewhere = os.path.join(self.folder, 'api.conf')
        os.rename(self.file, elsewhere)
        for name in ('nova.api', 'nova.api.openstack',
                     'nova.api.openstack.wsgi_app'):
            self.nova.add(name)
        self.nova.modules['nova.api.openstack.wsgi_app']._get_config_files = (
            lambda: [elsewhere])
        code, line = self._run('nova-api')
        self.assertEqual((0, True), (code, line.startswith('nova-api runs')))
        self.assertIs(self.nova.conf, cfg.CONF)
