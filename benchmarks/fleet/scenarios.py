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

"""What is simulated, and how the results are put into words."""

import concurrent.futures
import dataclasses
import math
import os
import typing

from benchmarks.common import race
from benchmarks.fleet import fleet
from benchmarks.fleet import setups

#: Scenario -> what differs from the first one. Workers are per cent of its.
SCENARIOS: dict[str, dict[str, typing.Any]] = {
    'all workers': {},
    'all workers, a fifth lost': {'lost': 20},
    'fewer workers': {'workers': 40},
    'fewer workers, a fifth lost': {'workers': 40, 'lost': 20},
    'one slow target': {'slow': 4.0},
    'nothing to do, first time': {'present': True},
    'nothing to do': {'present': True, 'compared': True},
}
#: Processors of each Glance, with 25 Gbit/s for 16 of them.
SIZES = (16, 64, 256)
FLEETS = (1, 2, 5, 10, 20, 50, 100, 200)
_GLANCE = 16
_NETWORK = 25 * 125e6
#: images of a simulation that only finds the rate of the transfers
_SAMPLE = 400
_POINTS = 400


def all_setups(base: setups.Setup) -> dict[str, setups.Setup]:
    """Return {name: setup} of all scenarios.

    :param base: the first one
    """
    found = {}
    for name, changes in SCENARIOS.items():
        changes = dict(changes)
        workers = _share(base.workers, changes.pop('workers', 100))
        lost = changes.pop('lost', 0)
        losses = (setups.Loss(_share(workers, lost)),) if lost else ()
        found[name] = dataclasses.replace(
            base, workers=workers, losses=losses, **changes)
    return found


def _share(workers: int, percent: int) -> int:
    return max(workers * percent // 100, 1)


def fleets(base: setups.Setup) -> dict[tuple[int, int], setups.Setup]:
    """Return {(processors, workers): setup} for fleets of all sizes."""
    return {(cores, workers): dataclasses.replace(
        base, workers=workers, cores=cores,
        network=cores / _GLANCE * _NETWORK,
        images=_SAMPLE * max(workers, 5))
        for cores in SIZES for workers in FLEETS}


def simulate(todo: dict[typing.Any, setups.Setup],
             found: dict[str, typing.Any]
             ) -> dict[typing.Any, dict[str, typing.Any]]:
    """Run simulations in as many processes as there are processors.

    :param found: the figures of a real Glance
    :returns: {name: summary}
    """
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        running = {pool.submit(_one, setup, found): name
                   for name, setup in todo.items()}
        done = {}
        for future in concurrent.futures.as_completed(running):
            name = running[future]
            done[name] = future.result()
            race.say('Simulated: %s' % (name,))
    return {name: done[name] for name in todo}


def _one(setup: setups.Setup,
         found: dict[str, typing.Any]) -> dict[str, typing.Any]:
    return summary(setup, fleet.Simulation(setup, found).run())


def summary(setup: setups.Setup,
            result: setups.Result) -> dict[str, typing.Any]:
    """Return what the report has of a result."""
    times = result.done_at
    shares = sorted(result.shares.values())
    places = sorted({math.ceil(number * len(times) / _POINTS) - 1
                     for number in range(1, _POINTS + 1)} if times else ())
    return {
        'setup': dataclasses.asdict(setup), 'planned': result.planned,
        'copied': result.copied, 'size': result.size, 'total': result.total,
        'requests': result.requests, 'used': result.used,
        'begun': result.begun, 'cut': result.cut, 'both': result.both,
        'failed': result.failed, 'runs': result.runs,
        'taken_over': sorted(result.taken_over),
        'lost_at': result.lost_at, 'shares': shares[:1] + shares[-1:],
        'curve': [(times[place][0], times[place][1] / result.size)
                  for place in places]}


def per_hour(one: dict[str, typing.Any]) -> float:
    """Return the images per hour once the plans are made.

    :param one: a summary
    """
    images: int = one['setup']['images']
    return images / (one['copied'] - one['planned']) * 3600


def table(found: dict[str, dict[str, typing.Any]]) -> str:
    """Return the table of the scenarios for a terminal."""
    lines = ['%-28s %9s %9s %12s %12s %8s %6s' % (
        'Scenario', 'planned', 'copied', 'requests', 'of them list',
        'Glance', 'twice')]
    for name, one in found.items():
        glances = {key: value for key, value in one['requests'].items()
                   if key != 'locks'}
        lines.append('%-28s %7.1f h %7.1f h %12d %12d %6.0f %% %6d' % (
            name, one['planned'] / 3600, one['copied'] / 3600, one['total'],
            sum(value.get('list', 0) for value in glances.values()),
            100 * max(one['used'][key]['processors'] for key in glances),
            max(one['begun'] - one['setup']['images'], 0)))
    return '\n'.join(lines)
