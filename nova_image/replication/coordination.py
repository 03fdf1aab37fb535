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

"""Who works on an image: this worker or another one."""

from __future__ import annotations

import abc
import collections.abc
import contextlib
import threading


class Lock(abc.ABC):
    """The right to work on one image."""

    @abc.abstractmethod
    def check(self) -> None:
        """Do nothing while the lock is held.

        :raises copying.Stopped: if another worker may have it now
        """


class Coordinator(abc.ABC):
    """Divides the images among the workers of a replication.

    :ivar is_shared: whether there may be other workers
    """

    is_shared = True

    @abc.abstractmethod
    def is_mine(self, image_id: str) -> bool:
        """Return whether this worker is the first to try an image."""

    @abc.abstractmethod
    def lock(self, image_id: str
             ) -> contextlib.AbstractContextManager[Lock | None]:
        """Return a context manager that locks an image, without waiting.

        Its value is None if another worker has the lock.

        :raises copying.Stopped: if that cannot be found out
        """


class _Held(Lock):
    """A lock that the threads of one process share."""

    def check(self) -> None:
        """Do nothing."""


class SingleWorker(Coordinator):
    """One process, which does everything."""

    is_shared = False

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locked: set[str] = set()

    def is_mine(self, image_id: str) -> bool:
        """Return True."""
        return True

    @contextlib.contextmanager
    def lock(self, image_id: str
             ) -> collections.abc.Iterator[Lock | None]:
        """Lock an image for one thread of this process."""
        with self._guard:
            free = image_id not in self._locked
            self._locked.add(image_id)
        try:
            yield _Held() if free else None
        finally:
            if free:
                with self._guard:
                    self._locked.discard(image_id)
