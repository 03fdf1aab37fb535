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

"""Large files that are written past the page cache of the host.

An image of many GiB would push out what the host's guests and services have
there, and leave all of the writing to the flush at its end. So the system is
told to write each part as soon as it is complete, and to forget it once it is
on disk: as much as two windows are in the cache at any time.

Taken from sync_file_range(2) and posix_fadvise(2) of Linux. Where there are
none, as in Python 2.7, the file is written as any other.
"""

import ctypes
import os

from nova_image.image import offload

#: bytes; the system writes one of these while the next is filled
WINDOW = 8 * 1024 * 1024

# of linux/fs.h
_WAIT_BEFORE, _WRITE, _WAIT_AFTER = 1, 2, 4


def _load():
    """Return sync_file_range of the C library; None where there is none."""
    function = getattr(ctypes.CDLL(None, use_errno=True),
                       'sync_file_range', None)
    if function is not None:
        function.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64,
                             ctypes.c_uint)
    return function if hasattr(os, 'posix_fadvise') else None


_sync_file_range = _load()


class Cached(object):
    """For a file that may stay in the page cache."""

    def advance(self, position):
        """Nothing is to be done about it."""

    def finish(self):
        """Nothing is to be done about it."""


class WriteBehind(object):
    """Has a file go to disk, and out of the cache, while it grows.

    :param number: its descriptor
    """

    def __init__(self, number):
        self._number = number
        self._begun = 0  # up to here it is being written

    def advance(self, position):
        """Tell that all bytes before a position are there, for good.

        :raises OSError: when one could not be written; nobody else is told
        """
        while position - self._begun >= WINDOW:
            offload.call(self._step)

    def _step(self):
        """Begin to write a window, and wait for the one before it."""
        _sync(self._number, self._begun, _WRITE)
        if self._begun:
            before = self._begun - WINDOW
            _sync(self._number, before, _WAIT_BEFORE | _WRITE | _WAIT_AFTER)
            os.posix_fadvise(self._number, before, WINDOW,
                             os.POSIX_FADV_DONTNEED)
        self._begun += WINDOW

    def finish(self):
        """Have all of it forgotten; to be called when it is on disk."""
        os.posix_fadvise(self._number, 0, 0, os.POSIX_FADV_DONTNEED)


def open_policy(number, size, limit):
    """Return the WriteBehind of a file, or what does nothing.

    :param number: its descriptor
    :param size: bytes that it is going to have, or None
    :param limit: bytes; only files larger than this are kept out of the
        cache. None for no file.
    """
    if _sync_file_range is None or limit is None or (size or 0) <= limit:
        return Cached()
    return WriteBehind(number)


def _sync(number, offset, how):
    if _sync_file_range(number, offset, WINDOW, how):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
