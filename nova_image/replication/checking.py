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

"""Plans all images of a source for one target."""

import collections.abc
import concurrent.futures
import threading

from nova_image.replication import copying
from nova_image.replication import ends
from nova_image.replication import join
from nova_image.replication import journal as journals
from nova_image.replication import planner
from nova_image.replication import record as records
from nova_image.replication import results
from nova_image.replication import rules
from nova_image.replication import targets
from nova_image.replication import watching

Action = planner.Action
Decided = collections.abc.Callable[[targets.Task], None]
Ended = collections.abc.Callable[[targets.Task, results.Outcome], None]

#: images that may wait for a thread
_QUEUE = 1000
#: visibilities of images that may have members
_WITH_MEMBERS = ('shared', records.NOT_PUBLIC)


class Checker:
    """Plans the images of a source for one target.

    Most plans need only the two listings. Members take a request at each end,
    which the threads of a pool make, unless an earlier run has compared them
    and neither image has changed since.

    :param source: the source
    :param target: the target
    :param threads: number of threads
    :param always: whether to look up members in any case
    :param stop: ends the checks when it is set
    """

    def __init__(self, source: ends.Source, target: targets.Target,
                 threads: int, always: bool, stop: threading.Event) -> None:
        self._source = source
        self._target = target
        self._threads = threads
        self._always = always
        self._stop = stop
        self._places = threading.BoundedSemaphore(_QUEUE)

    def run(self, decided: Decided, ended: Ended,
            watcher: watching.Watcher) -> list[records.Record]:
        """Plan all images.

        :param decided: called with each plan, from several threads
        :param ended: called with an image that could not be checked
        :param watcher: is told how many images were listed
        :returns: the images that a run has created at the target, and whose
            source is gone
        :raises NovaImageException: if an end cannot be listed
        """
        self._target.recall()
        with concurrent.futures.ThreadPoolExecutor(
                self._threads, 'replication-check') as pool:
            try:
                return self._check_all(pool, decided, ended, watcher)
            except BaseException:
                self._stop.set()  # the pool waits for what is in its queue
                raise

    def _check_all(self, pool: concurrent.futures.ThreadPoolExecutor,
                   decided: Decided, ended: Ended,
                   watcher: watching.Watcher) -> list[records.Record]:
        """Plan all images, some of them in the pool; see run()."""
        later, orphans = [], []
        for number, (source, target) in enumerate(join.paired(
                self._source.images(), self._target.end.images()), 1):
            if self._stop.is_set():
                return []
            watcher.listed(number)
            if source is None:
                if target is not None and self._target.made(target):
                    orphans.append(target)
                continue
            if target is not None:
                self._target.has(source, target)
            if any(name in source.properties for name in rules.REFERENCES):
                later.append((source, target))  # all IDs must be known
            else:
                self._check(pool, source, target, decided, ended)
        for source, target in later:
            self._check(pool, source, target, decided, ended)
        return orphans

    def _check(self, pool: concurrent.futures.ThreadPoolExecutor,
               source: records.Record, target: records.Record | None,
               decided: Decided, ended: Ended) -> None:
        """Plan one image, in a thread if that takes requests."""
        known = self._target.known(source)
        if known.hashes:
            source = source.but(hashes=dict(known.hashes, **source.hashes))
        task = self._task(source, target)
        if target is None or not self._needs_members(task, target):
            decided(task)
            return

        def look_up() -> None:
            try:
                if self._stop.is_set():
                    ended(task, targets.outcome(task, results.Result.LEFT))
                else:
                    decided(self._with_members(source, target))
            except Exception as error:
                ended(task, targets.outcome(
                    task, results.Result.FAILED,
                    reason=copying.refusal(error)))
            finally:
                self._places.release()

        self._places.acquire()
        pool.submit(look_up)

    def _task(self, source: records.Record, target: records.Record | None,
              compared_members: bool = False) -> targets.Task:
        """Plan one image."""
        return targets.Task(
            self._target, planner.plan(source, target, self._target.rules),
            compared_members)

    def _needs_members(self, task: targets.Task,
                       target: records.Record) -> bool:
        """Return whether the members have to be looked up."""
        source, action = task.decision.source, task.decision.action
        if 'members' not in self._target.rules.fields or (
                self._target.rules.ignores('members')):
            return False
        if action not in (Action.SAME, Action.UPDATE) or (
                source.visibility not in _WITH_MEMBERS):
            return False
        compared = self._target.known(source).members
        return self._always or compared != journals.moment(source, target)

    def _with_members(self, source: records.Record,
                      target: records.Record) -> targets.Task:
        """Look up the members at both ends, and plan again."""
        return self._task(
            source.but(members=self._source.members(source)),
            target.but(members=self._target.end.members(target)), True)
