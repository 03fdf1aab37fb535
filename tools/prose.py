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

"""Finds phrases that plain, idiomatic English avoids.

Usage: python -m tools.prose [PATH ...]; all files that git tracks by default.
The patterns, each with what to write in its place, are in tools/prose.txt.
Prints one line for each match and exits with 1 if there is any.
"""

import bisect
import collections.abc
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
#: suffixes of the files to check; others are data or quotations
SUFFIXES = {'.py', '.rst', '.sh', '.yaml', '.cfg', '.ini', '.txt', '.toml'}
EXCLUDED = {'tools/prose.txt', 'LICENSE'}

#: text between two words: the end of a line, the quotes between two string
#: literals, the beginning of a comment
_GAP = re.compile(r'''\s*['"]?\s*\n\s*(?:\#:?\s+|[urbf]?['"])?|\s+''')


def read_patterns() -> list[tuple[re.Pattern[str], str]]:
    """Return the patterns, each with the advice on what to write instead."""
    lines = (ROOT / 'tools/prose.txt').read_text().splitlines()
    pairs = (line.split(' => ') for line in lines
             if line.strip() and not line.startswith('#'))
    return [(re.compile(pattern.strip()), advice)
            for pattern, advice in pairs]


def tracked() -> list[pathlib.Path]:
    """Return the files to check among those that git tracks."""
    names = subprocess.run(
        ['git', 'ls-files'], cwd=ROOT, check=True, capture_output=True,
        text=True).stdout.splitlines()
    return [ROOT / name for name in names
            if name not in EXCLUDED and (ROOT / name).exists()
            and pathlib.Path(name).suffix in SUFFIXES]


def find(path: pathlib.Path, patterns: list[tuple[re.Pattern[str], str]]
         ) -> collections.abc.Iterator[str]:
    """Yield a line for each match in a file."""
    text, starts = _on_one_line(path.read_text())
    for pattern, advice in patterns:
        for match in pattern.finditer(text):
            yield '%s:%d: "%s": %s' % (
                path, bisect.bisect(starts, match.start()), match.group(),
                advice)


def _on_one_line(text: str) -> tuple[str, list[int]]:
    """Return a text on one line, and the place of each line in it."""
    parts, starts, length, end = [], [0], 0, 0
    for gap in _GAP.finditer(text):
        parts.append(text[end:gap.start()] + ' ')
        length += len(parts[-1])
        starts += [length] * gap.group().count('\n')
        end = gap.end()
    return ''.join([*parts, text[end:]]), starts


def main() -> int:
    """Check the files and print the matches."""
    given = [found for name in sys.argv[1:]
             for found in _files(pathlib.Path(name))]
    patterns = read_patterns()
    lines = [line for path in given or tracked()
             for line in find(path, patterns)]
    print(*lines, sep='\n', end='\n' if lines else '')
    return 1 if lines else 0


def _files(path: pathlib.Path) -> list[pathlib.Path]:
    """Return the files below a path."""
    if path.is_file():
        return [path]
    return [one for one in sorted(path.rglob('*')) if one.suffix in SUFFIXES]


if __name__ == '__main__':
    sys.exit(main())
