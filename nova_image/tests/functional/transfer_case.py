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

"""How a transfer with faults is made, and what must be true after it."""

import collections.abc
import contextlib
import gc
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import typing

import fixtures as lib_fixtures

from nova_image.image.transfer import parallel
from nova_image.tests import fixtures
from nova_image.tests.fixtures import faults
from nova_image.tests.fixtures import processes
from nova_image.tests.functional import base
from nova_image.tests.functional import servers
from nova_image.tests.functional import transfer_client
from nova_image.tests.functional import transfer_faults as cases

_CLONE = pathlib.Path(__file__).resolve().parents[3]
_OLD = b'what stood there before'
_DISK = '48m'
# Glance needs a moment to give an upload up that broke off.
_LONGEST = 0.1
# of a group of seeds, how many failures are told
_SHOWN = 10


class Disk(lib_fixtures.Fixture):
    """A small disk, with the folder ``images`` on it.

    :ivar images: the folder
    :ivar ballast: a file for all the room that is left; None where mounting
        is not allowed: a limit of the process stands for a full disk then
    """

    def _setUp(self) -> None:
        folder = pathlib.Path(self.useFixture(base.folder()).path)
        self.images = folder / 'images'
        mounted = subprocess.run(
            ['mount', '-t', 'tmpfs', '-o', 'size=' + _DISK, 'tmpfs', folder],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        self.ballast = None if mounted else folder / 'ballast'
        if self.ballast is not None:
            self.addCleanup(subprocess.run, ['umount', folder], check=True)
        self.images.mkdir()

    def empty(self) -> None:
        """Remove what is in the folder."""
        shutil.rmtree(self.images)
        self.images.mkdir()


class Client(lib_fixtures.Fixture):
    """A process of its own that makes transfers.

    :ivar process: subprocess.Popen
    """

    def __init__(self, python: str | pathlib.Path = sys.executable,
                 *args: str) -> None:
        """Prepare.

        :param python: what runs it, with nova_image installed
        :param args: for the program
        """
        super().__init__()
        self._command = [str(python), '-W', 'ignore', '-m',
                         transfer_client.__name__, *args]

    def _setUp(self) -> None:
        self.process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, cwd=_CLONE,
            env=processes.clean_environment())
        self.addCleanup(self._end)

    def _end(self) -> None:
        self.process.kill()
        with contextlib.suppress(BrokenPipeError):  # an order it never read
            self.process.communicate()

    def send(self, order: transfer_client.Order) -> None:
        """Give an order, and do not wait."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + '\n')
        self.process.stdin.flush()

    def perform(self, order: transfer_client.Order) -> transfer_client.Report:
        """Give an order and return the report on it."""
        self.send(order)
        return self.report()

    def report(self) -> transfer_client.Report:
        """Return the report on an order that was given."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())


class TransferTest(base.FunctionalTest):
    """Images of all sizes in Glance, and a proxy before it.

    :cvar options: of ``[glance]``, for all transfers
    :cvar images_path: what requests have in their path
    :cvar data_path: those for data, with GET or PUT
    :cvar serves_ranges: whether Glance gives a part of an image
    :cvar without_data: the states of an image whose upload failed
    :ivar proxy: FaultyProxy
    :ivar disk: Disk
    """

    options: dict[str, typing.Any] = {}
    images_path = '/v2/images'
    data_path = '/file'
    serves_ranges = True
    without_data: tuple[str, ...] = ('queued',)

    def setUp(self) -> None:
        """Make the images; what is there now is left out of collections."""
        super().setUp()
        self.server = self.glance()
        self.raw = self.clean(self.server.url)
        self.proxy = self.useFixture(fixtures.FaultyProxy(self.server.url))
        self.disk = self.useFixture(Disk())
        gc.collect()
        gc.freeze()  # each case collects: a tenth of the time otherwise
        self.addCleanup(gc.unfreeze)
        self._images: dict[int, str] = {}

    def glance(self) -> fixtures.Service:
        """Return the Glance to test against."""
        return servers.glance33()

    def image_of(self, size: int) -> str:
        """Return the id of the image of a size."""
        if size not in self._images:
            self._images[size] = self.raw.create(
                cases.data_of(size), visibility='public')['id']
        return self._images[size]

    def perform(self, order: transfer_client.Order, **more: typing.Any
                ) -> transfer_client.Report:
        """Make a transfer: here, in the test's process.

        :param more: see transfer_client.perform
        """
        return transfer_client.perform(order, **more)

    def order(self, action: str = 'download', **more: typing.Any
              ) -> transfer_client.Order:
        """Return an order, to the destination by default."""
        return {'options': self.options | more.pop('options', {}),
                'url': self.proxy.url, 'action': action, 'to': 'file',
                'path': str(self.path), 'project': self.project, **more}

    @property
    def path(self) -> pathlib.Path:
        """The destination of downloads to a file."""
        return self.disk.images / 'image'

    @property
    def parts(self) -> list[pathlib.Path]:
        """The files beside the destination."""
        return [one for one in self.disk.images.iterdir() if one != self.path]

    @property
    def data_requests(self) -> list[fixtures.exchange.Record]:
        """The requests for data, and those that sent some."""
        return [one for one in self.proxy.requests if self.data_path in
                one.path and one.method in ('GET', 'PUT')]

    def each(self, seeds: list[int],
             check: collections.abc.Callable[[int], None]) -> None:
        """Check the cases of all seeds, and name those that failed."""
        if not seeds:
            self.skipTest('none of the seeds in %s is of this group' % (
                cases.VARIABLE))
        failed = []
        for seed in seeds:
            try:
                check(seed)
            except Exception as error:
                failed.append('%s=%d runs it alone: %s: %s' % (
                    cases.VARIABLE, seed, type(error).__name__, error))
        if failed:
            self.fail('%d of %d seeds\n%s' % (
                len(failed), len(seeds), '\n'.join(failed[:_SHOWN])))

    def check_left(self, report: transfer_client.Report) -> None:
        """Check that no thread, file or connection is left."""
        self.assertEqual([], report['threads'])
        self.assertEqual([], report['files'])
        self.proxy.wait_idle()
        self.wait_for(lambda: not self.proxy.open_connections,
                      'without connections', 5)

    # Downloads

    def check_download(self, seed: int, to: str) -> None:
        """Make the download of a seed and check what became of it."""
        case = cases.draw_download(seed, to)
        order = self._plan_download(case)
        report = self.perform(order)
        self.check_left(report)
        said = '%s %s' % (case, report)
        self._check_result(case, report, said)
        self._check_requests(case, report, said)
        if to == 'file':
            self._check_folder(case, report, said)

    def _plan_download(self, case: cases.Download) -> transfer_client.Order:
        image = self.image_of(case.size)
        self.proxy.clear()
        self.proxy.plan(*case.faults, path=self.data_path, method='GET')
        if case.metadata:
            self.proxy.plan(case.metadata, path=self.images_path,
                            method='GET')
        self.disk.empty()
        if case.old:
            self.path.write_bytes(_OLD)
        to_file = {} if case.to == 'file' else {'path': None}
        ballast = self.disk.ballast and str(self.disk.ballast)
        return self.order(to=case.to, image=image, options=case.options,
                          full=case.full, ballast=ballast, leave=case.leave,
                          **to_file)

    def _check_result(self, case: cases.Download,
                      report: transfer_client.Report, said: str) -> None:
        if report['error']:
            # A limit of the process is no full disk: that error stays.
            limited = case.full is not None and self.disk.ballast is None
            self.assertTrue(report['ours'] or limited, said)
            self.assertFalse(case.must_succeed, said)
        elif case.to != 'file' and 'left' not in report:
            self.assertEqual(hashlib.sha256(
                cases.data_of(case.size)).hexdigest(), report['digest'], said)

    def _check_requests(self, case: cases.Download,
                        report: transfer_client.Report, said: str) -> None:
        """Check how much was fetched, and how long was waited."""
        made = self.data_requests
        sent = [one.sent for one in made if one.status in (200, 206)]
        unspoilt = [one for one in made if one.fault is None]
        if case.parts == 1:  # one of several may spoil all
            self.assertLessEqual(len(unspoilt), 1, '%s %s' % (said, made))
        if self.serves_ranges and case.has_ranges:
            self.assertLessEqual(
                sum(sent) - case.size,
                cases.BUFFER * max(0, len(sent) - case.parts),
                '%s %s' % (said, made))
        for one in made[:-1]:
            if isinstance(one.fault, faults.Status) and one.fault.retry_after:
                self.assertGreaterEqual(
                    max(report['waits']), int(one.fault.retry_after), said)

    def _check_folder(self, case: cases.Download,
                      report: transfer_client.Report, said: str) -> None:
        """Check what stands at the destination, and beside it."""
        if not report['error']:
            self.check_whole(case.size, said)
            return
        there = self.path.read_bytes() if self.path.exists() else None
        self.assertEqual(_OLD if case.old else None, there, said)
        if case.keeps and not report['unacceptable']:
            self._check_kept(case, said)
        else:
            self.assertEqual([], self.parts, said)

    def check_whole(self, size: int, said: str) -> None:
        """Check that the image of a size is at the destination, alone."""
        # Not assertEqual, which would show all of both.
        self.assertTrue(self.path.read_bytes() == cases.data_of(size),
                        'wrong bytes were published: ' + said)
        umask = os.umask(0)
        os.umask(umask)
        self.assertEqual(0o666 & ~umask, self.path.stat().st_mode & 0o777)
        self.assertEqual([], self.parts, said)

    def _check_kept(self, case: cases.Download, said: str) -> None:
        """Check that the next download goes on with what was kept."""
        self.assertLessEqual(len(self.parts), 1, said)
        kept: int | None = sum(part.stat().st_size for part in self.parts)
        if any(isinstance(one, faults.Corrupt) for one in case.faults):
            kept = None  # with a wrong byte, perhaps: all is fetched again
        self.check_taken_up(case.size, kept, said)

    def check_taken_up(self, size: int, kept: int | None, said: str) -> None:
        """Download once more, without faults, and check what is fetched.

        :param kept: how many bytes are there already; None if they may be
            wrong
        """
        self.proxy.clear()
        report = self.perform(self.order(image=self.image_of(size), options={
            'keep_partial_downloads': True}))
        self.check_left(report)
        self.assertIsNone(report['error'], report)
        self.check_whole(size, said)
        if kept is None:
            return
        made = self.data_requests
        said = '%s, then %s' % (said, made)
        if not self.serves_ranges:
            self.assertEqual(1, len(made), said)
            return
        self.assertLessEqual(sum(one.sent for one in made), size - kept, said)
        if 0 < kept < size:
            self.assertEqual(['bytes=%d-' % kept],
                             [one.range for one in made], said)

    def check_failing_part(self) -> None:
        """Check that a part which fails ends those that are under way."""
        self.proxy.plan(faults.Stall(after=0), range='bytes=0-')
        self.proxy.plan(faults.Slow(bandwidth=cases.MIB),
                        range='bytes=%d-' % parallel.PART)
        report = self.perform(self.order(
            image=self.image_of(2 * parallel.PART + 1), options={
                'download_connections': 2, 'num_retries': 0,
                'download_retries': 0, 'transfer_stall_timeout': 1}))
        self.assertEqual('GlanceConnectionFailed', report['error'], report)
        self.check_left(report)
        self.assertEqual([], self.parts)

    # Uploads

    def check_upload(self, seed: int, action: str) -> None:
        """Make the upload of a seed and check what became of it."""
        case = cases.draw_upload(seed, action)
        order = self._plan_upload(case)
        report = self.perform(order)
        self.check_left(report)
        said = '%s %s' % (case, report)
        if report['error']:
            self.assertTrue(report['ours'], said)
            self.assertFalse(self.must_succeed(case), said)
        self._check_images(case, order, report, said)

    def must_succeed(self, case: cases.Upload) -> bool:
        """Tell whether an upload is to succeed."""
        return case.must_succeed

    def _plan_upload(self, case: cases.Upload) -> transfer_client.Order:
        image_id, project = base.new_id(), base.new_id()
        source = self.disk.images / 'source'
        source.write_bytes(cases.data_of(case.size))
        meta = {'id': image_id, 'name': 'uploaded', 'disk_format': 'raw',
                'container_format': 'bare'}
        if case.action == 'update':
            self.raw.create(id=image_id, owner=project)
        self.proxy.clear()
        self.proxy.plan(*case.faults, path=self.data_path, method='PUT')
        if case.others:
            self.proxy.plan(*case.others, path=self.images_path)
        return self.order(case.action, image=image_id, meta=meta,
                          source=str(source), options=case.options,
                          path=None, longest=_LONGEST, project=project,
                          **{'from': case.source})

    def _check_images(self, case: cases.Upload, order: transfer_client.Order,
                      report: transfer_client.Report, said: str) -> None:
        """Check that there is a whole image, or none or one without data."""
        found = (self.raw.images(owner=order['project']) or
                 self.raw.find(order['image']))  # Glance 15 hides the killed
        if not report['error']:
            self.assertEqual((['active'], case.size), (
                [one['status'] for one in found], report['size']), said)
        elif case.action == 'update':
            self.assertEqual(1, len(found), said)
        for one in found:
            self._check_image(case, one['id'], said)

    def _check_image(self, case: cases.Upload, image_id: str,
                     said: str) -> None:
        """Check an image that is there after an upload."""
        status = ''

        def settled() -> bool:
            nonlocal status
            status = self.raw.image(image_id)['status']
            return status != 'saving'

        self.wait_for(settled, 'given up by Glance', 10)
        if status == 'active':
            self.assertTrue(
                self.raw.data(image_id) == cases.data_of(case.size),
                'an image of other data is active: ' + said)
            return
        self.assertIn(status, self.without_data, said)
        if case.action == 'create':
            last = [one.status for one in self.proxy.requests
                    if one.method in ('POST', 'DELETE')][-1]
            # Or nobody knows whether an image of this ID was there before.
            self.assertTrue(last not in (200, 201, 204) and
                            'num_retries' in case.options,
                            'it was not deleted: ' + said)
