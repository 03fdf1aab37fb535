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
"""Tests of nova_image.image.transfer.file_sink: other processes and users."""

import errno
import fcntl
import os
import stat

import mock

from nova_image.image.transfer import file_sink
from nova_image.tests.unit.image.transfer import file_sink_case as case

DATA = case.DATA
RECORDED = case.RECORDED


class TestOthers(case.FileSinkCase):
    """Files in use by other processes, and files that others have planted."""

    def _assert_not_touched(self, path, content=DATA[:4]):
        opened = self.sink(keep=True)
        self.assertEqual(0, opened.begin('ID', RECORDED))
        opened.write(DATA)
        self.assertEqual(content, self.read(path))
        opened.publish()
        self.assertEqual(DATA, self.read())
        self.assertFalse(os.path.islink(self.path))
        self.assertEqual(content, self.read(path))

    def test_a_file_locked_by_another_process_is_not_touched(self):
        left = self.leave()
        unlock = self.hold(left)
        self._assert_not_touched(left)
        unlock()
        self.assertEqual(4, self.sink(keep=True).begin('ID', RECORDED))

    def test_the_partial_file_is_locked(self):
        for keep in (False, True):
            opened = self.sink(keep)
            opened.begin('ID', RECORDED)
            (partial,) = self.partials()
            with open(partial, 'r+b') as stream:
                error = self.assertRaises(
                    (IOError, OSError), fcntl.flock, stream.fileno(),
                    fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.assertEqual(errno.EWOULDBLOCK, error.errno)
            opened.discard()

    def test_nothing_is_kept_beside_a_file_in_use(self):
        left = self.leave()
        self.hold(left)
        opened = self.sink(keep=True)
        opened.begin('ID', RECORDED)
        opened.write(DATA[:7])
        opened.give_up()
        self.assertEqual([left], self.partials())

    def test_two_sinks_do_not_disturb_one_another(self):
        for keep in (False, True):
            one, two = self.sink(keep), self.sink(keep)
            self.assertEqual([0, 0], [opened.begin('ID', RECORDED)
                                      for opened in (one, two)])
            self.assertEqual(2, len(self.partials()))
            one.write(DATA[:4])
            two.write(DATA)
            one.write(DATA[4:])
            two.publish()
            self.assertEqual(DATA, self.read())
            one.publish()
            self.assertEqual(DATA, self.read())
            self.assertEqual([], self.partials())

    def test_two_sinks_may_begin_at_the_same_moment(self):
        others = []

        def late(path, new_locked=file_sink._new_locked):
            if not others:  # between the search and the creation
                others.append(self.sink(keep=True))
                others[0].begin('ID', RECORDED)
                others[0].write(DATA[:4])
            return new_locked(path)
        opened = self.sink(keep=True)
        with mock.patch.object(file_sink, '_new_locked', late):
            opened.begin('ID', RECORDED)
        opened.write(DATA)
        opened.publish()
        self.assertEqual(DATA, self.read())
        others[0].write(b'x' * 6)
        self.assertEqual(DATA, self.read())
        others[0].publish()
        self.assertEqual(DATA[:4] + b'x' * 6, self.read())

    def test_a_file_that_is_published_in_the_meantime_is_kept(self):
        left = self.leave(DATA)

        def late(number, lock=file_sink._lock):
            if not os.path.exists(self.path):
                os.rename(left, self.path)
            lock(number)
        opened = self.sink(keep=True)
        with mock.patch.object(file_sink, '_lock', late):
            self.assertEqual(0, opened.begin('ID', RECORDED))
        opened.write(b'x')
        opened.discard()
        self.assertEqual(DATA, self.read())

    def test_the_partial_file_is_removed_while_it_is_locked(self):
        opened = self.sink(keep=True)
        opened.begin('ID', RECORDED)
        opened.write(DATA[:4])
        (partial,) = self.partials()
        found = []

        def unlink(path, unlink=os.unlink):
            found.append(file_sink._open_locked(path))
            unlink(path)
        with mock.patch('os.unlink', unlink):
            opened.discard()
        self.assertEqual([None], found)
        self.assertFalse(os.path.exists(partial))

    def test_a_link_at_the_partial_path_is_not_touched(self):
        target = os.path.join(self.folder, 'target')
        self.write(DATA[:4], target)
        left = self.leave()
        os.unlink(left)
        os.symlink(target, left)
        self._assert_not_touched(target)
        self.assertTrue(os.path.islink(left))

    def test_a_link_is_not_opened(self):
        target = os.path.join(self.folder, 'target')
        self.write(DATA, target)
        os.symlink(target, self.path)
        with mock.patch('os.path.samestat', return_value=True):
            self.assertIsNone(file_sink._open_locked(self.path))

    def test_a_dangling_link_at_the_partial_path_creates_nothing(self):
        target = os.path.join(self.folder, 'target')
        left = self.leave()
        os.unlink(left)
        os.symlink(target, left)
        self.sink(keep=True).begin('ID', RECORDED)
        self.assertFalse(os.path.exists(target))

    def test_a_hard_link_at_the_partial_path_is_not_touched(self):
        target = os.path.join(self.folder, 'target')
        self.write(DATA[:4], target)
        left = self.leave()
        os.unlink(left)
        os.link(target, left)
        self._assert_not_touched(target)

    def test_a_pipe_at_the_partial_path_is_not_touched(self):
        left = self.leave()
        os.unlink(left)
        os.mkfifo(left)
        opened = self.sink(keep=True)
        self.assertEqual(0, opened.begin('ID', RECORDED))
        opened.write(DATA)
        opened.publish()
        self.assertEqual(DATA, self.read())
        self.assertTrue(stat.S_ISFIFO(os.stat(left).st_mode))

    def test_a_file_of_another_user_is_not_touched(self):
        left = self.leave()
        with mock.patch('os.geteuid', return_value=os.geteuid() + 1):
            self._assert_not_touched(left)
