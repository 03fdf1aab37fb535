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

"""Tests of workers of a replication, whatever they meet at."""

import os
import pathlib
import signal
import subprocess
import sys
import time

from nova_image.cmd import codes
from nova_image.replication import coordination
from nova_image.replication import tooz_coordination
from nova_image.tests import fixtures
from nova_image.tests.fixtures import exchange
from nova_image.tests.functional import base
from nova_image.tests.functional import worker_case

MIB = 2 ** 20
#: holds the lock of image A until it is lost
_HOLDER = '''
import sys, time
from nova_image.replication import copying, tooz_coordination
with tooz_coordination.Workers(*sys.argv[1:]).lock('A') as lock:
    print('locked' if lock else 'refused', flush=True)
    try:
        while True:
            lock.check()
            time.sleep(0.05)
    except copying.Stopped as error:
        print(error, flush=True)
'''


class LocksCase(base.FunctionalTest):
    """Locks and the division of images."""

    #: as short as etcd allows
    lifetime = 2

    def setUp(self) -> None:
        super().setUp()
        self.group = base.new_id()
        self.folder = pathlib.Path(self.useFixture(base.folder()).path)
        self.url = self.find_url(self.lifetime)

    def find_url(self, lifetime: int) -> str:
        raise NotImplementedError

    def worker(self) -> tooz_coordination.Workers:
        worker = tooz_coordination.Workers(self.url, self.group)
        self.addCleanup(worker.close)
        return worker

    def holder(self) -> 'subprocess.Popen[str]':
        """Start another process that locks A."""
        process = subprocess.Popen(
            [sys.executable, '-c', _HOLDER, self.url, self.group],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert process.stdout is not None
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual('locked\n', process.stdout.readline())
        return process

    def is_free(self, worker: coordination.Coordinator) -> bool:
        with worker.lock('A') as lock:
            return lock is not None

    def test_one_worker_has_the_lock(self) -> None:
        one, two = self.worker(), self.worker()
        with one.lock('A') as lock:
            assert lock is not None
            lock.check()
            self.assertFalse(self.is_free(two))
            with two.lock('B') as other:
                self.assertIsNotNone(other)
        self.assertTrue(self.is_free(two))


class ServiceCase(LocksCase):
    """The same with a service, whose locks have a lifetime."""

    service: fixtures.Service

    def test_images_are_divided(self) -> None:
        workers = [self.worker(), self.worker()]
        images = [base.new_id() for _ in range(100)]

        def parts() -> list[set[str]]:
            return [{image for image in images if worker.is_mine(image)}
                    for worker in workers]
        self.wait_for(lambda: not set.intersection(*parts()), 'divided')
        one, two = parts()
        self.assertEqual(set(images), one | two)
        self.assertGreater(min(len(one), len(two)), 10)
        workers[1].close()
        self.wait_for(lambda: parts()[0] == set(images), 'one worker left')

    def test_a_worker_that_stood_still(self) -> None:
        worker, holder = self.worker(), self.holder()
        os.kill(holder.pid, signal.SIGSTOP)
        self.wait_for(lambda: self.is_free(worker), 'taken over',
                      self.lifetime + 5)
        with worker.lock('A') as lock:
            os.kill(holder.pid, signal.SIGCONT)
            assert holder.stdout is not None
            self.assertIn('lock of the image', holder.stdout.readline())
            holder.wait()
            assert lock is not None
            lock.check()
            self.assertFalse(self.is_free(self.worker()))


class ReplicationCase(worker_case.ReplicationTest):
    """Two workers between two Glances."""

    lifetime = 4

    def find_url(self, lifetime: int) -> str:
        raise NotImplementedError

    def worker(self, to: str, bandwidth: str) -> 'subprocess.Popen[bytes]':
        self.variables['NOVA_IMAGE_COORDINATION_URL'] = self.find_url(
            self.lifetime)
        return self.start(*self.replicate(
            '--group', self.project, '--transfers', '1', '--json',
            '--bandwidth', bandwidth, '--journal',
            str(self.folder / ('journal-' + bandwidth)), to=to))

    def uploads(self, *proxies: fixtures.FaultyProxy
                ) -> dict[str, list[exchange.Record]]:
        """Return {image ID: requests that upload its data}."""
        found: dict[str, list[exchange.Record]] = {}
        for record in sorted((one for proxy in proxies
                              for one in proxy.requests
                              if one.method == 'PUT' and
                              one.path.endswith('/file')),
                             key=lambda one: one.began):
            found.setdefault(record.path.split('/')[-2], []).append(record)
        return found

    def in_the_middle(self, proxy: fixtures.FaultyProxy) -> str | None:
        """Return the image that a worker is uploading, or None."""
        for image_id, records in self.uploads(proxy).items():
            if records[-1].ended is None and (
                    MIB // 2 < records[-1].received < 5 * MIB // 2):
                return image_id
        return None

    def test_a_worker_is_killed(self) -> None:
        images = {self.source.create(os.urandom(3 * MIB))['id']: None
                  for _ in range(12)}
        proxies = [self.useFixture(fixtures.FaultyProxy(self.target.url))
                   for _ in range(2)]
        mark = worker_case.glance_on_mariadb().mark()
        one, two = [self.worker(proxy.url, bandwidth) for proxy, bandwidth
                    in zip(proxies, ('8M', '1M'), strict=True)]
        self.wait_for(lambda: bool(self.in_the_middle(proxies[1])),
                      'uploading')
        victim = self.in_the_middle(proxies[1])
        two.kill()
        killed = time.monotonic()
        done = self.finish(one)
        self.assertEqual(codes.DONE, done.code, done.out + done.err)
        assert victim is not None
        uploads = self.uploads(*proxies)
        self.assertEqual(set(images), set(uploads))
        self.assertEqual({victim: 2}, {
            image_id: len(records) for image_id, records in uploads.items()
            if len(records) > 1})
        first, second = uploads[victim]
        assert first.ended is not None
        self.assertLess(first.ended, second.began)
        self.assertLess(second.began - killed, self.lifetime + 10)
        print('%s: an image was taken over after %.1f s' % (
            type(self).__name__, second.began - killed), file=sys.stderr)
        statuses = [request.status for request in
                    worker_case.glance_on_mariadb().requests(mark)
                    if request.method == 'PUT']
        self.assertEqual(12, statuses.count(204), statuses)
        self.assertLess(len(statuses), 14, statuses)
        for image_id in images:
            if self.source.data(image_id) != self.target.data(image_id):
                self.fail('%s differs' % image_id)
        self.run_it('compare', '--from', self.source.url, '--to',
                    self.target.url)
