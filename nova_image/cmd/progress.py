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

"""Progress bars on a terminal."""

import collections.abc
import contextlib
import typing

from nova_image.cmd import safe_text
from nova_image.cmd import streams

#: called with the bytes done, the total or None, and the bytes per second
Report = collections.abc.Callable[[int, int | None, float], None]


class Reading:
    """A file that reports how much of it has been read.

    :ivar done: number of bytes read, from the first position of the file
    """

    def __init__(self, stream: typing.BinaryIO, report: Report) -> None:
        """Wrap a file.

        :param stream: the file
        :param report: called after each read
        """
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
        """Whether the file is closed."""
        return self._stream.closed

    def tell(self) -> int:
        """Return the current position."""
        return self._stream.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        """Change the position, such as before another attempt."""
        place = self._stream.seek(offset, whence)
        if self._start is not None:
            self.done = place - self._start
        return place

    def read(self, size: int = -1) -> bytes:
        """Read bytes and report the progress."""
        piece = self._stream.read(size)
        self.done += len(piece)
        total = None
        if self._start is not None and self._end is not None:
            total = self._end - self._start
        self._report(self.done, total, 0.0)
        return piece


@contextlib.contextmanager
def bar(title: str, shown: bool) -> collections.abc.Iterator[Report]:
    """Show the progress of a transfer in the body of a ``with``.

    The body receives the function to call.

    :param title: name of the data
    :param shown: whether to show a bar
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
    """Show the progress of an import in the body of a ``with``.

    The body receives the function to call with each
    nova_image.image.import_result.Seen, or None if there is no bar.

    :param title: name of the import
    :param shown: whether to show a bar
    """
    if not shown:
        yield None
        return
    with _new_bar(title) as shown_bar:
        def report(seen: typing.Any) -> None:
            shown_bar.total = seen.total or shown_bar.total
            shown_bar.set_description(safe_text.shown(
                '%s: %s' % (title, seen.state)), False)
            if seen.done is not None:
                shown_bar.n = seen.done
            shown_bar.refresh()

        yield report


def _new_bar(title: str) -> typing.Any:
    """Return a bar that counts bytes; only a shown bar imports tqdm."""
    import tqdm
    return tqdm.tqdm(desc=safe_text.shown(title), unit='B', unit_scale=True,
                     unit_divisor=1024, miniters=1, dynamic_ncols=True,
                     file=streams.for_progress())


def _ignore(done: int, total: int | None, rate: float) -> None:
    """Do not show the progress."""
