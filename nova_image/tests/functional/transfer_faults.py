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

"""Transfers and their faults, drawn from a seed.

The same seed yields the same case on every machine.
"""

import collections.abc
import dataclasses
import functools
import os
import random
import typing

from nova_image.tests.fixtures import faults

MIB = 1024 * 1024
#: bytes; how much one interruption may cause to be downloaded again
BUFFER = MIB
#: the sizes of the images, in bytes: none, one, less and more than a buffer,
#: several buffers, buffers that end with the image, and enough for several
#: connections
SIZES = (0, 1, 65536, MIB - 1, MIB, MIB + 1, 2 * MIB + 12345, 3 * MIB,
         5 * MIB + 17, 9 * MIB + 3)
#: the environment variable that limits the tests to some seeds
VARIABLE = 'NOVA_IMAGE_SEED'

#: seconds; how long a download waits for bytes
STALL_TIMEOUT = 1
_MAX_RETRY_WAIT = 30


@functools.lru_cache(maxsize=None)
def data_of(size: int) -> bytes:
    """Return the data of the image of a size; large ones contain zeros."""
    data = random.Random(size).randbytes(size)
    hole = 300000
    if size > 2 * MIB:
        data = data[:MIB] + bytes(hole) + data[MIB + hole:]
    return data


def seeds(first: int, count: int, step: int = 1) -> list[int]:
    """Return the seeds of a group that the test runs.

    :param first: the lowest seed
    :param count: the number of seeds
    :param step: the difference between two seeds
    :returns: all of them, or only those in the environment variable
    """
    every = range(first, first + count, step)
    asked = os.environ.get(VARIABLE)
    if not asked:
        return list(every)
    return [seed for seed in map(int, asked.split(',')) if seed in every]


@dataclasses.dataclass(frozen=True)
class Download:
    """A download and its faults.

    :ivar to: ``file``, ``object``, ``pipe`` or ``stream``
    :ivar size: the size of the image, in bytes
    :ivar faults: the faults of the requests for data, in order
    :ivar metadata: the fault of the request for metadata
    :ivar options: options of ``[glance]``
    :ivar full: bytes after which the disk is full; negative for at once
    :ivar old: whether the destination already exists
    :ivar leave: bytes after which the caller abandons the stream
    """

    seed: int
    to: str
    size: int
    faults: tuple[faults.Fault, ...]
    metadata: faults.Fault | None
    options: dict[str, typing.Any]
    full: int | None = None
    old: bool = False
    leave: int | None = None

    @property
    def keeps(self) -> bool:
        """Whether partial downloads are kept."""
        return bool(self.options.get('keep_partial_downloads'))

    @property
    def may_use_several(self) -> bool:
        """Whether several connections may be used."""
        return self.options.get('download_connections', 1) > 1

    @property
    def must_succeed(self) -> bool:
        """Whether the retries suffice for the faults."""
        refused = sum(isinstance(one, faults.Status) for one in self.faults)
        spoilt = sum(isinstance(one, faults.Corrupt) for one in self.faults)
        goes_back = self.to in ('file', 'object')
        return ('num_retries' not in self.options and self.full is None and
                refused <= 3 and spoilt <= (3 if goes_back else 0) and
                not any(_is_final(one) for one in self.faults))

    @property
    def has_ranges(self) -> bool:
        """Whether every response to a range is right, and no data corrupt."""
        kinds = faults.Corrupt, faults.Whole, faults.ContentRange
        return not _any(self.faults, kinds) and (
            faults.Status(400) not in self.faults)


@dataclasses.dataclass(frozen=True)
class Upload:
    """An upload and its faults.

    :ivar action: ``create`` or ``update``
    :ivar source: ``bytes``, ``file``, ``list``, ``pipe`` or ``iterator``
    :ivar size: the size of the data, in bytes
    :ivar faults: the faults of the requests that send the data, in order
    :ivar others: the faults of the requests before and after, in order
    :ivar options: options of ``[glance]``
    """

    seed: int
    action: str
    source: str
    size: int
    faults: tuple[faults.Fault, ...]
    others: tuple[faults.Fault | None, ...]
    options: dict[str, typing.Any]

    @property
    def must_succeed(self) -> bool:
        """Whether the retries suffice for the faults."""
        once = self.source in ('pipe', 'iterator') and self.size > 0
        bad = [one for one in self.faults + self.others
               if one is not None and not isinstance(one, faults.Slow)]
        cut = _any(self.faults, (faults.LostAnswer, faults.TruncatedUpload))
        return (
            'num_retries' not in self.options and
            # Glance needs some time, and retries, to give up a cut upload.
            len(bad) <= (0 if once else 1 if cut else 3) and
            not any(_is_final(one) for one in bad))


def _any(found: collections.abc.Iterable[faults.Fault],
         kinds: tuple[type[faults.Fault], ...]) -> bool:
    return any(isinstance(one, kinds) for one in found)


def _is_final(fault: faults.Fault) -> bool:
    """Return whether the driver does not retry after a fault."""
    return isinstance(fault, faults.Status) and (
        fault.code == 400 or int(fault.retry_after or 0) > _MAX_RETRY_WAIT)


Draw = collections.abc.Callable[[random.Random, int], faults.Fault]


def _place(draw: random.Random, size: int) -> int:
    """Return a random place in a body, often at an end of it or a buffer."""
    edges = [place for place in (0, 1, size - 1, size, MIB - 1, MIB, MIB + 1)
             if 0 <= place <= size]
    return draw.choice(edges) if draw.random() < 0.2 else draw.randint(
        0, size)


def _in_body(kind: type[faults.InBody], *args: float) -> Draw:
    return lambda draw, size: kind(_place(draw, size), *args)


def _refused(draw: random.Random, size: int) -> faults.Fault:
    return faults.Status(429, draw.choice((None, 0, 1, 5, 5, 29, 61)))


def _unavailable(draw: random.Random, size: int) -> faults.Fault:
    return faults.Status(draw.choice((503, 503, 500, 502, 504)),
                         draw.choice((None, None, 2)))


def _wrong_length(draw: random.Random, size: int) -> faults.Fault:
    return faults.Length(draw.choice((-1, 1)) * draw.randint(1, 65536))


def _wrong_range(draw: random.Random, size: int) -> faults.Fault:
    wrong = draw.choice(('start', 'start', 'end', 'total', 'missing'))
    if wrong == 'missing':
        return faults.ContentRange(missing=True)
    return faults.ContentRange(**{wrong: draw.choice((-1, 1)) *
                                  draw.randint(1, 65536)})


#: the kinds of faults of a request for data, with their weights
_DOWNLOAD: tuple[tuple[Draw, int], ...] = (
    (_in_body(faults.Reset), 8), (_in_body(faults.End), 6),
    (_in_body(faults.Stall), 2), (_in_body(faults.Stall, 0.02), 2),
    (_in_body(faults.Corrupt), 5), (_wrong_length, 5), (_wrong_range, 5),
    (lambda draw, size: faults.Whole(), 4),
    (lambda draw, size: faults.Status(400), 2), (_refused, 4),
    (_unavailable, 4))

_UPLOAD: tuple[tuple[Draw, int], ...] = (
    (lambda draw, size: faults.TruncatedUpload(_place(draw, size)), 6),
    (lambda draw, size: faults.LostAnswer(), 4), (_refused, 2),
    (_unavailable, 3), (lambda draw, size: faults.Status(400), 1),
    (lambda draw, size: faults.Slow(latency=0.05), 1))


def _several(draw: random.Random, size: int,
             kinds: tuple[tuple[Draw, int], ...],
             counts: tuple[int, ...] = (1, 2, 3, 4)) -> list[faults.Fault]:
    found = draw.choices([kind for kind, _ in kinds],
                         [weight for _, weight in kinds],
                         k=draw.choice(counts))
    return [kind(draw, size) for kind in found]


def _budget(draw: random.Random) -> dict[str, typing.Any]:
    """Return options that allow fewer retries, or no options."""
    if draw.random() < 0.6:
        return {}
    return {'num_retries': draw.randint(0, 3),
            'download_retries': draw.randint(0, 3)}


def draw_download(seed: int, to: str) -> Download:
    """Return the case of a seed.

    :param to: ``file``, ``stream``, or ``object`` for ``object`` and ``pipe``
    """
    draw = random.Random(seed)
    size = draw.choice(SIZES)
    found = _several(draw, size, _DOWNLOAD)
    if isinstance(found[0], faults.Whole | faults.ContentRange):
        # They affect ranges, which are only requested after an interruption.
        found = [faults.Reset(_place(draw, size)), *found][:4]
    metadata = draw.choice((None, None, None, faults.Status(503),
                            faults.Reset(0), faults.End(10)))
    options = _budget(draw) | {
        'transfer_stall_timeout': STALL_TIMEOUT,
        'download_connections': draw.choice((1, 1, 1, 4))}
    case = Download(seed, to, size, tuple(found), metadata, options)
    if to == 'object':
        return dataclasses.replace(case, to=draw.choice(('object', 'pipe')))
    if to == 'stream':
        return dataclasses.replace(case, leave=draw.choice(
            (None, None, None, draw.randint(0, size))))
    options['keep_partial_downloads'] = draw.random() < 0.3
    return dataclasses.replace(
        case, old=draw.random() < 0.3,
        full=draw.choice((None,) * 5 + (-1, draw.randint(0, size))))


def draw_upload(seed: int, action: str) -> Upload:
    """Return the case of a seed.

    :param action: ``create`` or ``update``
    """
    draw = random.Random(seed)
    size = draw.choice(SIZES)
    source = draw.choice(('bytes', 'file', 'list', 'pipe', 'iterator'))
    # Few, so that many uploads must succeed.
    found = _several(draw, size, _UPLOAD, (1, 1, 1, 2, 2, 3, 4))
    others = draw.choice(((),) * 6 + (
        (faults.Status(503),), (faults.LostAnswer(),),
        (None, faults.LostAnswer()),
        (None, faults.Status(503), faults.Reset(0))))
    options = _budget(draw)
    options.pop('download_retries', None)
    return Upload(seed, action, source, size, tuple(found), others, options)
