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

"""What an image needs at the target: a pure function.

compare, --dry-run and the copy use the same one.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import types
import typing

from nova_image import compat
from nova_image.replication import ends
from nova_image.replication import record as records
from nova_image.replication import rules as replication_rules

#: fields of an image with data that Glance does not change
_FIXED = ('disk_format', 'container_format')


#: values of fields that are not copied
_DEFAULTS = {one.name: one.default
             for one in dataclasses.fields(records.Record)
             if one.name in ends.FIELDS - {'owner', 'status', 'properties'}}


_NO_CHANGES: collections.abc.Mapping[
    str, tuple[typing.Any, typing.Any]] = types.MappingProxyType({})


class Action(enum.Enum):
    """What to do with an image."""

    CREATE = 'create'
    RESUME = 'resume'
    UPDATE = 'update'
    #: delete our image, which accepts no data, and use another ID
    REPLACE = 'replace'
    SAME = 'same'
    SKIP = 'skip'
    CONFLICT = 'conflict'


#: actions by which the target receives data
WITH_DATA = (Action.CREATE, Action.RESUME, Action.REPLACE)


@dataclasses.dataclass(frozen=True, **compat.SLOTS)
class Decision:
    """The plan for one image.

    :ivar wanted: the image as the target will show it; None for SKIP and
        for a CONFLICT with the rules
    :ivar changes: {field: (value at the target, wanted value)} for UPDATE
    :ivar reason: why, for SKIP and CONFLICT
    :ivar losses: what the target cannot hold
    :ivar verified: whether hashes have shown that the data is the same
    """

    action: Action
    source: records.Record
    target: records.Record | None = None
    wanted: records.Record | None = None
    changes: collections.abc.Mapping[str, tuple[typing.Any, typing.Any]] = (
        dataclasses.field(default_factory=lambda: _NO_CHANGES))
    reason: str | None = None
    losses: tuple[ends.Loss, ...] = ()
    verified: bool = False


def plan(source: records.Record, target: records.Record | None,
         rules: replication_rules.Rules) -> Decision:
    """Return what to do with an image.

    Members are compared only if both records have them.

    :param source: the image at the source
    :param target: its replica at the target, or whatever has its ID there
    """
    if source.problem:
        return Decision(Action.CONFLICT, source, target,
                        reason=source.problem)
    reason = _left_out(source, rules)
    if reason:
        return Decision(Action.SKIP, source, target, reason=reason)
    try:
        wanted = _wanted(source, rules)
    except KeyError as error:
        return Decision(
            Action.CONFLICT, source, target,
            reason='no project of the target is known for project %s' %
                   error.args)
    fit = rules.fit(wanted)
    if fit.refusal:
        return Decision(Action.SKIP, source, target, reason=fit.refusal,
                        losses=fit.losses)
    decision = dataclasses.replace(
        _beside(source, target, fit.record, rules) if target else
        _missing(source, fit.record, rules), losses=fit.losses)
    reason = fit.data_refusal() if _sends_formats(decision) else None
    return decision if reason is None else Decision(
        Action.SKIP, source, target, reason=reason, losses=fit.losses)


def _missing(source: records.Record, wanted: records.Record,
             rules: replication_rules.Rules) -> Decision:
    """Return what to do with an image that the target lacks."""
    reason = _no_data(source, rules, 'the target lacks the image')
    return Decision(Action.SKIP if reason else Action.CREATE, source,
                    None, wanted, reason=reason)


def _sends_formats(decision: Decision) -> bool:
    """Return whether the target receives the formats of the image."""
    return decision.action in WITH_DATA or any(
        name in decision.changes for name in _FIXED)


def _left_out(source: records.Record,
              rules: replication_rules.Rules) -> str | None:
    """Return why an image is not replicated, or None."""
    for find in rules.filters:
        reason = find(source)
        if reason:
            return reason
    if not source.has_data:
        return 'it has no data, its status is %s' % source.status
    return None


def _no_data(source: records.Record, rules: replication_rules.Rules,
             need: str) -> str | None:
    """Return why data that the target needs is not copied, or None.

    :param need: why the target needs it
    """
    if rules.metadata_only:
        return 'only metadata is copied, and %s' % need
    if source.status not in rules.readable:
        return ('%s, but the data of an image that is %s cannot be copied '
                'from this source' % (need, source.status))
    return None


def _wanted(source: records.Record,
            rules: replication_rules.Rules) -> records.Record:
    """Return the image for the target, before its limits.

    :raises KeyError: if a project has none at the target
    """
    wanted = source.but(
        id=rules.ids.get(source.id, source.id),
        owner=None if rules.ignores('owner') else rules.projects.owner(
            source.owner),
        members=None if source.members is None else frozenset(
            records.Member(rules.projects.member(one.project), one.status)
            for one in source.members),
        properties=dict(rules.properties(source),
                        **{records.MARKER: source.id}))
    return wanted.but(**{name: _DEFAULTS[name] for name in _DEFAULTS
                         if rules.ignores(name)})


def _beside(source: records.Record, target: records.Record,
            wanted: records.Record,
            rules: replication_rules.Rules) -> Decision:
    """Return the decision about an image that the target has."""
    if not rules.restores and (
            source.replica_of == target.id and target.replica_of is None):
        return Decision(Action.SKIP, source, target,
                        reason='it is a replica of the image at the target')
    dead = _dead(source, target, rules)
    if dead and rules.new_ids:
        reason = _no_data(source, rules, dead)
        return Decision(Action.SKIP if reason else Action.REPLACE, source,
                        target, wanted, reason=reason)
    reason = dead or _conflict(source, target)
    if reason:
        return Decision(Action.CONFLICT, source, target, wanted,
                        reason=reason)
    if not target.has_data:
        reason = _no_data(source, rules,
                          'the image at the target has no data')
        return Decision(Action.SKIP if reason else Action.RESUME, source,
                        target, wanted, reason=reason)
    changes = differences(wanted, target, rules)
    fixed = sorted(set(changes).intersection(_FIXED))
    if fixed:
        return Decision(
            Action.CONFLICT, source, target, wanted, changes,
            'the data is the same, but Glance does not change the %s of an '
            'image that has data' % ' and the '.join(fixed))
    return Decision(Action.UPDATE if changes else Action.SAME, source, target,
                    wanted, changes,
                    verified=bool(records.same_data(source, target)))


def _dead(source: records.Record, target: records.Record,
          rules: replication_rules.Rules) -> str | None:
    """Return why the ID of an image never accepts data again, or None."""
    if target.status == 'deleted':
        return ('the target has had an image with this ID, which was '
                'deleted. Use a new ID')
    if target.replica_of != source.id:
        return None
    if target.status == 'killed':
        return ('an upload to the target was interrupted, after which it '
                'accepts no data for this ID. Use a new ID')
    if rules.is_abandoned(target):
        return ('an %s to the target began at %s and has not ended. If '
                'Glance was killed in the middle, it accepts no data for '
                'this ID. Use a new ID' % (
                    'upload' if target.status == 'saving' else 'import',
                    target.updated_at))
    return None


def _conflict(source: records.Record,
              target: records.Record) -> str | None:
    """Return why an image at the target cannot become the replica."""
    if target.replica_of not in (None, source.id):
        return 'the image at the target is a replica of %s' % (
            target.replica_of)
    if not target.has_data:
        ours = target.replica_of == source.id
        if ours and target.status in ('queued', 'saving', 'importing'):
            return None
        return ('the target has an image with this ID and status %s that was '
                'not made by a replication' % target.status)
    if records.same_data(source, target) is False:
        return 'the data at the target is different'
    if source.status == 'active' and target.status == 'deactivated':
        return ('the image is deactivated at the target only. Reactivate it '
                'there, if that is right')
    return None


def differences(wanted: records.Record, target: records.Record,
                rules: replication_rules.Rules,
                ) -> dict[str, tuple[typing.Any, typing.Any]]:
    """Return {field: (value at the target, wanted value)}."""
    found = {}
    for name in sorted(rules.fields):
        if rules.ignores(name):
            continue
        now, then = getattr(target, name), getattr(wanted, name)
        if name == 'properties':
            now, then = _compared(target, rules), _compared(wanted, rules)
        if not _is_same(name, now, then):
            found[name] = now, then
    return found


def writes(decision: Decision) -> dict[str, typing.Any]:
    """Return the fields that End.change() sets for an UPDATE, or after data.

    The properties of the target that replication does not copy remain.

    :param decision: one with a target
    """
    found = {name: wanted for name, (_, wanted) in decision.changes.items()
             if name not in ('members', 'status')}
    if 'properties' in found and decision.target is not None:
        before = decision.changes['properties'][0]
        found['properties'] = dict(found['properties'], **{
            name: value for name, value in decision.target.properties.items()
            if name not in before})
    return found


def _compared(image: records.Record,
              rules: replication_rules.Rules) -> dict[str, str]:
    """Return the properties to compare: the marker never differs."""
    return {name: value for name, value in image.properties.items()
            if name != records.MARKER and
            not name.startswith('os_glance_') and not rules.ignores(name)}


def _is_same(name: str, now: typing.Any, then: typing.Any) -> bool:
    """Return whether a field has the wanted value, as far as is known."""
    if name == 'visibility' and records.NOT_PUBLIC in (now, then):
        return (now == 'public') == (then == 'public')
    if name == 'members':
        return None in (now, then) or same_members(now, then)
    return bool(now == then)


def same_members(now: frozenset[records.Member],
                 then: frozenset[records.Member]) -> bool:
    """Return whether members are the same.

    A status that an API does not have is any status.
    """
    before = {one.project: one.status for one in now}
    after = {one.project: one.status for one in then}
    return before.keys() == after.keys() and all(
        None in (before[project], after[project]) or
        before[project] == after[project] for project in before)
