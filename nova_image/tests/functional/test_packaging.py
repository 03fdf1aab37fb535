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

"""Source distributions and wheels: their contents, and that they work.

They are built from a copy of the tree and installed into virtualenvs of their
own.
"""

import configparser
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import zipfile

import fixtures as lib_fixtures
import testtools

from nova_image.tests.fixtures import legacy
from nova_image.tests.fixtures import processes
from nova_image.tests.fixtures import virtualenvs

_ROOT = pathlib.Path(__file__).resolve().parents[3]
_NOT_COPIED = shutil.ignore_patterns(
    '.cache', '.hypothesis', '.stestr', '.tox', '.venv', '*.egg-info',
    '__pycache__', 'build', 'dist')
_MAN_PAGES = ['share/man/man1/%s.1' % name
              for name in ('nova-image', 'nova-image-replicator',
                           'nova-image-run', 'nova-image-status')]
_NAMES = '''
from stevedore import extension
from nova_image import version
drivers = extension.ExtensionManager('nova_image.image.drivers')
print('%s %s' % (version.version_string(), sorted(
    '%s:%s' % (one.plugin.__module__, one.plugin.__name__)
    for one in drivers)))
'''


def _run(*argv: str | pathlib.Path, cwd: pathlib.Path) -> str:
    """Run a command and return its output."""
    done = subprocess.run(
        argv, cwd=cwd, env=processes.clean_environment(proxies=True),
        check=False, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise AssertionError('%s: %s%s' % (argv, done.stdout, done.stderr))
    return done.stdout.strip()


def _blocks(page: pathlib.Path, language: str) -> list[str]:
    """Return the code blocks of a document, in one language."""
    blocks = re.findall(r'^\.\. code-block:: %s\n\n((?:   .*\n|\n)+)'
                        % language, page.read_text(), re.MULTILINE)
    return [textwrap.dedent(block) for block in blocks]


def _wheel(source: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """Build a wheel from a clone or a source distribution."""
    _run(sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps', '-w',
         folder, source, cwd=source.parent)
    wheel, = folder.glob('*.whl')
    return wheel


def _contents(wheel: pathlib.Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        # pbr notes the commit, if it builds from a clone.
        return {name for name in archive.namelist()
                if not name.endswith('/pbr.json')}


class PackagingTest(testtools.TestCase):
    """What "pip install" gets from a clone, and from releases."""

    folder: pathlib.Path
    source: pathlib.Path
    wheel: pathlib.Path

    @classmethod
    def setUpClass(cls) -> None:
        """Build the source distribution, and the wheel from it."""
        super().setUpClass()
        cls.folder = pathlib.Path(tempfile.mkdtemp()).resolve()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        clone = cls.folder / 'clone'
        shutil.copytree(_ROOT, clone, ignore=_NOT_COPIED, symlinks=True)
        _run(sys.executable, 'setup.py', '-q', 'sdist', '-d', cls.folder,
             cwd=clone)
        cls.source, = cls.folder.glob('*.tar.gz')
        cls.wheel = _wheel(cls.source, cls.folder / 'from-source')

    def setUp(self) -> None:
        """Give the test an empty folder, and virtualenvs of its own."""
        super().setUp()
        self.empty = pathlib.Path(
            self.useFixture(lib_fixtures.TempDir()).path)
        self.useFixture(lib_fixtures.EnvironmentVariable(
            'NOVA_IMAGE_CACHE', str(self.folder / 'cache')))
        self.version = self.wheel.name.split('-')[1]

    def _names(self) -> str:
        """Return the version, and the drivers that setup.cfg names."""
        config = configparser.ConfigParser()
        config.read(_ROOT / 'setup.cfg')
        lines = config['entry_points']['nova_image.image.drivers']
        return '%s %s' % (self.version, sorted(
            line.split()[-1] for line in lines.splitlines() if line))

    def test_clone_and_source_distribution_make_the_same_wheel(self) -> None:
        wheel = _wheel(self.folder / 'clone', self.folder / 'from-clone')
        self.assertEqual(self.wheel.name, wheel.name)
        self.assertEqual(_contents(self.wheel), _contents(wheel))
        self.assertTrue(wheel.name.endswith('-py2.py3-none-any.whl'))
        self.assertIn('-%s.tar.gz' % self.version, self.source.name)

    def test_source_distribution_has_all_tests(self) -> None:
        with tarfile.open(self.source) as archive:
            names = {name.partition('/')[2] for name in archive.getnames()}
        for name in ('nova_image/tests/unit/recordings/v2_glance33.json',
                     'nova_image/tests/gate/base.py',
                     'doc/man/nova-image.1', 'doc/man/nova-image-run.1',
                     'doc/man/nova-image-replicator.1', 'setup_commands.py',
                     'nova_image/virt/xenapi/dom0/nova_image_glance.py',
                     'nova_image/virt/xenapi/dom0/install.sh'):
            self.assertIn(name, names)

    def test_wheel_has_the_man_page_and_few_tests(self) -> None:
        names = _contents(self.wheel)
        for page in _MAN_PAGES:
            self.assertIn('nova_image-%s.data/data/%s' % (
                self.version, page), names)
        self.assertIn('nova_image/tests/functional/conformance.py', names)
        self.assertIn('nova_image/tests/fixtures/inside/launcher.py', names)
        for name in ('nova_image_glance.py', 'install.sh'):
            self.assertIn('nova_image/virt/xenapi/dom0/' + name, names)
        self.assertEqual(set(), {name for name in names if name.startswith((
            'nova_image/tests/unit', 'nova_image/tests/gate',
            'nova_image/tests/legacy', 'nova_image/tests/functional/test_',
            'tools', 'setup_commands'))})

    def test_wheel_works_on_this_python(self) -> None:
        venv = self.useFixture(virtualenvs.Virtualenv(
            'wheel', ['%s[cli,conformance]' % self.wheel]))
        python = venv.bin / 'python'
        for page in _MAN_PAGES:
            self.assertTrue((venv.path / page).exists(), page)
        self.assertEqual(self._names(),
                         _run(python, '-c', _NAMES, cwd=self.empty))
        self.assertEqual(
            'nova-image %s' % self.version,
            _run(venv.bin / 'nova-image', '--version', cwd=self.empty))
        self.assertEqual('nova-image-replicator %s' % self.version, _run(
            venv.bin / 'nova-image-replicator', '--version', cwd=self.empty))
        shown = _run(sys.executable, '-m', 'pip', '--python', python, 'show',
                     'nova_image', cwd=self.empty)
        self.assertIn('\nVersion: %s\n' % self.version, shown)
        _run(python, '-c', 'from nova_image.tests.functional import '
             'conformance; conformance.DriverConformance', cwd=self.empty)
        self.assertEqual([], os.listdir(self.empty))

    def test_requirements_of_a_wheel_keep_their_markers(self) -> None:
        with zipfile.ZipFile(self.wheel) as archive:
            name, = (one for one in archive.namelist()
                     if one.endswith('.dist-info/METADATA'))
            lines = archive.read(name).decode().splitlines()
        found = [line for line in lines
                 if line.startswith('Requires-Dist: oslo.config')]
        self.assertEqual(3, len(found))
        for line in found:
            self.assertIn('; python_version ', line)

    def test_wheel_works_on_python_27(self) -> None:
        limits = (_ROOT / 'test-constraints-py27.txt').read_text()
        venv = self.useFixture(virtualenvs.Virtualenv(
            'wheel', [str(self.wheel)], legacy.require_python27(),
            [line for line in limits.splitlines() if line[:1].isalpha()]))
        self.assertEqual(
            self._names(),
            _run(venv.bin / 'python', '-c', _NAMES, cwd=self.empty))
        self.assertIn('nova-image-run SERVICE', _run(
            venv.bin / 'nova-image-run', '--help', cwd=self.empty))

    def test_steps_for_authors_of_drivers_work(self) -> None:
        page = _ROOT / 'doc/source/contributor/adding-a-driver.rst'
        first, second = (
            re.sub(r'^\$ ', '', block, flags=re.MULTILINE).strip()
            for block in _blocks(page, 'console'))
        project, *_ = _blocks(page, 'toml')
        driver, test, *_ = _blocks(page, 'python')
        script = self.empty / 'script'
        script.write_text('\n'.join((
            'set -eu', 'export PIP_FIND_LINKS=%s' % self.wheel.parent,
            'PATH=%s:$PATH' % os.path.dirname(sys.executable), first,
            *("cat >%s <<'END'\n%sEND" % item for item in (
                ('pyproject.toml', project),
                ('my_package/images.py', driver),
                ('my_package/tests/test_conformance.py', test))),
            # Both drivers run the tests themselves.
            second + ' --list')))
        listed = _run('bash', script, cwd=self.empty)
        self.assertIn('my_package.tests.test_conformance.MyDriverTest.test_',
                      listed)
