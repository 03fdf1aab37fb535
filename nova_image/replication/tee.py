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

"""Reads an image's data once for several targets."""

from __future__ import annotations

import collections.abc
import contextlib
import queue
import threading
import typing

from nova_image.replication import ends

#: pieces that the fastest target may be ahead of the slowest one
_AHEAD = 4


class _Failed(typing.NamedTuple):
    error: BaseException


class Tee:
    """The same data for several readers, of which each has its own thread.

    A reader that begins again reads the source on its own, and the others do
    not wait for it.

    :param data: the data; its pieces are not copied
    :param count: number of readers
    :ivar hashes: those of the data; see ends.hashes_of()
    """

    def __init__(self, data: ends.Hashed, count: int) -> None:
        self.hashes = ends.hashes_of(data)
        self._data = data
        self._queues: list[queue.Queue[bytes | None | _Failed]] = [
            queue.Queue(_AHEAD) for _ in range(count)]
        self._gone = [threading.Event() for _ in range(count)]
        self._begun = threading.Lock()
        self._pump: threading.Thread | None = None

    def branch(self, index: int) -> ends.Hashed:
        """Return the data for one reader.

        :param index: from 0
        """
        return _Branch(self, index)

    def leave(self, index: int) -> None:
        """End a reader, so that the others do not wait for it."""
        self._gone[index].set()

    def own(self) -> collections.abc.Iterator[bytes]:
        """Return the data of the source once more."""
        return iter(self._data)

    def shared(self, index: int) -> collections.abc.Iterator[bytes]:
        """Yield the data that all readers share."""
        with self._begun:
            if self._pump is None:
                self._pump = threading.Thread(
                    target=self._run, name='replication-tee', daemon=True)
                self._pump.start()
        try:
            while True:
                piece = self._queues[index].get()
                if piece is None:
                    return
                if isinstance(piece, _Failed):
                    raise piece.error
                yield piece
        finally:
            self.leave(index)

    def _run(self) -> None:
        """Pass the pieces on, until no reader is left."""
        last: None | _Failed = None
        try:
            with contextlib.closing(
                    typing.cast(typing.Any, iter(self._data))) as pieces:
                for piece in pieces:
                    if not self._pass_on(piece):
                        return
        except BaseException as error:
            last = _Failed(error)
        self._pass_on(last)

    def _pass_on(self, piece: bytes | None | _Failed) -> bool:
        """Give a piece to all readers; return whether one is left."""
        for gone, pieces in zip(self._gone, self._queues):
            while not gone.is_set():
                with contextlib.suppress(queue.Full):
                    pieces.put(piece, timeout=0.1)
                    break
        return not all(gone.is_set() for gone in self._gone)


class _Branch:
    """The data of one reader: shared at first, its own if it begins again."""

    def __init__(self, tee: Tee, index: int) -> None:
        self.hashes = tee.hashes
        self._tee = tee
        self._index = index
        self._begun = False

    def __iter__(self) -> collections.abc.Iterator[bytes]:
        if self._begun:
            return self._tee.own()
        self._begun = True
        return self._tee.shared(self._index)
