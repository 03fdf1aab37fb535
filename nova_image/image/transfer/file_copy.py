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

from oslo_utils import units

from nova_image import exception
from nova_image.image import offload
from nova_image.image import sizes
from nova_image.image.transfer import native
from nova_image.image.transfer import sparse

#: the most bytes that the file system copies before they are read for the
#: check. The check can be behind by as much, and so is never without work
#: while the next bytes are copied.
STEP = offload.BEHIND
#: bytes of the first step: the check begins when it is copied
FIRST = 256 * units.Ki

_FICLONE = 0x40049409  # of linux/fs.h
# The errors of kernels, file systems and containers without this.
_CANNOT = (errno.EBADF, errno.EINVAL, errno.ENOSYS, errno.ENOTTY,
           errno.EOPNOTSUPP, errno.EPERM, errno.ETXTBSY, errno.EXDEV)


def copy_path(path, output, check):
    """Copy a file of this host that the caller trusts.

    :param path: of a regular file
    :param output: an empty regular file, opened for reading and writing
    :param check: has ``update(chunk)``, which receives all data in order
    :raises ImageDownloadUnavailable: if it changes during the copy
    """
    with open(path, 'rb') as source:
        native.run(lambda target, guard: FileCopy(
            source.fileno(), target, guard, path).run(), output, check)


class FileCopy(object):
    """Copies one open file into another, and passes the data to a check.

    The check reads the copy, so that it judges what was written.

    :param source: file descriptor
    :param target: file descriptor of an empty file
    :param url: URL or path for error messages
    """

    def __init__(self, source, target, check, url):
        self._source = source
        self._target = target
        self._check = check
        self._url = url
        self._before = os.fstat(source)
        self._largest = min(STEP, offload.behind(self._before.st_size))
        self._step = min(FIRST, self._largest)
        self._system_copies = hasattr(os, 'copy_file_range')

    def run(self):
        """Copy the file."""
        size = self._before.st_size
        share = self._shares_blocks()
        put = self._check_copy if share else self._put
        if not share:
            os.ftruncate(self._target, size)
        position = 0
        for begin, end in sparse.extents(self._source, size):
            sparse.put_hole(begin - position, self._check)
            for position, length in self._steps(begin, end):
                put(position, length)
            position = end
        sparse.put_hole(size - position, self._check)
        self._require_unchanged()

    def _steps(self, begin, end):
        """Yield the parts to copy, as (offset, size)."""
        while begin < end:
            size = min(self._step, end - begin)
            yield begin, size
            begin += size
            self._step = min(2 * self._step, self._largest)

    def _shares_blocks(self):
        """Make the file system share the blocks of the file.

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
        """Make the kernel copy a part.

        :returns: whether it copied all of it
        """
        end = offset + size
        try:
            while self._system_copies and offset < end:
                done = os.copy_file_range(self._source, self._target,
                                          end - offset, offset, offset)
                # Zero: the file is shorter now, or the file system means
                # something else by it. Reading will show.
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
                               min(sizes.CHUNK, end - offset))
            if not data:
                raise self._changed()
            yield offset, data
            offset += len(data)

    def _require_unchanged(self):
        """Raise if the source, or a copy that shares it, has changed."""
        before, now = self._before, os.fstat(self._source)
        size = os.fstat(self._target).st_size
        if (now.st_size, now.st_mtime, size) != (
                before.st_size, before.st_mtime, before.st_size):
            raise self._changed()

    def _changed(self):
        return exception.ImageDownloadUnavailable(
            action='direct download', endpoint=self._url,
            reason='it changed during the copy')
