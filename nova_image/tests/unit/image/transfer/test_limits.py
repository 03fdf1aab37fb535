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


"""Tests of nova_image.image.transfer.limits: slots, bandwidth and locks."""

import errno
import heapq
import os

import fixtures
import mock
import six

from nova_image import exception
from nova_image.image.transfer import limits
from nova_image.image.transfer import turns
from nova_image.tests.unit.image.transfer import limits_case as case


class TestFolder(case.LimitsTestCase):
    """The folder of the locks."""

    def test_the_folder_is_created(self):
        path = os.path.join(self.locks, 'new', 'folder')
        self.set(transfer_lock_path=path)
        self.assertEqual(path, limits.folder(self.conf))
        self.assertTrue(os.path.isdir(path))

    def test_the_folder_may_appear_at_the_same_moment(self):
        path = os.path.join(self.locks, 'new')
        self.set(transfer_lock_path=path)

        def late(path, makedirs=os.makedirs):
            makedirs(path)
            makedirs(path)  # the other process was quicker
        with mock.patch('os.makedirs', late):
            self.assertEqual(path, limits.folder(self.conf))

    def test_there_is_no_folder_without_the_option(self):
        self.set(transfer_lock_path=None)
        self.assertIsNone(limits.folder(self.conf))

    def test_options_that_need_the_folder_are_refused_without_it(self):
        self.set(max_concurrent_transfers=2)
        limits.check(self.conf)
        self.set(transfer_lock_path=None)
        error = self.assertRaises(exception.DriverLoadError, limits.check,
                                  self.conf)
        self.assertIn('max_concurrent_transfers', str(error))
        self.assertIn('transfer_lock_path', str(error))


class TestSlot(case.LimitsTestCase):
    """[glance] max_concurrent_transfers."""

    def test_nothing_is_locked_without_a_limit(self):
        with limits.slot(self.conf, None), limits.slot(self.conf, None):
            self.assertEqual([], os.listdir(self.locks))

    def test_a_transfer_waits_for_a_slot(self):
        self.set(max_concurrent_transfers=2)
        first = limits.slot(self.conf, None)
        first.__enter__()
        waits = []

        def sleep(seconds):
            waits.append(seconds)
            if len(waits) == 3:
                first.__exit__(None, None, None)

        with limits.slot(self.conf, None):
            with limits.slot(self.conf, sleep):
                self.assertEqual([limits.POLL] * 3, waits)

    def test_a_slot_is_free_after_a_failure(self):
        self.set(max_concurrent_transfers=1)
        for _ in range(2):
            try:
                with limits.slot(self.conf, self.fail):
                    raise ZeroDivisionError
            except ZeroDivisionError:
                continue

    def test_a_wait_for_a_slot_ends_with_the_deadline(self):
        self.set(max_concurrent_transfers=1, download_deadline=5)
        clock = self.stop_the_clock()
        with limits.slot(self.conf, None):
            second = limits.slot(self.conf, clock.sleep)
            error = self.assertRaises(exception.NovaImageException,
                                      second.__enter__)
        for words in ('all 1 transfer slots', '5 seconds', self.locks):
            self.assertIn(words, six.text_type(error))

    def test_those_who_wait_see_that_a_wait_for_a_slot_is_alive(self):
        self.set(max_concurrent_transfers=1)
        first = limits.slot(self.conf, None)
        first.__enter__()
        turn = mock.Mock()
        with limits.slot(self.conf,
                         lambda seconds: first.__exit__(None, None, None),
                         None, turn):
            turn.beat.assert_called_once_with()

    def test_a_slot_is_free_although_a_forked_process_has_it_open(self):
        self.set(max_concurrent_transfers=1)
        ready, go = os.pipe(), os.pipe()
        with limits.slot(self.conf, None):
            child = os.fork()
            if not child:
                os.close(go[1])
                os.write(ready[1], b'.')
                os.read(go[0], 1)  # until the parent closes its end
                os._exit(0)
            os.read(ready[0], 1)
        try:
            with limits.slot(self.conf, self.fail):
                pass
        finally:
            os.close(go[1])
            os.waitpid(child, 0)
            for number in ready + (go[0],):
                os.close(number)


class TestBrokenLocks(case.LimitsTestCase):
    """Folders that cannot be used, and file systems without locks."""

    def setUp(self):
        super(TestBrokenLocks, self).setUp()
        turns._WARNED.clear()
        self.logs = self.useFixture(fixtures.FakeLogger(level=30))

    def _refuse_locks(self, code=errno.ENOLCK):
        self.useFixture(fixtures.MonkeyPatch('fcntl.flock', mock.Mock(
            side_effect=IOError(code, os.strerror(code)))))

    def _assert_refused(self, *words):
        """Assert that slots cannot be used, now or when loading."""
        self.set(max_concurrent_transfers=2)
        for kind, use in (
                (exception.DriverLoadError, limits.check),
                (exception.NovaImageException, lambda conf: limits.slot(
                    conf, self.fail).__enter__())):
            error = self.assertRaises(kind, use, self.conf)
            for word in words + ('max_concurrent_transfers',
                                 'transfer_lock_path'):
                self.assertIn(word, six.text_type(error))

    def _assert_not_shared(self, *words):
        """Assert that downloads work without turns, with one warning."""
        for _ in range(2):
            with turns.turn(self.conf, 'ID', case.RECORDED,
                            self.fail) as turn:
                turn.beat()
                turn.leave_note(self.path)
                self.assertIsNone(turn.brought())
        for word in words + ('not shared',):
            self.assertEqual(1, self.logs.output.count(word))

    def test_slots_require_a_file_system_with_locks(self):
        for code in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
            self._refuse_locks(code)
            self._assert_refused(os.strerror(code))

    def test_downloads_need_no_file_system_with_locks(self):
        self._refuse_locks()
        self._assert_not_shared(os.strerror(errno.ENOLCK))

    def test_slots_require_a_folder(self):
        self.write()
        self.set(transfer_lock_path=os.path.join(self.path, 'locks'))
        self._assert_refused(self.path, os.strerror(errno.ENOTDIR))

    def test_downloads_need_no_folder(self):
        self.write()
        self.set(transfer_lock_path=os.path.join(self.path, 'locks'))
        self._assert_not_shared(self.path)

    def test_a_link_in_place_of_a_lock_is_not_followed(self):
        self.write()
        os.symlink(self.path, os.path.join(
            self.locks, 'nova_image-transfer-0'))
        self._assert_refused('nova_image-transfer-0')


class TestThrottle(case.LimitsTestCase):
    """[glance] transfer_bandwidth."""

    def setUp(self):
        super(TestThrottle, self).setUp()
        self.now = 1000.0
        self.useFixture(fixtures.MonkeyPatch(
            'oslo_utils.timeutils.now', lambda: self.now))

    def _throttle(self, sleep=None):
        return limits.Throttle(self.conf, sleep or self.waits.append)

    def test_nothing_is_locked_without_a_limit(self):
        limits.Throttle(self.conf, self.fail).take(10 ** 12)
        self.assertEqual([], os.listdir(self.locks))

    def test_two_transfers_share_the_bandwidth(self):
        self.set(transfer_bandwidth=2.0)
        two = [self._throttle() for _ in range(2)]
        for throttle in two * 2:
            throttle.take(2 ** 20)
        # Half a second for each MiB, a quarter of a second ahead.
        self.assertEqual([0.25, 0.75, 1.25, 1.75], self.waits)

    def test_any_number_of_transfers_share_the_bandwidth(self):
        self.set(transfer_bandwidth=0.5)
        many = [self._throttle() for _ in range(200)]
        for _ in range(2):
            for throttle in many:
                throttle.take(2 ** 20)
        self.assertEqual([2.0 * place - 0.25 for place in range(1, 401)],
                         self.waits)

    def test_the_bandwidth_holds_over_time(self):
        self.set(transfer_bandwidth=0.5)
        ends = [(0.0, number, self._throttle()) for number in range(200)]
        taken = 0
        while taken < 500:
            self.now, number, throttle = heapq.heappop(ends)
            del self.waits[:]
            throttle.take(2 ** 20)
            taken += 1
            heapq.heappush(ends, (self.now + sum(self.waits), number,
                                  throttle))
        # The first 200 pieces are read at the ends of their waits as well.
        self.assertGreaterEqual(self.now, 2.0 * (taken - 200) - 0.25)

    def _assert_no_credit(self, *moments):
        """Take a second's bytes at each of several moments."""
        self.set(transfer_bandwidth=1.0)
        throttle = self._throttle()
        for self.now in moments:
            throttle.take(2 ** 20)
        self.assertEqual([0.75] * len(moments), self.waits)

    def test_unused_bandwidth_is_not_saved_up(self):
        self._assert_no_credit(1000.0, 1100.0)

    def test_the_line_ends_when_the_host_is_started_again(self):
        self._assert_no_credit(100000.0, 1000.0)

    def test_the_clock_on_the_wall_does_not_matter(self):
        self.set(transfer_bandwidth=1.0)
        for moment in (1000.0, 10.0 ** 9, 1000.0):
            with mock.patch('time.time', return_value=moment):
                self._throttle().take(2 ** 20)
        self.assertEqual([0.75, 1.75, 2.75], self.waits)

    def test_bytes_that_did_not_arrive_are_given_back(self):
        self.set(transfer_bandwidth=1.0)
        for count in (2 ** 20, -2 ** 20, 2 ** 20):
            self._throttle().take(count)
        self.assertEqual([0.75, 0.75], self.waits)

    def test_a_transfer_that_ends_leaves_the_line(self):
        self.set(transfer_bandwidth=0.01)

        def fail():
            raise ZeroDivisionError
        self._throttle().take(2 ** 20, lambda: False)
        self.assertRaises(ZeroDivisionError, self._throttle().take, 2 ** 20,
                          fail)
        self.assertEqual([1.0, 1.0], self.waits)
        self._throttle().take(2 ** 20)
        self.assertEqual(99.75, self.waits[-1])
