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

import threading

import six

from nova_image import exception
from nova_image.tests.unit.replication import case
from nova_image.tests.unit.replication import test_run

if six.PY3:
    from nova_image.replication import results
    from nova_image.replication import turns

    Result = results.Result


class TestOverlap(test_run.RunTest):
    """The next image is sent while the target stores the last one."""

    def setUp(self):
        super(TestOverlap, self).setUp()
        self.target.overlaps = lambda image: True
        for number, image_id in enumerate('ABC'):
            self.add(image_id, b'x' * (9 - number))
        self.begun = {image_id: threading.Event() for image_id in 'ABCK'}
        self.seen = {}
        self.target.trouble = self._trouble

    def _trouble(self, what, image_id):
        """Answer to the data of A after another image was begun, or not."""
        if what == 'POST image':
            self.begun[image_id].set()
        if what == 'GET lost' and image_id in self.target.data:
            self.stores(image_id)

    def stores(self, image_id):
        """Do what a test wants while the target stores an image."""
        if image_id == 'A':
            self.seen['A'] = self.begun['B'].wait(self.patience)

    patience = 0.2

    def test_next_image_is_sent_before_the_answer(self):
        self.patience = 60
        self.replicate(transfers=1)
        self.assertEqual({'A': True}, self.seen)
        for image_id in 'ABC':
            self.check_same(image_id)

    def test_only_one_is_sent_at_a_time(self):
        """B is begun when A has all data, and C when B has."""
        sending, most, guard = [], [], threading.Lock()
        usual = self.target.write

        def write(image, data, hashes, progress):
            with guard:
                sending.append(image.id)
                most.append(len(sending))

            def note(sent):
                if sent == image.size:
                    with guard:
                        sending.remove(image.id)
                progress(sent)

            return usual(image, data, hashes, note)

        self.target.write = write
        self.addCleanup(delattr, self.target, 'write')
        self.replicate(transfers=1)
        self.assertEqual([1, 1, 1], most)

    def test_other_ends_do_not_overlap(self):
        self.target.overlaps = lambda image: False
        self.replicate(transfers=1)
        self.assertEqual({'A': False}, self.seen)

    def test_fail_fast_does_not_overlap(self):
        self.replicate(transfers=1, fail_fast=True)
        self.assertEqual({'A': False}, self.seen)

    def test_several_targets_do_not_overlap(self):
        other = test_run.memory.Glance('other')
        self.replicate(self.target, other, transfers=1)
        self.assertEqual({'A': False}, self.seen)

    def test_image_that_others_name_does_not_overlap(self):
        self.add('K', b'k')
        self.add('A', b'x' * 9, properties={'kernel_id': 'K'})

        def stores(image_id):
            if image_id == 'K':
                self.seen['K'] = any(self.begun[one].wait(0.1)
                                     for one in 'ABC')

        self.stores = stores
        self.replicate(transfers=1)
        self.assertEqual({'K': False}, self.seen)
        self.assertEqual('K', self.target.writes[0][1])

    def test_failure_after_the_data_was_sent(self):
        def stores(image_id):
            if image_id == 'A':
                self.begun['B'].wait(60)
                raise exception.ImageQuotaExceeded(image_id=image_id)

        self.stores = stores
        self.assertEqual({'A': Result.FAILED, 'B': Result.COPIED,
                          'C': Result.COPIED}, self.replicate(transfers=1))


class TestTurns(case.TestCase):
    """Turns of threads."""

    def test_left_once(self):
        shared = turns.Turns(1)
        with shared.wait() as turn:
            turn.leave()
            with shared.wait():
                turn.leave()
                self.assertFalse(shared._free.acquire(blocking=False))
        self.assertTrue(shared._free.acquire(blocking=False))

    def test_others_wait(self):
        shared = turns.Turns(1)
        order = []

        def other():
            with shared.wait():
                order.append('other')

        thread = threading.Thread(target=other)
        with shared.wait():
            thread.start()
            thread.join(0.1)
            order.append('first')
        thread.join(60)
        self.assertEqual(['first', 'other'], order)
