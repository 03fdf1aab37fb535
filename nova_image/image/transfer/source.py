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

"""Where the bytes of an upload come from: bytes, files and iterators.

A source is read piece by piece and tells three things that a retry must know:
whether it was begun, whether it can be begun again, and whether it was the
source itself that failed. A second attempt that sent the rest of a half-read
body would leave a truncated image active.
"""

import hashlib
import io

import six

from nova_image import exception
from nova_image.image import offload

#: bytes; what one read gives at the most
CHUNK = 1024 * 1024

#: what an iterator gives in place of another piece; None would be a mistake
#: of its own, and taken for the end a truncated image
_END = object()


def open_source(data):
    """Return a Source over what a caller handed in as image data.

    :param data: bytes, a binary file object, or an iterable of bytes
    :raises ImageUploadFailed: when it is none of these, or a closed file
    """
    if isinstance(data, Source):
        return data
    if isinstance(data, six.text_type) and not data:
        data = b''
    if isinstance(data, (bytes, bytearray, memoryview)):
        return FileSource(io.BytesIO(_as_bytes(data)))
    if hasattr(data, 'read'):
        return FileSource(data)
    if isinstance(data, (six.text_type, dict)) or not hasattr(
            data, '__iter__'):
        raise exception.ImageUploadFailed(
            reason='%s is no image data' % type(data).__name__,
            advice='Give bytes, a file opened in binary mode or an iterator '
                   'of bytes')
    return IteratorSource(data)


def _as_bytes(piece):
    """Return bytes as they are, and a copy of what could be changed."""
    if isinstance(piece, bytes):
        return piece
    return memoryview(piece).tobytes()  # bytes() of 2.7 would print it


class Source(object):
    """Base: counts what was read and remembers its own failure.

    ``total`` is the number of bytes where it is known before, else None,
    ``sent`` that of those read in this attempt, ``size`` that of all of it
    once an attempt has come to the end, else None, ``failure`` the exception
    that reading raised, or None. ``progress``, if set, is called with (sent,
    total) as it is read.
    """

    def __init__(self):
        self.total = None
        self.sent = 0
        self.size = None
        self.failure = None
        self.progress = None
        self._algorithm = None
        self._hasher = None
        self._feeder = None

    def hash_by(self, algorithm):
        """Have the data hashed while it is read; close() is to be called.

        :param algorithm: name for hashlib; one that is not there hashes
            nothing
        """
        if algorithm in getattr(hashlib, 'algorithms_available', (
                'md5', 'sha1', 'sha256', 'sha512')):
            self._algorithm = algorithm

    def differs_from(self, algorithm, value):
        """Tell whether what was sent has another hash than was recorded.

        :param algorithm: that of the record
        :param value: hexadecimal digest; None where nothing is recorded
        """
        if not value or self._hasher is None or algorithm != self._algorithm:
            return False
        return self._hasher.hexdigest() != value

    def close(self):
        """End what hash_by() has begun."""
        if self._feeder is not None:
            self._feeder.close()

    def read(self, size=CHUNK):
        """Return the next bytes, at most ``size``; b'' at the end."""
        try:
            piece = self._read(size)
            if not isinstance(piece, (bytes, bytearray, memoryview)):
                raise exception.ImageUploadFailed(
                    reason='reading it gave %s instead of bytes' % (
                        type(piece).__name__),
                    advice='Open the file in binary mode')
            piece = _as_bytes(piece)
            self._count(piece)
        except Exception as error:
            self.failure = error
            raise
        return piece

    def _count(self, piece):
        if self.total is not None and (
                self.sent + len(piece) > self.total or
                not piece and self.sent < self.total):
            raise exception.ImageUploadFailed(
                reason='it had %d bytes at first and has %s by now' % (
                    self.total, 'more' if piece else self.sent),
                advice='Do not write to it while it is uploaded')
        if self._algorithm:
            self._hash(piece)
        self.sent += len(piece)
        if not piece:
            self.size = self.sent
        elif self.progress:
            self.progress(self.sent, self.total)

    def _hash(self, piece):
        if self._feeder is None:
            self._hasher = hashlib.new(self._algorithm)
            self._feeder = offload.beside(self._hasher)
        if piece:
            self._feeder.update(piece)
        else:
            self._feeder.finish()

    def restart(self):
        """Go back to the first byte.

        :returns: whether that was possible
        """
        if self.failure is not None:
            return False
        if self.sent and not self._rewind():
            return False
        self.close()
        self._feeder = None
        self.sent = 0
        return True

    def _read(self, size):
        raise NotImplementedError

    def _rewind(self):
        raise NotImplementedError


class FileSource(Source):
    """A binary file object, from where it stands now."""

    def __init__(self, stream):
        super(FileSource, self).__init__()
        if getattr(stream, 'closed', False):
            raise exception.ImageUploadFailed(
                reason='the file is closed', advice='Hand it in open')
        self._stream = stream
        self._start = self._position()
        self.total = self._length()

    def _position(self):
        try:
            return self._stream.tell()
        except (AttributeError, IOError, OSError, ValueError):
            return None  # a pipe or a socket

    def _length(self):
        """Return the bytes from here to the end, or None."""
        if self._start is None:
            return None
        try:
            self._stream.seek(0, 2)
            end = self._stream.tell()
            self._stream.seek(self._start)
        except (AttributeError, IOError, OSError, TypeError, ValueError):
            return None  # it tells where it is and cannot go elsewhere
        # Files of /proc say that they are empty.
        return end - self._start if end > self._start else None

    def _read(self, size):
        return self._stream.read(size)

    def _rewind(self):
        if self._start is None:
            return False
        self._stream.seek(self._start)
        return True


class IteratorSource(Source):
    """An iterable of bytes; only one that can be iterated anew restarts."""

    def __init__(self, pieces):
        super(IteratorSource, self).__init__()
        self._pieces = pieces
        self._iterator = iter(pieces)
        self._rest = b''

    def _read(self, size):
        while not self._rest:
            piece = next(self._iterator, _END)
            if piece is _END:
                return b''
            self._rest = self._checked(piece)
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece

    @staticmethod
    def _checked(piece):
        try:
            return _as_bytes(piece)
        except TypeError:
            raise exception.ImageUploadFailed(
                reason='the iterator gave %s instead of bytes' % (
                    type(piece).__name__))

    def _rewind(self):
        if self._iterator is self._pieces:
            return False
        self._iterator, self._rest = iter(self._pieces), b''
        return True
