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

"""Tests of nova_image.image.renewal: who waits for a token of the service."""

import threading

from keystoneauth1 import exceptions
from keystoneauth1.identity import base as ksa_base
from keystoneauth1 import token_endpoint

from nova_image.image import deadline
from nova_image.image import renewal
from nova_image.tests.unit import base

#: seconds within which something ends that would otherwise never end
SOON = 30


class _Access(object):
    def __init__(self, name, left):
        self.name = name
        self._left = left

    def will_expire_soon(self, seconds):
        return self._left < seconds


class _Plugin(ksa_base.BaseIdentityPlugin):
    """Fetches tokens from a Keystone that answers when it is told to."""

    def __init__(self):
        super(_Plugin, self).__init__()
        self.asked = threading.Event()
        self.answer = threading.Event()
        self.times = 0
        self.error = None

    def get_auth_ref(self, session, **kwargs):
        self.times += 1
        self.asked.set()
        self.answer.wait(SOON)
        if self.error:
            raise self.error
        return _Access('new', 3600)

    def get_cache_id_elements(self):
        return {}


class _Overriding(_Plugin):
    def get_access(self, session, **kwargs):
        return _Access('own', 3600)


class TestPatient(base.TestCase):
    """One call waits for Keystone, and holds up only those that must wait."""

    def setUp(self):
        super(TestPatient, self).setUp()
        self.plugin = renewal.patient(_Plugin())
        self.addCleanup(self.plugin.answer.set)

    def _start(self):
        """Start a call that waits for Keystone."""
        found = []
        thread = threading.Thread(
            target=lambda: found.append(self.plugin.get_access(None).name))
        thread.start()
        self.addCleanup(thread.join)
        self.assertTrue(self.plugin.asked.wait(SOON))
        return thread, found

    def test_a_token_is_used_while_it_is_renewed(self):
        self.plugin.auth_ref = _Access('old', 100)
        thread, found = self._start()
        self.assertEqual('old', self.plugin.get_access(None).name)
        self.plugin.answer.set()
        thread.join()
        self.assertEqual((['new'], 'new', 1), (
            found, self.plugin.get_access(None).name, self.plugin.times))

    def test_the_deadline_of_a_call_that_waits_holds(self):
        for old in (None, _Access('old', renewal.ENOUGH - 1)):
            self.plugin.auth_ref = old
            self.plugin.answer.clear()
            self.plugin.asked.clear()
            thread, found = self._start()
            with deadline.applied(deadline.Deadline(0.2, 'a')):
                self.assertRaises(exceptions.ConnectTimeout,
                                  self.plugin.get_access, None)
            self.plugin.answer.set()
            thread.join()
            self.assertEqual(['new'], found)

    def test_calls_without_a_token_wait_for_the_same_one(self):
        thread, found = self._start()
        waiting = threading.Thread(
            target=lambda: found.append(self.plugin.get_access(None).name))
        waiting.start()
        self.plugin.answer.set()
        for one in (thread, waiting):
            one.join()
        self.assertEqual((['new'] * 2, 1), (found, self.plugin.times))

    def test_a_failure_lets_the_next_call_try(self):
        self.plugin.answer.set()
        self.plugin.error = exceptions.ConnectFailure()
        for _ in range(2):
            self.assertRaises(exceptions.ConnectFailure,
                              self.plugin.get_access, None)
        self.plugin.error = None
        self.assertEqual('new', self.plugin.get_access(None).name)

    def test_a_token_that_is_not_renewed_is_used(self):
        self.plugin.reauthenticate = False
        self.plugin.auth_ref = _Access('old', 0)
        self.assertEqual('old', self.plugin.get_access(None).name)

    def test_other_plugins_are_left_alone(self):
        for one in (token_endpoint.Token('http://glance', 'token'),
                    _Overriding()):
            kind = type(one)
            self.assertIs(one, renewal.patient(one))
            self.assertIs(kind, type(one))
