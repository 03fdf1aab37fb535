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
"""Tests of nova_image.image.transfer.reader: stalls, retries, deadline."""

import socket

import fixtures
from keystoneauth1 import session
import mock
import six

from nova_image import exception
from nova_image.image import endpoint
from nova_image.image import messages
from nova_image.image.transfer import reader as readers
from nova_image.image.transfer import recorded
from nova_image.tests.unit import base
from nova_image.tests.unit.image.transfer import reader_case
from nova_image.tests.unit.image.transfer import transfer_case as case
from nova_image.tests.unit import recordings

DATA = reader_case.DATA


class TestStalling(reader_case.ReaderCase):
    """[glance] transfer_stall_timeout."""

    def _timeouts(self, **request):
        self.request = messages.Request('GET', case.PATH, 'download', 'ID',
                                        **request)
        self.glance.answers(case.WHOLE)
        with mock.patch.object(session.Session, 'request', autospec=True,
                               side_effect=session.Session.request) as sent:
            self.client().call(self.context, self.request)
        return sent.call_args[1].get('timeout')

    def test_the_option_limits_the_wait_for_the_next_bytes(self):
        self.assertEqual(120, self._timeouts(stream=True))
        self.set(transfer_stall_timeout=7)
        self.assertEqual(7, self._timeouts(stream=True))

    def test_zero_leaves_the_limit_to_the_option_timeout(self):
        self.set(transfer_stall_timeout=0)
        self.assertIsNone(self._timeouts(stream=True))

    def test_other_requests_have_no_such_limit(self):
        self.assertIsNone(self._timeouts())

    def test_a_stall_is_an_interruption(self):
        self.assert_read(case.WHOLE.changed(content=base.BrokenBody(
            DATA[:40], socket.timeout('timed out'))), case.rest)
        self.assert_ranges(None, 40)


class TestBudget(reader_case.ReaderCase):
    """How often a reader reconnects."""

    def setUp(self):
        super(TestBudget, self).setUp()
        self.set(num_retries=0, download_retries=2)

    def test_a_reader_fails_without_progress(self):
        error = self.assert_fails(
            exception.GlanceConnectionFailed, case.broken(40),
            case.broken_rest(0), case.broken_rest(0))
        self.assert_ranges(None, 40, 40)
        self.assertEqual(2, len(self.waits))
        self.assertIn('image ID', six.text_type(error))

    def test_progress_restores_the_budget(self):
        self.set(download_retries=1)
        self.assert_read(case.broken(10), *(
            [case.broken_rest(10)] * 8 + [case.rest]))
        self.assert_ranges(None, *range(10, 100, 10))
        self.assertTrue(all(wait <= 0.5 for wait in self.waits), self.waits)

    def test_late_progress_restores_the_budget(self):
        self.assert_read(case.broken(10), base.Lost(), case.broken_rest(10),
                         base.Lost(), case.rest)
        self.assert_ranges(None, 10, 10, 20, 20)
        self.assertTrue(all(wait <= 1.0 for wait in self.waits), self.waits)

    def test_skipped_data_is_not_progress(self):
        self.assert_fails(
            exception.GlanceConnectionFailed, case.broken(40),
            case.broken(30), case.broken(30))

    def test_download_retries_may_be_zero(self):
        self.set(download_retries=0)
        self.assert_fails(exception.GlanceConnectionFailed, case.broken(40))
        self.assert_ranges(None)

    def test_a_download_that_has_not_begun_is_not_resumed(self):
        self.set(num_retries=1)
        self.assert_fails(exception.GlanceServerError,
                          *[recordings.Answer(503)] * 2)
        self.assert_ranges(None, None)

    def test_retry_after_is_respected(self):
        self.assert_read(
            case.broken(40),
            recordings.Answer(503, {'Retry-After': '7'}), case.rest)
        self.assertLess(self.waits[0], 1)
        self.assertEqual(7, self.waits[1])

    def test_a_retry_after_beyond_the_longest_wait_is_raised(self):
        self.assert_fails(
            exception.GlanceServerError, case.broken(40),
            recordings.Answer(503, {'Retry-After': '3600'}))
        self.assertEqual(1, len(self.waits))


class TestDeadline(reader_case.ReaderCase):
    """[glance] download_deadline."""

    def setUp(self):
        super(TestDeadline, self).setUp()
        self.stop_clock()

    def _read_slowly(self, reader):
        for _ in reader.chunks():
            self.now += 30

    def test_a_download_ends_at_the_deadline(self):
        self.set(download_deadline=100)
        self.glance.answers(case.WHOLE)
        reader = self.reader()
        error = self.assertRaises(exception.GlanceConnectionFailed,
                                  self._read_slowly, reader)
        for words in ('after 100 seconds', '50 bytes of 100', 'image ID',
                      'download_deadline'):
            self.assertIn(words, six.text_type(error))
        self.assertFalse(error.retriable)
        self.assert_ranges(None)
        self.assertTrue(endpoint.HEALTH.is_good(base.ENDPOINT))

    def test_the_deadline_also_applies_to_the_last_bytes(self):
        self.set(download_deadline=260)
        self.glance.answers(case.WHOLE)
        self.assertRaises(exception.GlanceConnectionFailed,
                          self._read_slowly, self.reader())

    def test_zero_means_no_deadline(self):
        self.set(download_deadline=0)
        self.glance.answers(case.WHOLE)
        self._read_slowly(self.reader())

    def test_the_deadline_counts_from_the_beginning_of_the_origin(self):
        self.set(download_deadline=100)
        self.glance.answers(case.WHOLE)
        origin = self.origin(lambda answer: case.RECORDED)
        reader = readers.Reader(origin._replace(began=origin.began - 101),
                                case.RECORDED)
        self.assertRaises(exception.GlanceConnectionFailed, list,
                          reader.chunks())

    def test_no_wait_passes_the_deadline(self):
        self.set(download_deadline=100)
        self.glance.answers(case.broken(40), recordings.Answer(
            503, {'Retry-After': '20'}))
        reader = self.reader()
        chunks = reader.chunks()
        next(chunks)
        self.now += 90
        self.assertRaises(exception.GlanceConnectionFailed, list, chunks)
        self.assertTrue(all(wait < 10 for wait in self.waits), self.waits)


class TestSize(reader_case.ReaderCase):
    """How much data a reader accepts."""

    def setUp(self):
        super(TestSize, self).setUp()
        self.useFixture(fixtures.MonkeyPatch('oslo_utils.units.Gi', 40))
        self.set(max_unsized_download=1)

    def _arrived(self, kind, answer, record):
        """Return the bytes that arrive until the reader fails."""
        self.glance.answers(answer)
        arrived = []
        for_loop = self.reader(record).chunks()
        error = self.assertRaises(
            kind, lambda: arrived.extend(iter(lambda: next(for_loop), None)))
        return b''.join(arrived), error

    def test_nothing_beyond_the_recorded_size_arrives(self):
        arrived, error = self._arrived(
            exception.ImageCorrupt, case.WHOLE, recorded.Recorded(55))
        self.assertEqual(DATA[:50], arrived)
        self.assertIn('recorded 55 bytes', six.text_type(error))

    def test_data_of_unknown_size_has_the_limit_of_the_option(self):
        arrived, error = self._arrived(
            exception.ImageUnacceptable, case.WHOLE, recorded.Recorded())
        self.assertEqual(DATA[:40], arrived)
        self.assertIn('max_unsized_download', six.text_type(error))
        self.assertFalse(error.retriable)

    def test_the_option_does_not_limit_a_recorded_size(self):
        self.assert_read(case.WHOLE)

    def test_zero_means_no_limit(self):
        self.set(max_unsized_download=0)
        self.assert_read(case.WHOLE, record=recorded.Recorded())


class TestBandwidth(reader_case.ReaderCase):
    """[glance] transfer_bandwidth limits what readers read."""

    def setUp(self):
        super(TestBandwidth, self).setUp()
        self.stop_clock()
        self.set(transfer_bandwidth=10 / 1024.0 ** 2,  # a piece per second
                 transfer_lock_path=self.folder)

    def test_a_reader_waits_before_it_reads(self):
        self.glance.answers(case.WHOLE)
        chunks = self.reader().chunks()
        next(chunks)
        self.assertEqual([0.75], self.waits)
        self.now += 0.75
        next(chunks)
        self.assertEqual([0.75, 1.0], self.waits)

    def test_the_deadline_also_applies_to_the_wait(self):
        self.set(download_deadline=5,
                 transfer_bandwidth=0.1 / 1024.0 ** 2)
        self.glance.answers(case.WHOLE)
        reader = self.reader()

        def sleep(seconds):
            self.now += seconds
        reader._throttle._sleep = sleep
        error = self.assertRaises(exception.GlanceConnectionFailed, list,
                                  reader.chunks())
        self.assertIn('download_deadline', six.text_type(error))
        self.assertEqual(1005.0, self.now)

    def test_abort_ends_the_wait(self):
        self.set(transfer_bandwidth=0.1 / 1024.0 ** 2)
        self.glance.answers(case.WHOLE)
        reader = self.reader()
        reader._throttle._sleep = lambda seconds: reader.abort()
        self.assertRaises(exception.GlanceConnectionFailed, list,
                          reader.chunks())
