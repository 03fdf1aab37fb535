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


"""Tests of nova_image.image.transfer.file_copy and sparse: real files."""

import errno
import os

import fixtures
import mock
import testtools

from nova_image import exception
from nova_image.image import offload
from nova_image.image.transfer import file_copy
from nova_image.image.transfer import sparse
from nova_image.tests.unit.image.download import case

MIB = case.MIB
DATA = os.urandom(5 * MIB + 12345)


def _without(name):
    """Let a system call fail; see mock.patch.object."""
    return mock.patch.object(
        os, name, side_effect=OSError(errno.EXDEV, 'other disk'), create=True)


class _ByPath(object):
    """copy_path() with the interface of a download handler."""

    copy = staticmethod(file_copy.copy_path)


class TestCopy(case.DownloadTest):
    """The copy is the same, however it is made."""

    def setUp(self):
        super(TestCopy, self).setUp()
        self.source = self.write('image', DATA)
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.transfer.file_copy.STEP', MIB))

    def _sparse(self):
        """Make the source a file of 32 MiB with data at three positions."""
        with open(self.source, 'wb') as stream:
            for position in (4, 16, 30):
                stream.seek(position * MIB)
                stream.write(b'x' * 70000)
            stream.truncate(32 * MIB)
        with open(self.source, 'rb') as stream:
            return stream.read()

    def _is_sparse(self):
        return self.allocated() < 2 * MIB

    def _refused(self, reason, check):
        """Assert that the copy fails for a reason; return what was copied."""
        error = self.assertRaises(exception.ImageDownloadUnavailable,
                                  self.copied, _ByPath, self.source, check)
        self.assertIn(reason, str(error))
        self.assertEqual([], self.open_descriptors())
        return check.data

    def test_the_system_copies_the_data(self):
        self.assertEqual(DATA, self.copied(_ByPath, self.source))

    @testtools.skipUnless(hasattr(os, 'copy_file_range'),
                          'Python 2.7 cannot ask the system to copy')
    def test_the_check_begins_before_all_is_copied(self):
        """It is without work only for the first of the steps, a small one."""
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.transfer.file_copy.STEP', offload.BEHIND))
        events, original = [], os.copy_file_range

        def copy(source, target, size, *offsets):
            events.append('copy %s' % (size / float(MIB)))
            return original(source, target, size, *offsets)
        self.write('image', b'x' * 6 * MIB)
        with mock.patch.object(os, 'copy_file_range', copy):
            self.copied(_ByPath, self.source, case.Check(
                lambda count: events.append('check')))
        self.assertEqual(
            ['copy 0.25', 'check', 'copy 0.5', 'check', 'copy 1.0', 'check'] +
            ['copy 2.0', 'check', 'check'] * 2 + ['copy 0.25', 'check'],
            events)

    def test_data_is_read_if_the_system_cannot_copy_it(self):
        with _without('copy_file_range') as tried:
            self.assertEqual(DATA, self.copied(_ByPath, self.source))
        self.assertEqual(1, tried.call_count)

    def test_data_is_read_if_the_system_copies_nothing(self):
        with mock.patch.object(os, 'copy_file_range', create=True,
                               return_value=0):
            self.assertEqual(DATA, self.copied(_ByPath, self.source))

    def test_an_empty_file_is_copied(self):
        self.write('image', b'')
        self.assertEqual(b'', self.copied(_ByPath, self.source))

    def test_the_system_keeps_holes(self):
        self.assertEqual(self._sparse(), self.copied(_ByPath, self.source))
        self.assertTrue(self._is_sparse())

    def test_reading_keeps_holes(self):
        data = self._sparse()
        with _without('copy_file_range'):
            self.assertEqual(data, self.copied(_ByPath, self.source))
        self.assertTrue(self._is_sparse())

    def test_zeros_are_not_written(self):
        self.write('image', bytes(bytearray(8 * MIB)) + b'end')
        with _without('copy_file_range'):
            data = self.copied(_ByPath, self.source)
        self.assertEqual(8 * MIB + 3, len(data))
        self.assertTrue(self._is_sparse())

    def test_a_file_without_data_takes_no_space(self):
        with open(self.source, 'wb') as stream:
            stream.truncate(3 * MIB + 1)
        self.assertEqual(bytes(bytearray(3 * MIB + 1)),
                         self.copied(_ByPath, self.source))
        self.assertEqual(0, self.allocated())

    def test_a_file_system_may_have_no_holes(self):
        data = self._sparse()
        original = os.lseek

        def lseek(number, offset, whence):
            if whence in (3, 4):
                raise OSError(errno.EINVAL, 'what?')
            return original(number, offset, whence)

        with mock.patch.object(os, 'lseek', lseek):
            self.assertEqual(data, self.copied(_ByPath, self.source))

    def test_blocks_are_shared_if_possible(self):
        data = self._sparse()

        def share(target, request, source):
            self.assertEqual(0x40049409, request)
            os.ftruncate(target, len(data))
            for begin, end in sparse.extents(source, len(data)):
                sparse.put(target, begin, sparse.read(
                    source, begin, end - begin), case.Check())

        with mock.patch.object(file_copy.fcntl, 'ioctl', share):
            with _without('copy_file_range') as copy:
                self.assertEqual(data, self.copied(_ByPath, self.source))
        self.assertFalse(copy.called)
        self.assertTrue(self._is_sparse())

    def test_a_full_disk_is_an_error(self):
        full = OSError(errno.ENOSPC, 'full')
        for patch in (mock.patch.object(file_copy.fcntl, 'ioctl',
                                        side_effect=full),
                      mock.patch.object(os, 'copy_file_range', create=True,
                                        side_effect=full)):
            with patch as called:
                try:
                    self.copied(_ByPath, self.source)
                except OSError as error:
                    self.assertEqual(errno.ENOSPC, error.errno)
                else:
                    # Python 2.7 cannot ask the system to copy.
                    self.assertFalse(called.called)

    def test_an_error_of_the_check_is_raised(self):
        def refuse(count):
            raise exception.ImageUnacceptable(reason='I do not like it')

        self.assertRaises(exception.ImageUnacceptable, self.copied,
                          _ByPath, self.source, case.Check(refuse))
        self.assertEqual([], self.open_descriptors())

    def _truncated(self):
        """Return a check that truncates the source."""
        def truncate(count):
            with open(self.source, 'r+b') as stream:
                stream.truncate(MIB + 5)

        return case.Check(truncate)

    def test_a_file_truncated_while_the_system_copies_is_refused(self):
        received = self._refused('changed', self._truncated())
        self.assertEqual(DATA[:len(received)], received)

    def test_a_file_truncated_while_it_is_read_is_refused(self):
        with _without('copy_file_range'):
            received = self._refused('changed', self._truncated())
        self.assertEqual(DATA[:MIB + 5], received)

    def test_a_file_truncated_within_a_hole_is_refused(self):
        self._sparse()
        self._refused('changed', self._truncated())

    def test_a_file_written_during_the_copy_is_refused(self):
        def overwrite(count):
            os.utime(self.source, (0, 0))

        self._refused('changed', case.Check(overwrite))
