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

import mock
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


class TestCommands(case.TestCase):
    """The list of the commands."""

    def test_other_packages(self):
        """Commands of others are imported, and absent if that fails."""
        from nova_image.cmd import shell
        from stevedore import extension
        points = [metadata.EntryPoint(name, value, 'some.cli')
                  for name, value in (
                      ('ours', 'nova_image.cmd.absent:Ours'),
                      ('their_own', 'json:loads'),
                      ('their_broken', 'no_such_module:Broken'))]
        cached = extension.ExtensionManager.ENTRY_POINT_CACHE
        with mock.patch.dict(cached, {'some.cli': points}):
            commands = dict(shell._Commands('some.cli'))
        self.assertEqual({'ours': points[0], 'their own': points[1]},
                         commands)


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

    def test_only_the_command_that_runs_is_imported(self):
        _, modules = self._run('list', '--help')
        self.assertIn('nova_image.cmd.listing', modules)
        self.assertEqual(set(), modules & {
            'nova_image.cmd.changing', 'nova_image.cmd.importing',
            'nova_image.cmd.members'})

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
