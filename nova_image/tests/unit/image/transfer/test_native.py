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

import mock

from nova_image import exception
from nova_image.image.transfer import native
from nova_image.tests.unit.image.download import case
from nova_image.tests.unit.image import offload_case


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
        self.useFixture(offload_case.FakeEventlet())
        self.assertEqual(b'data', self._run(self._copy))
        self.assertIs(threading.current_thread(), self.thread)

    def test_with_patched_eventlet_a_native_thread_copies(self):
        self.useFixture(offload_case.FakeEventlet('socket'))
        self.assertEqual(b'data', self._run(self._copy))
        self.assertEqual('nova_image call', self.thread.name)

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

        def kill(number, read):
            began.wait(10)
            raise KeyboardInterrupt

        check = case.Check()
        eventlet = self.useFixture(offload_case.FakeEventlet('socket'))
        eventlet.trampoline.side_effect = kill
        self.assertRaises(KeyboardInterrupt, self._run, copy, check)
        [thread] = offload_case.running('nova_image call')
        killed.set()
        thread.join()
        self.assertEqual((1, b''), (len(errors), check.data))
        self.assertEqual([], self.open_descriptors())
