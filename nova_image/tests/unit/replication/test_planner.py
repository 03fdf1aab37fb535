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

"""The plan for one image."""

import datetime

import six

from nova_image.tests.unit.replication import case

if six.PY3:
    from nova_image.replication import ends
    from nova_image.replication import planner
    from nova_image.replication import record
    from nova_image.replication import rules

    Action = planner.Action

KERNEL = '6a4ff8f4-5e4b-4f0e-a2b5-8b2d2e6a2d11'


class PlannerTest(case.TestCase):
    """A test that plans."""

    def plan(self, source, target=None, **options):
        """Return the decision about an image."""
        return planner.plan(source, target, case.make_rules(**options))

    def check(self, expected, source, target=None, **options):
        """Check the action, and return the decision."""
        found = self.plan(source, target, **options)
        self.assertEqual(expected, found.action, found.reason)
        return found


class TestMissing(PlannerTest):
    """The target does not have the image."""

    def test_it_is_created_with_a_marker(self):
        source = case.image(properties={'os_type': 'linux'})
        found = self.check(Action.CREATE, source)
        self.assertEqual({'os_type': 'linux', record.MARKER: 'A'},
                         found.wanted.properties)

    def test_without_data_it_is_left_out(self):
        for status in ('queued', 'saving', 'killed', 'importing', 'deleted'):
            found = self.check(Action.SKIP, case.image(status=status))
            self.assertIn(status, found.reason)

    def test_a_deactivated_image_has_data(self):
        self.check(Action.CREATE, case.image(status='deactivated'))

    def test_a_filter_leaves_it_out(self):
        found = self.check(Action.SKIP, case.image(), filters=(
            lambda image: None, lambda image: 'not ' + image.name))
        self.assertEqual('not disk', found.reason)

    def test_metadata_only(self):
        self.check(Action.SKIP, case.image(), metadata_only=True)

    def test_the_target_refuses_it(self):
        found = self.check(
            Action.SKIP, case.image(), fit=lambda wanted: ends.Fit(
                wanted, refusal='no gpt there'))
        self.assertEqual('no gpt there', found.reason)

    def test_the_target_refuses_its_data(self):
        found = self.check(
            Action.SKIP, case.image(), fit=lambda wanted: ends.Fit(
                wanted, data_refusal=lambda: 'no gpt there'))
        self.assertEqual('no gpt there', found.reason)

    def test_target_is_asked_about_formats_only_if_it_receives_them(self):
        asked = []

        def fit(wanted):
            return ends.Fit(wanted, data_refusal=lambda: asked.append(1))

        source = case.image()
        target = case.replica(source)
        self.check(Action.SAME, source, target, fit=fit)
        self.check(Action.UPDATE, source, target.but(name='old'), fit=fit)
        self.check(Action.SKIP, source, fit=fit, metadata_only=True)
        self.assertEqual([], asked)
        self.check(Action.CREATE, source, fit=fit)
        self.check(Action.RESUME, source, target.but(
            status='queued', size=None, hashes={}), fit=fit)
        self.assertEqual([1, 1], asked)

    def test_what_the_target_cannot_hold_is_told(self):
        lost = ends.Loss('tags', 'v1 has no tags')
        found = self.check(
            Action.CREATE, case.image(tags=frozenset('t')),
            fit=lambda wanted: ends.Fit(wanted.but(tags=frozenset()),
                                        (lost,)))
        self.assertEqual((lost,), found.losses)
        self.assertEqual(frozenset(), found.wanted.tags)

    def test_properties_and_fields_that_are_not_copied(self):
        source = case.image(protected=True, properties={
            'a': '1', 'secret_x': '2', 'os_glance_y': '3'})
        found = self.check(Action.CREATE, source,
                           ignored=('secret_*', 'protected', 'owner'))
        self.assertEqual({'a': '1', record.MARKER: 'A'},
                         found.wanted.properties)
        self.assertFalse(found.wanted.protected)
        self.assertIsNone(found.wanted.owner)

    def test_no_properties(self):
        source = case.image(properties={'a': '1'})
        found = self.check(Action.CREATE, source, ignored=('properties',))
        self.assertEqual({record.MARKER: 'A'}, found.wanted.properties)
        self.check(Action.SAME, source, found.wanted, ignored=('properties',))

    def test_references_to_images_with_new_ids(self):
        source = case.image(properties={'kernel_id': KERNEL, 'x': KERNEL})
        found = self.check(Action.CREATE, source,
                           ids={KERNEL: 'new', 'A': 'newer'})
        self.assertEqual('newer', found.wanted.id)
        self.assertEqual(
            {'kernel_id': 'new', 'x': KERNEL, record.MARKER: 'A'},
            found.wanted.properties)

    def test_projects(self):
        source = case.image(members=frozenset((
            record.Member('you', 'accepted'),)))
        projects = rules.Projects({'me': 'ich', 'you': 'du'})
        found = self.check(Action.CREATE, source, projects=projects)
        self.assertEqual('ich', found.wanted.owner)
        self.assertEqual(frozenset((record.Member('du', 'accepted'),)),
                         found.wanted.members)

    def test_one_project_for_all_images_keeps_the_members(self):
        source = case.image(members=frozenset((record.Member('you'),)))
        found = self.check(Action.CREATE, source, projects=rules.Projects(
            everything_to='all'))
        self.assertEqual('all', found.wanted.owner)
        self.assertEqual(source.members, found.wanted.members)

    def test_a_project_without_one_at_the_target(self):
        found = self.check(Action.CONFLICT, case.image(),
                           projects=rules.Projects(keep_unknown=False))
        self.assertIn('me', found.reason)


class TestPresent(PlannerTest):
    """The target has an image with the ID."""

    def test_the_same(self):
        source = case.image()
        found = self.check(Action.SAME, source, case.replica(source))
        self.assertTrue(found.verified)

    def test_the_same_without_a_common_hash_is_not_verified(self):
        source = case.image(hashes={'md5': 'aa'})
        target = case.replica(source, hashes={'sha512': 'bb'})
        self.assertFalse(self.check(Action.SAME, source, target).verified)

    def test_one_that_another_tool_has_copied(self):
        source = case.image()
        self.check(Action.SAME, source, source)

    def test_other_data_is_a_conflict(self):
        source = case.image()
        for fields in ({'size': 6}, {'hashes': {'md5': 'cc'}}):
            found = self.check(Action.CONFLICT, source,
                               case.replica(source, **fields))
            self.assertIn('data', found.reason)

    def test_metadata_is_updated(self):
        source = case.image(name='new', tags=frozenset('a'))
        target = case.replica(source, name='old', tags=frozenset('b'))
        found = self.check(Action.UPDATE, source, target)
        self.assertEqual({'name': ('old', 'new'),
                          'tags': (frozenset('b'), frozenset('a'))},
                         found.changes)

    def test_an_update_keeps_what_belongs_to_the_target(self):
        source = case.image(properties={'a': '1', 'secret': '2'})
        target = case.image(properties={'a': '0', 'b': '0', 'secret': '3',
                                        'os_glance_x': '4'})
        found = self.check(Action.UPDATE, source, target,
                           ignored=('secret',))
        self.assertEqual(
            {'properties': {'a': '1', 'secret': '3', 'os_glance_x': '4'}},
            planner.writes(found))

    def test_an_update_keeps_the_marker(self):
        source = case.image(properties={'a': '1'})
        target = case.replica(source.but(properties={}))
        found = self.check(Action.UPDATE, source, target)
        self.assertEqual(
            {'properties': {'a': '1', record.MARKER: 'A'}},
            planner.writes(found))

    def test_formats_cannot_be_changed(self):
        source = case.image()
        found = self.check(Action.CONFLICT, source,
                           case.replica(source, disk_format='qcow2'))
        self.assertIn('disk_format', found.reason)

    def test_our_queued_image_is_continued(self):
        source = case.image()
        for status in ('queued', 'saving', 'importing'):
            self.check(Action.RESUME, source, case.replica(
                source, status=status, size=None, hashes={}))

    def test_our_killed_image_needs_a_new_id(self):
        source = case.image()
        found = self.check(Action.CONFLICT, source, case.replica(
            source, status='killed', size=None, hashes={}))
        self.assertIn('new ID', found.reason)

    def test_our_killed_image_is_replaced_if_new_ids_are_allowed(self):
        source = case.image()
        self.check(Action.REPLACE, source, case.replica(
            source, status='killed', size=None, hashes={}), new_ids=True)

    def test_a_deleted_image_is_replaced_if_new_ids_are_allowed(self):
        source = case.image()
        for target in case.replica(source), source:
            target = target.but(status='deleted')
            self.check(Action.CONFLICT, source, target)
            self.check(Action.REPLACE, source, target, new_ids=True)

    def test_an_upload_that_died_with_glance(self):
        source = case.image()
        moment = datetime.datetime(2026, 1, 1)
        target = case.replica(source, status='saving', size=None, hashes={},
                              updated_at=moment)
        later = moment + datetime.timedelta(seconds=1)
        self.check(Action.RESUME, source, target, abandoned_before=moment,
                   new_ids=True)
        found = self.check(Action.CONFLICT, source, target,
                           abandoned_before=later)
        self.assertIn('new ID', found.reason)
        self.check(Action.REPLACE, source, target, abandoned_before=later,
                   new_ids=True)
        self.check(Action.SKIP, source, target, abandoned_before=later,
                   new_ids=True, metadata_only=True)
        foreign = target.but(properties={})
        self.check(Action.CONFLICT, source, foreign, abandoned_before=later,
                   new_ids=True)

    def test_an_import_that_died_with_glance(self):
        source = case.image()
        found = self.check(Action.CONFLICT, source, case.replica(
            source, status='importing', size=None, hashes={},
            updated_at=datetime.datetime(2026, 1, 1)),
            abandoned_before=datetime.datetime(2026, 1, 2))
        self.assertIn('an import to the target began', found.reason)

    def test_data_that_the_source_does_not_return(self):
        source = case.image(status='deactivated')
        queued = case.replica(source, status='queued', size=None, hashes={})
        readable = frozenset(('active',))
        for target in None, queued:
            found = self.check(Action.SKIP, source, target,
                               readable=readable)
            self.assertIn('deactivated', found.reason)
        self.check(Action.SAME, source, case.replica(source),
                   readable=readable)

    def test_the_queued_image_of_somebody_is_not_touched(self):
        source = case.image()
        self.check(Action.CONFLICT, source, case.image(
            status='queued', size=None, hashes={}))

    def test_a_replica_of_another_image_is_not_touched(self):
        source = case.image()
        found = self.check(Action.CONFLICT, source,
                           case.replica(source.but(id='B'), id='A'))
        self.assertIn('B', found.reason)

    def test_a_replica_does_not_change_its_original(self):
        original = case.image()
        found = self.check(Action.SKIP, case.replica(original, name='other'),
                           original)
        self.assertIn('replica', found.reason)
        self.check(Action.UPDATE, case.replica(original, name='other'),
                   original, restores=True)
        # A chain of replicas is one: each has the marker of the one before.
        second = case.replica(original)
        self.check(Action.SAME, second, case.replica(second))

    def test_a_deleted_id(self):
        source = case.image()
        found = self.check(Action.CONFLICT, source,
                           case.replica(source, status='deleted'))
        self.assertIn('new ID', found.reason)

    def test_deactivated_at_the_source(self):
        source = case.image(status='deactivated')
        found = self.check(Action.UPDATE, source,
                           case.replica(source, status='active'))
        self.assertEqual({'status': ('active', 'deactivated')},
                         found.changes)
        self.assertEqual({}, planner.writes(found))

    def test_deactivated_at_the_target_only(self):
        source = case.image()
        self.check(Action.CONFLICT, source,
                   case.replica(source, status='deactivated'))

    def test_what_an_api_does_not_have_does_not_differ(self):
        source = case.image(visibility=record.NOT_PUBLIC,
                            tags=frozenset('a'))
        for visibility, action in (('private', Action.SAME),
                                   ('community', Action.SAME),
                                   ('public', Action.UPDATE)):
            target = case.replica(source, visibility=visibility,
                                  tags=frozenset('b'))
            self.check(action, source, target,
                       fields=ends.FIELDS - {'tags'})

    def test_members(self):
        accepted = frozenset((record.Member('p', 'accepted'),))
        unknown = frozenset((record.Member('p'),))
        pending = frozenset((record.Member('p', 'pending'),))
        for ours, theirs, action in (
                (accepted, accepted, Action.SAME),
                (accepted, unknown, Action.SAME),
                (accepted, None, Action.SAME),
                (accepted, pending, Action.UPDATE),
                (accepted, frozenset(), Action.UPDATE)):
            source = case.image(visibility='shared', members=ours)
            self.check(action, source, case.replica(source, members=theirs))
