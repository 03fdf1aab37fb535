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


"""Files with holes: where their data is, and writing without filling them.

Everything works on file descriptors. The file's position is undefined
afterwards: Python 2.7 cannot read and write without moving it.
"""

import errno
import os

from six.moves import range

from nova_image.image import sizes

_ZEROS = bytes(bytearray(sizes.CHUNK))
_BLOCK_OF_ZEROS = _ZEROS[:sizes.BLOCK]
# Python 2.7 does not name them.
_SEEK_DATA, _SEEK_HOLE = 3, 4


def extents(number, size):
    """Yield where a file has data, as (begin, end), in order.

    :param number: file descriptor
    :param size: where to stop, in bytes
    """
    begin = _seek(number, 0, _SEEK_DATA, size)
    while begin < size:
        end = min(_seek(number, begin, _SEEK_HOLE, size), size)
        yield begin, end
        begin = _seek(number, end, _SEEK_DATA, size)


def _seek(number, offset, whence, size):
    """Return the position of the next data or hole; ``size`` without one.

    A file system that does not support this has data everywhere.
    """
    if offset >= size:
        return size
    try:
        return os.lseek(number, offset, whence)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return size
        if error.errno in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
            return offset if whence == _SEEK_DATA else size
        raise


def read(number, offset, size):
    """Return bytes of a file, at most ``size``."""
    if hasattr(os, 'pread'):
        return os.pread(number, size, offset)
    os.lseek(number, offset, os.SEEK_SET)
    return os.read(number, size)


def _write(number, offset, data):
    while data:
        if hasattr(os, 'pwrite'):
            written = os.pwrite(number, data, offset)
        else:
            os.lseek(number, offset, os.SEEK_SET)
            written = os.write(number, data)
        offset, data = offset + written, data[written:]


def put(number, offset, data, check):
    """Write bytes to a file, except zeros, and pass all of them to a check.

    :param number: file descriptor of a file that is long enough already and
        has a hole there
    :param data: bytes
    """
    view = memoryview(data)
    for begin, end in data_in(data):
        _write(number, offset + begin, view[begin:end])
    for start in range(0, len(data), sizes.CHUNK):
        check.update(view[start:start + sizes.CHUNK])


def data_in(data):
    """Yield the parts of bytes that are not a hole: (begin, end), in order.

    Blocks of zeros are holes, counted from the start of the bytes.
    """
    begin = None
    for start in range(0, len(data), sizes.BLOCK):
        if data.startswith(_BLOCK_OF_ZEROS[:len(data) - start], start):
            if begin is not None:
                yield begin, start
            begin = None
        elif begin is None:
            begin = start
    if begin is not None:
        yield begin, len(data)


def put_hole(size, check):
    """Pass the zeros of a hole to a check.

    :param size: of the hole, in bytes
    """
    whole, rest = divmod(size, len(_ZEROS))
    for _ in range(whole):
        check.update(_ZEROS)
    if rest:
        check.update(_ZEROS[:rest])
