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


"""Runs the programs in turn, and checks what each has copied."""

import collections.abc
import dataclasses

from benchmarks.common import race
from benchmarks.common import results
from benchmarks.replicate import cloud as replicate_cloud
from benchmarks.replicate import programs

LIVECOPY, OPENSTACK = programs.LIVECOPY, programs.OPENSTACK
_MEMORY = 64 * 1024 ** 2
#: The number of transfers at a time -> wall clock relative to livecopy.
_LIMITS = {1: 0.8, 4: 0.4}


@dataclasses.dataclass(frozen=True)
class Way:
    """A way to use nova-image: the API of the target, and transfers."""

    api: str
    transfers: int

    @property
    def copy(self) -> str:
        """The name of the operation that copies all images."""
        return '%s-%d' % (self.api, self.transfers)

    @property
    def again(self) -> str:
        """The name of the operation that finds nothing to do."""
        return self.copy + '-again'


WAYS = tuple(Way(api, transfers) for api in ('v1', 'v2')
             for transfers in _LIMITS)
BUDGETS = tuple(
    budget for way in WAYS for budget in (
        results.Budget(way.copy, 'wall', _LIMITS[way.transfers], LIVECOPY),
        results.Budget(way.copy, 'memory', _MEMORY, None),
        results.Budget(way.again, 'wall', 0.05, LIVECOPY)))


def operations(count: int) -> list[race.Operation]:
    """Return the operations.

    :param count: the number of images
    """
    found = []
    for way in WAYS:
        how = 'v1 to %s, %d transfer%s' % (
            way.api, way.transfers, 's' if way.transfers > 1 else '')
        found += [
            race.Operation(way.copy, 'replicate %d images, %s' % (
                count, how), (), LIVECOPY),
            race.Operation(way.again, 'nothing to do, %s' % how, (),
                           LIVECOPY)]
    return found


class Race:
    """All programs on one cloud.

    :ivar found: the measures
    """

    def __init__(self, cloud: replicate_cloud.Cloud,
                 runner: programs.Programs, osc_images: int) -> None:
        """Prepare a race.

        :param cloud: the Glances, already set up
        :param runner: runs the programs
        :param osc_images: the number of images that openstackclient copies
        """
        self._cloud = cloud
        self._runner = runner
        self._few = sorted(cloud.images, key=lambda one: (
            cloud.images[one][1], one))[:osc_images]
        self._idle: dict[str, float] = {}
        self.found: race.Found = {
            operation.name: {} for operation in operations(0)}

    def run(self, rounds: int) -> race.Found:
        """Run all programs, in a changing order.

        :param rounds: the number of rounds
        """
        race.say('Warming up, and measuring idle programs')
        self._measure_idle()
        tasks: list[collections.abc.Callable[[], None]] = [
            self._livecopy, *(
                lambda way=way: self._replicate(way) for way in WAYS),
            self._openstack]
        for number in range(rounds):
            race.say('Round %d of %d' % (number + 1, rounds))
            first = number % len(tasks)
            for task in tasks[first:] + tasks[:first]:
                task()
        return self.found

    def _measure_idle(self) -> None:
        """Run all programs without images, twice: the first compiles."""
        cloud, runner = self._cloud, self._runner
        for _ in range(2):
            self._idle[LIVECOPY] = runner.livecopy(
                cloud.legacy, cloud.legacy)['memory']
            self._idle[OPENSTACK] = runner.list_with_openstack(
                cloud.legacy)['memory']
            for way in WAYS:
                other, = {one.api: one for one in WAYS
                          if one.api != way.api}.values()
                self._idle[way.copy] = runner.replicate(
                    self._url(other), self._url(way), way.transfers,
                    'idle')['memory']

    def _livecopy(self) -> None:
        cloud = self._cloud
        cloud.empty(cloud.legacy)
        for operation in ('copy', 'again'):
            measures = self._measured(LIVECOPY, lambda: self._runner.livecopy(
                cloud.source, cloud.legacy))
            self._check(LIVECOPY, cloud.legacy)
            for way in WAYS:
                self._add(getattr(way, operation), LIVECOPY, measures)

    def _replicate(self, way: Way) -> None:
        cloud, target = self._cloud, self._target(way)
        cloud.empty(target)
        self._runner.forget('journal')
        for operation in (way.copy, way.again):
            measures = self._measured(way.copy, lambda: (
                self._runner.replicate(
                    cloud.source.url + '/v1', self._url(way), way.transfers,
                    'journal')))
            self._check(results.OURS, target)
            self._add(operation, results.OURS, measures)

    def _openstack(self) -> None:
        """Copy some of the small images, as if all were small."""
        cloud, few = self._cloud, self._few
        cloud.empty(cloud.legacy)
        measures = self._measured(OPENSTACK, lambda: (
            self._runner.save_and_create(cloud.source, cloud.legacy, few)))
        self._check(OPENSTACK, cloud.legacy, few)
        self._add(WAYS[0].copy, OPENSTACK, programs.scaled(
            measures, len(cloud.images) / len(few)))

    def _target(self, way: Way
                ) -> replicate_cloud.Legacy | replicate_cloud.Current:
        return (self._cloud.legacy if way.api == 'v1'
                else self._cloud.current)

    def _url(self, way: Way) -> str:
        return '%s/%s' % (self._target(way).url, way.api)

    def _measured(self, idle: str,
                  run: collections.abc.Callable[[], race.Measures]
                  ) -> race.Measures:
        self._cloud.settle()
        measures = programs.over_idle(run(), self._idle[idle])
        race.say('  %-16s %s' % (
            idle, results.show('wall', measures['wall'])))
        return measures | {'requests': len(self._cloud.requests())}

    def _check(self, name: str, target: replicate_cloud.Legacy
               | replicate_cloud.Current,
               some: collections.abc.Collection[str] | None = None) -> None:
        """Check that the target has the images, with their data.

        :param some: the IDs of the images; those of all if None
        :raises race.Broken: if it does not
        """
        images = self._cloud.images
        if target.listed() != {
                one: images[one] for one in some or images}:
            raise race.Broken('%s has not copied all images.' % name)

    def _add(self, operation: str, name: str,
             measures: race.Measures) -> None:
        self.found[operation].setdefault(name, []).append(measures)
