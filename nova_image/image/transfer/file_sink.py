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

"""A regular file as the destination: published completely, or not at all.

The bytes go to a file beside it that only its owner may read and that is
locked during the download. After the checks that file is flushed to disk and
renamed. If a process is killed, the next download into the folder resumes its
file, if configured to, or removes it when it is old.
"""

import contextlib
import errno
import fcntl
import hashlib
import io
import os
import re
import resource
import stat
import time
import uuid

from oslo_log import log as logging
from oslo_utils import units
import six

from nova_image import exception
from nova_image.image import sizes
from nova_image.image.transfer import contracts
from nova_image.image.transfer import page_cache
from nova_image.image.transfer import paths
from nova_image.image.transfer import replacing
from nova_image.image.transfer import sparse

LOG = logging.getLogger(__name__)

#: the errors of a full disk, of a quota, or of a limit of the size of files
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: bytes of a file that a slow disk takes half a second to flush
_LONG = 64 * units.Mi
_ADVICE = ('Raise the limit (ulimit -f, or LimitFSIZE of systemd), or choose '
           'a file system with larger files')
#: what the name of a partial file has besides that of the file
_PARTIAL_PARTS = len('..0123456789ab.part')
_PARTIAL = re.compile(r'^\..+\.[0-9a-f]{12}\.part$')


def close_quietly(stream):
    """Close a stream that is given up already.

    Closing flushes the buffer, and may fail just as writing did: for example
    on a full disk.
    """
    try:
        stream.close()
    except (IOError, OSError) as error:
        LOG.debug('Closing failed: %s', error)


class FileSink(contracts.Sink):
    """A regular file.

    :param path: path of the published file, without symbolic links
    :param keep: whether to keep the data that has arrived when the download
        fails or the process is killed, for the next attempt
    :param max_age: seconds after which abandoned files are removed
    :param cache_limit: bytes; larger files are kept out of the page cache.
        None keeps no file out.
    :param replace: whether to replace an existing file

    ``stream`` is the temporary file. A handler that writes to it directly
    reports how far it has come by advance() and take_over().
    """

    def __init__(self, path, keep=False, max_age=86400, cache_limit=None,
                 replace=True):
        self.path = path
        self._replace = replace
        self._folder = os.path.dirname(path)
        self._keep = keep
        self._known = False  # whether the next process could find the file
        self._spare = None  # path of a partial file that is not used yet
        self._position = 0
        self._turn = None  # turns.Turn, if others wait for this download
        self._cache_limit = cache_limit
        self._size = None
        self._cached = page_cache.Cached()
        self._stem = paths.cut_name(
            os.path.basename(path), self._folder, _PARTIAL_PARTS)
        if replace:
            replacing.require_replaceable(path)
        self._clean(max_age)
        self._temporary = self._beside(uuid.uuid4().hex[:12])
        self.stream, self._mode = self._create()

    def _beside(self, name):
        return os.path.join(self._folder, '.%s.%s.part' % (
            self._stem, name))

    def _create(self):
        """Return a new temporary file, and the mode of the published one."""
        # Not mkstemp: the published file gets the mode of the umask.
        number = os.open(self._temporary,
                         os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        mode = os.fstat(number).st_mode & 0o777
        replacing.set_mode(number, 0o600)
        try:
            _lock(number)
        except (IOError, OSError) as error:
            # Nobody else knows its name. It will not be resumed or cleaned.
            LOG.debug('%s cannot be locked: %s', self._temporary, error)
        return io.open(number, 'r+b', 0), mode

    def receive(self, download):
        """Store the data of a download, and publish it. See Sink.

        Callers that download the same image at the same time take turns, and
        copy the first one's file.
        """
        with download.turn() as turn:
            self._turn = turn
            download.fill(self, turn)
            self.publish_aside()
            turn.leave_note(self.path)

    def is_slow(self):
        """Return whether a slow disk would take long to flush the file."""
        return self._position >= _LONG

    def begin(self, image_id, recorded):
        """Prepare for an attempt, and resume a partial file. See Sink."""
        if self._keep and recorded.value and not self._known:
            self._take_up(image_id, recorded)
        self._prepare(image_id, recorded)
        return self._position

    def begin_copy(self, image_id, recorded):
        """Prepare for a copy of the whole image, which may turn out wrong.

        What an earlier process has left of it stays until this succeeds.

        :param recorded: Recorded
        :raises InsufficientDiskSpace: if it does not fit
        """
        if self._keep and recorded.value:
            self._spare = self._known_path(image_id, recorded)
        self._prepare(image_id, recorded)

    def _prepare(self, image_id, recorded):
        self._check_room(image_id, recorded)
        self._size = recorded.size
        self._open_policy()

    def _open_policy(self):
        self._cached = page_cache.open_policy(
            self.stream.fileno(), self._size, self._cache_limit)

    def _known_path(self, image_id, recorded):
        identity = repr((image_id,) + recorded.identity).encode('utf-8')
        return self._beside(hashlib.sha256(identity).hexdigest()[:12])

    def _take_up(self, image_id, recorded):
        """Use the partial file that an earlier process has left."""
        path = self._known_path(image_id, recorded)
        left = _open_locked(path) or _new_locked(path)
        if left is None:
            return  # another process is downloading the same image to here
        self._drop()
        self.stream, self._temporary, self._known = left, path, True
        self._spare = None
        self._position = os.fstat(left.fileno()).st_size
        if recorded.size is not None and self._position > recorded.size:
            self.restart()

    def _check_room(self, image_id, recorded):
        if recorded.size is None:
            return
        longest = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
        if recorded.size > longest != resource.RLIM_INFINITY:
            raise exception.InsufficientDiskSpace(
                image_id=image_id, action='download', advice=_ADVICE,
                reason='this process may write files of at most %d bytes, '
                       'the image has %d' % (longest, recorded.size))
        room = paths.room_in(self._folder)
        if room is not None and recorded.size - self._position > room:
            raise exception.InsufficientDiskSpace(
                image_id=image_id, action='download',
                reason='%s has room for %d bytes, the image has %d' % (
                    self._folder, room, recorded.size))

    def kept(self):
        """Yield the bytes that begin() has found, in pieces."""
        self.stream.seek(0)
        while True:
            chunk = self.stream.read(sizes.CHUNK)
            if not chunk:
                return
            self._beat()
            yield chunk

    def _beat(self):
        if self._turn is not None:
            self._turn.beat()

    def restart(self):
        """Begin again with an empty file, which is always possible."""
        self._position = 0
        try:
            self.stream.seek(0)
            self.stream.truncate()
        except (IOError, OSError) as error:
            if error.errno not in replacing.LACKING:
                raise
            self._drop()
            self._temporary, self._known = self._beside(
                uuid.uuid4().hex[:12]), False
            self.stream, _ = self._create()
        self._open_policy()
        return True

    def write(self, chunk):
        """Write the next bytes; long runs of zeros become holes."""
        view, start = memoryview(chunk), self._position
        with self._full_disk_reported():
            for begin, end in sparse.data_in(chunk):
                self._position = start + begin
                self._write_here(view[begin:end])
            self._position = start + len(chunk)
            self._cached.advance(self._position)
        self._beat()

    def advance(self, position):
        """Record how far a handler has written the file.

        :param position: all bytes before it are there
        """
        with self._full_disk_reported():
            self._cached.advance(position)
        self._beat()

    @contextlib.contextmanager
    def _full_disk_reported(self):
        """Raise InsufficientDiskSpace for the system's error."""
        try:
            yield
        except (IOError, OSError) as error:
            if error.errno not in _FULL:
                raise
            six.raise_from(exception.InsufficientDiskSpace(
                action='download', reason='%s: %s' % (
                    self._folder, error.strerror), advice=(
                        _ADVICE if error.errno == errno.EFBIG else None)),
                error)

    def _write_here(self, view):
        self.stream.seek(self._position)
        while view:
            written = self.stream.write(view)
            self._position += written
            view = view[written:]

    def take_over(self):
        """Continue behind what a handler has written to the stream.

        :returns: how many bytes are there now
        """
        self._position = os.fstat(self.stream.fileno()).st_size
        return self._position

    def publish(self):
        """Make the complete file appear at its path, flushed to disk."""
        with self._full_disk_reported():
            # The image may end with a hole.
            replacing.set_size(self.stream.fileno(), self._position)
            replacing.take_rights(self.stream.fileno(), self.path,
                                  self._mode)
            replacing.flush(self.stream.fileno())
        self._cached.finish()
        self._rename()
        self.stream.close()
        _remove_unused(self._spare)
        replacing.sync_folder(self._folder)

    def _rename(self):
        try:
            if self._replace:
                os.rename(self._temporary, self.path)
            else:
                replacing.rename_new(self._temporary, self.path)
        except OSError as error:
            if error.errno == errno.EEXIST and not self._replace:
                self._drop()  # another attempt would also find that file
            else:
                replacing.take_back(self.stream.fileno())
            raise

    def discard(self):
        """Remove all data of the image, except at its path."""
        self._drop()
        _remove_unused(self._spare)

    def _drop(self):
        """Remove the temporary file."""
        if not self.stream.closed:
            # While it is locked: otherwise another process may resume it.
            _remove(self._temporary)
            close_quietly(self.stream)

    def give_up(self):
        """Leave what has arrived for the next attempt, if configured to."""
        if self._known and not self.stream.closed and self._position:
            self.stream.truncate(self._position)
            close_quietly(self.stream)
        else:
            self._drop()

    def _clean(self, max_age):
        """Remove what killed processes have left in the folder."""
        for name in paths.names_in(self._folder):
            path = os.path.join(self._folder, name)
            if _PARTIAL.match(name) and _is_old(path, max_age):
                _remove_unused(path)


def _open_locked(path, flags=0):
    """Return a partial file of ours that no process writes to, or None."""
    try:
        number = os.open(path, os.O_RDWR | os.O_NOFOLLOW | flags, 0o600)
    except (IOError, OSError):
        return None
    try:
        if _is_ours(os.fstat(number)):
            _lock(number)
            # Its last user may have renamed or removed it.
            if os.path.samestat(os.fstat(number), os.lstat(path)):
                return io.open(number, 'r+b', 0)
    except (IOError, OSError) as error:
        LOG.debug('%s is in use: %s', path, error)
        if flags and error.errno != errno.EWOULDBLOCK:
            _remove(path)  # a new one, on a file system without locks
    os.close(number)
    return None


def _new_locked(path):
    """Return a new partial file, or None if the path exists."""
    return _open_locked(path, os.O_CREAT | os.O_EXCL)


def _remove_unused(path):
    """Remove a partial file of ours that no process writes to.

    :param path: None to remove nothing
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
    """Lock a file for this process; raises if another one has locked it."""
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
