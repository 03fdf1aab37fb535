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

#: Seconds of delay before each answer.
LATENCY = 0.05
#: The part of the benchmark that does not run by default.
RBD = 'rbd'
_TITLE = 'Image transfers: nova_image and its peers on one Glance 33'
# The smallest size with budgets for the wall clock; the budget for memory
# applies to all sizes.
_BIG = 1024 ** 3
_MEMORY = 32 * 1024 ** 2


@dataclasses.dataclass(frozen=True, eq=False)
class Kind:
    """A kind of transfer, with an operation for each size.

    ``part`` is the part of the benchmark that measures it, ``limits`` are the
    budgets for the wall clock: contender -> ratio to it. ``direct`` is
    whether the data does not come through Glance.
    """

    name: str
    title: str
    task: str
    part: str
    limits: dict[str, float]
    standard: str = race.STANDARD
    direct: bool = False


_SLOWLY = ' with %.0f ms of latency' % (LATENCY * 1000)
KINDS = (
    Kind('download', 'download %s', 'download', 'download',
         {'Nova': 0.75, 'curl': 1.25}),
    Kind('upload', 'upload %s', 'upload', 'upload', {'curl': 1.1}),
    Kind('file', 'download %s by its file:// location', 'download', 'file',
         {'cp': 1.2}, 'cp', True),
    Kind('latency-download', 'download %s' + _SLOWLY, 'download', 'latency',
         {}),
    Kind('latency-upload', 'upload %s' + _SLOWLY, 'upload', 'latency', {}),
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


def budgets(done: dict[Kind, list[int]]) -> list[results.Budget]:
    """Return the budgets for the measured transfers.

    :param done: kind -> measured sizes
    """
    return [results.Budget(_name(kind, size), 'wall', limit, against)
            for kind, sizes in done.items() for size in sizes if size >= _BIG
            for against, limit in kind.limits.items()] + [
        results.Budget(_name(kind, size), 'memory', _MEMORY, None)
        for kind, sizes in done.items() for size in sizes]


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
