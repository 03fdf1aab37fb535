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


"""Tests of nova_image.image.transfer.limits: what a host's transfers share."""

import os
import threading

import fixtures
import mock
from oslo_concurrency import lockutils

from nova_image import exception
from nova_image.image.transfer import limits
from nova_image.image.transfer import recorded
from nova_image.tests.unit import base

RECORDED = recorded.Recorded(5, 'md5', 'abc')


class LimitsTestCase(base.TestCase):
    """Base class: a folder for the locks, and one for images."""

    def setUp(self):
        super(LimitsTestCase, self).setUp()
        self.locks = self.useFixture(fixtures.TempDir()).path
        self.path = os.path.join(
            self.useFixture(fixtures.TempDir()).path, 'image')
        self.set(transfer_lock_path=self.locks)

    def write(self, data=b'bytes'):
        """Write the image's file."""
        with open(self.path, 'wb') as stream:
            stream.write(data)


class TestFolder(LimitsTestCase):
    """The folder of the locks."""

    def test_the_folder_is_created(self):
        path = os.path.join(self.locks, 'new', 'folder')
        self.set(transfer_lock_path=path)
        self.assertEqual(path, limits.folder(self.conf))
        self.assertTrue(os.path.isdir(path))

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


class TestSlot(LimitsTestCase):
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


class TestThrottle(LimitsTestCase):
    """[glance] transfer_bandwidth."""

    def test_nothing_is_locked_without_a_limit(self):
        limits.Throttle(self.conf, self.fail).take(10 ** 12)
        self.assertEqual([], os.listdir(self.locks))

    def test_two_transfers_share_the_bandwidth(self):
        self.set(transfer_bandwidth=2.0)
        waits = []
        two = [limits.Throttle(self.conf, waits.append) for _ in range(2)]
        with mock.patch('time.time', return_value=1000.0):
            for throttle in two * 2:
                throttle.take(2 ** 20)
        # Half a second for each MiB, a quarter of a second ahead.
        self.assertEqual([0.25, 0.75, 1.25, 1.75], waits)

    def _assert_no_credit(self, *moments):
        """Take a second's bytes at each of several moments."""
        self.set(transfer_bandwidth=1.0)
        waits = []
        throttle = limits.Throttle(self.conf, waits.append)
        for now in moments:
            with mock.patch('time.time', return_value=now):
                throttle.take(2 ** 20)
        self.assertEqual([0.75] * len(moments), waits)

    def test_unused_bandwidth_is_not_saved_up(self):
        self._assert_no_credit(1000.0, 1100.0)

    def test_a_clock_that_is_set_back_adds_no_wait(self):
        self._assert_no_credit(100000.0, 1000.0)


class TestTurn(LimitsTestCase):
    """One transfer of an image serves all that want it at the same time."""

    def _turn(self, record=RECORDED, image_id='ID'):
        return limits.turn(self.conf, image_id, record)

    def test_a_caller_that_waited_gets_the_file(self):
        self.write()
        found, waiting = [], threading.Event()
        lock = lockutils.lock

        def lock_and_report(*args, **kwargs):
            waiting.set()
            return lock(*args, **kwargs)

        def wait():
            with mock.patch.object(lockutils, 'lock', lock_and_report):
                with self._turn() as turn:
                    found.append(turn.brought())

        with self._turn() as turn:
            self.assertIsNone(turn.brought())
            thread = threading.Thread(target=wait)
            thread.start()
            self.assertTrue(waiting.wait(60))
            turn.leave_note(self.path)
        thread.join()
        with self._turn() as turn:
            found.append(turn.brought())
        # A later caller shares nothing: the path may be in use by then.
        self.assertEqual([self.path, None], found)

    def _brought(self, image_id='ID', change=None):
        with self._turn() as turn:
            turn.leave_note(self.path)
        if change:
            change()
        with mock.patch('time.time', return_value=0.0):
            with self._turn(image_id=image_id) as turn:
                return turn.brought()

    def test_a_file_brought_during_the_wait_is_shared(self):
        self.write()
        self.assertEqual(self.path, self._brought())

    def test_a_changed_or_removed_file_is_not_shared(self):
        self.write()
        self.assertIsNone(self._brought(change=lambda: self.write(b'more..')))
        self.assertIsNone(self._brought(change=lambda: os.unlink(self.path)))

    def test_a_file_of_another_image_is_not_shared(self):
        self.write()
        with mock.patch('hashlib.sha256') as hasher:
            hasher.return_value.hexdigest.side_effect = [
                'a' * 4 + 'b', 'a' * 4 + 'c']
            self.assertIsNone(self._brought(image_id='another'))

    def test_nothing_is_shared_without_a_hash_or_the_option(self):
        self.write()
        for record in None, recorded.Recorded(5):
            with self._turn(record) as turn:
                turn.leave_note(self.path)
                self.assertIsNone(turn.brought())
        self.set(share_downloads=False)
        with self._turn() as turn:
            turn.leave_note(self.path)
        self.assertEqual([], os.listdir(self.locks))
