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

"""The script that installs the plugin in dom0."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import fixtures as lib_fixtures
import testtools

from nova_image.tests import fixtures
from nova_image.tests.fixtures import dom0

_NAMES = ['nova_image_glance', 'nova_image_glance.py']


class InstallTest(testtools.TestCase):
    """install.sh, in a folder that takes the place of xapi's."""

    def setUp(self) -> None:
        """Make folders for xapi's plugins and for what was unpacked."""
        super().setUp()
        folder = pathlib.Path(self.useFixture(lib_fixtures.TempDir()).path)
        self.source, self.plugins = folder / 'new', folder / 'plugins'
        self.bin = folder / 'bin'
        for one in (self.source, self.plugins, self.bin):
            one.mkdir()
        for name in ('nova_image_glance.py', 'install.sh'):
            shutil.copy(dom0.PLUGIN.parent / name, self.source)
        self.program('vhd-util', '#!/bin/sh\n')
        self.python = sys.executable

    def program(self, name: str, text: str) -> None:
        """Make a program of dom0."""
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def set_version(self, folder: pathlib.Path, version: str) -> None:
        """Change the version of a plugin."""
        path = folder / 'nova_image_glance.py'
        path.write_text(re.sub("(?m)^VERSION = '.*'$",
                               "VERSION = '%s'" % version, path.read_text()))

    def run_script(self, *args: str, status: int = 0) -> str:
        """Run the script, check its exit code, and return its output."""
        done = subprocess.run(
            ['sh', self.source / 'install.sh', '--plugins', self.plugins,
             *(['--python', self.python] if self.python else []), *args],
            text=True, check=False, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=dict(os.environ, PATH=(
                '%s:/usr/bin:/bin' % self.bin)))
        self.assertEqual(status, done.returncode, done.stdout)
        return done.stdout

    def installed(self) -> list[str]:
        """Return the names of the installed files."""
        return sorted(one.name for one in self.plugins.iterdir())

    def test_install(self) -> None:
        (self.plugins / 'glance.py').write_text('stock')
        said = self.run_script()
        self.assertIn('Installed version 1.0', said)
        self.assertNotIn('certificates', said)
        self.assertEqual(['glance.py', *_NAMES], self.installed())
        for name in _NAMES:
            path = self.plugins / name
            self.assertEqual(0o755, path.stat().st_mode & 0o7777)
            first, _, rest = path.read_text().partition('\n')
            self.assertEqual('#!' + self.python, first)
            self.assertEqual(dom0.PLUGIN.read_text().partition('\n')[2], rest)
            self.assertEqual('1.0\n', subprocess.run(
                [path, '--version'], capture_output=True, text=True,
                check=True).stdout)
        self.assertIn('1.0 is installed', self.run_script('--check'))

    def test_plugin_works_where_it_was_installed(self) -> None:
        self.run_script()
        where = self.useFixture(dom0.Dom0(
            plugin=self.plugins / 'nova_image_glance'))
        self.assertEqual('1.0', where.call('get_version'))

    def test_python27(self) -> None:
        python = fixtures.find_python27()
        if python is None:
            self.skipTest('there is no Python 2.7')
        self.python = python
        self.assertIn('Installed version 1.0', self.run_script())

    def test_finds_python(self) -> None:
        """It is named python, python2 or python3."""
        self.python = ''
        for name in ('python3', 'python2', 'python'):
            self.program(name, '#!/bin/sh\nexec %s "$@"\n' % sys.executable)
            self.run_script()
            self.assertEqual(
                '#!%s' % (self.bin / name),
                (self.plugins / _NAMES[0]).read_text().partition('\n')[0])

    def test_old_python(self) -> None:
        self.program('old', '#!/bin/sh\n[ "$1" != -c ] || exit 1\n'
                     'exec %s "$@"\n' % sys.executable)
        self.python = str(self.bin / 'old')
        self.assertIn('cannot verify certificates', self.run_script())

    def test_python_that_cannot_run_it(self) -> None:
        self.program('older', '#!/bin/sh\nexit 1\n')
        self.python = str(self.bin / 'older')
        self.assertIn('cannot run the plugin', self.run_script(status=1))
        self.assertEqual([], self.installed())

    def test_versions(self) -> None:
        self.run_script()
        self.set_version(self.source, '1.10')
        self.assertIn('1.0 is installed',
                      self.run_script('--check', status=1))
        self.assertIn('1.10 in %s, instead of 1.0' % self.plugins,
                      self.run_script())
        self.set_version(self.source, '1.9')
        self.assertIn('1.10 is installed, which is newer than 1.9',
                      self.run_script(status=1))
        self.assertIn('1.9 in', self.run_script('--force'))

    def test_broken_plugin_is_replaced(self) -> None:
        (self.plugins / 'nova_image_glance.py').write_text('(')
        self.assertIn('instead of unknown', self.run_script())

    def test_uninstall(self) -> None:
        (self.plugins / 'glance.py').write_text('stock')
        self.run_script()
        self.run_script('--uninstall')
        self.assertEqual(['glance.py'], self.installed())
        self.assertIn('not installed', self.run_script('--check', status=1))
        self.run_script('--uninstall')

    def test_missing_program(self) -> None:
        (self.bin / 'vhd-util').unlink()
        self.assertIn('no vhd-util', self.run_script(status=1))
        self.assertEqual([], self.installed())

    def test_not_a_dom0(self) -> None:
        self.plugins.rmdir()
        self.assertIn('is this a dom0?', self.run_script(status=1))

    def test_arguments(self) -> None:
        self.assertIn('Usage', self.run_script('--help'))
        self.assertIn('unknown argument', self.run_script('-x', status=2))
        self.assertIn('requires a value', self.run_script('--python',
                                                          status=2))
