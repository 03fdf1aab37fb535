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

"""Whole runs between Glances in memory."""

import contextlib
import threading

import mock
import six

from nova_image.tests.unit.replication import case
from nova_image.tests.unit.replication import memory

if six.PY3:
    from nova_image import exception
    from nova_image.replication import copying
    from nova_image.replication import journal
    from nova_image.replication import orphans
    from nova_image.replication import record
    from nova_image.replication import results
    from nova_image.replication import rules
    from nova_image.replication import run
    from nova_image.replication import targets
    from nova_image.replication import watching

    Result = results.Result


class RunTest(case.TestCase):
    """A test of runs between two Glances."""

    def setUp(self):
        super(RunTest, self).setUp()
        self.journal = journal.Journal(':memory:')
        self.addCleanup(self.journal.close)
        self.source = memory.Glance('source')
        self.target = memory.Glance('target')
        self.outcomes = []

    def add(self, image_id, data=b'0123456789', **fields):
        """Give the source an image."""
        self.source.put(case.image(id=image_id, **fields), data)

    def replicate(self, *goals, **options):
        """Run once; return {ID: result} of the only target."""
        test = self

        class Watcher(watching.Watcher):
            def ended(self, outcome):
                test.outcomes.append(outcome)

        del self.outcomes[:]
        chosen = dict(options.pop('rules', {}),
                      new_ids=options.pop('new_ids', False))
        coordinator = options.pop('coordinator', None)
        goals = [targets.Target(
            goal, rules.Rules(**dict({'fit': goal.fit,
                                      'fields': self.source.fields &
                                      goal.fields}, **chosen)),
            self.journal.pair('source', goal.title))
            for goal in goals or (self.target,)]
        self.report = run.Run(self.source, goals, run.Options(**options),
                              Watcher(), coordinator).run()
        return {outcome.image.id: outcome.result
                for outcome in self.outcomes}

    def reason(self, image_id):
        """Return why the last run did not replicate an image."""
        return [outcome.reason for outcome in self.outcomes
                if outcome.image.id == image_id][0]

    def check_same(self, image_id, target_id=None, target=None):
        """Check that the target has an image like that of the source."""
        target = target or self.target
        ours = self.source.found[image_id]
        theirs = target.found[target_id or image_id]
        self.assertEqual(self.source.data[image_id],
                         target.data[theirs.id])
        for name in self.source.fields - {'properties'}:
            self.assertEqual(getattr(ours, name), getattr(theirs, name),
                             name)
        self.assertEqual(
            dict(ours.properties, **{record.MARKER: image_id}),
            dict(theirs.properties))


class TestCopies(RunTest):
    """Images that the target does not have."""

    def test_every_field(self):
        self.add('A', visibility='shared', protected=True, hidden=True,
                 status='deactivated', tags=frozenset('t'),
                 properties={'p': '1'}, min_disk=1, members=frozenset((
                     record.Member('you', 'accepted'),)))
        self.assertEqual({'A': Result.COPIED}, self.replicate())
        self.check_same('A')
        self.assertEqual(results.Verified.BOTH, self.outcomes[0].verified)
        self.assertEqual(10, self.outcomes[0].sent)

    def test_source_is_looked_at_while_the_target_stores_the_data(self):
        self.add('A')
        looked = threading.Event()
        seen = []

        def trouble_at_source(what, image_id):
            if what == 'GET image':
                looked.set()

        def trouble_at_target(what, image_id):
            if what == 'GET lost' and 'A' in self.target.data:
                seen.append(looked.wait(60))

        self.source.trouble = trouble_at_source
        self.target.trouble = trouble_at_target
        self.assertEqual({'A': Result.COPIED}, self.replicate())
        self.assertEqual([True], seen)
        self.assertEqual(1, self.source.calls.count(('GET image', 'A')))

    def test_failed_look_at_the_source(self):
        def trouble(what, image_id):
            if what == 'GET image':
                raise exception.GlanceConnectionFailed(reason='it is away')

        self.add('A', visibility='public')
        self.source.trouble = trouble
        self.assertEqual({'A': Result.FAILED}, self.replicate())
        self.assertIn('it is away', self.reason('A'))
        self.assertEqual('private', self.target.found['A'].visibility)
        self.source.trouble = lambda what, image_id: None
        self.replicate()
        self.check_same('A')

    def test_members_see_the_image_last(self):
        self.add('A', visibility='shared', protected=True, hidden=True,
                 members=frozenset((record.Member('you', 'accepted'),)))
        seen = []

        def look(what, image_id):
            if what == 'PUT members':
                seen.append(self.target.found[image_id])

        self.target.trouble = look
        self.replicate()
        self.assertEqual([(True, True)], [
            (image.protected, image.hidden) for image in seen])
        self.check_same('A')

    def test_others_see_the_image_last(self):
        self.add('A', visibility='public', protected=True,
                 status='deactivated')
        seen = []
        self.target.trouble = lambda what, image_id: seen.extend(
            [(what, image.visibility) for image in
             self.target.found.values()])
        self.replicate()
        self.check_same('A')
        self.assertEqual({'private'}, {how for _, how in seen})
        self.assertEqual(['POST image', 'PUT data', 'POST deactivate',
                          'PATCH image'],
                         [what for what, _ in self.target.writes])

    def test_a_plain_image_takes_two_writes(self):
        self.add('A')
        self.replicate()
        self.assertEqual([('POST image', 'A'), ('PUT data', 'A')],
                         self.target.writes)

    def test_the_second_run_makes_only_the_listings(self):
        self.add('A', visibility='shared', members=frozenset((
            record.Member('you', 'rejected'),)))
        self.add('B', visibility='shared', status='deactivated')
        self.add('C', visibility='public')
        self.replicate()
        for end in (self.source, self.target):
            del end.calls[:]
        self.assertEqual(dict.fromkeys('ABC', Result.SAME), self.replicate())
        self.assertEqual([('GET images', None)], self.source.calls)
        self.assertEqual([('GET images', None)], self.target.calls)

    def test_without_a_journal_members_are_compared_once(self):
        self.add('A', visibility='shared')
        self.replicate()
        self.journal = journal.Journal(':memory:')
        self.addCleanup(self.journal.close)
        del self.source.calls[:]
        self.replicate()
        self.assertEqual([('GET images', None), ('GET members', 'A')],
                         self.source.calls)
        del self.source.calls[:]
        self.replicate()
        self.assertEqual([('GET images', None)], self.source.calls)
        self.replicate(compare_members=True)
        self.assertIn(('GET members', 'A'), self.source.calls)

    def test_a_new_member(self):
        self.add('A', visibility='shared')
        self.replicate()
        self.source.set_members(self.source.found['A'], frozenset((
            record.Member('you', 'pending'),)))
        self.assertEqual({'A': Result.UPDATED},
                         self.replicate(compare_members=True))
        self.check_same('A')

    def test_members_that_come_back_with_the_visibility(self):
        self.add('A', visibility='shared')
        self.target.put(case.image(id='A', members=frozenset((
            record.Member('evil', 'accepted'),))), b'0123456789')
        self.assertEqual({'A': Result.UPDATED}, self.replicate())
        self.assertEqual(frozenset(), self.target.found['A'].members)

    def test_an_update(self):
        self.add('A', properties={'a': '1'})
        self.replicate()
        self.source.change(self.source.found['A'], {
            'name': 'new', 'properties': {'b': '2'},
            'visibility': 'community'})
        self.assertEqual({'A': Result.UPDATED}, self.replicate())
        self.assertEqual(('name', 'properties', 'visibility'),
                         self.outcomes[0].changes)
        self.check_same('A')

    def test_a_source_without_hashes(self):
        self.source.algorithms = ()
        self.add('A')
        self.replicate()
        self.assertEqual(results.Verified.TARGET, self.outcomes[0].verified)
        self.replicate()  # the journal remembers the hash of what was read
        self.assertEqual(results.Verified.BOTH, self.outcomes[0].verified)

    def test_a_dry_run_changes_nothing(self):
        self.add('A')
        self.assertEqual({'A': Result.DIFFERENT},
                         self.replicate(change=False))
        self.assertEqual([], self.target.writes)
        self.assertTrue(self.report.complete)
        self.assertFalse(self.report.equal)

    def test_several_targets_read_the_data_once(self):
        self.add('A')
        other = memory.Glance('other')
        self.replicate(self.target, other)
        self.check_same('A')
        self.check_same('A', target=other)
        self.assertEqual(3, self.source.calls.count(('GET data', 'A')))

    def test_a_target_that_fails_does_not_stop_another_one(self):
        self.add('A', data=b'x' * 1000)
        other = memory.Glance('other')

        def refuse(what, image_id):
            if what == 'PUT data':
                raise exception.ImageQuotaExceeded(image_id=image_id)
        other.trouble = refuse
        self.replicate(other, self.target)
        self.check_same('A')
        self.assertEqual(1, self.report.counts[Result.FAILED])


class TestOrder(RunTest):
    """Which image comes first."""

    def order(self):
        """Return the IDs in the order of their creation at the target."""
        return [image_id for what, image_id in self.target.writes
                if what == 'POST image']

    def test_the_largest_first(self):
        for image_id, size in (('A', 1), ('B', 3), ('C', 2)):
            self.add(image_id, b'x' * size)
        self.replicate(transfers=1)
        self.assertEqual(['B', 'C', 'A'], self.order())

    def test_what_is_named_first(self):
        self.add('K', b'k')
        self.add('R', b'r', properties={'kernel_id': 'K'})
        self.add('A', b'x' * 9, properties={
            'kernel_id': 'K', 'ramdisk_id': 'R'})
        self.add('B', b'x' * 5)
        self.replicate(transfers=1)
        self.assertEqual(['K', 'R', 'A', 'B'], self.order())

    def test_images_that_name_each_other(self):
        self.add('A', properties={'kernel_id': 'B'})
        self.add('B', properties={'kernel_id': 'A'})
        self.add('C', properties={'kernel_id': 'C'})
        self.add('D', properties={'kernel_id': 'missing'})
        self.replicate(transfers=2)
        self.assertEqual(4, self.report.counts[Result.COPIED])

    def test_what_an_image_in_conflict_is_named_by_fails(self):
        self.add('K')
        self.add('A', properties={'kernel_id': 'K'})
        self.target.put(case.image(id='K'), b'the kernel of somebody')
        self.assertEqual({'K': Result.CONFLICT, 'A': Result.FAILED},
                         self.replicate())
        self.assertNotIn('A', self.target.found)

    def test_what_a_failed_image_is_named_by_fails(self):
        self.add('K')
        self.add('A', properties={'kernel_id': 'K'})

        def refuse(what, image_id):
            if image_id == 'K':
                raise exception.ImageQuotaExceeded(image_id=image_id)
        self.target.trouble = refuse
        self.assertEqual({'K': Result.FAILED, 'A': Result.FAILED},
                         self.replicate())
        self.assertIn('K', self.reason('A'))


class TestFailures(RunTest):
    """What goes wrong."""

    def failing(self, number, error):
        """Make the target fail with its nth request."""
        count = [0]

        def fail(what, image_id):
            count[0] += 1
            if count[0] == number:
                raise error
        return fail

    def test_any_request_may_fail(self):
        for number in range(1, 30):
            self.source = memory.Glance('source')
            self.target = memory.Glance('target')
            self.journal = journal.Journal(':memory:')
            self.addCleanup(self.journal.close)
            self.add('A', visibility='shared', protected=True,
                     status='deactivated', members=frozenset((
                         record.Member('you', 'accepted'),)))
            end = self.source if number % 2 else self.target
            end.trouble = self.failing(
                number // 2 + 1, exception.GlanceConnectionFailed())
            try:
                self.replicate()
            except exception.GlanceConnectionFailed:
                self.assertEqual([], self.target.writes)
            end.trouble = lambda what, image_id: None
            self.replicate()
            self.check_same('A')
            self.assertTrue(self.report.equal)

    def test_wrong_data_is_never_seen(self):
        self.add('A', visibility='public')
        self.source.data['A'] = b'9876543210'
        self.assertEqual({'A': Result.FAILED}, self.replicate())
        self.assertEqual('private', self.target.found['A'].visibility)

    def test_the_image_of_somebody_is_not_touched(self):
        self.add('A')
        self.target.put(case.image(id='A', status='queued'))
        self.assertEqual({'A': Result.CONFLICT}, self.replicate())
        self.assertEqual([], self.target.writes)

    def test_a_source_image_that_is_deleted_during_the_copy(self):
        self.add('A', visibility='public')
        self.target.trouble = lambda what, image_id: (
            self.source.found.pop('A', None) if what == 'PUT data' else None)
        self.assertEqual({'A': Result.SKIPPED}, self.replicate())
        self.assertEqual({}, self.target.found)

    def test_fail_fast(self):
        for image_id in 'ABCD':
            self.add(image_id)
        self.target.trouble = self.failing(
            2, exception.ImageQuotaExceeded())
        self.replicate(transfers=1, fail_fast=True)
        self.assertEqual({Result.FAILED: 1, Result.LEFT: 3},
                         dict(self.report.counts))
        self.assertFalse(self.report.complete)

    def test_no_transfer_begins_after_the_time(self):
        for image_id in 'AB':
            self.add(image_id)
        self.replicate(max_duration=-1)
        self.assertTrue(self.report.stopped)
        self.assertFalse(self.report.complete)
        self.replicate()
        self.assertTrue(self.report.equal)

    def test_a_lost_lock_ends_the_upload(self):
        self.add('A')

        class Lost(object):
            is_shared = False

            def is_mine(self, image_id):
                return True

            def lock(self, image_id):
                return contextlib.nullcontext(self)

            def check(self):
                raise copying.Stopped('the lock is lost')

        self.assertEqual({'A': Result.LEFT},
                         self.replicate(coordinator=Lost()))
        self.assertEqual('queued', self.target.found['A'].status)
        self.assertEqual({'A': Result.COPIED}, self.replicate())
        self.check_same('A')


class TestOrphans(RunTest):
    """Replicas whose source is gone."""

    def setUp(self):
        super(TestOrphans, self).setUp()
        for image_id in 'ABC':
            self.add(image_id, protected=image_id == 'A')
        self.target.put(case.image(id='foreign'))
        self.target.put(case.image(
            id='marked', properties={record.MARKER: 'elsewhere'}))
        self.replicate()
        for image_id in 'AB':
            del self.source.found[image_id]
        del self.target.calls[:]

    def deal(self, policy, most=10, **options):
        """Replicate with a policy; return the results."""
        return self.replicate(orphans=orphans.Orphans(
            orphans.Policy(policy), most), **options)

    def test_they_are_kept(self):
        self.assertEqual({'A': Result.SKIPPED, 'B': Result.SKIPPED,
                          'C': Result.SAME}, self.replicate())
        self.assertEqual([], self.target.writes)
        self.assertTrue(self.report.equal)

    def test_they_are_hidden(self):
        self.deal('hide')
        self.assertTrue(self.target.found['A'].hidden)
        self.assertTrue(self.target.found['B'].hidden)
        self.assertEqual(2, len(self.target.writes))
        self.deal('hide')
        self.assertEqual(2, len(self.target.writes))

    def test_they_are_deactivated(self):
        self.deal('deactivate')
        self.assertEqual([('POST deactivate', 'A'), ('POST deactivate', 'B')],
                         self.target.writes)

    def test_they_are_deleted(self):
        self.assertEqual({'A': Result.UPDATED, 'B': Result.UPDATED,
                          'C': Result.SAME}, self.deal('delete'))
        self.assertEqual({'C', 'foreign', 'marked'}, set(self.target.found))
        self.assertEqual(0, self.report.unverified)

    def test_source_that_the_listing_lacked_keeps_its_replica(self):
        """An image is missing if it is hidden while it is listed."""
        for policy in ('hide', 'deactivate', 'delete'):
            with mock.patch.object(self.source, 'image', lambda image_id: (
                    case.image(id='A') if image_id == 'A' else case.image(
                        id='B', status='deleted'))):
                self.assertEqual(
                    {'A': Result.LEFT, 'B': Result.DIFFERENT,
                     'C': Result.SAME}, self.deal(policy, change=False))
        self.assertIn('not listed', self.reason('A'))
        self.assertEqual([], self.target.writes)

    def test_source_that_cannot_be_asked_keeps_its_replica(self):
        def trouble(what, image_id):
            if what == 'GET image':
                raise exception.GlanceConnectionFailed(reason='as planned')

        self.source.trouble = trouble
        self.assertEqual(Result.FAILED, self.deal('delete')['A'])
        self.assertEqual([], self.target.writes)

    def test_too_many_are_not_deleted(self):
        self.assertEqual({'A': Result.CONFLICT, 'B': Result.CONFLICT,
                          'C': Result.SAME}, self.deal('delete', 1))
        self.assertEqual([], self.target.writes)

    def test_a_dry_run_deletes_nothing(self):
        self.assertEqual(Result.DIFFERENT,
                         self.deal('delete', change=False)['A'])
        self.assertEqual([], self.target.writes)

    def test_without_a_journal_nobody_knows_who_made_them(self):
        self.journal = journal.Journal(':memory:')
        self.addCleanup(self.journal.close)
        self.assertEqual({'C': Result.SAME}, self.deal('delete'))
        self.assertEqual([], self.target.writes)


class TestDeep(RunTest):
    """A comparison that reads the data."""

    def setUp(self):
        super(TestDeep, self).setUp()
        self.add('A')
        self.replicate()

    def deep(self):
        """Compare; return what was found."""
        return self.replicate(deep=True, change=False)['A']

    def test_equal(self):
        self.assertEqual(Result.SAME, self.deep())
        self.assertEqual(results.Verified.BOTH, self.outcomes[0].verified)

    def test_damage_at_the_target(self):
        self.target.data['A'] = b'9876543210'
        self.assertEqual(Result.CONFLICT, self.deep())
        self.assertFalse(self.report.equal)

    def test_data_that_cannot_be_read(self):
        del self.target.data['A']
        self.assertEqual(Result.FAILED, self.deep())
        self.assertIn('target', self.reason('A'))
