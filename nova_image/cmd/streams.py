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

"""The standard streams of the process, whatever state they are in.

prepare() replaces them once, so no other code needs to care:

* A closed stream is opened so that it behaves like a file that cannot be
  used. Otherwise, the next file or connection would get its number.
* A character that the encoding lacks is escaped.
* An error of standard output names the stream.
* An error of standard error is ignored, because there is nowhere to report
  it. The exit code is the one of the command.
* What goes to standard error, or to a terminal, does not control it.
"""

from __future__ import annotations

import collections.abc
import contextlib
import io
import os
import sys
import typing

OUTPUT = 'standard output'
INPUT = 'standard input'

#: error handlers that never fail to encode a character
_SAFE_HANDLERS = ('backslashreplace', 'ignore', 'namereplace', 'replace',
                  'xmlcharrefreplace')


@contextlib.contextmanager
def named(name: str) -> collections.abc.Iterator[None]:
    """Name a stream or a file in an operating system error of the body.

    :param name: INPUT, OUTPUT or the name of a file
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename is not None or error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, name) from None


class Output(io.TextIOWrapper):
    """Standard output: its errors name it, and a terminal is not controlled.

    :param escapes: whether to escape what controls a terminal
    """

    def __init__(self, buffer: typing.Any, escapes: bool,
                 **options: typing.Any) -> None:
        """Wrap a binary stream."""
        super().__init__(buffer, **options)
        self._escapes = escapes

    def write(self, text: str) -> int:
        """Write text."""
        with named(OUTPUT):
            super().write(_harmless(text) if self._escapes else text)
        return len(text)

    def flush(self) -> None:
        """Write the buffered text."""
        with named(OUTPUT):
            super().flush()


class Messages(Output):
    """Standard error, whose own errors are ignored."""

    def write(self, text: str) -> int:
        """Write text if possible."""
        with contextlib.suppress(OSError, ValueError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        """Do nothing: nothing is buffered."""


def _harmless(text: str) -> str:
    if text.replace('\n', '').isprintable():
        return text
    from nova_image.cmd import safe_text
    return safe_text.harmless(text)


def prepare() -> None:
    """Replace the standard streams of the process.

    Streams that a caller has already replaced, such as a test, remain.
    """
    for number, mode in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_RDWR)):
        try:
            os.fstat(number)
        except OSError:  # it is closed, and the lowest number without a file
            _occupy(mode)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)
    if sys.stdout is sys.__stdout__:
        sys.stdout = Output(
            open(1, 'wb', closefd=False), os.isatty(1),
            line_buffering=os.isatty(1), **_encoding(sys.stdout))
    if sys.stderr is sys.__stderr__:
        sys.stderr = _messages(True)


def _occupy(mode: int) -> None:
    """Open what can be used only as standard error.

    Opened again as a file, such as /dev/stdout, a device would accept data
    and lose it. A symbolic link itself, as Linux can open it, cannot be
    opened again.

    :param mode: what the stream is not used for; os.O_RDWR for standard error
    """
    if mode != os.O_RDWR and hasattr(os, 'O_PATH'):
        with contextlib.suppress(OSError):
            os.open('/dev/stdin', os.O_PATH | os.O_NOFOLLOW)
            return
    os.open(os.devnull, mode)


def _encoding(stream: typing.TextIO | None) -> dict[str, typing.Any]:
    """Return the encoding and the error handler for a stream's successor."""
    if stream is None:
        return {'errors': 'backslashreplace'}
    errors = stream.errors if stream.errors in _SAFE_HANDLERS else (
        'backslashreplace')
    return {'encoding': stream.encoding, 'errors': errors}


def _messages(escapes: bool) -> Messages:
    return Messages(open(2, 'wb', buffering=0, closefd=False), escapes,
                    write_through=True, **_encoding(sys.__stderr__))


def for_progress() -> typing.TextIO:
    """Return standard error for a bar, which moves the cursor itself."""
    return _messages(False) if isinstance(sys.stderr, Messages) else sys.stderr


def check_input() -> None:
    """Check that standard input can be read.

    :raises OSError: if it is closed, or open only for writing
    """
    with named(INPUT):
        os.read(0, 0)


def abandon_output() -> None:
    """Discard the buffered output, which Python would write at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
