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


class FakeEventlet(fixtures.Fixture):
    """A fake eventlet.

    :param patched: names of the modules that it has patched
    :ivar tpool: a mock; execute() calls the function
    :ivar original: a mock of eventlet.patcher.original(), which returns
        Python's threading
    """

    def __init__(self, *patched):
        super(FakeEventlet, self).__init__()
        self._patched = patched

    def _setUp(self):
        modules = {name: types.ModuleType(name) for name in (
            'eventlet', 'eventlet.patcher', 'eventlet.tpool')}
        modules['eventlet.patcher'].is_monkey_patched = (
            lambda name: name in self._patched)
        self.original = modules['eventlet.patcher'].original = mock.Mock(
            return_value=threading)
        modules['eventlet'].patcher = modules['eventlet.patcher']
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

    def test_a_check_runs_in_a_native_thread(self):
        """One of Python's threading as it is without eventlet."""
        eventlet = self.useFixture(FakeEventlet('socket'))
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
        tpool = self.useFixture(FakeEventlet('socket')).tpool
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
