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

"""Compares nova_image without metrics and with each back end."""

import argparse
import contextlib
import dataclasses
import sys

from benchmarks.common import command
from benchmarks.common import race
from benchmarks.common import results
from benchmarks.metadata import cloud
from benchmarks.metadata import operations

_TITLE = 'Metrics: nova_image without them and with each back end'
_CONTENDERS = 'off', 'prometheus', 'statsd'
_REPORTS = 10000


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = command.parser('metrics', (
        'Compare how nova_image shows and lists images of a real Glance 33, '
        'which this command starts on 127.0.0.1, without metrics and with '
        'each back end.'), rounds=5)
    command.add_numbers(
        parser, 'N',
        ('shows', 600, 'number of images to show in each round'),
        ('images', 10000, 'number of images in Glance'))
    return parser.parse_args()


def main() -> int:
    """Run the benchmark.

    :returns: exit code
    """
    return command.main(parse_arguments(), _TITLE, _measure, 'images')


def _tasks(image_ids: list[str], shows: int) -> list[race.Operation]:
    """Return the operations, relative to nova_image without metrics."""
    tasks = operations.operations(image_ids, shows)[:2]
    tasks.append(race.Operation(
        'report', 'report %d shows, without requests' % _REPORTS,
        ({'task': 'report', 'times': _REPORTS},)))
    return [dataclasses.replace(task, standard='off') for task in tasks]


def _measure(arguments: argparse.Namespace
             ) -> tuple[results.Results, dict[str, str]]:
    with contextlib.ExitStack() as stack:
        race.say('Starting Keystone and Glance with %d images'
                 % arguments.images)
        place = stack.enter_context(
            cloud.Cloud(arguments.images, arguments.keep))
        start = {'auth': place.keystone.auth_options('demo'),
                 'image_id': place.image_ids[0]}
        runners = stack.enter_context(race.Race(
            'benchmarks.metrics.worker', dict.fromkeys(_CONTENDERS, start),
            place.glance, arguments.keep))
        tasks = _tasks(place.image_ids, arguments.shows)
        found = runners.run(tasks, arguments.rounds)
        return results.Results(tasks, found, ()), runners.versions


if __name__ == '__main__':
    sys.exit(main())
