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

"""The output formats, where those of cliff are ambiguous or unsafe.

People read tables; control characters in them are escaped. Programs read the
other formats, which contain the text of an image as it is.
"""

from __future__ import annotations

import argparse
import collections.abc
import csv
import json
import re
import typing

from cliff import columns
from cliff import command
from cliff.formatters import commaseparated
from cliff.formatters import shell
from cliff.formatters import table
from cliff.formatters import value

from nova_image.cmd import narrow
from nova_image.cmd import safe_text

#: what would make a line of the format "value" ambiguous
_NOT_A_LINE = re.compile(
    '^"|[\\0\\n\\v\\f\\r\\x1c-\\x1e\\x85\\u2028\\u2029]')
_SPECIAL_IN_QUOTES = re.compile(r'[\\"$`]')
_NOT_IN_NAMES = re.compile('[^A-Za-z0-9_]|^(?=[0-9])')

Row = collections.abc.Sequence[typing.Any]
Rows = collections.abc.Iterable[Row]


class Table(table.TableFormatter):
    """A table in which no text controls the terminal or ends a line.

    On a terminal that is too narrow for a table, values are written one below
    the other.
    """

    _limits: list[int] | None = None

    def emit_list(self, column_names: collections.abc.Sequence[str],
                  data: Rows, stdout: typing.TextIO,
                  parsed_args: argparse.Namespace) -> None:
        """Write rows."""
        rows = [_cells(row, stdout) for row in data]
        width = narrow.width_of(stdout, parsed_args)
        if width is None or not rows or self._fits(
                [column_names, *rows], width):
            super().emit_list(column_names, rows, stdout, parsed_args)
        else:
            stdout.write(narrow.records(column_names, rows, width))

    def emit_one(self, column_names: collections.abc.Sequence[str],
                 data: Row, stdout: typing.TextIO,
                 parsed_args: argparse.Namespace) -> None:
        """Write one object."""
        cells = _cells(data, stdout)
        width = narrow.width_of(stdout, parsed_args)
        if width is None or self._fits([('Field', 'Value'), *zip(
                column_names, cells)], width):
            super().emit_one(column_names, cells, stdout, parsed_args)
        else:
            stdout.write(narrow.records(column_names, [cells], width))

    def _fits(self, rows: narrow.Rows, width: int) -> bool:
        """Return whether a table fits, and set the limits of its columns."""
        self._limits = narrow.limits(rows, width)
        return self._limits is not None

    def _assign_max_widths(  # type: ignore[override]
            self, made: typing.Any, max_width: int, min_width: int = 0,
            fit_width: bool = False) -> None:
        """Set the widths of the columns of a table.

        cliff makes all wide columns equally narrow, also those of IDs.
        """
        if max_width or fit_width:
            super()._assign_max_widths(made, max_width, min_width, fit_width)
        else:
            made.max_width.update(zip(made.field_names, self._limits or ()))


def _cells(row: Row, stdout: typing.TextIO) -> list[typing.Any]:
    """Return what people see of values; numbers remain numbers.

    A formattable column has escaped its parts itself.
    """
    return [_cell(item, getattr(stdout, 'encoding', None)) for item in row]


def _cell(item: typing.Any, encoding: str | None) -> typing.Any:
    if item is None or isinstance(item, (int, float)):
        return item
    text = safe_text.harmless(item.human_readable()) if isinstance(
        item, columns.FormattableColumn) else safe_text.shown(item)
    return safe_text.fitting(text, encoding)


class Value(value.ValueFormatter):
    """Values that are always one line each.

    One that would not be, or that begins with a quotation mark, is a string
    of JSON. So is one with a character that the encoding lacks.
    """

    def emit_list(self, column_names: collections.abc.Sequence[str],
                  data: Rows, stdout: typing.TextIO,
                  parsed_args: argparse.Namespace) -> None:
        """Write rows."""
        super().emit_list(column_names, (_lines(row, stdout) for row in data),
                          stdout, parsed_args)

    def emit_one(self, column_names: collections.abc.Sequence[str],
                 data: Row, stdout: typing.TextIO,
                 parsed_args: argparse.Namespace) -> None:
        """Write one object."""
        super().emit_one(column_names, _lines(data, stdout), stdout,
                         parsed_args)


def _lines(row: Row, stdout: typing.TextIO) -> list[str]:
    encoding = getattr(stdout, 'encoding', None)
    return [_line(_machine(item), encoding) for item in row]


def _line(item: typing.Any, encoding: str | None) -> str:
    text = str(item)
    if _NOT_A_LINE.search(text) or text != safe_text.fitting(text, encoding):
        return json.dumps(text)
    return text


def _machine(item: typing.Any) -> typing.Any:
    return item.machine_readable() if isinstance(
        item, columns.FormattableColumn) else item


class Csv(commaseparated.CSVLister):
    """CSV as in RFC 4180: only ``--quote none`` escapes with backslashes."""

    def emit_list(self, column_names: collections.abc.Sequence[str],
                  data: Rows, stdout: typing.TextIO,
                  parsed_args: argparse.Namespace) -> None:
        """Write rows."""
        quoting = self.QUOTE_MODES[parsed_args.quote_mode]
        writer = csv.writer(
            _Lines(stdout), quoting=quoting, lineterminator='\r\n',
            escapechar='\\' if quoting == csv.QUOTE_NONE else None)
        writer.writerow(column_names)
        for row in data:
            writer.writerow([
                str(_machine(item)) if isinstance(
                    item, columns.FormattableColumn) else item
                for item in row])


class _Lines:
    """A file for csv.writer, which quotes the characters that end its lines.

    A carriage return must be quoted too, although lines end with a line feed.
    """

    def __init__(self, stdout: typing.TextIO) -> None:
        self._stdout = stdout

    def write(self, line: str) -> int:
        """Write one line."""
        return self._stdout.write(line.removesuffix('\r\n') + '\n')


class Shell(shell.ShellFormatter):
    """Variables that a shell can evaluate without running anything else."""

    def emit_one(self, column_names: collections.abc.Sequence[str],
                 data: Row, stdout: typing.TextIO,
                 parsed_args: argparse.Namespace) -> None:
        """Write one object."""
        wanted = parsed_args.variables
        for column, item in zip(column_names, data):
            name = column.lower().replace(' ', '_')
            if name in wanted or not wanted:
                stdout.write('%s="%s"\n' % (
                    _NOT_IN_NAMES.sub('_', parsed_args.prefix + name),
                    _SPECIAL_IN_QUOTES.sub(r'\\\g<0>', str(_machine(item)))))


_OURS: dict[str, type[typing.Any]] = {
    'csv': Csv, 'shell': Shell, 'table': Table, 'value': Value}


def install(chosen: command.Command) -> None:
    """Replace cliff's formats of a command with those of this module."""
    for found in getattr(chosen, '_formatter_plugins', ()):
        if found.name in _OURS and found.plugin.__module__.startswith(
                'cliff.'):
            found.obj = _OURS[found.name]()
