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


"""Compares how nova-image and its peers replicate images."""

import argparse
import contextlib
import pathlib
import sys
import tempfile
import unittest

from benchmarks.common import command
from benchmarks.common import plot
from benchmarks.common import race as common_race
from benchmarks.common import results
from benchmarks.replicate import cloud as replicate_cloud
from benchmarks.replicate import programs
from benchmarks.replicate import race
from nova_image.tests.fixtures import virtualenvs

_TITLE = 'Replication: nova-image and its peers'
_MIB = 1024 ** 2
#: The number of images of 1 MiB, and the size of a large one in MiB.
_USUAL, _SMALL = (50, 256), (10, 16)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = command.parser('replicate', (
        'Compare how nova-image, glance-replicator of Glance 15 and a loop '
        'of openstack commands replicate images from a real Glance 15 to '
        'another one or to a Glance 33, which this command starts on '
        '127.0.0.1.'))
    command.add_numbers(
        parser, 'N', ('images', _USUAL[0], 'number of images of 1 MiB'),
        ('osc-images', 3, 'number of images that the openstack commands copy; '
         'their time is multiplied for the others'))
    command.add_numbers(parser, 'MIB', (
        'large', _USUAL[1], 'size of one more image'))
    parser.add_argument(
        '--small', action='store_const', const=_SMALL,
        help='replicate only %d images of 1 MiB and one of %d MiB' % _SMALL)
    return parser.parse_args()


def main() -> int:
    """Run the benchmark.

    :returns: exit code
    """
    arguments = parse_arguments()
    return command.run(lambda: _measure(arguments))


def _measure(arguments: argparse.Namespace) -> None:
    number, large = arguments.small or (arguments.images, arguments.large)
    sizes = [_MIB] * number + [large * _MIB]
    report = command.Report(arguments, sizes=sizes,
                            osc_images=arguments.osc_images)
    common_race.say('Starting MariaDB, two Glance 15 and a Glance 33')
    try:
        with contextlib.ExitStack() as stack:
            cloud = stack.enter_context(
                replicate_cloud.Cloud(sizes, arguments.keep))
            current = stack.enter_context(virtualenvs.programs())
            home = stack.enter_context(tempfile.TemporaryDirectory())
            runner = programs.Programs(
                current.bin, cloud.source.virtualenv.bin, pathlib.Path(home))
            versions = runner.versions()
            found = race.Race(cloud, runner, arguments.osc_images).run(
                arguments.rounds)
    except unittest.SkipTest as why:
        raise common_race.Broken(str(why)) from why
    figures = results.Results(
        race.operations(len(sizes)), found, race.BUDGETS)
    report.write(figures, versions, plot.measures_of_each(figures, _TITLE))
    print(programs.peaks(found))


if __name__ == '__main__':
    sys.exit(main())
