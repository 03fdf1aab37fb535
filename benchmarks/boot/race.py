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

"""Lets the users of the clouds do each operation in turn."""

import collections.abc

from benchmarks.boot import tenant as boot_tenant
from benchmarks.boot import usage
from benchmarks.common import race
from benchmarks.common import results
from benchmarks.transfer import sizes

#: operation -> contender -> the requests to Glance in the last round
Calls = dict[str, dict[str, dict[str, int]]]


def operations(scale: boot_tenant.Scale) -> list[race.Operation]:
    """Return the operations, in the order in which they run."""
    size = sizes.long(scale.data.stat().st_size)
    small = sizes.long(scale.small.stat().st_size)
    titles = {
        'cold-boot': 'boot a server, image of %s not in the cache' % size,
        'snapshot': 'snapshot of the server',
        'rebuild': 'rebuild the server from its image',
        'shelve': 'shelve the server',
        'unshelve': 'unshelve the server',
        'warm-boot': 'boot a server, image in the cache',
        'many-cold': 'boot %d servers, image of %s not in the cache' % (
            scale.servers, small),
        'many-warm': 'boot %d servers, image in the cache' % scale.servers,
        'list': 'list %d images by nova-api' % scale.images}
    return [race.Operation(name, titles[name], ())
            for name in boot_tenant.OPERATIONS]


def budgets() -> list[results.Budget]:
    """Return the budgets."""
    return [results.Budget(name, 'requests', 0.5)
            for name in boot_tenant.OPERATIONS] + [
        results.Budget(name, 'wall', 0.8)
        for name in ('cold-boot', 'snapshot')]


class Race:
    """Both clouds.

    :ivar calls: the requests to Glance in the last round
    """

    def __init__(self, tenants: collections.abc.Sequence[boot_tenant.Tenant]
                 ) -> None:
        """Prepare a race.

        :param tenants: the users of the clouds, which are set up
        """
        self._tenants = tenants
        self.calls: Calls = {name: {} for name in boot_tenant.OPERATIONS}

    def run(self, rounds: int) -> race.Found:
        """Run all operations in each cloud, and return the measures.

        :param rounds: the number of rounds
        """
        found: race.Found = {
            name: {one.cloud.name: [] for one in self._tenants}
            for name in boot_tenant.OPERATIONS}
        race.say('Warming up')
        for one in self._tenants:
            one.warm_up()
        for number in range(rounds):
            race.say('Round %d of %d' % (number + 1, rounds))
            for name, contender, use in self._round(number):
                assert use.measures
                race.say('  %-10s %-10s %s, requests: %d' % (
                    name, contender, results.show(
                        'wall', use.measures['wall']),
                    use.measures['requests']))
                found[name][contender].append(use.measures)
                self.calls[name][contender] = use.calls
        return found

    def _round(self, number: int) -> collections.abc.Iterator[
            tuple[str, str, usage.Use]]:
        """Do each operation in both clouds; the first one changes."""
        for turn, (name, operation) in enumerate(
                boot_tenant.OPERATIONS.items(), number):
            order = list(self._tenants)
            if turn % 2:
                order.reverse()
            for one in order:
                yield name, one.cloud.name, operation(one)


def describe(calls: Calls) -> str:
    """Return the requests to Glance as lines for people."""
    lines = ['Requests to Glance']
    for operation, contenders in calls.items():
        for name, made in contenders.items():
            lines.append('  %s, %s' % (operation, name))
            lines += ['    %3d %s' % (number, call)
                      for call, number in made.items()]
    return '\n'.join(lines)
