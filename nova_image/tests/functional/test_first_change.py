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

"""The diffs of the page about a first change, against the tree."""

import collections.abc
import pathlib
import re
import textwrap

import testtools

_ROOT = pathlib.Path(__file__).parents[3]
_PAGE = _ROOT / 'doc/source/contributor/first-change.rst'
_DIFF = re.compile(r'code-block:: diff\n\n((?:   .*\n|\n)+)')


def _hunks() -> collections.abc.Iterator[tuple[str, str, str]]:
    """Yield the file of each hunk, what follows @@, and its old lines."""
    for block in _DIFF.findall(_PAGE.read_text()):
        head, *hunks = re.split(r'^@@ *', textwrap.dedent(block).rstrip(),
                                flags=re.MULTILINE)
        path = head.partition('+++ b/')[2].strip()
        for hunk in hunks:
            place, *lines = hunk.splitlines()
            yield path, place, ''.join(
                line[1:] + '\n' for line in lines if line[:1] != '+')


class FirstChangeTest(testtools.TestCase):
    """A reader can apply the diffs of the page."""

    def test_old_lines_are_in_the_files(self) -> None:
        hunks = list(_hunks())
        self.assertGreater(len(hunks), 10)
        for path, place, lines in hunks:
            text = (_ROOT / path).read_text()
            self.assertIn(place, text, path)
            self.assertIn(lines.strip('\n'), text, path)
