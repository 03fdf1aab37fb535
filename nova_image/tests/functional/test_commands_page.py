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

"""The page of commands names all commands of the other clients.

They are installed by ``./run_benchmarks.sh startup``.
"""

import subprocess

import testtools

from nova_image.tests.fixtures import paths
from nova_image.tests.fixtures import processes
from nova_image.tests.unit.cmd import test_commands_page

_NAMES = """
from importlib import metadata
for group in ('openstack.image.v1', 'openstack.image.v2'):
    for point in metadata.entry_points(group=group):
        print(point.name.replace('_', ' '))
"""


class CommandsPageTest(testtools.TestCase):
    """doc/source/cli/commands.rst"""

    def _output(self, program: str, *argv: str) -> str:
        """Return what a program of the other clients prints."""
        for found in sorted(paths.below('venvs').glob('programs-*/bin')):
            if (found / 'openstack').exists() and (found / 'glance').exists():
                return subprocess.run(
                    [found / program, *argv], check=True, text=True,
                    stdout=subprocess.PIPE,
                    env=processes.clean_environment()).stdout
        return self.skipTest('The other clients are not installed. Run: '
                             './run_benchmarks.sh startup')

    def test_openstack(self) -> None:
        names = set(self._output('python', '-c', _NAMES).splitlines())
        self.assertIn('image save', names)
        self.assertEqual(set(), names - test_commands_page.named(0))

    def test_glance(self) -> None:
        for version in '12':
            names = {name for name in self._output(
                'glance', '--os-image-api-version', version,
                'bash-completion').split() if name[0] != '-'}
            self.assertIn('image-download', names)
            self.assertEqual(set(), names - test_commands_page.named(1))
