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

"""A regular file as the end of a download: published whole, or not at all.

The bytes go to a file beside it that only its owner may read and that is
locked while somebody writes to it. After the checks that file is flushed to
disk and renamed. What a process leaves that is killed, the next download into
the folder takes up again, where that is wanted, or removes when it is old.
"""

import contextlib
import errno
import fcntl
import hashlib
import io
import os
import re
import stat
import time
import uuid

from oslo_log import log as logging
import six

from nova_image import exception
from nova_image.image.transfer import page_cache

LOG = logging.getLogger(__name__)

#: bytes; what one read of a partial file gives at the most
CHUNK = 1024 * 1024
#: bytes; zeros of this length become a hole
_BLOCK = 64 * 1024
_ZEROS = bytes(bytearray(_BLOCK))
#: what the system says of a disk, or a share of it, that is full
_FULL = (errno.ENOSPC, errno.EDQUOT)
_PARTIAL = re.compile(r'^\..+\.[0-9a-f]{12}\.part$')


def close_quietly(stream):
    """Close what is given up already.

    Closing writes what is in the buffer, and fails again as writing did: on a
    full disk, say.
    """
    try:
        stream.close()
    except (IOError, OSError) as error:
        LOG.debug('Closing failed: %s', error)


class FileSink(object):
    """A regular file.

    :param path: where the image is to stand in the end, without links
    :param keep: whether what has arrived stays for the next attempt when the
        download fails, or when the process is killed
    :param max_age: seconds after which what was left behind is removed
    :param cache_limit: bytes; larger files are kept out of the page cache.
        None for none

    ``stream`` is the temporary file; who writes to it by itself says so by
    take_over().
    """

    def __init__(self, path, keep=False, max_age=86400, cache_limit=None):
        self.path = path
        self._folder = os.path.dirname(path)
        self._keep = keep
        self._known = False  # whether the next process would find the file
        self._spare = None  # path of a partial that is not used so far
        self._position = 0
        self._cache_limit = cache_limit
        self._size = None
        self._cached = page_cache.Cached()
        self._clean(max_age)
        self._temporary = self._beside(uuid.uuid4().hex[:12])
        self.stream, self._mode = self._create()

    def _beside(self, name):
        return os.path.join(self._folder, '.%s.%s.part' % (
            os.path.basename(self.path), name))

    def _create(self):
        """Return (a new temporary file, the mode it gets in the end)."""
        # Not mkstemp: the published file is to have the mode of the umask.
        number = os.open(self._temporary,
                         os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        mode = os.fstat(number).st_mode & 0o777
        os.fchmod(number, 0o600)
        _lock(number)
        return io.open(number, 'r+b', 0), mode

    def begin(self, image_id, expected):
        """Prepare for an image: see what there is of it, and if it has room.

        :param expected: digest.Expected
        :returns: how many bytes are there already
        :raises InsufficientDiskSpace: when the rest does not fit
        """
        if self._keep and expected.value and not self._known:
            self._take_up(image_id, expected)
        self._prepare(image_id, expected)
        return self._position

    def begin_copy(self, image_id, expected):
        """Prepare for all of an image, from where it may turn out wrong.

        What an earlier process has left of it stays until this has succeeded.

        :param expected: digest.Expected
        :raises InsufficientDiskSpace: when it does not fit
        """
        if self._keep and expected.value:
            self._spare = self._known_path(image_id, expected)
        self._prepare(image_id, expected)

    def _prepare(self, image_id, expected):
        self._check_room(image_id, expected)
        self._size = expected.size
        self._open_policy()

    def _open_policy(self):
        self._cached = page_cache.open_policy(
            self.stream.fileno(), self._size, self._cache_limit)

    def _known_path(self, image_id, expected):
        identity = repr((image_id,) + expected.identity).encode('utf-8')
        return self._beside(hashlib.sha256(identity).hexdigest()[:12])

    def _take_up(self, image_id, expected):
        """Use the file that an earlier process has left of this image."""
        path = self._known_path(image_id, expected)
        left = _open_locked(path) or _new_locked(path)
        if left is None:
            return  # somebody else is downloading the same to here
        self._drop()
        self.stream, self._temporary, self._known = left, path, True
        self._spare = None
        self._position = os.fstat(left.fileno()).st_size
        if expected.size is not None and self._position > expected.size:
            self.restart()

    def _check_room(self, image_id, expected):
        if expected.size is None:
            return
        there = os.statvfs(self._folder)
        room = there.f_bavail * there.f_frsize
        if expected.size - self._position > room:
            raise exception.InsufficientDiskSpace(
                image_id=image_id, action='download',
                reason='%s has room for %d bytes, the image has %d' % (
                    self._folder, room, expected.size))

    def kept(self):
        """Yield what begin() has found, in pieces."""
        self.stream.seek(0)
        while True:
            chunk = self.stream.read(CHUNK)
            if not chunk:
                return
            yield chunk

    def restart(self):
        """Begin again with an empty file; always possible."""
        self._position = 0
        self.stream.seek(0)
        self.stream.truncate()
        self._open_policy()
        return True

    def write(self, chunk):
        """Write bytes; long runs of zeros become holes."""
        view = memoryview(chunk)
        start = 0
        with self._full_disk_told():
            for block in range(0, len(chunk) - _BLOCK + 1, _BLOCK):
                if chunk[block:block + 1] == b'\0' and (
                        chunk[block:block + _BLOCK] == _ZEROS):
                    self._write_at(view[start:block])
                    self._position += _BLOCK
                    start = block + _BLOCK
            self._write_at(view[start:])
            self._cached.advance(self._position)

    def advance(self, position):
        """Tell how much of the file somebody else has written.

        :param position: all bytes before it are there
        """
        with self._full_disk_told():
            self._cached.advance(position)

    @contextlib.contextmanager
    def _full_disk_told(self):
        """Raise InsufficientDiskSpace for the system's error."""
        try:
            yield
        except (IOError, OSError) as error:
            if error.errno not in _FULL:
                raise
            six.raise_from(exception.InsufficientDiskSpace(
                action='download', reason='%s: %s' % (
                    self._folder, error.strerror)), error)

    def _write_at(self, view):
        if not view:
            return
        self.stream.seek(self._position)
        while view:
            written = self.stream.write(view)
            self._position += written
            view = view[written:]

    def take_over(self):
        """Count what was written to the stream by others.

        :returns: how many bytes there are now
        """
        self._position = os.fstat(self.stream.fileno()).st_size
        return self._position

    def publish(self):
        """Make the file appear, whole and on disk, at its path."""
        with self._full_disk_told():
            # The image may end in a hole.
            self.stream.truncate(self._position)
            os.fchmod(self.stream.fileno(), self._mode)
            os.fsync(self.stream.fileno())
        self._cached.finish()
        os.rename(self._temporary, self.path)
        self.stream.close()
        _remove_unused(self._spare)
        self._sync_folder()

    def _sync_folder(self):
        """Make the rename survive a crash of the host."""
        number = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)

    def discard(self):
        """Remove all that is there of the image, but at its path."""
        self._drop()
        _remove_unused(self._spare)

    def _drop(self):
        """Remove the temporary file."""
        if not self.stream.closed:
            # While it is locked: after that somebody else may take it up.
            _remove(self._temporary)
            close_quietly(self.stream)

    def give_up(self):
        """Leave what has arrived for the next attempt, where it is wanted."""
        if self._known and not self.stream.closed and self._position:
            self.stream.truncate(self._position)
            close_quietly(self.stream)
        else:
            self._drop()

    def _clean(self, max_age):
        """Remove what processes that were killed have left here."""
        for name in os.listdir(self._folder):
            path = os.path.join(self._folder, name)
            if _PARTIAL.match(name) and _is_old(path, max_age):
                _remove_unused(path)


def _open_locked(path, flags=0):
    """Return a partial file of ours that nobody else writes to, or None."""
    try:
        number = os.open(path, os.O_RDWR | os.O_NOFOLLOW | flags, 0o600)
    except (IOError, OSError):
        return None
    try:
        if _is_ours(os.fstat(number)):
            _lock(number)
            # Whoever had it until now may have renamed or removed it.
            if os.path.samestat(os.fstat(number), os.lstat(path)):
                return io.open(number, 'r+b', 0)
    except (IOError, OSError) as error:
        LOG.debug('%s is in use: %s', path, error)
    os.close(number)
    return None


def _new_locked(path):
    """Return a new partial file, or None where there is something."""
    return _open_locked(path, os.O_CREAT | os.O_EXCL)


def _remove_unused(path):
    """Remove a partial file of ours that nobody writes to.

    :param path: None for none
    """
    left = _open_locked(path) if path else None
    if left is not None:
        LOG.info('Removing the partial download %s', path)
        _remove(path)
        left.close()


def _is_ours(status):
    return (stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and
            status.st_uid == os.geteuid())


def _lock(number):
    """Tell other processes that the file is in use; raises when it is."""
    fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_old(path, max_age):
    try:
        return time.time() - os.lstat(path).st_mtime > max_age
    except OSError:
        return False


def _remove(path):
    try:
        os.unlink(path)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
