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


"""Tests of nova_image.image.transfer.native."""

import os
import sys
import threading
import types

import mock

from nova_image import exception
from nova_image.image.transfer import native
from nova_image.tests.unit.image.download import case


class _Eventlet(object):
    """Fake modules of eventlet, as far as native uses them."""

    def __init__(self, patched, interrupt=None):
        self.threads = []
        self.interrupt = interrupt
        patcher = types.ModuleType('eventlet.patcher')
        patcher.is_monkey_patched = lambda name: patched
        tpool = types.ModuleType('eventlet.tpool')
        tpool.execute = self._execute
        eventlet = types.ModuleType('eventlet')
        eventlet.tpool = tpool
        self.modules = {'eventlet': eventlet, 'eventlet.patcher': patcher,
                        'eventlet.tpool': tpool}

    def _execute(self, function):
        thread = threading.Thread(target=function)
        self.threads.append(thread)
        thread.start()
        if self.interrupt is not None:
            self.interrupt()
        thread.join()


class TestRun(case.DownloadTest):
    """The thread that makes the copy."""

    def _run(self, copy, check=None):
        with open(self.path('output'), 'w+b') as output:
            native.run(copy, output, check or case.Check())
        with open(self.path('output'), 'rb') as output:
            return output.read()

    def _copy(self, number, check):
        self.thread = threading.current_thread()
        os.write(number, b'data')
        check.update(b'data')

    def test_without_eventlet_the_calling_thread_copies(self):
        check = case.Check()
        with mock.patch.dict('sys.modules'):
            sys.modules.pop('eventlet.patcher', None)
            self.assertEqual(b'data', self._run(self._copy, check))
        self.assertEqual(b'data', check.data)
        self.assertIs(threading.current_thread(), self.thread)

    def test_with_unpatched_eventlet_the_calling_thread_copies(self):
        eventlet = _Eventlet(patched=False)
        with mock.patch.dict('sys.modules', eventlet.modules):
            self.assertEqual(b'data', self._run(self._copy))
        self.assertEqual([], eventlet.threads)

    def test_with_patched_eventlet_a_native_thread_copies(self):
        eventlet = _Eventlet(patched=True)
        with mock.patch.dict('sys.modules', eventlet.modules):
            self.assertEqual(b'data', self._run(self._copy))
        self.assertEqual([self.thread], eventlet.threads)

    def test_the_copy_has_its_own_descriptor_which_is_closed(self):
        numbers = []

        def fail(number, check):
            numbers.append(number)
            self.assertEqual(2, len(self.open_descriptors()))
            raise ValueError('it failed')

        self.assertRaises(ValueError, self._run, fail)
        self.assertRaises(OSError, os.fstat, numbers[0])

    def test_a_copy_stops_after_its_caller_is_killed(self):
        began, killed, errors = threading.Event(), threading.Event(), []

        def copy(number, check):
            began.set()
            killed.wait(10)
            os.write(number, b'late')  # its descriptor is still open
            try:
                check.update(b'late')
            except exception.ImageDownloadUnavailable as error:
                errors.append(error)

        def kill():
            began.wait(10)
            raise KeyboardInterrupt

        check, eventlet = case.Check(), _Eventlet(True, kill)
        with mock.patch.dict('sys.modules', eventlet.modules):
            self.assertRaises(KeyboardInterrupt, self._run, copy, check)
        killed.set()
        eventlet.threads[0].join()
        self.assertEqual((1, b''), (len(errors), check.data))
        self.assertEqual([], self.open_descriptors())
