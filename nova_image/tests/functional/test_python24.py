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

"""The check for Python 2.4 finds what is newer, and nothing else."""

import pathlib
import subprocess
import sys
import textwrap

import testtools

from tools import python24

#: what is newer than Python 2.4, with the line and a part of the finding
NEWER = {
    # Syntax
    'conditional expression': ('a = 1 if b else 2', 1, "'if'"),
    'except as': ('try:\n    a\nexcept E as e:\n    b', 3, "'as'"),
    'try, except and finally': (
        'try:\n    a\nexcept E:\n    b\nfinally:\n    c', 5, "'finally'"),
    'with': ('with a:\n    b', 1, "'a'"),
    'empty parentheses of a class': ('class A():\n    pass', 1, "')'"),
    'keywords of a class': ('class A(B, c=D):\n    pass', 1, "'='"),
    'decorated class': ('@a\nclass A:\n    pass', 2, "'class'"),
    'decorator of any kind': ('@a[0]\ndef f():\n    pass', 1, "'['"),
    'yield expression': ('def f():\n    a = yield 1', 2, "'yield'"),
    'yield without a value': ('def f():\n    yield', 2, "'\\n'"),
    'yield from': ('def f():\n    yield from a', 2, "'from'"),
    'relative import': ('from . import a', 1, "'.'"),
    'keyword after star arguments': ('f(*a, b=1)', 1, "'b'"),
    'second star argument': ('f(*a, *b)', 1, "'*'"),
    'comma after star arguments': ('f(*a,)', 1, "')'"),
    'keyword-only parameter': ('def f(*, a):\n    pass', 1, "','"),
    'positional-only parameter': ('def f(a, /):\n    pass', 1, "'/'"),
    'annotation': ('def f(a: int):\n    pass', 1, "':'"),
    'annotated result': ('def f() -> int:\n    pass', 1, "'->'"),
    'annotated variable': ('a: int = 1', 1, "':'"),
    'set': ('a = {1, 2}', 1, "','"),
    'set comprehension': ('a = {b for b in c}', 1, "'for'"),
    'dict comprehension': ('a = {b: b for b in c}', 1, "'for'"),
    'unpacking with a star': ('a, *b = c', 1, "'*'"),
    'list with a star': ('a = [*b]', 1, "'*'"),
    'dict with stars': ('a = {**b}', 1, "'**'"),
    'nonlocal': ('def f():\n    nonlocal a', 2, "'a'"),
    'raise from': ('raise A from b', 1, "'from'"),
    'assignment expression': ('f(a := 1)', 1, "':='"),
    'matrix product': ('a = b @ c', 1, "'@'"),
    'async': ('async def f():\n    pass', 1, "'async'"),
    'match': ('match a:\n    case 1:\n        pass', 1, "'a'"),
    'except star': ('try:\n    a\nexcept *E:\n    b', 3, "'*'"),
    'keyword of print': ('print(a, end=b)', 1, "'='"),
    # Tokens
    'bytes': ("a = b''", 1, 'this kind of string'),
    'raw bytes': ("a = br''", 1, 'this kind of string'),
    'format string': ("a = f'{b}'", 1, 'this kind of string'),
    'octal number': ('a = 0o755', 1, 'this form of a number'),
    'binary number': ('a = 0b11', 1, 'this form of a number'),
    'underscores in a number': ('a = 1_000', 1, 'this form of a number'),
    # What parses
    'yield in try and finally': (
        'def f():\n    try:\n        if a:\n            yield 1\n'
        '    finally:\n        b', 4, 'yield in a try'),
    'yield in a nested try': (
        'def f():\n    try:\n        try:\n            yield 1\n'
        '        except E:\n            pass\n    finally:\n        b', 4,
        'yield in a try'),
    'tuple of prefixes': ("a.startswith(('b', 'c'))", 1, 'prefixes'),
    'tuple of suffixes': ("a.b().endswith(('b', 'c'))", 1, 'prefixes'),
    'named tuple of prefixes': (
        "B = ('b', 'c')\nif a.startswith(B):\n    pass", 2, 'prefixes'),
    'partition': ("a.partition('b')", 1, 'partition'),
    'rpartition': ("a, b, c = d.rpartition('b')", 1, 'rpartition'),
    'setter': ('@a.setter\ndef a(self, b):\n    pass', 1, 'setter'),
    'kill of a process': ('a.kill()', 1, '.kill'),
    'kill of the process of an object': ('self.a.kill()', 1, '.kill'),
    'terminate of a process': ('a.terminate()', 1, '.terminate'),
    'start of enumerate': ('for a in enumerate(b, 1):\n    pass', 1,
                           'enumerate'),
    'feature of the future': ('from __future__ import with_statement', 1,
                              'with_statement'),
    'features of the future': (
        'from __future__ import division, print_function', 1,
        'print_function'),
    # The library
    'json': ('import json', 1, 'json'),
    'hashlib': ('import hashlib', 1, 'hashlib'),
    'guarded hashlib': (
        'try:\n    import hashlib\nexcept ImportError:\n    hashlib = None',
        2, 'hashlib'),
    'functools': ('import functools', 1, 'functools'),
    'any': ('any(a)', 1, 'any'),
    'all': ('all(a)', 1, 'all'),
    'next': ('next(a)', 1, 'next'),
    'key of min': ('min(a, key=b)', 1, 'key'),
    'format of a string': ("'{0}'.format(a)", 1, 'format'),
    'defaultdict': ('import collections\ncollections.defaultdict()', 2,
                    'defaultdict'),
    'timeout of a connection': (
        "import httplib\nhttplib.HTTPConnection('a', timeout=1)", 2,
        'timeout'),
    'create_connection': (
        "import socket\nsocket.create_connection(('a', 1))", 2,
        'create_connection'),
    'check_call': ("import subprocess\nsubprocess.check_call(['a'])", 2,
                   'check_call'),
    'SEEK_END': ('import os\na = os.SEEK_END', 2, 'SEEK_END'),
    'BaseException': ('try:\n    a\nexcept BaseException:\n    b', 3,
                      'BaseException'),
    'contextlib': ('import contextlib', 1, 'contextlib'),
    'relpath': ("import os\nos.path.relpath('a')", 2, 'relpath'),
}
#: what Python 2.4 has
OLD = (
    'try:\n    a\nexcept (A, B):\n    b\nelse:\n    c',
    'try:\n    try:\n        a\n    except A:\n        b\nfinally:\n    c',
    'def f():\n    try:\n        pass\n    finally:\n        b\n    yield 1',
    'def f():\n    try:\n        def g():\n            yield 1\n'
    '    finally:\n        b',
    'def f():\n    try:\n        yield 1\n    except A:\n        b',
    '@a.b(1, *c, **d)\n@e\ndef f(a, b=1, *c, **d):\n    return lambda x: x',
    'class A(object):\n    pass', 'class A:\n    pass',
    'a = [b for b in c if d for e in f]', 'a = (b for b in c)',
    'f(b for b in c)', 'f(a, b=1, *c, **d)', 'f(a, b=1,)',
    'a, (b, c) = d', 'a[1:2, ::3] += 4', 'a = b < c != d not in e is not f',
    'a = not b and c or d', "a = u'b' 'c' r'd' ur'e' R'f'",
    'a = 0x1F | 0xfe ^ 1.5e-3 // 2j', 'a = `b`', 'a = b <> c',
    'print a, b', 'print >>a, b,', "exec 'a' in b", 'raise A, b',
    "a = {'b': 1, 'c': [1, (2,), ()], }", 'import a.b as c, d',
    'from a import (b, c as d,)', 'from a import *',
    'from __future__ import division', 'del a, b[0]', 'assert a, b',
    'global a', 'while a:\n    break\nelse:\n    b',
    'for a, b in c:\n    continue\nelse:\n    d',
    'if a: b; c\nelif d: pass\nelse: e',
    "a.startswith('b')", "a.startswith(('b'))", "a.endswith(b, 1)",
    'import os\nos.kill(1, 2)', 'for a in enumerate(b):\n    pass',
    'sorted(a, key=b)', 'set(a)', 'import hashlib  # novm',
    'import subprocess\nsubprocess.Popen([])', '# f"" 0o7 b""',
)


class Python24Test(testtools.TestCase):
    """tools.python24"""

    def test_newer(self) -> None:
        wrong = []
        for name, (source, line, words) in NEWER.items():
            found = python24.findings(source + '\n')
            if not any(at == line and words in problem
                       for at, problem in found):
                wrong.append('%s: %s' % (name, found))
        self.assertEqual([], wrong)

    def test_newer_in_the_middle_of_the_plugin(self) -> None:
        """A finding has the right line, whatever is around it."""
        path, = python24.ROOT.glob(python24.PLUGINS)
        lines = path.read_text().splitlines()
        place = lines.index('# Requests')
        for name in ('bytes', 'except as', 'yield in try and finally',
                     'guarded hashlib', 'named tuple of prefixes'):
            source, line, words = NEWER[name]
            mixed = '\n'.join(lines[:place] + [source] + lines[place:])
            found = python24.findings(mixed + '\n')
            self.assertTrue(
                any(at == place + line and words in problem
                    for at, problem in found), '%s: %s' % (name, found))

    def test_old(self) -> None:
        found = {}
        for source in OLD:
            # What only Python 2 parses is seen by the grammar.
            problems = [problem for _, problem in python24.findings(
                source + '\n') if problem != 'no syntax of Python 3']
            if problems:
                found[source] = problems
        self.assertEqual({}, found)

    def test_plugin(self) -> None:
        path, = python24.ROOT.glob(python24.PLUGINS)
        self.assertEqual([], python24.findings(path.read_text()))

    def test_except_with_a_comma(self) -> None:
        """Python 2.4 has it, Python 3 has not."""
        source = 'try:\n    a\nexcept A, e:\n    b\n'
        self.assertEqual([(1, 'no syntax of Python 3')],
                         python24.findings(source))

    def test_command(self) -> None:
        def run(*paths: str) -> 'subprocess.CompletedProcess[str]':
            return subprocess.run(
                [sys.executable, '-m', 'tools.python24', *paths],
                cwd=python24.ROOT, capture_output=True, text=True,
                check=False)

        done = run()
        self.assertEqual((0, '', ''), (
            done.returncode, done.stdout, done.stderr))
        done = run(__file__)
        self.assertEqual(1, done.returncode)
        self.assertIn('test_python24.py:', done.stdout)

    def test_fissix(self) -> None:
        """What takes the place of lib2to3 finds the same."""
        code = textwrap.dedent('''
            import sys
            sys.modules['lib2to3'] = None
            from nova_image.tests.functional import test_python24 as test
            import importlib.util
            find = importlib.util.find_spec
            importlib.util.find_spec = (
                lambda name: None if name == 'lib2to3' else find(name))
            for name, (source, line, words) in test.NEWER.items():
                found = test.python24.findings(source + '\\n')
                if not any(at == line and words in problem
                           for at, problem in found):
                    print(name, found)
            test.python24._tools().parse.__name__.startswith('fissix') or (
                print('not fissix'))
            ''')
        self.assertEqual('', subprocess.run(
            [sys.executable, '-c', code], cwd=pathlib.Path(python24.ROOT),
            capture_output=True, text=True, check=True).stdout)
