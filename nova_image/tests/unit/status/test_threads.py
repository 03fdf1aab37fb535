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

"""Unit tests of nova_image.status.threads."""

import threading

import six

from nova_image.tests.unit.status import case

if six.PY3:
    from nova_image.status import threads


class TestPool(case.TestCase):
    """Pools of a few threads."""

    def test_results(self):
        with threads.Pool(3) as pool:
            futures = [pool.submit(lambda: threading.current_thread().daemon)
                       for _ in range(10)]
        self.assertEqual([True] * 10, [one.result(60) for one in futures])

    def test_errors(self):
        with threads.Pool(1) as pool:
            failed = pool.submit(lambda: 1 // 0)
            later = pool.submit(lambda: 5)
        self.assertRaises(ZeroDivisionError, failed.result, 60)
        self.assertEqual(5, later.result(60))

    def test_end_does_not_wait(self):
        event = threading.Event()
        self.addCleanup(event.set)
        with threads.Pool(1) as pool:
            future = pool.submit(event.wait)
        self.assertFalse(future.done())
        event.set()
        self.assertTrue(future.result(60))

    def test_threads_end(self):
        before = threading.active_count()
        with threads.Pool(3) as pool:
            running = [pool.submit(threading.current_thread)
                       for _ in range(3)]
        for one in running:
            one.result(60).join(60)
        self.assertLessEqual(threading.active_count(), before + 3)
