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

"""Progress on a terminal; in a pipe and with --quiet there is none."""

import collections.abc
import contextlib
import typing

#: what a transfer calls: (bytes done, bytes in all or None, bytes a second)
Report = collections.abc.Callable[[int, int | None, float], None]


class Reading:
    """A file that tells how much of it was read.

    :ivar done: bytes since the place where it stood at first
    """

    def __init__(self, stream: typing.BinaryIO, report: Report) -> None:
        """Take a binary file and what to tell."""
        self._stream = stream
        self._report = report
        self._start = self._end = None
        with contextlib.suppress(OSError):
            self._start = stream.tell()
            self._end = stream.seek(0, 2)
            stream.seek(self._start)
        self.done = 0

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return self._stream.closed

    def tell(self) -> int:
        """Return where it stands."""
        return self._stream.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go elsewhere; back to the beginning before another attempt."""
        place = self._stream.seek(offset, whence)
        if self._start is not None:
            self.done = place - self._start
        return place

    def read(self, size: int = -1) -> bytes:
        """Read, and tell how far it is."""
        piece = self._stream.read(size)
        self.done += len(piece)
        total = None
        if self._start is not None and self._end is not None:
            total = self._end - self._start
        self._report(self.done, total, 0.0)
        return piece


@contextlib.contextmanager
def bar(title: str, shown: bool) -> collections.abc.Iterator[Report]:
    """Give what shows a transfer's progress in the body of a ``with``.

    :param title: what is transferred
    :param shown: whether to show anything
    """
    if not shown:
        yield _ignore
        return
    with _new_bar(title) as shown_bar:
        def report(done: int, total: int | None, rate: float) -> None:
            if total != shown_bar.total:
                shown_bar.total = total
            shown_bar.update(done - shown_bar.n)

        yield report


@contextlib.contextmanager
def watch(title: str, shown: bool) -> collections.abc.Iterator[
        collections.abc.Callable[[typing.Any], None] | None]:
    """Give what shows how an import stands in the body of a ``with``.

    It takes nova_image.image.import_result.Seen.

    :param title: what is imported
    :param shown: whether to show anything; None is given if not
    """
    if not shown:
        yield None
        return
    with _new_bar(title) as shown_bar:
        def report(seen: typing.Any) -> None:
            shown_bar.total = seen.total or shown_bar.total
            shown_bar.set_description('%s: %s' % (title, seen.state), False)
            if seen.done is not None:
                shown_bar.n = seen.done
            shown_bar.refresh()

        yield report


def _new_bar(title: str) -> typing.Any:
    """Return a bar for bytes; tqdm is imported where there is one alone."""
    import tqdm
    return tqdm.tqdm(desc=title, unit='B', unit_scale=True, unit_divisor=1024,
                     miniters=1, dynamic_ncols=True)


def _ignore(done: int, total: int | None, rate: float) -> None:
    """Show nothing."""
