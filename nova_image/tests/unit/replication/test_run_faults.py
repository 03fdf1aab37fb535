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

"""What a run does if the ends, the journal or the watcher fail."""

import datetime
import uuid

import six

from nova_image.tests.unit.replication import case
from nova_image.tests.unit.replication import memory
from nova_image.tests.unit.replication import test_run

if six.PY3:
    from nova_image import exception
    from nova_image.replication import copying
    from nova_image.replication import journal
    from nova_image.replication import record
    from nova_image.replication import results
    from nova_image.replication import rules
    from nova_image.replication import run
    from nova_image.replication import targets
    from nova_image.replication import watching

    Result = results.Result


class TestConflicts(test_run.RunTest):
    """Glance may need a moment to drop an upload that was cut."""

    def setUp(self):
        super(TestConflicts, self).setUp()
        self.patch_pauses(0.001)
        self.add('A')
        self.conflicts = 0

    def patch_pauses(self, seconds):
        """Make the pauses between the attempts short."""
        before = copying.PAUSES
        self.addCleanup(setattr, copying, 'PAUSES', before)
        copying.PAUSES = (seconds,) * len(before)

    def refuse(self, times, then=None):
        """Make the target refuse data some times."""
        def trouble(what, image_id):
            if what == 'PUT data' and self.conflicts < times:
                self.conflicts += 1
                if then:
                    then()
                raise exception.ImageConflict(image_id=image_id)
        self.target.trouble = trouble

    def test_the_data_is_sent_again(self):
        self.refuse(2)
        self.assertEqual({'A': Result.COPIED}, self.replicate())
        self.check_same('A')

    def test_it_is_not_sent_for_ever(self):
        self.refuse(1000)
        self.assertEqual({'A': Result.FAILED}, self.replicate())
        self.assertEqual(1 + len(copying.PAUSES), self.conflicts)

    def test_an_image_that_has_data_gets_none(self):
        self.refuse(1, lambda: self.target.put(case.replica(case.image(
            id='A')), b'of another worker'))
        self.assertEqual({'A': Result.FAILED}, self.replicate())
        self.assertEqual(1, self.conflicts)

    def test_an_image_that_is_gone_gets_none(self):
        self.refuse(1, lambda: self.target.delete('A'))
        self.assertEqual({'A': Result.FAILED}, self.replicate())
        self.assertEqual(1, self.conflicts)

    def test_a_run_that_stops_does_not_wait(self):
        self.patch_pauses(600)
        runs = []
        self.refuse(1, lambda: runs[0].stop('enough'))
        goal = targets.Target(
            self.target, rules.Rules(self.target.fit),
            self.journal.pair('source', 'target'))
        runs.append(run.Run(self.source, [goal]))
        report = runs[0].run()
        self.assertEqual({Result.LEFT: 1}, dict(report.counts))


class TestFailures(test_run.RunTest):
    """Failures that must neither be lost nor end in a wrong report."""

    def test_a_source_that_refuses_to_read(self):
        for deep in (False, True):
            self.add('A')
            self.add('B')
            if deep:
                self.replicate()
            read = self.source.read

            def refuse(image, read=read):
                if image.id == 'A':
                    raise exception.ImageNotAuthorized(image_id=image.id)
                return read(image)
            self.source.read = refuse
            found = self.replicate(deep=deep, change=not deep)
            del self.source.read
            self.assertEqual({'A': Result.FAILED, 'B': Result.SAME if deep
                              else Result.COPIED}, found)

    def test_a_lock_that_fails(self):
        self.add('A')

        class Locks(object):
            is_shared = False

            def is_mine(self, image_id):
                return True

            def lock(self, image_id):
                raise exception.GlanceConnectionFailed

        self.assertEqual({'A': Result.FAILED},
                         self.replicate(coordinator=Locks()))

    def test_a_listing_that_ends_early_changes_nothing(self):
        for end in (self.source, self.target):
            for image_id in 'ABC':
                self.add(image_id)

            def images(listed=end.images):
                found = list(listed())
                for image in found[:1]:
                    yield image
                raise exception.GlanceConnectionFailed
            end.images = images
            self.assertRaises(exception.GlanceConnectionFailed,
                              self.replicate)
            self.assertEqual([], self.target.writes)
            del end.images
            self.assertEqual([], self.target.writes)

    def test_images_that_are_listed_twice_are_copied_once(self):
        self.add('A')
        listed = self.source.images
        self.source.images = lambda: iter(list(listed()) * 2)
        self.assertEqual({'A': Result.COPIED}, self.replicate())
        self.assertEqual(1, len(self.outcomes))
        self.assertEqual(2, len(self.target.writes))

    def watched(self, watcher):
        """Run with a watcher; return the error."""
        for image_id in 'ABCD':
            self.add(image_id)
        goal = targets.Target(
            self.target, rules.Rules(self.target.fit),
            self.journal.pair('source', 'target'))
        one = run.Run(self.source, [goal], run.Options(transfers=2), watcher)
        return self.assertRaises(EnvironmentError, one.run), one.report

    def test_output_that_nobody_reads(self):
        class Closed(watching.Watcher):
            def ended(self, outcome):
                raise IOError('closed')

        error, report = self.watched(Closed())
        self.assertEqual('closed', str(error))
        self.assertTrue(report.stopped)
        self.assertEqual(4, sum(report.counts.values()))

    def test_a_journal_that_cannot_be_written(self):
        # As if the disk were full.
        with self.journal.cursor() as cursor:
            cursor.execute('CREATE TRIGGER full BEFORE INSERT ON images '
                           "BEGIN SELECT RAISE(FAIL, 'disk full'); END")
        error, _ = self.watched(watching.Watcher())
        self.assertIn('disk full', str(error))

    def test_a_deep_comparison_can_be_stopped(self):
        self.add('A', b'x' * 100)
        self.replicate()
        runs = []
        self.target.trouble = lambda what, image_id: (
            runs[0].stop('enough') if what == 'GET data' else None)
        goal = targets.Target(
            self.target, rules.Rules(self.target.fit),
            self.journal.pair('source', 'target'))
        runs.append(run.Run(self.source, [goal], run.Options(
            deep=True, change=False)))
        self.assertEqual({Result.LEFT: 1}, dict(runs[0].run().counts))
        self.assertLess(self.target.calls.count(('GET data', 'A')), 25)


class TestReport(test_run.RunTest):
    """What the report counts."""

    def test_the_same_reason_of_several_images(self):
        ids = [str(uuid.uuid4()) for _ in range(2)]
        for image_id in ids:
            self.add(image_id)

        def refuse(what, image_id):
            if what == 'POST image':
                raise exception.ImageQuotaExceeded(image_id=image_id)
        self.target.trouble = refuse
        self.replicate()
        (result, reason), count = self.report.reasons.most_common()[0]
        self.assertEqual((Result.FAILED, 2), (result, count))
        self.assertNotIn(ids[0], reason)
        self.assertIn(ids[0], self.reason(ids[0]))

    def test_a_deep_comparison_tells_how_much_was_read(self):
        self.add('A')
        self.replicate()
        sizes = []

        class Watcher(watching.Watcher):
            def sent(self, image, target, size):
                sizes.append(size)
        goal = targets.Target(
            self.target, rules.Rules(self.target.fit),
            self.journal.pair('source', 'target'))
        run.Run(self.source, [goal], run.Options(deep=True, change=False),
                Watcher()).run()
        self.assertEqual(10, max(sizes))


class TestMembers(test_run.RunTest):
    """A Glance whose images change with their members, as those of v1."""

    def test_an_answer_without_the_fraction_of_a_second(self):
        exact = datetime.datetime(2026, 1, 1, 0, 0, 1, 999)
        ours, theirs = (case.image(updated_at=time) for time in (
            exact, exact.replace(microsecond=0)))
        self.assertEqual(journal.moment(theirs, ours),
                         journal.moment(ours, theirs))
        later = theirs.but(updated_at=datetime.datetime(2026, 1, 1, 0, 0, 2))
        self.assertNotEqual(journal.moment(ours, theirs),
                            journal.moment(ours, later))

    def test_the_second_run_makes_only_the_listings(self):
        class Touched(memory.Glance):
            members_touch = True

            def set_members(self, image, members):
                super(Touched, self).set_members(image, members)
                self._store(self.found[image.id])

        self.target = Touched('target')
        self.add('A', visibility='shared', members=frozenset((
            record.Member('you', 'pending'),)))
        self.replicate()
        for end in (self.source, self.target):
            del end.calls[:]
        self.assertEqual({'A': Result.SAME}, self.replicate())
        self.assertEqual([('GET images', None)], self.source.calls)
        self.assertEqual([('GET images', None)], self.target.calls)
