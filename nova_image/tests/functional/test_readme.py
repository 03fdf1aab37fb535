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


"""The README: its steps for Nova, run from the page, and what it names.

test_cli_terminal runs its example of the command line, test_readme_v1 its
move from the Images API v1 to v2.
"""

import collections.abc
import configparser
import os
import pathlib
import re
import shutil
import subprocess
import sys

import fixtures as lib_fixtures
import testtools

from nova_image.tests.fixtures import nova_virtualenv
from nova_image.tests.fixtures import processes
from tools import check_package

_ROOT = pathlib.Path(__file__).resolve().parents[3]
_README = _ROOT / 'README.rst'
_TIMEOUT = 600  # seconds; a package index may be slow
_OURS = re.compile('nova_image|__editable__|distutils-precedence|pip(-|$)')
_GIT = '''#!/bin/sh
[ "$1" != clone ] || exec %s clone -q %s nova-image
exec %s "$@"
'''
_LOADED = '''
from importlib import metadata
for group in ('nova_image.image.drivers', 'nova_image.image.download',
              'oslo.config.driver', 'oslo.config.opts'):
    for point in metadata.entry_points(group=group):
        if point.value.startswith('nova_image.'):
            point.load()
            print(group, point.name)
'''
_PLAIN_NOVA = '''
import importlib.util
import nova.conf
nova.conf.CONF([], project='nova')
print(nova.conf.CONF.config_source, importlib.util.find_spec('nova_image'))
'''


def section(title: str) -> str:
    """Return the text of a section of the README."""
    text = _README.read_text().partition('\n%s\n===' % title)[2]
    return re.split(r'\n\n.+\n={5,}\n', text)[0]


def blocks(title: str, language: str) -> list[str]:
    """Return the code blocks of a section, in one language."""
    found = re.findall(r'^\.\. code-block:: %s\n\n((?:    .*\n|\n)+)'
                       % language, section(title) + '\n', re.MULTILINE)
    return [re.sub('^    ', '', block, flags=re.MULTILINE).strip() + '\n'
            for block in found]


def examples(title: str) -> collections.abc.Iterator[tuple[str, str]]:
    """Yield the commands of a section, each with its output."""
    for block in blocks(title, 'console'):
        for example in re.split(r'^\$ ', block, flags=re.MULTILINE)[1:]:
            command, _, output = example.partition('\n')
            yield command, output


class _Nova(nova_virtualenv.NovaVirtualenv):
    """The virtualenv of Nova 34, as it is."""

    def _complete(self, log: pathlib.Path) -> None:
        """Leave the nova_image in it to the tests that use it."""


class NovaTest(testtools.TestCase):
    """Installing, enabling and undoing, in a virtualenv with Nova 34."""

    def setUp(self) -> None:
        """Make the virtualenv, and a clone for git."""
        super().setUp()
        self.folder = pathlib.Path(
            self.useFixture(lib_fixtures.TempDir()).path).resolve()
        self.nova = self.folder / 'opt/nova'
        self.python = self.nova / 'bin/python'
        self._make_nova(self.useFixture(_Nova(
            'nova34', nova_virtualenv.NOVA)))
        origin = self.folder / 'origin'
        check_package.copy(origin)
        (self.folder / 'bin').mkdir()
        git = shutil.which('git')
        self._script('bin/git', _GIT % (git, origin, git))
        self.config = self.folder / '.nova/nova.conf'
        self.config.parent.mkdir()
        self.environment = processes.clean_environment({
            'HOME': str(self.folder), 'PBR_VERSION': check_package.VERSION,
            'PATH': '%s:%s' % (self.folder / 'bin', os.environ['PATH'])},
            proxies=True)

    def _make_nova(self, source: nova_virtualenv.NovaVirtualenv) -> None:
        """Make a virtualenv with pip and the packages of another one."""
        subprocess.run([sys.executable, '-m', 'venv', self.nova], check=True,
                       env=processes.clean_environment())
        folder = self.nova / source.packages.relative_to(source.path)
        for package in source.packages.iterdir():
            link = folder / package.name
            if not _OURS.match(package.name) and not link.exists():
                link.symlink_to(package)
        program = (source.bin / 'nova-compute').read_text()
        self._script('opt/nova/bin/nova-compute', '#!%s\n%s' % (
            self.python, program.partition('\n')[2]))

    def _script(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)

    def run_it(self, *argv: str | pathlib.Path, code: int = 0) -> str:
        """Run a command, and return its output."""
        done = subprocess.run(
            argv, cwd=self.folder, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=_TIMEOUT, check=False)
        self.assertEqual(code, done.returncode, done.stdout)
        return done.stdout

    def shell(self, command: str, code: int = 0) -> str:
        """Run a command of the README, and return its output."""
        return self.run_it('bash', '-c', command.replace(
            '/opt/nova', str(self.nova)), code=code)

    def configure(self, text: str) -> None:
        """Write nova.conf, with what Nova needs besides."""
        self.config.write_text(text.replace(
            '[DEFAULT]\n', '[DEFAULT]\ntransport_url = fake:///\n'))

    def test_install_enable_and_undo(self) -> None:
        for command, _ in examples('Installing'):
            self.shell(command)
        loaded = self.run_it(self.python, '-c', _LOADED).splitlines()
        for line in ('nova_image.image.drivers v2',
                     'nova_image.image.download rbd',
                     'oslo.config.driver nova_image',
                     'oslo.config.opts nova_image'):
            self.assertIn(line, loaded)
        title = 'Enabling it in Nova, and undoing it'
        (check, output), (uninstall, _) = examples(title)
        enabled, = blocks(title, 'ini')
        self.configure(enabled)
        self.assertEqual(output, self.shell(check))
        self.configure('[DEFAULT]\n')
        self.assertIn("with Nova's own image code", self.shell(check, 1))
        self.shell(uninstall)
        self.assertEqual('[] None\n',
                         self.run_it(self.python, '-c', _PLAIN_NOVA))


class NamesTest(testtools.TestCase):
    """Everything that the README names exists."""

    def setUp(self) -> None:
        """Read the README."""
        super().setUp()
        self.text = _README.read_text()
        self.words = set(re.findall(r'``([^`]+)``', self.text))

    def test_files(self) -> None:
        names = {word.removeprefix('./').partition(' ')[0]
                 for word in self.words
                 if re.match(r'(\./)?[\w/-]+(\.rst|\.sh|\.cfg|/)( |$)', word)}
        self.assertGreater(len(names), 10)
        for name in names:
            self.assertTrue((_ROOT / name).exists(), name)

    def test_extras(self) -> None:
        config = configparser.ConfigParser()
        config.read(_ROOT / 'setup.cfg')
        names = set(re.findall(r"nova[-_]image\[(\w+)\]", self.text))
        self.assertNotEqual(set(), names)
        self.assertEqual(set(), names - {*config['extras']})

    def test_length(self) -> None:
        """A newcomer reads it to the end."""
        self.assertLessEqual(len(self.text.splitlines()), 200)

    def test_first_page(self) -> None:
        """The two commands come first."""
        head = self.text.partition('\nInstalling\n')[0]
        for command in ('./run_demo.sh', './run_tests.sh'):
            self.assertIn('``%s`` ' % command, head)
