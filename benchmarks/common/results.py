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

"""The results as medians, ratios and budgets, as a table and as JSON."""

import collections.abc
import dataclasses
import math
import os
import pathlib
import platform
import statistics
import typing

from benchmarks.common import race

#: The contender with the budgets.
OURS = 'nova_image'
TITLES = {'wall': 'wall clock', 'cpu': 'client CPU', 'requests': 'requests',
          'memory': 'memory over idle', 'p50': 'a call, p50',
          'p99': 'a call, p99', 'connections': 'connections',
          'nova_cpu': 'Nova CPU', 'glance_cpu': 'Glance CPU',
          'sent': 'data from Glance', 'received': 'data to Glance'}
_BYTES = ('memory', 'sent', 'received')
_WIDTH = 14
# What a limit has besides the ratio, in the table.
_BESIDE = ('least', ' (or of %s for %s)'), (
    'plus', ' plus %s for %s')


@dataclasses.dataclass(frozen=True)
class Budget:
    """The limit of one measure of nova_image.

    ``limit`` is a ratio to the contender ``against`` or, if that is None, a
    value in the measure's own unit. If another resource is needed anyway,
    the limit is that of its use if that is more (``least``), or has its use
    in addition (``plus``), both in the measure's own unit; ``why`` names it.
    """

    operation: str
    measure: str
    limit: float
    against: str | None = race.STANDARD
    least: float = 0.0
    plus: float = 0.0
    why: str = ''


class Results:
    """The measures of a run.

    :ivar operations: name -> race.Operation
    :ivar found: operation -> contender -> measures of each round
    :ivar measures: the names of the measures, in the order of the table
    """

    def __init__(self, tasks: list[race.Operation], found: race.Found,
                 budgets: collections.abc.Iterable[Budget],
                 measures: collections.abc.Sequence[str] = race.MEASURES
                 ) -> None:
        """Collect the measures of a run.

        :param tasks: the operations
        :param found: the measures from Race.run()
        :param budgets: the budgets of the project's design
        :param measures: the names of the measures, out of TITLES
        """
        self.measures = tuple(measures)
        self.operations = {task.name: task for task in tasks}
        self.found = found
        self._budgets = list(budgets)

    def names(self, operation: str) -> list[str]:
        """Return the contenders of an operation."""
        return list(self.found[operation])

    def median(self, operation: str, name: str, measure: str) -> float:
        """Return the median of a contender's rounds."""
        return statistics.median(
            measures[measure] for measures in self.found[operation][name])

    def ratio(self, operation: str, name: str, measure: str,
              standard: str | None = None) -> float:
        """Return the ratio of a contender's median to another one's.

        :param standard: the other one; the operation's standard if None
        :returns: the ratio; NaN if the other one's median is zero
        """
        of_standard = self.median(
            operation, standard or self.operations[operation].standard,
            measure)
        mine = self.median(operation, name, measure)
        return mine / of_standard if of_standard else math.nan

    def limits(self, operation: str, measure: str) -> list[float]:
        """Return the limits of a measure of nova_image, in its own unit."""
        about = operation, measure
        return [self._allowed(budget) for budget in self._budgets
                if (budget.operation, budget.measure) == about]

    def _allowed(self, budget: Budget) -> float:
        unit = 1 if budget.against is None else self.median(
            budget.operation, budget.against, budget.measure)
        return budget.limit * max(unit, budget.least) + budget.plus

    def budgets(self) -> list[dict[str, typing.Any]]:
        """Return each budget with its figure and whether it is met.

        The figure is a ``ratio``, or a ``value`` if the budget has no other
        contender.
        """
        return [self._budget(budget) for budget in self._budgets]

    def _budget(self, budget: Budget) -> dict[str, typing.Any]:
        about = budget.operation, OURS, budget.measure
        if budget.against is None:
            kind, value = 'value', self.median(*about)
        else:
            kind, value = 'ratio', self.ratio(*about, budget.against)
        return dataclasses.asdict(budget) | {
            kind: value, 'met': self.median(*about) <= self._allowed(budget)}

    def as_json(self) -> dict[str, typing.Any]:
        """Return all results, for a JSON file."""
        return {'operations': {name: self._operation(operation)
                               for name, operation in self.operations.items()},
                'budgets': self.budgets()}

    def _operation(self, operation: race.Operation) -> dict[str, typing.Any]:
        return {'title': operation.title, 'standard': operation.standard,
                'contenders': {name: self._of(operation.name, name)
                               for name in self.names(operation.name)}}

    def _of(self, operation: str, name: str) -> dict[str, typing.Any]:
        ratios = {measure: self.ratio(operation, name, measure)
                  for measure in self.measures}
        return {
            'median': {measure: self.median(operation, name, measure)
                       for measure in self.measures},
            'ratio': {measure: None if math.isnan(ratio) else ratio
                      for measure, ratio in ratios.items()},
            'rounds': self.found[operation][name],
        }

    def table(self) -> str:
        """Return the table of the figures for a terminal."""
        lines = []
        for name, operation in self.operations.items():
            lines += ['', capitalized(operation.title)]
            lines.append('  %-14s' % '' + ''.join(
                '%*s' % (_WIDTH + 8, TITLES[measure])
                for measure in self.measures))
            lines += [self._line(name, contender)
                      for contender in self.names(name)]
        lines += ['', 'In brackets: ratio to %s.' % self.standards()]
        budgets = self.budgets()
        width = max((len(one['operation']) for one in budgets), default=0)
        lines += ['', 'Budgets'] if budgets else []
        lines += [_budget_line(budget, width) for budget in budgets]
        return '\n'.join(lines)

    def standards(self) -> str:
        """Return the contenders that ratios are relative to, as a phrase."""
        names = sorted(
            {operation.standard for operation in self.operations.values()},
            key=lambda name: name != race.STANDARD)
        return ', or '.join(
            '%s\'s' % name if name == names[0]
            else '%s\'s if %s does not take part' % (name, names[0])
            for name in names)

    def _line(self, operation: str, name: str) -> str:
        return '  %-14s' % name + ''.join(
            '%*s %s' % (_WIDTH, show(
                measure, self.median(operation, name, measure)),
                _brackets(self.ratio(operation, name, measure)).rjust(7))
            for measure in self.measures)


def _brackets(ratio: float) -> str:
    return '' if math.isnan(ratio) else '(%.2f)' % ratio


def capitalized(title: str) -> str:
    """Return a title with a capital first letter."""
    return title[0].upper() + title[1:]


def show(measure: str, value: float) -> str:
    """Return a value with its unit.

    :param measure: one of TITLES
    :param value: seconds, bytes or a number
    """
    if measure in ('requests', 'connections'):
        return '%d' % value
    if measure in _BYTES:
        return '%.1f MiB' % (value / 1024 ** 2)
    return '%.2f s' % value if value >= 1 else '%.0f ms' % (value * 1000)


def _budget_line(budget: dict[str, typing.Any], width: int) -> str:
    if budget['against'] is None:
        found = '%s, limit %s' % tuple(
            show(budget['measure'], budget[key]) for key in (
                'value', 'limit'))
    else:
        found = '%.2f of %s\'s, limit %.2f' % (
            budget['ratio'], budget['against'], budget['limit'])
    for key, text in _BESIDE:
        if budget[key]:
            found += text % (show(budget['measure'], budget[key]),
                             budget['why'])
    return '  %-6s  %-*s  %-16s  %s' % (
        'met' if budget['met'] else 'MISSED', width, budget['operation'],
        TITLES[budget['measure']], found)


def machine() -> dict[str, typing.Any]:
    """Return the facts about this machine."""
    return {'processor': _processor(), 'cpus': os.cpu_count(),
            'system': platform.platform()}


def _processor() -> str:
    for line in pathlib.Path('/proc/cpuinfo').read_text().splitlines():
        if line.startswith('model name'):
            return line.partition(':')[2].strip()
    return platform.machine()
