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

"""Tests of nova_image.image.offload: threads, with and without eventlet.

eventlet is not installed for these tests: fake modules take its place.
"""

import os
import subprocess
import sys
import threading
import types

import fixtures
import mock
import testtools

import nova_image
from nova_image.image import offload

#: imports every module of the package; prints which of them import eventlet,
#: and whether it was imported
_IMPORT_ALL = """
import pkgutil
import sys

class Finder(object):
    importers = set()

    def find_module(self, name, path=None):
        if name.split('.')[0] == 'eventlet':
            frame = sys._getframe(1)
            while frame.f_globals['__name__'] == '__main__' or (
                    'importlib' in frame.f_globals['__name__']):
                frame = frame.f_back
            self.importers.add(frame.f_globals['__name__'])

    if sys.version_info[0] > 2:
        def find_spec(self, name, path=None, target=None):
            self.find_module(name)

sys.meta_path.insert(0, Finder())
from nova_image import image
for _, name, _ in pkgutil.walk_packages(image.__path__, 'nova_image.image.'):
    __import__(name)
assert 'nova_image.image.offload' in sys.modules
print(sorted(name for name in Finder.importers
             if name.startswith('nova_image.')))
print('eventlet' in sys.modules)
"""


class Check(object):
    """A check that records its chunks and its threads.

    :param fails_at: the chunk at which it fails
    :param gate: threading.Event to wait for before each chunk
    """

    def __init__(self, fails_at=None, gate=None):
        self.chunks = []
        self.threads = set()
        self.error = ValueError('no good')
        self._fails_at = fails_at
        self._gate = gate

    def update(self, chunk):
        """Record a chunk."""
        if self._gate is not None:
            self._gate.wait()
        self.threads.add(threading.current_thread())
        self.chunks.append(chunk)
        if chunk == self._fails_at:
            raise self.error


def running():
    """Return the threads of running checks."""
    return [thread for thread in threading.enumerate()
            if thread.name == 'nova_image check']


class TestThread(testtools.TestCase):
    """A check on its own thread."""

    def setUp(self):
        super(TestThread, self).setUp()
        self.assertEqual([], running())

    def _feeder(self, check):
        feeder = offload.beside(check)
        self.addCleanup(feeder.close)
        return feeder

    def test_chunks_are_checked_in_order_on_another_thread(self):
        check = Check()
        feeder = self._feeder(check)
        numbers = list(range(1000))
        for number in numbers:
            feeder.update(number)
        feeder.finish()
        self.assertEqual(numbers, check.chunks)
        (thread,) = check.threads
        self.assertIsNot(threading.current_thread(), thread)
        self.assertEqual([], running())

    def test_the_thread_does_not_keep_the_process_alive(self):
        gate = threading.Event()
        self._feeder(Check(gate=gate))
        self.addCleanup(gate.set)
        self.assertTrue(running()[0].daemon)

    def test_finish_raises_the_error_of_the_check(self):
        check = Check(fails_at=1)
        feeder = self._feeder(check)
        feeder.update(1)
        self.assertIs(check.error,
                      self.assertRaises(ValueError, feeder.finish))
        self.assertEqual([], running())

    def test_a_later_update_raises_the_error_of_the_check(self):
        check = Check(fails_at=1)
        feeder = self._feeder(check)

        def feed():
            for _ in range(1000):
                feeder.update(1)
        self.assertIs(check.error, self.assertRaises(ValueError, feed))
        self.assertEqual([1], check.chunks)

    def test_finish_also_raises_a_keyboard_interrupt(self):
        check = Check(fails_at=1)
        check.error = KeyboardInterrupt()
        feeder = self._feeder(check)
        feeder.update(1)
        self.assertRaises(KeyboardInterrupt, feeder.finish)

    def test_only_a_few_chunks_wait_for_a_slow_check(self):
        gate, passed = threading.Event(), []
        check = Check(gate=gate)
        feeder = self._feeder(check)
        self.addCleanup(gate.set)
        full = threading.Event()

        def feed():
            for number in range(20):
                passed.append(number)
                if len(passed) == 6:
                    full.set()
                feeder.update(number)
        thread = threading.Thread(target=feed)
        thread.start()
        self.assertTrue(full.wait(30))
        # One chunk is being checked and four wait: a sixth has no place.
        thread.join(0.1)
        self.assertTrue(thread.is_alive())
        self.assertEqual(6, len(passed))
        gate.set()
        thread.join(30)
        feeder.finish()
        self.assertEqual(list(range(20)), check.chunks)

    def test_close_ends_the_thread(self):
        feeder = self._feeder(Check())
        feeder.update(1)
        feeder.close()
        self.assertEqual([], running())
        feeder.close()

    def test_close_ends_the_thread_after_an_error(self):
        check = Check(fails_at=0)
        feeder = self._feeder(check)
        try:
            for number in range(20):
                feeder.update(number)
        except ValueError:
            pass
        feeder.close()
        self.assertEqual([], running())
        self.assertEqual([0], check.chunks)


class FakeEventlet(fixtures.Fixture):
    """A fake eventlet.

    :param patched: names of the modules that it has patched
    :ivar tpool: a mock; execute() calls the function
    """

    def __init__(self, *patched):
        super(FakeEventlet, self).__init__()
        self._patched = patched

    def _setUp(self):
        modules = {name: types.ModuleType(name) for name in (
            'eventlet', 'eventlet.patcher', 'eventlet.tpool')}
        modules['eventlet.patcher'].is_monkey_patched = (
            lambda name: name in self._patched)
        self.tpool = modules['eventlet'].tpool = modules['eventlet.tpool']
        self.tpool.execute = mock.Mock(
            side_effect=lambda function, *args: function(*args))
        patch = mock.patch.dict(sys.modules, modules)
        patch.start()
        self.addCleanup(patch.stop)


class TestEventlet(testtools.TestCase):
    """In a process that runs on eventlet."""

    def test_a_call_runs_in_a_native_thread(self):
        tpool = self.useFixture(FakeEventlet('socket')).tpool
        function = mock.Mock(return_value='found')
        self.assertTrue(offload.on_eventlet())
        self.assertEqual('found', offload.call(function, 1, 2))
        tpool.execute.assert_called_once_with(function, 1, 2)
        function.assert_called_once_with(1, 2)

    def test_the_error_of_a_call_is_raised(self):
        self.useFixture(FakeEventlet('socket'))
        self.assertRaises(ZeroDivisionError, offload.call,
                          lambda: 1 // 0)

    def test_each_update_of_a_check_runs_in_a_native_thread(self):
        tpool = self.useFixture(FakeEventlet('socket')).tpool
        check = Check()
        feeder = offload.beside(check)
        self.assertEqual([], running())
        for number in range(3):
            feeder.update(number)
            self.assertEqual(number + 1, len(check.chunks))
        feeder.finish()
        feeder.close()
        self.assertEqual([0, 1, 2], check.chunks)
        self.assertEqual([mock.call(check.update, number)
                          for number in range(3)],
                         tpool.execute.call_args_list)

    def test_the_error_of_a_check_is_raised_at_once(self):
        self.useFixture(FakeEventlet('socket'))
        check = Check(fails_at=1)
        feeder = offload.beside(check)
        self.assertIs(check.error, self.assertRaises(
            ValueError, feeder.update, 1))
        feeder.close()

    def test_eventlet_is_not_used_if_it_patches_no_sockets(self):
        tpool = self.useFixture(FakeEventlet('os')).tpool
        self.assertFalse(offload.on_eventlet())
        self.assertEqual(3, offload.call(max, 1, 3))
        tpool.execute.assert_not_called()


class TestWithoutEventlet(testtools.TestCase):
    """In any other process."""

    def test_a_call_runs_in_the_same_thread(self):
        self.assertFalse(offload.on_eventlet())
        self.assertIs(threading.current_thread(),
                      offload.call(threading.current_thread))

    def test_no_module_imports_eventlet(self):
        root = os.path.dirname(os.path.dirname(
            os.path.abspath(nova_image.__file__)))
        output = subprocess.check_output(
            [sys.executable, '-W', 'ignore', '-c', _IMPORT_ALL], cwd=root,
            universal_newlines=True)
        self.assertEqual(['[]', 'False'], output.splitlines())
