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

"""Mends what an audit finds, with a plan and a way back.

A change is made only if the image still has the value that the plan shows,
and undone only if it still has the value that the change has given it.
"""

from __future__ import annotations

import abc
import collections.abc
import dataclasses
import typing

from nova_image import exception
from nova_image.image import reasons
from nova_image.status import checks

PLANNED = 'planned'
DONE = 'done'
#: the image has had the value already
ALREADY = 'already'
REFUSED = 'refused'
UNDONE = 'undone'
NOT_UNDONE = 'not undone'
STATES = (PLANNED, DONE, ALREADY, REFUSED, UNDONE, NOT_UNDONE)
#: states of changes that may have been made
MAY_BE_MADE = (PLANNED, DONE, REFUSED, NOT_UNDONE)

Value = typing.Any


@dataclasses.dataclass
class Change:
    """One change of one image.

    :ivar kind: the name of the Repair that makes it
    :ivar image_id: ID of the image
    :ivar part: what is changed: a field, a property, or the ID of a member
    :ivar before: its value before; JSON
    :ivar after: its value afterwards; JSON
    :ivar state: one of the above
    :ivar reason: why it was refused, or ''
    """

    kind: str
    image_id: str
    part: str
    before: Value
    after: Value
    state: str = PLANNED
    reason: str = ''

    def line(self, back: bool = False) -> str:
        """Return the change as one line.

        :param back: whether it is about to be undone
        """
        one, other = self.before, self.after
        if back:
            one, other = other, one
        return '%s %s: %s -> %s' % (self.image_id, self.part, _shown(one),
                                    _shown(other))


def _shown(value: Value) -> str:
    return 'none' if value in (None, '') else str(value)


class Planner(checks.ImageCheck):
    """Plans the changes of one kind, from the facts that a check sees.

    :ivar changes: the plan
    """

    of = 'could not be looked at'
    title = why = ''

    def __init__(self) -> None:
        """Begin without changes."""
        super().__init__()
        self.changes: list[Change] = []


class Repair(abc.ABC):
    """Makes changes of one kind through one Images API.

    The methods raise exceptions of nova_image.exception.
    """

    @abc.abstractmethod
    def planner(self) -> Planner | None:
        """Return a new planner; None if another kind plans its changes."""

    @abc.abstractmethod
    def read(self, change: Change) -> Value:
        """Return the present value.

        :raises NotFound: if the image or the member is gone
        """

    @abc.abstractmethod
    def write(self, change: Change, value: Value) -> None:
        """Give the image a value."""


Record = collections.abc.Callable[[Change], None]


def apply(changes: collections.abc.Iterable[Change],
          repairs: collections.abc.Mapping[str, Repair],
          record: Record) -> None:
    """Make changes; one that is refused does not end the others.

    :param repairs: {kind: Repair}
    :param record: called after each change
    """
    for change in changes:
        try:
            now = repairs[change.kind].read(change)
            if now == change.after:
                change.state = ALREADY
            elif now != change.before:
                _refuse(change, REFUSED, 'it is %s now' % _shown(now))
            else:
                repairs[change.kind].write(change, change.after)
                change.state, change.reason = DONE, ''
        except exception.NovaImageException as error:
            _refuse(change, REFUSED, reasons.brief(error))
        record(change)


def undo(changes: collections.abc.Sequence[Change],
         repairs: collections.abc.Mapping[str, Repair],
         record: Record) -> None:
    """Undo changes in the opposite order.

    :param repairs: {kind: Repair}
    :param record: called after each change
    """
    for change in reversed(changes):
        if change.state not in MAY_BE_MADE:
            continue
        if change.kind not in repairs:
            _refuse(change, NOT_UNDONE, 'this nova_image, or this cloud, '
                    'lacks the API that made it')
        else:
            _undo(change, repairs[change.kind])
        record(change)


def _undo(change: Change, repair: Repair) -> None:
    try:
        now = repair.read(change)
        if now == change.before:
            change.state, change.reason = UNDONE, ''
        elif now != change.after:
            _refuse(change, NOT_UNDONE, 'it is %s now' % _shown(now))
        else:
            repair.write(change, change.before)
            change.state, change.reason = UNDONE, ''
    except exception.NovaImageException as error:
        _refuse(change, NOT_UNDONE, reasons.brief(error))


def _refuse(change: Change, state: str, reason: str) -> None:
    change.state, change.reason = state, exception.redact(reason)
