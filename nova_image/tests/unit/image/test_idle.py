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

"""Tests of nova_image.image.idle: how many connections stay open."""

import threading

import fixtures
from six.moves import queue

from nova_image.image import idle
from nova_image.tests.unit import base


class _Connection(object):
    def __init__(self):
        self.closed = 0

    def close(self):
        self.closed += 1


class TestIdle(base.TestCase):
    """Connections stay open while the concurrency is that high."""

    def setUp(self):
        super(TestIdle, self).setUp()
        self.now = 1000.0
        self.useFixture(fixtures.MonkeyPatch(
            'oslo_utils.timeutils.now', lambda: self.now))
        self.idle = idle.Idle(4)

    def _put(self, count):
        made = [_Connection() for _ in range(count)]
        for one in made:
            self.idle.put(one, block=False)
        return made

    def _closed(self, connections):
        return [one.closed for one in connections]

    def test_the_newest_is_used_first(self):
        one, two = self._put(2)
        self.assertEqual([two, one], [self.idle.get(block=False, timeout=None)
                                      for _ in range(2)])
        self.assertEqual([0, 0], self._closed([one, two]))

    def test_there_may_be_none(self):
        self.assertRaises(queue.Empty, self.idle.get, block=False)

    def test_the_fill_of_urllib3_is_ignored(self):
        self.idle.put(None)
        self.assertEqual(0, self.idle.qsize())

    def test_more_than_the_limit_are_not_kept(self):
        made = self._put(6)
        self.assertEqual([1, 1, 0, 0, 0, 0], self._closed(made))
        self.assertEqual(4, self.idle.qsize())

    def test_the_unused_are_closed_after_a_while(self):
        made = self._put(3)
        self.now += idle.MAX_IDLE - 1
        self.idle.put(self.idle.get())
        self.assertEqual([0, 0, 0], self._closed(made))
        self.now += 1
        self.idle.put(self.idle.get())
        self.assertEqual([1, 1, 0], self._closed(made))
        self.assertEqual(1, self.idle.qsize())

    def test_an_old_connection_is_not_used(self):
        made = self._put(2)
        self.now += idle.MAX_IDLE
        self.assertRaises(queue.Empty, self.idle.get)
        self.assertEqual([1, 1], self._closed(made))

    def test_a_finalizer_may_put_one_back(self):
        # A lock would never be free for it: it runs on the same thread.
        late = _Connection()

        dropped = _Connection()
        dropped.close = lambda: self.idle.put(late)
        self.idle.put(dropped)
        self.now += idle.MAX_IDLE
        self._put(1)
        self.assertIn(late, [self.idle.get(), self.idle.get()])

    def test_no_connection_has_two_users_or_is_lost(self):
        made, lost = self._put(4), []

        def work():
            for _ in range(2000):
                try:
                    one = self.idle.get()
                except queue.Empty:
                    continue
                if one.closed:
                    lost.append(one)
                one.closed = 1
                one.closed = 0
                self.idle.put(one)

        threads = [threading.Thread(target=work) for _ in range(6)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        self.assertEqual(([], 4), (lost, self.idle.qsize()))
        self.assertEqual(set(made), {self.idle.get() for _ in range(4)})
