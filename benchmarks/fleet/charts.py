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

"""The plots of the page about large fleets."""

import pathlib
import typing

import matplotlib
from matplotlib import axes as mpl_axes
from matplotlib import figure as mpl_figure
from matplotlib import pyplot

from benchmarks.fleet import scenarios

_INK, _PALE = '#22272e', '#6b7480'
_COLOURS = ('#0b6e4f', '#c8553d', '#e0b35c', '#8d99ae')
_SIZE = 7.2, 4.0


def _figure(title: str) -> tuple[mpl_figure.Figure, mpl_axes.Axes]:
    matplotlib.use('agg')
    # The same figures give the same file; texts remain texts.
    matplotlib.rcParams.update({'svg.hashsalt': 'fleet',
                                'svg.fonttype': 'none',
                                'font.family': 'sans-serif'})
    figure, axes = pyplot.subplots(figsize=_SIZE, layout='constrained')
    axes.set_title(title, loc='left', fontsize=12, color=_INK)
    axes.spines[['top', 'right']].set_visible(False)
    axes.grid(color='#e4e7eb', linewidth=0.7)
    axes.tick_params(colors=_INK)
    return figure, axes


def _save(figure: mpl_figure.Figure, path: pathlib.Path) -> None:
    figure.savefig(path, facecolor='white', metadata={'Date': None})
    pyplot.close(figure)


def fleets(found: dict[tuple[int, int], dict[str, typing.Any]],
           path: pathlib.Path) -> None:
    """Plot the rate of fleets of all sizes, for Glances of all sizes."""
    figure, axes = _figure('Images per hour, three targets')
    for cores, colour in zip(scenarios.SIZES, _COLOURS, strict=False):
        points = [(workers, scenarios.per_hour(found[cores, workers]))
                  for workers in scenarios.FLEETS]
        axes.plot(*zip(*points, strict=True), color=colour, marker='o',
                  markersize=4)
        axes.annotate(
            '%d processors,\n%d Gbit/s' % (cores, cores / 16 * 25),
            points[-1], (8, 0), textcoords='offset points', va='center',
            color=colour, fontsize=9)
    axes.set_xscale('log')
    axes.set_yscale('log')
    axes.set_xticks(scenarios.FLEETS, [
        str(workers) for workers in scenarios.FLEETS])
    axes.minorticks_off()
    axes.set_yticks(*_ticks([
        scenarios.per_hour(one) for one in found.values()]))
    axes.set_xlim(0.9, scenarios.FLEETS[-1] * 3.4)
    axes.set_xlabel('workers, of 4 transfers and 10 Gbit/s each',
                    color=_PALE)
    _save(figure, path)


def _ticks(found: list[float]) -> tuple[list[float], list[str]]:
    """Return ticks of a logarithmic axis, and their texts."""
    ticks = [float(base * 10 ** power) for power in range(1, 7)
             for base in (1, 2, 5)
             if min(found) / 1.6 <= base * 10 ** power <= max(found) * 1.6]
    return ticks, ['{:,.0f}'.format(one).replace(',', '\u2009')
                   for one in ticks]


def progress(found: dict[str, dict[str, typing.Any]],
             path: pathlib.Path) -> None:
    """Plot the progress of the scenarios that copy."""
    copying = {name: one for name, one in found.items() if one['curve']}
    first = next(iter(copying.values()))['setup']
    figure, axes = _figure('Data copied to %d targets' % first['targets'])
    colours: dict[str, str] = {}
    for one in copying.values():
        setup = one['setup']
        text = '%d workers' % setup['workers']
        if setup['slow'] > 1:
            text += ', one slow target'
        colour = colours.setdefault(text, _COLOURS[len(colours)])
        lost = sum(loss['count'] for loss in setup['losses'])
        hours = [0.0, one['planned'] / 3600] + [
            when / 3600 for when, _ in one['curve']]
        axes.plot(hours, [0.0, 0.0] + [100 * share for _, share in
                                       one['curve']],
                  color=_INK if lost else colour,
                  label=text + (', %d of them lost' % lost if lost else ''),
                  linewidth=1.2 if lost else 2.6,
                  linestyle='--' if lost else '-')
        axes.plot([when / 3600 for when in one['lost_at']],
                  [100 * loss['when'] for loss in setup['losses']],
                  color=_INK, marker='o', markersize=5, linestyle='')
    axes.legend(frameon=False, loc='lower right', labelcolor=_INK)
    axes.set_xlabel('hours since the begin', color=_PALE)
    axes.set_ylabel('per cent of the data', color=_PALE)
    axes.set_ylim(0, 102)
    axes.set_xlim(0, None)
    _save(figure, path)
