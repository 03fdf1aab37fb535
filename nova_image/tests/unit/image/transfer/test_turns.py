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


"""Tests of nova_image.image.transfer.turns: downloads that are shared."""

import os
import threading
import time

import fixtures
import mock

from nova_image.image.transfer import limits
from nova_image.image.transfer import recorded
from nova_image.image.transfer import turns
from nova_image.tests.unit.image.transfer import limits_case as case


class TestTurn(case.LimitsTestCase):
    """One transfer of an image serves all that want it at the same time."""

    def _turn(self, record=case.RECORDED, image_id='ID', **options):
        return turns.turn(self.conf, image_id, record, **options)

    def test_a_caller_that_waited_gets_the_file(self):
        self.write()
        found, waiting = [], threading.Event()

        def sleep(seconds):
            waiting.set()
            time.sleep(seconds)

        def wait():
            with self._turn(sleep=sleep) as turn:
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

    def _assert_no_wait(self, change, sleep=None):
        """Assert that a download does not wait for a stuck one for ever."""
        logs = self.useFixture(fixtures.FakeLogger())
        clock = self.stop_the_clock()
        with self._turn() as leader:
            def wait(seconds):
                clock.sleep(seconds)
                if change:
                    change(leader)

            self.write()
            leader.leave_note(self.path)
            began = clock.now
            with self._turn(sleep=wait) as turn:
                self.assertIsNone(turn.brought())
                turn.leave_note(self.path)  # which it must not
            self.assertIn('no longer waits', logs.output)
            self.assertIn('Image ID is being downloaded', logs.output)
            return clock.now - began

    def test_a_download_does_not_wait_for_a_stuck_one(self):
        self.set(transfer_stall_timeout=7)
        self.assertTrue(6.9 < self._assert_no_wait(None) < 7.5)

    def test_a_stuck_download_is_noticed_without_a_stall_timeout(self):
        for timeout, longest in ((5, 5), (None, 120)):
            self.set(transfer_stall_timeout=0, timeout=timeout,
                     download_deadline=0)
            self.assertTrue(longest - 0.1 < self._assert_no_wait(None)
                            < longest + 0.5)

    def test_a_download_waits_at_most_for_half_of_its_deadline(self):
        self.set(transfer_stall_timeout=7, download_deadline=30)
        waited = self._assert_no_wait(lambda leader: leader.beat())
        self.assertTrue(14.9 < waited < 15.5)

    def test_the_time_before_the_wait_counts(self):
        self.set(download_deadline=30)
        clock = self.stop_the_clock()
        with self._turn():
            with self._turn(sleep=self.fail,
                            began=clock.now - 16) as turn:
                self.assertIsNone(turn.brought())

    def test_nobody_waits_for_a_download_that_is_known_to_be_stuck(self):
        self.set(transfer_stall_timeout=7)
        with self._turn():
            (name,) = os.listdir(self.locks)
            then = time.time() - 8
            os.utime(os.path.join(self.locks, name), (then, then))
            waits = []
            with self._turn(sleep=waits.append):
                self.assertEqual([limits.POLL], waits)

    def test_progress_is_shown_without_losing_the_note(self):
        self.write()
        clock = self.stop_the_clock()
        with self._turn() as turn:
            turn.beat()
            turn.leave_note(self.path)
            clock.sleep(5)
            turn.beat()
            self.assertEqual(self.path, turn.brought())

    def test_images_do_not_wait_for_one_another(self):
        identities = ['a' * 16 + 'b' * 48, 'a' * 16 + 'c' * 48]
        with mock.patch('hashlib.sha256') as hasher:
            hasher.return_value.hexdigest.side_effect = identities
            with self._turn():
                with self._turn(image_id='another', sleep=self.fail):
                    pass

    def test_the_files_of_turns_are_removed_when_they_are_old(self):
        with self._turn():
            pass
        (old,) = os.listdir(self.locks)
        others = ['nova_image-turn-1', 'another-' + old]
        for name in others + [old]:
            path = os.path.join(self.locks, name)
            with open(path, 'ab'):
                os.utime(path, (1, 1))
        with self._turn(image_id='another'):
            self.assertEqual(3, len(os.listdir(self.locks)))
        self.assertNotIn(old, os.listdir(self.locks))

    def test_the_file_of_a_turn_in_use_is_not_removed(self):
        with self._turn():
            (used,) = os.listdir(self.locks)
            os.utime(os.path.join(self.locks, used), (1, 1))
            with self._turn(image_id='another'):
                self.assertIn(used, os.listdir(self.locks))

    def test_a_note_by_somebody_else_is_not_trusted(self):
        self.write()
        os.mkfifo(self.path + '.fifo')
        for note in (b'[' * 100000, b'{"path": 7}', b'[]', b'null',
                     b'\xff', b'{"path": "%s.fifo", "stat": null}'
                     % self.path.encode()):
            with self._turn() as turn:
                (name,) = os.listdir(self.locks)
                with open(os.path.join(self.locks, name), 'wb') as stream:
                    stream.write(note)
                self.assertIsNone(turn.brought())

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
