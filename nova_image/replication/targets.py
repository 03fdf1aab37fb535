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

"""A target of a run, and the work that it needs."""

from __future__ import annotations

import dataclasses
import typing

from nova_image.replication import copying
from nova_image.replication import ends
from nova_image.replication import journal as journals
from nova_image.replication import planner
from nova_image.replication import record as records
from nova_image.replication import results
from nova_image.replication import rules as replication_rules

Action = planner.Action
Result = results.Result
#: actions that change the target
_WORK = (Action.CREATE, Action.RESUME, Action.UPDATE,
         Action.REPLACE)


class Target:
    """A target of a run.

    :ivar end: the target
    :ivar rules: what to copy to it; its ``ids`` grow during the run
    :param journal: what earlier runs have learned
    """

    def __init__(self, end: ends.End, rules: replication_rules.Rules,
                 journal: journals.PairJournal) -> None:
        self.end = end
        self._ids = dict(rules.ids)
        self.rules = dataclasses.replace(rules, ids=self._ids)
        self._journal = journal
        self._known: dict[str, journals.Known] = {}

    def recall(self) -> None:
        """Read the journal."""
        self._known = self._journal.known()

    def known(self, source: records.Record) -> journals.Known:
        """Return what earlier runs have learned of an image."""
        return self._known.get(source.id, _NOTHING)

    def has(self, source: records.Record, target: records.Record) -> None:
        """Remember the ID of the replica of an image."""
        if source.id != target.id:
            self._ids[source.id] = target.id

    def id_of(self, source: records.Record) -> str:
        """Return the ID of the replica of an image, if there is one."""
        return self._ids.get(source.id, source.id)

    def made(self, image: records.Record) -> bool:
        """Return whether a run has created an image at the target."""
        known = self._known.get(image.replica_of or '', _NOTHING)
        return known.copy == image.id

    def copier(self, source: ends.Source,
               wait: copying.Wait) -> copying.Copier:
        """Return what carries out the plans for this target."""
        return copying.Copier(source, self.end, self.rules, wait)

    def remember(self, outcome: results.Outcome) -> None:
        """Write what became of an image into the journal, if it is news."""
        if outcome.moment or outcome.hashes or outcome.result in _NEWS:
            self._journal.add(outcome)


_RESULTS = {Action.SAME: Result.SAME, Action.SKIP: Result.SKIPPED,
            Action.CONFLICT: Result.CONFLICT}
_NEWS = (Result.COPIED, Result.UPDATED, Result.CONFLICT, Result.FAILED)
_NOTHING = journals.Known({}, None, None)


class Task(typing.NamedTuple):
    """The plan for one image and one target.

    :ivar compared_members: whether the members of both ends were compared
    """

    target: Target
    decision: planner.Decision
    compared_members: bool = False

    def slim(self, others: list['Task']) -> 'Task':
        """Return the task as it is remembered until it is carried out.

        It is then planned again. A run may have to remember many.

        :param others: tasks for the same image at other targets, whose record
            of the source it shares
        """
        decision = self.decision
        source = decision.source
        for other in others:
            if other.decision.source == source:
                source = other.decision.source
        return self._replace(decision=dataclasses.replace(
            decision, source=source, wanted=None))

    def planned(self) -> 'Task':
        """Return the task with a whole plan, for the image as it was."""
        decision = self.decision
        return self._replace(decision=planner.plan(
            decision.source, decision.target, self.target.rules))

    @property
    def is_work(self) -> bool:
        """Whether the target has to be changed."""
        return self.decision.action in _WORK


def outcome(task: Task, result: results.Result,
            **facts: typing.Any) -> results.Outcome:
    """Return the outcome of a plan that was not carried out.

    :param facts: other fields of results.Outcome
    """
    decision = task.decision
    target = decision.target
    moment = None
    if task.compared_members and target and result is Result.SAME:
        moment = journals.moment(decision.source, target)
    return results.Outcome(**dict({
        'image': decision.source, 'target': task.target.end.title,
        'result': result, 'target_id': target and target.id,
        'action': decision.action.value, 'reason': decision.reason,
        'changes': tuple(sorted(decision.changes)),
        'losses': decision.losses, 'moment': moment,
        'verified': results.Verified.BOTH if decision.verified else
        results.Verified.NO}, **facts))


def decided(task: Task) -> results.Outcome:
    """Return the outcome of a plan that changes nothing."""
    return outcome(task, _RESULTS[task.decision.action])


def finished(task: Task, done: copying.Done,
             seconds: float) -> results.Outcome:
    """Return the outcome of a plan that was carried out.

    :param seconds: how long it took
    """
    last, target = done.decision, done.target
    result = {Action.SKIP: Result.SKIPPED,
              Action.CONFLICT: Result.CONFLICT}.get(last.action)
    if result is None:
        result = Result.UPDATED if task.decision.action is Action.UPDATE else (
            Result.COPIED)
        assert target is not None  # nosec B101
        task.target.has(last.source, target)
    return results.Outcome(
        image=last.source, target=task.target.end.title, result=result,
        target_id=target.id if target else None,
        action=task.decision.action.value, reason=last.reason,
        changes=tuple(sorted(task.decision.changes)),
        losses=last.losses, verified=done.verified, sent=done.sent,
        # A source's hash is not what its target has received.
        seconds=seconds, hashes={} if task.target.end.pulls else done.hashes,
        moment=journals.moment(last.source, target) if target else None)
