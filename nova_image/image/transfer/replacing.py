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


"""A new file takes the place of an old one, or never does.

The file that replaces another one keeps its rights: nobody may read the new
data who could not read the old.
"""

import array
import ctypes
import errno
import fcntl
import os

from oslo_log import log as logging

from nova_image.image.transfer import paths

LOG = logging.getLogger(__name__)

_ACL = 'system.posix_acl_access'
# of fcntl.h and linux/fs.h
_AT_FDCWD, _RENAME_NOREPLACE = -100, 1
_O_PATH = getattr(os, 'O_PATH', 0o10000000)
_FS_IOC_GETFLAGS = 0x80086601  # but on MIPS, POWER and SPARC, which refuse it
_IMMUTABLE, _APPEND = 0x10, 0x20
#: what fsync() reports if a file system cannot flush folders
_NO_FSYNC = (errno.EBADF, errno.EINVAL, errno.EOPNOTSUPP, errno.EROFS,
             errno.ENOSYS, errno.EISDIR, errno.EPERM, errno.EACCES)
#: what a file system reports if it does not have a call
LACKING = (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENOTTY,
           errno.EPERM)
#: what link() reports if a file system has no hard links
_NO_LINKS = LACKING + (errno.EACCES, errno.EMLINK, errno.EXDEV)


def require_replaceable(path):
    """Refuse a file that the kernel will not let anybody replace.

    Otherwise, the error would follow when the whole image has arrived.

    :param path: resolved path, at which there need not be a file
    :raises OSError: for a mount point, or a file or folder that is immutable
        or may only grow (chattr +i and +a)
    """
    if paths.status_of(path) is not None:
        if _is_mount_point(path):
            raise OSError(
                errno.EBUSY, 'The file is a mount point and cannot be '
                'replaced. Mount its folder instead, or write into it, '
                'without the guarantee that it is complete: use the standard '
                'output, and redirect it there', path)
        if _flags_of(path) & (_IMMUTABLE | _APPEND):
            raise OSError(
                errno.EPERM, 'The file is immutable or append-only, see '
                'lsattr', path)
    folder = os.path.dirname(path)
    if _flags_of(folder) & _APPEND:
        raise OSError(errno.EPERM, 'The folder is append-only, see lsattr',
                      folder)


def _is_mount_point(path):
    """Return whether a file is mounted, which stat() does not show."""
    mounts = [_mount_of(one) for one in (path, os.path.dirname(path))]
    return None not in mounts and mounts[0] != mounts[1]


def _mount_of(path):
    """Return the kernel's ID of a mount, or None."""
    try:
        number = os.open(path, _O_PATH | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        with open('/proc/self/fdinfo/%d' % number) as lines:
            for line in lines:
                if line.startswith('mnt_id:'):
                    return line.split()[1]
    except (IOError, OSError):
        pass
    finally:
        os.close(number)
    return None


def _flags_of(path):
    """Return the flags that chattr sets; 0 if they cannot be read."""
    flags = array.array('i', [0, 0])
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return 0
    try:
        fcntl.ioctl(number, _FS_IOC_GETFLAGS, flags)
    except (IOError, OSError):
        return 0
    finally:
        os.close(number)
    return flags[0]


def take_rights(number, path, mode):
    """Give a new file the mode, owner and ACL of the file at a path.

    If this user may not keep the group, it is treated like everybody else.

    :param number: descriptor of the new file
    :param path: resolved path of the file to replace, if there is one
    :param mode: the mode otherwise
    """
    old = paths.trusted_file(path)
    if old is None:
        set_mode(number, mode)
        return
    mode, acl = old.st_mode & 0o777, _acl_of(path)
    _give(number, old.st_uid, old.st_gid)
    if os.fstat(number).st_gid != old.st_gid:
        mode, acl = _without_group(mode), None
    set_mode(number, mode)
    if os.fstat(number).st_mode & 0o777 & ~mode:
        raise OSError(errno.EPERM, 'The new file would be readable for more '
                      'users than the old one', path)
    if acl is not None:
        _set_acl(number, acl, mode)


def set_mode(number, mode):
    """Set the mode of a file, if its file system has modes.

    One without them, like vfat, has the same for all files, so that nobody
    may read the new file who could not read the old one.
    """
    try:
        os.fchmod(number, mode)
    except OSError as error:
        if error.errno not in LACKING:
            raise
        LOG.debug('The file system keeps no modes: %s', error)


def flush(number):
    """Write a file to disk, if its file system can."""
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in LACKING:
            raise
        LOG.debug('The file system does not flush files: %s', error)


def set_size(number, size):
    """Let a file end at a size, also on a file system without truncate().

    :param number: descriptor of a file that is not longer
    """
    if os.fstat(number).st_size == size:
        return
    try:
        os.ftruncate(number, size)
    except OSError as error:
        if error.errno not in LACKING or os.fstat(number).st_size > size:
            raise
        os.lseek(number, size - 1, os.SEEK_SET)
        os.write(number, b'\0')


def take_back(number):
    """Undo take_rights(): the file is this user's, and nobody else's."""
    try:
        os.fchmod(number, 0o600)
        os.fchown(number, os.geteuid(), -1)
    except (IOError, OSError) as error:
        LOG.debug('A partial download keeps its owner: %s', error)


def _give(number, owner, group):
    own = os.fstat(number)
    if (own.st_uid, own.st_gid) == (owner, group):
        return
    for user in (owner, -1):
        try:
            os.fchown(number, user, group)
            return
        except OSError as error:
            LOG.debug('The owner or group is not kept: %s', error)


def _without_group(mode):
    """Return a mode in which a group may do what others may, or less."""
    return mode & ~0o070 | mode & 0o070 & (mode & 0o007) << 3


def _acl_of(path):
    """Return the access ACL of a file; None without one, or on Python 2.7."""
    try:
        return os.getxattr(path, _ACL, follow_symlinks=False)
    except (AttributeError, OSError):
        return None


def _set_acl(number, acl, mode):
    try:
        os.setxattr(number, _ACL, acl)
    except OSError as error:
        # With an ACL, the mode has the most that anybody may do.
        LOG.debug('The ACL is not kept: %s', error)
        os.fchmod(number, mode & 0o707)


def rename_new(old, new):
    """Rename a file unless there is one with the new name already.

    :raises OSError: with EEXIST if there is one
    """
    try:
        os.link(old, new)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            # Python 2.7 does not name the files, and 3 names the old one.
            raise OSError(error.errno, error.strerror, new)
        try:
            _rename_no_replace(old, new)
        except OSError as failure:
            if failure.errno not in LACKING:
                raise
            _rename_over_own(old, new)
    else:
        os.unlink(old)


def _rename_over_own(old, new):
    """Rename a file to a name that an empty file of ours has reserved.

    For file systems that have neither links nor renameat2(). For a moment,
    the empty file is there.
    """
    os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        os.rename(old, new)
    except OSError:
        os.unlink(new)
        raise


def sync_folder(path):
    """Make renames in a folder survive a crash of the host, if possible."""
    try:
        number = os.open(path, os.O_RDONLY)
    except OSError as error:  # it may be written to, but not read
        LOG.debug('%s cannot be flushed: %s', path, error)
        return
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in _NO_FSYNC:
            raise
    finally:
        os.close(number)


def _rename_no_replace(old, new):
    """Make the kernel rename a file, which requires Linux 3.15."""
    function = getattr(ctypes.CDLL(None, use_errno=True), 'renameat2', None)
    code = errno.ENOSYS
    if function is not None:
        code = function(
            _AT_FDCWD, _encoded(old), _AT_FDCWD, _encoded(new),
            ctypes.c_uint(_RENAME_NOREPLACE)) and ctypes.get_errno()
    if code:
        raise OSError(code, os.strerror(code), new)


def _encoded(path):
    return path if isinstance(path, bytes) else os.fsencode(path)
