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

"""Measures how the cost of nova_image and its peers grows, and its bends."""

import argparse
import collections.abc
import os
import shutil
import sys
import time

from benchmarks.common import command
from benchmarks.common import race as common_race
from benchmarks.common import results
from benchmarks.scale import charts
from benchmarks.scale import cloud as scale_cloud
from benchmarks.scale import curves
from benchmarks.scale import figures
from benchmarks.scale import options
from benchmarks.scale import race
from benchmarks.scale import tables
from benchmarks.transfer import speeds as machine_speeds
from nova_image.tests.fixtures import paths

# Bytes for services and virtualenvs.
_RESERVE = 512 * 1024 ** 2


def main() -> int:
    """Run the benchmark.

    :returns: exit code
    """
    arguments = options.parse()
    return command.run(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> None:
    found = figures.Figures()
    if arguments.draw or arguments.resume and arguments.json.exists():
        found = figures.read(arguments.json)
    if not arguments.draw:
        _measure(arguments, found)
    for path in (arguments.plots, arguments.rst.parent):
        path.mkdir(parents=True, exist_ok=True)
    drawn = charts.draw(found, arguments.plots)
    arguments.rst.write_text(tables.rst(found))
    print(tables.text(found))
    print('\n'.join(map(str, ['', arguments.json, arguments.rst, *drawn])))


def _measure(arguments: argparse.Namespace, found: figures.Figures) -> None:
    """Measure all curves on the clouds that they need.

    :param arguments: the arguments
    :param found: adds the figures to these, and writes all after each point
    """
    _check_space(arguments)
    began = time.monotonic()
    found.facts |= {
        'machine': results.machine(), 'load': os.getloadavg()[0],
        'speeds': machine_speeds.measure(paths.cache())._asdict(),
        'rounds': arguments.rounds}
    chosen = [curves.CURVES[name] for name in arguments.only]
    for workers in sorted({curve.workers for curve in chosen}):
        mine = [curve for curve in chosen if curve.workers == workers]
        for figure in _on_cloud(arguments, workers, mine, found):
            found.add(figure)
            found.facts['seconds'] = round(time.monotonic() - began)
            found.write(arguments.json)


def _on_cloud(arguments: argparse.Namespace, workers: int,
              chosen: list[curves.Curve], known: figures.Figures
              ) -> collections.abc.Iterator[figures.Figures]:
    """Measure curves on one cloud, and yield the figures of each point.

    Points that are known are left out.
    """
    limits = curves.Limits(arguments.max_images, arguments.max_size,
                           arguments.max_parallel)
    common_race.say('Starting Keystone and Glance')
    with scale_cloud.Cloud(workers, arguments.keep) as place:
        start = {'auth': place.keystone.auth_options('demo'),
                 'image_id': place.add_data(scale_cloud.WARM),
                 'path': place.path(0)}
        for curve in chosen:
            names = [name for name in (results.OURS, *arguments.peers)
                     if name in curve.contenders]
            # New processes: the memory of one curve would hide the next.
            with race.Race(place, names, start, arguments.keep) as runners:
                for x, rounds in runners.curve(
                        curve, curve.within(limits), arguments.rounds,
                        arguments.patience,
                        known.curves.get(curve.name, {})):
                    yield figures.Figures({'versions': runners.versions},
                                          {curve.name: {x: rounds}})


def _check_space(arguments: argparse.Namespace) -> None:
    """Check that there is enough disk space for an image and its copy.

    :raises Broken: if there is not enough space
    """
    most = [0]
    if 'download' in arguments.only:
        most.append(2 * arguments.max_size)
    if 'downloads' in arguments.only:
        most.append(curves.PARALLEL_SIZE * (arguments.max_parallel + 1))
    needed = max(most) + _RESERVE
    free = shutil.disk_usage(paths.cache()).free
    if free < needed:
        raise common_race.Broken(
            '%s has %.1f GiB of free space, but %.1f GiB are needed. Choose '
            'smaller points (--max-size, --max-parallel), or set '
            'NOVA_IMAGE_CACHE to a folder with more space.' % (
                paths.cache(), free / 1024 ** 3, needed / 1024 ** 3))


if __name__ == '__main__':
    sys.exit(main())
