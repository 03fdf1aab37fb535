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

"""``nova-image-run --check`` reports what the services of Nova would do."""

import pathlib
import re
import shutil
import subprocess
import sys

import fixtures as testing_fixtures
import testtools

from nova_image.tests.fixtures import nova_virtualenv
from nova_image.tests.fixtures import paths
from nova_image.tests.fixtures import processes
from nova_image.tests.gate import plugin

_PAGE = (pathlib.Path(__file__).resolve().parents[3] /
         'doc/source/configuration/index.rst')
_TIMEOUT = 60
_ENABLED = 'runs with the driver GlanceImageServiceV2'
_STOCK = "would run with Nova's own image code"


class CheckTest(testtools.TestCase):
    """The check of each service, with several configurations."""

    def setUp(self) -> None:
        """Use the folder of a configuration that enables nova_image."""
        super().setUp()
        self.folder = pathlib.Path(
            self.useFixture(testing_fixtures.TempDir()).path)
        virtualenv = self.useFixture(nova_virtualenv.nova())
        self.bin = virtualenv.bin
        shutil.copy(virtualenv.path / 'etc/nova/api-paste.ini', self.folder)
        self.config = self.folder / 'nova.conf'
        self._write(enabled=True)

    def _write(self, enabled: bool, **glance: str) -> None:
        paths.write_config(self.config, paths.merge(
            {'DEFAULT': {'transport_url': 'fake:///'}, 'glance': glance},
            plugin.OPTIONS if enabled else {}))

    def _check(self, service: str, *arguments: str) -> tuple[int, str]:
        """Run the check; return its exit code and its only line."""
        ended = subprocess.run(
            [str(self.bin / 'nova-image-run'), '--check', service,
             *arguments], cwd=self.folder, env=processes.clean_environment({
                 'PYTHONDONTWRITEBYTECODE': '1',
                 'OS_NOVA_CONFIG_DIR': str(self.folder)}),
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=_TIMEOUT)
        line, = (ended.stdout + ended.stderr).splitlines()
        self.assertEqual(ended.returncode == 0, bool(ended.stdout), line)
        return ended.returncode, line

    def _check_daemon(self, service: str) -> tuple[int, str]:
        return self._check(service, '--config-file', str(self.config))

    def test_enabled_services(self) -> None:
        for code, line in (self._check_daemon('nova-compute'),
                           self._check_daemon('nova-conductor'),
                           self._check_daemon(str(self.bin / 'nova-compute')),
                           self._check('nova-api')):
            self.assertEqual(0, code, line)
            self.assertIn(_ENABLED, line)

    def test_services_that_are_not_enabled(self) -> None:
        self._write(enabled=False)
        for code, line in (self._check_daemon('nova-compute'),
                           self._check('nova-api')):
            self.assertEqual(1, code, line)
            self.assertIn(_STOCK, line)
            self.assertIn('config_source', line)

    def test_mistake_in_the_configuration(self) -> None:
        self._write(enabled=True, use_glance_v1='maybe')
        code, line = self._check_daemon('nova-compute')
        self.assertEqual(1, code, line)
        self.assertIn('the service does not start', line)

    def test_server_that_cannot_be_asked(self) -> None:
        self._write(enabled=True, api_servers='http://127.0.0.1:99999')
        for service in 'nova-compute', 'nova-conductor':
            code, line = self._check_daemon(service)
            self.assertEqual(1, code, line)
            self.assertIn('[glance] api_servers: the port is not', line)

    def test_service_in_a_python_without_the_package(self) -> None:
        service = self.folder / 'nova-compute'
        service.write_text('#!%s\n' % sys.executable)
        code, line = self._check_daemon(str(service))
        self.assertEqual(1, code, line)
        self.assertIn('install nova_image there', line)

    def test_program_without_images(self) -> None:
        code, line = self._check_daemon('nova-scheduler')
        self.assertEqual(1, code, line)
        self.assertIn('does not use images', line)

    def _validate(self) -> str:
        """Run oslo-config-validator as documented; return its errors."""
        namespaces = re.findall(r'--namespace [\w.]+', _PAGE.read_text())
        ended = subprocess.run(
            [str(self.bin / 'oslo-config-validator'), '--input-file',
             str(self.config), *' '.join(namespaces).split()],
            cwd=self.folder, env=processes.clean_environment({
                'PYTHONDONTWRITEBYTECODE': '1'}),
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=_TIMEOUT)
        errors = [line for line in ended.stderr.splitlines()
                  if line.startswith('ERROR')]
        self.assertEqual(bool(errors), bool(ended.returncode), ended.stderr)
        return '\n'.join(errors)

    def test_validator(self) -> None:
        """It knows all options, those of Nova and those of nova_image."""
        self._write(enabled=True, api_servers='http://127.0.0.1:9292',
                    auth_type='password', username='nova', debug='true')
        self.assertEqual('', self._validate())
        self._write(enabled=True, api_server='http://127.0.0.1:9292')
        self.assertIn('glance/api_server is not part', self._validate())
