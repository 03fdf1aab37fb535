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

"""Tests of nova_image.image.transfer.page_cache: its system calls."""

import errno
import io
import os
import sys

import fixtures
import mock
import testtools

from nova_image.image.transfer import page_cache

_BEGIN, _END = 2, 7  # write without waiting; write and wait
_NO_FADVISE = 'Python 2.7 has no posix_fadvise'


class CallsTest(testtools.TestCase):
    """Base class: windows of 10 and 4 bytes.

    :ivar calls: the system calls
    """

    def setUp(self):
        super(CallsTest, self).setUp()
        self.calls = []
        self.result = 0
        self.useFixture(fixtures.MockPatchObject(page_cache, 'WINDOW', 10))
        self.useFixture(fixtures.MockPatchObject(page_cache, 'EARLY', 4))
        self.useFixture(fixtures.MockPatchObject(
            page_cache, '_sync_file_range', self.sync))
        self.useFixture(fixtures.MockPatchObject(
            os, 'posix_fadvise', self.advise))

    def sync(self, number, offset, size, how):
        """Stand in for sync_file_range(2)."""
        self.calls.append((number, offset, size, how))
        return self.result

    def advise(self, number, offset, size, advice):
        """Stand in for posix_fadvise(2)."""
        self.calls.append((number, offset, size, 'forget'))


@testtools.skipIf(sys.version_info[0] < 3, _NO_FADVISE)
class TestWriteBehind(CallsTest):
    """A file that is kept out of the cache."""

    def setUp(self):
        super(TestWriteBehind, self).setUp()
        self.policy = page_cache.open_policy(5, 100, 99)

    def test_nothing_is_written_before_a_window_is_full(self):
        self.policy.advance(9)
        self.assertEqual([], self.calls)

    def test_a_full_window_is_written(self):
        self.policy.advance(10)
        self.policy.advance(19)
        self.assertEqual([(5, 0, 10, _BEGIN)], self.calls)

    def test_a_window_is_forgotten_when_it_is_on_disk(self):
        self.policy.advance(25)
        self.assertEqual([(5, 0, 10, _BEGIN), (5, 10, 10, _BEGIN),
                          (5, 0, 10, _END), (5, 0, 10, 'forget')], self.calls)

    def test_finish_forgets_the_whole_file(self):
        self.policy.finish()
        self.assertEqual([(5, 0, 0, 'forget')], self.calls)

    def test_a_file_system_without_these_calls(self):
        self.result = -1
        for code in (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP,
                     errno.ESPIPE):
            policy = page_cache.open_policy(5, 100, 99)
            del self.calls[:]
            with mock.patch('ctypes.get_errno', return_value=code):
                policy.advance(50)
                policy.advance(60)
            self.assertEqual([(5, 0, 10, _BEGIN)], self.calls)
        with mock.patch('os.posix_fadvise',
                        side_effect=OSError(errno.EINVAL, 'lacking')):
            policy.finish()

    def test_a_write_error_is_raised(self):
        """The wait clears it from the descriptor: fsync() would miss it."""
        self.result = -1
        with mock.patch('ctypes.get_errno', return_value=errno.ENOSPC):
            error = self.assertRaises(OSError, self.policy.advance, 10)
        self.assertEqual(errno.ENOSPC, error.errno)


@testtools.skipIf(sys.version_info[0] < 3, _NO_FADVISE)
class TestWriteEarly(CallsTest):
    """A file that stays in the cache."""

    def setUp(self):
        super(TestWriteEarly, self).setUp()
        self.policy = page_cache.open_policy(5, 99, 99)

    def test_nothing_is_written_before_a_window_is_full(self):
        self.policy.advance(3)
        self.assertEqual([], self.calls)

    def test_writing_begins_while_the_file_grows(self):
        self.policy.advance(9)
        self.assertEqual([(5, 0, 4, _BEGIN), (5, 4, 4, _BEGIN)], self.calls)

    def test_the_last_window_is_written_when_all_data_is_there(self):
        for position in (96, 98, 99, 99):
            self.policy.advance(position)
        self.assertEqual((5, 92, 4, _BEGIN), self.calls[-2])
        self.assertEqual((5, 96, 4, _BEGIN), self.calls[-1])

    def test_a_file_of_unknown_size_has_no_last_window(self):
        policy = page_cache.open_policy(5, None, None)
        policy.advance(3)
        self.assertEqual([], self.calls)

    def test_nothing_is_waited_for_or_forgotten(self):
        for position in range(100):
            self.policy.advance(position)
        self.policy.finish()
        self.assertEqual({_BEGIN}, {call[3] for call in self.calls})

    def test_a_write_error_is_raised(self):
        self.result = -1
        with mock.patch('ctypes.get_errno', return_value=errno.ENOSPC):
            error = self.assertRaises(OSError, self.policy.advance, 4)
        self.assertEqual(errno.ENOSPC, error.errno)


class TestPolicy(testtools.TestCase):
    """Which files are kept out of the page cache."""

    def check(self, kind, size, limit):
        """Assert the kind of policy for a file of a size."""
        policy = page_cache.open_policy(5, size, limit)
        self.assertIs(kind, type(policy))

    @testtools.skipIf(sys.version_info[0] < 3, _NO_FADVISE)
    def test_files_above_the_limit_are_written_behind(self):
        self.check(page_cache.WriteBehind, 11, 10)

    @testtools.skipIf(sys.version_info[0] < 3, _NO_FADVISE)
    def test_files_up_to_the_limit_are_cached(self):
        self.check(page_cache.WriteEarly, 10, 10)

    @testtools.skipIf(sys.version_info[0] < 3, _NO_FADVISE)
    def test_all_files_are_cached_without_a_limit(self):
        self.check(page_cache.WriteEarly, 11, None)

    @testtools.skipIf(sys.version_info[0] < 3, _NO_FADVISE)
    def test_files_of_unknown_size_are_cached(self):
        self.check(page_cache.WriteEarly, None, 10)

    def test_all_files_are_left_alone_without_sync_file_range(self):
        with mock.patch.object(page_cache, '_sync_file_range', None):
            self.check(page_cache.Cached, 11, 10)

    def test_real_calls_keep_the_file_complete(self):
        path = os.path.join(self.useFixture(fixtures.TempDir()).path, 'file')
        with io.open(path, 'wb', 0) as stream:
            policy = page_cache.open_policy(
                stream.fileno(), 3 * page_cache.WINDOW, 0)
            for number in range(1, 4):
                stream.write(b'x' * page_cache.WINDOW)
                policy.advance(number * page_cache.WINDOW)
            policy.finish()
        self.assertEqual(3 * page_cache.WINDOW, os.path.getsize(path))
