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

"""Runs programs and measures them, in the virtualenv of the peers."""

import contextlib
import os
import pathlib
import subprocess
import threading
import time

from benchmarks.common import worker

# The interval in seconds of samples of a program's memory, first and last.
_FIRST, _LAST = 0.002, 0.05


class Program:
    """A contender that runs a program.

    :ivar used: the CPU in seconds and the memory in bytes of the last run;
        the memory is the peak, because an idle program has none
    """

    def __init__(self) -> None:
        """Begin without any use."""
        self.used = {'cpu': 0.0, 'memory': 0.0}

    def run(self, argv: list[str], text: str = '') -> None:
        """Run a program to its end.

        :param argv: the program with its arguments
        :param text: its input
        :raises subprocess.CalledProcessError: if it fails
        """
        with open(os.memfd_create('input'), 'r+b', buffering=0) as given:
            given.write(text.encode())
            given.seek(0)
            process = subprocess.Popen(
                argv, stdin=given, stdout=subprocess.DEVNULL)
        peak = _Peak(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.used = {'cpu': usage.ru_utime + usage.ru_stime,
                     'memory': peak.end()}
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, argv)

    def sync(self, path: str) -> None:
        """Flush a file to disk, as part of the last run."""
        began = time.thread_time()
        sync(path)
        self.used['cpu'] += time.thread_time() - began


class _Peak(threading.Thread):
    """Measures the peak memory of a process.

    ru_maxrss is never less than the memory of this process, because a child
    begins as a copy.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._most = 0
        self._over = threading.Event()
        self.start()

    def run(self) -> None:
        interval = _FIRST
        # It may have ended; its number is not reused until wait4().
        with contextlib.suppress(OSError, LookupError):
            while True:
                self._most = worker.memory('VmHWM', self._pid)
                if self._over.wait(interval):
                    break
                interval = min(2 * interval, _LAST)

    def end(self) -> int:
        """Stop, and return the peak in bytes."""
        self._over.set()
        self.join()
        return self._most


def sync(path: str) -> None:
    """Flush a file to disk.

    :param path: the file, which must be closed
    """
    with open(pathlib.Path(path), 'rb') as stream:
        os.fsync(stream.fileno())
