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

"""The fits as tables, for a terminal and for the documentation."""

import math

from benchmarks.scale import curves
from benchmarks.scale import figures
from benchmarks.scale import fits

_SECONDS = (1.0, 's'), (1e-3, 'ms'), (1e-6, 'µs'), (1e-9, 'ns')
_UNITS = {
    'wall': _SECONDS, 'cpu': _SECONDS, 'glance': _SECONDS,
    'memory': ((1024.0 ** 3, 'GiB'), (1024.0 ** 2, 'MiB'), (1024.0, 'KiB'),
               (1.0, 'B')),
}
_WHAT = {'wall': 'time', 'cpu': 'CPU', 'glance': 'CPU of Glance',
         'memory': 'memory'}
_HEADS = ('Client', 'Cost', 'R²', 'Bends at', 'From there', 'Exponent',
          'Largest point')
_WIDTHS = (27, 34, 8, 10, 34, 10, 34)
_MIB = 1024 ** 2


def quantity(measure: str, value: float) -> str:
    """Return a value with its unit, and two or three digits.

    :param measure: one of figures.FLOORS
    :param value: seconds or bytes
    """
    units = _UNITS[measure]
    factor, unit = next(
        (one for one in units if abs(value) >= 0.9995 * one[0]), units[-1])
    number = value / factor
    digits = max(0, 2 - int(math.floor(math.log10(abs(number))))) if (
        number) else 0
    return '%s%.*f %s' % ('−' if number < 0 else '', min(digits, 2),
                          abs(number), unit)


def cost(line: fits.Line | None, measure: str, unit: str) -> str:
    """Return the formula of a line: ``4.10 ms + 0.90 µs per property``."""
    if line is None:
        return '–'
    return '%s %s %s per %s' % (
        quantity(measure, line.start), '−' if line.slope < 0 else '+',
        quantity(measure, abs(line.slope)), unit)


def amount(curve: str, x: float) -> str:
    """Return a place on the axis of a curve: ``1 GiB``, ``20 000``."""
    if curves.CURVES[curve].unit == 'MiB':
        return '%d GiB' % (x / 1024) if x >= 1024 else '%d MiB' % x
    return '{:,.0f}'.format(x).replace(',', '\N{NO-BREAK SPACE}')


def _r2(line: fits.Line | None) -> str:
    return ('–' if line is None or math.isnan(line.r2)
            else '%.3f' % line.r2)


def row(found: figures.Figures, curve: str, name: str, measure: str
        ) -> tuple[str, ...]:
    """Return the cells of a contender's fit."""
    points = found.points(curve, name, measure)
    fit = fits.fit(points, figures.FLOORS[measure])
    unit = curves.CURVES[curve].unit
    exponent = '–' if fit.power is None else '%.2f' % fit.power.exponent
    if fit.tail is not None:
        exponent += ', %.2f' % fit.tail.exponent
    last = '%s: %s' % (amount(curve, points[-1].x),
                       quantity(measure, points[-1].y))
    if fit.off is not None:
        last += ' (%.2f of the line)' % fit.off
    return ('%s: %s' % (name, _WHAT[measure]),
            cost(fit.line, measure, unit), _r2(fit.line),
            '–' if fit.bend is None else amount(curve, fit.bend),
            cost(fit.after, measure, unit), exponent, last)


def rows(found: figures.Figures, curve: str) -> list[tuple[str, ...]]:
    """Return the cells of all fits of a curve."""
    return [row(found, curve, name, measure) for measure in figures.FLOORS
            for name in found.names(curve)]


def text(found: figures.Figures) -> str:
    """Return the tables for a terminal."""
    lines = machine(found)
    for curve in _measured(found):
        lines += ['', curves.CURVES[curve].title]
        for cells in (_HEADS, *rows(found, curve)):
            lines.append('  ' + ' '.join(
                cell.ljust(width) for cell, width in zip(
                    cells, _WIDTHS, strict=True)).rstrip())
    return '\n'.join(lines)


def machine(found: figures.Figures) -> list[str]:
    """Return the facts about the machine and the programs."""
    facts = found.facts
    return [
        '%s, %d CPUs, %.1f processes ready to run at the start.' % (
            facts['machine']['processor'], facts['machine']['cpus'],
            facts['load']),
        'SHA-512 on one core: %.0f MiB/s; write and fsync: %.0f MiB/s.' % (
            facts['speeds']['sha512'] / _MIB, facts['speeds']['disk'] / _MIB),
        '%s; medians of %d rounds.' % (', '.join(
            '%s %s' % item for item in facts['versions'].items()),
            facts['rounds'])]


def rst(found: figures.Figures) -> str:
    """Return the tables for the documentation.

    Each part is between ``.. begin NAME`` and ``.. end NAME``, so that a page
    can include it. The names are those of the curves, and ``machine``.
    """
    lines = ['.. Written by ./run_benchmarks.sh scale --page', '']
    lines += _part('machine', ['| ' + line for line in machine(found)])
    for curve in _measured(found):
        lines += _part(curve, _table([_HEADS, *rows(found, curve)]))
    return '\n'.join(lines) + '\n'


def _measured(found: figures.Figures) -> list[str]:
    return [name for name in curves.CURVES if found.curves.get(name)]


def _part(name: str, lines: list[str]) -> list[str]:
    return ['.. begin %s' % name, '', *lines, '', '.. end %s' % name, '']


def _table(table: list[tuple[str, ...]]) -> list[str]:
    lines = ['.. list-table::', '   :header-rows: 1', '   :class: wide', '']
    for cells in table:
        for number, cell in enumerate(cells):
            lines.append('   %s %s' % ('* -' if number == 0 else '  -', cell))
    return lines
