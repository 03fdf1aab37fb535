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

"""Writes files to disk while they grow, and keeps large ones out of the cache.

Otherwise all of the writing would be left to the flush at the end. An image of
many GiB would also evict the data of the host's guests and services from the
page cache. So each part is dropped from the cache once it is on disk, and the
cache never holds more than two windows of the file.

Uses sync_file_range(2) and posix_fadvise(2) of Linux. Without them, as in
Python 2.7, the file is written like any other.
"""

import ctypes
import errno
import os

from oslo_utils import units

from nova_image.image import offload

#: bytes; the system writes one window while the next one is filled
WINDOW = 8 * units.Mi
#: the same for files that stay in the cache, which are smaller
EARLY = 4 * units.Mi

_LACKING = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM,
            errno.ESPIPE)
# of linux/fs.h
_WAIT_BEFORE, _WRITE, _WAIT_AFTER = 1, 2, 4


def _load():
    """Return sync_file_range of the C library, or None."""
    function = getattr(ctypes.CDLL(None, use_errno=True),
                       'sync_file_range', None)
    if function is not None:
        function.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64,
                             ctypes.c_uint)
    return function if hasattr(os, 'posix_fadvise') else None


_sync_file_range = _load()


class Cached(object):
    """The policy of a file that is left to the system."""

    def advance(self, position):
        """Do nothing."""

    def finish(self):
        """Do nothing."""


class WriteEarly(object):
    """The policy of a file that stays in the page cache.

    The system begins to write each window, and nobody waits for it.

    :param number: its descriptor
    :param size: its final size in bytes, or None
    """

    def __init__(self, number, size=None):
        self._number = number
        self._size = size
        self._window = EARLY
        self._begun = 0  # up to here it is being written
        self._works = True  # whether the file system has these calls

    def advance(self, position):
        """Record that all bytes before a position are final.

        :raises OSError: if one could not be written; the system reports this
            only once
        """
        while self._works and self._is_due(position):
            self._tried(lambda: offload.call(self._step))

    def _is_due(self, position):
        """Return whether a window is full, or the last one is complete."""
        left = position - self._begun
        return left >= self._window or left > 0 and position == self._size

    def _tried(self, act):
        """Do without what the file system does not have."""
        try:
            act()
        except (IOError, OSError) as error:
            if error.errno not in _LACKING:
                raise
            self._works = False

    def _step(self):
        """Begin to write a window."""
        self._sync(self._begun, _WRITE)
        self._begun += self._window

    def _sync(self, offset, how):
        if _sync_file_range(self._number, offset, self._window, how):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    def finish(self):
        """Do nothing: the file may stay in the cache."""


class WriteBehind(WriteEarly):
    """The policy of a file that leaves the page cache while it grows.

    :param number: its descriptor
    :param size: its final size in bytes, or None
    """

    def __init__(self, number, size=None):
        super(WriteBehind, self).__init__(number, size)
        self._window = WINDOW

    def _step(self):
        """Begin to write a window, and wait for the previous one."""
        super(WriteBehind, self)._step()
        before = self._begun - 2 * self._window
        if before >= 0:
            self._sync(before, _WAIT_BEFORE | _WRITE | _WAIT_AFTER)
            os.posix_fadvise(self._number, before, self._window,
                             os.POSIX_FADV_DONTNEED)

    def finish(self):
        """Drop the whole file, which must be on disk, from the cache."""
        self._tried(lambda: os.posix_fadvise(
            self._number, 0, 0, os.POSIX_FADV_DONTNEED))


def open_policy(number, size, limit):
    """Return the policy of a file.

    :param number: its descriptor
    :param size: its final size in bytes, or None
    :param limit: bytes; only larger files are kept out of the cache. None
        for no file.
    """
    if _sync_file_range is None:
        return Cached()
    if limit is None or (size or 0) <= limit:
        return WriteEarly(number, size)
    return WriteBehind(number, size)
