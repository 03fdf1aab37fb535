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

"""The measured programs, and the measurement of one start."""

import pathlib
import re
import subprocess

from benchmarks.common import race
from benchmarks.common import results
from nova_image.tests import fixtures
from nova_image.tests.fixtures import processes
from nova_image.tests.fixtures import virtualenvs

OPENSTACK, GLANCE = 'openstackclient', 'glanceclient'
#: Python without a program: no program in Python can start faster.
FLOOR = 'bare Python'

#: Contender -> its program.
_PROGRAMS = {results.OURS: 'nova-image', OPENSTACK: 'openstack',
             GLANCE: 'glance'}
#: Operation -> arguments, and a pattern that the output must match.
_QUESTIONS = {
    'version': (['--version'], re.compile(rb'\d+\.\d+')),
    'help': (['--help'], re.compile(rb'usage: ')),
}
OPERATIONS = [
    race.Operation('version', 'start with --version', ({},), OPENSTACK),
    race.Operation('help', 'start with --help', ({},), OPENSTACK),
]
BUDGETS = (
    results.Budget('version', 'wall', 0.4, OPENSTACK),
    results.Budget('version', 'wall', 0.6, GLANCE),
)
# The peak memory of a program includes that of the process that it replaced,
# so a small process starts it.
_START = """
import os, sys, time
began = time.perf_counter()
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(pid, 0)
wall = time.perf_counter() - began
print('\\n%d %f %f %d' % (status, wall, used.ru_utime + used.ru_stime,
                         used.ru_maxrss))
"""
_VERSIONS = """
import importlib.metadata, platform
print('python', platform.python_version())
for name in ('nova_image', 'cliff', 'python-openstackclient',
             'python-glanceclient'):
    print(name, importlib.metadata.version(name))
"""


def virtualenv() -> fixtures.Virtualenv:
    """Return the virtualenv with all programs.

    :returns: the fixture, not set up
    """
    return virtualenvs.programs()


class Starts:
    """Starts the programs of a virtualenv repeatedly."""

    def __init__(self, programs: pathlib.Path, home: pathlib.Path) -> None:
        """Prepare to start programs.

        :param programs: the folder with the programs
        :param home: an empty folder, for their caches
        """
        self._programs = programs
        self._environment = processes.clean_environment(
            {'HOME': str(home), 'PAGER': 'cat', 'COLUMNS': '80'})

    def versions(self) -> dict[str, str]:
        """Return the versions of the measured programs, by name."""
        done = subprocess.run(
            [self._programs / 'python', '-c', _VERSIONS], text=True,
            capture_output=True, check=True, env=self._environment)
        return dict(line.split() for line in done.stdout.splitlines())

    def contenders(self, operation: str) -> dict[str, list[str]]:
        """Return the programs to start, with their arguments."""
        question, _ = _QUESTIONS[operation]
        found = {name: [program, *question]
                 for name, program in _PROGRAMS.items()}
        return found | {FLOOR: ['python', '-c', 'pass']}

    def measure(self, operation: str, name: str) -> race.Measures:
        """Start a program once.

        :param operation: the operation
        :param name: the contender's name
        :returns: its measures, with the peak of its memory
        :raises race.Broken: if it fails, or its output is unexpected
        """
        program, *argv = self.contenders(operation)[name]
        path = str(self._programs / program)
        done = subprocess.run(
            [self._programs / 'python', '-I', '-S', '-c', _START, path,
             *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=True, env=self._environment)
        said, _, figures = done.stdout.rstrip().rpartition(b'\n')
        status, wall, cpu, memory = figures.split()
        _, expected = _QUESTIONS[operation]
        if int(status) or name != FLOOR and not expected.search(said):
            raise race.Broken('%s %s failed: %s' % (
                program, ' '.join(argv), said.decode(errors='replace')))
        return {'wall': float(wall), 'cpu': float(cpu), 'requests': 0,
                'memory': int(memory) * 1024}

    def run(self, rounds: int) -> race.Found:
        """Run all operations of all programs, in turn.

        :param rounds: the number of rounds
        """
        return {operation.name: self._run(operation, rounds)
                for operation in OPERATIONS}

    def _run(self, operation: race.Operation, rounds: int
             ) -> dict[str, list[race.Measures]]:
        names = list(self.contenders(operation.name))
        found: dict[str, list[race.Measures]] = {name: [] for name in names}
        race.say('%d rounds: %s' % (rounds, operation.title))
        for name in names:  # warm up: compile modules and fill caches
            self.measure(operation.name, name)
        for number in range(rounds):
            first = number % len(names)
            for name in names[first:] + names[:first]:
                found[name].append(self.measure(operation.name, name))
        return found
