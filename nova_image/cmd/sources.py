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

"""The data that commands send: files and pipes, and their first bytes."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import stat
import sys
import typing

from nova_image.cmd import errors
from nova_image.cmd import streams
from nova_image.image import disk_formats

STANDARD = '-'
_TERMINAL = ('%s is a terminal. Pipe the data, or pass the path of a file '
             'with --file')


class Source:
    """An open file or pipe, whose first bytes are known.

    :ivar stream: the whole data, from where it was
    :ivar title: name for people
    :ivar start: the first bytes
    :ivar end: the last bytes; None if they cannot be read beforehand
    :ivar is_pipe: whether another program sends the data
    """

    def __init__(self, stream: typing.BinaryIO, title: str) -> None:
        """Read the first bytes of a file, and the last ones if possible.

        :raises errors.Usage: if it is a terminal
        :raises OSError: if it cannot be read
        """
        if stream.isatty():
            raise errors.Usage(_TERMINAL % (title[:1].upper() + title[1:]))
        self.title = title
        self.stream: typing.Any = stream
        self.end: bytes | None = None
        with streams.named(title):
            kind = stat.S_IFMT(os.fstat(stream.fileno()).st_mode)
            self.is_pipe = kind in (stat.S_IFIFO, stat.S_IFSOCK)
            if kind in (stat.S_IFREG, stat.S_IFBLK):
                place = stream.tell()
                self.start = stream.read(disk_formats.START)
                with contextlib.suppress(OSError):  # not all of /proc seeks
                    self.end = _last_bytes(stream, place)
                stream.seek(place)
            else:
                self.start = stream.read(disk_formats.START)
                self.stream = Peeked(self.start, stream)


def _last_bytes(stream: typing.BinaryIO, place: int) -> bytes:
    """Return the last bytes of a file, but none before a position."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(place, size - disk_formats.END))
    return stream.read(disk_formats.END)


class Peeked:
    """A pipe of which some bytes have been read, with these bytes."""

    def __init__(self, start: bytes, stream: typing.BinaryIO) -> None:
        """Wrap a pipe.

        :param start: what has been read already
        :param stream: the pipe with the rest
        """
        self._start = start
        self._stream = stream

    @property
    def closed(self) -> bool:
        """Whether the pipe is closed."""
        return self._stream.closed

    def read(self, size: int = -1) -> bytes:
        """Read bytes."""
        if size < 0:
            size = sys.maxsize
        piece, self._start = self._start[:size], self._start[size:]
        if self._start or len(piece) == size:
            return piece
        rest = -1 if size == sys.maxsize else size - len(piece)
        return piece + self._stream.read(rest)

    def tell(self) -> int:
        """Raise an OSError: a pipe has no position."""
        raise io.UnsupportedOperation('a pipe has no position')

    def seek(self, offset: int, whence: int = 0) -> int:
        """Raise an OSError: a pipe cannot seek."""
        raise io.UnsupportedOperation('a pipe cannot seek')


def path_of(text: str) -> str:
    """Refuse an empty path; the ``type`` of an argument."""
    if not text:
        raise argparse.ArgumentTypeError(
            'The path is empty. Check your shell variables')
    return text


def open_source(path: str, stack: contextlib.ExitStack) -> Source:
    """Open a file or a pipe.

    :param path: its path, or - for standard input
    :param stack: closes it
    :raises errors.Usage: if it is a terminal
    :raises OSError: if it cannot be read
    """
    if path == STANDARD:
        if not sys.stdin.isatty():
            streams.check_input()
        return Source(sys.stdin.buffer, streams.INPUT)
    return Source(stack.enter_context(open(path, 'rb')), title_of(path))


def title_of(path: str) -> str:
    """Return how messages and progress bars call a file.

    It is the last part of the path, except for a device or an open file such
    as /dev/fd/63.
    """
    return path if path.startswith(('/dev/', '/proc/')) else (
        os.path.basename(path))


def is_open_file(path: str) -> bool:
    """Return whether a path stands for an open file of this process."""
    return os.path.dirname(path) in ('/dev/fd', '/proc/self/fd') or path in (
        '/dev/stdin', '/dev/stdout', '/dev/stderr')
