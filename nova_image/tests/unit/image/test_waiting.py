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

"""Tests of nova_image.image.waiting: its intervals and its timeout."""

import fixtures
import testtools

from nova_image.image import waiting


class TestWait(testtools.TestCase):
    """Waits with a clock that only they move.

    :ivar waits: seconds of each wait
    """

    def setUp(self):
        super(TestWait, self).setUp()
        self.waits = []
        self.useFixture(fixtures.MonkeyPatch(
            'oslo_utils.timeutils.now', lambda: sum(self.waits)))

    def _until(self, seconds, timeout=None):
        """Wait for a result; return it and the times of all looks."""
        looks = []

        def look():
            looks.append(sum(self.waits))
            return 'done' if looks[-1] >= seconds else None

        wait = waiting.Wait(self.waits.append, timeout)
        return wait.until(look), looks

    def test_a_result_at_once_needs_no_wait(self):
        self.assertEqual(('done', [0]), self._until(0))

    def test_the_intervals_grow_to_a_limit(self):
        found, looks = self._until(1000)
        self.assertEqual('done', found)
        self.assertEqual(waiting.FIRST_WAIT, self.waits[0])
        self.assertEqual(sorted(self.waits), self.waits)
        self.assertEqual(waiting.LONGEST_WAIT, self.waits[-1])

    def test_the_last_look_is_at_the_timeout(self):
        found, looks = self._until(1000, 7.25)
        self.assertIsNone(found)
        self.assertAlmostEqual(7.25, looks[-1], 2)

    def test_a_result_at_the_timeout_counts(self):
        found, _ = self._until(7.25, 7.25)
        self.assertEqual('done', found)

    def test_a_timeout_of_zero_looks_once(self):
        self.assertEqual((None, [0]), self._until(1, 0))
