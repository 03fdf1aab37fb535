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
"""Tests of nova_image.image.transfer.file_sink: partial files."""

import os

import fixtures
import mock

from nova_image import exception
from nova_image.image.transfer import recorded
from nova_image.tests.unit.image.transfer import file_sink_case as case

DATA = case.DATA
RECORDED = case.RECORDED
DAY = case.DAY


class TestResuming(case.FileSinkCase):
    """A partial file that an earlier process has left is resumed."""

    def _begin(self, record=RECORDED, image_id='ID', keep=True):
        opened = self.sink(keep)
        return opened, opened.begin(image_id, record)

    def test_a_file_of_a_killed_process_is_resumed(self):
        left = self.leave()
        opened, kept = self._begin()
        self.assertEqual(4, kept)
        self.assertEqual([left], self.partials())
        self.assertEqual([DATA[:4]], list(opened.kept()))
        opened.write(DATA[4:])
        opened.publish()
        self.assertEqual(DATA, self.read())
        self.assertEqual([], self.partials())

    def test_a_file_of_a_failed_download_is_resumed(self):
        first, kept = self._begin()
        self.assertEqual(0, kept)
        first.write(DATA[:4])
        first.give_up()
        self.assertEqual(1, len(self.partials()))
        self.assertEqual(4, self._begin()[1])

    def test_an_empty_file_is_not_kept(self):
        first, _ = self._begin()
        first.give_up()
        self.assertEqual([], self.partials())

    def test_a_discarded_file_is_not_kept(self):
        first, _ = self._begin()
        first.write(DATA[:4])
        first.discard()
        self.assertEqual([], self.partials())

    def test_kept_data_comes_in_pieces(self):
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.sizes.CHUNK', 3))
        self.leave()
        opened, _ = self._begin()
        self.assertEqual([DATA[:3], DATA[3:4]], list(opened.kept()))

    def test_restart_removes_wrong_data(self):
        self.leave(b'evil')
        opened, _ = self._begin()
        self.assertTrue(opened.restart())
        self.assertEqual(0, opened.begin('ID', RECORDED))
        opened.write(DATA)
        opened.publish()
        self.assertEqual(DATA, self.read())

    def test_a_file_longer_than_the_image_is_emptied(self):
        left = self.leave(DATA + b'more')
        opened, kept = self._begin()
        self.assertEqual(0, kept)
        self.assertEqual(b'', self.read(left))
        opened.write(DATA)
        opened.publish()
        self.assertEqual(DATA, self.read())

    def test_a_file_as_long_as_the_image_is_resumed(self):
        self.leave(DATA)
        self.assertEqual(len(DATA), self._begin()[1])

    def test_a_file_of_an_image_of_unknown_size_is_resumed(self):
        record = recorded.Recorded(None, 'md5', RECORDED.value)
        self.leave(DATA + b'more', record)
        self.assertEqual(14, self._begin(record)[1])

    def test_a_file_of_another_image_is_not_resumed(self):
        self.leave()
        for record, image_id in (
                (RECORDED, 'another'),
                (recorded.Recorded(11, 'md5', RECORDED.value), 'ID'),
                (recorded.Recorded(10, 'sha1', RECORDED.value), 'ID'),
                (recorded.Recorded(10, 'md5', '0' * 32), 'ID')):
            self.assertEqual(0, self._begin(record, image_id)[1])

    def test_a_file_for_another_path_is_not_resumed(self):
        self.leave(path=os.path.join(self.folder, 'another'))
        self.assertEqual(0, self._begin()[1])

    def test_a_file_is_not_resumed_without_keep(self):
        left = self.leave()
        opened, kept = self._begin(keep=False)
        self.assertEqual(0, kept)
        opened.write(DATA)
        opened.give_up()
        self.assertEqual([left], self.partials())

    def test_nothing_is_kept_without_a_hash(self):
        opened, _ = self._begin(recorded.Recorded(10))
        opened.write(DATA[:4])
        opened.give_up()
        self.assertEqual([], self.partials())
        self.assertEqual(0, self._begin(recorded.Recorded(10))[1])


class TestCopying(case.FileSinkCase):
    """A copy beside a partial file of the same image."""

    def _copy(self, content=DATA):
        opened = self.sink(keep=True)
        opened.begin_copy('ID', RECORDED)
        opened.stream.write(content)
        opened.take_over()
        return opened

    def test_publish_removes_the_partial_file(self):
        left = self.leave()
        opened = self._copy()
        self.assertEqual(DATA[:4], self.read(left))
        opened.publish()
        self.assertEqual(DATA, self.read())
        self.assertEqual([], self.partials())

    def test_give_up_keeps_the_partial_file(self):
        left = self.leave()
        self._copy().give_up()
        self.assertEqual([left], self.partials())
        self.assertEqual(DATA[:4], self.read(left))

    def test_discard_removes_the_partial_file(self):
        self.leave()
        self._copy().discard()
        self.assertEqual([], self.partials())

    def test_the_next_attempt_resumes_the_partial_file(self):
        left = self.leave()
        opened = self._copy(b'something else')
        opened.restart()
        self.assertEqual(4, opened.begin('ID', RECORDED))
        self.assertEqual([left], self.partials())
        opened.write(DATA[4:])
        opened.publish()
        self.assertEqual(DATA, self.read())
        self.assertEqual([], self.partials())

    def test_a_partial_file_in_use_stays(self):
        left = self.leave()
        self.hold(left)
        self._copy().publish()
        self._copy().discard()
        self.assertEqual([left], self.partials())

    def test_the_partial_file_of_another_image_stays(self):
        left = self.leave(image_id='another')
        self._copy().publish()
        self.assertEqual([left], self.partials())

    def test_nothing_is_kept_without_a_hash(self):
        opened = self.sink(keep=True)
        opened.begin_copy('ID', recorded.Recorded(10))
        opened.publish()
        self.assertEqual([], self.partials())

    def test_a_copy_that_does_not_fit_is_refused(self):
        self.assertRaises(exception.InsufficientDiskSpace,
                          self.sink().begin_copy, 'ID',
                          recorded.Recorded(2 ** 60))


class TestCleaning(case.FileSinkCase):
    """Abandoned partial files are removed."""

    def test_old_files_are_removed(self):
        for keep in (False, True):
            self.make_old(self.leave())
            self.make_old(self.leave(path=self.path + '-2'))
            self.sink(keep, max_age=DAY).discard()
            self.assertEqual([], self.partials())

    def test_recent_files_stay(self):
        left = self.leave()
        self.make_old(left, 50)
        self.sink(max_age=60).discard()
        self.assertEqual([left], self.partials())
        self.sink(max_age=40).discard()
        self.assertEqual([], self.partials())

    def test_files_in_use_stay(self):
        left = self.leave()
        self.make_old(left)
        unlock = self.hold(left)
        self.sink().discard()
        self.assertEqual([left], self.partials())
        unlock()
        self.sink().discard()
        self.assertEqual([], self.partials())

    def test_files_of_other_users_stay(self):
        left = self.leave()
        self.make_old(left)
        with mock.patch('os.geteuid', return_value=os.geteuid() + 1):
            self.sink().discard()
        self.assertEqual([left], self.partials())

    def test_files_with_other_names_stay(self):
        names = ['image', '.image.part', 'image.0123456789ab.part',
                 '.image.0123456789ab.part~', '.image.0123456789aX.part',
                 '..0123456789ab.part']
        for name in names:
            path = os.path.join(self.folder, name)
            self.write(DATA, path)
            self.make_old(path)
        self.sink().discard()
        self.assertEqual(sorted(names), sorted(os.listdir(self.folder)))

    def test_links_stay(self):
        target = os.path.join(self.folder, 'target')
        self.write(DATA, target)
        self.make_old(target)
        os.symlink(target, os.path.join(self.folder,
                                        '.image.0123456789ab.part'))
        self.sink(max_age=-60).discard()
        self.assertEqual(DATA, self.read(target))
        self.assertEqual(2, len(self.partials()))

    def test_files_that_vanish_are_ignored(self):
        left = self.leave()
        with mock.patch('os.listdir', return_value=['.x.0123456789ab.part',
                                                    os.path.basename(left)]):
            self.sink(max_age=-60).discard()
        self.assertEqual([], self.partials())
