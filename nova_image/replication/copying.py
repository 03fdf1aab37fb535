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

"""The steps by which an image at the target becomes a replica.

At the target, an image is first private and without data. It gets its data,
which is verified; it is deactivated if the source is; only the last request
makes it visible to others, and protects it. An image that is shared gets its
members last, because they see it from then on. A run that is killed leaves
nothing that others can see, and the next one resumes.
"""

from __future__ import annotations

import collections.abc
import concurrent.futures
import dataclasses
import threading
import time
import uuid

from nova_image import exception
from nova_image.replication import ends
from nova_image.replication import planner
from nova_image.replication import record as records
from nova_image.replication import results
from nova_image.replication import rules as replication_rules

Action = planner.Action
Progress = collections.abc.Callable[[int], None]
Wait = collections.abc.Callable[[float], None]

#: seconds between the attempts to send data that the target refuses because
#: it still drops an earlier upload that was cut
PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)

#: statuses of a replica that waits for its data
_WITHOUT_DATA = ('queued', 'saving')
#: IDs to try for one replica
_NEW_IDS = 100
_GONE = 'the source image was deleted during the copy'
_CHANGED = 'the data of the source image changed during the copy'


class Stopped(Exception):
    """The transfer of an image must stop."""


class HasCopy(Exception):
    """Somebody has made the copy in the meantime, with a new ID.

    :ivar copy: the image at the target
    """

    def __init__(self, copy: records.Record) -> None:
        super().__init__('The target has the copy now: image %s' % copy.id)
        self.copy = copy


@dataclasses.dataclass(frozen=True)
class Done:
    """What the steps have led to.

    :ivar decision: the last plan
    :ivar target: the image at the target; None if there is none
    :ivar hashes: of the data that was sent, empty if none was
    :ivar sent: number of bytes
    """

    decision: planner.Decision
    target: records.Record | None
    hashes: collections.abc.Mapping[str, str] = dataclasses.field(
        default_factory=dict)
    sent: int = 0

    @property
    def verified(self) -> results.Verified:
        """At how many ends the data is verified."""
        source = self.decision.source
        if self.target is None:
            return results.Verified.NO
        if records.same_data(source, self.target):
            return results.Verified.BOTH
        if self.hashes and records.same_data(
                source.but(hashes=self.hashes), self.target):
            return results.Verified.TARGET
        return results.Verified.NO


class Copier:
    """Carries out the plans for one source and one target.

    :param source: the end to read from
    :param target: the end to write to
    :param rules: those of the plans
    :param wait: waits for a number of seconds, or raises Stopped
    """

    def __init__(self, source: ends.Source, target: ends.End,
                 rules: replication_rules.Rules,
                 wait: Wait = time.sleep) -> None:
        self._source = source
        self._target = target
        self._rules = rules
        self._wait = wait

    def carry_out(self, decision: planner.Decision, data: ends.Hashed,
                  progress: Progress | None = None) -> Done:
        """Carry out a plan.

        :param decision: to create, resume or update
        :param data: that of the source
        :param progress: called with the number of bytes sent so far
        :returns: what it has led to: Action.SAME, or a CONFLICT or SKIP that
            only showed itself on the way
        :raises NovaImageException: if a request fails. Nothing that others
            can see was left, and the next run resumes.
        :raises HasCopy: if somebody else has made the copy
        """
        if decision.action is Action.REPLACE:
            decision = self._removed(decision)
        if decision.action not in (Action.CREATE, Action.RESUME,
                                   Action.UPDATE):
            return Done(decision, decision.target)
        source = decision.source
        look = _Look(data, lambda: self._source.again(source))
        if decision.action is Action.UPDATE:
            assert decision.target is not None  # nosec B101
            return self._settle(decision, decision.target, look)
        assert decision.wanted is not None  # nosec B101
        if self._target.pulls:
            progress = self._checked(progress)
        write = self._write if decision.target else self._create
        written = write(
            (decision.target or decision.wanted).but(size=source.size), look,
            source.hashes, progress)
        if self._target.pulls:
            written = self._without_others(decision.wanted, written)
        hashes = {name: value for name, value in written.hashes.items()
                  if value}
        return self._settle(decision, written, look, hashes,
                            written.size or 0)

    def _removed(self, decision: planner.Decision) -> planner.Decision:
        """Delete our image that accepts no data; return the next plan.

        If its upload was alive, and has ended, it is not deleted.
        """
        assert decision.target is not None  # nosec B101
        again = planner.plan(decision.source, self._target.image(
            decision.target.id), self._rules)
        if again.action is not Action.REPLACE:
            return again
        if again.target is not None and again.target.status != 'deleted':
            self._target.delete(again.target.id)
        return dataclasses.replace(again, action=Action.CREATE, target=None)

    def _create(self, wanted: records.Record, data: ends.Hashed,
                hashes: collections.abc.Mapping[str, str],
                progress: Progress | None) -> records.Record:
        """Create the image with its data.

        It gets another ID if its own is burnt and that is allowed.

        :raises HasCopy: if somebody else has created it with such an ID
        """
        def create(image: records.Record) -> records.Record:
            return (self._target.create(image, data, hashes, progress) or
                    self._write(self._target.reserve(image).but(
                        size=image.size), data, hashes, progress))

        try:
            return create(wanted)
        except ends.IdIsBurnt:
            if not self._rules.new_ids:
                raise
        source_id = wanted.properties[records.MARKER]
        for number in range(_NEW_IDS):
            image = wanted.but(id=new_id(source_id, self._target.title,
                                         number))
            try:
                return create(image)
            except ends.IdIsBurnt:
                if number == _NEW_IDS - 1:
                    raise
            except exception.ImageConflict as error:
                found = self._target.image(image.id)
                if found is None or found.replica_of != source_id:
                    raise
                raise HasCopy(found) from error
        raise AssertionError('unreachable')

    def _write(self, queued: records.Record, data: ends.Hashed,
               hashes: collections.abc.Mapping[str, str],
               progress: Progress | None) -> records.Record:
        """Send the data, again if the target is not ready for it."""
        for pause in PAUSES:
            try:
                return self._target.write(queued, data, hashes, progress)
            except exception.ImageConflict:
                self._wait(pause)
                found = self._target.image(queued.id)
                if found is None or (found.replica_of != queued.replica_of or
                                     found.status not in _WITHOUT_DATA):
                    raise
        return self._target.write(queued, data, hashes, progress)

    def _checked(self, progress: Progress | None) -> Progress:
        """Return a progress that ends the copy if it has to stop."""
        def check(sent: int) -> None:
            self._wait(0)
            if progress:
                progress(sent)
        return check

    def _without_others(self, wanted: records.Record,
                        target: records.Record) -> records.Record:
        """Remove properties that the target itself has taken over."""
        return self._target.change(
            target, {'properties': wanted.properties})

    def _settle(self, decision: planner.Decision, target: records.Record,
                look: '_Look',
                hashes: collections.abc.Mapping[str, str] | None = None,
                sent: int = 0) -> Done:
        """Make all but the data equal to the source as it is now."""
        found = dict(hashes or {})
        source = look.result()
        if source is None or not source.has_data:
            if found:
                self._target.delete(target.id)
            return Done(dataclasses.replace(
                decision, action=Action.SKIP, reason=_GONE),
                None if found else target, found, sent)
        if records.same_data(decision.source, source) is False:
            return Done(dataclasses.replace(
                decision, action=Action.CONFLICT, reason=_CHANGED), target,
                found, sent)
        rules = self._rules
        if target.id != source.id:
            rules = dataclasses.replace(rules, ids=dict(
                rules.ids, **{source.id: target.id}))
        if target.members is None:
            target = target.but(members=self._target.members(target))
        again = planner.plan(source, target, rules)
        if again.action is Action.UPDATE:
            target = self._apply(again, target)
            again = _kept(planner.plan(source, target, rules))
        return Done(again, target, found, sent)

    def _apply(self, decision: planner.Decision,
               target: records.Record) -> records.Record:
        """Make the changes; those that let others see the image last."""
        fields = planner.writes(decision)
        changes = decision.changes
        if 'status' in changes:
            self._target.deactivate(target.id)
            # Its time has changed, too.
            target = self._target.image(target.id) or target
        if fields and fields.get('visibility', target.visibility) in (
                'shared', records.NOT_PUBLIC):
            # Members see the image as soon as it has them.
            known = target.members
            target, fields = self._target.change(target, fields), {}
            if known is None or 'visibility' in changes:
                # Members that the image once had come back.
                known = self._target.members(target)
            target = target.but(members=known)
        before = target.members
        members = self._members(decision, target)
        if fields:
            target = self._target.change(target, fields)
        elif members != before and self._target.members_touch:
            target = self._target.image(target.id) or target
        return target.but(members=members)

    def _members(self, decision: planner.Decision, target: records.Record
                 ) -> frozenset[records.Member] | None:
        """Give the image its members if they differ; return them."""
        assert decision.wanted is not None  # nosec B101
        wanted, now = decision.wanted.members, target.members
        if wanted is None or now is None or (
                'members' not in self._rules.fields or
                planner.same_members(now, wanted)):
            return now
        self._target.set_members(target, wanted)
        return wanted


class _Look:
    """The data of an image, and a look at the image once it was read.

    The look takes requests to the source while the target stores the data.

    :param data: the data
    :param look: returns the image as it is
    """

    def __init__(self, data: ends.Hashed, look: collections.abc.Callable[
            [], records.Record | None]) -> None:
        self._data = data
        self._look = look
        self._found: concurrent.futures.Future[
            records.Record | None] | None = None

    @property
    def hashes(self) -> dict[str, str]:
        """The hashes of the data; see ends.hashes_of()."""
        return ends.hashes_of(self._data)

    def __iter__(self) -> collections.abc.Iterator[bytes]:
        """Yield the data, and begin to look."""
        yield from self._data
        self._found = concurrent.futures.Future()
        threading.Thread(target=self._run, args=(self._found,), daemon=True,
                         name='replication-look').start()

    def _run(self, found: concurrent.futures.Future[records.Record | None]
             ) -> None:
        try:
            found.set_result(self._look())
        except BaseException as error:
            found.set_exception(error)

    def result(self) -> records.Record | None:
        """Return the image as it was after its data was read.

        :raises NovaImageException: if a request has failed
        """
        return self._look() if self._found is None else self._found.result()


def _kept(decision: planner.Decision) -> planner.Decision:
    """Return a conflict instead of an update that has had no effect."""
    if decision.action is not Action.UPDATE:
        return decision
    return dataclasses.replace(
        decision, action=Action.CONFLICT,
        reason='the target did not change its %s' % ', '.join(
            sorted(decision.changes)))


def new_id(source_id: str, title: str, number: int = 0) -> str:
    """Return the ID of a replica whose own ID is burnt at the target.

    It is the same one in every run.

    :param source_id: ID of the image at the source
    :param title: title of the target
    :param number: how many such IDs are burnt as well
    """
    name = 'replica of %s at %s' % (source_id, title)
    return str(uuid.uuid5(uuid.NAMESPACE_URL, '%s, %d' % (name, number)
                          if number else name))


class Data:
    """The data of an image, which ends as soon as a check raises.

    :param end: the end to read from, when the data is needed
    :param image: the image
    :param check: called with the size of each piece, before it is passed on
    """

    def __init__(self, end: ends.Source, image: records.Record,
                 check: Progress) -> None:
        self._end = end
        self._image = image
        self._check = check

    @property
    def hashes(self) -> dict[str, str]:
        """The hashes that the end verifies; see ends.hashes_of()."""
        return ends.hashes_of(self._end.read(self._image))

    def __iter__(self) -> collections.abc.Iterator[bytes]:
        """Read the data from its first byte."""
        for piece in self._end.read(self._image):
            self._check(len(piece))
            yield piece


def refusal(error: Exception) -> str:
    """Return why an image could not be replicated, in one line."""
    return (str(error) if isinstance(error, exception.NovaImageException)
            else '%s: %s' % (type(error).__name__, error))
