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

"""The plots of the curves, with the fitted lines."""

import io
import pathlib
import typing

import matplotlib
from matplotlib import axes as mpl_axes
from matplotlib import pyplot
from matplotlib import ticker
from PIL import Image

from benchmarks.common import results
from benchmarks.scale import curves
from benchmarks.scale import figures
from benchmarks.scale import fits
from benchmarks.scale import tables

_INK, _PALE = '#22272e', '#6b7480'
_COLOURS = {'nova_image': '#0b6e4f', 'Nova': '#c8553d',
            'glanceclient': '#8d99ae', 'openstacksdk': '#b39bc8',
            'curl': '#e0b35c'}
_SIZE, _DPI, _SHADES = (12.6, 4.2), 100, 128
_TITLES = {'wall': 'Time', 'cpu': 'CPU of the client',
           'memory': 'Memory over idle'}
# The range of an axis that needs more ticks than its powers of ten.
_FEW = 300
# The number of parts of a drawn line, which is curved on logarithmic axes.
_STEPS = 200
# The factor between the values and the ends of an axis.
_MARGIN = 1.35
# Less memory is drawn as this much.
_LEAST = 64 * 1024


def draw(found: figures.Figures, folder: pathlib.Path) -> list[pathlib.Path]:
    """Plot all curves.

    :param found: the figures
    :param folder: the folder for the files ``scale-NAME.png``
    :returns: the files
    """
    matplotlib.use('agg')
    return [_draw(found, name, folder / ('scale-%s.png' % name))
            for name in curves.CURVES if found.curves.get(name)]


def _draw(found: figures.Figures, name: str, path: pathlib.Path
          ) -> pathlib.Path:
    curve = curves.CURVES[name]
    figure, charts = pyplot.subplots(
        1, len(_TITLES), figsize=_SIZE, layout='constrained')
    figure.suptitle(curve.title, x=0.012, ha='left', fontsize=13,
                    fontweight='bold', color=_INK)
    for axes, measure in zip(charts, _TITLES, strict=True):
        _frame(axes, found, curve, measure)
        for contender in reversed(found.names(name)):  # ours is on top
            _curve(axes, found, name, contender, measure)
        _limit(axes, found, name, measure)
    handles, labels = charts[0].get_legend_handles_labels()
    charts[0].legend(handles[::-1], labels[::-1], frameon=False,
                     labelcolor=_INK, fontsize=9)
    picture = io.BytesIO()
    figure.savefig(picture, dpi=_DPI, facecolor='white')
    pyplot.close(figure)
    # A third of the size: the plots are in the repository.
    Image.open(picture).convert('RGB').quantize(
        _SHADES, dither=Image.Dither.NONE).save(path, optimize=True)
    return path


def _frame(axes: mpl_axes.Axes, found: figures.Figures, curve: curves.Curve,
           measure: str) -> None:
    axes.set_title(_TITLES[measure], loc='left', fontsize=11, color=_INK)
    axes.set_xscale('log')
    axes.set_yscale('log')
    axes.spines[['top', 'right']].set_visible(False)
    axes.grid(color='#e4e7eb', linewidth=0.7)
    axes.tick_params(colors=_INK, labelsize=9)
    axes.set_xlabel(curve.axis, color=_PALE)
    places = list(found.curves[curve.name])
    shown, last = places, places[-1]
    if len(places) > 8:  # their labels would overlap
        shown = [x for x in places if x == last or (
            str(x)[0] == '1' and 3 * x <= last)]
    axes.set_xticks(shown, [_short(x, curve) for x in shown])
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    axes.yaxis.set_major_formatter(ticker.FuncFormatter(
        lambda value, _: _tick(measure, value)))
    axes.yaxis.set_minor_formatter(ticker.NullFormatter())


def _limit(axes: mpl_axes.Axes, found: figures.Figures, curve: str,
           measure: str) -> None:
    """Show all values, whatever the lines do, with round ticks."""
    values = [max(value, _least(measure)) for name in found.names(curve)
              for point in found.points(curve, name, measure)
              for value in point.values]
    bottom, top = min(values) / _MARGIN, max(values) * _MARGIN
    axes.set_ylim(bottom, top)
    if measure == 'memory':
        places = ticker.LogLocator(base=4, numticks=12)
    else:
        places = ticker.LogLocator(
            subs=(1.0, 2.0, 5.0) if top / bottom < _FEW else (1.0,),
            numticks=12)
    axes.yaxis.set_major_locator(places)
    axes.yaxis.set_minor_locator(ticker.NullLocator())


def _least(measure: str) -> float:
    return _LEAST if measure == 'memory' else 1e-6


def _short(x: int, curve: curves.Curve) -> str:
    if curve.unit == 'MiB':
        return '%dG' % (x // 1024) if x >= 1024 else str(x)
    return '%dk' % (x // 1000) if x >= 10000 else str(x)


def _tick(measure: str, value: float) -> str:
    number, unit = tables.quantity(measure, value).split()
    return '%g %s' % (float(number.replace('−', '-')), unit)


def _curve(axes: mpl_axes.Axes, found: figures.Figures, curve: str,
           name: str, measure: str) -> None:
    """Draw the points, their spread, the fitted lines and the bend."""
    points = found.points(curve, name, measure)
    least = _least(measure)
    x = [point.x for point in points]
    y = [max(point.y, least) for point in points]
    style: dict[str, typing.Any] = {
        'color': _COLOURS[name], 'zorder': 3 if name == results.OURS else 2}
    axes.vlines(x, [max(min(point.values), least) for point in points],
                [max(*point.values, least) for point in points],
                linewidth=1.2, **style)
    axes.plot(x, y, linestyle='', marker='o', markersize=4.5, label=name,
              **style)
    fit = fits.fit(points, figures.FLOORS[measure])
    bend = len(x) if fit.bend is None else x.index(fit.bend)
    if fit.line:
        _line(axes, fit.line, x[0], x[-1], '-', least, x[bend - 1], style)
    if fit.after:
        _line(axes, fit.after, x[bend - 1], x[-1], '--', least, x[-1], style)
    if fit.bend is not None:
        axes.plot([fit.bend], [y[bend]], linestyle='', marker='o',
                  markersize=10, markerfacecolor='none', **style)


def _line(axes: mpl_axes.Axes, line: fits.Line, first: float, last: float,
          dash: str, least: float, solid: float,
          style: dict[str, typing.Any]) -> None:
    """Draw a line, and dotted where it only continues past its points."""
    steps = [first * (last / first) ** (number / _STEPS)
             for number in range(_STEPS + 1)]
    for one, width, part in (
            (dash, 1.4, [x for x in steps if x <= solid * 1.001]),
            (':', 1.0, [x for x in steps if x >= solid * 0.999])):
        visible = [x for x in part if line.at(x) > least]
        axes.plot(visible, [line.at(x) for x in visible], one,
                  linewidth=width, **style)
