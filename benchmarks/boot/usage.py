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

"""Measures what the programs of a cloud use during an operation."""

import collections
import collections.abc
import contextlib
import dataclasses
import os
import pathlib
import re
import time

from benchmarks.boot import cloud as boot_cloud
from benchmarks.common import race
from nova_image.tests.fixtures import nova
from nova_image.tests.fixtures import records

#: The measures of an operation, in the order of the table.
MEASURES = ('wall', 'requests', 'nova_cpu', 'glance_cpu', 'sent', 'received')

_PROC = pathlib.Path('/proc')
_TICK = os.sysconf('SC_CLK_TCK')
#: Seconds in which Nova finishes what follows after an operation.
_SETTLE = 0.5
#: Bytes. Less than an image are only logs and the like.
_LEAST = 1024 ** 2
_ID = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')


@dataclasses.dataclass
class Use:
    """What one operation has used.

    :ivar measures: measure -> value; None until the operation is over
    :ivar calls: the requests to Glance, see calls()
    :ivar polls: the number of polls; the one who polls counts them
    """

    measures: race.Measures | None = None
    calls: dict[str, int] = dataclasses.field(default_factory=dict)
    polls: int = 0


class Meter:
    """Measures operations of one cloud.

    The client polls nova-api, which takes CPU time that no user has asked
    for: it is subtracted.
    """

    def __init__(self, cloud: boot_cloud.Cloud) -> None:
        """Prepare to measure.

        :param cloud: the cloud, already set up
        """
        self._cloud = cloud
        self._poll_cost = 0.0

    def calibrate(self, poll: collections.abc.Callable[[], object],
                  number: int = 50) -> None:
        """Measure the CPU time of a poll.

        :param poll: polls once
        :param number: how often to poll
        """
        before = self._nova_cpu()
        for _ in range(number):
            poll()
        self._poll_cost = (self._nova_cpu() - before) / number

    @contextlib.contextmanager
    def measured(self) -> collections.abc.Iterator[Use]:
        """Measure the body of a ``with``, which waits for the operation."""
        use = Use()
        self._cloud.read_data()
        before = self._used()
        mark, began = self._cloud.glance.mark(), time.monotonic()
        yield use
        wall = time.monotonic() - began
        time.sleep(_SETTLE)
        used = {name: value - before[name]
                for name, value in self._used().items()}
        for name in 'sent', 'received':
            if used[name] < _LEAST:
                used[name] = 0
        requests = self._cloud.glance.requests(mark)
        used['nova_cpu'] = max(
            0.0, used['nova_cpu'] - use.polls * self._poll_cost)
        use.calls = calls(requests)
        use.measures = {'wall': wall, 'requests': len(requests)} | used

    def _used(self) -> race.Measures:
        glance = self._cloud.glance.pids
        return {'nova_cpu': self._nova_cpu(), 'glance_cpu': _cpu(glance),
                # Sockets are not counted, only files.
                'sent': _io(glance, 'rchar'),
                'received': _io(glance, 'wchar')}

    def _nova_cpu(self) -> float:
        return sum(_cpu(self._cloud.nova.program(name).pids)
                   for name in nova.PROGRAMS)


def _cpu(pids: collections.abc.Iterable[int]) -> float:
    """Return the CPU seconds of processes and their ended children."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # The name, in brackets, may contain blanks and brackets.
            fields = (_PROC / str(pid) / 'stat').read_text().rpartition(
                ')')[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / _TICK


def _io(pids: collections.abc.Iterable[int], field: str) -> float:
    """Return a field of the processes' input and output, in bytes."""
    total = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for line in (_PROC / str(pid) / 'io').read_text().splitlines():
                name, _, value = line.partition(': ')
                total += int(value) if name == field else 0
    return total


def calls(requests: collections.abc.Iterable[records.Request]
          ) -> dict[str, int]:
    """Return how often each request was made, in the order of the first.

    :param requests: the requests
    :returns: ``METHOD PATH STATUS`` with ID for each ID -> number
    """
    return dict(collections.Counter(
        '%s %s %d' % (request.method, _ID.sub('ID', request.path),
                      request.status) for request in requests))
