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

"""What the tests of nova_image.image.offload share.

Checks, feeders and an eventlet that is not installed.
"""

import importlib
import select
import sys
import threading
import types

import fixtures
import mock
import testtools

from nova_image.image import offload


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
        self.chunks.append(bytes(chunk))
        if chunk == self._fails_at:
            raise self.error


def running(name='nova_image check'):
    """Return the threads of running checks, or others by their name."""
    return [thread for thread in threading.enumerate()
            if thread.name == name]


class FakeEventlet(fixtures.Fixture):
    """A fake eventlet.

    :param patched: names of the modules that it has patched
    :ivar tpool: a mock; execute() calls the function
    :ivar trampoline: a mock, which waits until a descriptor can be read
    :ivar original: a mock of eventlet.patcher.original(), which returns
        Python's own modules
    """

    def __init__(self, *patched):
        super(FakeEventlet, self).__init__()
        self._patched = patched

    def _setUp(self):
        modules = {name: types.ModuleType(name) for name in (
            'eventlet', 'eventlet.hubs', 'eventlet.patcher',
            'eventlet.tpool')}
        modules['eventlet.patcher'].is_monkey_patched = (
            lambda name: name in self._patched)
        self.original = modules['eventlet.patcher'].original = mock.Mock(
            side_effect=importlib.import_module)
        modules['eventlet'].patcher = modules['eventlet.patcher']
        self.tpool = modules['eventlet'].tpool = modules['eventlet.tpool']
        self.tpool.execute = mock.Mock(
            side_effect=lambda function, *args: function(*args))
        hubs = modules['eventlet'].hubs = modules['eventlet.hubs']
        self.trampoline = hubs.trampoline = mock.Mock(
            side_effect=lambda number, read: select.select([number], [], []))
        patch = mock.patch.dict(sys.modules, modules)
        patch.start()
        self.addCleanup(patch.stop)


class FeederTest(testtools.TestCase):
    """Base class: limits of 8 bytes behind and 2 for a small image."""

    def setUp(self):
        super(FeederTest, self).setUp()
        self.assertEqual([], running())
        self._gates = []
        for name, value in (('BEHIND', 8), ('SMALL', 2)):
            self.useFixture(fixtures.MockPatchObject(offload, name, value))

    def feeder(self, check, size=100):
        """Return a feeder, which is closed at the end of the test."""
        feeder = offload.beside(check, size)
        self.addCleanup(self._close, feeder)
        return feeder

    def _close(self, feeder):
        for gate in self._gates:
            gate.set()
        feeder.close()

    def gate(self):
        """Return an event for a check to wait for.

        It is set at the end of the test, before the feeder is closed.
        """
        self._gates.append(threading.Event())
        return self._gates[-1]

    def in_thread(self, function):
        """Run a function in a thread, which ends by itself.

        :returns: the thread, and a list of the exception that it has raised
        """
        raised = []

        def run():
            try:
                function()
            except BaseException as error:
                raised.append(error)
        thread = threading.Thread(target=run)
        thread.daemon = True
        thread.start()
        return thread, raised

    def full(self, check):
        """Return a feeder of a gated check that accepts nothing more."""
        feeder = self.feeder(check)
        feeder.update(b'12345678')
        return feeder
