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

"""Limits the bandwidth of all transfers of a run."""

from __future__ import annotations

import collections.abc
import threading
import time

#: seconds for which the transfers may be ahead
_BURST = 0.1
#: seconds between two looks at whether to stop
_LOOK = 0.2


class Pace:
    """The bandwidth that the threads of a run share.

    Each piece books the time that it needs behind those booked before.

    :param rate: bytes per second; None for no limit
    """

    def __init__(self, rate: int | None) -> None:
        self._rate = rate
        self._guard = threading.Lock()
        self._free = 0.0

    def take(self, size: int,
             check: collections.abc.Callable[[], None]) -> None:
        """Wait until the bandwidth allows for more bytes.

        :param size: number of bytes
        :param check: called now and then; it raises to end the wait
        """
        if not self._rate:
            return
        with self._guard:
            self._free = max(self._free, time.monotonic()) + (
                size / self._rate)
            end = self._free - _BURST
        while (wait := end - time.monotonic()) > 0:
            check()
            time.sleep(min(wait, _LOOK))
