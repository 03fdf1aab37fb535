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

"""Runs of one worker among several, between Glances in memory."""

import contextlib
import threading

import fixtures
import six

from nova_image.tests.unit.replication import case
from nova_image.tests.unit.replication import test_run

if six.PY3:
    from nova_image.replication import checking
    from nova_image.replication import copying
    from nova_image.replication import record
    from nova_image.replication import results
    from nova_image.replication import targets
    from nova_image.replication import watching

    Result = results.Result


class Others(object):
    """Other workers.

    :ivar held: {ID: number of refusals, after which the lock is free}
    :ivar tries: IDs whose lock was wanted
    :param leave: called with the ID when another worker gives up its lock
    """

    is_shared = True

    def __init__(self, leave=lambda image_id: None, **held):
        self.held = held
        self.tries = []
        self._leave = leave

    def is_mine(self, image_id):
        return image_id not in self.held

    @contextlib.contextmanager
    def lock(self, image_id):
        self.tries.append(image_id)
        left = self.held.get(image_id, 0)
        if not left:
            yield self
            return
        self.held[image_id] = left - 1
        if left == 1:
            self._leave(image_id)
        yield None

    def check(self):
        pass


class TestSharedRuns(test_run.RunTest):
    """Images that other workers replicate."""

    def setUp(self):
        super(TestSharedRuns, self).setUp()
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.replication.schedule._SOON', 0.001))

    def done_by_another(self, image_id=None):
        """Replicate by another worker, which has a journal of its own."""
        mine, self.outcomes = self.outcomes, []
        self.replicate(new_ids=True)
        self.outcomes = mine
        del self.target.calls[:]

    def share(self, *leave, **held):
        """Replicate among others; return the results."""
        options = held.pop('options', {})
        self.others = Others(*leave, **held)
        return self.replicate(coordinator=self.others, **options)

    def test_another_worker_has_died(self):
        for image_id in 'ABC':
            self.add(image_id)
        self.assertEqual(dict.fromkeys('ABC', Result.COPIED),
                         self.share(A=4))
        self.check_same('A')
        self.assertEqual('A', self.others.tries[-1])
        self.assertEqual(5, self.others.tries.count('A'))
        self.assertTrue(self.report.equal)

    def test_another_worker_has_finished(self):
        self.add('A', visibility='shared', members=frozenset((
            record.Member('you', 'accepted'),)))
        self.assertEqual({'A': Result.SAME},
                         self.share(self.done_by_another, A=3))
        self.assertEqual([], self.target.writes)
        self.assertTrue(self.report.equal)

    def test_another_worker_was_faster(self):
        self.add('A')
        others = Others()
        others.lock = lambda image_id: (
            self.done_by_another() or contextlib.nullcontext(others))
        self.assertEqual({'A': Result.SAME},
                         self.replicate(coordinator=others))
        self.assertEqual([], self.target.writes)

    def test_another_worker_used_a_new_id(self):
        self.add('K')
        self.add('A', properties={'kernel_id': 'K'})
        self.target.burnt.add('K')
        self.assertEqual(
            dict.fromkeys('AK', Result.SAME),
            self.share(self.done_by_another, K=2,
                       options={'new_ids': True}))
        self.assertEqual([], self.target.writes)

    def test_another_worker_died_before_the_members(self):
        self.add('A', visibility='shared', members=frozenset((
            record.Member('you', 'accepted'),)))

        def die(image_id):
            self.done_by_another()
            self.target.set_members(self.target.found['A'], frozenset())
        self.assertEqual({'A': Result.UPDATED}, self.share(die, A=1))
        self.check_same('A')
        self.assertNotIn(('PUT data', 'A'), self.target.calls)

    def test_an_image_waits_for_what_it_names(self):
        self.add('K')
        self.add('A', properties={'kernel_id': 'K'})
        self.add('B')
        self.assertEqual(dict.fromkeys('ABK', Result.COPIED),
                         self.share(K=3))
        self.assertEqual(['B', 'K', 'A'], [
            image_id for what, image_id in self.target.writes
            if what == 'POST image'])

    def test_the_run_ends_before_another_worker(self):
        self.add('A')
        self.assertEqual({'A': Result.LEFT}, self.share(
            A=10 ** 9, options={'max_duration': 0.3}))
        self.assertIn('duration', self.reason('A'))
        self.assertFalse(self.report.complete)

    def test_the_coordination_service_fails(self):
        for image_id in 'ABC':
            self.add(image_id)
        others = Others()

        def lock(image_id):
            raise copying.Stopped('it is down')
        others.lock = lock
        self.assertEqual(dict.fromkeys('ABC', Result.LEFT),
                         self.replicate(coordinator=others))
        self.assertEqual('it is down', self.reason('A'))
        self.assertEqual('it is down', self.report.stopped)
        self.assertEqual([], self.target.writes)

    def giving_up(self, end):
        """Make an end drop an upload when it is looked at the third time."""
        looks = []

        def look(what, image_id):
            if what == 'GET image':
                looks.append(what)
                if len(looks) == 3:
                    end.found['A'] = end.found['A'].but(status='queued')
        return look

    def test_an_upload_of_a_worker_that_lost_its_lock(self):
        self.add('A')
        self.target.put(case.replica(case.image(id='A'), status='saving'))
        self.target.trouble = self.giving_up(self.target)
        self.assertEqual({'A': Result.COPIED}, self.share())
        self.check_same('A')

    def test_an_upload_that_does_not_end(self):
        self.add('A')
        self.target.put(case.replica(case.image(id='A'), status='saving'))
        self.assertEqual({'A': Result.FAILED}, self.share())

    def test_one_of_two_targets_is_done_later(self):
        self.add('A')
        other = test_run.memory.Glance('other')
        other.put(case.replica(case.image(id='A'), status='saving'))
        other.trouble = self.giving_up(other)
        self.others = Others()
        self.replicate(self.target, other, coordinator=self.others)
        self.check_same('A')
        self.check_same('A', target=other)
        self.assertEqual([Result.COPIED] * 2,
                         [one.result for one in self.outcomes])
        self.assertEqual(1, self.target.calls.count(('PUT data', 'A')))


class TestInterruption(test_run.RunTest):
    """Ctrl-C."""

    def test_checks_that_have_not_begun_are_not_made(self):
        for number in range(100):
            self.add('%03d' % number, visibility='shared')
        self.replicate()
        stop = threading.Event()
        self.source.trouble = lambda what, image_id: (
            stop.wait(60) if what == 'GET members' else None)

        def images():
            for number in range(50):
                yield self.source.found['%03d' % number]
            raise KeyboardInterrupt
        self.source.images = images
        del self.source.calls[:]
        goal = targets.Target(
            self.target, case.make_rules(fit=self.target.fit),
            self.journal.pair('source', 'target'))
        self.assertRaises(
            KeyboardInterrupt, checking.Checker(
                self.source, goal, 2, True, stop).run,
            lambda task: None, lambda task, outcome: None,
            watching.Watcher())
        self.assertEqual(2, len(self.source.calls))

    def interrupt(self, **options):
        """Run until an interruption; return {ID: result}."""
        self.assertRaises(KeyboardInterrupt, self.replicate, **options)
        return {outcome.image.id: outcome.result
                for outcome in self.outcomes}

    def test_images_with_a_plan_are_left(self):
        for image_id in 'ABC':
            self.add(image_id)
        listed = self.source.images

        def images():
            for image in listed():
                yield image
            raise KeyboardInterrupt
        self.source.images = images
        self.assertEqual(dict.fromkeys('ABC', Result.LEFT), self.interrupt())
        self.assertEqual([], self.target.writes)

    def test_images_of_other_workers_are_left(self):
        for image_id in 'ABC':
            self.add(image_id)

        def trouble(what, image_id):
            if what == 'GET images' and self.target.writes:
                raise KeyboardInterrupt
        self.target.trouble = trouble
        self.assertEqual(
            {'A': Result.COPIED, 'B': Result.LEFT, 'C': Result.LEFT},
            self.interrupt(coordinator=Others(B=0, C=0)))

    def test_another_interruption_while_transfers_end(self):
        self.add('A')
        self.add('B')
        ended = threading.Event()
        self.target.trouble = lambda what, image_id: (
            what == 'PUT data' and ended.wait(60))
        interrupted = []

        def join(thread, timeout=None):
            interrupted.append(thread)
            raise KeyboardInterrupt
        with fixtures.MonkeyPatch('threading.Thread.join', join):
            self.assertEqual(dict.fromkeys('AB', Result.LEFT),
                             self.interrupt(transfers=1))
        self.assertEqual(2, len(interrupted))
        before = list(self.outcomes)
        ended.set()
        interrupted[0].join()
        self.assertEqual(before, self.outcomes)
