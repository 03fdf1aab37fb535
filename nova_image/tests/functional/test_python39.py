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

"""The check for Python 3.9 finds what is newer, and nothing else."""

import testtools

from tools import python39

#: what is newer than Python 3.9, with the line and a part of the finding
NEWER = {
    'match': ('match a:\n    case 1:\n        pass', 1, 'matching'),
    'except star': ('try:\n    a\nexcept* E:\n    b', 3, 'except'),
    'module': ('import tomllib', 1, 'tomllib'),
    'member': ('import datetime\ndatetime.UTC', 2, 'UTC'),
    'keyword': ('zip(a, b, strict=True)', 1, 'strict'),
    'keyword of a decorator': (
        'import dataclasses\n@dataclasses.dataclass(slots=True)\n'
        'class A:\n    pass', 2, 'slots'),
    'method': ('import collections\ncollections.Counter().total()', 2,
               'total'),
    'union': ('A = int | None', 1, 'union'),
    'union as an argument': ('isinstance(a, str | bytes)', 1, 'union'),
    'union in brackets': ('A = tuple[dict[str, int] | B, C]', 1, 'union'),
    'union of classes': ('isinstance(a, b.Cat | b.Dog)', 1, 'union'),
    'union in a base': ('class A(B[str | None]):\n    pass', 1, 'union'),
    'annotation': ('def f(a: int | None):\n    pass', 1, 'union'),
    'annotated result': ('def f() -> a.B | None:\n    pass', 1, 'union'),
    'annotated variable': ('a: int | None = 1', 1, 'union'),
}
OLD = (
    'from __future__ import annotations\n'
    'def f(a: int | None) -> b.C | None:\n    d: str | bytes = e',
    'a = os.O_RDONLY | flags | FLAGS | 1', 'a = {*b} | {c: d} | set(e)',
    'a: list[dict[str, int]] = []',
    'with (a as b, c as d):\n    pass',
)


class Python39Test(testtools.TestCase):
    """tools/python39.py"""

    def test_what_is_newer_is_found(self) -> None:
        for name, (source, line, part) in NEWER.items():
            found = python39.findings(source)
            self.assertEqual([line], [one[0] for one in found], name)
            self.assertIn(part, found[0][1], name)

    def test_nothing_else_is_found(self) -> None:
        for source in OLD:
            self.assertEqual([], python39.findings(source), source)
