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

import ctypes
import errno
import os

from oslo_log import log as logging

from nova_image.image.transfer import paths

LOG = logging.getLogger(__name__)

_ACL = 'system.posix_acl_access'
# of fcntl.h and linux/fs.h
_AT_FDCWD, _RENAME_NOREPLACE = -100, 1
#: what fsync() reports if a file system cannot flush folders
_NO_FSYNC = (errno.EBADF, errno.EINVAL, errno.EOPNOTSUPP, errno.EROFS)
#: what link() reports if a file system has no hard links
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def take_rights(number, path, mode):
    """Give a new file the mode, owner and ACL of the file at a path.

    If this user may not keep the group, it is treated like everybody else.

    :param number: descriptor of the new file
    :param path: resolved path of the file to replace, if there is one
    :param mode: the mode otherwise
    """
    old = paths.trusted_file(path)
    if old is None:
        os.fchmod(number, mode)
        return
    mode, acl = old.st_mode & 0o777, _acl_of(path)
    _give(number, old.st_uid, old.st_gid)
    if os.fstat(number).st_gid != old.st_gid:
        mode, acl = _without_group(mode), None
    os.fchmod(number, mode)
    if acl is not None:
        _set_acl(number, acl, mode)


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
        _rename_no_replace(old, new)
    else:
        os.unlink(old)


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
