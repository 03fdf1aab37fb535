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

"""The contenders, each in its process, take turns at the operations."""

import collections.abc
import contextlib
import dataclasses
import hashlib
import json
import pathlib
import random
import subprocess
import sys
import typing

from benchmarks.metadata import cloud
from benchmarks.metadata import contenders
from nova_image.tests import fixtures
from nova_image.tests.fixtures import base
from nova_image.tests.fixtures import processes

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = tuple(contenders.KINDS)
MEASURES = ('wall', 'cpu', 'requests', 'memory')
# How many images one contender shows before it is the next one's turn.
_TURN = 25
_PAGE_SIZE = 1000

#: Measure -> value: seconds, seconds, a number, bytes.
Measures = dict[str, float]


class Broken(Exception):
    """A contender did not do what it was asked to."""


@dataclasses.dataclass(frozen=True)
class Operation:
    """Something that all contenders do.

    ``turns`` are the tasks of one round, done one at a time in turn with the
    other contenders.
    """

    name: str
    title: str
    turns: tuple[dict[str, typing.Any], ...]


def operations(image_ids: list[str], shows: int) -> list[Operation]:
    """Return what is measured.

    :param image_ids: all images
    :param shows: how many of them to show in one round
    """
    wanted = random.Random(1).sample(image_ids, min(shows, len(image_ids)))
    lists = {'task': 'detail', 'images': len(image_ids)}
    return [
        Operation('show', 'show %d images, one by one' % len(wanted), tuple(
            {'task': 'show', 'image_ids': wanted[start:start + _TURN]}
            for start in range(0, len(wanted), _TURN))),
        Operation('detail', 'list %d images' % len(image_ids),
                  (lists | {'page_size': None},)),
        Operation('detail-%d' % _PAGE_SIZE,
                  'list %d images, all asked for pages of %d' % (
                      len(image_ids), _PAGE_SIZE),
                  (lists | {'page_size': _PAGE_SIZE},)),
    ]


def virtualenv() -> fixtures.Virtualenv:
    """Return the virtualenv in which all contenders run.

    :returns: the fixture, not set up
    """
    # Entry points are installed: when they change, so is the virtualenv.
    installed = hashlib.sha256((ROOT / 'setup.cfg').read_bytes()).hexdigest()
    return fixtures.Virtualenv(
        'peers', ['nova==34.0.0', 'openstacksdk', 'python-glanceclient',
                  '--editable=%s' % ROOT],
        constraints=['# setup.cfg %s' % installed])


class Contender(base.Fixture):
    """A contender's process, from set-up to clean-up.

    :ivar name: one of NAMES
    :ivar facts: what it said when it was ready
    """

    def __init__(self, name: str, python: pathlib.Path, log: pathlib.Path,
                 start: dict[str, typing.Any]) -> None:
        """Describe a contender; it is started when the fixture is set up.

        :param name: one of NAMES
        :param python: the interpreter
        :param log: the file that gets what it has to say
        :param start: arguments of worker.Worker.start
        """
        super().__init__()
        self.name = name
        self.facts: dict[str, typing.Any] = {}
        self._argv = [str(python), '-m', 'benchmarks.metadata.worker', name]
        self._log = log
        self._start = start
        self._process: subprocess.Popen[str]

    def _setUp(self) -> None:
        with open(self._log, 'ab') as log:
            self._process = subprocess.Popen(
                self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=log, cwd=ROOT, text=True, start_new_session=True,
                env=processes.clean_environment())
        self.addCleanup(self._stop)
        self.facts = self.do({'task': 'start', **self._start})

    def do(self, task: dict[str, typing.Any]) -> dict[str, typing.Any]:
        """Have a task done.

        :param task: method of worker.Worker, and its arguments
        :returns: what the method returned
        :raises Broken: it failed
        """
        assert self._process.stdin and self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(task), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise Broken('%s failed at the task %s. The end of %s:\n%s' % (
                self.name, task['task'], self._log,
                processes.tail(self._log)))
        return json.loads(answer)

    def _stop(self) -> None:
        self._process.kill()
        self._process.communicate()


class Race(base.Fixture):
    """All contenders on one cloud.

    :ivar contenders: they, in the order of NAMES
    """

    def __init__(self, place: cloud.Cloud, keep: bool = False) -> None:
        """Describe a race; its processes start when it is set up.

        :param place: the cloud, set up
        :param keep: whether the contenders' logs stay
        """
        super().__init__()
        self._cloud = place
        self._keep = keep
        self.contenders: list[Contender] = []

    def _setUp(self) -> None:
        python = self.useFixture(virtualenv()).bin / 'python'
        folder = self.useFixture(
            fixtures.RunFolder('benchmark', self._keep)).path
        start = {'auth': self._cloud.keystone.auth_options('demo'),
                 'image_id': self._cloud.image_ids[0]}
        for name in NAMES:
            _say('starting %s' % name)
            self.contenders.append(self.useFixture(Contender(
                name, python, folder / (name + '.log'), start)))

    def run(self, tasks: list[Operation], rounds: int
            ) -> dict[str, dict[str, list[Measures]]]:
        """Let everybody do everything, the order changing every turn.

        :param tasks: the operations
        :param rounds: how often
        :returns: operation -> contender -> measures of each round
        """
        found: dict[str, dict[str, list[Measures]]] = {
            operation.name: {name: [] for name in NAMES}
            for operation in tasks}
        # One operation after the other: what a listing leaves in a process
        # would hide what memory a show takes.
        for operation in tasks:
            for number in range(rounds):
                _say('%s: round %d of %d' % (
                    operation.title, number + 1, rounds))
                for name, measures in self._round(operation, number).items():
                    found[operation.name][name].append(measures)
        return found

    def _round(self, operation: Operation, number: int
               ) -> dict[str, Measures]:
        sums = {name: dict.fromkeys(MEASURES, 0.0) for name in NAMES}
        for turn, task in enumerate(operation.turns, number):
            for contender in _rotated(self.contenders, turn):
                _add(sums[contender.name], self._measure(contender, task))
        return sums

    def _measure(self, contender: Contender,
                 task: dict[str, typing.Any]) -> Measures:
        mark = self._cloud.glance.mark()
        measures = contender.do(task)
        return measures | {
            'requests': len(self._cloud.glance.requests(mark))}


def _rotated(items: list[Contender], by: int
             ) -> collections.abc.Sequence[Contender]:
    first = by % len(items)
    return items[first:] + items[:first]


def _add(total: Measures, measures: Measures) -> None:
    """Add a turn's measures; of memory the most counts."""
    for name in ('wall', 'cpu', 'requests'):
        total[name] += measures[name]
    total['memory'] = max(total['memory'], measures['memory'])


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
