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

from __future__ import annotations

import collections.abc
import concurrent.futures
import contextlib
import threading
import typing

from nova_image.replication import ahead
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
_Pair = tuple[records.Record, typing.Optional[records.Record]]
Ended = collections.abc.Callable[[targets.Task, results.Outcome], None]

#: images that may wait for a thread
_QUEUE = 1000
#: what depends on the IDs of the images that an image names
_LATER = (Action.UPDATE, Action.CONFLICT)
#: visibilities of images that may have members
_WITH_MEMBERS = ('shared', records.NOT_PUBLIC)


def _anything(image_id: str) -> bool:
    return True


class Planned(ends.Source):
    """The images of a source for which there is a plan, without a listing.

    :param source: the source
    :param tasks: the plans
    """

    def __init__(self, source: ends.Source,
                 tasks: collections.abc.Iterable[targets.Task]) -> None:
        self.title, self.fields = source.title, source.fields
        self._source = source
        self._tasks = tasks

    def images(self) -> collections.abc.Iterator[records.Record]:
        """Yield the images of the plans."""
        return (task.decision.source for task in self._tasks)

    def image(self, image_id: str) -> records.Record | None:
        """Return one image of the source."""
        return self._source.image(image_id)

    def members(self, image: records.Record) -> frozenset[records.Member]:
        """Return the members of an image of the source."""
        return self._source.members(image)

    def read(self, image: records.Record) -> ends.Hashed:
        """Return the data of an image of the source."""
        return self._source.read(image)


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
    :param is_mine: whether this worker looks up the members of an image,
        given its ID
    """

    def __init__(self, source: ends.Source, target: targets.Target,
                 threads: int, always: bool, stop: threading.Event,
                 is_mine: collections.abc.Callable[[str], bool] = _anything
                 ) -> None:
        self._source = source
        self._target = target
        self._threads = threads
        self._always = always
        self._stop = stop
        self._is_mine = is_mine
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
        later: list[_Pair] = []
        orphans: list[records.Record] = []
        named: set[str] = set()
        for number, (source, target) in enumerate(self._pairs(), 1):
            if self._stop.is_set():
                return []
            watcher.listed(number)
            if source is None:
                if target is not None and self._target.made(target):
                    orphans.append(target)
                continue
            if target is not None:
                self._target.has(source, target)
            task = self._prepared(source, target)
            needs = rules.references(source)
            if needs and task.decision.action in _LATER:
                later.append((source, target))  # all IDs must be known
            else:
                named |= needs - self._target.rules.ids.keys()
                self._check(pool, task, decided, ended)
        later += self._misjudged(named & self._target.rules.ids.keys(),
                                 {source.id for source, _ in later})
        for source, target in later:
            self._check(pool, self._prepared(source, target), decided, ended)
        return orphans

    def _pairs(self) -> collections.abc.Iterator[join.Pair]:
        with contextlib.closing(
                ahead.Listing(self._source.images)) as sources, (
                contextlib.closing(
                    ahead.Listing(self._target.end.images))) as targets:
            yield from join.paired(sources, targets)

    def _misjudged(self, moved: collections.abc.Set[str], known: set[str]
                   ) -> collections.abc.Iterator[_Pair]:
        """Yield the images that were the same with the wrong IDs in them.

        Only if an ID that they name has turned out to be another one at the
        target, which is rare: it takes another listing, but images that are
        the same need not be remembered until all IDs are known.

        :param moved: these IDs
        :param known: the IDs of images that need not be found
        """
        for source, target in self._pairs() if moved else ():
            if source is None or target is None or source.id in known or (
                    not moved & rules.references(source)):
                continue
            if self._prepared(source, target).is_work:
                yield source, target

    def _prepared(self, source: records.Record,
                  target: records.Record | None) -> targets.Task:
        """Plan one image, with the hashes that earlier runs have found."""
        known = self._target.known(source)
        if known.hashes:
            source = source.but(hashes=dict(known.hashes, **source.hashes))
        return self._task(source, target)

    def _check(self, pool: concurrent.futures.ThreadPoolExecutor,
               task: targets.Task, decided: Decided, ended: Ended) -> None:
        """Take the plan of one image, in a thread if it needs requests."""
        source, target = task.decision.source, task.decision.target
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
        return (self._always or compared != journals.moment(
            source, target)) and self._is_mine(source.id)

    def _with_members(self, source: records.Record,
                      target: records.Record) -> targets.Task:
        """Look up the members at both ends, and plan again."""
        return self._task(
            source.but(members=self._source.members(source)),
            target.but(members=self._target.end.members(target)), True)
