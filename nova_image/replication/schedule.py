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

"""The order of the transfers of a run."""

from __future__ import annotations

import collections.abc
import dataclasses
import heapq
import threading
import time
import typing

from nova_image.replication import record as records
from nova_image.replication import rules

#: seconds until a job is tried again: at first, and at most
_SOON, _LATE = 0.5, 2.0


@dataclasses.dataclass(frozen=True)
class Job:
    """Work on one image.

    :ivar image: the image at the source
    :ivar work: what a worker thread needs
    :ivar is_first: whether it comes before those of which this is False
    :ivar tries: how often it was postponed
    :ivar has_failed: whether a part of it has failed
    """

    image: records.Record
    work: typing.Any
    is_first: bool = True
    tries: int = 0
    has_failed: bool = False

    @property
    def needs(self) -> frozenset[str]:
        """The IDs of the images that this one names."""
        return rules.references(self.image)


class Schedule:
    """Jobs for several threads: first what others name, then the largest.

    :param jobs: at most one for an image
    :param failed: IDs of other images that cannot be replicated
    """

    def __init__(self, jobs: collections.abc.Iterable[Job],
                 failed: collections.abc.Iterable[str] = ()) -> None:
        self._changed = threading.Condition()
        # The next one is the last one.
        self._ready = sorted(jobs, key=lambda job: (
            job.is_first, job.image.size or 0))
        self._postponed: list[tuple[float, int, Job]] = []  # a heap
        self._number = 0
        self._waiting: dict[str, list[tuple[Job, set[str]]]] = {}
        self._open = {job.image.id for job in self._ready}
        self._begun: set[str] = set()
        self._failed = set(failed)
        self._hold_back()

    def __len__(self) -> int:
        return len(self._open)

    def _hold_back(self) -> None:
        """Set aside the jobs that need others, and begin with those."""
        named: set[str] = set()
        ready = []
        for job in self._ready:
            needs = set(job.needs & self._open)
            if not needs:
                ready.append(job)
                continue
            named |= needs
            entry = job, needs
            for one in needs:
                self._waiting.setdefault(one, []).append(entry)
        self._ready = ([job for job in ready if job.image.id not in named] +
                       [job for job in ready if job.image.id in named])

    def next(self) -> Job | None:
        """Return the next job, as soon as it can begin; None at the end."""
        with self._changed:
            while not self._ready:
                if not self._open:
                    return None
                if self._postponed:
                    self._await_postponed()
                elif not self._begun:
                    self._break_circle()
                else:
                    self._changed.wait()
            job = self._ready.pop()
            self._begun.add(job.image.id)
            return job

    def following(self) -> Job | None:
        """Return the job that next() would return at once, or None."""
        with self._changed:
            return self._ready[-1] if self._ready else None

    def is_awaited(self, job: Job) -> bool:
        """Return whether other jobs wait for this one."""
        with self._changed:
            return job.image.id in self._waiting

    def _await_postponed(self) -> None:
        """Wait for a change, or until the first postponed job is due."""
        pause = self._postponed[0][0] - time.monotonic()
        if pause > 0:
            self._changed.wait(pause)
        else:
            self._ready.append(heapq.heappop(self._postponed)[2])

    def postpone(self, job: Job, **changes: typing.Any) -> None:
        """Take a job back that cannot be done now.

        It comes again after a pause, which grows with each time, and when no
        other job is ready. The jobs that wait for it still wait.

        :param changes: fields of the job that have changed
        """
        job = dataclasses.replace(job, tries=job.tries + 1, **changes)
        pause = min(_SOON * 2 ** min(job.tries - 1, 9), _LATE)
        with self._changed:
            self._begun.discard(job.image.id)
            self._open.add(job.image.id)  # also after stop()
            self._number += 1
            heapq.heappush(self._postponed, (
                time.monotonic() + pause, self._number, job))
            self._changed.notify_all()

    def done(self, job: Job, succeeded: bool) -> None:
        """Make the jobs ready that have waited for this one only.

        :param succeeded: whether the target has the image
        """
        with self._changed:
            image_id = job.image.id
            self._open.discard(image_id)
            self._begun.discard(image_id)
            if not succeeded:
                self._failed.add(image_id)
            for other, needs in self._waiting.pop(image_id, ()):
                needs.discard(image_id)
                if not needs:
                    self._ready.append(other)
            self._changed.notify_all()

    def lacks(self, job: Job) -> list[str]:
        """Return the IDs of images that a job names and that have failed."""
        with self._changed:
            return sorted(job.needs & self._failed)

    def stop(self) -> list[Job]:
        """Return the jobs that have not begun, and forget them."""
        with self._changed:
            left = {job.image.id: job for job in self._ready}
            for entries in self._waiting.values():
                left.update((job.image.id, job) for job, _ in entries)
            left.update((job.image.id, job) for _, _, job in self._postponed)
            self._ready, self._waiting, self._postponed = [], {}, []
            self._open &= self._begun
            self._changed.notify_all()
            return list(left.values())

    def _break_circle(self) -> None:
        """Begin with any job if all that are left wait for each other."""
        entries = next(iter(self._waiting.values()))
        job, needs = entries[0]
        for one in needs:
            self._waiting[one] = [entry for entry in self._waiting[one]
                                  if entry[0] is not job]
            if not self._waiting[one]:
                del self._waiting[one]
        self._ready.append(job)
