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

"""Compares the start of command lines."""

import argparse
import contextlib
import pathlib
import sys
import tempfile

from benchmarks.common import command
from benchmarks.common import plot
from benchmarks.common import results
from benchmarks.startup import cloud
from benchmarks.startup import programs

_TITLE = 'Start of command lines: nova-image and its peers'
_MEASURES = ('wall', 'cpu', 'memory')


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = command.parser('startup', (
        'Compare how long nova-image, openstack and glance take to show '
        'their version and their help, and to list and show images of a '
        'real Glance 33, which this command starts on 127.0.0.1.'))
    parser.set_defaults(rounds=20)
    return parser.parse_args()


def main() -> int:
    """Run the benchmark.

    :returns: exit code
    """
    arguments = parse_arguments()

    def measure() -> None:
        report = command.Report(arguments)
        found, versions = _measure(arguments.rounds, arguments.keep)
        report.write(found, versions, _layout())

    return command.run(measure)


def _measure(rounds: int, keep: bool
             ) -> tuple[results.Results, dict[str, str]]:
    with contextlib.ExitStack() as stack:
        virtualenv = stack.enter_context(programs.virtualenv())
        home = stack.enter_context(tempfile.TemporaryDirectory())
        place = stack.enter_context(cloud.Cloud(keep))
        starts = programs.Starts(virtualenv.bin, pathlib.Path(home), place)
        found = starts.run(rounds)
        return (results.Results(programs.OPERATIONS, found,
                                programs.BUDGETS), starts.versions())


def _layout() -> plot.Layout:
    """Return a row for each operation, without requests."""
    return plot.Layout(_TITLE, ('Wall clock', 'CPU', 'Memory'), tuple(
        plot.Row(operation.title, tuple(
            (operation.name, measure) for measure in _MEASURES))
        for operation in programs.OPERATIONS))


if __name__ == '__main__':
    sys.exit(main())
