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

"""The data of one upload, whose end is held back until it is verified.

Glance activates an image with whatever complete body it receives. If the data
of the source turns out to be wrong, the request must therefore end before its
body does: Glance then drops what it has, and the image is queued again. Seen
on Glance 15.0.2 and 33.0.0, after any number of bytes.
"""

from __future__ import annotations

import collections.abc

from nova_image import exception
from nova_image.image import answers
from nova_image.image.transfer import source
from nova_image.replication import ends
from nova_image.replication import record as records


class HeldSource(source.IteratorSource):
    """The data of an upload; it keeps one piece until the next has arrived.

    :param image: with the size of the data
    :param data: the data
    :param hashes: {algorithm: hexadecimal digest} that it must have
    :param progress: called with the number of bytes sent
    """

    def __init__(self, image: records.Record, data: ends.Hashed,
                 hashes: collections.abc.Mapping[str, str],
                 progress: collections.abc.Callable[[int], None] | None = None
                 ) -> None:
        super().__init__(data)
        self.total = image.size
        self._image_id = image.id
        if progress is not None:
            self.progress = lambda sent, total: progress(sent)
        self._expected = {name: value.lower() for name, value in
                          hashes.items() if answers.is_hash(name)}
        self._verified_before = ends.hashes_of(data)
        self.hash_by('md5', 'sha512', *self._expected)
        self._begin()

    def _begin(self) -> None:
        self._held: bytes | None = None
        self._arrived = 0
        self._is_whole = False

    def hash_by(self, *algorithms: str) -> None:
        """Hash the data, except by what the data verifies itself."""
        super().hash_by(*(name for name in algorithms
                          if name not in self._verified_before))

    def digests(self) -> dict[str, str]:
        """Return {algorithm: hexadecimal digest} of all data.

        They are known once all of it has been read.
        """
        return dict(self._verified_before, **{
            name: hasher.hexdigest() for name, hasher in
            self._hashers.items()}) if self._is_whole else {}

    def release(self) -> None:
        """Close the connection to the source, if there is one."""
        self.close()
        close = getattr(self._iterator, 'close', None)
        if close is not None:
            close()

    def _rewind(self) -> bool:
        self.release()
        self._begin()
        return bool(super()._rewind())

    def _read(self, size: int) -> bytes:
        if self._held is None:
            self._held = self._next(size)
        piece = self._held
        if piece:
            self._held = self._next(size)
        return piece

    def _next(self, size: int) -> bytes:
        """Return the next bytes of the source, which has verified its last.

        :raises ImageUploadFailed: if this is the end, and the data is wrong
        """
        piece: bytes = super()._read(size)
        if self._algorithms:
            super()._hash(piece)
        self._arrived += len(piece)
        if not piece:
            self._is_whole = True
            self._digests = self.digests()
        self._verify()
        return piece

    def _hash(self, piece: bytes) -> None:
        """Do nothing: a piece is hashed when it arrives."""

    def _verify(self) -> None:
        if self.total is not None and (
                self._arrived > self.total or
                self._is_whole and self._arrived < self.total):
            raise self._wrong('it has %s%d bytes and should have %d' % (
                '' if self._is_whole else 'at least ', self._arrived,
                self.total))
        digests = self.digests()
        for name, value in self._expected.items():
            if digests.get(name, value) != value:
                raise self._wrong('its %s is %s and should be %s' % (
                    name, digests[name], value))

    def _wrong(self, reason: str) -> exception.ImageUploadFailed:
        return exception.ImageUploadFailed(
            'The data of the source is wrong', action='upload',
            image_id=self._image_id, reason=reason,
            advice='Nothing was stored. Check the image at the source')
