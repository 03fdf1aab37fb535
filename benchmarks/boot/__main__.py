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

"""Compares a Nova that uses nova_image with an unchanged one, in a cloud."""

import argparse
import contextlib
import os
import pathlib
import shutil
import sys
import unittest

from benchmarks.boot import cloud as boot_cloud
from benchmarks.boot import race as boot_race
from benchmarks.boot import tenant
from benchmarks.boot import usage
from benchmarks.common import command
from benchmarks.common import plot
from benchmarks.common import race
from benchmarks.common import results
from benchmarks.transfer import sizes
from nova_image.tests.fixtures import paths

_TITLE = 'Servers in a cloud: Nova with nova_image, and without'
_MIB = 1024 ** 2
_SMALL = 16 * _MIB
#: Bytes for services and virtualenvs.
_RESERVE = 3 * 1024 ** 3
#: The charts of each operation.
_PLOTTED = usage.MEASURES[:4]


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = command.parser('boot', (
        'Compare how Nova 34 with nova_image and an unchanged Nova 34 boot, '
        'snapshot, rebuild and shelve servers and list images, in two whole '
        'clouds, which this command starts on 127.0.0.1. Only root can.'))
    parser.add_argument(
        '--size', type=_size, default='1G', metavar='SIZE',
        help='size of the image, a number of MiB')
    command.add_numbers(
        parser, 'N',
        ('servers', 20, 'number of servers to boot at once'),
        ('images', 1000, 'number of images to list, up to 1000'))
    return parser.parse_args()


def _size(text: str) -> int:
    found = sizes.parse(text)
    if len(found) != 1 or found[0] % _MIB or found[0] > 1024 * _MIB:
        # The disks of the flavors have 1 GiB.
        raise argparse.ArgumentTypeError(
            '%r is not a number of MiB up to 1G' % text)
    return found[0]


def main() -> int:
    """Run the benchmark.

    :returns: exit code
    """
    arguments = parse_arguments()
    if arguments.keep:
        os.environ['NOVA_IMAGE_KEEP'] = '1'
    return command.run(lambda: _measure(arguments))


def _check_space(size: int) -> None:
    """Check that there is enough disk space.

    Beside the original, each cloud has the image in Glance and in the cache,
    and for a while a snapshot in Glance, downloaded and converted.

    :raises race.Broken: if there is not enough
    """
    needed = 13 * size + _RESERVE
    free = shutil.disk_usage(paths.cache()).free
    if free < needed:
        raise race.Broken(
            '%s has %.1f GiB of free space, but %.1f GiB are needed. Choose '
            'a smaller image (--size), or set NOVA_IMAGE_CACHE to a folder '
            'with more space.' % (
                paths.cache(), free / 1024 ** 3, needed / 1024 ** 3))


def _measure(arguments: argparse.Namespace) -> None:
    _check_space(arguments.size)
    calls: boot_race.Calls = {}
    report = command.Report(
        arguments, calls=calls, size=arguments.size,
        servers=arguments.servers, images=arguments.images)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(paths.RunFolder('benchmark')).path
        scale = tenant.Scale(
            _random(folder / 'data', arguments.size),
            _random(folder / 'small', min(_SMALL, arguments.size)),
            arguments.servers, arguments.images)
        stack.callback(scale.data.unlink)
        found, versions = _race(stack, scale, arguments.rounds, calls)
        tasks = boot_race.operations(scale)
    figures = results.Results(tasks, found, boot_race.budgets(),
                              usage.MEASURES)
    report.write(figures, versions,
                 plot.measures_of_each(figures, _TITLE, _PLOTTED))
    print('\n' + boot_race.describe(calls))


def _race(stack: contextlib.ExitStack, scale: tenant.Scale, rounds: int,
          calls: boot_race.Calls
          ) -> tuple[race.Found, dict[str, str]]:
    try:
        tenants = [tenant.Tenant(stack.enter_context(boot_cloud.Cloud(
            name, scale.images)), scale) for name in boot_cloud.CONTENDERS]
    except unittest.SkipTest as error:
        raise race.Broken(str(error)) from error
    for one in tenants:
        one.prepare()
    runner = boot_race.Race(tenants)
    found = runner.run(rounds)
    calls.update(runner.calls)
    return found, tenants[0].cloud.versions()


def _random(path: pathlib.Path, size: int) -> pathlib.Path:
    """Create a file of random bytes."""
    with open(path, 'wb') as stream:
        for _ in range(size // _MIB):
            stream.write(os.urandom(_MIB))
    return path


if __name__ == '__main__':
    sys.exit(main())
