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

"""Replicas whose source is gone, and what a run may do about them.

Only images that an earlier run has created count: they have the marker, and
the journal knows them. By default they are only reported.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import enum

from nova_image.replication import ends
from nova_image.replication import record as records
from nova_image.replication import results

Result = results.Result


class Policy(enum.Enum):
    """What to do with a replica whose source is gone."""

    KEEP = 'keep'
    HIDE = 'hide'
    DEACTIVATE = 'deactivate'
    DELETE = 'delete'


@dataclasses.dataclass(frozen=True)
class Orphans:
    """What to do, and how often at most.

    :ivar policy: what to do
    :ivar most: if more replicas have lost their source, nothing is done: the
        source may be the wrong one
    """

    policy: Policy = Policy.KEEP
    most: int = 10

    def deal_with(self, source: ends.Source, end: ends.End,
                  found: collections.abc.Sequence[records.Record],
                  change: bool) -> collections.abc.Iterator[results.Outcome]:
        """Yield what became of each replica.

        A listing lacks an image that somebody hides, or shows again, while it
        is read. Nothing is done to a replica before the source has said that
        it has no such image.

        :param source: the source
        :param end: the target
        :param found: the replicas, as the target lists them
        :param change: whether to change the target
        """
        todo = [image for image in found if not self._is_done(image)]
        for image in found:
            outcome = results.Outcome(
                image=image, target=end.title, result=Result.SKIPPED,
                target_id=image.id, action=self.policy.value,
                reason='its source is gone')
            if image in todo and self.policy is not Policy.KEEP:
                outcome = self._try(source, end, image, outcome, len(todo),
                                    change)
            yield outcome

    def _is_done(self, image: records.Record) -> bool:
        return (self.policy is Policy.HIDE and image.hidden or
                self.policy is Policy.DEACTIVATE and
                image.status == 'deactivated')

    def _try(self, source: ends.Source, end: ends.End,
             image: records.Record, outcome: results.Outcome, count: int,
             change: bool) -> results.Outcome:
        """Do what the policy says with one image."""
        if count > self.most:
            return dataclasses.replace(
                outcome, result=Result.CONFLICT,
                reason='its source is gone, and the sources of %d replicas '
                'are: more than the maximum of %d' % (count, self.most))
        try:
            original = source.image(image.replica_of or '')
            if original is not None and original.status != 'deleted':
                return dataclasses.replace(
                    outcome, result=Result.LEFT,
                    reason='its source was not listed, but is there')
            if not change:
                return dataclasses.replace(outcome, result=Result.DIFFERENT)
            self._do(end, image)
        except Exception as error:
            return dataclasses.replace(
                outcome, result=Result.FAILED,
                reason='its source is gone: %s' % error)
        return dataclasses.replace(outcome, result=Result.UPDATED)

    def _do(self, end: ends.End, image: records.Record) -> None:
        if self.policy is Policy.HIDE:
            end.change(image, {'hidden': True})
        elif self.policy is Policy.DEACTIVATE:
            end.deactivate(image.id)
        else:
            if image.protected:
                end.change(image, {'protected': False})
            end.delete(image.id)
