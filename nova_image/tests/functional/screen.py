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

"""What a terminal shows while a program runs in it."""

import collections.abc
import pathlib

import pexpect
import pyte

_DEADLINE = 60
_POLL = 0.02


class Screen:
    """A program in a pseudo-terminal, and what the terminal shows."""

    def __init__(self, argv: collections.abc.Sequence[str | pathlib.Path],
                 env: dict[str, str], cwd: pathlib.Path,
                 columns: int = 80, rows: int = 24) -> None:
        """Start a program.

        :param argv: the program and its arguments
        :param env: its environment; TERM is set if it is missing
        :param cwd: its working directory
        :param columns: width of the terminal
        :param rows: its height; what scrolls away is lost
        """
        program, *arguments = map(str, argv)
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self._screen)
        self._child = pexpect.spawn(
            program, arguments, cwd=str(cwd), encoding='utf-8',
            codec_errors='replace', dimensions=(rows, columns),
            env={'TERM': 'xterm', **env}, timeout=_DEADLINE)
        self._child.delaybeforesend = None

    def close(self) -> None:
        """End the program."""
        self._child.close(force=True)

    def send(self, text: str) -> None:
        """Type text."""
        self._child.send(text)

    def clear(self) -> None:
        """Forget what the terminal shows; the program is not told."""
        self._screen.reset()

    def text(self) -> str:
        """Return what the terminal shows, without blanks at the ends."""
        lines = [line.rstrip() for line in self._screen.display]
        return '\n'.join(lines).rstrip('\n')

    def wait(self, shown: collections.abc.Callable[[str], object]) -> str:
        """Wait until the terminal shows something.

        :param shown: called with the text, whether it is shown
        :returns: the text
        :raises AssertionError: if the program ends, or time is up
        """
        for _ in range(int(_DEADLINE / _POLL)):
            ended = self._read()
            text = self.text()
            if shown(text):
                return text
            if ended:
                break
        raise AssertionError('The terminal shows:\n' + self.text())

    def end(self) -> int:
        """Wait until the program ends, and return its exit code."""
        while not self._read():
            pass
        self._child.close()
        code: int = self._child.exitstatus
        return code

    def _read(self) -> bool:
        """Read what the program has written; return whether it has ended."""
        try:
            self._stream.feed(self._child.read_nonblocking(65536, _POLL))
        except pexpect.TIMEOUT:
            pass
        except pexpect.EOF:
            return True
        return False
