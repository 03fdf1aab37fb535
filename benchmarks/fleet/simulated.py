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

"""The simulated time, and what takes it: queues, links, Glances and locks.

Nothing here waits. A booking returns the moment at which it ends, and a
process is a generator that yields such moments.
"""

import collections
import collections.abc
import dataclasses
import heapq
import random
import typing

Process = collections.abc.Generator[float, None, None]

#: how often a request is tried, as num_retries of [glance] says
_ATTEMPTS = 4
_PAUSE = 0.5
_DRAWS = 1000


class Clock:
    """Runs processes in the order of their moments.

    :ivar now: seconds since the begin
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._number = 0
        self._waiting: list[tuple[float, int, Process]] = []
        self._ended: set[Process] = set()

    def start(self, process: Process, when: float | None = None) -> None:
        """Begin a process.

        :param when: at what time; now if None
        """
        self._number += 1
        heapq.heappush(self._waiting, (
            self.now if when is None else when, self._number, process))

    def end(self, process: Process) -> None:
        """End a process where it waits."""
        self._ended.add(process)

    def run(self) -> None:
        """Run until no process is left."""
        while self._waiting:
            when, _, process = heapq.heappop(self._waiting)
            if process in self._ended:
                continue
            self.now = when
            until = next(process, None)
            if until is not None:
                self.start(process, until)


class Link:
    """Something that passes data on: a network, or processors that hash.

    Streams take turns, a piece each.

    :param rate: bytes per second
    :ivar busy: seconds of work
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.busy = 0.0
        self._free = 0.0

    def book(self, now: float, size: float) -> float:
        """Return when a piece has passed."""
        took = size / self.rate
        self.busy += took
        self._free = took + (self._free if self._free > now else now)
        return self._free


@dataclasses.dataclass(frozen=True)
class Cost:
    """How long a request takes a Glance that has nothing else to do.

    :ivar quantiles: seconds, at equal distances from the least to the most
    """

    quantiles: tuple[float, ...]

    @classmethod
    def measured(cls, figures: dict[str, typing.Any]) -> 'Cost':
        """Return the cost for the figures of measure.py.

        The mean is that of the processor's time, which other work on the
        machine does not change. The wall clock gives the spread.
        """
        walls = figures['wall']
        steps = list(zip(walls, walls[1:], strict=False))
        mean = sum(one + other for one, other in steps) / 2 / len(steps)
        return cls(tuple(one * figures['cpu'] / mean for one in walls))

    @property
    def mean(self) -> float:
        """The mean in seconds."""
        cuts = self.quantiles
        return (sum(cuts) - (cuts[0] + cuts[-1]) / 2) / (len(cuts) - 1)

    def table(self) -> tuple[float, ...]:
        """Return the seconds of requests, each as likely as the others."""
        steps = len(self.quantiles) - 1

        def at(place: float) -> float:
            index = int(place)
            low, high = self.quantiles[index:index + 2]
            return low + (high - low) * (place - index)

        return tuple(at((number + 0.5) / _DRAWS * steps)
                     for number in range(_DRAWS))


class Glance:
    """A simulated Glance: a queue of requests for its processors, and links.

    :param costs: {kind of request: its cost}
    :param cores: number of processors
    :param network: bytes per second
    :param hashing: bytes per second that a processor receives and hashes
    :param failures: share of the requests that have to be made again
    :ivar requests: {kind: number}
    :ivar busy: seconds of its processors for requests
    """

    def __init__(self, costs: dict[str, Cost], cores: int, network: float,
                 hashing: float, failures: float,
                 chance: random.Random) -> None:
        self.cores = cores
        self.network = Link(network)
        self.hashing = Link(hashing * cores)
        self.requests: collections.Counter[str] = collections.Counter()
        self.failed = 0
        self.busy = 0.0
        self._costs = costs
        self._tables = {kind: cost.table() for kind, cost in costs.items()}
        self._failures = failures
        self._chance = chance
        self._free = [0.0] * cores

    def ask(self, now: float, kind: str) -> float:
        """Return when a request was answered, after the attempts it takes.

        :raises Failed: if no attempt succeeds
        """
        draw, table = self._chance.random, self._tables[kind]
        for attempt in range(_ATTEMPTS):
            self.requests[kind] += 1
            now = self._book(now, table[int(draw() * _DRAWS)])
            if draw() >= self._failures:
                return now
            self.failed += 1
            now += _PAUSE * 2 ** attempt
        raise Failed(now)

    def ask_many(self, now: float, kind: str, count: int,
                 lanes: int = 1) -> float:
        """Return when requests of several threads, one by one, are answered.

        :param count: number of requests
        :param lanes: number of threads
        """
        self.requests[kind] += count
        took = self._costs[kind].mean * count / lanes
        return max(self._book(now, took) for _ in range(lanes))

    def _book(self, now: float, took: float) -> float:
        self.busy += took
        free = self._free[0]
        end = took + (free if free > now else now)
        heapq.heapreplace(self._free, end)
        return end


class Failed(Exception):
    """A request has failed as often as it was tried.

    :ivar when: the moment of the last answer
    """

    def __init__(self, when: float) -> None:
        super().__init__(when)
        self.when = when


class Locks:
    """The locks of the coordination service.

    :param lifetime: seconds after which a lock ends that is not renewed
    :ivar requests: number of requests
    """

    def __init__(self, lifetime: float) -> None:
        self.lifetime = lifetime
        self.requests = 0
        self._until: dict[int, float] = {}
        self._holder: dict[int, object] = {}

    def acquire(self, now: float, image: int, holder: object) -> bool:
        """Lock an image; return whether it was free."""
        self.requests += 1
        if image in self._holder and now < self._until.get(
                image, float('inf')):
            return False
        self._holder[image] = holder
        self._until.pop(image, None)
        return True

    def release(self, image: int, holder: object) -> None:
        """Unlock an image, if it is still the holder's."""
        self.requests += 1
        if self._holder.get(image) is holder:
            del self._holder[image]
            self._until.pop(image, None)

    def abandon(self, holder: object, renewed: float) -> None:
        """Let the locks end of a holder that does not renew them any more.

        :param renewed: when it did so last
        """
        for image, one in self._holder.items():
            if one is holder:
                self._until[image] = renewed + self.lifetime
