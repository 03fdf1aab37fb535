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

"""Threads that do not delay the end of a command that is interrupted.

concurrent.futures waits for its threads when the process ends, and a request
to a Glance that does not answer takes minutes.
"""

from __future__ import annotations

import collections.abc
import concurrent.futures
import queue
import threading
import types
import typing

Result = typing.TypeVar('Result')
Future = concurrent.futures.Future

_Job = tuple['Future[typing.Any]', collections.abc.Callable[[], typing.Any]]


class Pool:
    """Some threads, for the body of a ``with``."""

    def __init__(self, number: int) -> None:
        """Describe the pool.

        :param number: how many threads it has
        """
        self._number = number
        self._jobs: 'queue.SimpleQueue[_Job | None]' = queue.SimpleQueue()

    def __enter__(self) -> Pool:
        """Start the threads."""
        for _ in range(self._number):
            threading.Thread(target=self._work, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None,
                 error: BaseException | None,
                 trace: types.TracebackType | None) -> None:
        """End the threads when they have done their work; do not wait."""
        for _ in range(self._number):
            self._jobs.put(None)

    def submit(self, call: collections.abc.Callable[[], Result]
               ) -> 'Future[Result]':
        """Make a call in one of the threads.

        :returns: the future of its result
        """
        future: 'Future[Result]' = Future()
        self._jobs.put((future, call))
        return future

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, call = job
            try:
                result = call()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)
