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

"""nova_image in services of Nova that it cannot serve: they do not start."""

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
# Python imports a module of this name before anything else.
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
    """A module of nova_image's cannot be imported."""

    def setUp(self) -> None:
        """Write a configuration, and the code that breaks the module."""
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

    def _check(self, *argv: str) -> None:
        """Run a service, which is to end with one line that says why."""
        env = processes.clean_environment({
            'PYTHONPATH': str(self.folder), 'PYTHONDONTWRITEBYTECODE': '1',
            'OS_NOVA_CONFIG_DIR': str(self.folder)})
        ended = subprocess.run(
            [str(self.bin / argv[0]), *argv[1:]], cwd=self.folder, env=env,
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=_TIMEOUT)
        said = (ended.stdout + ended.stderr).strip().splitlines()
        self.assertNotEqual(0, ended.returncode, said)
        self.assertNotIn('Traceback (most recent call last):', said)
        self.assertEqual(1, sum(
            line.startswith('nova_image cannot serve the images of this '
                            'service') for line in said), said)
        self.assertIn('it is broken', said[-1])

    def _check_daemon(self, program: str) -> None:
        self._check(program, '--config-file',
                    os.path.join(self.folder, 'nova.conf'))

    def test_conductor(self) -> None:
        """nova-conductor does not start."""
        self._check_daemon('nova-conductor')

    def test_compute(self) -> None:
        """nova-compute does not start."""
        self._check_daemon('nova-compute')

    def test_scheduler(self) -> None:
        """nova-scheduler does not start."""
        self._check_daemon('nova-scheduler')

    def test_api(self) -> None:
        """nova-api does not load, whatever WSGI server it is in."""
        self._check('python', '-c', 'import nova.wsgi.osapi_compute')
