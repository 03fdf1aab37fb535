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

"""Plots the figures as bars, one chart for each operation and measure."""

import collections.abc
import dataclasses
import math
import pathlib
import typing

import matplotlib
from matplotlib import axes as mpl_axes
from matplotlib import layout_engine
from matplotlib import pyplot

from benchmarks.common import results

_COLOURS = {'nova_image': '#0b6e4f', 'Nova': '#c8553d',
            'glanceclient': '#8d99ae', 'openstacksdk': '#c9ced9',
            'openstackclient': '#c9ced9'}
#: Programs that are not image clients.
_OTHERS = '#e0b35c'
_INK, _PALE = '#22272e', '#6b7480'
_HEIGHT = 0.74
#: The width of a label as a share of the column's width.
_LABEL = 0.37
#: Inches: the width of a chart, the height of a bar, the space around bars.
_WIDTH, _BAR, _SPACE = 3.5, 0.34, 0.94


@dataclasses.dataclass(frozen=True)
class Row:
    """Charts of the same contenders, side by side.

    ``cells`` are pairs of an operation's name and a measure, or None for an
    empty cell; at least one is a pair.
    """

    title: str
    cells: tuple[tuple[str, str] | None, ...]

    def names(self, found: results.Results) -> list[str]:
        """Return the contenders."""
        return found.names(next(cell[0] for cell in self.cells if cell))


@dataclasses.dataclass(frozen=True)
class Layout:
    """The layout of a plot.

    ``columns`` are the headings of the rows' cells.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def measures_of_each(
        found: results.Results, title: str,
        measures: collections.abc.Sequence[str] | None = None) -> Layout:
    """Return a row for each operation and a column for each measure.

    :param measures: those of the columns; all of the results if None
    """
    chosen = measures or found.measures
    return Layout(
        title, tuple(results.capitalized(results.TITLES[measure])
                     for measure in chosen),
        tuple(Row(operation.title, tuple(
            (name, measure) for measure in chosen))
            for name, operation in found.operations.items()))


def draw(found: results.Results, facts: dict[str, typing.Any],
         layout: Layout, path: pathlib.Path) -> None:
    """Plot the figures of a run.

    :param found: the figures
    :param facts: machine, versions, rounds
    :param layout: the figures to plot, and where
    :param path: the file to create; its suffix selects the format
    """
    matplotlib.use('agg')
    bars = [len(row.names(found)) for row in layout.rows]
    heights = [_BAR * number + _SPACE for number in bars]
    height = 1.2 + sum(heights)
    figure, grid = pyplot.subplots(
        len(layout.rows), len(layout.columns), squeeze=False,
        figsize=(_WIDTH * len(layout.columns), height),
        height_ratios=heights, layout=layout_engine.ConstrainedLayoutEngine(
            w_pad=0.12, h_pad=0.12,
            rect=(0, 0.4 / height, 1, 1 - 1.2 / height)))
    for axes_row, row in zip(grid, layout.rows, strict=True):
        for axes, cell in zip(axes_row, row.cells, strict=True):
            if cell:
                _bars(axes, found, *cell)
            else:
                axes.set_axis_off()
        _name_row(axes_row[0], row.names(found), row.title)
    for axes, title in zip(grid[0], layout.columns, strict=True):
        axes.annotate(title, (0, 1), (0, 28), xycoords='axes fraction',
                      textcoords='offset points', fontsize=12,
                      fontweight='bold', color=_INK)
    _captions(figure, facts, layout.title, found.standards())
    figure.savefig(path, dpi=150, facecolor='white')
    pyplot.close(figure)


def _bars(axes: mpl_axes.Axes, found: results.Results, operation: str,
          measure: str) -> None:
    names = found.names(operation)
    values = [found.median(operation, name, measure) for name in names]
    axes.barh(range(len(values)), values, _HEIGHT,
              color=[_COLOURS.get(name, _OTHERS) for name in names])
    limits = found.limits(operation, measure)
    _mark_budgets(axes, limits)
    right = (max([*values, *limits]) or 1) * 1.62
    for place, (name, value) in enumerate(zip(names, values, strict=True)):
        end = value
        if name == results.OURS:  # its label is to the right of the budgets
            for limit in sorted(limits):
                if end <= limit < end + _LABEL * right:
                    end = limit
        label = ' ' + results.show(measure, value)
        ratio = found.ratio(operation, name, measure)
        if (name != found.operations[operation].standard
                and not math.isnan(ratio)):
            label += '  %.2f×' % ratio
        axes.text(end, place, label, va='center', fontsize=9, color=_INK,
                  fontweight='bold' if name == results.OURS else 'normal')
    axes.set_xlim(0, right)
    axes.set_xticks([])
    axes.set_ylim(len(values) - 0.5, -0.5)
    axes.spines[['top', 'right', 'bottom']].set_visible(False)
    axes.spines['left'].set_color(_PALE)
    axes.tick_params(length=0, colors=_INK)
    axes.set_yticks([])


def _mark_budgets(axes: mpl_axes.Axes, limits: list[float]) -> None:
    """Draw the limits of our bar as dashed lines."""
    for limit in limits:
        axes.plot([limit, limit], [-0.47, 0.47], color=_INK,
                  linewidth=1.6, linestyle=(0, (2, 1)))


def _name_row(axes: mpl_axes.Axes, names: list[str], title: str) -> None:
    axes.set_yticks(range(len(names)), names, fontsize=10)
    for label in axes.get_yticklabels():
        if label.get_text() == results.OURS:
            label.set_fontweight('bold')
    axes.annotate(results.capitalized(title), (0, 1), (0, 5),
                  xycoords='axes fraction', textcoords='offset points',
                  fontsize=11, color=_INK)


def _captions(figure: typing.Any, facts: dict[str, typing.Any], title: str,
              standards: str) -> None:
    width, height = figure.get_size_inches()

    def write(top: float, text: str, **style: typing.Any) -> None:
        figure.text(0.17 / width, 1 - top / height, text, va='top', **style)

    write(0.16, title, fontsize=15, fontweight='bold', color=_INK)
    write(0.54, 'Shorter is better. ×: ratio to %s. Dashed: budget. '
          'Medians, rounds: %d.' % (
              standards.replace('Nova\'s', 'Nova 34\'s'), facts['rounds']),
          fontsize=10, color=_PALE)
    machine, versions = facts['machine'], facts['versions']
    write(height - 0.24, '%s, %d CPUs. %s.' % (
        machine['processor'], machine['cpus'],
        ', '.join('%s %s' % item for item in versions.items())),
        fontsize=8, color=_PALE)
