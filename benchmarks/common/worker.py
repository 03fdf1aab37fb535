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


"""Measures one contender in a process of its own.

Runs in the virtualenv of the peers. Each line that it reads is a JSON object,
a task, and is answered by one line. The first task has the user's password,
so it is not an argument that everybody could see. The end of the input is the
end of the process.
"""

import collections.abc
import contextlib
import gc
import importlib.metadata
import json
import os
import pathlib
import platform
import resource
import sys
import time
import typing

from keystoneauth1.identity import v3
from keystoneauth1 import session as ks_session

_PACKAGES = ('nova', 'python-glanceclient', 'openstacksdk', 'keystoneauth1',
             'requests', 'urllib3')
_PROC = pathlib.Path('/proc')

#: Makes a client, and warms it.
Prepare = collections.abc.Callable[[v3.Password, ks_session.Session], object]


def memory(name: str, process: str | int = 'self') -> int:
    """Return a figure of a process's memory, in bytes.

    :param name: VmRSS is what it has, VmHWM the most that it had
    :param process: its ID
    :raises LookupError: it has none: it has ended
    """
    status = _PROC / str(process) / 'status'
    for line in status.read_text().splitlines():
        if line.startswith(name + ':'):
            return int(line.split()[1]) * 1024
    raise LookupError('%s has no %s' % (status, name))


def _forget_peak() -> None:
    # ru_maxrss cannot be set back; what showed an image after a listing
    # would have the listing's peak.
    with contextlib.suppress(OSError):
        (_PROC / 'self' / 'clear_refs').write_text('5')


def _cpu() -> float:
    """Return the seconds that this process and its programs used."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


class Worker:
    """Does the tasks: those of its methods that subclasses add."""

    def __init__(self) -> None:
        """Prepare a worker."""
        self._idle = 0

    def _begin(self, auth: dict[str, typing.Any], prepare: Prepare
               ) -> dict[str, typing.Any]:
        """Have a client made and warmed.

        :param auth: the options of keystoneauth's password plugin
        :param prepare: does it with the plugin and a session that uses it
        :returns: versions of what is measured, memory in bytes
        """
        plugin = v3.Password(**auth)
        prepare(plugin, ks_session.Session(auth=plugin))
        # All modules are imported in all workers, Nova's too. A collection
        # that walks over them hits whoever is measured when it falls due.
        gc.collect()
        gc.freeze()
        self._idle = memory('VmRSS')
        return {'idle': self._idle, 'versions': {
            'python': platform.python_version(),
            **{name: importlib.metadata.version(name)
               for name in _PACKAGES}}}

    def _measure(self, run: collections.abc.Callable[[], bool]
                 ) -> dict[str, float]:
        """Return seconds of wall clock and of CPU, and bytes over idle.

        :param run: does what is measured; returns whether that went right
        """
        _forget_peak()
        wall, cpu = time.perf_counter(), _cpu()
        right = run()
        cpu = _cpu() - cpu
        wall = time.perf_counter() - wall
        if not right:
            raise ValueError('the answers are not those that were asked for')
        return {'wall': wall, 'cpu': cpu,
                'memory': max(0, memory('VmHWM') - self._idle)}


def serve(worker: Worker) -> None:
    """Do the tasks of the standard input.

    :param worker: who has a method for each of them
    """
    # Whatever a library prints goes to the log, not among the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), 'w')
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        task = json.loads(line)
        answer = getattr(worker, task.pop('task'))(**task)
        print(json.dumps(answer), file=answers, flush=True)
