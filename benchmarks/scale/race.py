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

"""Measures the points of a curve, in turn with all contenders."""

import collections.abc
import os
import pathlib
import time
import typing

from benchmarks.common import race
from benchmarks.common import results
from benchmarks.scale import cloud as scale_cloud
from benchmarks.scale import curves
from benchmarks.scale import figures
from benchmarks.transfer import files

#: Contender -> measures of each round.
Rounds = dict[str, list[race.Measures]]


class Race(race.Race):
    """All contenders on one cloud, at one point of a curve after the other.

    Before a download the image's data is in the page cache, as far as that
    has room, the destination does not exist, and all earlier writes are on
    disk.
    """

    def __init__(self, cloud: scale_cloud.Cloud,
                 names: collections.abc.Iterable[str],
                 start: dict[str, typing.Any], keep: bool = False) -> None:
        """Describe a race.

        :param cloud: the cloud, already set up
        :param names: the contenders
        :param start: arguments of their workers' ``start``
        :param keep: whether to keep the contenders' logs
        """
        super().__init__('benchmarks.scale.worker',
                         dict.fromkeys(names, start), cloud.glance, keep)
        self._cloud = cloud

    def curve(self, curve: curves.Curve, points: list[int], rounds: int,
              patience: float, known: figures.Points
              ) -> collections.abc.Iterator[tuple[int, Rounds]]:
        """Measure a curve.

        :param curve: the curve
        :param points: its points, ascending
        :param rounds: the number of rounds
        :param patience: seconds that a contender may need at a point; others
            than nova_image are left out if they need more
        :param known: points that need not be measured
        :returns: yields each point, and contender -> measures of each round
        """
        found = dict(known)
        for x in points:
            if x in found:
                continue
            before = {place: found[place] for place in sorted(found)
                      if place < x}
            names = [name for name in self._starts
                     if name in curve.contenders
                     and (name == results.OURS
                          or expected(before, name, x) <= patience)]
            with curve.task(self._cloud, x) as (task, image_id, paths):
                found[x] = self._point(
                    '%s, %d %s' % (curve.title, x, curve.axis), names,
                    task | {'source': image_id, 'written': paths}, rounds,
                    patience)
            yield x, found[x]

    def _point(self, title: str, names: list[str],
               task: dict[str, typing.Any], rounds: int,
               patience: float) -> Rounds:
        """Measure a point; without other rounds if these take too long."""
        found: Rounds = {name: [] for name in names}
        began = time.monotonic()
        for number in range(rounds):
            if number and time.monotonic() - began > patience:
                break
            race.say('Round %d of %d: %s' % (number + 1, rounds, title))
            for contender in self._turns(names, number):
                found[contender.name].append(
                    self._measure(contender, task))
        return found

    def _turns(self, names: list[str], number: int) -> list[race.Contender]:
        chosen = [contender for contender in self.contenders
                  if contender.name in names]
        first = number % len(chosen)
        return chosen[first:] + chosen[:first]

    def _measure(self, contender: race.Contender,
                 task: dict[str, typing.Any]) -> dict[str, typing.Any]:
        task = dict(task)
        source, written = task.pop('source'), task.pop('written')
        if source is None:
            return self._with_glance(contender, task)
        path = self._cloud.store / source
        files.read(path)
        os.sync()
        answer = self._with_glance(contender, task)
        for name in written:
            if not files.equal(path, pathlib.Path(name)):
                raise race.Broken('The download of %s differs from the image.'
                                  % contender.name)
            os.unlink(name)
        return answer

    def _with_glance(self, contender: race.Contender,
                     task: dict[str, typing.Any]) -> dict[str, typing.Any]:
        """Return the measures, and those of Glance for one time."""
        began = _cpu(self._glance.pids)
        measures = super()._measure(contender, task)
        glance = _cpu(self._glance.pids) - began
        times = task.get('times', 1)
        return measures | {'requests': measures['requests'] / times,
                           'glance': glance / times}


def _cpu(pids: list[int]) -> float:
    """Return the CPU seconds of all threads of some processes.

    They are precise: those of /proc/PID/stat are multiples of 10 ms.
    """
    return sum(int(path.read_text().split()[0]) for pid in pids
               for path in pathlib.Path('/proc/%d/task' % pid).glob(
                   '*/schedstat')) / 1e9


def expected(found: figures.Points, name: str, x: int) -> float:
    """Return the seconds that a contender will need at the next point.

    As much for each as at the last point, or more if that has increased.

    :param found: the points that have been measured
    :param name: the contender
    :param x: the next point
    :returns: seconds; infinite if it was left out of the last point
    """
    if not found:
        return 0.0
    walls = [min(one['wall'] for one in rounds[name])
             if name in rounds else float('inf')
             for rounds in found.values()]
    places = list(found)
    wall = walls[-1] * x / places[-1]
    if len(walls) > 1:
        each = [walls[-2] / places[-2], walls[-1] / places[-1]]
        wall *= max(1.0, each[1] / each[0])
    return wall
