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

"""One run: lists both ends, plans each image, and carries out the plans.

Checks and transfers have threads of their own: checks are many and short. The
data of an image that several targets lack is read once.
"""

from __future__ import annotations

import collections.abc
import contextlib
import dataclasses
import threading
import time

from nova_image import compat
from nova_image import exception
from nova_image.replication import checking
from nova_image.replication import coordination
from nova_image.replication import copying
from nova_image.replication import ends
from nova_image.replication import orphans as orphan_rules
from nova_image.replication import pace
from nova_image.replication import planner
from nova_image.replication import plans
from nova_image.replication import record as records
from nova_image.replication import results
from nova_image.replication import schedule
from nova_image.replication import targets
from nova_image.replication import transfers
from nova_image.replication import turns
from nova_image.replication import watching

Action = planner.Action
Result = results.Result

#: seconds between two looks at the clock, and for Ctrl-C
_LOOK = 0.2


@dataclasses.dataclass(frozen=True, **compat.KEYWORDS)
class Options:
    """How a run works.

    :ivar transfers: number of images that are transferred at a time
    :ivar checkers: number of images that are looked up at a time
    :ivar change: whether to change the targets; otherwise it is a comparison
    :ivar compare_members: whether to look up members that an earlier run has
        compared, although neither image has changed since
    :ivar deep: whether to read and compare the data of images that are the
        same as far as the records tell
    :ivar orphans: what to do with replicas whose source is gone
    :ivar fail_fast: whether to stop at the first failure
    :ivar bandwidth: bytes per second at most; None for no limit
    :ivar max_duration: seconds after which no transfer begins; None for ever
    """

    transfers: int = 4
    checkers: int = 8
    change: bool = True
    compare_members: bool = False
    deep: bool = False
    orphans: orphan_rules.Orphans = orphan_rules.Orphans()
    fail_fast: bool = False
    bandwidth: int | None = None
    max_duration: float | None = None


class Run:
    """A replication from one source to some targets.

    :param source: the source
    :param goals: the targets
    :param options: how to work
    :param watcher: is told what happens
    :param coordinator: divides the work among several workers
    """

    def __init__(self, source: ends.Source,
                 goals: collections.abc.Sequence[targets.Target],
                 options: Options | None = None,
                 watcher: watching.Watcher | None = None,
                 coordinator: coordination.Coordinator | None = None) -> None:
        self.report = results.Report()
        self._source = source
        self._goals = goals
        self._options = options or Options()
        self._watcher = watcher or watching.Watcher()
        self._coordinator = coordinator or coordination.SingleWorker()
        self._guard = threading.Lock()
        self._stop = threading.Event()
        # Each image is in one of them until its outcome is reported.
        self._plans, self._others = plans.Plans(), plans.Plans()
        # Images that others cannot name: their IDs belong to something else
        # at a target, or they have failed.
        self._unusable: set[str] = set()
        self._images = self._size = 0
        self._began = time.monotonic()
        self._transfers = transfers.Transfers(
            source, self._coordinator, self._watcher,
            pace.Pace(self._options.bandwidth), self._wait_while_running)
        self._turns = turns.Turns(self._options.transfers)
        self._broken: Exception | None = None

    def run(self) -> results.Report:
        """Replicate, or compare.

        :returns: the report, which is also ``report``
        :raises NovaImageException: if an end cannot be listed. Nothing has
            been changed.
        :raises OSError: if the journal or the output cannot be written
        """
        try:
            return self._run()
        except BaseException as error:
            self.stop('interrupted')
            if not isinstance(error, Exception):
                for one in self._plans, self._others:
                    self._leave(one.all(), self.report.stopped)
            raise

    def _run(self) -> results.Report:
        """Replicate, or compare. See run()."""
        orphans = [self._check(
            self._source, goal, self._coordinator.is_mine, self._decided)
            for goal in self._goals]
        self._others = self._plans.set_aside(self._coordinator)
        self._transfer_all()
        if self._others:
            self._look_again()
            self._transfer_all()
        if self._broken:
            raise self._broken
        for goal, found in zip(self._goals, orphans):
            if not self.report.stopped:
                for outcome in self._options.orphans.deal_with(
                        self._source, goal.end, found, self._options.change):
                    self._report(outcome)
        return self.report

    def _check(self, source: ends.Source, goal: targets.Target,
               is_mine: collections.abc.Callable[[str], bool],
               decided: checking.Decided) -> list[records.Record]:
        """Plan the images of a source; return replicas without one."""
        return checking.Checker(
            source, goal, self._options.checkers,
            self._options.compare_members, self._stop, is_mine).run(
                decided, self._ended, self._watcher)

    def _look_again(self) -> None:
        """Find out what the other workers have left.

        A listing takes one request for 1000 images. Looking up each of them
        takes one request for each.
        """
        for goal in self._goals:
            left = self._others.of(goal)
            reason = self.report.stopped
            if left and not self._is_over():
                reason = self._look_at(goal, left)
            self._leave(left.values(), reason or self.report.stopped)

    def _look_at(self, goal: targets.Target,
                 left: dict[str, targets.Task]) -> str | None:
        """Plan tasks again, and take them out of the dict.

        :returns: why some are left in it
        """
        def decided(task: targets.Task) -> None:
            if left.pop(task.decision.source.id, None):
                self._decided(task)
                with self._guard:
                    self._others.remove(task)

        try:
            self._check(checking.Planned(self._source, list(left.values())),
                        goal, lambda image_id: False, decided)
        except exception.NovaImageException as error:
            self._stop.clear()
            return copying.refusal(error)
        return None

    def stop(self, reason: str) -> None:
        """Make the transfers end soon; may be called from any thread."""
        self.report.stopped = self.report.stopped or reason
        self._stop.set()

    def _wait_while_running(self, seconds: float = 0.0) -> None:
        """Wait for some seconds.

        :raises Stopped: if the run must stop
        """
        if self._stop.wait(seconds):
            raise copying.Stopped(self.report.stopped)

    def _decided(self, task: targets.Task) -> None:
        """Take the plan for an image, from any thread."""
        decision = task.decision
        is_deep = self._options.deep and decision.action is Action.SAME
        if decision.action is Action.CONFLICT:
            self._unusable.add(decision.source.id)
        if not task.is_work and not is_deep:
            self._ended(task, targets.decided(task))
        elif self._options.change or is_deep:
            with self._guard:
                self._plans.add(task)
        else:
            self._ended(task, targets.outcome(task, Result.DIFFERENT))

    def _ended(self, task: targets.Task, outcome: results.Outcome) -> None:
        """Report what became of an image, from any thread."""
        self._tell(task.target.remember, outcome)
        self._report(outcome)

    def _done(self, task: targets.Task, outcome: results.Outcome) -> None:
        """Report what became of a plan, once, from any thread.

        After another Ctrl-C, a transfer may still end that was given up.
        """
        with self._guard:
            is_open = (self._plans.remove(task) or
                       self._others.remove(task))
        if is_open:
            self._ended(task, outcome)

    def _report(self, outcome: results.Outcome) -> None:
        with self._guard:
            self.report.add(outcome)
        self._tell(self._watcher.ended, outcome)
        if outcome.result is Result.FAILED and self._options.fail_fast:
            self.stop('image %s failed, and --fail-fast was given' %
                      outcome.image.id)

    def _tell(self, listener: collections.abc.Callable[
            [results.Outcome], None], outcome: results.Outcome) -> None:
        """Pass an outcome on; if that fails, end the run with the error."""
        try:
            listener(outcome)
        except Exception as error:
            self._break(error)

    def _break(self, error: Exception) -> None:
        """End the run with an error."""
        self._broken = self._broken or error
        self.stop('an error has ended the run')

    def _transfer_all(self) -> None:
        """Carry out all plans."""
        if not self._plans:
            return
        jobs = schedule.Schedule(self._plans.jobs(self._coordinator),
                                 self._unusable)
        self._images += len(self._plans)
        self._size += self._plans.size
        self._watcher.planned(self._images, self._size)
        threads = [threading.Thread(
            target=self._work, args=(jobs,), daemon=True,
            name='replication-transfer-%d' % number)
            for number in range(min(self._threads, len(jobs)))]
        for thread in threads:
            thread.start()
        try:
            self._wait(threads, jobs)
        except BaseException:
            self.stop('interrupted')
            self._leave_all(jobs)
            for thread in threads:
                thread.join()
            self._leave_all(jobs)
            raise

    @property
    def _threads(self) -> int:
        """The number of threads that do jobs.

        If one image is transferred at a time, another thread sends the next
        one while the target stores the data of the last one.
        """
        number = self._options.transfers
        return number + (number == 1 and not self._options.fail_fast)

    def _wait(self, threads: list[threading.Thread],
              jobs: schedule.Schedule) -> None:
        """Wait for the threads; stop them if the time is over."""
        for thread in threads:
            while thread.is_alive():
                thread.join(_LOOK)
                if self._is_over():
                    self._leave_all(jobs)
        self._leave_all(jobs)

    def _is_over(self) -> bool:
        """Return whether no transfer may begin any more."""
        limit = self._options.max_duration
        late = limit is not None and time.monotonic() - self._began > limit
        if late and not self.report.stopped:
            self.report.stopped = 'the maximum duration is over'
        return bool(self.report.stopped)

    def _leave_all(self, jobs: schedule.Schedule) -> None:
        """Report the images whose transfers have not begun."""
        for job in jobs.stop():
            self._leave(job.work, self.report.stopped)

    def _leave(self, tasks: collections.abc.Iterable[targets.Task],
               reason: str | None) -> None:
        """Report that this run does not do some tasks."""
        for task in tasks:
            self._done(task, targets.outcome(
                task, Result.LEFT, reason=reason))

    def _work(self, jobs: schedule.Schedule) -> None:
        """Do jobs until none is left: the body of a thread."""
        with contextlib.closing(self._transfers):
            while self._work_off(jobs):
                pass

    def _work_off(self, jobs: schedule.Schedule) -> bool:
        """Do the next job, and return whether there was one."""
        with self._turns.wait() as turn:
            if self._is_over() or (job := jobs.next()) is None:
                return False
            later: list[targets.Task] = []
            failed = True
            try:
                found = self._do(job, jobs, turn)
                later = [task for task, outcome in found if outcome is None]
                failed = job.has_failed or any(
                    outcome is not None and outcome.result is Result.FAILED
                    for _, outcome in found)
            except Exception as error:
                self._break(error)
            finally:
                if later:
                    jobs.postpone(job, work=later, has_failed=failed)
                else:
                    if failed:
                        self._unusable.add(job.image.id)
                    jobs.done(job, not failed)
        return True

    def _do(self, job: schedule.Job, jobs: schedule.Schedule,
            turn: turns.Turn) -> list[
            tuple[targets.Task, results.Outcome | None]]:
        """Replicate one image to all targets that need it.

        If one image is transferred at a time, the next one is read ahead. It
        is sent as soon as this one was, unless it may need this one.

        :returns: what became of it; None if it must be tried again later
        """
        lacks = jobs.lacks(job)
        following = jobs.following() if self._options.transfers == 1 else None
        if lacks:
            found = transfers.all_of(
                job, Result.FAILED, 'it names image %s, which could not be '
                'replicated' % lacks[0])
        else:
            try:
                found = self._transfers.replicate(
                    job, following, None if jobs.is_awaited(job) else turn)
            except copying.Stopped as error:  # no lock is available
                self.stop(str(error))
                found = transfers.all_of(job, Result.LEFT, str(error))
        pairs = list(zip(job.work, found))
        for task, outcome in pairs:
            if outcome is not None:
                self._done(task, outcome)
        return pairs
