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

"""Transfers with faults of all kinds, drawn from seeds.

``NOVA_IMAGE_SEED=1042 python -m testtools.run
nova_image.tests.functional.test_transfer_faults`` runs only that seed.
"""

import os
import pathlib
import random
import signal
import threading
import time
import typing

from nova_image.tests import fixtures
from nova_image.tests.fixtures import faults
from nova_image.tests.functional import base
from nova_image.tests.functional import servers
from nova_image.tests.functional import transfer_case
from nova_image.tests.functional import transfer_client
from nova_image.tests.functional import transfer_faults as cases
from nova_image.tests.functional import transfer_process

# seconds
_DAY = 24 * 60 * 60
_LARGE = 24 * cases.MIB
# how many downloads there are at once, and after how many bytes the workers of
# Glance are killed
_CROWD = 50
_ROUNDS = (2 * cases.MIB, 9 * cases.MIB)
# MiB of their image: more than the kernel buffers for a connection (Linux: up
# to 36). Otherwise a download could end although its worker is dead.
_CROWD_SIZE = 64


class SeededTest(transfer_case.TransferTest):
    """Groups of seeds, one test each, so that test runners can share them.

    :cvar first: the lowest seed
    :cvar size: the number of seeds in a group
    :cvar kind: the destination of downloads, or the action of uploads
    """

    first = 0
    size = 40
    kind = ''

    def check(self, group: int) -> None:
        """Check a group of seeds."""
        self.for_each_seed(
            cases.seeds(self.first + group * self.size, self.size),
            self.check_seed)

    def check_seed(self, seed: int) -> None:
        """Check the case of one seed."""
        if self.kind in ('create', 'update'):
            self.check_upload(seed, self.kind)
        else:
            self.check_download(seed, self.kind)


class FileTest(SeededTest):
    """Downloads to a file."""

    kind = 'file'

    def test_seeds_0(self) -> None:
        self.check(0)

    def test_seeds_1(self) -> None:
        self.check(1)

    def test_seeds_2(self) -> None:
        self.check(2)

    def test_seeds_3(self) -> None:
        self.check(3)

    def test_seeds_4(self) -> None:
        self.check(4)

    def test_seeds_5(self) -> None:
        self.check(5)


class ObjectTest(SeededTest):
    """Downloads to file objects, some of which cannot seek."""

    first = 1000
    kind = 'object'

    def test_seeds_0(self) -> None:
        self.check(0)

    def test_seeds_1(self) -> None:
        self.check(1)


class StreamTest(SeededTest):
    """Downloads that the caller iterates over, or abandons."""

    first = 2000
    kind = 'stream'

    def test_seeds_0(self) -> None:
        self.check(0)

    def test_seeds_1(self) -> None:
        self.check(1)


class CreateTest(SeededTest):
    """Uploads of new images."""

    first = 3000
    size = 30
    kind = 'create'

    def test_seeds_0(self) -> None:
        self.check(0)

    def test_seeds_1(self) -> None:
        self.check(1)


class UpdateTest(SeededTest):
    """Uploads to images that have no data yet."""

    first = 4000
    size = 30
    kind = 'update'

    def test_seeds_0(self) -> None:
        self.check(0)

    def test_seeds_1(self) -> None:
        self.check(1)


class PartsTest(transfer_case.TransferTest):
    """Several connections for one image."""

    def test_failing_part_ends_the_others(self) -> None:
        self.check_failing_part()


class KilledClientTest(transfer_case.TransferTest):
    """The process that makes the transfer is killed during it."""

    size = cases.SIZES[-1]

    def _kill_within(self, seed: int, keep: bool) -> int:
        """Kill a download at a random byte; return how many bytes it kept."""
        place = random.Random(seed).randint(cases.MIB, self.size - 1)
        image = self.image_of(self.size)
        self.disk.empty()
        self.proxy.clear()
        self.proxy.plan(faults.Stall(place), path=self.data_path,
                        method='GET')
        kept = place // cases.MIB * cases.MIB
        with transfer_process.Client() as client:
            # On a busy machine, Glance might look distant; pieces that are
            # measured are smaller.
            client.send(self.order(image=image, options={
                'keep_partial_downloads': keep, 'download_connections': 1}))
            self.wait_for(lambda: [one.stat().st_size for one in self.parts]
                          == [kept], 'so far')
            os.kill(client.process.pid, signal.SIGKILL)
            client.process.wait()
        self.proxy.wait_idle()
        self.assertFalse(self.path.exists())
        return kept

    def _check_killed_resumes(self, seed: int) -> None:
        kept = self._kill_within(seed, keep=True)
        self.check_next_download_resumes(self.size, kept, 'after SIGKILL')

    def test_killed_download_is_resumed(self) -> None:
        self.for_each_seed(cases.seeds(5000, 5), self._check_killed_resumes)

    def _check_removed_when_old(self, seed: int) -> None:
        self._kill_within(seed, keep=False)
        order = self.order(image=self.image_of(self.size))
        (left,) = self.parts
        self.assertIsNone(self.perform(order)['error'])
        self.assertEqual([left], self.parts)  # it might be in use elsewhere
        long_ago = time.time() - 2 * _DAY
        os.utime(left, (long_ago, long_ago))
        self.assertIsNone(self.perform(order)['error'])
        self.check_whole(self.size, 'after SIGKILL')
        self.assertEqual([None] * 3, [one.range for one in self.data_requests])

    def test_old_partial_download_is_removed(self) -> None:
        self.for_each_seed(cases.seeds(5100, 5), self._check_removed_when_old)

    def _kill_upload(self, seed: int) -> None:
        place = random.Random(seed).randint(1, self.size - cases.MIB)
        source = self.disk.images / 'source'
        source.write_bytes(cases.data_of(self.size))
        image = self.raw.create(owner=self.project)['id']
        self.proxy.clear()
        self.proxy.plan(faults.Slow(bandwidth=20 * cases.MIB),
                        path=self.data_path, method='PUT')
        with transfer_process.Client() as client:
            client.send(self.order('update', image=image, source=str(source),
                                   **{'from': random.Random(seed).choice(
                                       ('file', 'iterator'))}))
            self.wait_for(lambda: any(one.received >= place for one in
                                      self.data_requests), 'so far')
            os.kill(client.process.pid, signal.SIGKILL)
            client.process.wait()
        self.proxy.wait_idle()
        self.wait_for(lambda: self.raw.image(image)['status'] != 'saving',
                      'given up by Glance', 10)
        status = self.raw.image(image)['status']
        if status == 'active':  # all was on its way when the client died
            same = source.read_bytes() == self.raw.data(image)
            self.assertTrue(same, 'the data differs')
        else:
            self.assertIn(status, self.without_data)

    def test_killed_upload_leaves_no_truncated_image(self) -> None:
        self.for_each_seed(cases.seeds(5200, 5), self._kill_upload)


class RestartedGlanceTest(transfer_case.TransferTest):
    """Glance is killed during a download, and started again."""

    def glance(self) -> fixtures.Glance:
        """Return a Glance that only this test uses."""
        return self.useFixture(fixtures.Glance())

    def _restart_within(self, seed: int) -> None:
        """Kill Glance at a random byte; restart it at a random wait."""
        draw = random.Random(seed)
        place, late = draw.randint(0, _LARGE // 2), draw.randint(0, 3)
        alive, waits = [True], []

        def progress(done: int, *rest: typing.Any) -> None:
            if done >= place and not waits and alive[0]:
                self.server.kill()
                alive[0] = False
                wait(0)

        def wait(seconds: float) -> None:
            waits.append(seconds)
            if not alive[0] and len(waits) > late:
                self.server.start()
                alive[0] = True

        image = self.image_of(_LARGE)
        self.proxy.clear()
        self.disk.empty()
        report = self.perform(self.order(image=image), progress=progress,
                              wait=wait)
        self.check_nothing_leaked(report)
        self.assertIsNone(report['error'], report)
        self.check_whole(_LARGE, '%s' % report)
        self._check_resumed(report)

    def _check_resumed(self, report: transfer_client.Report) -> None:
        made = [one for one in self.data_requests if one.status]
        self.assertGreater(len(made), 1, report)
        self.assertEqual([200] + [206] * (len(made) - 1),
                         [one.status for one in made])

    def test_downloads_resume_after_a_restart(self) -> None:
        self.for_each_seed(cases.seeds(6000, 4), self._restart_within)


class _Crowded(fixtures.Glance):
    """A Glance whose every worker can serve all downloads at once."""

    threads = _CROWD + 1


class CrowdTest(base.FunctionalTest):
    """Fifty downloads at once while Glance's workers are killed."""

    def setUp(self) -> None:
        """Start a Glance with four workers, and create an image."""
        super().setUp()
        self.server = self.useFixture(_Crowded(workers=4))
        # Mostly zeros, so the copies are sparse, yet no two MiB are equal.
        self.data = b''.join(
            random.Random(piece).randbytes(4096) + bytes(cases.MIB - 4096)
            for piece in range(_CROWD_SIZE))
        self.image = servers.RawGlance(self.server.url).create(
            self.data, visibility='public')['id']
        self.folder = pathlib.Path(self.useFixture(base.folder()).path)
        self.barrier = threading.Barrier(_CROWD + 1)
        self.reports: dict[int, transfer_client.Report] = {}

    def _download(self, number: int) -> None:
        rounds = list(_ROUNDS)

        def progress(done: int, *rest: typing.Any) -> None:
            if rounds and done >= rounds[0]:
                rounds.pop(0)
                self.barrier.wait(60)  # all downloads are at this point
                self.barrier.wait(60)  # all workers are killed

        # On a busy machine, Glance might look distant; a part that was read
        # ahead does not have to resume.
        self.reports[number] = transfer_client.perform({
            'url': self.server.url, 'action': 'download',
            'options': {'download_connections': 1},
            'to': 'file', 'path': str(self.folder / str(number)),
            'image': self.image, 'project': self.project,
        }, progress=progress)

    def _kill_workers(self) -> None:
        workers = [pid for pid in self.server.pids if pid != os.getpgid(pid)]
        self.assertGreaterEqual(len(workers), 4)
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        self.wait_for(lambda: not set(workers) & set(self.server.pids),
                      'killed')

    def test_fifty_downloads_end_complete(self) -> None:
        before = threading.active_count()
        threads = [threading.Thread(target=self._download, args=(number,))
                   for number in range(_CROWD)]
        for thread in threads:
            thread.start()
        for _ in _ROUNDS:
            self.barrier.wait(60)
            self._kill_workers()
            self.barrier.wait(60)
        for thread in threads:
            thread.join()
        self.assertEqual(before, threading.active_count())
        self._check()

    def _check(self) -> None:
        self.assertEqual([None] * _CROWD, [
            self.reports[number]['error'] for number in range(_CROWD)])
        self.assertEqual({str(number) for number in range(_CROWD)},
                         set(os.listdir(self.folder)))
        for path in self.folder.iterdir():
            self.assertTrue(path.read_bytes() == self.data, path)
        self.assertEqual(_CROWD, self.log.text.count('verified by sha512'))
        self.assertNotIn('resumed 0 times', self.log.text)
