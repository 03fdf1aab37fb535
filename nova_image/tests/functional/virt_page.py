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

"""The calls of Nova's virt drivers to the image service, and their page.

A new call in a new Nova, or one that has gone, makes the page fail.
"""

import ast
import collections.abc
import pathlib
import re
import typing

import testtools

from nova_image.tests.fixtures import virtualenvs

_ROOT = pathlib.Path(__file__).resolve().parents[3]
PAGE = _ROOT / 'doc' / 'source' / 'operator' / 'virt-drivers.rst'
_TESTS = _ROOT / 'nova_image' / 'tests'

#: names of what Nova's drivers call images with
_SERVICES = re.compile(r'^_?(image_api|image_service|glance_image_service)$',
                       re.IGNORECASE)
#: functions of nova.virt.images that call it
_FETCHING = ('images.fetch', 'images.fetch_to_raw', 'images.get_info')
#: text of arguments that names a plugin or a store of XenAPI
_PLUGINS = re.compile(r'\.image\.\w+\.\w+Store$|^(glance|bittorrent)\.py$')
#: constructors, which call nothing
_QUIET = ('image.API', 'glance.API')
_TEXT = re.compile('``([^`]+)``')
# Python 3 has made a keyword of what is a name in Nova 15.
_ASYNC = re.compile(r'\basync\b(?! (def|with|for))')


class Call(typing.NamedTuple):
    """A call of a driver.

    :ivar file: the path below ``nova/virt``
    :ivar function: its name, with that of its class
    :ivar call: what it calls, as it is written
    """

    file: str
    function: str
    call: str


def found(packages: pathlib.Path) -> set[Call]:
    """Return the calls in an installed Nova.

    :param packages: the folder with the packages
    """
    top = packages / 'nova' / 'virt'
    return {Call(path.relative_to(top).as_posix(), *one)
            for path in top.rglob('*.py')
            for one in _calls(ast.parse(_ASYNC.sub('async_',
                                                   path.read_text())), [])}


def _calls(node: ast.AST, scope: list[str]
           ) -> collections.abc.Iterator[tuple[str, str]]:
    for child in ast.iter_child_nodes(node):
        inner = scope
        if isinstance(child, ast.ClassDef):
            inner = [*scope, child.name]
        elif isinstance(child, ast.FunctionDef):
            nested = scope and scope[-1][:1].islower()
            inner = scope if nested else [*scope, child.name]
        if isinstance(child, ast.Call) and _concerns_images(child):
            yield '.'.join(scope), ast.unparse(child.func)
        yield from _calls(child, inner)


def _concerns_images(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    parts = name.split('.')
    arguments = [*call.args, *[one.value for one in call.keywords]]
    return name not in _QUIET and (
        bool(_SERVICES.match(parts[-2] if len(parts) > 1 else '')) or
        parts[0] == 'glance' or name.startswith('image.API().') or
        name in _FETCHING or parts[-1] == 'GlanceImage' or
        any(_SERVICES.match(ast.unparse(one).split('.')[-1]) or
            isinstance(one, ast.Constant) and
            isinstance(one.value, str) and _PLUGINS.search(one.value)
            for one in arguments))


def named(version: str) -> dict[Call, list[str]]:
    """Return the calls that the page names, each with its tests.

    :param version: the first number of Nova's version
    """
    rows: dict[Call, list[str]] = {}
    for row in re.split(r'^   \* - ', PAGE.read_text(),
                        flags=re.MULTILINE)[1:]:
        cells = [_cell(part) for part in row.split('\n     - ')]
        if len(cells) == 4 and version in re.findall(r'\d+', cells[0]):
            file, function = _TEXT.findall(cells[1])
            for call in _TEXT.findall(cells[2]):
                rows[Call(file, function, call)] = _TEXT.findall(cells[3])
    return rows


def _cell(text: str) -> str:
    return ' '.join(text.partition('\n\n')[0].split())


def missing_tests(rows: dict[Call, list[str]]) -> set[str]:
    """Return the tests that the page names, but that do not exist."""
    names = {name for tests in rows.values() for name in tests}
    text = ''.join(path.read_text() for path in _TESTS.rglob('*.py'))
    return {name for name in names
            if 'def %s(' % name.rpartition('.')[2] not in text}


class PageTest(testtools.TestCase):
    """Base class: the page of virt drivers against one Nova."""

    def check(self, virtualenv: virtualenvs.Virtualenv, version: str
              ) -> None:
        """Compare the page with an installed Nova.

        :param virtualenv: with Nova
        :param version: the first number of its version
        """
        self.useFixture(virtualenv)
        (packages,) = virtualenv.path.glob('lib/python*/site-packages')
        calls, rows = found(packages), named(version)
        self.assertEqual(sorted(calls), sorted(rows))
        self.assertEqual([], [one for one in calls
                              if one.file.startswith('ironic/')])
        self.assertEqual([], [row for row, tests in rows.items() if not (
            tests or 'bittorrent' in row.file)])
        self.assertEqual(set(), missing_tests(rows))
