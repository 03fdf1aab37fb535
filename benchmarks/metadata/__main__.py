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

"""Measures show and detail of nova_image against its peers."""

import argparse
import contextlib
import json
import pathlib
import signal
import sys
import time
import typing

from benchmarks.metadata import cloud
from benchmarks.metadata import plot
from benchmarks.metadata import race
from benchmarks.metadata import results
from nova_image.tests.fixtures import paths


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    folder = paths.cache() / 'benchmarks'
    parser = argparse.ArgumentParser(
        prog='./run_benchmarks.sh metadata', description=(
            'Measures how nova_image, the image code of Nova 34, '
            'python-glanceclient and openstacksdk show and list images of a '
            'real Glance 33, which is started on 127.0.0.1 for it.'),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    for name, default, text in (
            ('rounds', 3, 'how often everything is measured'),
            ('shows', 300, 'how many images are shown in a round'),
            ('images', 10000, 'how many images Glance has')):
        parser.add_argument('--' + name, type=_positive, default=default,
                            metavar='N', help=text)
    for name, text in (('json', 'where the figures go'),
                       ('plot', 'where the picture of them goes')):
        suffix = '.json' if name == 'json' else '.png'
        parser.add_argument(
            '--' + name, type=pathlib.Path, metavar='PATH', help=text,
            default=folder / ('metadata' + suffix))
    parser.add_argument(
        '--keep', action='store_true',
        help='keep the folders and logs of the services')
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def main() -> int:
    """Run the benchmark.

    :returns: exit code; 0 even where a budget is missed, for a figure is no
        fault
    """
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    try:
        found, versions = _measure(arguments)
    except race.Broken as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        return 130
    facts = {'machine': results.machine(), 'versions': versions,
             'images': arguments.images, 'rounds': arguments.rounds,
             'seconds': round(time.monotonic() - began)}
    _report(arguments, facts, found)
    return 0


def _measure(arguments: argparse.Namespace
             ) -> tuple[results.Results, dict[str, str]]:
    with contextlib.ExitStack() as stack:
        print('starting Keystone and Glance with %d images'
              % arguments.images, file=sys.stderr, flush=True)
        place = cloud.Cloud(arguments.images)
        for service in (place.keystone, place.glance):
            service.run_folder.keep |= arguments.keep
        stack.enter_context(place)
        runners = stack.enter_context(race.Race(place, arguments.keep))
        tasks = race.operations(place.image_ids, arguments.shows)
        found = runners.run(tasks, arguments.rounds)
        return (results.Results(tasks, found),
                runners.contenders[0].facts['versions'])


def _report(arguments: argparse.Namespace, facts: dict[str, typing.Any],
            found: results.Results) -> None:
    for path in (arguments.json, arguments.plot):
        path.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(
        json.dumps(facts | found.as_json(), indent=2) + '\n')
    subtitle = '%s, %d CPUs; %s; medians, rounds: %d; took %d s' % (
        facts['machine']['processor'], facts['machine']['cpus'],
        ', '.join('%s %s' % item for item in facts['versions'].items()),
        facts['rounds'], facts['seconds'])
    plot.draw(found, facts, arguments.plot)
    print(subtitle)
    print(found.table())
    print('\n%s\n%s' % (arguments.json, arguments.plot))


if __name__ == '__main__':
    sys.exit(main())
