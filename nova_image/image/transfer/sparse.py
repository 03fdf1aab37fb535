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

All takes file descriptors. The file's position is undefined afterwards:
Python 2.7 cannot read and write without moving it.
"""

import errno
import os

from six.moves import range

#: bytes; what a check gets at once at the most
PIECE = 1024 * 1024
#: bytes; zeros in such blocks, counted from the beginning of what is put, are
#: holes. Smaller ones would be more calls than they are worth.
BLOCK = 64 * 1024

_ZEROS = bytes(bytearray(PIECE))
_BLOCK_OF_ZEROS = _ZEROS[:BLOCK]
# Python 2.7 has no names for them.
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
    """Return the next data or hole; ``size`` where there is none.

    A file system that does not know has data all over.
    """
    if offset >= size:
        return size
    try:
        return os.lseek(number, offset, whence)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return size
        if error.errno == errno.EINVAL:
            return offset if whence == _SEEK_DATA else size
        raise


def read(number, offset, size):
    """Return bytes of a file, ``size`` at the most."""
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
    """Write bytes to a file, but for zeros, and hand all to a check.

    :param number: file descriptor of a file that is long enough already and
        has a hole there
    :param data: bytes
    """
    view = memoryview(data)
    for begin, end in _written(data):
        _write(number, offset + begin, view[begin:end])
    for start in range(0, len(data), PIECE):
        check.update(view[start:start + PIECE])


def _written(data):
    """Yield what of bytes is to be written: (begin, end), in order."""
    begin = None
    for start in range(0, len(data), BLOCK):
        if data.startswith(_BLOCK_OF_ZEROS[:len(data) - start], start):
            if begin is not None:
                yield begin, start
            begin = None
        elif begin is None:
            begin = start
    if begin is not None:
        yield begin, len(data)


def put_hole(size, check):
    """Hand the zeros that a hole reads as to a check.

    :param size: of the hole, in bytes
    """
    whole, rest = divmod(size, PIECE)
    for _ in range(whole):
        check.update(_ZEROS)
    if rest:
        check.update(_ZEROS[:rest])
