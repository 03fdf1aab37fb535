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

"""Carries out the plans for one image: its transfer, or a deep comparison.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import threading
import time
import typing

from nova_image.replication import coordination
from nova_image.replication import copying
from nova_image.replication import deep
from nova_image.replication import ends
from nova_image.replication import pace
from nova_image.replication import planner
from nova_image.replication import results
from nova_image.replication import schedule
from nova_image.replication import targets
from nova_image.replication import tee
from nova_image.replication import turns
from nova_image.replication import watching

Result = results.Result

#: tries until an image fails that somebody sends to the target without lock
_TRIES = 10
#: bytes of the largest image that is read ahead. All of it is then in memory,
#: and no connection to the source waits for a turn.
AHEAD = 1024 ** 2


class Wait(typing.Protocol):
    """Waits while the run continues."""

    def __call__(self, seconds: float = 0.0) -> None:
        """Wait for some seconds.

        :raises Stopped: if the run must stop
        """


class _Held:
    """An image whose lock is held.

    :param lock: the lock
    :param wait: that of Transfers
    :param bandwidth: that of Transfers
    :param turn: the turn that ends once the data was sent; None if it does
        not end before all is done
    """

    def __init__(self, lock: coordination.Lock, wait: Wait,
                 bandwidth: pace.Pace, turn: turns.Turn | None) -> None:
        self.turn = turn
        self._lock = lock
        self._wait = wait
        self._pace = bandwidth

    def check(self) -> None:
        """Do nothing while work may continue.

        :raises Stopped: if the run must stop, or the lock is lost
        """
        self.wait(0.0)

    def wait(self, seconds: float) -> None:
        """Wait for some seconds, like check()."""
        self._wait(seconds)
        self._lock.check()

    def pass_on(self, size: int) -> None:
        """Wait until the bandwidth allows for more bytes, like check()."""
        self.check()
        self._pace.take(size, self.check)


class _Ahead:
    """The data that is read ahead, of one image."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._job: schedule.Job | None = None
        self._data: tee.Tee | None = None

    def begin(self, job: schedule.Job, data: tee.Tee) -> None:
        """Begin to read an image, instead of an earlier one."""
        self.drop()
        with self._guard:
            self._job, self._data = job, data
        data.begin()

    def take(self, job: schedule.Job) -> tee.Tee | None:
        """Return the data of an image if it was begun; drop any other."""
        with self._guard:
            found, is_it = self._data, self._job is job
            self._job = self._data = None
        if found is not None and not is_it:
            found.close()
            return None
        return found

    def drop(self) -> None:
        """Drop the data."""
        with self._guard:
            found, self._job, self._data = self._data, None, None
        if found is not None:
            found.close()


class Transfers:
    """Carries out plans, in any number of threads.

    :param source: the source
    :param coordinator: locks the images
    :param watcher: is told what happens
    :param bandwidth: the bandwidth that all transfers share
    :param wait: waits while the run continues
    """

    def __init__(self, source: ends.Source,
                 coordinator: coordination.Coordinator,
                 watcher: watching.Watcher, bandwidth: pace.Pace,
                 wait: Wait) -> None:
        self._source = source
        self._coordinator = coordinator
        self._watcher = watcher
        self._pace = bandwidth
        self._wait = wait
        self._ahead = _Ahead()

    def replicate(self, job: schedule.Job,
                  following: schedule.Job | None = None,
                  turn: turns.Turn | None = None
                  ) -> list[results.Outcome | None]:
        """Carry out the plans for an image, if no other worker does.

        :param following: the job of this thread after this one, if that is
            known. Its image is read ahead, if it is small.
        :param turn: ends as soon as the following job may begin; None if it
            may not before the end
        :returns: what became of it; None if it must be tried again later
        :raises Stopped: if it cannot be locked
        """
        try:
            with self._coordinator.lock(job.image.id) as lock, (
                    contextlib.closing(self._ahead.take(job) or
                                       self._read(job))) as data:
                if lock is None:
                    return [None for _ in job.work]
                if following is not None and self._is_worth(following):
                    self._ahead.begin(following, self._read(
                        following, data.is_over))
                return self._replicate(
                    job, data, _Held(lock, self._wait, self._pace, turn))
        except copying.Stopped:
            raise
        except Exception as error:
            return all_of(job, Result.FAILED, copying.refusal(error))

    def close(self) -> None:
        """Drop what was read ahead."""
        self._ahead.drop()

    def _read(self, job: schedule.Job, after: threading.Event | None = None
              ) -> tee.Tee:
        """Return the data of an image for the targets of its job."""
        return tee.Tee(
            copying.Data(self._source, job.image, self._pass_on),
            len(job.work) if _is_shared(job) else 1, after)

    def _pass_on(self, size: int) -> None:
        """Wait until the bandwidth allows for more bytes.

        :raises Stopped: if the run must stop
        """
        self._wait()
        self._pace.take(size, self._wait)

    def _is_worth(self, job: schedule.Job) -> bool:
        """Return whether the image of a job is read ahead.

        It is not if the data may turn out not to be needed: another worker
        replicates the image, the Glance reads the data itself, or the folder
        has the same data already.
        """
        size = job.image.size
        return not self._coordinator.is_shared and (
            size is not None and 0 < size <= AHEAD) and all(
            task.decision.action in planner.WITH_DATA and not (
                task.target.end.pulls or task.target.end.is_dump)
            for task in job.work)

    def _replicate(self, job: schedule.Job, data: tee.Tee,
                   held: _Held) -> list[results.Outcome | None]:
        try:
            if _is_shared(job):
                return self._carry_out_together(job, data, held)
            one = data.branch(0, held.check)
            return [self._carry_out(job, task, one, held)
                    if task.is_work else self._compare(task, held)
                    for task in job.work]
        except copying.Stopped as error:
            return all_of(job, Result.LEFT, str(error))

    def _compare(self, task: targets.Task, held: _Held) -> results.Outcome:
        """Compare the data of both ends, and tell how much was read."""
        image, title = task.decision.source, task.target.end.title
        guard = threading.Lock()
        read = 0

        def count(size: int) -> None:
            nonlocal read
            held.pass_on(size)
            with guard:
                read += size
            self._watcher.sent(image, title, read // 2)

        self._watcher.began(image, title)
        return deep.compare(self._source, task, count)

    def _carry_out_together(self, job: schedule.Job, data: tee.Tee,
                            held: _Held) -> list[results.Outcome | None]:
        """Send the data, which is read once, to several targets."""
        tasks = job.work

        def one(index: int) -> results.Outcome | None:
            try:
                return self._carry_out(job, tasks[index], data.branch(
                    index, held.check), held)
            finally:
                data.leave(index)

        with concurrent.futures.ThreadPoolExecutor(
                len(tasks), 'replication-target') as pool:
            return list(pool.map(one, range(len(tasks))))

    def _carry_out(self, job: schedule.Job, task: targets.Task,
                   data: ends.Hashed, held: _Held
                   ) -> results.Outcome | None:
        """Carry out one plan, and return what became of the image.

        :returns: None if it must be tried again later: the target still
            receives data from a worker that has lost the image, or somebody
            else has made the copy
        """
        began = time.monotonic()
        image, end = task.decision.source, task.target.end
        try:
            if self._coordinator.is_shared or job.tries:
                task = self._planned_again(task)
                if not task.is_work:
                    return targets.decided(task)
                if self._is_receiving(task) and job.tries < _TRIES:
                    return None
            else:
                task = task.planned()
            self._watcher.began(image, end.title)
            done = task.target.copier(self._source, held.wait).carry_out(
                task.decision, data,
                self._progress(
                    task, held.turn if len(job.work) == 1 else None))
        except copying.Stopped as error:
            return targets.outcome(task, Result.LEFT, reason=str(error))
        except Exception as error:
            if isinstance(error, copying.HasCopy) and job.tries < _TRIES:
                task.target.has(image, error.copy)
                return None
            return targets.outcome(
                task, Result.FAILED, reason=copying.refusal(error),
                seconds=time.monotonic() - began)
        return targets.finished(task, done, time.monotonic() - began)

    def _progress(self, task: targets.Task, turn: turns.Turn | None
                  ) -> copying.Progress:
        """Return what is called with the number of bytes sent so far."""
        image, end = task.decision.source, task.target.end
        wanted = task.decision.wanted
        if turn is None or wanted is None or not end.overlaps(wanted):
            return lambda sent: self._watcher.sent(image, end.title, sent)

        def progress(sent: int) -> None:
            self._watcher.sent(image, end.title, sent)
            if sent == image.size:
                turn.leave()
        return progress

    def _planned_again(self, task: targets.Task) -> targets.Task:
        """Return the plan as it is now: other workers may have been there."""
        source, end = task.decision.source, task.target.end
        known = task.decision.target
        target = end.image(
            known.id if known else task.target.id_of(source))
        if target is None and task.target.rules.new_ids:
            target = end.image(copying.new_id(source.id, end.title))
        if target is None:
            return task._replace(decision=planner.plan(
                source, None, task.target.rules))
        task.target.has(source, target)
        if source.members is None and target.members is not None:
            source = source.but(members=self._source.members(source))
        return targets.Task(
            task.target, planner.plan(source, target, task.target.rules),
            source.members is not None)

    @staticmethod
    def _is_receiving(task: targets.Task) -> bool:
        """Return whether somebody still sends data to the target."""
        target = task.decision.target
        return target is not None and target.status == 'saving'


def _is_shared(job: schedule.Job) -> bool:
    """Return whether several targets need the data at the same time."""
    return len(job.work) > 1 and all(task.is_work for task in job.work)


def all_of(job: schedule.Job, result: Result,
           reason: str) -> list[results.Outcome | None]:
    """Return the same outcome for each target of an image."""
    return [targets.outcome(task, result, reason=reason) for task in job.work]
