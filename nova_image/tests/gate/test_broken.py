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

"""Services of Nova do not start if nova_image cannot serve their images."""

import os
import pathlib
import shutil
import subprocess
import textwrap

import fixtures as testing_fixtures
import testtools

from nova_image.tests.fixtures import nova_virtualenv
from nova_image.tests.fixtures import paths
from nova_image.tests.fixtures import processes
from nova_image.tests.gate import plugin

_TIMEOUT = 60
_MODULE = 'nova_image.image.client'
# Python imports the module sitecustomize, which has this code, first.
_SABOTAGE = textwrap.dedent('''
    import sys


    class Finder(object):
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == %r:
                raise ImportError('it is broken')


    sys.meta_path.insert(0, Finder)
''' % _MODULE)


class BrokenPluginTest(testtools.TestCase):
    """A module of nova_image cannot be imported."""

    def setUp(self) -> None:
        """Write a configuration, and code that breaks the import."""
        super().setUp()
        self.folder = pathlib.Path(
            self.useFixture(testing_fixtures.TempDir()).path)
        virtualenv = self.useFixture(nova_virtualenv.nova())
        self.bin = virtualenv.bin
        shutil.copy(virtualenv.path / 'etc/nova/api-paste.ini', self.folder)
        (self.folder / 'sitecustomize.py').write_text(_SABOTAGE)
        database = {'connection': 'sqlite://'}
        paths.write_config(self.folder / 'nova.conf', paths.merge({
            'DEFAULT': {'transport_url': 'fake:///',
                        'state_path': str(self.folder)},
            'database': database, 'api_database': database}, plugin.OPTIONS))

    def _run(self, *argv: str) -> tuple[int, list[str]]:
        """Run a program to its end; return its exit code and output."""
        env = processes.clean_environment({
            'PYTHONPATH': str(self.folder), 'PYTHONDONTWRITEBYTECODE': '1',
            'OS_NOVA_CONFIG_DIR': str(self.folder)})
        ended = subprocess.run(
            [str(self.bin / argv[0]), *argv[1:]], cwd=self.folder, env=env,
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=_TIMEOUT)
        output = (ended.stdout + ended.stderr).strip().splitlines()
        self.assertNotIn('Traceback (most recent call last):', output)
        return ended.returncode, output

    def _check(self, *argv: str) -> None:
        """Check that a service ends, with one line that gives the reason."""
        code, output = self._run(*argv)
        self.assertNotEqual(0, code, output)
        self.assertEqual(1, sum(
            line.startswith('nova_image cannot serve the images of this '
                            'service') for line in output), output)
        self.assertIn('it is broken', output[-1])

    def _check_manage(self, reason: str) -> None:
        """Check that nova-manage works, with one line that warns."""
        config = self.folder / 'nova.conf'
        config.write_text(config.read_text().replace(
            'sqlite://', 'sqlite:///%s/manage.sqlite' % self.folder))
        code, output = self._run('nova-manage', '--config-file', str(config),
                                 'db', 'sync', '--local_cell')
        self.assertEqual(0, code, output)
        self.assertTrue((self.folder / 'manage.sqlite').stat().st_size)
        warning, = [line for line in output if 'nova_image' in line]
        self.assertIn('nova-manage uses none and continues', warning)
        self.assertIn(reason, warning)

    def _check_daemon(self, program: str) -> None:
        self._check(program, '--config-file',
                    os.path.join(self.folder, 'nova.conf'))

    def test_nova_conductor_does_not_start(self) -> None:
        self._check_daemon('nova-conductor')

    def test_nova_compute_does_not_start(self) -> None:
        self._check_daemon('nova-compute')

    def test_nova_manage_works(self) -> None:
        """It does not use images."""
        self._check_manage('it is broken')

    def test_nova_manage_works_with_a_mistake_in_glance(self) -> None:
        (self.folder / 'sitecustomize.py').unlink()
        with open(self.folder / 'nova.conf', 'a') as config:
            config.write('[glance]\nuse_glance_v1 = maybe\n')
        self._check_manage('maybe')

    def test_nova_api_does_not_load(self) -> None:
        """This holds for any WSGI server."""
        self._check('python', '-c', 'import nova.wsgi.osapi_compute')
