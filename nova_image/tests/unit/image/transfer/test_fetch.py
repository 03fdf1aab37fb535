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
"""Tests of nova_image.image.transfer.fetch: from Glance into a sink."""

import errno
import io
import os
import threading

import fixtures
import mock
import six

from nova_image import exception
from nova_image.image.transfer import contracts
from nova_image.image.transfer import digest
from nova_image.image.transfer import fetch
from nova_image.image.transfer import file_sink
from nova_image.image.transfer import recorded
from nova_image.image.transfer import sink
from nova_image.tests.unit.image.transfer import fetch_case
from nova_image.tests.unit.image.transfer import transfer_case as case
from nova_image.tests.unit import recordings

DATA = fetch_case.DATA


def _recording(name):
    def method(self, *args):
        self.events.append((name,) + args[:1])
    return method


class Sink(contracts.Sink):
    """A sink that can only be written to, and records its calls."""

    begin = _recording('begin')
    write = _recording('write')
    restart = _recording('restart')
    publish = _recording('publish')
    discard = _recording('discard')
    give_up = _recording('give_up')

    def __init__(self):
        self.events = []


class TestToSink(fetch_case.FetchCase):
    """Downloads into a file or a file object."""

    def test_an_image_is_published(self):
        self.glance.answers(case.WHOLE)
        self.assertIsNone(self.run_it(path=self.path))
        self.assertEqual(DATA, self.read())
        self.assertEqual(['image'], os.listdir(self.folder))
        self.assert_ranges(None)
        self.assert_no_thread()

    def test_data_is_written_and_checked_in_one_pass(self):
        self.glance.answers(case.WHOLE)
        check, target = fetch_case.Check('signature'), Sink()
        self.use_checks('signature', check)
        self.download().to_sink(target)
        pieces = [DATA[start:start + case.PIECE]
                  for start in range(0, case.SIZE, case.PIECE)]
        self.assertEqual(
            [('begin', 'ID')] + [('write', piece) for piece in pieces] +
            [('publish',)], target.events)
        self.assertEqual(DATA, check.seen)
        self.assert_ranges(None)

    def test_an_interrupted_download_resumes(self):
        stream = io.BytesIO()
        self.glance.answers(case.broken(40), case.broken_rest(0), case.rest)
        self.run_it(stream)
        self.assertEqual(DATA, stream.getvalue())
        self.assert_ranges(None, 40, 40)

    def test_a_download_to_a_pipe_resumes(self):
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        self.glance.answers(case.broken(40), case.rest)
        with os.fdopen(writing, 'wb') as stream:
            self.run_it(stream)
        self.assertEqual(DATA, os.read(reading, 2 * case.SIZE))

    def test_a_failed_download_keeps_the_existing_file(self):
        with open(self.path, 'wb') as stream:
            stream.write(b'old')
        self.set(download_retries=0)
        self.glance.answers(case.broken())
        self.assertRaises(exception.GlanceConnectionFailed, self.run_it,
                          path=self.path)
        self.assertEqual(b'old', self.read())
        self.assertEqual(['image'], os.listdir(self.folder))

    def test_a_refusal_leaves_no_file(self):
        self.assert_failed(exception.ImageNotFound,
                           case.GLANCE33('show_404'))

    def test_a_full_disk_is_not_retried(self):
        full = OSError(errno.ENOSPC, 'No space left on device')
        with mock.patch.object(file_sink.FileSink, 'write',
                               side_effect=full):
            self.assertIs(full, self.assert_failed(OSError, case.WHOLE))
        self.assert_ranges(None)

    def test_a_failed_publication_leaves_no_file(self):
        with mock.patch('os.rename', side_effect=OSError(errno.EIO, 'bad')):
            self.assert_failed(OSError, case.WHOLE)

    def test_an_interrupt_leaves_no_file(self):
        with mock.patch.object(file_sink.FileSink, 'write',
                               side_effect=KeyboardInterrupt):
            self.assert_failed(KeyboardInterrupt, case.WHOLE)

    def test_an_image_that_does_not_fit_is_not_requested(self):
        room = mock.Mock(f_bavail=case.SIZE - 1, f_frsize=1)
        with mock.patch('os.statvfs', return_value=room):
            self.assert_failed(exception.InsufficientDiskSpace)
        self.assert_ranges()

    def test_a_closed_file_object_is_refused_without_a_request(self):
        stream = io.BytesIO()
        stream.close()
        self.assertRaises(exception.ImageUnacceptable, self.run_it, stream)
        self.assert_ranges()

    def test_an_unknown_algorithm_is_refused_without_a_request(self):
        self.assert_failed(
            exception.ImageUnacceptable,
            record=recorded.Recorded(case.SIZE, 'none-such', 'abc'))
        self.assert_ranges()

    def test_the_connection_is_released(self):
        body, kept = io.BytesIO(DATA), []
        self.glance.answers(recordings.Answer(content=body))
        download = fetch.Download(
            self.client(), self.context, self.request,
            lambda answer: kept.append(answer) or case.RECORDED)
        download.run(path=self.path)
        self.assertTrue(body.closed)

    def test_the_connection_is_released_if_nothing_is_read(self):
        body, kept = io.BytesIO(DATA), []
        self.glance.answers(recordings.Answer(content=body))
        download = fetch.Download(
            self.client(), self.context, self.request,
            lambda answer: kept.append(answer) or case.RECORDED)
        with mock.patch('os.statvfs', return_value=mock.Mock(
                f_bavail=0, f_frsize=1)):
            self.assertRaises(exception.InsufficientDiskSpace, download.run,
                              path=self.path)
        self.assertTrue(body.closed)

    def test_the_recorded_values_may_come_with_the_answer(self):
        self.glance.answers(case.wrong(), case.WHOLE)
        download = fetch.Download(self.client(), self.context, self.request,
                                  lambda answer: case.RECORDED)
        download.run(path=self.path)
        self.assertEqual(DATA, self.read())
        self.assert_ranges(None, None)

    def test_unknown_options_are_a_type_error(self):
        error = self.assertRaises(TypeError, self.download, other=1, one=2)
        self.assertIn('one, other', six.text_type(error))


class TestNative(fetch_case.FetchCase):
    """Work that does not run on the caller's thread."""

    def setUp(self):
        super(TestNative, self).setUp()
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.offload.SMALL', 0))
        self.threads = set()
        original = digest.Checks.update

        def update(checks, chunk):
            self.threads.add(threading.current_thread())
            original(checks, chunk)
        self.useFixture(fixtures.MockPatchObject(
            digest.Checks, 'update', update))

    def _assert_beside(self):
        """Assert that all checks ran on other threads, which are gone."""
        self.assertTrue(self.threads)
        self.assertNotIn(threading.current_thread(), self.threads)
        self.assert_no_thread()

    def _published_by(self, name, path):
        """Return the functions that a function of offload has called."""
        called = []

        def call(function, *args):
            called.append(getattr(function, '__name__', ''))
            return function(*args)
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.offload.' + name, call))
        self.glance.answers(case.WHOLE)
        self.run_it(path=path)
        self._assert_beside()
        return called

    def test_publication_runs_where_it_may_block(self):
        self.assertEqual('publish', self._published_by('call', self.path)[-1])

    def test_a_long_publication_runs_on_a_thread_of_its_own(self):
        self.assertEqual([], self._published_by('call_long', self.path))
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.transfer.file_sink._LONG', len(DATA)))
        for path in (self.path, os.devnull):
            self.assertEqual(['publish'],
                             self._published_by('call_long', path))

    def test_a_stream_is_checked_beside_its_caller(self):
        self.glance.answers(case.WHOLE)
        self.assertEqual(DATA, b''.join(self.run_it()))
        self._assert_beside()

    def test_a_stream_that_is_dropped_ends_its_thread(self):
        self.glance.answers(case.WHOLE)
        stream = self.run_it()
        next(stream)
        stream.close()
        self.assert_no_thread()

    def test_a_sink_that_fails_ends_the_thread(self):
        self.glance.answers(case.WHOLE)
        with mock.patch.object(sink.ObjectSink, 'write',
                               side_effect=KeyboardInterrupt()):
            self.assertRaises(KeyboardInterrupt, self.run_it,
                              data=io.BytesIO())
        self.assert_no_thread()

    def test_a_failing_check_ends_the_download(self):
        self.glance.answers(case.WHOLE)
        with mock.patch.object(digest.Digest, 'update',
                               side_effect=ZeroDivisionError()):
            self.assertRaises(ZeroDivisionError, self.run_it, path=self.path)
        self._assert_beside()
        self.assertEqual([], os.listdir(self.folder))
