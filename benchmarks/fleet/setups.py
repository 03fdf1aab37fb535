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

"""What a simulation consists of: its figures, its images, and its result."""

import dataclasses
import json
import pathlib
import random
import typing
import uuid

from tooz import hashring

from benchmarks.fleet import simulated

#: the figures of a real Glance; measure.py writes them
FIGURES = pathlib.Path(__file__).with_name('glance.json')
MIB, GIB = 1024 ** 2, 1024 ** 3
_GIGABIT = 125e6


def figures() -> dict[str, typing.Any]:
    """Return the figures of a real Glance."""
    found: dict[str, typing.Any] = json.loads(FIGURES.read_text())
    return found


@dataclasses.dataclass(frozen=True)
class Loss:
    """Workers that are lost.

    :ivar count: number of workers
    :ivar when: after which share of the data
    :ivar alive: whether they only lose the coordination service. They end
        their transfers before their locks do.
    :ivar careless: whether they continue without locks, as ours never do
    """

    count: int
    when: float = 0.5
    alive: bool = False
    careless: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setup:
    """A fleet, its clouds and what happens.

    Rates are in bytes per second.

    :ivar present: whether the targets have all images at the begin
    :ivar compared: whether the journals of all workers know that the members
        are the same
    :ivar transfers: images that a worker transfers at a time
    :ivar checkers: threads of a worker that look up members
    :ivar refresh: whether a worker that has nothing of its own left lists the
        targets before it tries the images of others
    :ivar own_members: whether a worker compares only the members of the
        images that are its own
    :ivar once: whether a run lists the source only once for all targets
    :ivar every: seconds from the begin of a run to that of the next
    :ivar partitions: points of each worker on the ring; 32 is tooz's default
    :ivar shared: share of images that may have members
    :ivar visible: share of images that need a last request to be seen
    :ivar slow: by what the speed of the last target is divided
    """

    images: int = 1000000
    workers: int = 50
    targets: int = 3
    seed: int = 1
    present: bool = False
    compared: bool = False
    transfers: int = 4
    checkers: int = 8
    refresh: bool = True
    own_members: bool = True
    once: bool = False
    every: float = 3600.0
    partitions: int = 32
    median: float = 700 * MIB
    sigma: float = 1.0
    piece: int = 512 * MIB
    shared: float = 0.7
    visible: float = 0.05
    cores: int = 64
    network: float = 100 * _GIGABIT
    worker_cores: int = 8
    worker_network: float = 10 * _GIGABIT
    lifetime: float = 30.0
    lock_time: float = 0.001
    failures: float = 1e-4
    planning: float = 1e-4
    slow: float = 1.0
    losses: tuple[Loss, ...] = ()

    @property
    def pages(self) -> int:
        """Number of pages of a listing of all images, with the empty one."""
        return -(-self.images // 1000) + 1


class Image(typing.NamedTuple):
    """As much of an image as the order of transfers depends on."""

    number: int
    id: str
    size: int
    properties: dict[str, str] = {}


class Images:
    """The images of the source.

    :ivar all: all of them
    :ivar size: bytes of all
    :ivar state: what each is: WAITING or DONE
    :ivar order: numbers of all, the largest first, as a schedule has them
    """

    WAITING, DONE = range(2)

    def __init__(self, setup: Setup, chance: random.Random) -> None:
        scale = setup.median
        self.all = [Image(
            number, str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            max(int(scale * chance.lognormvariate(0, setup.sigma)), MIB))
            for number in range(setup.images)]
        self.size = sum(image.size for image in self.all)
        self.state = bytearray(
            [self.DONE if setup.present else self.WAITING]) * setup.images
        self.order = sorted(range(setup.images), reverse=True,
                            key=lambda number: self.all[number].size)

    def owners(self, members: list[str], partitions: int) -> list[int]:
        """Return the index of the worker that has each image, by the ring.

        :param members: the names of the workers of the group
        """
        ring = hashring.HashRing([], partitions=partitions)
        for name in members:
            ring.add_node(name.encode())
        index = {name.encode(): place for place, name in enumerate(members)}
        return [index[next(iter(ring.get_nodes(image.id.encode())))]
                for image in self.all]


@dataclasses.dataclass
class Result:
    """What a simulation has found.

    :ivar planned: seconds until the last worker had planned for the first
        time
    :ivar copied: seconds until the last image was copied
    :ivar begun: how often the transfer of an image has begun
    :ivar cut: how many transfers were cut
    :ivar both: how often two workers were at work on an image at once
    :ivar taken_over: seconds from the loss of a worker to the begin of each
        of its images by another
    :ivar lost_at: seconds at which workers were lost
    :ivar done_at: for each image, the seconds at which it was copied, and
        the bytes that were copied so far
    :ivar requests: {service: {kind: number}}
    :ivar used: {service: {resource: share of the time that it was busy}}
    :ivar shares: number of images that each worker has copied
    """

    planned: float = 0.0
    copied: float = 0.0
    begun: int = 0
    cut: int = 0
    both: int = 0
    failed: int = 0
    runs: int = 0
    size: int = 0
    taken_over: list[float] = dataclasses.field(default_factory=list)
    lost_at: list[float] = dataclasses.field(default_factory=list)
    done_at: list[tuple[float, int]] = dataclasses.field(default_factory=list)
    requests: dict[str, dict[str, int]] = dataclasses.field(
        default_factory=dict)
    used: dict[str, dict[str, float]] = dataclasses.field(
        default_factory=dict)
    shares: dict[str, int] = dataclasses.field(default_factory=dict)

    @property
    def total(self) -> int:
        """Number of requests to all Glances."""
        return sum(sum(found.values()) for name, found in
                   self.requests.items() if name != 'locks')


def costs(found: dict[str, typing.Any]) -> dict[str, simulated.Cost]:
    """Return {kind of request: cost} for the figures of a real Glance."""
    return {kind: simulated.Cost.measured(one)
            for kind, one in found['requests'].items()}
