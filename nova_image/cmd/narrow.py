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

"""Tables that fit their terminal, and what to show if they cannot."""

from __future__ import annotations

import argparse
import collections.abc
import os
import re
import typing
import unicodedata


#: An ID is not wrapped, so that it can be copied.
_ID = re.compile('[0-9a-f-]{32,36}')
#: Columns of other texts are not made narrower than this.
_LEAST = 16

Rows = collections.abc.Sequence[collections.abc.Sequence[typing.Any]]


def width_of(stdout: typing.TextIO,
             arguments: argparse.Namespace) -> int | None:
    """Return the number of columns that a table should fit.

    :param stdout: the output
    :param arguments: those of the command
    :returns: None if the output is not a terminal, or an option sets a width
    """
    if arguments.max_width or arguments.fit_width:
        return None
    try:
        return os.get_terminal_size(stdout.fileno()).columns or None
    except (OSError, ValueError):
        return None


def limits(rows: Rows, width: int) -> list[int] | None:
    """Return the width of each column of a table, without its borders.

    :param rows: the rows of the table, with its header
    :param width: columns of the terminal
    :returns: None if no table fits without being hard to read
    """
    natural = [max(map(_width, column)) for column in zip(*rows)]
    least = [max(_least(cell) for cell in column)
             for column in zip(*rows)]
    least = [max(number, _width(name))  # names of columns are not wrapped
             for number, name in zip(least, rows[0])]
    spare = width - 1 - sum(number + 3 for number in least)
    if spare < 0:
        return None
    found = list(least)
    # Columns that need little more get that first.
    waiting = sorted(range(len(least)), key=lambda n: natural[n] - least[n])
    for place, index in enumerate(waiting):
        more = min(natural[index] - least[index],
                   spare // (len(waiting) - place))
        found[index] += more
        spare -= more
    return found


def records(names: collections.abc.Sequence[str], rows: Rows,
            width: int) -> str:
    """Return rows as lines, one for each value, with its name.

    The terminal wraps lines that are longer than it is wide.

    :param names: names of the columns
    :param rows: the rows, without the names
    :param width: columns of the terminal
    """
    indent = max(map(len, names)) + 2
    if width < 3 * indent:
        indent = 0
    return '\n'.join(
        ''.join(_record(name, str(value), indent)
                for name, value in zip(names, row))
        for row in rows)


def _record(name: str, value: str, indent: int) -> str:
    """Return the lines of one value."""
    first, *others = value.split('\n')
    lines = [('%s: ' % name).ljust(indent) + first]
    if others and not indent:
        lines = ['%s:' % name, '  ' + first]
    lines += [' ' * (indent or 2) + line for line in others]
    return ''.join('%s\n' % line.rstrip() for line in lines)


def _width(cell: object) -> int:
    """Return the number of columns that a terminal needs for a cell."""
    return max(map(_columns, str(cell).split('\n')))


def _columns(line: str) -> int:
    if line.isascii():
        return len(line)
    return sum(0 if unicodedata.combining(char) else
               2 if unicodedata.east_asian_width(char) in 'WF' else 1
               for char in line)


def _least(cell: object) -> int:
    """Return the width below which a cell would be hard to read."""
    width = _width(cell)
    return width if _ID.fullmatch(str(cell)) else min(width, _LEAST)
