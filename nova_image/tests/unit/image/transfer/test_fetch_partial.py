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
"""Tests of nova_image.image.transfer.fetch: partial files."""

import os

import mock

from nova_image import exception
from nova_image.tests.unit.image.transfer import fetch_case
from nova_image.tests.unit.image.transfer import transfer_case as case

DATA = fetch_case.DATA


class TestKeeping(fetch_case.FetchCase):
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
        check = fetch_case.Check('signature')
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
