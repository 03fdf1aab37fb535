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


"""Tests of nova_image.image.transfer.distance: what is measured."""

from nova_image.image import knowledge
from nova_image.image.transfer import distance
from nova_image.tests.unit.image.transfer import transfer_case as case

_MIB = 1024 * 1024


class Answer(object):
    """An answer that took a round trip."""

    endpoint = 'http://glance:9292'

    def __init__(self, seconds):
        self._seconds = seconds

    def round_trip(self):
        """Return the seconds."""
        return self._seconds, False


class TestLearn(case.TransferCase):
    """The shortest round trip counts, for a while."""

    def test_the_shortest_counts(self):
        known = knowledge.Knowledge()
        found = [distance.learn(known, Answer(seconds))[0]
                 for seconds in (0.3, 0.5, 0.2, 0.4)]
        self.assertEqual([0.3, 0.3, 0.2, 0.2], found)

    def test_it_is_forgotten(self):
        self.stop_clock()
        known = knowledge.Knowledge()
        distance.learn(known, Answer(0.1))
        self.now += knowledge.MAX_AGE + 1
        self.assertEqual((0.5, False),
                         distance.learn(known, Answer(0.5)))

    def test_a_server_that_was_seen_to_be_far_away(self):
        self.stop_clock()
        known = knowledge.Knowledge()
        distance.learn_far(known, Answer.endpoint)
        other = Answer(0.1)
        other.endpoint = 'http://other:9292'
        for expected, answer in ((True, Answer(0.1)), (False, other)):
            self.assertEqual((0.1, expected), distance.learn(known, answer))
        self.now += knowledge.MAX_AGE + 1
        self.assertEqual((0.1, False), distance.learn(known, Answer(0.1)))


class TestFlow(case.TransferCase):
    """What limits a connection."""

    def setUp(self):
        super(TestFlow, self).setUp()
        self.stop_clock()

    def _flow(self, round_trip, arrivals, busy=0.0, is_exact=True):
        """Return a Flow after some pieces.

        :param arrivals: list of (seconds of waiting, bytes)
        :param busy: seconds that the reader needs for each piece
        """
        flow = distance.Flow(round_trip, is_exact)

        def pieces():
            for seconds, size in arrivals:
                self.now += seconds
                yield b'x' * size

        for _ in flow.timed(pieces()):
            self.now += busy
        return flow

    def test_slow_start_is_a_limit(self):
        self.assertTrue(self._flow(0.05, [(0.35, _MIB)]).is_limited())

    def test_a_window_is_a_limit(self):
        self.assertTrue(self._flow(0.05, [
            (0.05, 3 * _MIB)] * 20).is_limited())

    def test_only_a_network_starts_slowly(self):
        """A busy server nearby answers late, and then sends quickly."""
        piece = distance.PIECE
        for expected, arrivals in (
                (True, [(0.15, piece), (0.051, piece), (0, piece)]),
                (False, [(0.05, 3 * _MIB)] * 20),
                (False, [(0.01, piece)] * 40),
                (False, [(0.15, piece)] + [(0.001, piece)] * 60)):
            flow = self._flow(0.09, arrivals, is_exact=False)
            self.assertEqual(expected, flow.is_limited(), arrivals)

    def test_a_fast_connection_is_not_limited(self):
        self.assertFalse(self._flow(0.05, [
            (0.05, 5 * _MIB)] * 20).is_limited())

    def test_a_near_server_is_no_limit(self):
        self.assertFalse(self._flow(0.001, [(0.35, _MIB)]).is_limited())

    def test_little_time_tells_nothing(self):
        self.assertFalse(self._flow(0.05, [(0.14, _MIB)]).is_limited())

    def test_a_slow_reader_is_the_limit(self):
        self.assertFalse(self._flow(
            0.05, [(0.05, _MIB)] * 20, busy=0.06).is_limited())

    def test_the_best_rate_is_that_of_some_round_trips(self):
        flow = self._flow(0.1, [(0.1, 100)] * 10 + [(0.1, 300)] * 8 + [
            (0.1, 200)] * 10)
        self.assertAlmostEqual(3000, flow.best)

    def test_restart(self):
        flow = self._flow(0.05, [(0.35, 100)])
        flow.restart()
        self.assertFalse(flow.is_limited())
        self.assertEqual(0, flow.best)


class TestTrial(case.TransferCase):
    """Whether several connections are faster."""

    def _verdicts(self, rate, *delays):
        self.stop_clock()
        delays = list(delays)
        trial = distance.Trial(100.0, 500, 1000)
        found = []
        for _ in range(30):
            self.now += 100.0 / rate + (delays.pop(0) if delays else 0)
            found.append(trial.count(100))
        return found

    def test_a_gain(self):
        self.assertEqual([False], [one for one in self._verdicts(121)
                                   if one is not None])

    def test_no_gain(self):
        verdicts = self._verdicts(119)
        self.assertEqual([True], [one for one in verdicts
                                  if one is not None])
        self.assertEqual(24, verdicts.index(True))

    def test_one_late_part_is_forgiven(self):
        verdicts = self._verdicts(150, 0, 0, 0, 0, 0, 0, 0, 20)
        self.assertEqual([False], [one for one in verdicts
                                   if one is not None])
        self.assertEqual(24, verdicts.index(False))
