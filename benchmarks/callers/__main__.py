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

"""Compares nova_image and Nova's code with many callers at once."""

import argparse
import contextlib
import os
import pathlib
import sys
import tempfile
import typing

from benchmarks.callers import cloud
from benchmarks.callers import contenders
from benchmarks.callers import operations
from benchmarks.callers import servers
from benchmarks.common import command
from benchmarks.common import race
from benchmarks.common import results
from nova_image.tests.fixtures import paths

_TITLE = 'Many callers of one driver: nova_image and Nova 34'
_SWITCH = 'OS_NOVA_DISABLE_EVENTLET_PATCHING'
_MIB = 1024 ** 2


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = command.parser('callers', (
        'Compare how nova_image and the image code of Nova 34 show, list and '
        'download images for many callers at once, on a real Glance 33, '
        'which this command starts on 127.0.0.1, and on a replay of its '
        'answers.'))
    command.add_numbers(
        parser, 'N',
        ('threads', 50, 'number of callers on native threads'),
        ('greenthreads', 500, 'number of callers on eventlet'),
        ('calls', 1000, 'number of shows of the replay in each round; the '
                        'other operations have a share of it'))
    command.add_numbers(parser, 'MIB',
                        ('size', 1, 'size of the downloads'))
    parser.add_argument(
        '--only', choices=operations.MODES, action='append',
        help='kind of callers; both by default')
    return parser.parse_args()


def main() -> int:
    """Run the benchmark.

    :returns: exit code
    """
    return command.main(parse_arguments(), _TITLE, _measure, 'threads',
                        'greenthreads', 'calls', 'size')


class _Race(race.Race):
    """Counts at the server that the task names.

    :ivar servers: name -> servers.Server
    """

    servers: dict[str, servers.Server]

    def _measure(self, contender: race.Contender,
                 task: dict[str, typing.Any]) -> dict[str, typing.Any]:
        server = self.servers[task['server']]
        mark, before = server.mark(), server.connections
        answer = contender.do(task)
        return answer | {'requests': len(server.requests(mark)),
                         'connections': server.connections - before}


class _Results(results.Results):
    """Has the throughput in the table, too."""

    def table(self) -> str:
        """Return the table of the figures for a terminal."""
        lines = [super().table(), '', 'Calls per second']
        for name, operation in self.operations.items():
            calls = sum(task['calls'] for task in operation.turns)
            lines.append('  %-24s%s' % (name, ''.join(
                '%*s %-12s' % (8, '%.0f' % (
                    calls / self.median(name, contender, 'wall')), contender)
                for contender in self.names(name))))
        return '\n'.join(lines)


def _measure(arguments: argparse.Namespace
             ) -> tuple[results.Results, dict[str, str]]:
    tasks: list[race.Operation] = []
    found: race.Found = {}
    with contextlib.ExitStack() as stack:
        race.say('Starting Keystone and Glance')
        place = stack.enter_context(cloud.Cloud(
            2 * operations.PAGE, arguments.size * _MIB, arguments.keep))
        folder = stack.enter_context(_folder())
        racers = {mode: stack.enter_context(_racers(
            place, mode, folder, arguments))
            for mode in arguments.only or operations.MODES}
        place.replay.stop_recording()
        for mode, runners in racers.items():
            mine = operations.operations(
                mode, getattr(arguments, operations.MODES[mode]),
                arguments.calls, '%d MiB' % arguments.size)
            found |= runners.run(mine, arguments.rounds)
            tasks += mine
        return (_Results(tasks, found, operations.budgets(tasks),
                         operations.MEASURES), runners.versions)


def _folder() -> tempfile.TemporaryDirectory[str]:
    """Return a folder in memory: a disk would hide what the clients cost."""
    memory = pathlib.Path('/dev/shm')
    return tempfile.TemporaryDirectory(
        prefix='nova_image-callers-', dir=memory if os.access(
            memory, os.W_OK) else paths.cache())


def _racers(place: cloud.Cloud, mode: str, folder: str,
            arguments: argparse.Namespace) -> _Race:
    start = {
        'auth': place.keystone.auth_options('demo'),
        'urls': {name: server.url for name, server in place.servers.items()},
        'image_ids': place.image_ids[:operations.PAGE],
        'data_ids': place.data_ids, 'folder': folder,
        'size': arguments.size * _MIB}
    runners = _Race(
        'benchmarks.callers.worker', dict.fromkeys(contenders.KINDS, start),
        place.glance, arguments.keep,
        {_SWITCH: 'false' if mode == 'green' else 'true'})
    runners.servers = place.servers
    return runners


if __name__ == '__main__':
    sys.exit(main())
