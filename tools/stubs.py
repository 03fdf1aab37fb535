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

"""Compares the stubs (.pyi) with the modules that they describe.

Usage: python -m tools.stubs

mypy's stubtest compares names and signatures. Where a signature ends in
``**options``, the options that the stub accepts are also compared with the
keywords in the docstring. Prints each difference and exits with 1 if there
is any.
"""

import ast
import collections
import collections.abc
import importlib
import inspect
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent

_KEYWORD = re.compile(r'^\s*:keyword (\w+):', re.MULTILINE)


class Stub:
    """A stub, parsed.

    :ivar module: the name of the module that it describes
    """

    def __init__(self, path: pathlib.Path) -> None:
        """Read a stub.

        :param path: a .pyi file in the tree
        """
        self.module = '.'.join(path.relative_to(ROOT).with_suffix('').parts)
        self.classes = {node.name: node
                        for node in ast.parse(path.read_text()).body
                        if isinstance(node, ast.ClassDef)}

    def differences(self) -> collections.abc.Iterator[str]:
        """Yield each method whose options are not the documented ones."""
        module = importlib.import_module(self.module)
        for name, node in self.classes.items():
            if not name.startswith('_'):
                for method, options in self._options(node).items():
                    accepted, documented = _compared(
                        getattr(module, name), method, options)
                    if documented and accepted != documented:
                        yield '%s.%s.%s: stub: %s; docstring: %s' % (
                            self.module, name, method,
                            ', '.join(sorted(accepted - documented)),
                            ', '.join(sorted(documented - accepted)))

    def _options(self, node: ast.ClassDef) -> dict[str, set[str]]:
        """Return the names of the options of each method, by its name."""
        options: dict[str, set[str]] = collections.defaultdict(set)
        for method in node.body:
            if isinstance(method, ast.FunctionDef) and method.args.kwarg:
                unpacked = method.args.kwarg.annotation
                if isinstance(unpacked, ast.Subscript):
                    options[method.name] |= self._fields(unpacked.slice)
                    options[method.name] |= {
                        one.arg for one in method.args.kwonlyargs}
        return options

    def _fields(self, kind: ast.expr) -> set[str]:
        """Return the names of the fields of a TypedDict of this stub."""
        if not isinstance(kind, ast.Name) or kind.id not in self.classes:
            return set()
        node = self.classes[kind.id]
        own = {field.target.id for field in node.body
               if isinstance(field, ast.AnnAssign)
               and isinstance(field.target, ast.Name)}
        return own.union(*map(self._fields, node.bases))


def _compared(kind: type, method: str, options: set[str]
              ) -> tuple[set[str], set[str]]:
    """Return the options that a stub accepts, and the documented ones.

    The docstrings of a class and its bases document its constructor.
    """
    function = getattr(kind, method)
    owners = kind.__mro__ if method == '__init__' else (function,)
    # An overload can make a parameter keyword-only; it is not an option.
    return (options - set(inspect.signature(function).parameters),
            {name for owner in owners
             for name in _KEYWORD.findall(owner.__doc__ or '')})


def main() -> int:
    """Compare all stubs of the project."""
    stubs = [Stub(path) for path in sorted(ROOT.glob('nova_image/**/*.pyi'))]
    differences = [line for stub in stubs for line in stub.differences()]
    print(*differences, sep='\n', end='\n' if differences else '')
    status = subprocess.run([
        sys.executable, '-m', 'mypy.stubtest', '--concise',
        '--ignore-disjoint-bases', '--mypy-config-file', ROOT / 'mypy.ini',
        *(stub.module for stub in stubs)], cwd=ROOT, check=False).returncode
    return 1 if differences or status else 0


if __name__ == '__main__':
    sys.exit(main())
