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

"""Simulates the replication of many images by a fleet of workers."""

import argparse
import json
import pathlib
import sys

from benchmarks.common import command
from benchmarks.common import race
from benchmarks.fleet import charts
from benchmarks.fleet import measure
from benchmarks.fleet import planning
from benchmarks.fleet import scenarios
from benchmarks.fleet import setups
from nova_image.tests.fixtures import paths

_PLOTS = race.ROOT / 'doc' / 'source' / 'operator' / 'pictures'


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='./run_benchmarks.sh fleet', description=(
            'Simulate the replication of many images by a fleet of workers, '
            'and measure the planning of one worker.'),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    command.add_numbers(
        parser, 'N', ('images', 1000000, 'number of images'),
        ('workers', 50, 'number of workers'),
        ('targets', 3, 'number of targets'),
        ('seed', 1, 'the same seed gives the same results'))
    parser.add_argument(
        '--measure', action='store_true', help='first measure a real Glance '
        'with that many images, and replace the figures in the tree')
    parser.add_argument(
        '--json', type=pathlib.Path, metavar='PATH', help='file to write',
        default=paths.cache() / 'benchmarks' / 'fleet.json')
    parser.add_argument('--plots', type=pathlib.Path, metavar='FOLDER',
                        default=_PLOTS, help='folder for the plots')
    return parser.parse_args()


def main() -> int:
    """Run the simulations.

    :returns: exit code
    """
    arguments = parse_arguments()
    return command.run(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> None:
    if arguments.measure:
        setups.FIGURES.write_text(json.dumps(
            measure.glance(arguments.images, 200), indent=1) + '\n')
    found = setups.figures()
    base = setups.Setup(
        images=arguments.images, workers=arguments.workers,
        targets=arguments.targets, seed=arguments.seed)
    by_name = scenarios.simulate(scenarios.all_setups(base), found)
    by_size = scenarios.simulate(scenarios.fleets(base), found)
    planned = {}
    for case in planning.CASES:
        race.say('Planning: the targets have %s' % planning.CASES[case])
        planned[case] = planning.measure(case, arguments.images,
                                         arguments.targets)
    for path in (arguments.json.parent, arguments.plots):
        path.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps({
        'machine': found['machine'], 'scenarios': by_name,
        'fleets': {'%d %d' % key: one for key, one in by_size.items()},
        'planning': planned}, indent=1) + '\n')
    charts.fleets(by_size, arguments.plots / 'replication-fleets.svg')
    charts.progress(by_name, arguments.plots / 'replication-progress.svg')
    print(scenarios.table(by_name))
    for case, one in planned.items():
        print('Planning by one worker, the targets have %s: %d s, %d MiB' % (
            planning.CASES[case], one['seconds'],
            one['memory'] / setups.MIB))


if __name__ == '__main__':
    sys.exit(main())
