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

"""Measures one contender in its own process.

Runs in the virtualenv of the peers. It reads tasks, one JSON object per line,
and answers each with one line. The first task has the user's password, which
all users of the machine could see in an argument. The process ends when its
input ends.
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

#: Creates a client and warms it up.
Prepare = collections.abc.Callable[[v3.Password, ks_session.Session], object]


def memory(name: str, process: str | int = 'self') -> int:
    """Return the memory of a process in bytes.

    :param name: VmRSS for its current memory, VmHWM for the peak
    :param process: the process ID
    :raises LookupError: if it has ended and has none
    """
    status = _PROC / str(process) / 'status'
    for line in status.read_text().splitlines():
        if line.startswith(name + ':'):
            return int(line.split()[1]) * 1024
    raise LookupError('%s has no %s' % (status, name))


def _forget_peak() -> None:
    # ru_maxrss cannot be reset: a show after a listing would have the peak of
    # the listing.
    with contextlib.suppress(OSError):
        (_PROC / 'self' / 'clear_refs').write_text('5')


def _cpu() -> float:
    """Return the CPU seconds of this process and its programs."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


class Worker:
    """Runs the tasks, which are methods that subclasses add."""

    def __init__(self) -> None:
        """Prepare a worker."""
        self._idle = 0

    def _begin(self, auth: dict[str, typing.Any], prepare: Prepare
               ) -> dict[str, typing.Any]:
        """Create a client and warm it up.

        :param auth: the options of keystoneauth's password plugin
        :param prepare: does so with the plugin and a session that uses it
        :returns: the idle memory in bytes, and the versions
        """
        plugin = v3.Password(**auth)
        prepare(plugin, ks_session.Session(auth=plugin))
        # All workers import all modules, even Nova's. A full collection scans
        # them, at the expense of the contender that is measured then.
        gc.collect()
        gc.freeze()
        self._idle = memory('VmRSS')
        return {'idle': self._idle, 'versions': {
            'python': platform.python_version(),
            **{name: importlib.metadata.version(name)
               for name in _PACKAGES}}}

    def _measure(self, run: collections.abc.Callable[[], bool]
                 ) -> dict[str, float]:
        """Return seconds of wall clock and CPU, and bytes over idle.

        :param run: the operation; returns whether the result is right
        """
        _forget_peak()
        wall, cpu = time.perf_counter(), _cpu()
        right = run()
        cpu = _cpu() - cpu
        wall = time.perf_counter() - wall
        if not right:
            raise ValueError('The operation returned the wrong result.')
        return {'wall': wall, 'cpu': cpu,
                'memory': max(0, memory('VmHWM') - self._idle)}


def serve(worker: Worker) -> None:
    """Run the tasks from the standard input.

    :param worker: the object with a method for each task
    """
    # The output of libraries goes to the log, not to the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), 'w')
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        task = json.loads(line)
        answer = getattr(worker, task.pop('task'))(**task)
        print(json.dumps(answer), file=answers, flush=True)
