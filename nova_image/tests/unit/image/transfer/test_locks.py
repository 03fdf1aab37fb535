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


"""Tests of nova_image.image.transfer.locks: locks of several users."""

import errno
import os
import stat

import fixtures
import testtools

from nova_image.image.transfer import locks

#: the IDs of two users, who need no account
_ONE, _TWO = 61001, 61002


class TestLocks(testtools.TestCase):
    """A folder that users share."""

    def setUp(self):
        super(TestLocks, self).setUp()
        self.folder = self.useFixture(fixtures.TempDir()).path
        self.path = os.path.join(self.folder, 'lock')
        self.addCleanup(os.umask, os.umask(0o022))

    def _as_user(self, user, action, group=None):
        """Let a user run a function; return the result, a small number."""
        if os.geteuid():
            self.skipTest('only root can act as two users')
        child = os.fork()
        if not child:
            code = 255
            try:
                os.setgroups([] if group is None else [group])
                os.setgid(user)
                os.setuid(user)
                code = int(action())
            finally:
                os._exit(code)
        return os.WEXITSTATUS(os.waitpid(child, 0)[1])

    def _lock(self):
        """Lock and write; return whether the lock was free."""
        number = locks.acquire(self.path)
        if number is None:
            return False
        os.write(number, b'x')
        return True

    def _assert_shared(self, group=None):
        self.assertEqual(1, self._as_user(_ONE, self._lock, group))
        self.assertEqual(1, self._as_user(_TWO, self._lock, group))
        number = locks.acquire(self.path)
        self.assertEqual(0, self._as_user(_TWO, self._lock, group))
        locks.release(number)

    def _mode(self):
        return stat.S_IMODE(os.stat(self.path).st_mode)

    def test_users_share_a_folder_that_is_open_to_all(self):
        os.chmod(self.folder, 0o1777)
        self._assert_shared()
        self.assertEqual(0o666, self._mode())

    def test_the_members_of_a_group_share_its_folder(self):
        os.chmod(self.folder, 0o770)
        if not os.geteuid():
            os.chown(self.folder, 0, 61000)
        self._assert_shared(61000)
        self.assertEqual(0o660, self._mode())

    def test_the_owner_of_a_folder_can_use_what_root_has_locked(self):
        if os.geteuid():
            self.skipTest('only root can act as two users')
        os.chown(self.folder, _ONE, _ONE)
        locks.release(locks.acquire(self.path))
        self.assertEqual(1, self._as_user(_ONE, self._lock))
        self.assertEqual(0o600, self._mode() & 0o622)

    def test_a_file_that_may_only_be_read_can_be_locked(self):
        os.chmod(self.folder, 0o1777)
        with open(self.path, 'ab'):
            os.chmod(self.path, 0o644)
        self.assertEqual(1, self._as_user(
            _ONE, lambda: locks.acquire(self.path) is not None))

    def test_a_file_of_somebody_else_is_an_error(self):
        os.chmod(self.folder, 0o755)
        with open(self.path, 'ab'):
            os.chmod(self.path, 0o600)

        def code():
            try:
                return locks.acquire(self.path)
            except OSError as error:
                return error.errno

        self.assertEqual(errno.EACCES, self._as_user(_ONE, code))

    def test_a_lock_is_held_until_it_is_released(self):
        number = locks.acquire(self.path)
        self.assertIsNone(locks.acquire(self.path))
        locks.release(number)
        locks.release(locks.acquire(self.path))

    def test_the_lock_of_a_removed_file_is_not_taken(self):
        number = locks.open_file(self.path)
        opened = [number]

        def late(path, open_file=locks.open_file):
            if not opened:
                return open_file(path)
            os.unlink(path)
            return opened.pop()
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.transfer.locks.open_file', late))
        found = locks.acquire(self.path)
        self.addCleanup(os.close, found)
        self.assertTrue(os.path.samestat(os.fstat(found),
                                         os.stat(self.path)))

    def test_a_file_may_appear_while_it_is_created(self):
        def late(path, create=locks._create):
            os.close(create(path))
            return create(path)
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.transfer.locks._create', late))
        os.close(locks.open_file(self.path))

    def test_a_folder_that_is_a_file_is_an_error(self):
        with open(self.path, 'ab'):
            pass
        self.assertRaises(OSError, locks.make_folder, self.path)
