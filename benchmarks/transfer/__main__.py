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

"""Compares how nova_image and its peers download and upload images."""

import argparse
import shutil
import sys

from benchmarks.common import command
from benchmarks.common import race
from benchmarks.common import results
from benchmarks.transfer import kinds
from benchmarks.transfer import sizes as image_sizes
from benchmarks.transfer import speeds as machine_speeds
from benchmarks.transfer import stages
from nova_image.tests.fixtures import paths

_DEFAULT = [part for part in kinds.PARTS if part != kinds.RBD]
# Bytes for services and virtualenvs.
_RESERVE = 512 * 1024 ** 2


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = command.parser('transfer', (
        'Compare how nova_image, the image code of Nova 34, '
        'python-glanceclient, openstacksdk, curl and cp download and upload '
        'images of a real Glance 33, which this command starts on '
        '127.0.0.1.'))
    parser.add_argument(
        '--sizes', type=image_sizes.parse, default='16M,256M,1G',
        metavar='SIZE,...', help='sizes of the images')
    parser.add_argument(
        '--latency-sizes', type=image_sizes.parse, default='16M,256M',
        metavar='SIZE,...', help='sizes to transfer with latency, too')
    parser.add_argument(
        '--only', type=_parts, default=','.join(_DEFAULT),
        metavar='PART,...', help='parts to run, out of ' + ', '.join(
            kinds.PARTS))
    return parser.parse_args()


def _parts(text: str) -> list[str]:
    parts = text.split(',')
    unknown = set(parts) - set(kinds.PARTS)
    if unknown:
        raise argparse.ArgumentTypeError(
            'unknown parts: %s' % ', '.join(sorted(unknown)))
    return parts


def main() -> int:
    """Run the benchmark.

    :returns: exit code
    """
    arguments = parse_arguments()
    return command.run(lambda: _measure(arguments))


def _measure(arguments: argparse.Namespace) -> None:
    check_space(arguments.sizes)
    speeds = machine_speeds.measure(paths.cache())
    report = command.Report(arguments, sizes=arguments.sizes,
                            speeds=speeds._asdict())
    plan = {kind: _sizes(arguments, kind) for kind in kinds.KINDS
            if kind.part in arguments.only}
    figures = stages.measure(
        {kind: sizes for kind, sizes in plan.items() if sizes},
        arguments.sizes, arguments.rounds, arguments.keep)
    if not figures.tasks:
        raise race.Broken('Nothing was measured.')
    done = figures.done
    report.write(
        results.Results(figures.tasks, figures.found,
                        kinds.budgets(done, speeds)),
        figures.versions, kinds.layout(done, arguments.sizes))
    print(speeds)


def _sizes(arguments: argparse.Namespace, kind: kinds.Kind) -> list[int]:
    return [size for size in arguments.sizes
            if kind.part != 'latency' or size in arguments.latency_sizes]


def check_space(sizes: list[int]) -> None:
    """Check that there is enough disk space for the images.

    Glance has one of each size. The downloaded file or the uploaded image
    needs additional space.

    :param sizes: the sizes of the images in bytes
    :raises Broken: if there is not enough space
    """
    needed = sum(sizes) + max(sizes) + _RESERVE
    free = shutil.disk_usage(paths.cache()).free
    if free < needed:
        raise race.Broken(
            '%s has %.1f GiB of free space, but %.1f GiB are needed. Choose '
            'smaller images (--sizes), or set NOVA_IMAGE_CACHE to a folder '
            'with more space.' % (
                paths.cache(), free / 1024 ** 3, needed / 1024 ** 3))


if __name__ == '__main__':
    sys.exit(main())
