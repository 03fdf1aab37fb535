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

"""The figures of several runs, each with its spread and its aim."""

import collections.abc
import dataclasses
import json
import pathlib
import statistics
import typing

from benchmarks.common import confidence
from benchmarks.common import results

_OF = results.TITLES | {'wall': 'time', 'cpu': 'CPU', 'memory': 'memory',
                        'p50': 'p50', 'p99': 'p99'}
#: Names of the columns of the table.
HEADER = 'operation', 'measure', 'before', 'today', 'aim', 'reached'


class Unusable(Exception):
    """The files of a run cannot be used."""


class Key(typing.NamedTuple):
    """What a figure measures.

    :ivar benchmark: such as ``transfer``
    :ivar operation: such as ``download-1G``; empty for all of them
    :ivar measure: one of benchmarks.common.results.TITLES
    :ivar against: the contender that a ratio is relative to, or None if the
        figure has the measure's own unit
    """

    benchmark: str
    operation: str
    measure: str
    against: str | None

    def __str__(self) -> str:
        """Return its name in files, as ``transfer/show/wall/Nova``."""
        return '/'.join(filter(None, self))

    @property
    def words(self) -> str:
        """What is measured, for a reader of the table."""
        if self.against is None:
            return _OF[self.measure]
        return '%s of %s' % (_OF[self.measure], self.against)


class Value(typing.NamedTuple):
    """The figure of one run.

    :ivar title: the title of the operation
    :ivar value: the ratio, or the value in the measure's own unit
    :ivar aim: the most that it may be; None if it has no limit
    """

    title: str
    value: float
    aim: float | None


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure of all runs.

    :ivar key: what it measures
    :ivar runs: its value in each run, at least one
    """

    key: Key
    runs: collections.abc.Sequence[Value]

    @property
    def ratio(self) -> confidence.Ratio:
        """The median of the runs, with the lowest and the highest."""
        values = [run.value for run in self.runs]
        return confidence.Ratio(
            statistics.median(values), min(values), max(values))

    @property
    def reached(self) -> str:
        """In how many runs the aim was reached; empty without an aim."""
        judged = [run.value <= run.aim for run in self.runs
                  if run.aim is not None]
        if not judged or all(judged):
            return 'yes' if judged else ''
        return '%d of %d' % (sum(judged), len(judged)) if any(judged) else 'no'

    def row(self, before: float | None) -> tuple[str, ...]:
        """Return the cells of HEADER.

        :param before: the earlier value, if there is one
        """
        today, aims = self.ratio, [
            run.aim for run in self.runs if run.aim is not None]
        spread = self._show(today.value)
        ends = self._show(today.low), self._show(today.high)
        if set(ends) != {spread}:
            spread += ' (%s to %s)' % ends
        return (self.runs[0].title, self.key.words,
                '' if before is None else self._show(before), spread,
                self._show(statistics.median(aims)) if aims else '',
                self.reached)

    def _show(self, value: float) -> str:
        if self.key.against is None:
            return results.show(self.key.measure, value)
        return '%.3f' % value if value < 0.1 else '%.2f' % value


def read(folder: pathlib.Path) -> dict[Key, Value]:
    """Return the figures of a run, in the order of its files.

    :param folder: the folder with the JSON files of the benchmarks
    :raises Unusable: if it has none, or one that is not a benchmark's
    """
    found: dict[Key, Value] = {}
    for path in sorted(folder.glob('*.json')):
        try:
            figures = json.loads(path.read_text())
            if 'operations' in figures:
                found |= _of(path.stem, figures)
        except (KeyError, TypeError, ValueError) as error:
            raise Unusable('%s is not the JSON file of a benchmark'
                           % path) from error
    if not found:
        raise Unusable('%s has no JSON file of a benchmark' % folder)
    return found


def _of(name: str, figures: dict[str, typing.Any]) -> dict[Key, Value]:
    """Return the figures of a benchmark: those with an aim, and all times."""
    operations = figures['operations']
    found: dict[Key, Value] = {}
    memory: list[Value] = []
    budgets = {(one['operation'], one['measure'], one['against']): one
               for one in figures['budgets']}
    for operation, about in operations.items():
        if results.OURS not in about['contenders']:
            continue
        wanted = dict.fromkeys(
            [(operation, 'wall', about['standard'])]
            + [one for one in budgets if one[0] == operation])
        for which in wanted:
            _, measure, against = which
            value = _value(about, measure, against, budgets.get(which))
            if against is None:
                memory.append(value)
            else:
                found[Key(name, *which)] = value
    if memory:
        found[Key(name, '', 'memory', None)] = max(
            memory, key=lambda one: one.value)._replace(
                title='%s: the most of all' % name)
    return found


def _value(about: dict[str, typing.Any], measure: str, against: str | None,
           budget: dict[str, typing.Any] | None) -> Value:
    """Return nova_image's figure in an operation, and its aim."""
    medians = {name: one['median'][measure]
               for name, one in about['contenders'].items()}
    unit = 1 if against is None else medians[against] or float('nan')
    aim = None
    if budget is not None:
        least = budget.get('least', 0), budget.get('plus', 0)
        aim = (budget['limit'] * max(unit, least[0]) + least[1]) / unit
    return Value(results.capitalized(about['title']),
                 medians[results.OURS] / unit, aim)


def collect(runs: collections.abc.Iterable[dict[Key, Value]]
            ) -> list[Figure]:
    """Return the figures of several runs, by benchmark.

    A figure that a run does not have comes from the others.
    """
    found: dict[Key, list[Value]] = {}
    for run in runs:
        for key, value in run.items():
            found.setdefault(key, []).append(value)
    return [Figure(key, values) for key, values in found.items()]


def rst(figures: collections.abc.Iterable[Figure],
        before: dict[str, confidence.Ratio]) -> str:
    """Return a simple table in reStructuredText.

    :param figures: the figures
    :param before: name of a figure -> earlier value
    """
    rows: list[tuple[str, ...]] = [HEADER]
    for figure in figures:
        was = before.get(str(figure.key))
        rows.append(figure.row(was.value if was else None))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rule = '  '.join('=' * width for width in widths)
    lines = ['  '.join(cell.ljust(width) for cell, width in zip(
        row, widths, strict=True)).rstrip() for row in rows]
    return '\n'.join([rule, lines[0], rule, *lines[1:], rule])
