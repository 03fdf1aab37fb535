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
"""Tests of nova_image.image.transfer.fetch: data that is wrong or refused."""

import io
import os

import mock
import six

from nova_image import exception
from nova_image.image.transfer import recorded
from nova_image.tests.unit.image.transfer import fetch_case
from nova_image.tests.unit.image.transfer import transfer_case as case

DATA = fetch_case.DATA


class TestRefetching(fetch_case.FetchCase):
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
        checks = [[fetch_case.Check(kind) for _ in range(2)]
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


class TestRefusing(fetch_case.FetchCase):
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
        self.use_checks('signature',
                        *[fetch_case.Check('signature', error)] * 2)
        self._assert_refused(error)

    def test_a_wrong_format_is_refused(self):
        error = exception.ImageUnacceptable()
        self.use_checks('format', *[fetch_case.Check('format', error)] * 2)
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
        formats = self.use_checks('format', fetch_case.Check('format'))
        self.glance.answers(case.WHOLE)
        self.run_it(path=self.path, record=record, inspect=True,
                    trusted_certs=['cert'])
        facts = {'action': 'download', 'image_id': 'ID', 'endpoint': None,
                 'secrets': mock.ANY}
        signatures.assert_called_once_with(
            self.conf, self.context, {'a': 'b'}, ['cert'], **facts)
        formats.assert_called_once_with('qcow2', **facts)

    def test_an_error_of_a_check_at_the_last_bytes_leaves_no_file(self):
        class Failing(fetch_case.Check):
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
            factory = self.use_checks('format', fetch_case.Check('format'))
            self.glance.answers(case.WHOLE)
            self.run_it(path=self.path, inspect=argument)
            self.assertEqual(expected, factory.call_count)
