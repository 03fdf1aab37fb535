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

"""Prints the figures of several runs in one table."""

import argparse
import pathlib
import sys

from benchmarks.common import confidence
from benchmarks.common import results
from benchmarks.table import figures

_BEFORE = pathlib.Path(__file__).parent / 'before.json'


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='./run_benchmarks.sh table',
        description=(
            'Print the figures of one or more runs as a table in '
            'reStructuredText: medians of the runs with the lowest and the '
            'highest, aims, and what they were before. A folder has the JSON '
            'files of one run, as --json of a benchmark writes them.'))
    parser.add_argument('folders', nargs='+', type=pathlib.Path,
                        metavar='FOLDER', help='the folder of a run')
    parser.add_argument(
        '--before', type=pathlib.Path, metavar='PATH', default=_BEFORE,
        help='file with the earlier figures (default: %(default)s)')
    parser.add_argument(
        '--record', type=pathlib.Path, metavar='PATH',
        help='also record the figures in a file, for --before')
    return parser.parse_args()


def main() -> int:
    """Print the table.

    :returns: exit code: 0, or 2 if a file cannot be used
    """
    arguments = parse_arguments()
    try:
        found = figures.collect(map(figures.read, arguments.folders))
        _, before = confidence.read(arguments.before)
    except (figures.Unusable, confidence.Unusable) as error:
        print(error, file=sys.stderr)
        return 2
    print(figures.rst(found, before))
    if arguments.record:
        confidence.write(arguments.record, results.machine(), {
            str(one.key): one.ratio for one in found})
    return 0


if __name__ == '__main__':
    sys.exit(main())
