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

"""Turns of the threads of a run, which take jobs and send their data.

A thread that only waits for an answer leaves its turn to another one, which
sends the next image in the meantime.
"""

from __future__ import annotations

import threading


class Turn:
    """The turn of one thread for one job; it ends with its with statement.

    :param free: is released when the turn ends
    """

    def __init__(self, free: threading.Semaphore) -> None:
        self._free = free
        self._guard = threading.Lock()
        self._is_held = True

    def __enter__(self) -> 'Turn':
        return self

    def __exit__(self, *error: object) -> None:
        self.leave()

    def leave(self) -> None:
        """End the turn, if it has not ended; from any thread."""
        with self._guard:
            was_held, self._is_held = self._is_held, False
        if was_held:
            self._free.release()


class Turns:
    """The turns that the threads of a run share.

    :param number: number of threads that have a turn at a time
    """

    def __init__(self, number: int) -> None:
        self._free = threading.Semaphore(number)

    def wait(self) -> Turn:
        """Wait for a turn."""
        self._free.acquire()
        return Turn(self._free)
