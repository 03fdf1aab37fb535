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

"""Finds what Python 3.9 lacks in nova_image, except its tests.

Usage: python -m tools.python39 [FILE ...]

vermin knows the syntax and the library. Types such as ``str | None`` that are
evaluated at run time are found here. Prints a line for each finding and exits
with 1 if there is any. nova_image/compat.py has what newer Pythons have. mypy
and the unit tests on Python 3.9 find other differences.
"""

import ast
import builtins
import collections.abc
import contextlib
import io
import pathlib
import re
import sys

import vermin

from tools import python24

ROOT = pathlib.Path(__file__).parent.parent

_TARGET = (3, 9)


def findings(source: str) -> list[python24.Finding]:
    """Return (line, problem) of everything that Python 3.9 lacks."""
    return sorted({*_library(source), *_unions(ast.parse(source))})


def _library(source: str) -> collections.abc.Iterator[python24.Finding]:
    """Yield what vermin finds."""
    config = vermin.Config()
    config.set_verbose(3)
    config.set_ignore_incomp(True)
    with contextlib.redirect_stdout(io.StringIO()):
        visitor = vermin.visit(source, config)
    for line in visitor.output_text().splitlines():
        found = re.match(
            r'L(\d+)(?: C\d+)?: (.*) requires? .*?3\.(\d+)$', line)
        if found and (3, int(found.group(3))) > _TARGET:
            yield int(found.group(1)), '%s requires Python 3.%s' % (
                found.group(2), found.group(3))


def _unions(tree: ast.AST) -> collections.abc.Iterator[python24.Finding]:
    """Yield types that are joined with ``|`` outside of annotations."""
    annotations = {id(part) for node in ast.walk(tree)
                   for field in ('annotation', 'returns')
                   if getattr(node, field, None) is not None
                   for part in ast.walk(getattr(node, field))}
    lazy = any(isinstance(node, ast.ImportFrom)
               and node.module == '__future__' and any(
                   one.name == 'annotations' for one in node.names)
               for node in ast.walk(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr) and (
                not lazy or id(node) not in annotations) and (
                _is_type(node.left) or _is_type(node.right)):
            yield node.lineno, 'a union of types requires Python 3.10'


def _is_type(node: ast.expr) -> bool:
    """Return whether an expression is a type, as far as its name tells."""
    if isinstance(node, ast.Constant):
        return node.value is None
    if isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Attribute):
        return node.attr[:1].isupper() and not node.attr.isupper()
    name = node.id if isinstance(node, ast.Name) else ''
    return isinstance(getattr(builtins, name, None), type) or (
        name[:1].isupper() and not name.isupper())


def _files() -> collections.abc.Iterator[pathlib.Path]:
    """Yield the files of the package, and those that build it."""
    yield from ROOT.glob('setup*.py')
    for path in (ROOT / 'nova_image').rglob('*.py'):
        if 'tests' not in path.relative_to(ROOT).parts[:2]:
            yield path
    yield from (ROOT / 'nova_image/tests/unit').rglob('*.py')


def main() -> int:
    """Check the files and print the findings."""
    paths = [pathlib.Path(name) for name in sys.argv[1:]] or sorted(_files())
    lines = ['%s:%d: %s' % (path, line, problem) for path in paths
             for line, problem in findings(path.read_text())]
    print(*lines, sep='\n', end='\n' if lines else '')
    return 1 if lines or not paths else 0


if __name__ == '__main__':
    sys.exit(main())
