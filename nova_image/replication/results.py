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

"""What became of the images of a run, and its exit code."""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import enum
import typing

from nova_image import compat
from nova_image.replication import ends
from nova_image.replication import record as records


class Result(enum.Enum):
    """What became of one image at one target."""

    COPIED = 'copied'
    UPDATED = 'updated'
    SAME = 'same'
    SKIPPED = 'skipped'
    CONFLICT = 'conflict'
    FAILED = 'failed'
    #: a dry run, or a comparison, has found something to do
    DIFFERENT = 'different'
    #: another worker is at work on it, or the run was stopped before it
    LEFT = 'left'


class Verified(enum.Enum):
    """At how many ends hashes have shown that the data is right."""

    BOTH = 'both ends'
    #: the source has no hash: the target has what was read
    TARGET = 'target only'
    NO = 'no'


#: results of an image that the target has
_THERE = (Result.SAME, Result.COPIED, Result.UPDATED)
#: planner's actions that are about the data of an image
_WITH_DATA = ('create', 'resume', 'update', 'same')


@dataclasses.dataclass(frozen=True, **compat.KEYWORDS)
class Outcome:
    """What became of one image at one target.

    :ivar image: the image at the source, or a replica without a source
    :ivar target: title of the target
    :ivar target_id: ID at the target, or None
    :ivar action: what the plan was: a planner.Action's value
    :ivar reason: why, or None
    :ivar changes: names of the fields that differed
    :ivar sent: bytes that were sent
    :ivar seconds: how long it took
    :ivar hashes: {name for hashlib: hexadecimal digest} of the data that was
        read, empty if none was
    :ivar moment: journal.moment() when the members were the same
    """

    image: records.Record
    target: str
    result: Result
    target_id: str | None = None
    action: str | None = None
    reason: str | None = None
    changes: tuple[str, ...] = ()
    losses: tuple[ends.Loss, ...] = ()
    verified: Verified = Verified.NO
    sent: int = 0
    seconds: float = 0.0
    hashes: collections.abc.Mapping[str, str] = dataclasses.field(
        default_factory=dict)
    moment: str | None = None

    def as_dict(self) -> dict[str, typing.Any]:
        """Return it for JSON, in one level except for the losses."""
        return {
            'image': self.image.id, 'name': self.image.name,
            'size': self.image.size, 'target': self.target,
            'target_image': self.target_id, 'result': self.result.value,
            'action': self.action, 'reason': self.reason,
            'changes': list(self.changes),
            'losses': {loss.field: loss.reason for loss in self.losses},
            'verified': self.verified.value, 'bytes_sent': self.sent,
            'seconds': round(self.seconds, 3)}


def _general(outcome: Outcome) -> str:
    """Return the reason without what is only about this image."""
    reason = outcome.reason or ''
    for image_id in (outcome.image.id, outcome.target_id):
        if image_id:
            reason = reason.replace(' (image %s)' % image_id, '').replace(
                image_id, 'ID')
    return reason


class Report:
    """Counts of the outcomes of a run, and the outcomes that people read.

    :ivar counts: {Result: number of images}
    :ivar reasons: {(Result, reason): number of images} where one is given
    :ivar size: total size in bytes of the images that were looked at
    :ivar sent: bytes that were sent
    :ivar unverified: images that no hash has verified
    :ivar stopped: why the run ended before its end, or None
    """

    def __init__(self) -> None:
        self.counts: collections.Counter[Result] = collections.Counter()
        self.reasons: collections.Counter[
            tuple[Result, str]] = collections.Counter()
        self.losses: collections.Counter[ends.Loss] = collections.Counter()
        self.size = 0
        self.sent = 0
        self.unverified = 0
        self.stopped: str | None = None

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        self.counts[outcome.result] += 1
        if outcome.reason:
            self.reasons[outcome.result, _general(outcome)] += 1
        self.losses.update(outcome.losses)
        self.size += outcome.image.size or 0
        self.sent += outcome.sent
        if outcome.verified is Verified.NO and (
                outcome.action in _WITH_DATA and outcome.result in _THERE):
            self.unverified += 1

    @property
    def complete(self) -> bool:
        """Whether every image could be dealt with."""
        return not (self.stopped or self.counts[Result.FAILED] or
                    self.counts[Result.CONFLICT] or self.counts[Result.LEFT])

    @property
    def equal(self) -> bool:
        """Whether the targets have what the source has, or have it now."""
        return self.complete and not self.counts[Result.DIFFERENT]
