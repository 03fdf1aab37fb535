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

"""The command line on the oldest and on the newest Python 3."""

import pathlib
import sys

from nova_image.tests import fixtures
from nova_image.tests.fixtures import virtualenvs
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import servers

_ROOT = pathlib.Path(__file__).resolve().parents[3]
_DATA = b'data of an image\n' * 100


class PythonsTest(cli_case.CommandLineTest):
    """nova-image, installed with the extra ``cli``."""

    def _test(self, version: str) -> None:
        python = fixtures.find_python(version)
        if python is None:
            self.skipTest('NO PYTHON %s: the command line is not tested on it.'
                          % version)
        setup = (_ROOT / 'setup.cfg').read_text().splitlines()
        venv = self.useFixture(virtualenvs.Virtualenv(
            'cli', ['--editable=%s[cli]' % _ROOT], python,
            ['# ' + line for line in setup]))
        self.program = (venv.bin / 'nova-image',)
        self.variables = venv.bytecode
        (self.folder / 'data').write_bytes(_DATA)
        cloud = ('--os-endpoint', servers.glance33().url, '--os-auth-type',
                 'none', '--os-user-id', 'a-user', '--os-project-id',
                 self.project)
        self._use(cloud)

    def _use(self, cloud: tuple[str, ...]) -> None:
        """Create an image, and find, save, replicate and complete it."""
        image_id = self.create('an-image', *cloud, *cli_case.RAW, '--file',
                               'data')
        self.assertIn('an-image', self.run_it('list', *cloud).out)
        self.assertEqual('active', self.json('show', *cloud, image_id)[
            'status'])
        self.run_it('save', *cloud, '--file', 'saved', image_id)
        self.assertEqual(_DATA, (self.folder / 'saved').read_bytes())
        self.run_it('delete', *cloud, image_id)
        self.assertIn('--from', self.run_it('replicate', '--help').out)
        self.assertIn('nova_image', self.run_it('complete').out)

    def test_oldest(self) -> None:
        self._test('3.9')

    def test_newest(self) -> None:
        newest = '3.13'
        if newest == '%d.%d' % sys.version_info[:2]:
            self.skipTest('The other tests run the command line on it.')
        self._test(newest)
