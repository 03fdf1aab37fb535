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

"""The programs that start, and how one start is measured."""

import pathlib
import re
import subprocess

from benchmarks.common import race
from benchmarks.common import results
from nova_image.tests import fixtures
from nova_image.tests.fixtures import processes

OPENSTACK, GLANCE = 'openstackclient', 'glanceclient'
#: Python that does nothing: faster than this no program written in it is.
FLOOR = 'Python alone'

#: Contender -> its program.
_PROGRAMS = {results.OURS: 'nova-image', OPENSTACK: 'openstack',
             GLANCE: 'glance'}
#: Operation -> what the programs are asked, and have to say.
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
# Linux counts what a process had before it became the program among what the
# program had at the most, so a small one starts it.
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
    """Return the virtualenv that has all of the programs.

    :returns: the fixture, not set up
    """
    # Entry points are installed: when they change, so is the virtualenv.
    setup = (race.ROOT / 'setup.cfg').read_text().splitlines()
    return fixtures.Virtualenv(
        'programs', ['python-openstackclient', 'python-glanceclient',
                     '--editable=%s[cli]' % race.ROOT],
        constraints=['# ' + line for line in setup])


class Starts:
    """Programs of one virtualenv, each started again and again."""

    def __init__(self, programs: pathlib.Path, home: pathlib.Path) -> None:
        """Prepare.

        :param programs: the folder that they are in
        :param home: an empty one, for what they remember between starts
        """
        self._programs = programs
        self._environment = processes.clean_environment(
            {'HOME': str(home), 'PAGER': 'cat', 'COLUMNS': '80'})

    def versions(self) -> dict[str, str]:
        """Return the versions of all that is measured."""
        done = subprocess.run(
            [self._programs / 'python', '-c', _VERSIONS], text=True,
            capture_output=True, check=True, env=self._environment)
        return dict(line.split() for line in done.stdout.splitlines())

    def contenders(self, operation: str) -> dict[str, list[str]]:
        """Return whom to start, and their arguments."""
        question, _ = _QUESTIONS[operation]
        found = {name: [program, *question]
                 for name, program in _PROGRAMS.items()}
        return found | {FLOOR: ['python', '-c', 'pass']}

    def measure(self, operation: str, name: str) -> race.Measures:
        """Start a program once.

        :returns: its measures; of the memory all that it had at the most
        :raises race.Broken: when it fails, or says something else
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
        """Start everybody with everything, taking turns.

        :param rounds: how often
        """
        return {operation.name: self._run(operation, rounds)
                for operation in OPERATIONS}

    def _run(self, operation: race.Operation, rounds: int
             ) -> dict[str, list[race.Measures]]:
        names = list(self.contenders(operation.name))
        found: dict[str, list[race.Measures]] = {name: [] for name in names}
        race.say('%s: %d rounds' % (operation.title, rounds))
        for name in names:  # what is compiled and remembered is so by now
            self.measure(operation.name, name)
        for number in range(rounds):
            first = number % len(names)
            for name in names[first:] + names[:first]:
                found[name].append(self.measure(operation.name, name))
        return found
