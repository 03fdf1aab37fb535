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

"""The measured operations, and the budgets of the project's design."""

import collections.abc
import dataclasses

from benchmarks.common import race
from benchmarks.common import results

#: The measures of the tables and the plot.
MEASURES = ('wall', 'p50', 'p99', 'cpu', 'memory', 'connections')
#: The number of images in a list.
PAGE = 100
_SERVERS = {'glance': 'Glance', 'replay': 'the replay',
            'slow': 'the busy replay'}


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of call.

    ``share`` is the number of calls of it for each of ``--calls``, by server.
    ``modes`` are the kinds of callers.
    """

    task: str
    title: str
    share: dict[str, float]
    modes: tuple[str, ...] = ('threads', 'green')


KINDS = (
    Kind('show', 'show an image', {'glance': 0.5, 'replay': 1}),
    Kind('list', 'list %d images' % PAGE, {'glance': 0.05, 'replay': 0.5}),
    Kind('download', 'download %s to a file', {'glance': 0.25, 'replay': 0.5}),
    Kind('stream', 'read %s in a loop', {'replay': 0.5}),
    Kind('burst', 'show an image at the same moment', {'slow': 1},
         ('green',)),
)
#: Name of the operations -> how their callers are called.
MODES = {'threads': 'threads', 'green': 'greenthreads'}


def operations(mode: str, callers: int, calls: int, size: str
               ) -> list[race.Operation]:
    """Return the operations of one kind of callers.

    :param mode: one of MODES
    :param callers: the number of callers
    :param calls: the number of shows of the replay
    :param size: the size of the downloads, as text
    """
    return list(_operations(mode, callers, calls, size))


def _operations(mode: str, callers: int, calls: int, size: str
                ) -> collections.abc.Iterator[race.Operation]:
    for server, where in _SERVERS.items():
        for kind in KINDS:
            number = round(calls * kind.share.get(server, 0))
            if not number or mode not in kind.modes:
                continue
            title = kind.title % size if '%s' in kind.title else kind.title
            yield race.Operation(
                '%s-%s-%s' % (mode, kind.task, server),
                '%d %s %s, %d times, from %s' % (
                    callers, MODES[mode], title, number, where),
                ({'task': kind.task, 'server': server, 'callers': callers,
                  'calls': number},))


def budgets(tasks: collections.abc.Iterable[race.Operation]
            ) -> tuple[results.Budget, ...]:
    """Return the budgets: throughput and p99 not worse than Nova's.

    All make the same number of calls, so the wall clock is the inverse of
    the throughput.
    """
    return tuple(results.Budget(task.name, measure, 1.0)
                 for task in tasks for measure in ('wall', 'p99'))
