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

"""A driver that cannot be loaded prevents Nova from starting.

Nova must not start with its own image code instead.
"""

import pathlib
import subprocess

import fixtures as fixture_library
import testtools

from nova_image.tests.fixtures import legacy
from nova_image.tests.fixtures import nova_daemon
from nova_image.tests.fixtures import nova_virtualenv
from nova_image.tests.fixtures import processes

_BREAKS = '''\
import sys
sys.modules['nova_image.image.glance_v2'] = None
'''
_ENTRY_POINT = '[nova_image.image.drivers]\nv2 = elsewhere:Driver\n'


class LauncherTest(testtools.TestCase):
    """``nova-image-run nova-compute`` with a broken driver."""

    def setUp(self) -> None:
        """Create a folder that Python searches first."""
        super().setUp()
        self.virtualenv = self.useFixture(nova_virtualenv.legacy_nova(
            legacy.require_python27()))
        self.folder = pathlib.Path(self.useFixture(
            fixture_library.TempDir()).path)

    def _start(self, *command: str) -> 'subprocess.CompletedProcess[str]':
        config = self.folder / 'nova.conf'
        nova_daemon.write_nova_conf(config, {'DEFAULT': {
            'transport_url': 'fake:///', 'compute_driver': 'fake.FakeDriver'}})
        return subprocess.run(
            [self.virtualenv.bin / 'nova-image-run', *command,
             '--config-file', config], capture_output=True, text=True,
            timeout=120, check=False, env=processes.clean_environment({
                'PYTHONPATH': str(self.folder),
                'PYTHONDONTWRITEBYTECODE': '1',
                # Libraries print warnings about Python 2.7.
                'PYTHONWARNINGS': 'ignore'}))

    def _check(self, *words: str) -> None:
        for program in 'nova-compute', 'nova-api':
            ended = self._start(program)
            self.assertEqual(1, ended.returncode, ended.stderr)
            output = ended.stdout + ended.stderr
            self.assertEqual(1, output.count('\n'), output)
            for word in ('nova_image cannot serve the images', *words):
                self.assertIn(word, output)

    def test_driver_that_cannot_be_imported(self) -> None:
        (self.folder / 'sitecustomize.py').write_text(_BREAKS)
        self._check('DriverLoadError', 'glance_v2', 'ImportError')

    def test_two_drivers_with_one_name(self) -> None:
        """Another package has a driver with the same name."""
        other = self.folder / 'other-1.egg-info'
        other.mkdir()
        (other / 'PKG-INFO').write_text('Name: other\nVersion: 1\n')
        (other / 'entry_points.txt').write_text(_ENTRY_POINT)
        self._check('DriverLoadError', 'v2')

    def test_unknown_service(self) -> None:
        ended = self._start('nova-nothing')
        self.assertEqual(
            (1, 'nova-image-run: service nova-nothing is not installed in '
                'this Python.\n'),
            (ended.returncode, ended.stdout + ended.stderr))
