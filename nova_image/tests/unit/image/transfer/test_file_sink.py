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

"""Tests of nova_image.image.transfer.file_sink: complete files on disk."""

import errno
import fcntl
import hashlib
import os
import resource
import stat
import subprocess
import sys
import time

import fixtures
import mock
import six
import testtools

from nova_image import exception
from nova_image.image.transfer import file_sink
from nova_image.image.transfer import recorded

DATA = b'0123456789'
RECORDED = recorded.Recorded(len(DATA), 'md5', hashlib.md5(DATA).hexdigest())
BLOCK = 64 * 1024
DAY = 86400

#: locks a file, prints "locked", and holds the lock until its input ends
_HOLDER = """
import fcntl, sys
stream = open(sys.argv[1], 'r+b')
fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
sys.stdout.write('locked')
sys.stdout.flush()
sys.stdin.read()
"""


class FileSinkCase(testtools.TestCase):
    """Base class: a folder."""

    def setUp(self):
        super(FileSinkCase, self).setUp()
        self.folder = self.useFixture(fixtures.TempDir()).path
        self.path = os.path.join(self.folder, 'image')

    def sink(self, keep=False, path=None, **options):
        """Return a sink, which is discarded after the test."""
        opened = file_sink.FileSink(path or self.path, keep, **options)
        self.addCleanup(opened.discard)
        return opened

    def read(self, path=None):
        """Return the data at the path."""
        with open(path or self.path, 'rb') as stream:
            return stream.read()

    def write(self, content, path=None):
        """Write a file at the path."""
        with open(path or self.path, 'wb') as stream:
            stream.write(content)

    def partials(self):
        """Return the paths of the files beside the image."""
        return [os.path.join(self.folder, name)
                for name in sorted(os.listdir(self.folder))
                if name != 'image']

    def hold(self, path):
        """Let another process lock a file.

        A real one: flock() does not exclude the process that has the lock
        through the same open file.

        :returns: a callable that unlocks it
        """
        process = subprocess.Popen(
            [sys.executable, '-c', _HOLDER, path], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)

        def unlock():
            process.stdin.close()
            process.wait()
        self.addCleanup(process.stdout.close)
        self.addCleanup(unlock)
        self.assertEqual(b'locked', process.stdout.read(6))
        return unlock

    def leave(self, content=DATA[:4], record=RECORDED, image_id='ID',
              path=None):
        """Leave a partial file, as a process does that is killed.

        :returns: its path
        """
        before = set(self.partials())
        killed = file_sink.FileSink(path or self.path, keep=True)
        killed.begin(image_id, record)
        (left,) = set(self.partials()) - before
        killed.restart()
        killed.write(content)
        killed.stream.close()
        return left

    def make_old(self, path, seconds=DAY + 60):
        """Set the time of a file's last change."""
        then = time.time() - seconds
        os.utime(path, (then, then))


class TestPublishing(FileSinkCase):
    """A file is published completely or not at all."""

    def _publish(self, *chunks):
        opened = self.sink()
        for chunk in chunks or (DATA[:4], DATA[4:]):
            opened.write(chunk)
        opened.publish()

    def test_there_is_no_file_before_publish(self):
        opened = self.sink()
        self.assertEqual(0, opened.begin('ID', RECORDED))
        opened.write(DATA)
        self.assertFalse(os.path.exists(self.path))

    def test_publish_makes_the_file_appear(self):
        self._publish()
        self.assertEqual(DATA, self.read())
        self.assertEqual([], self.partials())

    def test_publish_replaces_another_image_at_once(self):
        self.write(b'old')
        opened = self.sink()
        opened.write(DATA)
        self.assertEqual(b'old', self.read())
        opened.publish()
        self.assertEqual(DATA, self.read())

    def test_discard_keeps_another_image(self):
        self.write(b'old')
        opened = self.sink()
        opened.write(DATA)
        opened.discard()
        opened.discard()
        self.assertEqual(b'old', self.read())
        self.assertEqual([], self.partials())

    def test_give_up_leaves_no_file(self):
        opened = self.sink()
        opened.write(DATA)
        opened.give_up()
        self.assertEqual([], os.listdir(self.folder))

    def test_discard_after_publish_has_no_effect(self):
        opened = self.sink()
        opened.publish()
        opened.discard()
        self.assertEqual(b'', self.read())

    def test_restart_removes_what_was_written(self):
        opened = self.sink()
        opened.write(b'half of some longer data')
        self.assertTrue(opened.restart())
        opened.write(DATA)
        opened.publish()
        self.assertEqual(DATA, self.read())

    def test_only_the_owner_may_read_the_partial_file(self):
        for mask in (0o000, 0o022, 0o027):
            self.addCleanup(os.umask, os.umask(mask))
            opened = self.sink()
            (partial,) = self.partials()
            self.assertEqual(0o600,
                             stat.S_IMODE(os.stat(partial).st_mode))
            opened.publish()
            self.assertEqual(0o666 & ~mask,
                             stat.S_IMODE(os.stat(self.path).st_mode))

    def test_a_resumed_file_gets_the_mode_of_the_umask(self):
        self.addCleanup(os.umask, os.umask(0o027))
        left = self.leave()
        self.assertEqual(0o600, stat.S_IMODE(os.stat(left).st_mode))
        opened = self.sink(keep=True)
        self.assertEqual(4, opened.begin('ID', RECORDED))
        opened.write(DATA[4:])
        opened.publish()
        self.assertEqual(0o640, stat.S_IMODE(os.stat(self.path).st_mode))

    def test_a_missing_folder_is_an_error(self):
        error = self.assertRaises(
            (IOError, OSError), file_sink.FileSink,
            os.path.join(self.folder, 'none', 'image'))
        self.assertEqual(errno.ENOENT, error.errno)

    def test_a_short_write_is_continued(self):
        opened = self.sink()
        whole = opened.stream.write
        opened.stream = mock.Mock(wraps=opened.stream, closed=False)
        opened.stream.write = lambda view: whole(view[:3])
        opened.write(DATA)
        opened.publish()
        self.assertEqual(DATA, self.read())

    def test_a_file_beyond_the_size_limit_is_an_error(self):
        opened = self.sink()
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_FSIZE, limits)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4, limits[1]))
        error = self.assertRaises((IOError, OSError), opened.write, DATA)
        self.assertEqual(errno.EFBIG, error.errno)
        opened.give_up()
        self.assertEqual([], os.listdir(self.folder))

    def test_a_full_disk_is_reported_as_such(self):
        for code in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            opened = self.sink()
            opened.stream = mock.Mock(wraps=opened.stream, closed=False)
            opened.stream.write.side_effect = IOError(code, 'the reason')
            kind = (IOError if code == errno.EIO
                    else exception.InsufficientDiskSpace)
            error = self.assertRaises(kind, opened.write, DATA)
            self.assertIn('the reason', six.text_type(error))

    def test_discard_ignores_an_error_of_close(self):
        opened = self.sink()
        opened.stream = mock.Mock(wraps=opened.stream, closed=False)
        opened.stream.close.side_effect = IOError(errno.EIO, 'bad disk')
        opened.discard()
        self.assertEqual([], os.listdir(self.folder))

    def test_data_that_a_handler_has_written_is_taken_over(self):
        opened = self.sink()
        opened.stream.write(DATA)
        self.assertEqual(len(DATA), opened.take_over())
        opened.publish()
        self.assertEqual(DATA, self.read())


class TestHoles(FileSinkCase):
    """Zeros take no space."""

    def _publish(self, *chunks):
        opened = self.sink()
        for chunk in chunks:
            opened.write(chunk)
        opened.publish()
        self.assertEqual(b''.join(chunks), self.read())
        return os.stat(self.path).st_blocks * 512

    def _may_have_holes(self):
        with open(self.path, 'wb') as stream:
            stream.truncate(64 * BLOCK)
        return os.stat(self.path).st_blocks * 512 < BLOCK

    def test_zeros_in_the_middle_become_a_hole(self):
        if not self._may_have_holes():
            self.skipTest('the file system has no holes')
        zeros = b'\0' * (62 * BLOCK)
        self.assertLess(self._publish(b'x' * BLOCK + zeros + b'y' * BLOCK),
                        4 * BLOCK)

    def test_zeros_at_the_end_become_a_hole(self):
        if not self._may_have_holes():
            self.skipTest('the file system has no holes')
        self.assertLess(self._publish(b'x' * 7, b'\0' * (64 * BLOCK)),
                        4 * BLOCK)

    def test_a_file_may_be_only_zeros(self):
        self._publish(b'\0' * (3 * BLOCK))

    def test_zeros_too_short_for_a_hole_are_kept(self):
        self._publish(b'\0' * 7, b'\0' * (BLOCK - 1), b'x', b'\0')
        self._publish(b'\0' * (BLOCK - 1) + b'x' + b'\0' * BLOCK, b'\0')
        self._publish(b'x' + b'\0' * (2 * BLOCK) + b'x')

    def test_a_hole_replaces_data_before_the_restart(self):
        opened = self.sink()
        opened.write(b'x' * (3 * BLOCK))
        opened.restart()
        opened.write(b'\0' * (2 * BLOCK))
        opened.publish()
        self.assertEqual(b'\0' * (2 * BLOCK), self.read())

    def test_give_up_keeps_a_hole_at_the_end(self):
        opened = self.sink(keep=True)
        opened.begin('ID', RECORDED)
        opened.write(b'x')
        opened.write(b'\0' * BLOCK)
        opened.give_up()
        (left,) = self.partials()
        self.assertEqual(b'x' + b'\0' * BLOCK, self.read(left))


class TestDurability(FileSinkCase):
    """What is flushed to disk, and when."""

    def setUp(self):
        super(TestDurability, self).setUp()
        self.events = []
        for name, fake in (('fsync', self._synced), ('rename', self._moved)):
            self.useFixture(fixtures.MonkeyPatch('os.' + name, fake))

    def _synced(self, number):
        status = os.fstat(number)
        kind = 'folder' if stat.S_ISDIR(status.st_mode) else 'file'
        self.events.append((kind, status.st_ino, status.st_size
                            if kind == 'file' else None))

    def _moved(self, old, new, rename=os.rename):
        rename(old, new)
        self.events.append(('rename', os.stat(new).st_ino, new))

    def test_file_rename_and_folder_are_flushed_in_order(self):
        opened = self.sink()
        opened.write(DATA)
        opened.write(b'\0' * BLOCK)
        opened.publish()
        number = os.stat(self.path).st_ino
        self.assertEqual(
            [('file', number, len(DATA) + BLOCK),
             ('rename', number, self.path),
             ('folder', os.stat(self.folder).st_ino, None)], self.events)


class TestResuming(FileSinkCase):
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


class TestCopying(FileSinkCase):
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


class TestOthers(FileSinkCase):
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
            if not others:  # between looking and making it
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


class TestCleaning(FileSinkCase):
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


class TestRoom(FileSinkCase):
    """The space for the image."""

    def _begin(self, room, size=10, keep=False):
        opened = self.sink(keep)
        found = mock.Mock(f_bavail=room, f_frsize=1, f_bfree=10 ** 9,
                          f_bsize=10 ** 6)
        with mock.patch('os.statvfs', return_value=found) as statvfs:
            try:
                return opened.begin('ID', recorded.Recorded(
                    size, 'md5', RECORDED.value))
            finally:
                self.assertEqual([mock.call(self.folder)] * bool(size),
                                 statvfs.call_args_list)

    def test_an_image_that_fits_is_accepted(self):
        self.assertEqual(0, self._begin(10))

    def test_an_image_that_does_not_fit_is_refused(self):
        error = self.assertRaises(exception.InsufficientDiskSpace,
                                  self._begin, 9)
        for words in (self.folder, 'room for 9 bytes', 'has 10', 'image ID',
                      'download'):
            self.assertIn(words, six.text_type(error))

    def test_existing_data_needs_no_space(self):
        self.leave()
        self.assertEqual(4, self._begin(6, keep=True))

    def test_the_rest_needs_space(self):
        self.leave()
        self.assertRaises(exception.InsufficientDiskSpace, self._begin, 5,
                          keep=True)

    def test_an_unknown_size_is_not_checked(self):
        self.assertEqual(0, self._begin(0, None))

    def test_the_space_of_this_disk_is_checked(self):
        self.assertRaises(
            exception.InsufficientDiskSpace, self.sink().begin, 'ID',
            recorded.Recorded(2 ** 60))
