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

"""Compares ways to write a sparse image in Ceph to a sparse file."""

import argparse
import contextlib
import sys
import unittest

from benchmarks.common import command
from benchmarks.common import plot
from benchmarks.common import race as common_race
from benchmarks.common import results
from benchmarks.sparse import cloud
from benchmarks.sparse import race
from benchmarks.transfer import speeds as machine_speeds
from nova_image.tests import fixtures
from nova_image.tests.fixtures import paths

_TITLE = 'A sparse image in Ceph: nova_image and the command rbd'
_MEMORY = 32 * 1024 ** 2
_DIFF, _HASHED = (names[1] for names in race.NAMES.values())
_BUDGETS = (
    results.Budget('sparse', 'wall', 2, _DIFF),
    results.Budget('sparse', 'memory', _MEMORY, None),
    results.Budget('sparse-hashed', 'wall', 0.6, _HASHED),
    results.Budget('sparse-hashed', 'memory', _MEMORY, None))


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = command.parser('sparse', (
        'Compare how nova_image and the command rbd write a sparse image in '
        'a real Ceph to a file. This command starts the Ceph, a Keystone and '
        'a Glance 33 on 127.0.0.1.'))
    command.add_numbers(
        parser, 'MIB',
        ('size', 4096, 'size of the image in MiB'),
        ('data', 64, 'size of its data in MiB'))
    return parser.parse_args()


def main() -> int:
    """Run the benchmark.

    :returns: exit code
    """
    arguments = parse_arguments()
    return command.run(lambda: _report(arguments))


def _report(arguments: argparse.Namespace) -> None:
    speeds = machine_speeds.measure(paths.cache())
    report = command.Report(arguments, size=arguments.size,
                            data=arguments.data, speeds=speeds._asdict())
    found, versions = _measure(arguments)
    report.write(found, versions, plot.measures_of_each(found, _TITLE))
    print(speeds)
    holes = (arguments.size - arguments.data) * cloud.MIB
    seconds = speeds.hashing(holes)
    print('The zeros of the holes, %d MiB, take one core %.2f s of SHA-512: '
          '%.2f of %s.' % (
              holes // cloud.MIB, seconds, seconds / found.median(
                  'sparse-hashed', _HASHED, 'wall'), _HASHED))


def _measure(arguments: argparse.Namespace
             ) -> tuple[results.Results, dict[str, str]]:
    with contextlib.ExitStack() as stack:
        common_race.say('Starting Ceph, Keystone and Glance')
        try:
            stack.enter_context(fixtures.CephBindings())
            ceph = stack.enter_context(fixtures.Ceph())
        except unittest.SkipTest as error:
            raise common_race.Broken(str(error)) from error
        place = stack.enter_context(cloud.Cloud(
            ceph, arguments.size, arguments.data, arguments.keep))
        return _races(place, arguments)


def _races(place: cloud.Cloud, arguments: argparse.Namespace
           ) -> tuple[results.Results, dict[str, str]]:
    what = 'image of %d MiB with %d MiB of data' % (
        arguments.size, arguments.data)
    tasks: list[common_race.Operation] = []
    found: common_race.Found = {}
    versions: dict[str, str] = {}
    for name, title in (('sparse', '%s, without a hash'),
                        ('sparse-hashed', '%s, verified')):
        tasks.append(common_race.Operation(
            name, title % what, ({
                'task': 'download', 'image_id': place.images[name],
                'path': str(place.path)},), race.NAMES[name][1]))
        with race.Race(place, name, arguments.keep, {
                'PYTHONPATH': str(paths.below('bindings'))}) as runners:
            found |= runners.run(tasks[-1:], arguments.rounds)
            versions |= runners.versions
    return results.Results(tasks, found, _BUDGETS), versions


if __name__ == '__main__':
    sys.exit(main())
