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

"""What is read ahead of its turn, with one transfer at a time."""

import threading

import mock
import six

from nova_image import exception
from nova_image.tests.unit.replication import test_run

if six.PY3:
    from nova_image.replication import results
    from nova_image.replication import transfers

    Result = results.Result

MIB = 1024 ** 2


class TestReadAhead(test_run.RunTest):
    """The next small image is read while one is sent."""

    def setUp(self):
        super(TestReadAhead, self).setUp()
        self.read = {}
        self.addCleanup(setattr, self.source, 'trouble',
                        self.source.trouble)
        self.source.trouble = self._note

    def _note(self, what, image_id):
        if what == 'GET data':
            self._event(image_id).set()

    def _event(self, image_id):
        return self.read.setdefault(image_id, threading.Event())

    def _wait_at_target(self, wait_for, seconds=60):
        """Make the target wait, while it stores A, until others are read.

        :returns: list that gets whether they were
        """
        seen = []

        def trouble(what, image_id):
            if (what, image_id) == ('GET lost', 'A') and (
                    'A' in self.target.data):
                seen.extend(self._event(one).wait(seconds)
                            for one in wait_for)

        self.target.trouble = trouble
        return seen

    def _events(self):
        """Return (result, ID) in the order of the outcomes."""
        return [(outcome.result, outcome.image.id)
                for outcome in self.outcomes]

    def test_next_image_is_read_while_one_is_sent(self):
        self.add('A', b'x' * 9)
        self.add('B', b'x' * 8)
        self.add('C', b'x' * 7)
        seen = self._wait_at_target('B')
        self.replicate(transfers=1)
        self.assertEqual([True], seen)
        self.assertEqual([(Result.COPIED, one) for one in 'ABC'],
                         self._events())
        for image_id in 'ABC':
            self.check_same(image_id)
            # Not read twice.
            self.assertEqual(3 - (image_id > 'A'), self.source.calls.count(
                ('GET data', image_id)))

    def test_nothing_is_sent_before_its_turn(self):
        self.add('A', b'x' * 9)
        self.add('B', b'x' * 8)
        self._wait_at_target('B')
        self.replicate(transfers=1)
        self.assertEqual(
            ['A', 'A', 'B', 'B'],
            [image_id for _, image_id in self.target.writes])

    def test_only_one_is_read_ahead(self):
        self.add('A', b'x' * 9)
        self.add('B', b'x' * 8)
        self.add('C', b'x' * 7)
        seen = self._wait_at_target('C', 0.1)
        self.replicate(transfers=1)
        self.assertEqual([False], seen)

    def test_large_images_are_not_read_ahead(self):
        self.add('A', b'x' * 9)
        self.add('B', b'x' * 8)
        seen = self._wait_at_target('B', 0.1)
        with mock.patch.object(transfers, 'AHEAD', 7):
            self.replicate(transfers=1)
        self.assertEqual([False], seen)
        self.check_same('B')

    def test_several_transfers_read_nothing_ahead(self):
        for image_id in 'ABC':
            self.add(image_id, b'x' * 9)
        with mock.patch.object(transfers.Transfers, '_is_worth') as asked:
            self.replicate(transfers=2)
        asked.assert_not_called()

    def test_failure_to_read_ahead_is_that_of_its_image(self):
        for image_id, size in (('A', 9), ('B', 8), ('C', 7)):
            self.add(image_id, b'x' * size)

        def trouble(what, image_id):
            self._note(what, image_id)
            if (what, image_id) == ('GET data', 'B'):
                raise exception.GlanceConnectionFailed(reason='it is away')

        self.source.trouble = trouble
        seen = self._wait_at_target('B')
        self.replicate(transfers=1)
        self.assertEqual([True], seen)
        self.assertEqual([(Result.COPIED, 'A'), (Result.FAILED, 'B'),
                          (Result.COPIED, 'C')], self._events())
        self.assertIn('it is away', self.reason('B'))
        self.outcomes = []
        del self.target.found['A'], self.target.found['C']
        self.target.burnt.clear()
        self.replicate(transfers=1, fail_fast=True)
        self.assertEqual([(Result.COPIED, 'A'), (Result.FAILED, 'B'),
                          (Result.LEFT, 'C')], self._events())

    def test_image_that_cannot_be_opened_fails_alone(self):
        self.add('A', b'x' * 9)
        self.add('B', b'x' * 8)
        usual = self.source.read

        def read(image):
            if image.id == 'B':
                raise exception.ImageCorrupt(image_id='B')
            return usual(image)

        with mock.patch.object(self.source, 'read', read):
            self.replicate(transfers=1)
        self.assertEqual([(Result.COPIED, 'A'), (Result.FAILED, 'B')],
                         self._events())

    def test_wrong_data_that_was_read_ahead(self):
        self.add('A', b'x' * 9)
        self.add('B', b'x' * 8, visibility='public')
        self.source.data['B'] = b'y' * 8
        self._wait_at_target('B')
        self.replicate(transfers=1)
        self.assertEqual([(Result.COPIED, 'A'), (Result.FAILED, 'B')],
                         self._events())
        self.assertEqual('private', self.target.found['B'].visibility)

    def test_what_was_read_ahead_is_dropped_if_the_run_stops(self):
        self.add('A', b'x' * 9)
        self.add('B', b'x' * 8)

        def refuse(what, image_id):
            if what == 'GET lost' and 'A' in self.target.data:
                seen.append(self._event('B').wait(60))
                raise exception.ImageQuotaExceeded(image_id=image_id)

        seen = []
        self.target.trouble = refuse
        before = threading.active_count()
        self.replicate(transfers=1, fail_fast=True)
        self.assertEqual([True], seen)
        self.assertEqual([(Result.FAILED, 'A'), (Result.LEFT, 'B')],
                         self._events())
        self.assertNotIn('B', self.target.found)
        for thread in threading.enumerate():
            if thread.name == 'replication-tee':
                thread.join(60)
        self.assertLessEqual(threading.active_count(), before)

    def test_image_that_lacks_another_is_not_sent(self):
        self.add('K', b'k')
        self.add('A', b'x' * 9, properties={'kernel_id': 'K'})

        def refuse(what, image_id):
            if what == 'POST image' and image_id == 'K':
                raise exception.ImageQuotaExceeded(image_id=image_id)

        self.target.trouble = refuse
        self.replicate(transfers=1)
        self.assertEqual([(Result.FAILED, 'K'), (Result.FAILED, 'A')],
                         self._events())

    def test_updates_read_nothing(self):
        self.add('A', b'x' * 9)
        self.add('B', b'x' * 8)
        self.replicate(transfers=1)
        for image_id in 'AB':
            self.source.change(self.source.found[image_id], {'name': 'new'})
        del self.source.calls[:]
        self.replicate(transfers=1)
        self.assertEqual([(Result.UPDATED, 'A'), (Result.UPDATED, 'B')],
                         sorted(self._events(), key=lambda one: one[1]))
        self.assertNotIn('GET data', [what for what, _ in
                                      self.source.calls])
