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

"""Plans of any image: what a plan leads to needs nothing more."""

import unittest

import six

from nova_image.tests.unit.replication import case

if six.PY3:
    import hypothesis
    from hypothesis import strategies

    from nova_image.replication import ends
    from nova_image.replication import planner
    from nova_image.replication import record
    from nova_image.replication import rules

    Action = planner.Action

    NAMES = strategies.sampled_from(('a', 'b', 'kernel_id', 'os_glance_a'))
    IDS = strategies.sampled_from(('A', 'B', 'C'))
    PROJECTS = strategies.sampled_from(('me', 'you'))
    MEMBERS = strategies.dictionaries(PROJECTS, strategies.sampled_from(
        ('pending', 'accepted', 'rejected', None))).map(
            lambda found: frozenset(
                record.Member(*one) for one in found.items()))
    RECORDS = strategies.builds(
        record.Record, id=IDS, name=strategies.none() | NAMES,
        status=strategies.sampled_from((
            'active', 'active', 'deactivated', 'queued', 'saving', 'killed',
            'importing', 'deleted')),
        owner=strategies.none() | PROJECTS,
        visibility=strategies.sampled_from((
            'public', 'private', 'shared', 'community', record.NOT_PUBLIC)),
        protected=strategies.booleans(), hidden=strategies.booleans(),
        disk_format=strategies.sampled_from(('raw', 'qcow2')),
        size=strategies.none() | strategies.integers(0, 2),
        hashes=strategies.dictionaries(
            strategies.sampled_from(('md5', 'sha512')),
            strategies.sampled_from(('aa', 'AA', 'bb'))),
        tags=strategies.frozensets(NAMES),
        properties=strategies.dictionaries(NAMES, IDS) | strategies.builds(
            lambda name: {record.MARKER: name}, IDS),
        members=strategies.none() | MEMBERS)
    RULES = strategies.builds(
        rules.Rules, fit=strategies.sampled_from((
            ends.Fit,
            lambda image: ends.Fit(image.but(tags=frozenset()), (
                ends.Loss('tags', 'no tags'),)),
            lambda image: ends.Fit(image, refusal=(
                'it is protected' if image.protected else None)))),
        fields=strategies.sets(strategies.sampled_from(
            sorted(ends.FIELDS))).map(frozenset),
        ignored=strategies.sets(strategies.sampled_from(
            ('a', 'owner', 'k*', 'visibility', 'members', 'status'))).map(
                tuple),
        projects=strategies.builds(
            rules.Projects, strategies.dictionaries(PROJECTS, PROJECTS),
            strategies.none() | PROJECTS, strategies.booleans()),
        ids=strategies.dictionaries(IDS, IDS),
        metadata_only=strategies.booleans())


def done(decision):
    """Return the image at the target after a decision was carried out."""
    wanted = decision.wanted
    if decision.action in (Action.CREATE, Action.RESUME):
        return wanted
    fields = planner.writes(decision)
    for name in ('members', 'status'):
        if name in decision.changes:
            fields[name] = decision.changes[name][1]
    return decision.target.but(**fields)


@unittest.skipIf(six.PY2, 'replication requires Python 3.9')
class TestPlans(case.TestCase):
    """Properties of all plans."""

    if six.PY3:
        @hypothesis.settings(max_examples=1000, deadline=None)
        @hypothesis.given(RECORDS, strategies.none() | RECORDS, RULES)
        def test_the_result_of_a_plan_is_the_same(self, source, target,
                                                  chosen):
            first = planner.plan(source, target, chosen)
            if first.action in (Action.SKIP, Action.CONFLICT):
                self.assertTrue(first.reason)
                return
            self.assertIsNone(first.reason)
            self.assertTrue(source.has_data)
            if first.action is Action.UPDATE:
                self.assertTrue(first.changes)
            second = planner.plan(source, done(first), chosen)
            self.assertEqual(Action.SAME, second.action, second)

        @hypothesis.settings(max_examples=1000, deadline=None)
        @hypothesis.given(RECORDS, RECORDS, RULES)
        def test_images_of_others_are_not_given_data(self, source, target,
                                                     chosen):
            found = planner.plan(source, target, chosen)
            if found.action is Action.RESUME:
                self.assertEqual(source.id, target.replica_of)
                self.assertFalse(target.has_data)
            self.assertNotEqual(Action.CREATE, found.action)
            if found.action in (Action.UPDATE, Action.SAME):
                self.assertIsNot(False, record.same_data(source, target))
