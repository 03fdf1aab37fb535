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

"""The base class of the transfer tests: makes transfers and checks them."""

import collections.abc
import gc
import hashlib
import os
import pathlib
import shutil
import subprocess
import typing

import fixtures as lib_fixtures

from nova_image.tests import fixtures
from nova_image.tests.fixtures import faults
from nova_image.tests.functional import base
from nova_image.tests.functional import servers
from nova_image.tests.functional import transfer_client
from nova_image.tests.functional import transfer_faults as cases

_OLD = b'the earlier content'
_DISK = '48m'
# seconds; Glance needs a moment to give up an interrupted upload
_LONGEST = 0.1
# how many failures of a group of seeds are reported
_SHOWN = 10


class Disk(lib_fixtures.Fixture):
    """A small disk, with the folder ``images`` on it.

    :ivar images: the folder
    :ivar ballast: the path of a file that can take all free space; None if
        mounting is not allowed: then a limit of the process simulates a full
        disk
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
        """Remove everything in the folder."""
        shutil.rmtree(self.images)
        self.images.mkdir()


class TransferTest(base.FunctionalTest):
    """Images of all sizes in Glance, and a proxy in front of it.

    :cvar options: options of ``[glance]`` for all transfers
    :cvar images_path: a part of the path of all requests
    :cvar data_path: a part of the path of requests for data (GET or PUT)
    :cvar serves_ranges: whether Glance supports ranges of images
    :cvar without_data: the possible states of an image whose upload failed
    :ivar proxy: the FaultyProxy
    :ivar disk: the Disk
    """

    options: dict[str, typing.Any] = {}
    images_path = '/v2/images'
    data_path = '/file'
    serves_ranges = True
    without_data: tuple[str, ...] = ('queued',)

    def setUp(self) -> None:
        """Start everything; freeze the existing objects for gc."""
        super().setUp()
        self.server = self.glance()
        self.raw = self.raw_glance(self.server.url)
        self.proxy = self.useFixture(fixtures.FaultyProxy(self.server.url))
        self.disk = self.useFixture(Disk())
        gc.collect()
        gc.freeze()  # each case calls gc.collect(), for a tenth of its time
        self.addCleanup(gc.unfreeze)
        self._images: dict[int, str] = {}

    def glance(self) -> fixtures.Service:
        """Return the Glance to test against."""
        return servers.glance33()

    def image_of(self, size: int) -> str:
        """Return the ID of the image of a size."""
        if size not in self._images:
            self._images[size] = self.raw.create(
                cases.data_of(size), visibility='public')['id']
        return self._images[size]

    def perform(self, order: transfer_client.Order, **more: typing.Any
                ) -> transfer_client.Report:
        """Make a transfer in the test's process.

        :param more: arguments of transfer_client.perform
        """
        return transfer_client.perform(order, **more)

    def order(self, action: str = 'download', **more: typing.Any
              ) -> transfer_client.Order:
        """Return an order, by default for a download to ``path``."""
        return {'options': self.options | more.pop('options', {}),
                'url': self.proxy.url, 'action': action, 'to': 'file',
                'path': str(self.path), 'project': self.project, **more}

    @property
    def path(self) -> pathlib.Path:
        """The destination of downloads to a file."""
        return self.disk.images / 'image'

    @property
    def parts(self) -> list[pathlib.Path]:
        """The other files in the destination's folder."""
        return [one for one in self.disk.images.iterdir() if one != self.path]

    @property
    def data_requests(self) -> list[fixtures.exchange.Record]:
        """The requests that download or upload data."""
        return [one for one in self.proxy.requests if self.data_path in
                one.path and one.method in ('GET', 'PUT')]

    def for_each_seed(self, seeds: list[int],
                      check: collections.abc.Callable[[int], None]) -> None:
        """Check the cases of all seeds, and report the seeds that fail."""
        if not seeds:
            self.skipTest('%s has no seed of this group' % cases.VARIABLE)
        failed = []
        for seed in seeds:
            try:
                check(seed)
            except Exception as error:
                failed.append('%s=%d repeats only it: %s: %s' % (
                    cases.VARIABLE, seed, type(error).__name__, error))
        if failed:
            self.fail('%d of %d seeds\n%s' % (
                len(failed), len(seeds), '\n'.join(failed[:_SHOWN])))

    def check_nothing_leaked(self, report: transfer_client.Report) -> None:
        """Check that no thread, file or connection is left."""
        self.assertEqual([], report['threads'])
        self.assertEqual([], report['files'])
        self.proxy.wait_idle()
        self.wait_for(lambda: not self.proxy.open_connections,
                      'without connections', 5)

    # Downloads

    def check_download(self, seed: int, to: str) -> None:
        """Make the download of a seed and check the result."""
        case = cases.draw_download(seed, to)
        order = self._plan_download(case)
        report = self.perform(order)
        self.check_nothing_leaked(report)
        details = '%s %s' % (case, report)
        self._check_result(case, report, details)
        self._check_requests(case, report, details)
        if to == 'file':
            self._check_folder(case, report, details)

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
                      report: transfer_client.Report, details: str) -> None:
        if report['error']:
            # A limit of the process raises an error that nova_image passes on.
            limited = case.full is not None and self.disk.ballast is None
            self.assertTrue(report['ours'] or limited, details)
            self.assertFalse(case.must_succeed, details)
        elif case.to != 'file' and 'left' not in report:
            expected = hashlib.sha256(cases.data_of(case.size)).hexdigest()
            self.assertEqual(expected, report['digest'], details)

    def _check_requests(self, case: cases.Download,
                        report: transfer_client.Report, details: str) -> None:
        """Check how much was downloaded, and how long the driver waited."""
        made = self.data_requests
        sent = [one.sent for one in made if one.status in (200, 206)]
        unspoilt = [one for one in made if one.fault is None]
        if not case.may_use_several:  # others overlap
            self.assertLessEqual(len(unspoilt), 1, '%s %s' % (details, made))
            if self.serves_ranges and case.has_ranges:
                self.assertLessEqual(
                    sum(sent) - case.size,
                    cases.BUFFER * max(0, len(sent) - 1),
                    '%s %s' % (details, made))
        for one in made[:-1]:
            if isinstance(one.fault, faults.Status) and one.fault.retry_after:
                self.assertGreaterEqual(
                    max(report['waits']), int(one.fault.retry_after), details)

    def _check_folder(self, case: cases.Download,
                      report: transfer_client.Report, details: str) -> None:
        """Check the destination and the files beside it."""
        if not report['error']:
            self.check_whole(case.size, details)
            return
        there = self.path.read_bytes() if self.path.exists() else None
        self.assertEqual(_OLD if case.old else None, there, details)
        if case.keeps and not report['unacceptable']:
            self._check_kept(case, details)
        else:
            self.assertEqual([], self.parts, details)

    def check_whole(self, size: int, details: str) -> None:
        """Check that the folder has only the complete image of a size."""
        # Not assertEqual, which would show both of them in full.
        self.assertTrue(self.path.read_bytes() == cases.data_of(size),
                        'wrong bytes were published: ' + details)
        umask = os.umask(0)
        os.umask(umask)
        self.assertEqual(0o666 & ~umask, self.path.stat().st_mode & 0o777)
        self.assertEqual([], self.parts, details)

    def _check_kept(self, case: cases.Download, details: str) -> None:
        """Check that the next download resumes with the kept bytes."""
        self.assertLessEqual(len(self.parts), 1, details)
        kept: int | None = sum(part.stat().st_size for part in self.parts)
        if any(isinstance(one, faults.Corrupt) for one in case.faults):
            kept = None  # a byte may be wrong: all is downloaded again
        self.check_next_download_resumes(case.size, kept, details)

    def check_next_download_resumes(self, size: int, kept: int | None,
                                    details: str) -> None:
        """Download again without faults, and check the requests.

        :param kept: the number of bytes already downloaded; None if they may
            be wrong
        """
        self.proxy.clear()
        report = self.perform(self.order(image=self.image_of(size), options={
            'keep_partial_downloads': True}))
        self.check_nothing_leaked(report)
        self.assertIsNone(report['error'], report)
        self.check_whole(size, details)
        if kept is None:
            return
        made = self.data_requests
        details = '%s, then %s' % (details, made)
        if not self.serves_ranges:
            self.assertEqual(1, len(made), details)
            return
        self.assertLessEqual(sum(one.sent for one in made), size - kept,
                             details)
        if 0 < kept < size:
            self.assertEqual(['bytes=%d-' % kept],
                             [one.range for one in made], details)

    def check_failing_part(self) -> None:
        """Check that a failure ends connections that wait for parts."""
        self.proxy.plan(faults.Reset(4 * cases.MIB),
                        *[faults.Stall(after=0)] * 20)
        report = self.perform(self.order(
            image=self.image_of(cases.SIZES[-1]), options={
                'download_connections': 4, 'num_retries': 0,
                'download_retries': 0, 'transfer_stall_timeout': 60}))
        self.assertEqual('GlanceConnectionFailed', report['error'], report)
        self.check_nothing_leaked(report)
        self.assertEqual([], self.parts)

    # Uploads

    def check_upload(self, seed: int, action: str) -> None:
        """Make the upload of a seed and check the result."""
        case = cases.draw_upload(seed, action)
        order = self._plan_upload(case)
        report = self.perform(order)
        self.check_nothing_leaked(report)
        details = '%s %s' % (case, report)
        if report['error']:
            self.assertTrue(report['ours'], details)
            self.assertFalse(self.must_succeed(case), details)
        self._check_images(case, order, report, details)

    def must_succeed(self, case: cases.Upload) -> bool:
        """Return whether an upload must succeed."""
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
                      report: transfer_client.Report, details: str) -> None:
        """Check that the image is complete, has no data or does not exist."""
        found = (self.raw.images(owner=order['project']) or
                 self.raw.find(order['image']))  # Glance 15 hides killed ones
        if not report['error']:
            self.assertEqual((['active'], case.size), (
                [one['status'] for one in found], report['size']), details)
        elif case.action == 'update':
            self.assertEqual(1, len(found), details)
        for one in found:
            self._check_image(case, one['id'], details)

    def _check_image(self, case: cases.Upload, image_id: str,
                     details: str) -> None:
        """Check an image that exists after an upload."""
        status = ''

        def settled() -> bool:
            nonlocal status
            status = self.raw.image(image_id)['status']
            return status != 'saving'

        self.wait_for(settled, 'given up by Glance', 10)
        if status == 'active':
            self.assertTrue(
                self.raw.data(image_id) == cases.data_of(case.size),
                'an image with wrong data is active: ' + details)
            return
        self.assertIn(status, self.without_data, details)
        if case.action == 'create':
            last = [one.status for one in self.proxy.requests
                    if one.method in ('POST', 'DELETE')][-1]
            # The driver must not delete an image if it cannot know whether it
            # has created it.
            self.assertTrue(last not in (200, 201, 204) and
                            'num_retries' in case.options,
                            'it was not deleted: ' + details)
