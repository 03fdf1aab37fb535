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


"""Measures one run of a program."""

import pathlib
import subprocess

from benchmarks.common import race

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


def measure(python: pathlib.Path, argv: list[str], env: dict[str, str],
            cwd: pathlib.Path | None = None
            ) -> tuple[int, bytes, race.Measures]:
    """Run a program once, without input.

    :param python: the interpreter that starts it
    :param argv: the path of the program and its arguments
    :param env: its environment
    :param cwd: its current folder; that of this process by default
    :returns: its wait status, its output, and its measures; memory is the
        peak of the largest of its processes
    """
    done = subprocess.run(
        [python, '-I', '-S', '-c', _START, *argv], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True, env=env,
        cwd=cwd)
    said, _, figures = done.stdout.rstrip().rpartition(b'\n')
    status, wall, cpu, memory = figures.split()
    return int(status), said, {
        'wall': float(wall), 'cpu': float(cpu), 'requests': 0,
        'memory': int(memory) * 1024}
