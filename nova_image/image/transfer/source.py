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

import io

import six

from nova_image import exception

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
    """Return a copy; bytes() of Python 2.7 would print a memoryview."""
    return memoryview(piece).tobytes()


class Source(object):
    """Base: counts what was read and remembers its own failure.

    ``sent`` is the number of bytes read in this attempt, ``size`` that of all
    of it once an attempt has come to the end, else None, ``failure`` the
    exception that reading raised, or None.
    """

    def __init__(self):
        self.sent = 0
        self.size = None
        self.failure = None

    def read(self, size=CHUNK):
        """Return the next bytes, at most ``size``; b'' at the end."""
        try:
            piece = self._read(size)
            if not isinstance(piece, (bytes, bytearray, memoryview)):
                raise exception.ImageUploadFailed(
                    reason='reading it gave %s instead of bytes' % (
                        type(piece).__name__),
                    advice='Open the file in binary mode')
        except Exception as error:
            self.failure = error
            raise
        self.sent += len(piece)
        if not piece:
            self.size = self.sent
        return _as_bytes(piece)

    def restart(self):
        """Go back to the first byte.

        :returns: whether that was possible
        """
        if self.failure is not None:
            return False
        if self.sent and not self._rewind():
            return False
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

    def _position(self):
        try:
            return self._stream.tell()
        except (AttributeError, IOError, OSError, ValueError):
            return None  # a pipe or a socket

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
