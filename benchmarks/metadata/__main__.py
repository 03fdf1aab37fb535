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

"""Compares how nova_image and its peers show and list images."""

import argparse
import sys

from benchmarks.metadata import contenders
from benchmarks.metadata import measure
from benchmarks.metadata import operations

_BENCHMARK = measure.Benchmark(
    'Image metadata: nova_image and its peers on one Glance 33',
    'benchmarks.metadata.worker', contenders.KINDS, operations.operations,
    operations.BUDGETS)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    return measure.parse_arguments('metadata', (
        'Compare how nova_image, the image code of Nova 34, '
        'python-glanceclient and openstacksdk show and list images of a '
        'real Glance 33, which this command starts on 127.0.0.1.'))


def main() -> int:
    """Run the benchmark.

    :returns: exit code
    """
    return _BENCHMARK.main(parse_arguments())


if __name__ == '__main__':
    sys.exit(main())
