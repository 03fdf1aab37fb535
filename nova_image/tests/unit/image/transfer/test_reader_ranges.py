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
"""Tests of nova_image.image.transfer.reader: answers to a range."""

import fixtures

from nova_image import exception
from nova_image.image.transfer import recorded
from nova_image.tests.unit.image.transfer import reader_case
from nova_image.tests.unit.image.transfer import transfer_case as case
from nova_image.tests.unit import recordings

DATA = reader_case.DATA


class TestRanges(reader_case.ReaderCase):
    """How servers answer a request for a range."""

    def _ranged(self, content_range, content=DATA[40:]):
        return case.GLANCE33('download_206').changed(
            content=content, headers={'Content-Range': content_range})

    def test_the_beginning_of_a_whole_answer_is_skipped(self):
        reader = self.assert_read(case.broken(40), case.WHOLE)
        self.assert_ranges(None, 40)
        self.assertEqual(1, reader.resumes)

    def test_a_whole_answer_may_be_interrupted_while_skipping(self):
        self.assert_read(case.broken(40), case.broken(20), case.broken(60),
                         case.rest)
        self.assert_ranges(None, 40, 40, 60)

    def test_a_piece_may_be_skipped_in_part(self):
        self.assert_read(case.WHOLE.changed(content=DATA[:45]), case.WHOLE)
        self.assert_ranges(None, 45)

    def test_a_range_of_an_unknown_total_is_accepted(self):
        self.assert_read(case.broken(40), self._ranged('bytes 40-99/*'))

    def test_the_rest_of_a_short_range_is_requested(self):
        self.assert_read(case.broken(40),
                         self._ranged('bytes 40-59/100', DATA[40:60]),
                         case.rest)
        self.assert_ranges(None, 40, 60)

    def test_a_range_of_other_bytes_is_replaced_by_all_data(self):
        for value in ('bytes 41-99/100', 'bytes 0-99/100', 'bytes 40-99/101',
                      'bytes %s-99/100' % ('9' * 5000),
                      'bytes */100', '40-99/100', ''):
            del self.glance.calls[:]
            self.assert_read(case.broken(40), self._ranged(value), case.WHOLE)
            self.assert_ranges(None, 40, None)
            self.assertIn('answered the range "%s"' % value,
                          self.warnings()[-1])

    def test_a_206_without_content_range_is_closed_and_replaced(self):
        closed = []
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.messages.Answer.close',
            lambda answer: closed.append(answer.status)))
        self.assert_read(case.broken(40),
                         recordings.Answer(206, content=DATA[40:]),
                         case.WHOLE)
        self.assert_ranges(None, 40, None)
        self.assertEqual([200, 206], closed)

    def test_no_secret_is_logged_about_a_wrong_range(self):
        self.set(api_servers=['http://user:hidden@glance:9292'])
        self.assert_read(case.broken(40), self._ranged('x'), case.WHOLE)
        self.assertIn('answered the range', self.log.output)
        self.assertNotIn('hidden', '\n'.join(
            line for line in self.log.output.splitlines()
            if 'requests_mock' not in line))

    def test_a_store_without_ranges_is_remembered(self):
        self.assert_read(case.broken(40), case.NO_RANGE, case.WHOLE)
        self.assert_ranges(None, 40, None)
        del self.glance.calls[:]
        self.assert_read(case.broken(40), case.WHOLE)
        self.assert_ranges(None, None)

    def test_another_store_may_have_ranges(self):
        self.assert_read(case.broken(40), case.NO_RANGE, case.WHOLE)
        del self.glance.calls[:]
        self.assert_read(case.broken(40), case.rest,
                         record=recorded.Recorded(case.SIZE, stores='slow'))
        self.assert_ranges(None, 40)

    def test_another_glance_may_have_ranges(self):
        self.assert_read(case.broken(40), case.NO_RANGE, case.WHOLE)
        del self.glance.calls[:]
        self.use_servers('other')
        self.assert_read(case.broken(40), case.rest)
        self.assert_ranges(None, 40)

    def test_an_unnamed_store_without_ranges_is_not_remembered(self):
        unnamed = recorded.Recorded(case.SIZE)
        for _ in range(2):
            del self.glance.calls[:]
            self.assert_read(case.broken(40), case.NO_RANGE, case.WHOLE,
                             record=unnamed)
            self.assert_ranges(None, 40, None)

    def test_a_416_is_not_remembered(self):
        for _ in range(2):
            del self.glance.calls[:]
            self.assert_read(case.broken(40), case.BAD_RANGE, case.WHOLE)
            self.assert_ranges(None, 40, None)

    def test_other_errors_are_raised(self):
        for name, kind in (('show_404', exception.ImageNotFound),
                           ('download_403', exception.ImageNotAuthorized)):
            del self.glance.calls[:]
            self.assert_fails(kind, case.broken(40), case.GLANCE33(name))
            self.assert_ranges(None, 40)
