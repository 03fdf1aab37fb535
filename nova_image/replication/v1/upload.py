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

"""The data of one upload, the end of which is held back until it is verified.

v1 marks an image ``killed`` if its upload is interrupted, even before the
first byte: its ID is then lost for ever. If the data is wrong, that is still
better than an active image. So nothing is sent until the source has returned
the first bytes, and small images are verified before anything is sent.
"""

from __future__ import annotations

import collections
import collections.abc
import contextlib

from nova_image import exception
from nova_image.image import hashing
from nova_image.image import offload
from nova_image.image.transfer import source
from nova_image.replication import ends

#: how many bytes are held back
HELD = 4 * 1024 * 1024
#: the hash that v1 shows; no other one could be compared
ALGORITHM = 'md5'


class _Hashes:
    """Hashes data, in a thread if there is something to hash by.

    :param names: algorithms; ignored if they are not available
    """

    def __init__(self, names: collections.abc.Iterable[str]) -> None:
        self._hashers = {name: hashing.new(name) for name in names
                         if hashing.is_available(name)}
        self._feeder = offload.beside(self) if self._hashers else None

    def update(self, piece: bytes) -> None:
        """Process the next bytes, in the thread."""
        for hasher in self._hashers.values():
            hasher.update(piece)

    def add(self, piece: bytes) -> None:
        """Pass the next bytes to the thread."""
        if self._feeder is not None:
            self._feeder.update(piece)

    def digests(self) -> dict[str, str]:
        """Return {algorithm: hexadecimal digest} of all bytes."""
        if self._feeder is not None:
            self._feeder.finish()
        return {name: hasher.hexdigest()
                for name, hasher in self._hashers.items()}

    def close(self) -> None:
        """End the thread."""
        if self._feeder is not None:
            self._feeder.close()


class HeldSource(source.Source):
    """The data of an upload.

    :param data: the data
    :param size: its size in bytes
    :param hashes: {algorithm: hexadecimal digest} that it must have
    :param progress: called with the number of bytes sent
    :ivar digests: {algorithm: hexadecimal digest} of all data, once it was
        read and verified
    """

    def __init__(self, data: ends.Hashed, size: int | None,
                 hashes: collections.abc.Mapping[str, str],
                 progress: collections.abc.Callable[[int], None] | None = None
                 ) -> None:
        super().__init__()
        # With a length, Glance notices the end of a connection by itself. To
        # an empty body with a length v1 answers 200 and ignores it.
        self.total = size or None
        if progress is not None:
            self.progress = lambda sent, total: progress(sent)
        self.digests: dict[str, str] = {}
        self._data = data
        self._expected = dict(hashes)
        self._verified_before = ends.hashes_of(data)
        self._wanted_size = size
        self._pieces: collections.abc.Generator[bytes] | None = None
        self._rest = b''

    def prime(self) -> None:
        """Read as much as is held back, before a request begins.

        :raises NovaImageException: what the source raises; ImageUploadFailed
            if all data was read and does not have the hashes
        """
        self._end_reading()
        self._pieces = self._held_back()
        self._rest = next(self._pieces, b'')

    def _held_back(self) -> collections.abc.Generator[bytes]:
        held: collections.deque[bytes] = collections.deque()
        size = 0
        with contextlib.closing(self._verified()) as pieces:
            for piece in pieces:
                held.append(piece)
                size += len(piece)
                while size - len(held[0]) >= HELD:
                    size -= len(held[0])
                    yield held.popleft()
        yield from held

    def _verified(self) -> collections.abc.Generator[bytes]:
        """Yield the data; raise at its end if it is not the expected."""
        hashes = _Hashes({ALGORITHM, *self._expected} -
                         self._verified_before.keys())
        size = 0
        with contextlib.closing(hashes):
            for piece in self._data:
                hashes.add(piece)
                size += len(piece)
                yield piece
            digests = hashes.digests()
        self._check(size, dict(self._verified_before, **digests))

    def _check(self, size: int, digests: dict[str, str]) -> None:
        wrong = [name for name, value in sorted(self._expected.items())
                 if digests.get(name, value).lower() != value.lower()]
        if self._wanted_size not in (None, size):
            wrong.insert(0, 'size')
        if wrong:
            raise exception.ImageUploadFailed(
                reason='the source has sent data with another %s' % (
                    ' and another '.join(wrong)))
        self.digests = digests

    def hash_by(self, *algorithms: str) -> None:
        """Do nothing: all data is hashed anyway, when it is read."""

    def has_hash(self, algorithm: str, value: str | None) -> bool | None:
        """Compare the data with a hash. See Source."""
        digest = self.digests.get(algorithm)
        return digest == value.lower() if value and digest else None

    def close(self) -> None:
        """End the reading."""
        super().close()
        self._end_reading()

    def _end_reading(self) -> None:
        if self._pieces is not None:
            self._pieces.close()

    def _read(self, size: int) -> bytes:
        assert self._pieces is not None  # nosec B101
        if not self._rest:
            self._rest = next(self._pieces, b'')
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece

    def restart(self) -> bool:
        """Prepare the next attempt, which reads the source again.

        :returns: False if the source has failed
        """
        if self.failure is not None:
            return False
        if self.sent:
            self.prime()
        self.sent = 0
        return True
