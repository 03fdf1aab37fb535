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

"""Tests of nova_image.image.offload.beside(), without eventlet."""

import sys
import threading

import fixtures
import mock
from oslo_utils import units
from six.moves import _thread
import testtools

from nova_image.image import offload
from nova_image.tests.unit.image import offload_case


class TestThread(offload_case.FeederTest):
    """A check on its own thread."""

    def test_chunks_are_checked_in_order_on_another_thread(self):
        check = offload_case.Check()
        feeder = self.feeder(check)
        numbers = [b'%d' % number for number in range(1000)]
        for number in numbers:
            feeder.update(number)
        feeder.finish()
        self.assertEqual(numbers, check.chunks)
        (thread,) = check.threads
        self.assertIsNot(threading.current_thread(), thread)
        self.assertEqual([], offload_case.running())

    def test_there_is_no_thread_before_the_first_chunk(self):
        self.feeder(offload_case.Check())
        self.assertEqual([], offload_case.running())

    def test_the_thread_finds_its_first_bytes_when_it_begins(self):
        feeder, found = self.feeder(offload_case.Check()), []
        original = threading.Thread.start

        def start(thread):
            found.extend(feeder._thread._chunks)
            original(thread)
        with mock.patch.object(threading.Thread, 'start', start):
            feeder.update(b'1')
        self.assertEqual([b'1'], found)

    def test_the_number_of_threads_is_limited(self):
        self.useFixture(fixtures.MockPatchObject(offload, 'MOST', 2))
        checks = [offload_case.Check() for _ in range(4)]
        feeders = [self.feeder(check) for check in checks]
        for feeder in feeders[:3]:
            feeder.update(b'1')
        self.assertEqual(2, len(offload_case.running()))
        self.assertEqual({threading.current_thread()}, checks[2].threads)
        feeders[0].finish()
        for feeder in feeders[1:]:  # once without, always without
            feeder.update(b'2')
            feeder.finish()
        self.assertEqual([[b'1'], [b'1', b'2'], [b'1', b'2'], [b'2']],
                         [check.chunks for check in checks])
        self.assertNotIn(threading.current_thread(), checks[3].threads)

    def test_the_thread_does_not_keep_the_process_alive(self):
        self.feeder(offload_case.Check()).update(b'1')
        self.assertTrue(offload_case.running()[0].daemon)

    def test_finish_raises_the_error_of_the_check(self):
        check = offload_case.Check(fails_at=b'1')
        feeder = self.feeder(check)
        feeder.update(b'1')
        self.assertIs(check.error,
                      self.assertRaises(ValueError, feeder.finish))
        self.assertEqual([], offload_case.running())

    def test_a_later_update_raises_the_error_of_the_check(self):
        check = offload_case.Check(fails_at=b'1')
        feeder = self.feeder(check)

        def feed():
            for _ in range(1000):
                feeder.update(b'1')
        self.assertIs(check.error, self.assertRaises(ValueError, feed))
        self.assertEqual([b'1'], check.chunks)

    def test_finish_also_raises_a_keyboard_interrupt(self):
        check = offload_case.Check(fails_at=b'1')
        check.error = KeyboardInterrupt()
        feeder = self.feeder(check)
        feeder.update(b'1')
        self.assertRaises(KeyboardInterrupt, feeder.finish)

    def test_a_check_is_never_further_behind_than_the_limit(self):
        gate, passed = self.gate(), []
        check = offload_case.Check(gate=gate)
        feeder = self.feeder(check)
        at_limit = threading.Event()

        def feed():
            for number in range(20):
                if number == 4:
                    at_limit.set()
                feeder.update(b'%02d' % number)
                passed.append(number)
        thread, _ = self.in_thread(feed)
        self.assertTrue(at_limit.wait(30))
        # With four of two bytes, the check is eight bytes behind.
        thread.join(0.1)
        self.assertTrue(thread.is_alive())
        self.assertEqual(4, len(passed))
        gate.set()
        thread.join(30)
        feeder.finish()
        self.assertEqual([b'%02d' % number for number in range(20)],
                         check.chunks)

    def test_a_chunk_may_exceed_the_limit(self):
        check = offload_case.Check()
        feeder = self.feeder(check)
        for _ in range(3):
            feeder.update(b'x' * 50)
        feeder.finish()
        self.assertEqual([b'x' * 50] * 3, check.chunks)

    def test_a_caller_that_waits_gets_the_error_of_the_check(self):
        gate = self.gate()
        check = offload_case.Check(fails_at=b'12345678', gate=gate)
        feeder = self.full(check)
        thread, raised = self.in_thread(lambda: feeder.update(b'more'))
        gate.set()
        thread.join(30)
        self.assertEqual([check.error], raised)
        self.assertIs(check.error,
                      self.assertRaises(ValueError, feeder.finish))
        self.assertEqual([b'12345678'], check.chunks)

    def test_close_ends_the_thread(self):
        feeder = self.feeder(offload_case.Check())
        feeder.update(b'1')
        feeder.close()
        self.assertEqual([], offload_case.running())
        feeder.close()

    def test_close_ends_the_thread_after_an_error(self):
        check = offload_case.Check(fails_at=b'0')
        feeder = self.feeder(check)
        try:
            for number in range(20):
                feeder.update(b'%d' % number)
        except ValueError:
            pass
        feeder.close()
        self.assertEqual([], offload_case.running())
        self.assertEqual([b'0'], check.chunks)

    def test_close_drops_what_waits(self):
        gate = self.gate()
        check = offload_case.Check(gate=gate)
        feeder = self.feeder(check)
        for chunk in (b'at it', b'1', b'2'):
            feeder.update(chunk)
        thread, raised = self.in_thread(feeder.close)
        self._wait_until_over(feeder)
        gate.set()
        thread.join(30)
        self.assertEqual([], raised + offload_case.running())
        self.assertIn(check.chunks, ([], [b'at it']))

    def test_close_ends_a_caller_that_waits(self):
        """A killed greenthread leaves one in eventlet's native thread."""
        gate = self.gate()
        feeder = self.full(offload_case.Check(gate=gate))
        waiting, raised = self.in_thread(lambda: feeder.update(b'more'))
        closing, _ = self.in_thread(feeder.close)
        waiting.join(30)
        self.assertFalse(waiting.is_alive())
        self.assertEqual([], raised)
        gate.set()
        closing.join(30)
        self.assertEqual([], offload_case.running())

    @staticmethod
    def _wait_until_over(feeder):
        with feeder._thread._changed:
            while not feeder._thread._is_over:
                feeder._thread._changed.wait(30)

    def test_an_interrupt_during_the_start_leaves_no_thread(self):
        feeder = self.feeder(offload_case.Check())
        original = threading.Thread.start

        def start(thread):
            original(thread)
            raise KeyboardInterrupt
        with mock.patch.object(threading.Thread, 'start', start):
            self.assertRaises(KeyboardInterrupt, feeder.update, b'1')
        feeder.close()
        self.assertEqual([], offload_case.running())

    def test_an_interrupt_before_the_start_leaves_no_thread(self):
        feeder = self.feeder(offload_case.Check())
        with mock.patch.object(threading.Thread, 'start',
                               side_effect=KeyboardInterrupt()):
            self.assertRaises(KeyboardInterrupt, feeder.update, b'1')
        feeder.close()


class TestBehind(testtools.TestCase):
    """How far a check may be behind."""

    def test_the_limit_is_a_small_part_of_a_small_image(self):
        mib = units.Mi
        for size, limit in ((2 * mib, 2), (16 * mib, 2), (24 * mib, 3),
                            (32 * mib, 4), (1024 * mib, 4), (None, 4)):
            self.assertEqual(limit * mib, offload.behind(size))

    def test_a_check_of_a_small_image_is_less_behind(self):
        gate, passed = threading.Event(), []
        feeder = offload.beside(offload_case.Check(gate=gate), 16 * units.Mi)
        self.addCleanup(feeder.close)
        self.addCleanup(gate.set)

        def feed():
            for number in range(4):
                feeder.update(b'x' * units.Mi)
                passed.append(number)
        thread = threading.Thread(target=feed)
        thread.daemon = True
        thread.start()
        thread.join(0.1)
        self.assertTrue(thread.is_alive())
        self.assertThat(len(passed), testtools.matchers.LessThan(3))
        gate.set()
        thread.join(30)
        self.assertEqual(4, len(passed))


class TestBuffers(offload_case.FeederTest):
    """Callers may use a buffer again as soon as update() has returned."""

    def _checked(self, chunk, buffer=None):
        """Overwrite a buffer before the check sees it; return what it saw."""
        gate = self.gate()
        check = offload_case.Check(gate=gate)
        feeder = self.feeder(check)
        feeder.update(chunk)
        if buffer is not None:
            buffer[:] = b'!' * len(buffer)
        gate.set()
        feeder.finish()
        return check.chunks

    def test_a_buffer_is_copied(self):
        buffer = bytearray(b'12345')
        self.assertEqual([b'12345'], self._checked(buffer, buffer))

    def test_a_view_of_a_buffer_is_copied(self):
        buffer = bytearray(b'12345')
        self.assertEqual([b'234'], [bytes(chunk) for chunk in self._checked(
            memoryview(buffer)[1:4], buffer)])

    @testtools.skipIf(sys.version_info < (3, 8),
                      'Python 3.8 has the first read-only views of buffers')
    def test_a_constant_view_of_a_buffer_is_copied(self):
        buffer = bytearray(b'12345')
        self.assertEqual([b'12345'], self._checked(
            memoryview(buffer).toreadonly(), buffer))

    def test_bytes_are_not_copied(self):
        chunk = b'12345'
        for one in (chunk, memoryview(chunk), memoryview(chunk)[1:3]):
            self.assertIs(one, offload._constant(one))


class TestInline(offload_case.FeederTest):
    """Checks on the caller's thread, as far as no thread pays."""

    def _feed(self, check, size, count, each=b'1'):
        feeder = self.feeder(check, size)
        for _ in range(count):
            feeder.update(each)
        return feeder

    def test_a_small_image_needs_no_thread(self):
        for size in (None, 0, 2):
            check = offload_case.Check()
            with mock.patch.object(threading.Thread, 'start') as start:
                self._feed(check, size, 2).finish()
            self.assertEqual([b'1', b'1'], check.chunks)
            self.assertFalse(start.called)

    def test_a_thread_takes_over_when_more_arrives(self):
        for size in (None, 1):
            check = offload_case.Check()
            self._feed(check, size, 9).finish()
            self.assertEqual([b'1'] * 9, check.chunks)
            self.assertEqual(2, len(check.threads))

    def test_an_error_is_raised_at_once(self):
        check = offload_case.Check(fails_at=b'1')
        feeder = self.feeder(check, 1)
        self.assertIs(check.error, self.assertRaises(
            ValueError, feeder.update, b'1'))

    def test_a_light_check_needs_no_thread(self):
        check = offload_case.Check()
        check.is_light = True
        with mock.patch.object(threading.Thread, 'start') as start:
            self._feed(check, 100, 9).finish()
        self.assertEqual([b'1'] * 9, check.chunks)
        self.assertFalse(start.called)

    def test_a_host_without_another_thread(self):
        check = offload_case.Check()
        with mock.patch.object(threading.Thread, 'start',
                               side_effect=_thread.error('no more')) as start:
            feeder = self._feed(check, 100, 9)
            feeder.finish()
            feeder.close()
        self.assertEqual([b'1'] * 9, check.chunks)
        self.assertEqual(1, start.call_count)
