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

"""The measured transfers, and the budgets of the project's design."""

import dataclasses

from benchmarks.common import plot
from benchmarks.common import race
from benchmarks.common import results
from benchmarks.transfer import cloud as transfer_cloud
from benchmarks.transfer import sizes as image_sizes
from benchmarks.transfer import speeds as machine_speeds
from nova_image.tests.fixtures import distance

#: The path between the clients and Glance in the part *latency*: a link of 10
#: Gbit/s on which a window limits each connection.
DISTANCE = distance.Distance(rtt=0.05, rate=10e9 / 8)
#: The part of the benchmark that does not run by default.
RBD = 'rbd'
_TITLE = 'Image transfers: nova_image and its peers on one Glance 33'
# The sizes with budgets for the wall clock: small is exact, large the least.
# The budget for memory applies to all sizes.
_SMALL, _BIG = 16 * 1024 ** 2, 1024 ** 3
_FAR_BIG = 256 * 1024 ** 2
_MEMORY = 32 * 1024 ** 2
_HASH = 'SHA-512'


@dataclasses.dataclass(frozen=True, eq=False)
class Kind:
    """A kind of transfer, with an operation for each size.

    ``part`` is the part of the benchmark that measures it, ``limits`` are the
    budgets for the wall clock: contender -> ratio to it. ``small`` are those
    for a small image, and ``cpu`` those for the CPU, in addition to that of
    the hash. ``hashed`` is whether the contenders of the budgets do not
    verify what they write: the hash may then take its time. ``direct`` is
    whether the data does not come through Glance. ``big`` is the least size
    with the budgets in ``limits``.
    """

    name: str
    title: str
    task: str
    part: str
    limits: dict[str, float]
    standard: str = race.STANDARD
    direct: bool = False
    small: dict[str, float] = dataclasses.field(default_factory=dict)
    cpu: dict[str, float] = dataclasses.field(default_factory=dict)
    hashed: bool = False
    big: int = _BIG

    def walls(self, size: int) -> dict[str, float]:
        """Return the budgets for the wall clock of an image size."""
        if size >= self.big:
            return self.limits
        return self.small if size == _SMALL else {}


_FAR = ' over %.0f ms' % (DISTANCE.rtt * 1000)
KINDS = (
    Kind('download', 'download %s', 'download', 'download',
         {'Nova': 0.5, 'curl': 1.25}, small={'Nova': 0.8}),
    Kind('upload', 'upload %s', 'upload', 'upload', {'curl': 1.1},
         cpu={'Nova': 1.3}),
    Kind('file', 'download %s by its file:// location', 'download', 'file',
         {'cp': 1.15}, 'cp', True, small={'cp': 1.3}, hashed=True),
    Kind('latency-download', 'download %s' + _FAR, 'download', 'latency',
         {'Nova': 0.4}, big=_FAR_BIG),
    Kind('latency-upload', 'upload %s' + _FAR, 'upload', 'latency',
         {'Nova': 1.0}, big=_FAR_BIG),
    Kind('rbd', 'download %s by its rbd:// location', 'download', RBD, {},
         direct=True),
)
#: The parts of the benchmark.
PARTS = tuple(dict.fromkeys(kind.part for kind in KINDS))


def task(kind: Kind, size: int, cloud: transfer_cloud.Cloud
         ) -> dict[str, str]:
    """Return the worker's task for a kind and an image size."""
    return {'task': kind.task} | (
        {'path': str(cloud.source(size))} if kind.task == 'upload'
        else {'image_id': cloud.images[size], 'path': str(cloud.path)})


def operation(kind: Kind, size: int, cloud: transfer_cloud.Cloud
              ) -> race.Operation:
    """Return the operation for a kind and an image size."""
    return race.Operation(
        _name(kind, size), kind.title % image_sizes.long(size),
        (task(kind, size, cloud) | {'size': size, 'direct': kind.direct},),
        kind.standard)


def _name(kind: Kind, size: int) -> str:
    return '%s-%s' % (kind.name, image_sizes.short(size))


def budgets(done: dict[Kind, list[int]], speeds: machine_speeds.Speeds
            ) -> list[results.Budget]:
    """Return the budgets for the measured transfers.

    :param done: kind -> measured sizes
    :param speeds: the speeds of this machine
    """
    every = [(kind, size) for kind, sizes in done.items() for size in sizes]
    return [results.Budget(
        _name(kind, size), 'wall', limit, against, why=_HASH,
        least=speeds.hashing(size) if kind.hashed else 0)
        for kind, size in every
        for against, limit in kind.walls(size).items()] + [
        results.Budget(_name(kind, size), 'cpu', limit, against, why=_HASH,
                       plus=speeds.hashing(size))
        for kind, size in every for against, limit in kind.cpu.items()] + [
        results.Budget(_name(kind, size), 'memory', _MEMORY, None)
        for kind, size in every]


def layout(done: dict[Kind, list[int]], sizes: list[int]) -> plot.Layout:
    """Return the layout of the plot, with a row for each kind.

    It has the wall clock for all sizes, and the other measures for the
    largest.

    :param done: kind -> measured sizes
    :param sizes: all sizes, ascending
    """
    columns = [('wall', size) for size in sizes] + [
        ('cpu', sizes[-1]), ('memory', sizes[-1])]
    return plot.Layout(_TITLE, tuple(
        '%s, %s' % (results.capitalized(results.TITLES[measure]),
                    image_sizes.long(size)) for measure, size in columns),
        tuple(plot.Row((kind.title % '').replace('  ', ' '), tuple(
            (_name(kind, size), measure) if size in measured else None
            for measure, size in columns)) for kind, measured in done.items()))
