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


"""Locks on files that all services of a host share.

The services may run as different users. A user who may create files in the
folder of the locks may also use the locks that others have created there.
"""

import errno
import fcntl
import os
import time

from oslo_log import log as logging

LOG = logging.getLogger(__name__)

# A flag of open() that Python 2.7 does not name.
_O_CLOEXEC = getattr(os, 'O_CLOEXEC', 0o2000000)
_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | _O_CLOEXEC
#: what flock() reports if somebody else has the lock
_BUSY = (errno.EAGAIN, errno.EWOULDBLOCK)


def make_folder(path):
    """Create a folder and its parents, unless it exists.

    :raises OSError: if it cannot be created
    """
    try:
        os.makedirs(path)
    except OSError:
        # Another process may have created it at the same moment.
        if not os.path.isdir(path):
            raise


def open_file(path):
    """Return the descriptor of a lock file, which is created if necessary.

    :raises OSError: if this user can neither open nor create it
    """
    while True:
        try:
            return _open_existing(path)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
        try:
            return _create(path)
        except OSError as error:
            if error.errno != errno.EEXIST:
                raise


def _open_existing(path):
    # Without O_CREAT, with which the kernel refuses files of other users in
    # a folder like /tmp (fs.protected_regular).
    try:
        return os.open(path, os.O_RDWR | _FLAGS)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        return os.open(path, os.O_RDONLY | _FLAGS)  # suffices for a lock


def _create(path):
    """Create a lock file for all who may create files beside it."""
    number = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | _FLAGS, 0o666)
    folder = os.stat(os.path.dirname(path))
    for owner in (folder.st_uid, -1):
        try:
            os.fchown(number, owner, folder.st_gid)
            break
        except OSError as error:
            LOG.debug('%s keeps its owner or group: %s', path, error)
    others = folder.st_mode & 0o006
    group = folder.st_mode & 0o060
    if os.fstat(number).st_gid != folder.st_gid:
        group = others << 3
    os.fchmod(number, 0o600 | group | others)
    return number


def try_lock(number):
    """Lock a file, unless somebody else has locked it.

    :param number: its descriptor
    :returns: whether it is locked now
    :raises EnvironmentError: if the file system has no locks
    """
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (IOError, OSError) as error:
        if error.errno not in _BUSY:
            raise
        return False
    return True


def acquire(path):
    """Open and lock a file, unless somebody else has locked it.

    :returns: the descriptor, for release(); None if somebody else has the
        lock
    :raises EnvironmentError: if the file cannot be opened or locked
    """
    while True:
        number = open_file(path)
        try:
            locked = try_lock(number)
            if locked and _is_at(number, path):
                return number
        except BaseException:
            os.close(number)
            raise
        os.close(number)
        if not locked:
            return None
        # It was removed while it was opened: that lock would exclude nobody.


def release(number):
    """Unlock and close a file that acquire() has returned."""
    try:
        # A process that was forked in the meantime has the descriptor too,
        # so that closing it here would not release the lock.
        fcntl.flock(number, fcntl.LOCK_UN)
    finally:
        os.close(number)


def _is_at(number, path):
    try:
        return os.path.samestat(os.fstat(number), os.lstat(path))
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
        return False


def remove_unused(folder, pattern, age):
    """Remove lock files that nobody has used for some time.

    :param pattern: compiled regular expression of their names
    :param age: seconds since the last change
    """
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        try:
            if pattern.match(name) and (
                    time.time() - os.lstat(path).st_mtime > age):
                _remove(path)
        except (IOError, OSError) as error:
            LOG.debug('The lock file %s stays: %s', path, error)


def _remove(path):
    number = acquire(path)
    if number is not None:
        try:
            os.unlink(path)
        finally:
            release(number)
