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


"""The check of a release finds each kind of mistake, and nothing else."""

import io
import pathlib
import tarfile
import zipfile

import fixtures as lib_fixtures
import testtools

from tools import check_package

_VERSION = '1.2.3'
_INFO = 'nova_image-%s.dist-info/' % _VERSION
_PAGE = 'nova_image-%s.data/data/share/man/man1/nova-image.1' % _VERSION
_CONFIG = '''
[entry_points]
nova_image.image.drivers =
    v2 = nova_image.image.glance_v2:Driver
console_scripts =
    nova-image = nova_image.cmd:main
'''
_ENTRY_POINTS = '''
[console_scripts]
nova-image = nova_image.cmd:main

[nova_image.image.drivers]
v2 = nova_image.image.glance_v2:Driver
'''
#: a tree -> whether its wheel has the file
_TREE = {
    'nova_image/__init__.py': True,
    'nova_image/py.typed': True,
    'nova_image/cmd/__init__.py': True,
    'nova_image/image/__init__.py': True,
    'nova_image/image/glance_v2.py': True,
    'nova_image/virt/dom0/install.sh': True,
    'nova_image/tests/__init__.py': True,
    'nova_image/tests/fixtures/__init__.py': True,
    'nova_image/tests/fixtures/inside/launcher.py': True,
    'nova_image/tests/functional/__init__.py': True,
    'nova_image/tests/functional/conformance.py': True,
    'nova_image/tests/functional/test_v2.py': False,
    'nova_image/tests/unit/__init__.py': False,
    'nova_image/tests/unit/recordings/v2.json': False,
    'tools/check_package.py': False,
    'setup.cfg': False,
}


class WheelTest(testtools.TestCase):
    """Wheels and source distributions with one mistake each."""

    def setUp(self) -> None:
        """Describe a tree and its wheel."""
        super().setUp()
        self.folder = pathlib.Path(
            self.useFixture(lib_fixtures.TempDir()).path)
        (self.folder / 'setup.cfg').write_text(_CONFIG)
        self.files = {*_TREE, 'doc/man/nova-image.1', '.gitignore'}
        self.wheel = {name: '' for name, inside in _TREE.items() if inside}
        self.wheel[_PAGE] = ''
        for name in ('METADATA', 'RECORD', 'WHEEL', 'top_level.txt',
                     'pbr.json', 'AUTHORS', 'licenses/LICENSE'):
            self.wheel[_INFO + name] = ''
        self.wheel[_INFO + 'entry_points.txt'] = _ENTRY_POINTS

    def problems(self) -> list[str]:
        """Write the wheel, and return its problems."""
        path = self.folder / ('nova_image-%s-py2.py3-none-any.whl' % _VERSION)
        with zipfile.ZipFile(path, 'w') as archive:
            for name, text in self.wheel.items():
                archive.writestr(name, text)
        return list(check_package.wheel_problems(
            path, self.files, self.folder, [self.folder]))

    def test_nothing_is_wrong(self) -> None:
        self.assertEqual([], self.problems())

    def test_missing_files(self) -> None:
        for name in list(self.wheel):
            text = self.wheel.pop(name)
            plain = name.replace('licenses/', '')
            self.assertIn('the wheel lacks ' + plain, self.problems())
            self.wheel[name] = text

    def test_files_that_do_not_belong_there(self) -> None:
        for name in ('nova_image/tests/unit/__init__.py', 'tools/stubs.py',
                     '.cache/run/log', 'nova_image/image/glance_v2.pyc'):
            self.wheel[name] = ''
            self.assertEqual(
                ['the wheel has %s, which does not belong there' % name],
                self.problems())
            del self.wheel[name]

    def test_folder_of_the_builder(self) -> None:
        self.wheel['nova_image/py.typed'] = 'x%s/y' % self.folder
        found, = self.problems()
        self.assertIn(str(self.folder), found)

    def test_entry_points(self) -> None:
        self.wheel[_INFO + 'entry_points.txt'] = _ENTRY_POINTS.replace(
            'glance_v2', 'glance_v3')
        self.assertEqual(['the wheel has other entry points of '
                          'nova_image.image.drivers'], self.problems())
        self.wheel[_INFO + 'entry_points.txt'] = _ENTRY_POINTS
        self.files.remove('nova_image/image/glance_v2.py')
        del self.wheel['nova_image/image/glance_v2.py']
        self.assertEqual(
            ['the wheel lacks nova_image.image.glance_v2:Driver of '
             'nova_image.image.drivers'], self.problems())

    def test_source_distribution(self) -> None:
        path = self.folder / ('nova_image-%s.tar.gz' % _VERSION)
        inside = (self.files | {
            'AUTHORS', 'ChangeLog', 'PKG-INFO', 'RELEASENOTES.rst',
            'nova_image.egg-info/SOURCES.txt', 'doc/build/index.html'})
        with tarfile.open(path, 'w:gz') as archive:
            for name in inside - {'.gitignore', 'setup.cfg'}:
                archive.addfile(tarfile.TarInfo('nova_image-1.2.3/' + name),
                                io.BytesIO())
        self.assertEqual(
            ['the source distribution lacks setup.cfg',
             'the source distribution has doc/build/index.html, which does '
             'not belong there'],
            list(check_package.source_problems(path, self.files)))
