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

"""Runs the contenders, each in its own process, in turn."""

import collections.abc
import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import typing

from nova_image.tests import fixtures
from nova_image.tests.fixtures import base
from nova_image.tests.fixtures import processes

ROOT = pathlib.Path(__file__).resolve().parents[2]
MEASURES = ('wall', 'cpu', 'requests', 'memory')
#: The seconds of a call, which half or 99 % of them do not exceed, and the
#: number of connections that were opened.
MANY_CALLERS = ('p50', 'p99', 'connections')
#: The contender that ratios are relative to by default.
STANDARD = 'Nova'

# python -m would put the clone before the installed packages, and with it the
# entry points that an earlier installation may have left in the clone.
_LAUNCH = ('import runpy, sys; sys.path.append(sys.argv.pop(1)); '
           'runpy.run_module(sys.argv.pop(1), None, "__main__", True)')

#: Measure -> value. Units: seconds, seconds, a number, bytes.
Measures = dict[str, float]
#: Operation -> contender -> measures of each round.
Found = dict[str, dict[str, list[Measures]]]


class Broken(Exception):
    """A contender failed, or the benchmark cannot run."""


@dataclasses.dataclass(frozen=True)
class Operation:
    """An operation of all contenders.

    ``turns`` are the tasks of one round. After each task it is the next
    contender's turn. ``standard`` is the contender that ratios are relative
    to.
    """

    name: str
    title: str
    turns: tuple[dict[str, typing.Any], ...]
    standard: str = STANDARD


def virtualenv() -> fixtures.Virtualenv:
    """Return the virtualenv of all contenders.

    :returns: the fixture, not set up
    """
    # The virtualenv has the installed entry points: rebuild it if they change.
    installed = hashlib.sha256((ROOT / 'setup.cfg').read_bytes()).hexdigest()
    return fixtures.Virtualenv(
        'peers', ['nova==34.0.0', 'openstacksdk', 'python-glanceclient',
                  '--editable=%s' % ROOT],
        constraints=['# setup.cfg %s' % installed])


class Contender(base.Fixture):
    """The process of a contender.

    :ivar name: the contender's name
    :ivar facts: the answer to its first task, ``start``
    """

    def __init__(self, name: str, argv: list[str], log: pathlib.Path,
                 start: dict[str, typing.Any],
                 env: dict[str, str] | None = None) -> None:
        """Describe a contender; it starts when the fixture is set up.

        :param name: the contender's name
        :param argv: the command that runs its worker
        :param log: the file to which its output is appended
        :param start: arguments of the worker's ``start``
        :param env: variables to add to its environment
        """
        super().__init__()
        self.name = name
        self.facts: dict[str, typing.Any] = {}
        self._argv = argv
        self._log = log
        self._start = start
        self._env = env
        self._process: subprocess.Popen[str]

    def _setUp(self) -> None:
        with open(self._log, 'ab') as log:
            self._process = subprocess.Popen(
                self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=log, cwd=ROOT, text=True, start_new_session=True,
                env=processes.clean_environment(self._env))
        self.addCleanup(self._stop)
        self.facts = self.do({'task': 'start', **self._start})

    def do(self, task: dict[str, typing.Any]) -> dict[str, typing.Any]:
        """Run a task, and return its result.

        :param task: the name of the worker's method, and its arguments
        :returns: the result of the method
        :raises Broken: if it fails
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
        # The whole group: a worker may have started a program.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()


class Race(base.Fixture):
    """All contenders on one cloud.

    :ivar contenders: the contenders in the order of the tables
    """

    def __init__(self, module: str, starts: dict[str, dict[str, typing.Any]],
                 glance: fixtures.Glance, keep: bool = False,
                 env: dict[str, str] | None = None) -> None:
        """Describe a race; its processes start when it is set up.

        :param module: the worker's module, whose argument is a contender's
            name
        :param starts: contender -> arguments of its worker's ``start``
        :param glance: the Glance that counts requests, already set up
        :param keep: whether to keep the contenders' logs
        :param env: variables to add to the environment of the processes
        """
        super().__init__()
        self._module = module
        self._starts = starts
        self._glance = glance
        self._keep = keep
        self._env = env
        self.contenders: list[Contender] = []

    def _setUp(self) -> None:
        python = self.useFixture(virtualenv()).bin / 'python'
        folder = self.useFixture(
            fixtures.RunFolder('benchmark', self._keep)).path
        for name, start in self._starts.items():
            say('Starting %s' % name)
            log = folder / (name.replace(' ', '-') + '.log')
            self.contenders.append(self.useFixture(Contender(
                name, [str(python), '-P', '-c', _LAUNCH, str(ROOT),
                       self._module, name], log, start, self._env)))

    @property
    def versions(self) -> dict[str, str]:
        """The versions of all measured programs, by name."""
        return {name: version for contender in self.contenders
                for name, version in contender.facts['versions'].items()}

    def run(self, tasks: list[Operation], rounds: int) -> Found:
        """Run all operations with all contenders, in a changing order.

        :param tasks: the operations
        :param rounds: the number of rounds
        """
        found: Found = {
            operation.name: {name: [] for name in self._starts}
            for operation in tasks}
        # One operation at a time: the memory that a listing leaves in a
        # process would hide the memory of a show.
        for operation in tasks:
            for number in range(rounds):
                say('Round %d of %d: %s' % (
                    number + 1, rounds, operation.title))
                for name, measures in self._round(operation, number).items():
                    found[operation.name][name].append(measures)
        return found

    def _round(self, operation: Operation, number: int
               ) -> dict[str, Measures]:
        sums = {name: dict.fromkeys(MEASURES, 0.0) for name in self._starts}
        for turn, task in enumerate(operation.turns, number):
            for contender in _rotated(self.contenders, turn):
                _add(sums[contender.name], self._measure(contender, task))
        return sums

    def _measure(self, contender: Contender,
                 task: dict[str, typing.Any]) -> dict[str, typing.Any]:
        """Run a task; return its measures and the rest of its result."""
        mark = self._glance.mark()
        answer = contender.do(task)
        return answer | {'requests': len(self._glance.requests(mark))}


def _rotated(items: list[Contender], by: int
             ) -> collections.abc.Sequence[Contender]:
    first = by % len(items)
    return items[first:] + items[:first]


def _add(total: Measures, measures: Measures) -> None:
    """Add the measures of a turn.

    Memory and what only many callers have are the maximum of all turns.
    """
    for name in ('wall', 'cpu', 'requests'):
        total[name] += measures[name]
    for name in ('memory', *MANY_CALLERS):
        if name in measures:
            total[name] = max(total.get(name, 0.0), measures[name])


def say(line: str) -> None:
    """Report progress on stderr."""
    print(line, file=sys.stderr, flush=True)
