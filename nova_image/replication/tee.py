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

"""Reads the data of an image in a thread of its own.

The next bytes are read while the last ones are sent. Several targets share
what is read once, and an image can be read ahead of its turn.
"""

from __future__ import annotations

import collections.abc
import contextlib
import threading
import typing

from nova_image.replication import ahead
from nova_image.replication import ends

#: bytes that one reader may lag behind, and each of several
_BEHIND, _BEHIND_OTHERS = 1024 ** 2, 4 * 1024 ** 2


class Tee:
    """The same data for several readers, of which each has its own thread.

    A reader that begins again reads the source on its own, and the others do
    not wait for it.

    :param data: the data; its pieces are not copied
    :param count: number of readers
    :param after: read nothing before this is set
    :ivar is_over: set once nothing more is read for all readers
    """

    def __init__(self, data: ends.Hashed, count: int,
                 after: threading.Event | None = None) -> None:
        self.is_over = threading.Event()
        self._data = data
        self._after = after
        self._readers: list[ahead.Pieces[bytes]] = [
            ahead.Pieces(_BEHIND if count == 1 else _BEHIND_OTHERS)
            for _ in range(count)]
        self._begun = threading.Lock()
        self._pump: threading.Thread | None = None

    @property
    def hashes(self) -> dict[str, str]:
        """The hashes of the data; see ends.hashes_of()."""
        return ends.hashes_of(self._data)

    def begin(self) -> None:
        """Begin to read, unless that has been done."""
        with self._begun:
            if self._pump is None:
                self._pump = threading.Thread(
                    target=self._run, name='replication-tee', daemon=True)
                self._pump.start()

    def branch(self, index: int, check: ahead.Check = lambda: None
               ) -> ends.Hashed:
        """Return the data for one reader.

        :param index: from 0
        :param check: called before each piece is passed on, and during the
            wait for it; it raises to end the reading
        """
        return _Branch(self, index, check)

    def leave(self, index: int) -> None:
        """End a reader, so that the others do not wait for it."""
        self._readers[index].abandon()

    def close(self) -> None:
        """End all readers, without a wait for the source."""
        for reader in self._readers:
            reader.abandon()
        self.is_over.set()

    def again(self) -> 'Tee':
        """Return the data for one reader, which is read once more."""
        return Tee(self._data, 1)

    def shared(self, index: int, check: ahead.Check
               ) -> collections.abc.Iterator[bytes]:
        """Yield the data that all readers share."""
        self.begin()
        try:
            yield from self._readers[index].all(check)
        finally:
            self.leave(index)

    def _run(self) -> None:
        """Pass the pieces on, until no reader is left."""
        if self._after is not None:
            self._after.wait()
        failure = None
        try:
            if not self._is_abandoned():
                self._read()
        except BaseException as error:
            failure = error
        finally:
            self.is_over.set()
        for reader in self._readers:
            reader.end(failure)

    def _read(self) -> None:
        with contextlib.closing(
                typing.cast(typing.Any, iter(self._data))) as pieces:
            for piece in pieces:
                for reader in self._readers:
                    reader.put(piece)
                if self._is_abandoned():
                    return

    def _is_abandoned(self) -> bool:
        return all(reader.is_abandoned for reader in self._readers)


class _Branch:
    """The data of one reader: shared at first, its own if it begins again."""

    def __init__(self, tee: Tee, index: int, check: ahead.Check) -> None:
        self._tee = tee
        self._index = index
        self._check = check
        self._begun = False

    @property
    def hashes(self) -> dict[str, str]:
        """The hashes of the data; see ends.hashes_of()."""
        return self._tee.hashes

    def __iter__(self) -> collections.abc.Iterator[bytes]:
        if self._begun:
            return self._tee.again().shared(0, self._check)
        self._begun = True
        return self._tee.shared(self._index, self._check)
