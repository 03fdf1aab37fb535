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

"""A process with the code of a Nova's virt drivers."""

import atexit
import collections.abc
import contextlib
import functools
import json
import pathlib
import subprocess
import typing

from nova_image.tests.fixtures import base
from nova_image.tests.fixtures import nova_daemon
from nova_image.tests.fixtures import paths
from nova_image.tests.fixtures import processes
from nova_image.tests.fixtures import records
from nova_image.tests.fixtures import services
from nova_image.tests.fixtures import virtualenvs

_CLONE = pathlib.Path(__file__).resolve().parents[3]
_INSIDE = records.INSIDE / 'virt'

_running = contextlib.ExitStack()
atexit.register(_running.close)


class NovaError(Exception):
    """A call has raised an exception.

    :ivar kind: the name of its class
    """

    def __init__(self, kind: str, message: str) -> None:
        """Keep the name."""
        super().__init__('%s: %s' % (kind, message))
        self.kind = kind


class NovaProcess(base.Fixture):
    """Code of Nova's virt drivers, in a process of Nova's Python.

    :ivar folder: where it keeps its files
    """

    def __init__(self, virtualenv: virtualenvs.Virtualenv, module: str,
                 options: services.Sections) -> None:
        """Describe it; it starts when the fixture is set up.

        :param virtualenv: with Nova
        :param module: the name of a module in ``inside/virt``
        :param options: section -> option -> value of nova.conf
        """
        super().__init__()
        self.folder: pathlib.Path
        self._virtualenv = virtualenv
        self._module = module
        self._options = options
        self._process: subprocess.Popen[str]

    def _setUp(self) -> None:
        self.useFixture(self._virtualenv)
        self.folder = self.useFixture(paths.RunFolder(self._module)).path
        config = self.folder / 'nova.conf'
        nova_daemon.write_nova_conf(config, paths.merge({
            'DEFAULT': {'transport_url': 'fake:///'}}, self._options))
        log = (self.folder / 'log').open('w')
        self.addCleanup(log.close)
        self._process = subprocess.Popen(
            [self._virtualenv.bin / 'python', _INSIDE / 'runner.py', config,
             self._module], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=log, text=True, env=processes.clean_environment({
                'PYTHONPATH': '%s:%s' % (_CLONE, _INSIDE),
                'PYTHONWARNINGS': 'ignore', **self._virtualenv.bytecode}))
        self.addCleanup(self._end)

    def _end(self) -> None:
        self._process.communicate(timeout=60)

    def call(self, function: str, project: str = 'demo',
             **kwargs: typing.Any) -> typing.Any:
        """Call a function of the module, and return its value.

        :param function: its name
        :param project: ID of the caller's project
        :param kwargs: its arguments, any JSON
        :raises NovaError: if it raises an exception
        """
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({
            'call': function, 'project': project, 'kwargs': kwargs}) + '\n')
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError('Nova has ended:\n' + processes.tail(
                self.folder / 'log'))
        answer = json.loads(line)
        if 'error' in answer:
            raise NovaError(answer['error'], answer['message'])
        return answer['value']


def once(make: collections.abc.Callable[[], NovaProcess]
         ) -> collections.abc.Callable[[], NovaProcess]:
    """Make a function start its process once and keep it running."""
    @functools.lru_cache(maxsize=1)
    def started() -> NovaProcess:
        return _running.enter_context(make())

    return started
