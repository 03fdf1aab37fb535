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

"""Compares snapshots of a disk in Ceph, by location and by upload."""

import argparse
import contextlib
import sys
import unittest

from benchmarks.common import command
from benchmarks.common import race as common_race
from benchmarks.common import results
from benchmarks.snapshot import cloud
from benchmarks.snapshot import contenders
from benchmarks.snapshot import race
from nova_image.tests import fixtures
from nova_image.tests.fixtures import debian
from nova_image.tests.fixtures import libvirt
from nova_image.tests.fixtures import paths

#: qemu-img, and its support for disks in Ceph.
_QEMU = ('qemu-utils', *libvirt.CEPH_PACKAGES)
_TITLE = 'Snapshots of a disk in Ceph: by location, and by upload'
#: At most a fifth of the time of each upload.
_BUDGETS = tuple(results.Budget('snapshot', 'wall', 0.2, name)
                 for name in contenders.UPLOADS)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = command.parser('snapshot', (
        'Compare how long nova_image and Nova 34 take for a snapshot of a '
        'disk in Ceph, by location and by upload, with a real Ceph and a '
        'real Glance 33, which this command starts on 127.0.0.1.'))
    command.add_numbers(
        parser, 'MIB',
        ('disk', 4096, 'size of the disk in MiB'),
        ('data', 64, 'size of its data in MiB'))
    return parser.parse_args()


def main() -> int:
    """Run the benchmark.

    :returns: exit code
    """
    return command.main(parse_arguments(), _TITLE, _measure, 'disk', 'data')


def _measure(arguments: argparse.Namespace
             ) -> tuple[results.Results, dict[str, str]]:
    with contextlib.ExitStack() as stack:
        common_race.say('Starting Ceph, Keystone and Glance')
        try:
            debian.require(_QEMU)
            stack.enter_context(fixtures.CephBindings())
        except unittest.SkipTest as error:
            raise common_race.Broken(str(error)) from error
        ceph = stack.enter_context(fixtures.Ceph())
        place = stack.enter_context(cloud.Cloud(
            ceph, arguments.disk, arguments.data, arguments.keep))
        runners = stack.enter_context(race.Race(
            place, arguments.keep,
            {'PYTHONPATH': str(paths.below('bindings'))}))
        tasks = [common_race.Operation(
            'snapshot', 'snapshot of a disk of %d MiB with %d MiB of data' % (
                arguments.disk, arguments.data),
            ({'task': 'snapshot'},), contenders.STANDARD)]
        found = runners.run(tasks, arguments.rounds)
        return results.Results(tasks, found, _BUDGETS), runners.versions


if __name__ == '__main__':
    sys.exit(main())
