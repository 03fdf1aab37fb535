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

"""Tests of nova_image.image.retry."""

import mock
from oslo_utils import fixture as time_fixture
from oslo_utils import timeutils
import testtools

from nova_image.image import retry


class TestRetryAfter(testtools.TestCase):
    """The header Retry-After."""

    def test_seconds(self):
        self.assertEqual(7.0, retry.parse_retry_after('7'))
        self.assertEqual(0.0, retry.parse_retry_after('0'))

    def test_the_past_is_now(self):
        self.assertEqual(0.0, retry.parse_retry_after('-3'))
        self.assertEqual(0.0, retry.parse_retry_after(
            'Wed, 21 Oct 2015 07:28:00 GMT'))

    @mock.patch('time.time', return_value=1445412480.0)
    def test_date(self, now):
        self.assertEqual(20.0, retry.parse_retry_after(
            'Wed, 21 Oct 2015 07:28:20 GMT'))

    def test_what_says_nothing(self):
        for value in (None, '', 'soon', 'Wed, 99'):
            self.assertIsNone(retry.parse_retry_after(value))


class TestAttempts(testtools.TestCase):
    """How often and how long."""

    def setUp(self):
        super(TestAttempts, self).setUp()
        self.waits = []

    def _attempts(self, num_retries=3, max_wait=30.0, deadline=600):
        return retry.Attempts(num_retries, max_wait, deadline,
                              self.waits.append)

    def _all_waits(self, attempts, **kwargs):
        while True:
            wait = attempts.delay(**kwargs)
            if wait is None:
                return self.waits
            attempts.repeat_after(wait)

    @mock.patch('random.uniform', side_effect=lambda low, high: high)
    def test_the_waits_double(self, uniform):
        self.assertEqual([0.5, 1.0, 2.0, 4.0],
                         self._all_waits(self._attempts(4)))
        uniform.assert_called_with(0.5, 1.0)

    def test_jitter_stays_within_half_and_whole(self):
        for _ in range(50):
            self.assertTrue(0.25 <= self._attempts().delay() <= 0.5)

    @mock.patch('random.uniform', side_effect=lambda low, high: high)
    def test_no_wait_is_longer_than_the_longest(self, uniform):
        self.assertEqual([0.5, 0.75, 0.75],
                         self._all_waits(self._attempts(max_wait=0.75)))

    def test_none_is_left(self):
        self.assertIsNone(self._attempts(0).delay())
        attempts = self._attempts(2)
        self.assertEqual(2, len(self._all_waits(attempts)))
        self.assertEqual((3, 3), (attempts.number, attempts.total))

    def test_the_server_asks_for_more(self):
        self.assertEqual([7.0, 7.0, 7.0],
                         self._all_waits(self._attempts(), retry_after=7.0))

    def test_the_server_asks_for_less(self):
        self.assertGreaterEqual(self._attempts().delay(0.01), 0.25)

    def test_the_server_asks_for_too_much(self):
        self.assertEqual(30.0, self._attempts().delay(30.0))
        self.assertIsNone(self._attempts().delay(30.1))

    def test_the_deadline(self):
        with mock.patch.object(timeutils, 'now') as now:
            now.return_value = 1000.0
            attempts = self._attempts(deadline=10)
            now.return_value = 1009.0
            self.assertIsNotNone(attempts.delay())
            now.return_value = 1009.9
            self.assertIsNone(attempts.delay())
            now.return_value = 1001.0
            self.assertIsNone(attempts.delay(9.5))

    def test_zero_is_no_deadline(self):
        clock = self.useFixture(time_fixture.TimeFixture())
        attempts = self._attempts(deadline=0)
        clock.advance_time_seconds(1000000)
        self.assertIsNotNone(attempts.delay())
