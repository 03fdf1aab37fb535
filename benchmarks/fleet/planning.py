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

"""The planning of one worker, for real: its time and its memory.

Nothing is simulated but the ends, whose listings are generated. Each case is
a process of its own, so that its peak of memory is its own.
"""

import collections.abc
import datetime
import json
import pathlib
import random
import subprocess
import sys
import time
import typing
import uuid

from benchmarks.common import race
from nova_image.replication import ends
from nova_image.replication import journal
from nova_image.replication import record as records
from nova_image.replication import rules
from nova_image.replication import run
from nova_image.replication import targets

#: case -> what the targets have
CASES = {'none': 'no image', 'same': 'all images in the same order',
         'mixed': 'all images in another order'}
_PROPERTIES = ('architecture', 'hw_disk_bus', 'os_distro', 'os_type',
               'os_version', 'hw_machine_type', 'hw_firmware_type')
_NEWEST = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
_BASES = 5000
_SNAPSHOTS = 0.7


def image(number: int, is_replica: bool) -> records.Record:
    """Return an image as a listing has it: no text is that of another one.

    Most are snapshots, which name the image that their server came from.
    """
    chance = random.Random(number)
    image_id = _id(chance)
    properties = {''.join(name): 'value-%d' % (number % 7)
                  for name in _PROPERTIES}
    if chance.random() < _SNAPSHOTS:
        properties['base_image_ref'] = _id(random.Random(number % _BASES))
    if is_replica:
        properties[records.MARKER] = '%s' % image_id
    moment = _NEWEST - datetime.timedelta(seconds=number)
    return records.Record(
        id=image_id, status=_new('active'), name='snapshot-%d' % number,
        owner='%032x' % (number % _BASES), visibility=_new('private'),
        disk_format=_new('qcow2'), container_format=_new('bare'),
        min_disk=20, size=number + 2 ** 29,
        hashes={'md5': '%032x' % number, 'sha512': '%0128x' % number},
        properties=properties, created_at=moment, updated_at=moment)


def _id(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _new(text: str) -> str:
    """Return a copy of a text, as a JSON parser makes."""
    return ''.join(list(text))


class _Listed(ends.End):
    """An end that can only list its images."""

    def __init__(self, title: str, numbers: collections.abc.Iterable[int],
                 is_replica: bool) -> None:
        self.title = title
        self._numbers = numbers
        self._is_replica = is_replica

    def images(self) -> collections.abc.Iterator[records.Record]:
        """Yield the images."""
        return (image(number, self._is_replica) for number in self._numbers)

    def fit(self, image: records.Record) -> ends.Fit:
        """Accept anything."""
        return ends.Fit(image)

    def _never(self, *args: typing.Any) -> typing.Any:
        raise NotImplementedError

    image = members = read = _never  # type: ignore[assignment]
    reserve = write = change = _never  # type: ignore[assignment]
    set_members = deactivate = delete = _never  # type: ignore[assignment]


class _Planning(run.Run):
    """A run that ends before the transfers."""

    def _transfer_all(self) -> None:
        """Do nothing."""


def _measure(case: str, images: int, count: int) -> dict[str, float]:
    """Plan, and return how long it took and how much memory it needed."""
    numbers = list(range(images) if case != 'none' else ())
    if case == 'mixed':
        random.Random(1).shuffle(numbers)
    source = _Listed('source', range(images), False)
    began = time.process_time()
    for _ in source.images():
        pass
    listing = time.process_time() - began
    book = journal.Journal(':memory:')
    goals = []
    for number in range(count):
        end = _Listed('target %d' % number, numbers, True)
        goals.append(targets.Target(
            end, rules.Rules(fit=end.fit), book.pair('source', end.title)))
    plan = _Planning(source, goals)
    before, began = _peak(), time.process_time()
    report = plan.run()
    took = time.process_time() - began - listing * count * (
        1 if case == 'none' else 2)
    return {'seconds': round(took, 1), 'memory': _peak() - before,
            'images': images, 'targets': count,
            'same': sum(report.counts.values())}


def _peak() -> int:
    """Return the peak of the memory, without that of the parent process."""
    status = pathlib.Path('/proc/self/status').read_text()
    return int(status.partition('VmHWM:')[2].split()[0]) * 1024


def measure(case: str, images: int, count: int) -> dict[str, float]:
    """Return the seconds and the bytes that the planning takes.

    :param case: one of CASES
    :param images: number of images of the source
    :param count: number of targets
    """
    done = subprocess.run(
        [sys.executable, '-m', 'benchmarks.fleet.planning', case,
         str(images), str(count)], stdout=subprocess.PIPE, text=True,
        check=True, cwd=race.ROOT)
    found: dict[str, float] = json.loads(done.stdout)
    return found


if __name__ == '__main__':
    print(json.dumps(_measure(sys.argv[1], *map(int, sys.argv[2:]))))
