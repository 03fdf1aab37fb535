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

"""Tests of ./run_benchmarks.sh scale: options, fits, bends and tables."""

import contextlib
import io
import math
import pathlib
import typing

import fixtures as lib_fixtures
import testtools

from benchmarks.common import race as common_race
from benchmarks.scale import curves
from benchmarks.scale import figures
from benchmarks.scale import fits
from benchmarks.scale import options
from benchmarks.scale import race
from benchmarks.scale import tables

_PAGE = (pathlib.Path(__file__).resolve().parents[3] / 'doc' / 'source'
         / 'operator' / 'scale.rst')
_X = 1, 10, 100, 1000, 10000
_SLACK = 0.02


def _points(values: typing.Iterable[float], x: typing.Iterable[float] = _X
            ) -> list[fits.Point]:
    """Return points of three rounds that differ by 4 %."""
    return [fits.Point(one, (y, y * (1 - _SLACK), y * (1 + _SLACK)))
            for one, y in zip(x, values, strict=False)]


class FitTest(testtools.TestCase):
    """Lines, powers and bends."""

    def test_line_has_start_and_slope_whatever_their_sizes(self) -> None:
        line = fits.line(_points(0.004 + 9e-7 * x for x in _X))
        self.assertAlmostEqual(0.004, line.start)
        self.assertAlmostEqual(9e-7, line.slope)
        self.assertAlmostEqual(1, line.r2)
        self.assertAlmostEqual(0.0049, line.at(1000))

    def test_small_points_count_as_much_as_large_ones(self) -> None:
        values = [0.004 + 9e-7 * x for x in _X]
        values[-1] *= 1.05
        self.assertAlmostEqual(0.004, fits.line(_points(values)).start, 4)

    def test_straight_curve_does_not_bend(self) -> None:
        fit = fits.fit(_points(2 + 3 * x for x in _X))
        self.assertIsNone(fit.bend)
        self.assertIsNone(fit.after)
        self.assertAlmostEqual(1, fit.off)

    def test_noise_is_not_a_bend(self) -> None:
        noise = 1.08, 0.93, 1.0, 1.07, 0.94
        self.assertIsNone(fits.bend(_points(
            (2 + 3 * x) * one for x, one in zip(_X, noise, strict=True))))

    def test_wide_rounds_are_not_a_bend(self) -> None:
        points = _points(2 + 3 * x for x in _X)
        busy = fits.Point(_X[-1], (3e4, 6e4, 9e4))
        self.assertIsNone(fits.bend(points[:-1] + [busy]))
        self.assertEqual(4, fits.bend(points[:-1] + _points([6e4], _X[-1:])))

    def test_steeper_part(self) -> None:
        x = 1, 2, 4, 8, 16, 32, 64
        fit = fits.fit(_points(
            (10 + one if one <= 8 else 18 + 5 * (one - 8) for one in x), x))
        self.assertEqual(16, fit.bend)
        self.assertAlmostEqual(10, fit.line.start)
        self.assertAlmostEqual(1, fit.line.slope)
        self.assertAlmostEqual(5, fit.after.slope)
        self.assertAlmostEqual((18 + 5 * 56) / 74, fit.off)

    def test_flatter_part(self) -> None:
        x = 1, 2, 4, 8, 16, 32, 64
        self.assertEqual(5, fits.bend(_points(
            (3 * min(one, 16) for one in x), x)))

    def test_quadratic_curve_bends_and_has_its_exponent(self) -> None:
        fit = fits.fit(_points(x ** 2 for x in _X))
        self.assertEqual(_X[2], fit.bend)
        self.assertAlmostEqual(2, fit.power.exponent)
        self.assertAlmostEqual(1, fit.power.r2)
        self.assertAlmostEqual(2, fit.tail.exponent)

    def test_bend_at_the_third_point_leaves_no_line(self) -> None:
        fit = fits.fit(_points(x ** 2 for x in _X))
        self.assertIsNone(fit.line)
        self.assertIsNone(fit.off)

    def test_constant_curve(self) -> None:
        fit = fits.fit([fits.Point(x, (3.0,)) for x in _X])
        self.assertAlmostEqual(0, fit.line.slope)
        self.assertTrue(math.isnan(fit.line.r2))
        self.assertAlmostEqual(0, fit.power.exponent)

    def test_memory_below_the_floor_is_constant(self) -> None:
        points = _points([0, 4096, 65536, 131072, 900000])
        self.assertEqual(2, fits.bend(points))
        self.assertIsNone(fits.bend(points, 1024.0 ** 2))
        self.assertIsNotNone(fits.fit(points, 1024.0 ** 2).line)

    def test_few_points_have_no_fit(self) -> None:
        fit = fits.fit(_points([1, 2], _X[:2]))
        self.assertEqual((None,) * 6, tuple(fit))


class PatienceTest(testtools.TestCase):
    """Which peers are left out of a point."""

    @staticmethod
    def _found(**walls: list[float]) -> figures.Points:
        return {10 ** number: {
            name: [{'wall': values[number], 'memory': 0.0}]
            for name, values in walls.items() if number < len(values)}
            for number in range(max(map(len, walls.values())))}

    def test_first_point(self) -> None:
        self.assertEqual(0, race.expected({}, 'Nova', 10))

    def test_as_much_for_each(self) -> None:
        self.assertAlmostEqual(100, race.expected(
            self._found(Nova=[2, 10]), 'Nova', 100))

    def test_more_for_each_if_that_increases(self) -> None:
        self.assertAlmostEqual(600, race.expected(
            self._found(Nova=[1, 20]), 'Nova', 150))

    def test_left_out_for_good(self) -> None:
        self.assertEqual(float('inf'), race.expected(self._found(
            nova_image=[1, 2], Nova=[1]), 'Nova', 100))


class FiguresTest(testtools.TestCase):
    """Files, tables and plots."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(
            self.useFixture(lib_fixtures.TempDir()).path)

    @staticmethod
    def _figures(name: str = 'download', last: int = 10000
                 ) -> figures.Figures:
        def measures(x: int) -> dict[str, float]:
            return {'wall': 0.004 + 9e-7 * x, 'cpu': 0.001 * x ** 1.5,
                    'glance': 0.01, 'memory': 1.5 * 1024 ** 2}

        facts = {'machine': {'processor': 'P', 'cpus': 2}, 'load': 0.5,
                 'speeds': {'sha512': 1e9, 'disk': 1e9}, 'rounds': 1,
                 'versions': {'nova': '34.0.0'}}
        return figures.Figures(facts, {name: {
            x: {'nova_image': [measures(x)]} for x in _X if x <= last}})

    def test_file_keeps_the_figures(self) -> None:
        found, path = self._figures(), self.folder / 'a' / 'scale.json'
        found.write(path)
        again = figures.read(path)
        self.assertEqual(found.curves, again.curves)
        self.assertEqual(found.facts, again.facts)

    def test_no_figures(self) -> None:
        path = self.folder / 'scale.json'
        self.assertRaises(common_race.Broken, figures.read, path)
        path.write_text('{')
        self.assertRaises(common_race.Broken, figures.read, path)

    def test_added_points_replace_and_stay_sorted(self) -> None:
        found = figures.Figures({'a': 1, 'versions': {'x': '1'}}, {'list': {
            10: {'Nova': []}, 1000: {'Nova': []}}})
        found.add(figures.Figures({'b': 2, 'versions': {'y': '2'}}, {
            'list': {100: {'Nova': []}, 10: {}}, 'show': {}}))
        self.assertEqual([10, 100, 1000], list(found.curves['list']))
        self.assertEqual({}, found.curves['list'][10])
        self.assertEqual({'a': 1, 'b': 2, 'versions': {'x': '1', 'y': '2'}},
                         found.facts)

    def test_row(self) -> None:
        self.assertEqual(
            ('nova_image: time', '4.00 ms + 900 ns per MiB', '1.000', '–',
             '–', '0.11', '9 GiB: 13.0 ms (1.00 of the line)'),
            tables.row(self._figures(), 'download', 'nova_image', 'wall'))

    def test_row_with_a_bend(self) -> None:
        cells = tables.row(self._figures('list'), 'list', 'nova_image', 'cpu')
        self.assertEqual('100', cells[3])
        self.assertEqual('1.50, 1.50', cells[5])

    def test_quantity(self) -> None:
        for measure, value, expected in (
                ('wall', 0, '0 ns'), ('wall', 4.1e-3, '4.10 ms'),
                ('wall', 0.9999, '1.00 s'), ('cpu', 1234.5, '1234 s'),
                ('memory', 1536, '1.50 KiB'), ('memory', -1536, '−1.50 KiB'),
                ('memory', 2 ** 30, '1.00 GiB')):
            self.assertEqual(expected, tables.quantity(measure, value))

    def test_rst_has_what_the_page_includes(self) -> None:
        text = tables.rst(self._figures())
        self.assertIn('.. begin download\n', text)
        self.assertIn('.. end machine\n', text)

    def test_page_includes_all_curves(self) -> None:
        page = _PAGE.read_text()
        for name in ('machine', *curves.CURVES):
            self.assertIn(':start-after: .. begin %s\n' % name, page)
            self.assertIn(':end-before: .. end %s\n' % name, page)

    def test_plots(self) -> None:
        try:
            from benchmarks.scale import charts
        except ImportError as error:
            self.skipTest('%s. Run: ./run_benchmarks.sh scale --help' % error)
        drawn = charts.draw(self._figures(), self.folder)
        self.assertEqual([self.folder / 'scale-download.png'], drawn)
        self.assertGreater(drawn[0].stat().st_size, 1000)


class OptionsTest(testtools.TestCase):
    """The command line."""

    def _refused(self, *argv: str) -> str:
        with contextlib.redirect_stderr(io.StringIO()) as said:
            self.assertRaises(SystemExit, options.parse, list(argv))
        return said.getvalue()

    def test_defaults(self) -> None:
        arguments = options.parse([])
        self.assertEqual(list(curves.CURVES), arguments.only)
        self.assertEqual(1024 ** 3, arguments.max_size)
        self.assertEqual(['Nova', 'glanceclient', 'curl'], arguments.peers)

    def test_chosen_curves_keep_their_order(self) -> None:
        arguments = options.parse(['--only', 'list,show'])
        self.assertEqual(['show', 'list'], arguments.only)

    def test_refused(self) -> None:
        self.assertIn('unknown curves: lists',
                      self._refused('--only', 'lists,show'))
        self.assertIn('unknown peers: cp', self._refused('--peers', 'cp'))
        self.assertIn('more than one', self._refused('--max-size', '1M,2M'))
        self._refused('--max-images', '0')

    def test_page_names_the_files_of_the_documentation(self) -> None:
        arguments = options.parse(['--page'])
        self.assertEqual(_PAGE.with_name('scale-fits.txt'), arguments.rst)
        self.assertEqual(_PAGE.with_name('pictures'), arguments.plots)

    def test_points_within_the_limits(self) -> None:
        limits = curves.Limits(1000, 64 * 1024 ** 2, 2)
        found = {name: curve.within(limits)
                 for name, curve in curves.CURVES.items()}
        self.assertEqual([10, 30, 100, 300, 1000], found['list'])
        self.assertEqual([1, 4, 16, 64], found['download'])
        self.assertEqual([1, 2], found['downloads'])
        self.assertEqual([1, 2], found['shows'])
        self.assertEqual(1000, found['show'][-1])
