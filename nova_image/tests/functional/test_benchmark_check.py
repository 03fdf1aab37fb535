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

"""Tests of ./run_benchmarks.sh check: which ratios are reported as worse."""

import pathlib
import typing

import fixtures as lib_fixtures
import testtools

from benchmarks.check import compare
from benchmarks.common import confidence

_ROOT = pathlib.Path(__file__).resolve().parents[3]


def _figures(ours: list[float], peer: list[float]) -> dict[str, typing.Any]:
    """Return the JSON of a benchmark whose wall clock is given per round."""
    def rounds(values: list[float]) -> dict[str, typing.Any]:
        return {'rounds': [{'wall': value, 'cpu': 0.0, 'requests': 2.0}
                           for value in values]}

    return {'operations': {'show': {'standard': 'Nova', 'contenders': {
        'nova_image': rounds(ours), 'Nova': rounds(peer),
        'glanceclient': rounds(peer)}}}}


def _ratios(ours: list[float], peer: list[float]
            ) -> dict[str, confidence.Ratio]:
    return dict(compare.ratios_of(
        'metadata', _figures(ours, peer), ('nova_image',)))


class RatiosTest(testtools.TestCase):
    """Ratios and their intervals."""

    def test_only_ours_and_no_ratio_to_zero(self) -> None:
        self.assertEqual(
            {'metadata/show/nova_image/requests',
             'metadata/show/nova_image/wall'},
            _ratios([1, 1, 1], [2, 2, 2]).keys())

    def test_rounds_are_compared_in_pairs(self) -> None:
        # Other load doubles the time of a round for both.
        ratio = _ratios([1, 2, 4], [2, 4, 8])['metadata/show/nova_image/wall']
        self.assertEqual(confidence.Ratio(0.5, 0.5, 0.5), ratio)

    def test_interval_has_the_median_and_is_the_same_each_time(self) -> None:
        values = [0.5, 0.52, 0.49, 0.51, 0.9]
        ratio = confidence.interval(values)
        self.assertEqual(0.51, ratio.value)
        self.assertTrue(0.49 <= ratio.low < 0.51 < ratio.high <= 0.9, ratio)
        self.assertEqual(ratio, confidence.interval(values))


class ChangesTest(testtools.TestCase):
    """What is worse, better or the same."""

    def _verdict(self, recorded: list[float], today: list[float]) -> str:
        peer = [1.0] * len(today)
        found = compare.changes(
            _ratios(today, peer), _ratios(recorded, peer))
        return {one.name: one.verdict for one in found}[
            'metadata/show/nova_image/wall']

    def test_worse_than_noise(self) -> None:
        self.assertEqual('worse', self._verdict(
            [0.50, 0.51, 0.49, 0.50, 0.52], [0.60, 0.61, 0.62, 0.60, 0.63]))

    def test_noise(self) -> None:
        self.assertEqual('same', self._verdict(
            [0.50, 0.55, 0.45, 0.50, 0.58], [0.53, 0.56, 0.49, 0.57, 0.60]))

    def test_better(self) -> None:
        self.assertEqual('better', self._verdict(
            [0.60, 0.61, 0.62, 0.60, 0.63], [0.50, 0.51, 0.49, 0.50, 0.52]))

    def test_one_more_request_is_worse(self) -> None:
        figures = _figures([1, 1], [1, 1])
        recorded = dict(compare.ratios_of('x', figures, ('nova_image',)))
        for one in figures['operations']['show']['contenders'][
                'nova_image']['rounds']:
            one['requests'] = 3.0
        today = dict(compare.ratios_of('x', figures, ('nova_image',)))
        self.assertEqual(
            ['x/show/nova_image/requests'],
            [one.name for one in compare.changes(today, recorded)
             if one.verdict == 'worse'])

    def test_new_ratio(self) -> None:
        today = _ratios([1], [1])
        self.assertEqual({'new'}, {
            one.verdict for one in compare.changes(today, {})})

    def test_the_worse_ones_end_the_table(self) -> None:
        peer = [1.0] * 3
        today = _ratios([2, 2, 2], peer)
        text = compare.table(compare.changes(today, _ratios([1] * 3, peer)))
        self.assertRegex(text.splitlines()[-1], r'^WORSE .*/wall  +2 \(2 to 2'
                         r'\) +recorded 1 \(1 to 1\)$')


class FileTest(testtools.TestCase):
    """The recorded ratios."""

    def setUp(self) -> None:
        """Choose a file."""
        super().setUp()
        self.path = pathlib.Path(
            self.useFixture(lib_fixtures.TempDir()).path, 'a', 'ratios.json')

    def test_there_and_back(self) -> None:
        ratios = _ratios([1, 2, 3], [3, 3, 3])
        confidence.write(self.path, {'cpus': 2}, ratios)
        self.assertEqual(({'cpus': 2}, ratios), confidence.read(self.path))

    def test_unusable_files(self) -> None:
        self.path.parent.mkdir()
        for text in '', '[]', '{}', '{"machine": {}, "ratios": {"a": 1}}':
            self.path.write_text(text)
            self.assertRaises(confidence.Unusable, confidence.read, self.path)

    def test_committed_file_is_usable(self) -> None:
        machine, ratios = confidence.read(
            _ROOT / 'benchmarks' / 'check' / 'ratios.json')
        self.assertTrue(machine['processor'])
        self.assertEqual(
            {'metadata', 'metrics', 'transfer', 'startup', 'replicate'},
            {name.partition('/')[0] for name in ratios})

    def test_missing_file_is_named(self) -> None:
        error = self.assertRaises(
            confidence.Unusable, confidence.read, self.path)
        self.assertEqual('%s: No such file or directory' % self.path,
                         str(error))
