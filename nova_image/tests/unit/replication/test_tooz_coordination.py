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

"""Tests of locks whose services tooz treats differently."""

import fixtures
import six

from nova_image.tests.unit.replication import case

if six.PY3:
    try:
        from nova_image.replication import copying
        from nova_image.replication import tooz_coordination
    except ImportError:
        tooz_coordination = None


class Lock(object):
    """A lock of ZooKeeper, as tooz has it."""

    acquired = True
    is_owned = True

    def acquire(self, blocking):
        """Always succeed."""
        return True

    def is_still_owner(self):
        """Return whether the session is alive."""
        return self.is_owned

    def release(self):
        """Release it."""


class Driver(object):
    """The driver for ZooKeeper, as tooz has it."""

    timeout = 0.3
    requires_beating = True
    lock_timeout = None

    def __init__(self):
        self.lock = Lock()

    def __getattr__(self, name):
        return lambda *args: None

    def get_lock(self, name):
        """Return the lock."""
        return self.lock


class TestZooKeeper(case.TestCase):
    """Locks that end with the session of their worker."""

    def setUp(self):
        super(TestZooKeeper, self).setUp()
        if tooz_coordination is None:
            self.skipTest('tooz is not installed')
        self.driver = Driver()
        self.useFixture(fixtures.MonkeyPatch(
            'tooz.coordination.get_coordinator',
            lambda url, member: self.driver))
        self.workers = tooz_coordination.Workers('zookeeper://zk?timeout=9',
                                                 'group')
        self.addCleanup(self.workers.close)

    def renewed(self, lock):
        """Look at the session, as the heartbeat does."""
        lock.renew()
        lock.check()

    def test_a_lock_is_looked_up(self):
        with self.workers.lock('A') as lock:
            self.renewed(lock)
            self.driver.lock.is_owned = False
            error = self.assertRaises(copying.Stopped, self.renewed, lock)
            self.assertIn('is gone', str(error))

    def test_a_worker_that_stood_still(self):
        now = tooz_coordination._now()
        with self.workers.lock('A') as lock:
            self.useFixture(fixtures.MonkeyPatch(
                'nova_image.replication.tooz_coordination._now',
                lambda: now + 60))
            error = self.assertRaises(copying.Stopped, lock.check)
            self.assertIn('in time', str(error))
