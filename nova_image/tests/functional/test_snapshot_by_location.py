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

"""Tests of direct snapshots on a real Ceph and Glance, with both APIs."""

import collections.abc
import contextlib
import os
import typing

from nova_image import exception
from nova_image.image import api as image_api
from nova_image.tests.functional import base
from nova_image.tests.functional import servers
from nova_image.tests.functional import test_download_rbd
from nova_image.tests.functional import test_locations
from nova_image.virt.libvirt import direct_snapshot

MIB = 1024 ** 2
SIZE = 64 * MIB


class SnapshotCase(test_download_rbd.RbdTest):
    """A server's disk, which is a clone of an image in Glance."""

    server = staticmethod(test_locations.showing)
    roles: tuple[str, ...] = ('member', 'reader')

    def setUp(self) -> None:
        """Create an image, and a clone of it with its own data."""
        super().setUp()
        self.glance = self.server()
        self.raw = self.raw_glance(self.glance.url)
        self.ctx = self.context(roles=self.roles)
        self.api = self.make_api()
        self.base = self.raw.create(
            os.urandom(MIB), visibility='public')['id']
        self.disk = self.make_disk(self.base)

    def make_api(self, **options: typing.Any) -> image_api.API:
        """Return an API with further options of ``[glance]``."""
        return image_api.API(base.make_conf({
            'api_servers': [self.glance.url], 'rbd_user': self.ceph.writer,
            'rbd_ceph_conf': str(self.ceph.conf), 'num_retries': 0,
            **options}))

    def make_disk(self, image: str) -> str:
        """Create a disk from an image, as Nova does; return POOL/NAME."""
        rbd, name = self.rbd, base.new_id() + '_disk'
        self.data = os.urandom(MIB)
        with self.pool('images') as images, self.pool('vms') as pool:
            rbd.RBD().clone(images, image, 'snap', pool, name)
            self.addCleanup(self.remove_disk, name)
            with rbd.Image(pool, name) as disk:
                disk.resize(SIZE)
                disk.write(self.data, SIZE // 2)
        return 'vms/' + name

    def remove_disk(self, name: str) -> None:
        """Remove a disk; this fails if the disk has snapshots."""
        with self.pool('vms') as pool:
            self.rbd.RBD().remove(pool, name)

    def queued(self) -> str:
        """Create an image without data; return its ID."""
        return self.api.create(self.ctx, {
            'name': 'queued', 'disk_format': 'raw',
            'container_format': 'bare'})['id']

    def take(self, image_id: str | None, **options: typing.Any
             ) -> dict[str, typing.Any]:
        """Take a snapshot of the disk."""
        return direct_snapshot.take(
            self.ctx, self.disk, image_id, {'name': 'taken'}, api=self.api,
            **options)

    def rbd_images(self) -> set[str]:
        """Return the names of the RBD images in Glance's pool."""
        with self.pool() as pool:
            return set(self.rbd.RBD().list(pool))

    def opened_disk(self) -> contextlib.AbstractContextManager[typing.Any]:
        """Return a context manager that opens the disk."""
        pool = self.enter(self.pool('vms'))
        return self.rbd.Image(pool, self.disk.partition('/')[2])

    def assertRefused(self, kind: type[Exception], image_id: str | None,
                      **options: typing.Any) -> Exception:
        """Check that a snapshot fails and leaves nothing in Ceph.

        :returns: the error
        """
        before = self.rbd_images()
        error = self.assertRaises(kind, self.take, image_id, **options)
        self.assertEqual(before, self.rbd_images())
        self.assertNoSnapshots()
        return error

    def assertNoSnapshots(self) -> None:
        """Check that the disk has no snapshots."""
        with self.opened_disk() as disk:
            self.assertEqual([], list(disk.list_snaps()))

    def assertAcceptsUpload(self, image_id: str) -> None:
        """Check that an image is still queued and accepts an upload."""
        self.assertEqual('queued', self.raw.image(image_id)['status'])
        self.api.update(self.ctx, image_id, {'name': 'uploaded'}, b'data')
        self.assertEqual(b'data', self.raw.data(image_id))

    def assertTaken(self, image: dict[str, typing.Any]) -> None:
        """Check that an image equals the disk, and is not a clone."""
        self.assertEqual(('active', SIZE, 'taken'),
                         tuple(image[key] for key in (
                             'status', 'size', 'name')))
        data = self.raw.data(image['id'])
        same = (data[:MIB] == self.raw.data(self.base)[:MIB],
                data[SIZE // 2:SIZE // 2 + MIB] == self.data)
        self.assertEqual((True, True), same,
                         'the image differs from the disk')
        with self.pool() as pool, self.rbd.Image(pool, image['id']) as stored:
            self.assertRaises(self.rbd.ImageNotFound, stored.parent_info)
        self.assertNoSnapshots()


class ShowingTest(SnapshotCase):
    """Glance shows locations, and accepts them from members."""

    def test_snapshot_to_an_existing_image(self) -> None:
        image_id = self.queued()
        taken = self.take(image_id)
        self.assertEqual(image_id, taken['id'])
        self.assertTaken(taken)

    def test_snapshot_to_a_new_image(self) -> None:
        self.assertTaken(self.take(None))

    def test_deleting_the_image_deletes_the_snapshot(self) -> None:
        image_id = self.take(None)['id']
        self.assertIn(image_id, self.rbd_images())
        self.raw.delete(image_id)
        self.assertNotIn(image_id, self.rbd_images())

    def test_snapshot_of_a_snapshot(self) -> None:
        self.base = self.take(None)['id']
        self.disk = self.make_disk(self.base)
        self.assertTaken(self.take(None))

    def test_disk_that_is_not_a_clone_needs_a_base_image(self) -> None:
        with self.opened_disk() as disk:
            disk.flatten()
        self.assertRefused(exception.ImageUnacceptable, None)
        self.assertTaken(self.take(None, base_image_id=self.base))


class HashingTest(ShowingTest):
    """The locations API for adding and reading: the caller is a service."""

    server = staticmethod(test_locations.hashing)
    roles = ('member', 'reader', 'service')


class RefusalTest(SnapshotCase):
    """Refused snapshots leave nothing behind, and an upload can follow."""

    def test_missing_permissions_in_ceph(self) -> None:
        self.api = self.make_api(rbd_user=self.ceph.user)
        image_id = self.queued()
        self.assertRefused(exception.Forbidden, image_id)
        self.assertAcceptsUpload(image_id)

    def test_missing_ceph_configuration(self) -> None:
        self.api = self.make_api(rbd_ceph_conf='/nowhere/ceph.conf')
        self.assertRefused(exception.ImageUnacceptable, None)

    def test_missing_disk(self) -> None:
        disk, self.disk = self.disk, 'vms/' + base.new_id()
        self.assertRaises(exception.ImageUnacceptable, self.take, None)
        self.disk = disk

    def test_image_with_data_stays_unchanged(self) -> None:
        before = self.raw.data(self.base)
        error = self.assertRefused(exception.ImageUnacceptable, self.base)
        self.assertIn('exists', str(error))
        self.assertEqual(before, self.raw.data(self.base))

    def test_member_may_not_use_the_locations_api(self) -> None:
        """Glance answers 403."""
        self.glance = test_locations.hashing()
        self.raw, self.api = self.raw_glance(self.glance.url), self.make_api()
        image_id = self.queued()
        self.assertRefused(exception.Forbidden, image_id)
        self.assertAcceptsUpload(image_id)

    def test_refused_snapshot_leaves_no_new_image(self) -> None:
        self.glance = test_locations.hashing()
        self.raw, self.api = self.raw_glance(self.glance.url), self.make_api()
        self.assertRefused(exception.Forbidden, None)
        self.assertEqual([], self.raw.images())

    def test_glance_without_a_ceph_store(self) -> None:
        """Glance answers 400."""
        self.glance = servers.glance33()
        self.raw, self.api = self.raw_glance(self.glance.url), self.make_api()
        image_id = self.queued()
        self.assertRefused(exception.ImageLocationRefused, image_id)
        self.assertAcceptsUpload(image_id)


class OutageTest(SnapshotCase):
    """Glance fails after the clone is made, before its location is added."""

    def when_cloned(self, act: collections.abc.Callable[[], object]) -> None:
        """Call a function between the clone and the update of the image."""
        update = self.api.update

        def patched(context: typing.Any, image_id: str, *args: typing.Any,
                    **kwargs: typing.Any) -> typing.Any:
            self.assertIn(image_id, self.rbd_images())
            act()
            return update(context, image_id, *args, **kwargs)

        self.patch(self.api, 'update', patched)

    def test_killed_glance(self) -> None:
        image_id = self.queued()
        self.addCleanup(self.glance.start)
        self.when_cloned(self.glance.kill)
        self.assertRefused(exception.GlanceConnectionFailed, image_id)
        self.glance.start()
        self.api = self.make_api()
        self.assertAcceptsUpload(image_id)

    def test_glance_that_answers_after_the_time_out(self) -> None:
        """Glance handles the location when no client waits any longer.

        The clone stays: it is the data of the image.
        """
        image_id = self.queued()
        self.api = self.make_api(timeout=2)
        given = self.api._driver._locations

        def add(*args: typing.Any) -> typing.Any:
            self.glance.pause()
            return type(given).add(given, *args)

        self.patch(given, 'add', add)
        self.addCleanup(self.glance.resume)
        mark = self.glance.mark()
        error = self.assertRaises(exception.ImageLocationRefused, self.take,
                                  image_id)
        self.assertIn('which may have the location', error.left)
        self.assertNoSnapshots()
        self.glance.resume()
        self.wait_for(lambda: 200 in [
            request.status for request in self.glance.requests(mark)
            if request.method == 'PATCH'], 'accepted')
        self.assertTaken(self.make_api().get(self.ctx, image_id))
