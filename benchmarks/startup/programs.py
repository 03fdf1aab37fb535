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
import subprocess
import typing

from benchmarks.common import process
from benchmarks.common import race
from benchmarks.common import results
from benchmarks.startup import cloud
from nova_image.tests import fixtures
from nova_image.tests.fixtures import processes
from nova_image.tests.fixtures import virtualenvs

OPENSTACK, GLANCE = 'openstackclient', 'glanceclient'
#: Python without a program: no program in Python can start faster.
FLOOR = 'bare Python'

_VARIABLES, _CLOUD = 'with OS_* variables', 'with OS_CLOUD'
#: Contender -> its program.
_PROGRAMS = {results.OURS: 'nova-image', OPENSTACK: 'openstack',
             GLANCE: 'glance'}
#: Operation -> contender -> arguments. {id} is the ID of an image.
_LIST = {results.OURS: ['list'], OPENSTACK: ['image', 'list'],
         GLANCE: ['image-list']}
_SHOW = {results.OURS: ['show', '{id}'], OPENSTACK: ['image', 'show', '{id}'],
         GLANCE: ['image-show', '{id}']}
_ARGUMENTS = {
    'version': dict.fromkeys(_PROGRAMS, ['--version']),
    'help': dict.fromkeys(_PROGRAMS, ['--help']),
    'list': _LIST, 'show': _SHOW, 'list-cloud': _LIST, 'show-cloud': _SHOW}
OPERATIONS = [
    race.Operation('version', 'start with --version', ({},), OPENSTACK),
    race.Operation('help', 'start with --help', ({},), OPENSTACK),
    race.Operation('list', 'list two images, %s' % _VARIABLES, ({},),
                   OPENSTACK),
    race.Operation('show', 'show an image, %s' % _VARIABLES, ({},),
                   OPENSTACK),
    race.Operation('list-cloud', 'list two images, %s' % _CLOUD, ({},),
                   OPENSTACK),
    race.Operation('show-cloud', 'show an image, %s' % _CLOUD, ({},),
                   OPENSTACK),
]
BUDGETS = (
    results.Budget('version', 'wall', 0.4, OPENSTACK),
    results.Budget('version', 'wall', 0.6, GLANCE),
    *(results.Budget(operation + suffix, 'cpu', limit, against)
      for suffix, limits in (('', (0.6, 0.35)), ('-cloud', (0.8, 0.45)))
      for operation in ('list', 'show')
      for against, limit in zip((GLANCE, OPENSTACK), limits, strict=True)),
)
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

    def __init__(self, programs: pathlib.Path, home: pathlib.Path,
                 place: cloud.Cloud) -> None:
        """Prepare to start programs.

        :param programs: the folder with the programs
        :param home: an empty folder, for their caches and as the current one
        :param place: the cloud, already set up
        """
        self._programs = programs
        self._home = home
        self._place = place
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
        arguments = _ARGUMENTS[operation]
        found = {name: [program, *(argument.format(id=self._place.image_id)
                                   for argument in arguments[name])]
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
        marks = [service.mark() for service in self._services]
        status, said, found = process.measure(
            self._programs / 'python', [path, *argv],
            self._environment_of(operation, name), self._home)
        expected = self._place.expected[operation]
        if status or name != FLOOR and not expected.is_in(said):
            raise race.Broken('%s %s failed: %s' % (
                program, ' '.join(argv), said.decode(errors='replace')))
        requests = sum(len(service.requests(mark)) for service, mark in zip(
            self._services, marks, strict=True))
        return found | {'requests': requests}

    @property
    def _services(self) -> tuple[typing.Any, typing.Any]:
        return self._place.services.keystone, self._place.services.glance

    def _environment_of(self, operation: str, name: str) -> dict[str, str]:
        """Return the environment of a program.

        python-glanceclient does not know OS_CLOUD: it always has variables.
        """
        if name == GLANCE:
            operation = operation.removesuffix('-cloud')
        return self._environment | self._place.environments[operation]

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
