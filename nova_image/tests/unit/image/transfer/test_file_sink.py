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
import os
import resource
import stat

import fixtures
import mock
import six

from nova_image import exception
from nova_image.image.transfer import file_sink
from nova_image.image.transfer import recorded
from nova_image.tests.unit.image.transfer import file_sink_case as case

DATA = case.DATA
RECORDED = case.RECORDED
BLOCK = case.BLOCK


class TestPublishing(case.FileSinkCase):
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
            os.unlink(self.path)

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
        error = self.assertRaises(exception.InsufficientDiskSpace,
                                  opened.write, DATA)
        for words in (self.folder, 'File too large', 'ulimit -f'):
            self.assertIn(words, six.text_type(error))
        opened.give_up()
        self.assertEqual([], os.listdir(self.folder))

    def test_the_size_limit_is_known_before_the_first_byte(self):
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_FSIZE, limits)
        resource.setrlimit(resource.RLIMIT_FSIZE, (9, limits[1]))
        opened = self.sink()
        error = self.assertRaises(exception.InsufficientDiskSpace,
                                  opened.begin, 'ID', RECORDED)
        for words in ('image ID', 'at most 9 bytes', 'has 10', 'LimitFSIZE'):
            self.assertIn(words, six.text_type(error))

    def test_the_longest_names_are_written_and_resumed(self):
        for name in (u'n' * 255, u'n' * 237, u'\u00e4' * 127, u'n' * 236):
            path = os.path.join(self.folder, name)
            if six.PY2:
                path = path.encode('utf-8')
            for keep in (False, True):
                opened = self.sink(keep, path)
                opened.begin('ID', RECORDED)
                opened.write(DATA[:4])
                opened.give_up()
                opened = self.sink(keep, path)
                self.assertEqual(4 if keep else 0,
                                 opened.begin('ID', RECORDED))
                opened.write(DATA[4:] if keep else DATA)
                opened.publish()
                self.assertEqual(DATA, self.read(path))
            os.unlink(path)
        self.assertEqual([], os.listdir(self.folder))

    def test_a_file_system_without_locks_is_written(self):
        for code in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
            with mock.patch('fcntl.flock', side_effect=IOError(code, '')):
                for keep in (False, True):
                    opened = self.sink(keep)
                    self.assertEqual(0, opened.begin('ID', RECORDED))
                    opened.write(DATA)
                    opened.publish()
                    self.assertEqual(DATA, self.read())
                    self.assertEqual([], self.partials())
                    self.sink(keep).give_up()
                    self.assertEqual([], self.partials())

    def test_a_folder_that_may_only_be_written_to_is_written(self):
        def denied(*args):
            raise OSError(errno.EACCES, 'denied')
        opened = self.sink()
        opened.write(DATA)
        with mock.patch('os.open', denied):
            opened.publish()
        self.assertEqual(DATA, self.read())
        with mock.patch('os.listdir', denied):
            self.sink()

    def test_a_folder_that_cannot_be_flushed_is_written(self):
        def sync(number, fsync=os.fsync):
            if stat.S_ISDIR(os.fstat(number).st_mode):
                raise OSError(errno.EINVAL, 'a folder')
            fsync(number)
        with mock.patch('os.fsync', sync):
            self._publish()
        self.assertEqual(DATA, self.read())

    def test_a_file_system_that_lacks_calls_is_written(self):
        for name in ('os.fchmod', 'os.fchown', 'os.fsync', 'os.statvfs',
                     'os.pathconf', 'os.ftruncate', 'os.listdir',
                     'fcntl.flock', 'fcntl.ioctl'):
            for code in (errno.EOPNOTSUPP, errno.EPERM, errno.ENOSYS,
                         errno.EINVAL):
                with mock.patch(name, side_effect=OSError(code, name)):
                    opened = self.sink()
                    opened.begin('ID', RECORDED)
                    opened.write(DATA)
                    opened.restart()
                    opened.write(DATA)
                    opened.publish()
                self.assertEqual(DATA, self.read())
                self.assertEqual([], self.partials())

    def test_a_file_system_without_truncate_restarts(self):
        opened = self.sink()
        opened.write(b'wrong, and longer')
        opened.stream = mock.Mock(wraps=opened.stream, closed=False)
        opened.stream.truncate.side_effect = IOError(errno.EOPNOTSUPP, 'x')
        self.assertTrue(opened.restart())
        opened.write(DATA)
        opened.publish()
        self.assertEqual(DATA, self.read())
        self.assertEqual([], self.partials())

    def test_a_file_system_without_blocks_has_unknown_room(self):
        with mock.patch('os.statvfs', return_value=mock.Mock(
                f_blocks=0, f_bavail=0, f_frsize=4096)):
            self.sink().begin('ID', RECORDED)

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


class TestHoles(case.FileSinkCase):
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


class TestDurability(case.FileSinkCase):
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


class TestRoom(case.FileSinkCase):
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
