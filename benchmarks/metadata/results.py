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

"""What came out: medians, ratios, budgets, as a table and as JSON."""

import dataclasses
import os
import pathlib
import platform
import statistics
import typing

from benchmarks.metadata import race

#: Whom the ratios are against, and whom the budgets are for.
STANDARD = 'Nova'
OURS = 'nova_image'


@dataclasses.dataclass(frozen=True)
class Budget:
    """What one measure of ours may be at the most, of the standard's."""

    operation: str
    measure: str
    limit: float


#: Those of the project's design.
BUDGETS = (
    Budget('show', 'wall', 0.65),
    Budget('show', 'cpu', 0.5),
    Budget('detail', 'cpu', 0.1),
)
_TITLES = {'wall': 'wall clock', 'cpu': 'client CPU', 'requests': 'requests',
           'memory': 'memory over idle'}
_WIDTH = 14


class Results:
    """The measures of a run.

    :ivar operations: name -> title
    :ivar found: operation -> contender -> measures of each round
    """

    def __init__(self, tasks: list[race.Operation],
                 found: dict[str, dict[str, list[race.Measures]]]) -> None:
        """Take the measures of a run.

        :param tasks: what was measured
        :param found: what Race.run returned
        """
        self.operations = {task.name: task.title for task in tasks}
        self.found = found

    def median(self, operation: str, name: str, measure: str) -> float:
        """Return the median of a contender's rounds."""
        return statistics.median(
            measures[measure] for measures in self.found[operation][name])

    def ratio(self, operation: str, name: str, measure: str) -> float:
        """Return a contender's median in terms of the standard's."""
        of_standard = self.median(operation, STANDARD, measure)
        mine = self.median(operation, name, measure)
        return mine / of_standard if of_standard else float('nan')

    def budgets(self) -> list[dict[str, typing.Any]]:
        """Return each budget, the ratio it is about, and whether it is met."""
        return [dataclasses.asdict(budget) | {'ratio': ratio,
                                              'met': ratio <= budget.limit}
                for budget in BUDGETS
                for ratio in [self.ratio(budget.operation, OURS,
                                         budget.measure)]]

    def as_json(self) -> dict[str, typing.Any]:
        """Return everything, for a file."""
        return {
            'operations': {operation: {
                'title': title, 'contenders': {
                    name: self._of(operation, name) for name in race.NAMES}}
                for operation, title in self.operations.items()},
            'budgets': self.budgets(),
        }

    def _of(self, operation: str, name: str) -> dict[str, typing.Any]:
        return {
            'median': {measure: self.median(operation, name, measure)
                       for measure in race.MEASURES},
            'ratio': {measure: self.ratio(operation, name, measure)
                      for measure in race.MEASURES},
            'rounds': self.found[operation][name],
        }

    def table(self) -> str:
        """Return the figures for a terminal."""
        lines = []
        for operation, title in self.operations.items():
            lines += ['', title[0].upper() + title[1:]]
            lines.append('  %-14s' % '' + ''.join(
                '%*s' % (_WIDTH + 8, _TITLES[measure])
                for measure in race.MEASURES))
            lines += [self._line(operation, name) for name in race.NAMES]
        lines += ['', 'In brackets: how many times %s\'s.' % STANDARD, '',
                  'Budgets']
        lines += [_budget_line(budget) for budget in self.budgets()]
        return '\n'.join(lines)

    def _line(self, operation: str, name: str) -> str:
        return '  %-14s' % name + ''.join(
            '%*s %s' % (_WIDTH, show(
                measure, self.median(operation, name, measure)),
                '(%.2f)'.rjust(8) % self.ratio(operation, name, measure))
            for measure in race.MEASURES)


def show(measure: str, value: float) -> str:
    """Return a value with its unit.

    :param measure: one of race.MEASURES
    :param value: seconds, bytes or a number
    """
    if measure == 'requests':
        return '%d' % value
    if measure == 'memory':
        return '%.1f MiB' % (value / 1024 ** 2)
    return '%.2f s' % value if value >= 1 else '%.0f ms' % (value * 1000)


def _budget_line(budget: dict[str, typing.Any]) -> str:
    return '  %-6s  %-6s  %-10s  %.2f of %s\'s, at the most %.2f' % (
        'met' if budget['met'] else 'MISSED', budget['operation'],
        _TITLES[budget['measure']], budget['ratio'], STANDARD,
        budget['limit'])


def machine() -> dict[str, typing.Any]:
    """Return what it was measured on."""
    return {'processor': _processor(), 'cpus': os.cpu_count(),
            'system': platform.platform()}


def _processor() -> str:
    for line in pathlib.Path('/proc/cpuinfo').read_text().splitlines():
        if line.startswith('model name'):
            return line.partition(':')[2].strip()
    return platform.machine()
