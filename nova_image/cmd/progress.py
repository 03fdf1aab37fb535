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

from __future__ import annotations

import collections.abc
import contextlib
import errno
import fcntl
import os
import time
import typing
import unicodedata

from nova_image.cmd import safe_text
from nova_image.cmd import streams

#: called with the bytes done, the total or None, and the bytes per second
Report = collections.abc.Callable[
    [int, typing.Optional[int], float], None]

#: width of a terminal that does not tell it
_COLUMNS = 80
#: columns that a name has on any terminal
_SHORTEST = 8
_CUT = '...'
#: columns that a bar needs beside the numbers, and the numbers of narrower
#: terminals, without and with a known total
_NARROW = 50
_SHORT = ('{desc}: {n_fmt}B {rate_fmt}',
          '{desc}: {percentage:.0f}% {rate_fmt}')


class Reading:
    """A file that reports how much of it has been read.

    :ivar done: number of bytes read, from the first position of the file
    """

    def __init__(self, stream: typing.BinaryIO, report: Report,
                 name: str = 'the data') -> None:
        """Wrap a file.

        :param stream: the file
        :param report: called after each read
        :param name: what errors call the file
        """
        self._name = name
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
        with streams.named(self._name):
            piece = self._stream.read(size)
        self.done += len(piece)
        total = None
        if self._start is not None and self._end is not None:
            # A device claims to be empty, as do files in /proc.
            total = max(self._end - self._start, 0) or None
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
    with contextlib.closing(_Bar()) as shown_bar:
        def report(done: int, total: int | None, rate: float) -> None:
            shown_bar.update(title, '', done, total)

        report(0, None, 0.0)
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
    with contextlib.closing(_Bar()) as shown_bar:
        def report(seen: typing.Any) -> None:
            shown_bar.update(title, ': ' + seen.state, seen.done, seen.total)

        shown_bar.update(title, '', 0, None)
        yield report


class _Bar:
    """A bar that counts bytes; only a shown bar imports tqdm.

    Commands that share a terminal, such as those of a pipeline, take turns:
    a bar appears when no other command shows one. They would overwrite each
    other otherwise.
    """

    def __init__(self) -> None:
        self._file = streams.for_progress()
        self._began = time.time()
        self._bar: typing.Any = None
        self._text: str | None = None
        self._total: int | None = None
        self._has_news = False

    def update(self, title: str, state: str, done: int | None,
               total: int | None) -> None:
        """Show the progress, unless another command is showing its own.

        :param title: name of the data, which is cut if it is too long
        :param state: the rest of the words before the bar
        :param done: bytes done; None if they are unknown now
        :param total: bytes in total; None if they are unknown now
        """
        columns = _told_columns(self._file) or _COLUMNS
        text = _fitting(title, columns) + safe_text.shown(state)
        self._total = total or self._total
        self._has_news = self._has_news or bool(done or state)
        form = None if columns >= _NARROW else _SHORT[bool(self._total)]
        if self._bar is None and not self._start(text, form):
            return
        self._bar.bar_format, self._bar.total = form, self._total
        if done is not None:
            self._bar.update(done - self._bar.n)
        if text != self._text or done is None:
            self._text = text
            self._bar.set_description_str(text)

    def _start(self, text: str, form: str | None) -> bool:
        """Begin a bar, and return False if another command shows one."""
        if not _lock(self._file):
            return False
        import tqdm
        self._text = text
        self._bar = tqdm.tqdm(
            desc=text, total=self._total, unit='B', unit_scale=True,
            unit_divisor=1024, miniters=1, file=self._file,
            bar_format=form, **({'dynamic_ncols': True} if _told_columns(
                self._file) else {'ncols': _COLUMNS}))
        self._bar.start_t = self._began
        return True

    def close(self) -> None:
        """Leave the last state of the bar on the terminal, if it has any."""
        if self._bar is not None:
            self._bar.leave = self._has_news
            self._bar.close()
            _unlock(self._file)


def _lock(terminal: typing.TextIO) -> bool:
    """Lock a terminal for this process, and return whether it is its own.

    The lock ends with the process. It belongs to the process rather than to
    the open file, which all commands of a pipeline share.
    """
    try:
        fcntl.lockf(terminal, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EAGAIN, errno.EACCES)
    return True


def _unlock(terminal: typing.TextIO) -> None:
    with contextlib.suppress(OSError):
        fcntl.lockf(terminal, fcntl.LOCK_UN)


def _told_columns(terminal: typing.TextIO) -> int:
    """Return the width of a terminal; 0 for a console that does not tell."""
    try:
        return os.get_terminal_size(terminal.fileno()).columns
    except (OSError, ValueError):
        return 0


def _fitting(title: str, columns: int) -> str:
    """Return a name for a bar, without its middle if it is too long.

    It has a third of the line, so that there is room for the numbers.

    :param columns: width of the terminal
    """
    text = safe_text.shown(title)
    most = max(columns // 3, _SHORTEST)
    if _width(text) <= most:
        return text
    begin, end = text[:len(text) // 2], text[len(text) // 2:]
    while _width(begin + end) > most - len(_CUT):
        if _width(begin) > _width(end):
            begin = begin[:-1]
        else:
            end = end[1:]
    return begin + _CUT + end


def _width(text: str) -> int:
    """Return the number of columns that text takes."""
    return sum(2 if unicodedata.east_asian_width(char) in 'FW' else 1
               for char in text)


def _ignore(done: int, total: int | None, rate: float) -> None:
    """Do not show the progress."""
