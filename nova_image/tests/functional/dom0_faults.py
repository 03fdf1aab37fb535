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

"""Calls of the plugin for dom0 and their faults, drawn from a seed.

The same seed yields the same case on every machine.
"""

import collections.abc
import dataclasses
import random

from nova_image.tests.fixtures import dom0
from nova_image.tests.fixtures import faults
from nova_image.tests.functional import dom0_case

#: the environment variable with the number of seeds of each test
VARIABLE = 'NOVA_IMAGE_DOM0_SEEDS'
#: what becomes of a call that succeeds
SUCCESS = 'success'

RETRY, PERMANENT, MISSING = (
    'RetryableError', 'PluginError', 'ImageNotFound')
_SIZES = (1536, 2048, 70000, 300000, 1000003, 3000000)
#: how much of random data is certainly in an archive
_LEAST = 0.9


@dataclasses.dataclass
class Case:
    """A call of the plugin and what goes wrong.

    :ivar what: the kind of the fault
    :ivar old: whether dom0 has Python 2.7
    :ivar sizes: the sizes of the VHDs, the leaf first
    :ivar fault: a fault of the request for data
    :ivar check: a fault of the request for the status
    :ivar trouble: what goes wrong in dom0
    :ivar image: the data of the image, if it is not an archive of the VHDs
    :ivar md5: another MD5 than that of the image
    :ivar timeout: that of the request, in seconds
    :ivar stalled: after how many bytes SIGTERM comes while Glance is silent
    :ivar expected: the classes of the error, or SUCCESS
    """

    seed: int
    what: str
    old: bool
    sizes: tuple[int, ...]
    fault: faults.Fault | None = None
    check: faults.Fault | None = None
    trouble: dom0.Trouble | None = None
    image: bytes | None = None
    md5: str | None = None
    timeout: float = 30
    stalled: int | None = None
    expected: tuple[str, ...] = (SUCCESS,)


Maker = collections.abc.Callable[[random.Random, Case], None]


def draw(seed: int, action: str) -> Case:
    """Return the case of a seed.

    :param action: ``download`` or ``upload``
    """
    dice = random.Random(seed)
    makers = _DOWNLOADS if action == 'download' else _UPLOADS
    make = makers[seed % len(makers)]
    case = Case(seed, make.__name__.strip('_'), dice.random() < 0.5, tuple(
        dice.choice(_SIZES) for _ in range(dice.choice((1, 1, 1, 2, 3)))))
    make(dice, case)
    return case


def vhds(case: Case) -> list[bytes]:
    """Return the VHDs of a case, the leaf first."""
    return [dom0.vhd(size, seed='%d-%d' % (case.seed, number))
            for number, size in enumerate(case.sizes)]


def data_of(case: Case) -> bytes:
    """Return the data of the image of a download."""
    if case.image is not None:
        return case.image
    return dom0_case.archive(**{
        'n%d_vhd' % number: vhd for number, vhd in enumerate(vhds(case))})


def _place(dice: random.Random, case: Case) -> int:
    """Return a place in an archive before its end."""
    # The data of a VHD is random, three blocks of it are not.
    end = int(sum(size - 3 * 512 for size in case.sizes) * _LEAST)
    inside = dice.randint(0, max(0, end))
    return dice.choice((0, 1, inside, inside, inside, max(0, end)))


# Both directions


def _cut(dice: random.Random, case: Case) -> None:
    kind = dice.choice((faults.Reset, faults.End))
    case.fault, case.expected = kind(_place(dice, case)), (RETRY,)


def _stall(dice: random.Random, case: Case) -> None:
    case.fault, case.timeout = faults.Stall(_place(dice, case)), 0.5
    case.expected = (RETRY,)


def _unavailable(dice: random.Random, case: Case) -> None:
    case.fault = faults.Status(dice.choice((503, 503, 500, 502, 504, 408,
                                            429, 507)))
    case.expected = (RETRY,)


def _refused(dice: random.Random, case: Case) -> None:
    case.fault = faults.Status(dice.choice((401, 403, 400, 409, 410, 501)))
    case.expected = (PERMANENT,)


def _missing(dice: random.Random, case: Case) -> None:
    case.fault, case.expected = faults.Status(404), (MISSING,)


def _slow(dice: random.Random, case: Case) -> None:
    case.fault = faults.Slow(
        dice.choice((0, 0.2)), dice.choice((None, 5000000)))


def _tar_killed(dice: random.Random, case: Case) -> None:
    case.trouble = dom0.Trouble(_place(dice, case) or 1, 'kill')
    case.expected = (RETRY,)


def _ended(dice: random.Random, case: Case) -> None:
    case.trouble = dom0.Trouble(_place(dice, case) or 1, 'end-parent')
    case.expected = (RETRY,)


# Downloads


def _ended_while_stalled(dice: random.Random, case: Case) -> None:
    case.stalled = _place(dice, case)
    case.fault, case.expected = faults.Stall(case.stalled), (RETRY,)


def _ended_at_the_checks(dice: random.Random, case: Case) -> None:
    case.trouble = dom0.Trouble(
        vhd_util=dice.choice(('check', 'query')) + ':end-parent')
    case.expected = (RETRY,)


def _vhd_util_killed(dice: random.Random, case: Case) -> None:
    case.trouble = dom0.Trouble(
        vhd_util=dice.choice(('check', 'query')) + ':kill')
    case.expected = (RETRY,)


def _corrupt(dice: random.Random, case: Case) -> None:
    case.fault = faults.Corrupt(_place(dice, case))
    case.expected = (RETRY,)


def _wrong_length(dice: random.Random, case: Case) -> None:
    case.fault = faults.Length(dice.choice((-1, 1)) * dice.randint(1, 60000))
    case.expected = (RETRY,)


def _wrong_checksum(dice: random.Random, case: Case) -> None:
    case.md5, case.expected = '%032x' % dice.getrandbits(128), (RETRY,)


def _full(dice: random.Random, case: Case) -> None:
    case.trouble = dom0.Trouble(largest=dice.choice(
        (0, 512, max(case.sizes) - 1)))
    case.expected = (PERMANENT,)


def _bad_image(dice: random.Random, case: Case) -> None:
    case.image = _bad_image_of(dice, case)
    case.expected = (PERMANENT,)


def _bad_and_corrupt(dice: random.Random, case: Case) -> None:
    case.image = _bad_image_of(dice, case)
    case.fault = faults.Corrupt(dice.randrange(len(case.image)))
    case.expected = (RETRY,)


def _bad_image_of(dice: random.Random, case: Case) -> bytes:
    """Return an image that must not enter a storage repository."""
    size, seed = case.sizes[0], str(case.seed)
    good, make = dom0.vhd(size, seed), dom0_case.archive
    footer = dom0.vhd(2048, disk=4096)[:512]
    return dice.choice((
        lambda: b'not an archive', make, lambda: make(n0_vhd=good[:-1]),
        lambda: make(n0_vhd=b'x' * 2000),
        lambda: make(n1_vhd=good, n2_vhd=good),
        lambda: make(n0_vhd=dom0.vhd(size, seed, hidden=True)),
        lambda: make(n0_vhd=dom0.vhd(size, seed, parent='../mine.vhd')),
        lambda: make(n0_vhd=footer + bytes(65 << 20) + footer),
        lambda: make(n0_vhd=good)[:-600],
        lambda: make(n0_vhd=good, snap_vhd=good),
        lambda: dom0_case.linked(good, '../mine.vhd'),
        lambda: dom0_case.outside(good)))()


# Uploads


def _truncated(dice: random.Random, case: Case) -> None:
    case.fault = faults.TruncatedUpload(_place(dice, case))
    case.expected = (RETRY,)


def _lost_answer(dice: random.Random, case: Case) -> None:
    case.fault, case.expected = faults.LostAnswer(), (RETRY,)


def _late_answer(dice: random.Random, case: Case) -> None:
    case.fault, case.timeout = faults.Slow(latency=1.5), 0.5
    case.expected = (RETRY,)


def _no_check(dice: random.Random, case: Case) -> None:
    status = dice.choice((503, 500, 401, 403, 404))
    case.check = faults.Status(status)
    case.expected = ({404: MISSING, 401: PERMANENT, 403: PERMANENT}.get(
        status, RETRY),)


def _check_is_cut(dice: random.Random, case: Case) -> None:
    case.check = dice.choice((faults.Reset, faults.End))(0)
    # v1 answers without a body.
    case.expected = (RETRY, SUCCESS)


def _corrupt_check(dice: random.Random, case: Case) -> None:
    case.check = faults.Corrupt(dice.randrange(500))
    case.expected = (RETRY, PERMANENT, SUCCESS)


_BOTH: tuple[Maker, ...] = (
    _unavailable, _refused, _missing, _slow, _tar_killed, _ended)
_DOWNLOADS: tuple[Maker, ...] = (
    *_BOTH, _cut, _stall, _ended_while_stalled, _corrupt, _wrong_length,
    _wrong_checksum, _full, _bad_image, _bad_image, _bad_and_corrupt,
    _ended_at_the_checks, _vhd_util_killed, _cut)
_UPLOADS: tuple[Maker, ...] = (
    *_BOTH, _truncated, _truncated, _truncated, _lost_answer, _late_answer,
    _no_check, _check_is_cut, _corrupt_check)
