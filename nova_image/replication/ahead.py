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

"""Reads in a thread, ahead of a reader, and a bounded amount."""

from __future__ import annotations

import collections
import collections.abc
import threading
import typing

from nova_image.replication import record as records

#: records that a listing is ahead, and how many are passed on together
_RECORDS, _BATCH = 1000, 100
#: seconds between two checks of a reader that waits
_LOOK = 0.2

Check = collections.abc.Callable[[], None]
_Piece = typing.TypeVar('_Piece', bound=collections.abc.Sized)


def _nothing() -> None:
    """Do nothing."""


class Pieces(typing.Generic[_Piece]):
    """The pieces that wait for one reader, in the order of their arrival.

    :param limit: the sum of their lengths, which only the last piece exceeds
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._changed = threading.Condition()
        self._waiting: collections.deque[_Piece] = collections.deque()
        self._size = 0
        self._is_over = False
        self._failure: BaseException | None = None
        self.is_abandoned = False

    def put(self, piece: _Piece) -> None:
        """Add a piece, as soon as there is room; drop it without a reader."""
        with self._changed:
            while self._size >= self._limit and not self.is_abandoned:
                self._changed.wait()
            if not self.is_abandoned:
                self._size += len(piece)
                self._waiting.append(piece)
                self._changed.notify_all()

    def end(self, failure: BaseException | None = None) -> None:
        """End the pieces.

        :param failure: what the reader gets instead of more pieces
        """
        with self._changed:
            self._is_over = True
            self._failure = failure
            self._changed.notify_all()

    def all(self, check: Check = _nothing
            ) -> collections.abc.Iterator[_Piece]:
        """Yield all pieces; raise the failure at their end.

        :param check: called before each piece is passed on, and during the
            wait for it; it raises to end the wait
        """
        while True:
            check()
            with self._changed:
                if not self._waiting and not self._is_over:
                    self._changed.wait(_LOOK)
                if self._waiting:
                    piece = self._waiting.popleft()
                    self._size -= len(piece)
                    self._changed.notify_all()
                elif self._is_over:
                    break
                else:
                    continue
            yield piece
        if self._failure is not None:
            raise self._failure

    def abandon(self) -> None:
        """Drop the pieces, and those that follow."""
        with self._changed:
            self.is_abandoned = True
            self._waiting.clear()
            self._changed.notify_all()


class Listing:
    """A listing that a thread reads, about a page ahead.

    The thread begins at once: two ends list their images at the same time.

    :param read: returns the records
    """

    def __init__(self, read: collections.abc.Callable[
            [], collections.abc.Iterable[records.Record]]) -> None:
        self._batches: Pieces[list[records.Record]] = Pieces(_RECORDS)
        threading.Thread(target=self._run, args=(read,), daemon=True,
                         name='replication-list').start()

    def _run(self, read: collections.abc.Callable[
            [], collections.abc.Iterable[records.Record]]) -> None:
        failure = None
        batch: list[records.Record] = []
        try:
            for record in read():
                batch.append(record)
                if len(batch) == _BATCH:
                    self._batches.put(batch)
                    batch = []
                if self._batches.is_abandoned:
                    break
        except BaseException as error:
            failure = error
        self._batches.put(batch)
        self._batches.end(failure)

    def __iter__(self) -> collections.abc.Iterator[records.Record]:
        """Yield the records; raise what the thread has met at their end."""
        for batch in self._batches.all():
            yield from batch

    def close(self) -> None:
        """End the thread, without a wait for the end that it reads."""
        self._batches.abandon()
