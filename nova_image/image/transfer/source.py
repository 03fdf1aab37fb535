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

"""The data of an upload: bytes, files and iterators.

A source is read in pieces and answers three questions of a retry: whether it
was begun, whether it can be rewound, and whether the source itself has
failed. A second attempt that sent the rest of a half-read body would leave a
truncated image active.
"""

import io

import six

from nova_image import exception
from nova_image.image import hashing
from nova_image.image import offload
from nova_image.image import sizes

#: how many bytes of the beginning a source remembers
HEAD = 16

#: the end of an iterator. None will not do: an iterator that yields None by
#: mistake would look like a complete one, and truncate the image.
_END = object()


def open_source(data):
    """Return a Source for what a caller passed as image data.

    :param data: bytes, a binary file object, or an iterable of bytes
    :raises ImageUploadFailed: if it is anything else, or a closed file
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
            reason='%s is not image data' % type(data).__name__,
            advice='Pass bytes, a file opened in binary mode or an iterator '
                   'of bytes')
    return IteratorSource(data)


def _as_bytes(piece):
    """Return bytes as they are, and a copy of a mutable buffer."""
    if isinstance(piece, bytes):
        return piece
    return memoryview(piece).tobytes()  # bytes() of 2.7 would format it


class _All(object):
    """Several hashers as one."""

    def __init__(self, hashers):
        self._hashers = list(hashers)

    def update(self, piece):
        """Process the next bytes."""
        for hasher in self._hashers:
            hasher.update(piece)


class Source(object):
    """Base class: counts what was read and remembers its own failure.

    * ``total``: number of bytes, None if it is not known beforehand
    * ``is_announced``: whether to tell the server the total before the data
    * ``sent``: number of bytes read in this attempt
    * ``size``: number of bytes, None until an attempt has read all of them
    * ``failure``: exception that reading has raised, or None
    * ``head``: the first bytes, up to HEAD, as far as they were read
    * ``progress``: called with (sent, total) during the reading, if not None
    * ``attempts``: number of requests that it was sent with
    * ``endpoint``: URL of the Glance that it was last sent to, or None
    * ``began``: when the first request began, as of timeutils.now()
    """

    def __init__(self):
        self.total = None
        self.is_announced = True
        self.sent = 0
        self.size = None
        self.failure = None
        self.progress = None
        self.head = b''
        self.attempts = 0
        self.endpoint = None
        self.began = None
        self._algorithms = []
        self._hashers = {}
        # Of the last attempt that has read everything: a server may answer
        # the next one before it has read the data.
        self._digests = {}
        self._feeder = None

    def hash_by(self, *algorithms):
        """Hash the data while it is read; the caller must call close().

        :param algorithms: names for hashlib; ignored if they are not
            available
        """
        self._algorithms += [name for name in algorithms
                             if name not in self._algorithms and
                             hashing.is_available(name)]

    def begin(self, endpoint):
        """Count a request that sends the data.

        :param endpoint: URL of the Glance
        """
        self.attempts += 1
        self.endpoint = endpoint

    def has_hash(self, algorithm, value):
        """Compare the data that was sent with a hash.

        :param algorithm: name for hashlib
        :param value: hexadecimal digest, or None
        :returns: True or False; None if it is not known
        """
        digest = self._digests.get(algorithm)
        if not value or digest is None:
            return None
        return digest == value.lower()

    def digest_ahead(self, algorithm):
        """Return the hash of the data before it is sent.

        :param algorithm: name for hashlib
        :returns: hexadecimal digest; None if the data can be read only once
        """
        if not self.can_rewind():
            return None
        digest = self._read_all(algorithm)
        self.restart()
        return digest

    def hash_again(self, algorithm):
        """Read the data that was sent once more, to hash it otherwise.

        Nothing is reported as progress. Afterwards, as after the upload, the
        data has been read to its end.

        :param algorithm: name for hashlib
        :returns: whether has_hash() knows this hash now; False if the data
            can be read only once, or the algorithm is not available
        """
        if not (hashing.is_available(algorithm) and self.can_rewind() and
                self.restart()):
            return False
        self._algorithms, self.progress = [], None
        self._digests[algorithm] = self._read_all(algorithm)
        return True

    def _read_all(self, algorithm):
        """Read the data to its end, and return its hash."""
        hasher = hashing.new(algorithm)
        feeder = offload.beside(hasher, self.total)
        try:
            for piece in iter(self.read, b''):
                feeder.update(piece)
            feeder.finish()
        finally:
            feeder.close()
        return hasher.hexdigest()

    def close(self):
        """Stop the hashing that hash_by() has started."""
        if self._feeder is not None:
            self._feeder.close()

    def read(self, size=sizes.CHUNK):
        """Return the next bytes, at most ``size``; b'' at the end."""
        try:
            piece = self._read(size)
            if not isinstance(piece, (bytes, bytearray, memoryview)):
                raise exception.ImageUploadFailed(
                    reason='reading it returned %s instead of bytes' % (
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
                reason='it had %d bytes at first and now has %s' % (
                    self.total, 'more' if piece else self.sent),
                advice='Do not write to it during the upload')
        if self._algorithms:
            self._hash(piece)
        if self.sent < HEAD:
            self.head = (self.head[:self.sent] + piece)[:HEAD]
        self.sent += len(piece)
        if not piece:
            self.size = self.sent
        elif self.progress:
            self.progress(self.sent, self.total)

    def _hash(self, piece):
        if self._feeder is None:
            self._hashers = {name: hashing.new(name)
                             for name in self._algorithms}
            self._feeder = offload.beside(
                _All(self._hashers.values()), self.total)
        if piece:
            self._feeder.update(piece)
        else:
            self._feeder.finish()
            self._digests = {name: self._hashers[name].hexdigest()
                             for name in self._hashers}

    def restart(self):
        """Rewind to the first byte.

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

    def can_rewind(self):
        """Return whether the data can be read more than once."""
        raise NotImplementedError

    def _rewind(self):
        raise NotImplementedError


class FileSource(Source):
    """A binary file object, from its current position."""

    def __init__(self, stream):
        super(FileSource, self).__init__()
        if getattr(stream, 'closed', False):
            raise exception.ImageUploadFailed(
                reason='the file is closed', advice='Pass an open file')
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
            return None  # it has a position but cannot seek
        # Files in /proc claim to be empty.
        return end - self._start if end > self._start else None

    def _read(self, size):
        return self._stream.read(size)

    def can_rewind(self):
        """See Source. A pipe cannot, nor a file in /proc."""
        return self.total is not None

    def _rewind(self):
        if self._start is None:
            return False
        self._stream.seek(self._start)
        return True


class IteratorSource(Source):
    """An iterable of bytes; it restarts if it can be iterated again."""

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
                reason='the iterator returned %s instead of bytes' % (
                    type(piece).__name__))

    def can_rewind(self):
        """See Source. A list can, a generator cannot."""
        return self._iterator is not self._pieces

    def _rewind(self):
        if not self.can_rewind():
            return False
        self._iterator, self._rest = iter(self._pieces), b''
        return True
