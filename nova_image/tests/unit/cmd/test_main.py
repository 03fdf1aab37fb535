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

"""The program as a process: how much it imports, and what it lacks."""

import os
import subprocess
import sys

import six

from nova_image.tests.unit.cmd import case

if six.PY3:
    from importlib import metadata

#: only commands that reach Glance may import these
_HEAVY = ('glanceclient', 'keystoneauth1', 'openstack', 'oslo_config',
          'requests', 'tqdm')
_RUN = """
from nova_image.cmd import main
import sys
try:
    code = main.main(%r)
except SystemExit as end:
    code = end.code
sys.stderr.write(' '.join(sys.modules))
sys.exit(code)
"""


class TestMain(case.TestCase):
    """nova_image.cmd.main"""

    def _run(self, *argv, **env):
        done = subprocess.run(
            [sys.executable, '-c', _RUN % (list(argv),)], timeout=60,
            env=dict(os.environ, **env), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, universal_newlines=True)
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout, set(done.stderr.split())

    def test_version_imports_almost_nothing(self):
        out, modules = self._run('--version')
        self.assertEqual('nova-image %s\n' % metadata.version('nova_image'),
                         out)
        ours = {name for name in modules if name.startswith('nova_image')}
        self.assertEqual({
            'nova_image', 'nova_image.cmd', 'nova_image.cmd.codes',
            'nova_image.cmd.main', 'nova_image.cmd.release',
            'nova_image.cmd.streams'}, ours)
        self.assertEqual(set(), modules & set(
            ('argparse', 'cliff', 'logging', 'pbr', 'stevedore') + _HEAVY))

    def test_help_imports_no_client_library(self):
        for argv in (['--help'], ['list', '--help'], ['help', 'save']):
            out, modules = self._run(*argv)
            self.assertIn('usage: nova-image', out)
            self.assertEqual(set(), modules & set(_HEAVY))

    def test_missing_package(self):
        code = ('import sys; sys.modules["cliff"] = None\n'
                'from nova_image.cmd import main\n'
                'sys.exit(main.main(["list"]))')
        done = subprocess.run([sys.executable, '-c', code], timeout=60,
                              stderr=subprocess.PIPE,
                              universal_newlines=True)
        self.assertEqual(1, done.returncode)
        self.assertEqual(
            "nova-image: cliff is not installed. Install the command line "
            "with: pip install 'nova_image[cli]'\n", done.stderr)
