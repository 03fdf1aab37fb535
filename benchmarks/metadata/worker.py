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

Runs in the virtualenv of the peers as ``python -m benchmarks.metadata.worker
NAME``. Each line that it reads is a JSON object, a task, and is answered by
one line. The first task has the user's password, so it is not an argument
that everybody could see. The end of the input is the end of the process.
"""

import contextlib
import gc
import importlib.metadata
import json
import os
import pathlib
import platform
import sys
import time
import typing

from keystoneauth1.identity import v3
from keystoneauth1 import session as ks_session

from benchmarks.metadata import contenders

_PACKAGES = ('nova', 'python-glanceclient', 'openstacksdk', 'keystoneauth1',
             'requests', 'urllib3')
_PROCESS = pathlib.Path('/proc/self')


def _memory(name: str) -> int:
    """Return a figure of this process's memory, in bytes.

    :param name: VmRSS is what it has, VmHWM the most that it had
    """
    for line in (_PROCESS / 'status').read_text().splitlines():
        if line.startswith(name + ':'):
            return int(line.split()[1]) * 1024
    raise LookupError('%s/status has no %s' % (_PROCESS, name))


def _forget_peak() -> None:
    # ru_maxrss cannot be set back; what showed an image after a listing
    # would have the listing's peak.
    with contextlib.suppress(OSError):
        (_PROCESS / 'clear_refs').write_text('5')


class Worker:
    """Does the tasks."""

    def __init__(self, name: str) -> None:
        """Prepare a worker.

        :param name: one of contenders.KINDS
        """
        self._kind = contenders.KINDS[name]
        self._contender: contenders.Contender
        self._idle = 0

    def start(self, auth: dict[str, str], image_id: str) -> dict[str, object]:
        """Make the client and warm it with one image.

        :param auth: the options of keystoneauth's password plugin
        :param image_id: the image
        :returns: versions of what is measured, memory in bytes
        """
        plugin = v3.Password(**auth)
        self._contender = self._kind(plugin, ks_session.Session(auth=plugin))
        self._contender.show(image_id)
        # All modules are imported in all workers, Nova's too. A collection
        # that walks over them hits whoever is measured when it falls due.
        gc.collect()
        gc.freeze()
        self._idle = _memory('VmRSS')
        return {'idle': self._idle, 'versions': {
            'python': platform.python_version(),
            **{name: importlib.metadata.version(name)
               for name in _PACKAGES}}}

    def show(self, image_ids: list[str]) -> dict[str, float]:
        """Show images one after the other; the measures of it."""
        def run() -> bool:
            return [self._contender.show(image_id)
                    for image_id in image_ids] == image_ids
        return self._measure(run)

    def detail(self, page_size: int | None, images: int) -> dict[str, float]:
        """List all images; the measures of it.

        :param page_size: how many to ask for at once; None: as it comes
        :param images: how many there are
        """
        return self._measure(
            lambda: self._contender.detail(page_size) == images)

    def _measure(self, run: typing.Callable[[], bool]) -> dict[str, float]:
        """Return seconds of wall clock and of CPU, and bytes over idle."""
        _forget_peak()
        wall, cpu = time.perf_counter(), time.process_time()
        right = run()
        cpu = time.process_time() - cpu
        wall = time.perf_counter() - wall
        if not right:
            raise ValueError('the answers are not those that were asked for')
        return {'wall': wall, 'cpu': cpu,
                'memory': max(0, _memory('VmHWM') - self._idle)}


def main() -> None:
    """Do the tasks of the standard input."""
    # Whatever a library prints goes to the log, not among the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), 'w')
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    worker = Worker(sys.argv[1])
    for line in sys.stdin:
        task = json.loads(line)
        answer = getattr(worker, task.pop('task'))(**task)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == '__main__':
    main()
