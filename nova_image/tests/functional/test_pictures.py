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

"""The pictures in the documentation, against their sources and the tree."""

import hashlib
import pathlib
import re

import testtools

from nova_image.tests.unit import test_architecture as architecture

_TOP = pathlib.Path(__file__).resolve().parents[3]
_PAGES = _TOP / 'doc' / 'source'
_ROOMS = _PAGES / 'contributor' / 'pictures' / 'rooms.dot'
_SOURCES = [*_PAGES.glob('*/pictures/*.dot'),
            *_PAGES.glob('*/pictures/*.puml')]
_MODULES = _TOP / 'nova_image'
_BELOW = re.compile(r"^' Paths are below nova_image/(\w+)/\.$", re.MULTILINE)
_RECORD = re.compile(r'<!-- (\S+): sha256 (\w+) -->')
_ROOM = re.compile(r'^ +"([^"]+)" \[\s*label="{.*\|(.*)}"', re.MULTILINE)
_ARROW = re.compile(r'^ +"([^"]+)" -> "([^"]+)"', re.MULTILINE)


def _path(module: str) -> str:
    """Return the path of a module or folder, as rooms.dot names it."""
    path = module.replace('.', '/')
    return path + ('/' if (_MODULES / path).is_dir() else '.py')


def _names(text: str) -> list[str]:
    """Return the modules that the source of a picture names."""
    folder = ''.join(name + '/' for name in _BELOW.findall(text))
    return [folder + name for name in re.findall(
        r'[\w/]+\.py\b', text.replace('\\n', ' '))]


class PicturesTest(testtools.TestCase):
    """doc/source/*/pictures. Plots are there, too, and have no sources."""

    def test_up_to_date(self) -> None:
        expected, recorded = {}, {}
        for path in _SOURCES:
            expected[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
        for path in _PAGES.glob('*/pictures/*.svg'):
            recorded.update(_RECORD.findall(path.read_text()))
        self.assertEqual(expected, recorded, 'Run: tools/draw_pictures.sh')

    def test_shown(self) -> None:
        text = ''.join(page.read_text() for page in _PAGES.rglob('*.rst'))
        self.assertEqual([], [
            path for path in _PAGES.glob('*/pictures/*')
            if path not in _SOURCES and 'pictures/' + path.name not in text])

    def test_modules_exist(self) -> None:
        self.assertEqual([], [
            (path.name, name) for path in _SOURCES
            for name in _names(path.read_text())
            if not (_MODULES / name).is_file()])

    def test_rooms(self) -> None:
        text = _ROOMS.read_text()
        self.assertEqual(
            {room: sorted(_path(module) for module in modules)
             for room, modules in architecture.ROOMS.items()},
            {room: sorted(paths.split(', '))
             for room, paths in _ROOM.findall(text)})
        arrows = architecture.ARROWS  # a direct one may be implied by two
        self.assertEqual(
            sorted((room, other) for room in arrows for other in arrows[room]
                   if not any(other in arrows[via] for via in arrows[room])),
            sorted(_ARROW.findall(text)))
