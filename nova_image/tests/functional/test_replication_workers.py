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

"""Workers of a replication that share it by redis, etcd or files."""

import contextlib
import os
import sys
import time

import fixtures as lib_fixtures

from nova_image.cmd import codes
from nova_image.replication import copying
from nova_image.tests import fixtures
from nova_image.tests.functional import replication_workers
from nova_image.tests.functional import worker_case

_MIB = replication_workers.MIB


class RedisLocksTest(worker_case.OnRedis, replication_workers.ServiceCase):
    """Locks of Redis."""


class EtcdLocksTest(worker_case.OnEtcd, replication_workers.ServiceCase):
    """Locks of etcd."""

    def test_a_service_that_stops(self) -> None:
        worker = self.worker()
        with worker.lock('A') as lock:
            assert lock is not None
            self.addCleanup(self.service.start)
            self.service.stop()

            def is_lost() -> bool:
                with contextlib.suppress(copying.Stopped):
                    lock.check()
                    return False
                return True
            self.wait_for(is_lost, 'lost', self.lifetime + 5)
        self.useFixture(lib_fixtures.MonkeyPatch(
            'nova_image.replication.tooz_coordination._PATIENCE', 0.1))
        error = self.assertRaises(copying.Stopped, self.is_free, worker)
        self.assertIn('cannot be used', str(error))
        self.assertNoSecrets(str(error), 'the error')


class FileLocksTest(worker_case.OnFiles, replication_workers.LocksCase):
    """Locks of files."""

    def test_a_killed_worker(self) -> None:
        worker, holder = self.worker(), self.holder()
        self.assertFalse(self.is_free(worker))
        holder.kill()
        begun = time.monotonic()
        self.wait_for(lambda: self.is_free(worker), 'taken over',
                      self.lifetime + 5)
        print('%s: the lock of a killed worker was free after %.1f s' % (
            type(self).__name__, time.monotonic() - begun), file=sys.stderr)

    def test_nobody_knows_who_is_first(self) -> None:
        self.assertTrue(self.worker().is_mine('A'))


class RedisReplicationTest(worker_case.OnRedis,
                           replication_workers.ReplicationCase):
    """Two workers with Redis."""

    def test_no_service_at_the_start(self) -> None:
        self.variables['NOVA_IMAGE_COORDINATION_URL'] = self.find_url(
            self.lifetime)
        self.addCleanup(self.service.start)
        self.service.stop()
        line = self.error(codes.NO_CONNECTION, *self.replicate())
        self.assertIn('cannot be used: Connection refused', line)
        self.assertIn('***@127.0.0.1', line)

    def test_the_service_ends_in_the_middle(self) -> None:
        self.source.create(os.urandom(60 * _MIB))
        proxy = self.useFixture(fixtures.FaultyProxy(self.target.url))
        worker = self.worker(proxy.url, '6M')
        self.wait_for(lambda: bool(self.in_the_middle(proxy)), 'uploading')
        self.addCleanup(self.service.start)
        self.service.stop()
        done = self.finish(worker)
        self.assertEqual(codes.INCOMPLETE, done.code, done.err)
        self.assertIn('"result": "left"', done.out)
        self.wait_for(lambda: self.statuses() == ['queued'], 'queued')
        self.service.start()
        self.run_it(*self.replicate())
        self.assertEqual(['active'], self.statuses())


class EtcdReplicationTest(worker_case.OnEtcd,
                          replication_workers.ReplicationCase):
    """Two workers with etcd."""


class FileReplicationTest(worker_case.OnFiles,
                          replication_workers.ReplicationCase):
    """Two workers on one machine with locks of files."""
