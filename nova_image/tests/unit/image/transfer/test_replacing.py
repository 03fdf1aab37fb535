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


"""Tests of nova_image.image.transfer.replacing: rights, and no replacing."""

import errno
import os
import stat
import struct

import fixtures
import mock
import testtools

from nova_image.image.transfer import replacing

_OTHER, _GROUP = 61001, 61002
#: an ACL of mode 0660 by which only user 61001 may write, not the group
_ACL = struct.pack('<I' + 'HHI' * 5, 2, 1, 6, 2 ** 32 - 1, 2, 6, _OTHER,
                   4, 0, 2 ** 32 - 1, 16, 6, 2 ** 32 - 1,
                   32, 0, 2 ** 32 - 1)


class ReplacingCase(testtools.TestCase):
    """Base class: an old file and a new one."""

    def setUp(self):
        super(ReplacingCase, self).setUp()
        self.folder = self.useFixture(fixtures.TempDir()).path
        self.old = os.path.join(self.folder, 'old')
        self.new = os.path.join(self.folder, 'new')
        self.number = os.open(self.new, os.O_CREAT | os.O_RDWR, 0o600)
        self.addCleanup(os.close, self.number)

    def make_old(self, mode=0o600, owner=-1, group=-1):
        """Write the old file."""
        with open(self.old, 'wb') as stream:
            stream.write(b'old')
        if (owner, group) != (-1, -1):
            if os.geteuid():
                self.skipTest('only root can give files away')
            os.chown(self.old, owner, group)
        os.chmod(self.old, mode)


class TestRights(ReplacingCase):
    """The rights of the file that is replaced."""

    def _assert_taken(self, mode, owner=None, group=None):
        replacing.take_rights(self.number, self.old, 0o644)
        found = os.fstat(self.number)
        self.assertEqual(
            (mode, os.geteuid() if owner is None else owner,
             os.getegid() if group is None else group),
            (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid))

    def test_a_new_file_gets_the_given_mode(self):
        self._assert_taken(0o644)

    def test_the_mode_stays(self):
        for mode in (0o600, 0o640, 0o666, 0o444, 0o755):
            self.make_old(mode)
            self._assert_taken(mode)
            os.unlink(self.old)

    def test_a_program_is_not_replaced_as_one_that_runs_as_its_owner(self):
        self.make_old(0o6755)
        self._assert_taken(0o755)

    def test_owner_and_group_stay(self):
        self.make_old(0o640, _OTHER, _GROUP)
        self._assert_taken(0o640, _OTHER, _GROUP)

    def test_a_group_that_cannot_be_kept_gets_no_more_than_others(self):
        for mode, expected in ((0o660, 0o600), (0o664, 0o644),
                               (0o646, 0o646), (0o600, 0o600)):
            self.make_old(mode, _OTHER, _GROUP)
            with mock.patch('os.fchown', side_effect=OSError(1, 'no')):
                self._assert_taken(expected)

    def test_the_group_stays_if_the_owner_cannot(self):
        def only_group(number, owner, group, fchown=os.fchown):
            if owner != -1:
                raise OSError(errno.EPERM, 'not root')
            fchown(number, owner, group)
        self.make_old(0o660, _OTHER, _GROUP)
        with mock.patch('os.fchown', only_group):
            self._assert_taken(0o660, group=_GROUP)

    def test_a_link_or_a_folder_grants_nothing(self):
        os.symlink('new', self.old)
        self._assert_taken(0o644)
        os.unlink(self.old)
        os.mkdir(self.old)
        self._assert_taken(0o644)

    def test_a_file_that_others_have_put_there_grants_nothing(self):
        self.make_old(0o666, _OTHER, _GROUP)
        os.chmod(self.folder, 0o1777)
        self._assert_taken(0o644)

    def test_rights_are_taken_back(self):
        self.make_old(0o644, _OTHER, _GROUP)
        replacing.take_rights(self.number, self.old, 0o644)
        replacing.take_back(self.number)
        found = os.fstat(self.number)
        self.assertEqual((0o600, os.geteuid()), (
            stat.S_IMODE(found.st_mode), found.st_uid))

    def _make_old_with_acl(self):
        self.make_old()
        if not hasattr(os, 'setxattr'):
            self.skipTest('this Python cannot set ACLs')
        try:
            os.setxattr(self.old, 'system.posix_acl_access', _ACL)
        except OSError as error:
            self.skipTest('this file system has no ACLs: %s' % error)
        self.assertEqual(0o660, stat.S_IMODE(os.stat(self.old).st_mode))

    def test_the_acl_stays(self):
        self._make_old_with_acl()
        self._assert_taken(0o660)
        self.assertEqual(_ACL, os.getxattr(
            self.number, 'system.posix_acl_access'))

    def test_without_the_acl_the_group_gets_nothing(self):
        self._make_old_with_acl()
        with mock.patch('os.setxattr', side_effect=OSError):
            self._assert_taken(0o600)


class TestRenameNew(ReplacingCase):
    """A file is renamed only to a new name."""

    def _assert_renamed(self):
        number = os.stat(self.new).st_ino
        replacing.rename_new(self.new, self.old)
        self.assertEqual(['old'], os.listdir(self.folder))
        self.assertEqual(number, os.stat(self.old).st_ino)

    def _assert_refused(self):
        for number, make in enumerate((
                self.make_old, lambda: os.symlink('gone', self.old),
                lambda: os.mkdir(self.old))):
            make()
            error = self.assertRaises(OSError, replacing.rename_new,
                                      self.new, self.old)
            self.assertEqual((errno.EEXIST, self.old),
                             (error.errno, error.filename))
            self.assertTrue(os.path.exists(self.new))
            os.rename(self.old, '%s.%d' % (self.old, number))
            self.assertFalse(os.path.lexists(self.old))

    def _without_links(self):
        self.useFixture(fixtures.MonkeyPatch('os.link', mock.Mock(
            side_effect=OSError(errno.EPERM, 'no links'))))

    def test_a_new_name_is_given(self):
        self._assert_renamed()

    def test_an_existing_file_stays(self):
        self._assert_refused()

    def test_a_new_name_is_given_without_hard_links(self):
        self._without_links()
        self._assert_renamed()

    def test_an_existing_file_stays_without_hard_links(self):
        self._without_links()
        self._assert_refused()

    def _without_both(self):
        self._without_links()
        patch = mock.patch('ctypes.CDLL', return_value=mock.Mock(spec=[]))
        patch.start()
        self.addCleanup(patch.stop)

    def test_a_system_without_both_reserves_the_name(self):
        self._without_both()
        replacing.rename_new(self.new, self.old)
        self.assertEqual(['old'], os.listdir(self.folder))

    def test_a_system_without_both_replaces_nothing(self):
        self._without_both()
        self._assert_refused()

    def test_a_reserved_name_is_given_up_after_an_error(self):
        self._without_both()
        with mock.patch('os.rename', side_effect=OSError(errno.EIO, 'x')):
            self.assertRaises(OSError, replacing.rename_new, self.new,
                              self.old)
        self.assertEqual(['new'], os.listdir(self.folder))

    def test_other_errors_are_raised(self):
        self.assertRaises(OSError, replacing.rename_new, self.new,
                          os.path.join(self.folder, 'none', 'old'))


class TestReplaceable(ReplacingCase):
    """Files that the kernel lets nobody replace."""

    def test_any_other_file_can_be_replaced(self):
        self.make_old()
        replacing.require_replaceable(self.old)
        replacing.require_replaceable(os.path.join(self.folder, 'none'))

    def _assert_refused(self, code, **patches):
        self.make_old()
        with mock.patch.multiple(replacing, **patches):
            error = self.assertRaises(
                OSError, replacing.require_replaceable, self.old)
        self.assertEqual(code, error.errno)

    def test_a_mount_point(self):
        self._assert_refused(
            errno.EBUSY, _mount_of=lambda path: path == self.old)

    def test_flags_of_the_file_or_the_folder(self):
        for path, flag in ((self.old, 0x10), (self.old, 0x20),
                           (self.folder, 0x20)):
            flags = {self.old: 0, self.folder: 0}
            flags[path] = flag
            self._assert_refused(errno.EPERM, _flags_of=flags.get)


class TestMissingCalls(ReplacingCase):
    """File systems that lack a call."""

    CODES = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM)

    def _without(self, name, act):
        for code in self.CODES:
            with mock.patch(name, side_effect=OSError(code, 'lacking')):
                act()
        with mock.patch(name, side_effect=OSError(errno.EIO, 'broken')):
            self.assertRaises(OSError, act)

    def test_modes(self):
        self._without('os.fchmod', lambda: replacing.take_rights(
            self.number, self.old, 0o644))

    def test_modes_that_would_let_more_users_read(self):
        self.make_old(0o600)
        os.fchmod(self.number, 0o644)
        with mock.patch('os.fchmod', side_effect=OSError(errno.EPERM, '')):
            self.assertRaises(OSError, replacing.take_rights, self.number,
                              self.old, 0o644)

    def test_flushing(self):
        self._without('os.fsync', lambda: replacing.flush(self.number))

    def test_sizes(self):
        def longer():
            size = os.fstat(self.number).st_size + 5
            replacing.set_size(self.number, size)
            self.assertEqual(size, os.fstat(self.number).st_size)
        self._without('os.ftruncate', longer)
        replacing.set_size(self.number, 3)
        self.assertEqual(3, os.fstat(self.number).st_size)
