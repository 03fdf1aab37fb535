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

"""Tests of nova_image.image.transfer.fetch: bytes from Glance to a sink."""

import errno
import io
import logging
import os
import threading

import fixtures
import mock
import six

from nova_image import exception
from nova_image.image.transfer import contracts
from nova_image.image.transfer import fetch
from nova_image.image.transfer import file_sink
from nova_image.image.transfer import recorded
from nova_image.tests.unit.image.transfer import transfer_case as case
from nova_image.tests.unit import recordings

DATA = case.DATA


class Check(object):
    """A fake check of the signature or the format.

    :param name: the name of the check
    :param error: the exception that verify() raises, or None
    """

    def __init__(self, name, error=None):
        self.name = name
        self.seen = b''
        self._error = error

    def update(self, chunk):
        """Keep the bytes."""
        self.seen += chunk

    def verify(self):
        """Raise the error, if there is one."""
        if self._error is not None:
            raise self._error


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


class FetchCase(case.TransferCase):
    """Base class: a download."""

    def download(self, record=case.RECORDED, **options):
        """Return a new download."""
        return fetch.Download(
            self.client(), self.context, self.request,
            lambda answer: record, recorded=record, **options)

    def run_it(self, data=None, path=None, **options):
        """Run a new download."""
        return self.download(**options).run(data, path)

    def assert_failed(self, kind, *answers, **options):
        """Assert that it fails and leaves no file; return the error."""
        self.glance.answers(*answers)
        error = self.assertRaises(kind, self.run_it, path=self.path,
                                  **options)
        self.assertEqual([], os.listdir(self.folder))
        self.assert_no_thread()
        return error

    def assert_no_thread(self):
        """Assert that no check is running."""
        self.assertEqual([], [thread for thread in threading.enumerate()
                              if thread.name == 'nova_image check'])

    def use_checks(self, kind, *checks):
        """Use these checks in turn, one for each attempt.

        :param kind: 'signature' or 'format'
        :returns: the mock that returns them
        """
        name = {'signature': 'signature.open_verifier',
                'format': 'format_check.FormatCheck'}[kind]
        factory = mock.Mock(side_effect=checks)
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.transfer.fetch.' + name, factory))
        return factory


class TestToSink(FetchCase):
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
        check, target = Check('signature'), Sink()
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


class TestRefetching(FetchCase):
    """Data that differs from the recorded values."""

    def test_wrong_data_is_fetched_again(self):
        self.glance.answers(case.wrong(), case.WHOLE)
        self.run_it(path=self.path)
        self.assertEqual(DATA, self.read())
        self.assert_ranges(None, None)
        self.assertEqual(1, len(self.waits))
        self.assertIn('discarded', self.warnings()[0])

    def test_wrong_data_is_refused_after_all_retries(self):
        for count in (0, 3):
            del self.glance.calls[:]
            self.set(num_retries=count)
            error = self.assert_failed(
                exception.ImageCorrupt,
                *[case.wrong() for _ in range(1 + count)])
            self.assertIn('md5', six.text_type(error))
            self.assert_ranges(*[None] * (1 + count))

    def test_too_much_data_is_fetched_again(self):
        self.glance.answers(case.WHOLE.changed(content=DATA + b'x'),
                            case.WHOLE)
        self.run_it(path=self.path)
        self.assertEqual(DATA, self.read())

    def test_wrong_data_in_a_file_object_is_replaced(self):
        stream = io.BytesIO(b'head')
        stream.seek(4)
        self.glance.answers(case.wrong(), case.WHOLE)
        self.run_it(stream)
        self.assertEqual(b'head' + DATA, stream.getvalue())

    def test_wrong_data_in_a_pipe_is_refused_at_once(self):
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        self.glance.answers(case.wrong())
        with os.fdopen(writing, 'wb') as stream:
            self.assertRaises(exception.ImageCorrupt, self.run_it, stream)
        self.assert_ranges(None)

    def test_each_attempt_has_new_checks(self):
        checks = [[Check(kind) for _ in range(2)]
                  for kind in ('signature', 'format')]
        signatures = self.use_checks('signature', *checks[0])
        formats = self.use_checks('format', *checks[1])
        self.glance.answers(case.wrong(), case.WHOLE)
        self.run_it(path=self.path, inspect=True, trusted_certs=['cert'])
        self.assertEqual([2, 2], [signatures.call_count,
                                  formats.call_count])
        for first, second in checks:
            self.assertEqual((DATA[::-1], DATA), (first.seen, second.seen))

    def test_all_attempts_share_the_deadline(self):
        self.stop_clock()
        self.set(download_deadline=100)

        def later(done, total, rate):
            self.now += 6
        self.assert_failed(exception.GlanceConnectionFailed, case.wrong(),
                           case.WHOLE, progress=later)


class TestRefusing(FetchCase):
    """Data whose signature or format is refused."""

    def _assert_refused(self, error, **options):
        for kwargs in ({}, {'keep_partial_downloads': True}):
            del self.glance.calls[:]
            self.set(**kwargs)
            self.assertIs(error, self.assert_failed(
                type(error), case.WHOLE, **options))
            self.assert_ranges(None)
            self.assertEqual([], self.waits)

    def test_a_wrong_signature_is_refused(self):
        error = exception.SignatureVerificationError()
        self.use_checks('signature', *[Check('signature', error)] * 2)
        self._assert_refused(error)

    def test_a_wrong_format_is_refused(self):
        error = exception.ImageUnacceptable()
        self.use_checks('format', *[Check('format', error)] * 2)
        self._assert_refused(error, inspect=True)

    def test_an_unverifiable_image_is_not_requested(self):
        error = exception.SignatureVerificationError()
        self.use_checks('signature', error)
        self.assertIs(error, self.assert_failed(type(error)))
        self.assert_ranges()

    def test_the_checks_get_the_recorded_values(self):
        record = recorded.Recorded(
            case.SIZE, 'md5', case.MD5, disk_format='qcow2',
            properties={'a': 'b'})
        signatures = self.use_checks('signature', None)
        formats = self.use_checks('format', Check('format'))
        self.glance.answers(case.WHOLE)
        self.run_it(path=self.path, record=record, inspect=True,
                    trusted_certs=['cert'])
        facts = {'action': 'download', 'image_id': 'ID', 'endpoint': None}
        signatures.assert_called_once_with(
            self.conf, self.context, {'a': 'b'}, ['cert'], **facts)
        formats.assert_called_once_with('qcow2', **facts)

    def test_an_error_of_a_check_at_the_last_bytes_leaves_no_file(self):
        class Failing(Check):
            def update(self, chunk):
                super(Failing, self).update(chunk)
                if len(self.seen) == case.SIZE:
                    raise ValueError('no good')
        self.use_checks('signature', Failing('signature'))
        self.assert_failed(ValueError, case.WHOLE)

    def test_the_option_or_the_caller_enables_the_inspection(self):
        for option, argument, expected in (
                (False, False, 0), (True, False, 1), (False, True, 1)):
            self.set(inspect_images=option)
            factory = self.use_checks('format', Check('format'))
            self.glance.answers(case.WHOLE)
            self.run_it(path=self.path, inspect=argument)
            self.assertEqual(expected, factory.call_count)


class TestKeeping(FetchCase):
    """[glance] keep_partial_downloads."""

    def setUp(self):
        super(TestKeeping, self).setUp()
        self.set(keep_partial_downloads=True, download_retries=0,
                 num_retries=1)

    def _interrupt(self):
        self.glance.answers(case.broken(40))
        self.assertRaises(exception.GlanceConnectionFailed, self.run_it,
                          path=self.path)
        (self.left,) = os.listdir(self.folder)
        del self.glance.calls[:]

    def _overwrite(self, content):
        with open(os.path.join(self.folder, self.left), 'wb') as stream:
            stream.write(content)

    def _assert_whole(self, *answers):
        self.glance.answers(*answers)
        self.run_it(path=self.path)
        self.assertEqual(DATA, self.read())
        self.assertEqual(['image'], os.listdir(self.folder))

    def test_the_next_download_resumes_a_partial_file(self):
        self._interrupt()
        check = Check('signature')
        self.use_checks('signature', check)
        self._assert_whole(case.rest)
        self.assert_ranges(40)
        self.assertEqual(DATA, check.seen)
        self.assertIn('resumes at byte 40', self.log.output)

    def test_a_wrong_partial_file_is_replaced(self):
        self._interrupt()
        self._overwrite(DATA[:39] + b'x')
        self._assert_whole(case.rest, case.WHOLE)
        self.assert_ranges(40, None)

    def test_a_complete_partial_file_needs_no_request(self):
        self._interrupt()
        self._overwrite(DATA)
        self._assert_whole()
        self.assert_ranges()

    def test_wrong_data_is_not_kept(self):
        self.assert_failed(exception.ImageCorrupt, case.wrong(),
                           case.wrong())

    def test_an_interrupt_keeps_the_partial_file(self):
        self.glance.answers(case.WHOLE)
        interrupt = mock.Mock(side_effect=[None, KeyboardInterrupt])
        self.assertRaises(KeyboardInterrupt, self.run_it, path=self.path,
                          progress=interrupt)
        self.assertEqual(1, len(os.listdir(self.folder)))
        del self.glance.calls[:]
        self._assert_whole(case.rest)
        self.assert_ranges(20)

    def test_old_partial_files_are_removed(self):
        self._interrupt()
        self.set(partial_download_age=60)
        os.utime(os.path.join(self.folder, self.left), (1, 1))
        self._assert_whole(case.WHOLE)
        self.assert_ranges(None)


class Handler(object):
    """A fake handler of direct downloads.

    :param content: the bytes that it writes
    :param error: the exception that it raises then, or None
    """

    def __init__(self, content, error=None):
        self._content = content
        self._error = error

    def copy(self, url, output, check):
        """Write the content, then raise the error."""
        output.write(self._content)
        check.update(self._content)
        if self._error is not None:
            raise self._error


class TestDirect(FetchCase):
    """Data that comes directly from a store."""

    def _run(self, handler, **options):
        self.run_it(path=self.path, locations=['own://x'],
                    handlers={'own': handler}, **options)

    def _leave_partial(self):
        """Leave the partial file of a download interrupted at byte 40."""
        self.set(keep_partial_downloads=True, download_retries=0)
        self.glance.answers(case.broken(40))
        self.assertRaises(exception.GlanceConnectionFailed, self.run_it,
                          path=self.path)
        del self.glance.calls[:]
        return os.listdir(self.folder)

    def test_data_is_copied_without_a_request(self):
        self._run(Handler(DATA))
        self.assertEqual(DATA, self.read())
        self.assert_ranges()

    def test_wrong_data_is_fetched_from_glance(self):
        self.glance.answers(case.WHOLE)
        self._run(Handler(DATA[::-1]))
        self.assertEqual(DATA, self.read())
        self.assert_ranges(None)
        self.assertIn('own://x', self.warnings()[0])

    def test_data_of_a_failed_copy_does_not_show_through_holes(self):
        zeros = b'\0' * (1 << 17)
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.sizes.CHUNK', 1 << 17))
        self.glance.answers(case.WHOLE.changed(content=zeros))
        self._run(Handler(b'x' * (1 << 17), IOError('gone')),
                  record=recorded.Recorded(1 << 17))
        self.assertEqual(b'', self.read().strip(b'\0'))
        self.assertEqual(len(zeros), os.path.getsize(self.path))

    def test_a_copy_removes_a_partial_file(self):
        self._leave_partial()
        self._run(Handler(DATA))
        self.assertEqual(DATA, self.read())
        self.assertEqual(['image'], os.listdir(self.folder))
        self.assert_ranges()

    def test_a_failed_copy_resumes_a_partial_file(self):
        for handler in (Handler(b'', IOError('gone')),
                        Handler(DATA[::-1][:70], IOError('interrupted')),
                        Handler(DATA[::-1])):
            self._leave_partial()
            self.glance.answers(case.rest)
            self._run(handler)
            self.assertEqual(DATA, self.read())
            self.assertEqual(['image'], os.listdir(self.folder))
            self.assert_ranges(40)
            os.unlink(self.path)
            del self.glance.calls[:]

    def test_an_interrupted_copy_keeps_a_partial_file(self):
        left = self._leave_partial()
        self.assertRaises(KeyboardInterrupt, self._run,
                          Handler(DATA[:70], KeyboardInterrupt()))
        self.assertEqual(left, os.listdir(self.folder))
        with open(os.path.join(self.folder, left[0]), 'rb') as stream:
            self.assertEqual(DATA[:40], stream.read())

    def test_a_refused_copy_removes_a_partial_file(self):
        self._leave_partial()
        self.use_checks('format', Check('format',
                                        exception.ImageUnacceptable()))
        self.assertRaises(exception.ImageUnacceptable, self._run,
                          Handler(DATA), inspect=True)
        self.assertEqual([], os.listdir(self.folder))


class TestReporting(FetchCase):
    """The progress of a download, and its log."""

    def setUp(self):
        super(TestReporting, self).setUp()
        self.logged = case.Records()
        logger = logging.getLogger(fetch.__name__)
        logger.addHandler(self.logged)
        self.addCleanup(logger.removeHandler, self.logged)

    def _record(self):
        (record,) = [one for one in self.logged.records
                     if hasattr(one, 'transfer')]
        return record

    def test_progress_is_reported_with_its_rate(self):
        self.stop_clock()
        calls = []

        def progress(*args):
            calls.append(args)
            self.now += 2
        self.glance.answers(case.broken(40), case.rest)
        self.run_it(path=self.path, progress=progress)
        self.assertEqual((10, 100, 0.0), calls[0])
        self.assertEqual((20, 100, 10.0), calls[1])
        self.assertEqual((100, 100, 100 / 18.0), calls[-1])
        self.assertEqual(10, len(calls))

    def test_progress_of_a_stream_is_reported(self):
        calls = []
        self.glance.answers(case.WHOLE)
        list(self.run_it(progress=lambda *args: calls.append(args[:2])))
        self.assertEqual([(done, 100) for done in range(10, 101, 10)], calls)

    def test_progress_of_an_unknown_size_has_no_total(self):
        calls = []
        self.glance.answers(case.WHOLE)
        self.run_it(path=self.path, progress=lambda *args: calls.append(args),
                    record=recorded.Recorded())
        self.assertIsNone(calls[0][1])

    def test_a_line_is_logged(self):
        self.stop_clock()

        def progress(done, total, rate):
            self.now += 0.25
        self.glance.answers(case.broken(40), case.rest)
        self.run_it(path=self.path, progress=progress)
        record = self._record()
        self.assertEqual('INFO', record.levelname)
        self.assertEqual(
            'Image ID: 100 bytes from http://glance:9292 in 2.5 s, 0.0 '
            'MiB/s, resumed 1 times, verified by md5', record.getMessage())

    def test_a_record_for_programs_is_logged(self):
        self.stop_clock()

        def progress(done, total, rate):
            self.now += 0.0625
        self.use_checks('signature', Check('signature'), Check('signature'))
        self.use_checks('format', Check('format'), Check('format'))
        self.glance.answers(case.wrong(), case.broken(40), case.rest)
        self.run_it(path=self.path, progress=progress, inspect=True)
        self.assertEqual({
            'image': 'ID', 'bytes': 100, 'endpoint': 'http://glance:9292',
            'seconds': 1.25, 'resumes': 1, 'restarts': 1,
            'verified_by': ['md5', 'signature', 'format']},
            self._record().transfer)

    def test_a_record_is_logged_at_the_end_of_a_stream(self):
        self.glance.answers(case.WHOLE)
        stream = self.run_it()
        next(stream)
        self.assertEqual([], self.logged.records)
        list(stream)
        self.assertEqual(100, self._record().transfer['bytes'])

    def test_no_secrets_are_logged(self):
        self.set(api_servers=['http://user:hidden@glance:9292'])
        self.glance.answers(case.broken(40), case.rest)
        self.run_it(path=self.path)
        record = self._record()
        self.assertEqual('http://***@glance:9292',
                         record.transfer['endpoint'])
        self.assertIn('http://***@glance:9292', record.getMessage())
        for secret in ('hidden', 'a-secret-token'):
            self.assertNotIn(secret, repr(record.__dict__))
            self.assertNotIn(secret, '\n'.join(self.warnings()))

    def test_a_missing_hash_is_logged(self):
        self.glance.answers(case.broken(40), case.rest)
        self.run_it(path=self.path, record=recorded.Recorded(case.SIZE))
        _, line = self.warnings()
        self.assertIn('Image ID has no recorded hash', line)
        self.assertEqual(['size'], self._record().transfer['verified_by'])

    def test_a_missing_hash_of_a_signed_image_is_not_logged(self):
        self.use_checks('signature', Check('signature'))
        self.glance.answers(case.WHOLE)
        self.run_it(path=self.path, record=recorded.Recorded(case.SIZE))
        self.assertEqual([], self.warnings())

    def test_no_record_is_logged_after_a_failure(self):
        self.set(num_retries=0)
        self.assert_failed(exception.ImageCorrupt, case.wrong())
        self.assertEqual([], [record for record in self.logged.records
                              if hasattr(record, 'transfer')])


class TestEventlet(FetchCase):
    """Work that runs in native threads."""

    def test_publication_and_checks_run_in_native_threads(self):
        called = []

        def call(function, *args):
            called.append(getattr(function, '__name__', ''))
            return function(*args)
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.offload.call', call))
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.offload.on_eventlet', lambda: True))
        self.glance.answers(case.WHOLE, case.WHOLE)
        self.run_it(path=self.path)
        self.assertEqual(['update'] * 10 + ['publish'], called)
        del called[:]
        list(self.run_it())
        self.assertEqual(['update'] * 10, called)
