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
"""Tests of nova_image.image.transfer.fetch: data directly from a store."""

import os

import fixtures

from nova_image import exception
from nova_image.image.transfer import recorded
from nova_image.tests.unit.image.transfer import fetch_case
from nova_image.tests.unit.image.transfer import transfer_case as case

DATA = fetch_case.DATA


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


class TestDirect(fetch_case.FetchCase):
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
        self.use_checks('format', fetch_case.Check(
            'format', exception.ImageUnacceptable()))
        self.assertRaises(exception.ImageUnacceptable, self._run,
                          Handler(DATA), inspect=True)
        self.assertEqual([], os.listdir(self.folder))
