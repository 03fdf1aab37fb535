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
import traceback

import fixtures
import mock
from six.moves import _thread
import testtools

import nova_image
from nova_image.image import offload
from nova_image.tests.unit.image import offload_case

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


def _divide(number):
    return number // 0


def _files():
    """Return the open files, when no long call has a thread any more.

    A thread wakes its caller before it closes the pipe.
    """
    for thread in offload_case.running('nova_image call'):
        thread.join(60)
    return os.listdir('/proc/self/fd')


class TestEventlet(testtools.TestCase):
    """In a process that runs on eventlet."""

    def test_a_call_runs_in_a_native_thread(self):
        tpool = self.useFixture(offload_case.FakeEventlet('socket')).tpool
        function = mock.Mock(return_value='found')
        self.assertTrue(offload.on_eventlet())
        self.assertEqual('found', offload.call(function, 1, 2))
        tpool.execute.assert_called_once_with(function, 1, 2)
        function.assert_called_once_with(1, 2)

    def test_the_error_of_a_call_is_raised(self):
        self.useFixture(offload_case.FakeEventlet('socket'))
        self.assertRaises(ZeroDivisionError, offload.call,
                          lambda: 1 // 0)

    def test_a_long_call_has_a_thread_of_its_own(self):
        eventlet = self.useFixture(offload_case.FakeEventlet('socket'))
        before = _files()
        found = offload.call_long(
            lambda name: (name, threading.current_thread().name), 'a')
        self.assertEqual(('a', 'nova_image call'), found)
        eventlet.original.assert_any_call('threading')
        eventlet.tpool.execute.assert_not_called()
        self.assertEqual(before, _files())

    def test_the_error_of_a_long_call_is_raised(self):
        self.useFixture(offload_case.FakeEventlet('socket'))
        try:
            offload.call_long(_divide, 1)
        except ZeroDivisionError:
            self.assertIn('return number // 0', traceback.format_exc())
        else:
            self.fail('nothing was raised')

    def test_a_long_call_continues_without_its_caller(self):
        eventlet = self.useFixture(offload_case.FakeEventlet('socket'))
        before = _files()
        gate, done = threading.Event(), threading.Event()
        self.addCleanup(gate.set)
        eventlet.trampoline.side_effect = KeyboardInterrupt

        def work():
            gate.wait(60)
            done.set()
        self.assertRaises(KeyboardInterrupt, offload.call_long, work)
        [thread] = offload_case.running('nova_image call')
        gate.set()
        thread.join(60)
        self.assertTrue(done.is_set())
        self.assertEqual(before, _files())

    def test_too_many_long_calls_borrow_threads(self):
        eventlet = self.useFixture(offload_case.FakeEventlet('socket'))
        before = _files()
        self.useFixture(fixtures.MockPatchObject(offload, 'MOST', 0))
        self.assertEqual(3, offload.call_long(max, 1, 3))
        eventlet.tpool.execute.assert_called_once_with(max, 1, 3)
        self.assertEqual(before, _files())

    def test_a_long_call_makes_other_calls_on_its_thread(self):
        eventlet = self.useFixture(offload_case.FakeEventlet('socket'))
        for call in (offload.call, offload.call_long):
            own = offload.call_long(call, threading.current_thread)
            self.assertEqual('nova_image call', own.name)
        eventlet.tpool.execute.assert_not_called()

    def test_without_a_thread_of_its_own_a_long_call_borrows_one(self):
        eventlet = self.useFixture(offload_case.FakeEventlet('socket'))
        before = _files()
        with mock.patch.object(threading.Thread, 'start',
                               side_effect=_thread.error('no more')):
            self.assertEqual(3, offload.call_long(max, 1, 3))
        eventlet.tpool.execute.assert_called_once_with(max, 1, 3)
        self.assertEqual(before, _files())

    def test_a_check_runs_in_a_native_thread(self):
        """One of Python's threading as it is without eventlet."""
        eventlet = self.useFixture(offload_case.FakeEventlet('socket'))
        check = offload_case.Check()
        feeder = offload.beside(check, 2 * offload.SMALL)
        self.addCleanup(feeder.close)
        for number in range(3):
            feeder.update(b'%d' % number)
        feeder.finish()
        self.assertEqual([b'0', b'1', b'2'], check.chunks)
        eventlet.original.assert_called_with('threading')
        self.assertNotIn(threading.current_thread(), check.threads)
        self.assertEqual([], offload_case.running())

    def test_the_hub_runs_while_a_check_is_waited_for(self):
        tpool = self.useFixture(offload_case.FakeEventlet('socket')).tpool
        gate = threading.Event()
        feeder = offload.beside(offload_case.Check(gate=gate),
                                2 * offload.SMALL)
        self.addCleanup(feeder.close)
        self.addCleanup(gate.set)
        feeder.update(b'x' * offload.BEHIND)
        self.assertFalse(tpool.execute.called)

        def execute(function, *args):
            gate.set()
            return function(*args)
        tpool.execute.side_effect = execute
        feeder.update(b'more')
        self.assertEqual(1, tpool.execute.call_count)
        feeder.finish()
        self.assertEqual(2, tpool.execute.call_count)

    def test_eventlet_is_not_used_if_it_patches_no_sockets(self):
        tpool = self.useFixture(offload_case.FakeEventlet('os')).tpool
        self.assertFalse(offload.on_eventlet())
        self.assertEqual(3, offload.call(max, 1, 3))
        tpool.execute.assert_not_called()


class TestWithoutEventlet(testtools.TestCase):
    """In any other process."""

    def test_a_long_call_runs_in_the_same_thread(self):
        self.assertIs(threading.current_thread(),
                      offload.call_long(threading.current_thread))

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
