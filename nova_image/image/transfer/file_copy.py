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


"""Copies a file of this host, with all of its data going to a check too.

The file system copies if it can: by sharing the blocks, or by
copy_file_range. Holes stay holes.
"""

import errno
import fcntl
import os

from nova_image import exception
from nova_image.image.transfer import native
from nova_image.image.transfer import sparse

#: bytes that the file system copies before they are read for the check,
#: while they are in the page cache
STEP = 32 * 1024 * 1024

_FICLONE = 0x40049409  # of linux/fs.h
# What a kernel, a file system or a container says that cannot do it.
_CANNOT = (errno.EBADF, errno.EINVAL, errno.ENOSYS, errno.ENOTTY,
           errno.EOPNOTSUPP, errno.EPERM, errno.ETXTBSY, errno.EXDEV)


def copy_path(path, output, check):
    """Copy a file of this host that the caller trusts.

    :param path: of a regular file
    :param output: an empty regular file, opened for reading and writing
    :param check: has ``update(chunk)``, gets all of the data in order
    :raises ImageDownloadUnavailable: when it changes during the copy
    """
    with open(path, 'rb') as source:
        native.run(lambda target, guard: FileCopy(
            source.fileno(), target, guard, path).run(), output, check)


class FileCopy(object):
    """Copies one open file into another, and hands all of it to a check.

    The check gets what is in the copy, so that this is what it is about.

    :param source: file descriptor
    :param target: file descriptor of an empty file
    :param url: for messages
    """

    def __init__(self, source, target, check, url):
        self._source = source
        self._target = target
        self._check = check
        self._url = url
        self._before = os.fstat(source)
        self._system_copies = hasattr(os, 'copy_file_range')

    def run(self):
        """Copy."""
        size = self._before.st_size
        share = self._shares_blocks()
        put = self._check_copy if share else self._put
        if not share:
            os.ftruncate(self._target, size)
        position = 0
        for begin, end in sparse.extents(self._source, size):
            sparse.put_hole(begin - position, self._check)
            for position in range(begin, end, STEP):
                put(position, min(STEP, end - position))
            position = end
        sparse.put_hole(size - position, self._check)
        self._require_unchanged()

    def _shares_blocks(self):
        """Let the file system make a copy that shares the blocks.

        :returns: whether it did
        """
        try:
            fcntl.ioctl(self._target, _FICLONE, self._source)
        except (IOError, OSError) as error:
            if error.errno not in _CANNOT:
                raise
            return False
        return True

    def _put(self, offset, size):
        if self._copied_by_system(offset, size):
            self._check_copy(offset, size)
        else:
            for position, data in self._pieces(self._source, offset, size):
                sparse.put(self._target, position, data, self._check)

    def _copied_by_system(self, offset, size):
        """Let the kernel copy a part.

        :returns: whether it did all of it
        """
        end = offset + size
        try:
            while self._system_copies and offset < end:
                done = os.copy_file_range(self._source, self._target,
                                          end - offset, offset, offset)
                # Nothing: the file is shorter now, or the file system means
                # something else by it. Reading tells.
                self._system_copies = done > 0
                offset += done
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
            self._system_copies = False
        return self._system_copies

    def _check_copy(self, offset, size):
        for _, data in self._pieces(self._target, offset, size):
            self._check.update(data)

    def _pieces(self, number, offset, size):
        """Yield a part of a file, as (offset, bytes)."""
        end = offset + size
        while offset < end:
            data = sparse.read(number, offset,
                               min(sparse.PIECE, end - offset))
            if not data:
                raise self._changed()
            yield offset, data
            offset += len(data)

    def _require_unchanged(self):
        """Raise when the source, or a copy that shares it, has changed."""
        before, now = self._before, os.fstat(self._source)
        size = os.fstat(self._target).st_size
        if (now.st_size, now.st_mtime, size) != (
                before.st_size, before.st_mtime, before.st_size):
            raise self._changed()

    def _changed(self):
        return exception.ImageDownloadUnavailable(
            action='direct download', endpoint=self._url,
            reason='it changed while it was copied')
