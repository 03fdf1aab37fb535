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

    def test_a_number_of_seconds_is_parsed(self):
        self.assertEqual(7.0, retry.parse_retry_after('7'))
        self.assertEqual(0.0, retry.parse_retry_after('0'))

    def test_a_very_long_wait_is_no_invalid_value(self):
        self.assertEqual(1e12, retry.parse_retry_after('1%s' % ('0' * 12)))

    def test_a_time_in_the_past_means_now(self):
        self.assertEqual(0.0, retry.parse_retry_after('-3'))
        self.assertEqual(0.0, retry.parse_retry_after(
            'Wed, 21 Oct 2015 07:28:00 GMT'))

    @mock.patch('time.time', return_value=1445412480.0)
    def test_a_date_is_parsed(self, now):
        self.assertEqual(20.0, retry.parse_retry_after(
            'Wed, 21 Oct 2015 07:28:20 GMT'))

    def test_an_invalid_value_is_ignored(self):
        for value in (None, '', 'soon', 'Wed, 99', 'nan', 'inf', '1e400',
                      '7, 7', u'\u0663', '9' * 5000, 'x' * 100000,
                      'Wed, 21 Oct 99999 07:28:00 GMT'):
            self.assertIsNone(retry.parse_retry_after(value))


class TestAttempts(testtools.TestCase):
    """The number of attempts, and the waits between them."""

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

    def test_jitter_is_at_most_half_of_the_wait(self):
        for _ in range(50):
            self.assertTrue(0.25 <= self._attempts().delay() <= 0.5)

    @mock.patch('random.uniform', side_effect=lambda low, high: high)
    def test_max_wait_limits_the_waits(self, uniform):
        self.assertEqual([0.5, 0.75, 0.75],
                         self._all_waits(self._attempts(max_wait=0.75)))

    def test_the_waits_stay_the_same_after_thousands_of_attempts(self):
        with mock.patch('random.uniform', side_effect=lambda low, high: high):
            waits = self._all_waits(self._attempts(3000, max_wait=2.0))
        self.assertEqual([0.5, 1.0] + [2.0] * 2998, waits)

    def test_there_is_no_delay_after_the_last_attempt(self):
        self.assertIsNone(self._attempts(0).delay())
        attempts = self._attempts(2)
        self.assertEqual(2, len(self._all_waits(attempts)))
        self.assertEqual((3, 3), (attempts.number, attempts.total))

    def test_a_longer_retry_after_is_respected(self):
        self.assertEqual([7.0, 7.0, 7.0],
                         self._all_waits(self._attempts(), retry_after=7.0))

    def test_a_shorter_retry_after_is_ignored(self):
        self.assertGreaterEqual(self._attempts().delay(0.01), 0.25)

    def test_a_retry_after_beyond_max_wait_ends_the_attempts(self):
        self.assertEqual(30.0, self._attempts().delay(30.0))
        self.assertIsNone(self._attempts().delay(30.1))

    def test_no_attempt_begins_after_the_deadline(self):
        with mock.patch.object(timeutils, 'now') as now:
            now.return_value = 1000.0
            attempts = self._attempts(deadline=10)
            now.return_value = 1009.0
            self.assertIsNotNone(attempts.delay())
            now.return_value = 1009.9
            self.assertIsNone(attempts.delay())
            now.return_value = 1001.0
            self.assertIsNone(attempts.delay(9.5))

    def test_a_deadline_of_zero_means_no_deadline(self):
        clock = self.useFixture(time_fixture.TimeFixture())
        attempts = self._attempts(deadline=0)
        clock.advance_time_seconds(1000000)
        self.assertIsNotNone(attempts.delay())
