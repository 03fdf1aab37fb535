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

"""Writes the tables of doc/source/operator/compatibility.rst.

``./run_tests.sh novas`` records what it has run with which result. Put that
into the page with::

    .venv/bin/python -m tools.compatibility .cache/novas/runs.jsonl

The newest result of each run is kept beside the page, so a record of a few
runs replaces only these. Without a record, only the page is written. A test
compares the page with the results, and these with the releases in
nova_image/tests/fixtures/nova_releases.py.
"""

import collections.abc
import json
import pathlib
import sys
import typing

from nova_image.tests.fixtures import nova_releases

FOLDER = pathlib.Path(__file__).parent.parent / 'doc/source/operator'
PAGE = FOLDER / 'compatibility.rst'
RECORD = FOLDER / 'compatibility.jsonl'
_BEGIN, _END = '.. begin of the tables\n', '.. end of the tables\n'
_KEYS = tuple(nova_releases.keys()[0])
_WAYS = {nova_releases.CONFIG_DRIVER: 'nova.conf',
         nova_releases.LAUNCHER: 'nova-image-run'}

Line = dict[str, typing.Any]
Table = list[list[str]]


def read(*records: pathlib.Path) -> dict[tuple[str, ...], Line]:
    """Return the results of the runs in the table of releases.

    :param records: files of lines of JSON, the newest last
    :returns: what identifies a run -> its newest line, in the table's order
    """
    found = {}
    for record in records:
        for line in map(json.loads, record.read_text().splitlines()):
            found[_identity(line)] = line
    return {known: found[known] for known in map(
        _identity, nova_releases.keys()) if known in found}


def missing(found: collections.abc.Container[tuple[str, ...]]) -> list[Line]:
    """Return the runs in the table of releases without a result."""
    return [known for known in nova_releases.keys()
            if _identity(known) not in found]


def render(page: str, lines: collections.abc.Collection[Line]) -> str:
    """Return the page with the tables of some results.

    :param page: the page, with other tables
    :param lines: the results, in the order of the releases
    """
    before, _, rest = page.partition(_BEGIN)
    after = rest.partition(_END)[2]
    tables = _list_table(_programs(lines)), _list_table(_libraries(lines))
    return '%s%s\n%s\n%s\n%s%s' % (before, _BEGIN, *tables, _END, after)


def _identity(line: Line) -> tuple[str, ...]:
    return tuple(line[name] for name in _KEYS)


def _programs(lines: collections.abc.Collection[Line]) -> Table:
    """Return the table of what has passed."""
    rows = [['Nova', 'Python', 'Glance', *nova_releases.PROGRAMS, 'Tried']]
    for release in nova_releases.RELEASES:
        for api in release.apis:
            own = [line for line in lines if (line['nova'], line['api']) == (
                release.version, api)]
            if own:
                rows.append([
                    '%s (%s)' % (release.version, release.name),
                    own[0]['python'], '%s, %s' % (release.glance, api),
                    *(_ways([line for line in own
                             if line['program'] == program])
                      for program in nova_releases.PROGRAMS),
                    max(line['date'] for line in own)])
    return rows


def _ways(lines: collections.abc.Sequence[Line]) -> str:
    """Return a line for each threading, with the ways in."""
    return '\n'.join(
        '| %s: %s' % (threading, ', '.join(
            _WAYS[line['way_in']] + (
                '' if line['result'] == 'passed' else ' **%s**'
                % line['result'])
            for line in lines if line['threading'] == threading))
        for threading in dict.fromkeys(line['threading'] for line in lines))


def _libraries(lines: collections.abc.Collection[Line]) -> Table:
    """Return the table of libraries."""
    found = {line['nova']: dict(line['libraries']) for line in lines}
    names = dict.fromkeys(name for one in found.values() for name in one)
    return [['Nova', *names], *(
        [nova, *(one[name] for name in names)]
        for nova, one in found.items())]


def _list_table(rows: Table) -> str:
    text = ['.. list-table::', '   :header-rows: 1', '']
    for row in rows:
        for number, cell in enumerate(row):
            first, *more = cell.splitlines() or ['']
            text.append(('   %s %s' % (
                '  -' if number else '* -', first)).rstrip())
            text.extend('       ' + line for line in more)
    return '\n'.join(text) + '\n'


def main() -> int:
    """Add the records that the arguments name, and write the page."""
    records = [pathlib.Path(name) for name in sys.argv[1:]]
    if RECORD.exists():
        records.insert(0, RECORD)
    found = read(*records)
    RECORD.write_text(''.join(
        json.dumps(line) + '\n' for line in found.values()))
    PAGE.write_text(render(PAGE.read_text(), found.values()))
    for run in missing(found):
        print('no result of', ', '.join(run.values()), file=sys.stderr)
    return 1 if missing(found) else 0


if __name__ == '__main__':
    sys.exit(main())
