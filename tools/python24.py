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

"""Finds what Python 2.4 lacks in the code for dom0.

Usage: python -m tools.python24 [FILE ...]; the plugins for dom0 by default.

No Python 2.4 can be installed today, so three checks take its place:

* The syntax, by a grammar of Python 2.4 (tools/python24_grammar.txt) and the
  parser of lib2to3, which Python 3.13 lacks and fissix continues.
* The standard library, by vermin. Guarded imports end in ``# novm``.
* What both miss: tokens such as ``b''`` and ``0o7``, ``yield`` in a ``try``
  with ``finally``, methods that a type got later.

Prints a line for each finding and exits with 1 if there is any. The code also
has to run on Python 3, so there is no ``except X, e``.
"""

import collections.abc
import contextlib
import functools
import importlib.util
import io
import pathlib
import re
import sys
import types
import typing
import warnings

import vermin

ROOT = pathlib.Path(__file__).parent.parent
#: what the check is for
PLUGINS = 'nova_image/virt/xenapi/dom0/*.py'

_GRAMMAR = ROOT / 'tools/python24_grammar.txt'
_TARGET = (2, 4)

#: methods and attributes of objects, with the release that brought them;
#: vermin does not see the type of an object
_LATER = {'partition': '2.5', 'rpartition': '2.5', 'throw': '2.5',
          'terminate': '2.6', 'send_signal': '2.6', 'setter': '2.6',
          'getter': '2.6', 'deleter': '2.6', 'as_integer_ratio': '2.6',
          'is_integer': '2.6', 'bit_length': '2.7', 'total_seconds': '2.7',
          'isidentifier': '3.0', 'removeprefix': '3.9',
          'removesuffix': '3.9', 'with_traceback': '3.0'}
_FUTURES = {'nested_scopes', 'generators', 'division'}
_TOKENS = (
    ('STRING', re.compile('[uU]?[rR]?[\'"]'), 'this kind of string'),
    ('NUMBER', re.compile(r'(?!.*_)(?!0[oObB])'), 'this form of a number'))

Finding = tuple[int, str]
Node = typing.Any


@functools.cache
def _tools() -> types.SimpleNamespace:
    """Return the modules of lib2to3, or of its successor."""
    name = 'lib2to3' if importlib.util.find_spec('lib2to3') else 'fissix'
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        found = {part.rpartition('.')[2]: importlib.import_module(
            '%s.%s' % (name, part)) for part in (
                'pytree', 'pgen2.driver', 'pgen2.parse', 'pgen2.pgen',
                'pgen2.token', 'pgen2.tokenize')}
    return types.SimpleNamespace(
        grammar=found['pgen'].generate_grammar(str(_GRAMMAR)), **found)


def findings(source: str) -> list[Finding]:
    """Return (line, problem) of everything that Python 2.4 lacks."""
    found = list(_tokens(source))
    try:
        tree = _parse(source)
    except _Syntax as error:
        found.append(error.finding)
    else:
        tuples = _tuples(tree)
        for node in tree.pre_order():
            found += _in_node(node, tuples)
    return sorted({*found, *_library(source)})


class _Syntax(Exception):
    """The source does not parse.

    :ivar finding: where
    """

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.finding = (line, problem)


def _parse(source: str) -> Node:
    """Return the tree of a source.

    :raises _Syntax: if it is not Python 2.4
    """
    tools = _tools()
    driver = tools.driver.Driver(tools.grammar, tools.pytree.convert)
    try:
        return driver.parse_string(source)
    except tools.parse.ParseError as error:
        line = error.context[1][0] if error.context else 1
        raise _Syntax(line, 'no syntax of Python 2.4, at %r' % error.value)
    except (tools.tokenize.TokenError, IndentationError) as error:
        raise _Syntax(1, 'no tokens of Python: %s' % (error,))


def _tokens(source: str) -> collections.abc.Iterator[Finding]:
    """Yield strings and numbers in newer forms."""
    tools = _tools()
    lines = iter(source.splitlines(keepends=True))
    try:
        for kind, text, (line, _), _, _ in tools.tokenize.generate_tokens(
                lambda: next(lines, '')):
            for name, good, words in _TOKENS:
                if kind == getattr(tools.token, name) and (
                        not good.match(text)):
                    yield line, '%s is newer: %s' % (words, text[:20])
    except (tools.tokenize.TokenError, IndentationError):
        return  # _parse() reports it


def _kind(node: Node) -> str:
    """Return the name of the rule of a node; empty for a token."""
    return _tools().grammar.number2symbol.get(node.type, '')


def _in_node(node: Node, tuples: set[str]
             ) -> collections.abc.Iterator[Finding]:
    """Yield what the grammar accepts, but Python 2.4 does not.

    :param tuples: the names of tuples
    """
    kind = _kind(node)
    if kind == 'try' and str(node.children[3]).strip() == 'finally':
        for one in _yields(node.children[2]):
            yield one.get_lineno(), (
                'yield in a try with finally requires Python 2.5')
    elif kind == 'from' and str(node.children[1]).strip() == '__future__':
        for name in re.findall(r'\w+', str(node).partition('import')[2]):
            if name not in _FUTURES:
                yield node.get_lineno(), '__future__ has no %s' % name
    elif kind == 'power':
        yield from _in_call(node, tuples)
    elif kind == 'decorator':
        yield from _in_names(node)


def _yields(node: Node) -> collections.abc.Iterator[Node]:
    """Yield the yield statements below a node, not those of functions."""
    if _kind(node) == 'yield':
        yield node
    if _kind(node) != 'function':
        for child in node.children:
            yield from _yields(child)


def _in_names(node: Node) -> collections.abc.Iterator[Finding]:
    """Yield newer methods in a decorator."""
    for leaf in node.leaves():
        if leaf.value in ('setter', 'getter', 'deleter'):
            yield leaf.get_lineno(), '.%s requires Python %s' % (
                leaf.value, _LATER[leaf.value])


def _in_call(node: Node, tuples: set[str]
             ) -> collections.abc.Iterator[Finding]:
    """Yield newer methods, and new arguments of other methods."""
    parts = node.children
    for place, part in enumerate(parts):
        if _kind(part) != 'trailer':
            continue
        line, before = part.get_lineno(), str(parts[place - 1]).strip()
        name = str(part.children[1]).strip()
        if str(part.children[0]).strip() == '.':
            yield from _newer(line, name, before)
        elif before.lstrip('.') in ('startswith', 'endswith'):
            if name in tuples or re.match(r'\(.*,.*\)', name, re.DOTALL):
                yield line, 'a tuple of prefixes requires Python 2.5'
        elif before == 'enumerate' and _kind(part.children[1]) == 'arguments':
            yield line, 'enumerate() with a start requires Python 2.6'


def _newer(line: int, name: str, before: str
           ) -> collections.abc.Iterator[Finding]:
    """Yield a finding if a method is newer."""
    if name in _LATER:
        yield line, '.%s requires Python %s' % (name, _LATER[name])
    elif name == 'kill' and before != 'os':
        yield line, '.kill requires Python 2.6, except os.kill'


def _tuples(tree: Node) -> set[str]:
    """Return the names that a source gives to tuples."""
    found = set()
    for node in tree.pre_order():
        if _kind(node) == 'assignment' and len(node.children) == 3:
            name, _, value = (str(one).strip() for one in node.children)
            if re.match(r'\(.*,.*\)$', value, re.DOTALL):
                found.add(name)
    return found


def _library(source: str) -> collections.abc.Iterator[Finding]:
    """Yield what vermin finds in the library and the built-in functions."""
    config = vermin.Config()
    config.set_verbose(3)
    config.set_eval_annotations(True)
    config.set_ignore_incomp(True)
    with contextlib.redirect_stdout(io.StringIO()):
        visitor = vermin.visit(source, config)
    if isinstance(visitor, list):
        yield 1, 'no syntax of Python 3'
        return
    for line in visitor.output_text().splitlines():
        found = re.match(r'L(\d+)(?: C\d+)?: (.*) requires (.*)', line)
        if found and not _suits(found.group(3)):
            yield int(found.group(1)), '%s requires Python %s' % (
                found.group(2), found.group(3))


def _suits(versions: str) -> bool:
    """Return whether Python 2.4 has what vermin names, as ``2.5, 3.0``."""
    found = re.match(r'(\d+)\.(\d+)', versions)
    if found is None:
        return versions.startswith('~2')  # any release of Python 2
    return (int(found.group(1)), int(found.group(2))) <= _TARGET


def main() -> int:
    """Check the files and print the findings."""
    paths = [pathlib.Path(name) for name in sys.argv[1:]] or sorted(
        ROOT.glob(PLUGINS))
    lines = ['%s:%d: %s' % (path, line, problem) for path in paths
             for line, problem in findings(path.read_text())]
    print(*lines, sep='\n', end='\n' if lines else '')
    return 1 if lines or not paths else 0


if __name__ == '__main__':
    sys.exit(main())
