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
import dataclasses
import sys

from benchmarks.common import race
from benchmarks.metadata import measure
from benchmarks.metadata import operations

_REPORTS = 10000


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    return measure.parse_arguments('metrics', (
        'Compare how nova_image shows and lists images of a real Glance 33, '
        'which this command starts on 127.0.0.1, without metrics and with '
        'each back end.'))


def main() -> int:
    """Run the benchmark.

    :returns: exit code
    """
    return _BENCHMARK.main(parse_arguments())


def _tasks(image_ids: list[str], shows: int) -> list[race.Operation]:
    """Return the operations, relative to nova_image without metrics."""
    tasks = operations.operations(image_ids, shows)[:2]
    tasks.append(race.Operation(
        'report', 'report %d shows, without requests' % _REPORTS,
        ({'task': 'report', 'times': _REPORTS},)))
    return [dataclasses.replace(task, standard='off') for task in tasks]


_BENCHMARK = measure.Benchmark(
    'Metrics: nova_image without them and with each back end',
    'benchmarks.metrics.worker', ('off', 'prometheus', 'statsd'), _tasks)


if __name__ == '__main__':
    sys.exit(main())
