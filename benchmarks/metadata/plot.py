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

"""Draws the figures: bars in groups, one picture for each measure."""

import pathlib
import typing

import matplotlib
from matplotlib import axes as mpl_axes
from matplotlib import pyplot

from benchmarks.metadata import race
from benchmarks.metadata import results

_MEASURES = {
    'wall': 'Wall clock', 'cpu': 'Client CPU',
    'requests': 'Requests', 'memory': 'Memory over idle'}
_COLOURS = {'nova_image': '#0b6e4f', 'Nova': '#c8553d',
            'glanceclient': '#8d99ae', 'openstacksdk': '#c9ced9'}
_INK, _PALE = '#22272e', '#6b7480'
_HEIGHT = 0.74


def draw(found: results.Results, facts: dict[str, typing.Any],
         path: pathlib.Path) -> None:
    """Draw the figures of a run.

    :param found: the figures
    :param facts: machine, versions, rounds
    :param path: the file to make; its suffix says the format
    """
    matplotlib.use('agg')
    rows = list(found.operations)
    figure, grid = pyplot.subplots(
        len(rows), len(_MEASURES), squeeze=False,
        figsize=(14, 1.2 + 2.3 * len(rows)), layout='constrained')
    figure.get_layout_engine().set(
        w_pad=0.12, h_pad=0.12, rect=(0, 0.05, 1, 0.84))
    for row, operation in zip(grid, rows, strict=True):
        for axes, measure in zip(row, _MEASURES, strict=True):
            _bars(axes, found, operation, measure)
        _name_row(row[0], found.operations[operation])
    for axes, title in zip(grid[0], _MEASURES.values(), strict=True):
        axes.text(0, 1.28, title, transform=axes.transAxes, fontsize=12,
                  fontweight='bold', color=_INK)
    _captions(figure, facts)
    figure.savefig(path, dpi=150, facecolor='white')
    pyplot.close(figure)


def _bars(axes: mpl_axes.Axes, found: results.Results, operation: str,
          measure: str) -> None:
    values = [found.median(operation, name, measure) for name in race.NAMES]
    axes.barh(range(len(values)), values, _HEIGHT,
              color=[_COLOURS[name] for name in race.NAMES])
    limit = _mark_budget(axes, found, operation, measure)
    for place, (name, value) in enumerate(
            zip(race.NAMES, values, strict=True)):
        end = max(value, limit) if name == results.OURS else value
        ratio = found.ratio(operation, name, measure)
        label = ' ' + results.show(measure, value)
        if name != results.STANDARD:
            label += '  %.2f×' % ratio
        axes.text(end, place, label, va='center', fontsize=9, color=_INK,
                  fontweight='bold' if name == results.OURS else 'normal')
    axes.set_xlim(0, (max(values) or 1) * 1.62)
    axes.set_xticks([])
    axes.invert_yaxis()
    axes.spines[['top', 'right', 'bottom']].set_visible(False)
    axes.spines['left'].set_color(_PALE)
    axes.tick_params(length=0, colors=_INK)
    axes.set_yticks([])


def _mark_budget(axes: mpl_axes.Axes, found: results.Results,
                 operation: str, measure: str) -> float:
    """Draw how long our bar may be, and return it; 0 without a budget."""
    for budget in results.BUDGETS:
        if (budget.operation, budget.measure) == (operation, measure):
            limit = budget.limit * found.median(
                operation, results.STANDARD, measure)
            axes.plot([limit, limit], [-0.47, 0.47], color=_INK,
                      linewidth=1.6, linestyle=(0, (2, 1)))
            return limit
    return 0


def _name_row(axes: mpl_axes.Axes, title: str) -> None:
    axes.set_yticks(range(len(race.NAMES)), race.NAMES, fontsize=10)
    for label in axes.get_yticklabels():
        if label.get_text() == results.OURS:
            label.set_fontweight('bold')
    axes.text(0, 1.05, title[0].upper() + title[1:],
              transform=axes.transAxes, fontsize=11, color=_INK)


def _captions(figure: typing.Any, facts: dict[str, typing.Any]) -> None:
    figure.suptitle(
        'Image metadata: nova_image and its peers on one Glance 33',
        x=0.012, y=0.98, ha='left', fontsize=15, fontweight='bold',
        color=_INK)
    figure.text(
        0.012, 0.925, 'Shorter is better. ×: how many times Nova 34\'s. '
        'Dashed: the budget. Medians, rounds: %d.' % facts['rounds'],
        fontsize=10, color=_PALE)
    machine, versions = facts['machine'], facts['versions']
    figure.text(0.012, 0.015, '%s, %d CPUs. %s.' % (
        machine['processor'], machine['cpus'],
        ', '.join('%s %s' % item for item in versions.items())),
        fontsize=8, color=_PALE)
