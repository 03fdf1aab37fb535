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
"""Disks and images in Ceph: direct snapshots, and servers that boot from them.

Nova's libvirt driver takes the same steps as
nova_image.virt.libvirt.direct_snapshot, with images and errors of nova_image.
"""

import collections.abc
import contextlib
import typing

from nova_image.tests import fixtures
from nova_image.tests.fixtures import services
from nova_image.tests.functional import servers as shared
from nova_image.tests.gate import base
from nova_image.tests.gate import plugin

_HIDDEN = {'DEFAULT': {'show_multiple_locations': 'false',
                       'show_image_direct_url': 'false',
                       'do_secure_hash': 'false'}}
_UPLOADS = 'Performing standard snapshot because direct snapshot failed'


@shared.once
def ceph_cloud() -> fixtures.Cloud:
    """A cloud whose disks and images are in Ceph."""
    return plugin.make_cloud(
        ceph=fixtures.Ceph(manager=True),
        # Less to write: most of a disk is empty.
        glance_options={'rbd': {'rbd_thin_provisioning': 'true'}})


class CephTest(plugin.GateTest):
    """A server whose disk is in Ceph, and the images there."""

    cloud_of = staticmethod(ceph_cloud)

    def setUp(self) -> None:
        """Open Ceph in this process, and create an image."""
        super().setUp()
        bindings = self.useFixture(fixtures.CephBindings())
        self.rados, self.rbd = bindings.rados, bindings.rbd
        self.glance = self.cloud.glance
        self.ceph = typing.cast(fixtures.Ceph, self.cloud.ceph)
        self.image, self.data = self.random_image(4)

    @contextlib.contextmanager
    def pool(self, name: str) -> collections.abc.Iterator[typing.Any]:
        """Open a pool."""
        with self.rados.Rados(
                rados_id='admin', conffile=str(self.ceph.conf)) as cluster, (
                cluster.open_ioctx(name)) as pool:
            yield pool

    def rbd_images(self, pool: str) -> set[str]:
        """Return the names of the RBD images in a pool."""
        with self.pool(pool) as opened:
            return set(self.rbd.RBD().list(opened))

    @contextlib.contextmanager
    def disk(self, server: str) -> collections.abc.Iterator[typing.Any]:
        """Open the disk of a server."""
        with self.pool('vms') as pool, self.rbd.Image(
                pool, server + '_disk', read_only=True) as disk:
            yield disk

    def check_disk(self, server: str, image: str) -> None:
        """Check that a disk is a clone of an image and has its data."""
        with self.disk(server) as disk:
            same = disk.read(0, len(self.data)) == self.data
            parent = disk.parent_info()
        self.assertTrue(same, 'the disk differs from the image')
        self.assertEqual(('images', image, 'snap'), parent)

    def check_nothing_left(self, server: str) -> None:
        """Check that only active images of Glance are left in Ceph."""
        images = self.cloud.images('admin').get('/images').json()['images']
        self.assertEqual({(image['id'], 'active') for image in images}, {
            (name, 'active') for name in self.rbd_images('images')})
        with self.disk(server) as disk:
            self.assertEqual([], list(disk.list_snaps()))

    def asked(self, mark: int) -> list[tuple[str, str]]:
        """Return the requests since a mark, as (method, end of path)."""
        return [(request.method, request.path.rpartition('/')[2])
                for request in self.glance.requests(mark)]

    def check_direct(self, server: str, location: tuple[str, str]) -> None:
        """Check a snapshot that sends no data through Glance, and boot it.

        :param server: the ID of the server
        :param location: the request that adds the location to the image
        """
        mark = self.glance.mark()
        snapshot = self.snapshot(server)
        asked = self.asked(mark)
        self.assertIn(location, [
            (method, 'ID' if path == snapshot else path)
            for method, path in asked])
        self.check_nothing_left(server)
        shown = self.cloud.images().get('/images/' + snapshot).json()
        self.assertEqual(('active', 1024 ** 3, server, 'raw'), tuple(
            shown[key] for key in (
                'status', 'size', 'instance_uuid', 'disk_format')))
        self.check_disk(self.boot(snapshot), snapshot)
        self.assertNotIn('file', [path for _, path in self.asked(mark)])

    def restart_glance(self, options: services.Sections) -> None:
        """Restart Glance with other options until the test ends."""
        self.addCleanup(self.glance.restart)
        self.glance.restart(options)


class SnapshotTest(CephTest):
    """Snapshots with each API for locations, and without any."""

    def test_snapshot_with_shown_locations(self) -> None:
        """Glance shows locations and accepts one with PATCH."""
        server = self.boot(self.image)
        self.check_disk(server, self.image)
        self.check_direct(server, ('PATCH', 'ID'))

    def test_snapshot_with_the_locations_api(self) -> None:
        """Only services may add and read locations."""
        self.restart_glance(_HIDDEN)
        server = self.boot(self.image)
        self.check_disk(server, self.image)
        self.check_direct(server, ('POST', 'locations'))

    def test_snapshot_is_uploaded_if_locations_are_forbidden(self) -> None:
        policy = self.glance.folder / 'nobody.yaml'
        policy.write_text('"add_image_location": "!"\n')
        self.restart_glance({
            **_HIDDEN, 'oslo_policy': {'policy_file': str(policy)}})
        server = self.boot(self.image)
        begin = len(self.cloud.nova.log('nova-compute'))
        mark = self.glance.mark()
        snapshot = self.snapshot(server)
        self.assertIn(_UPLOADS, self.cloud.nova.log('nova-compute')[begin:])
        self.assertIn(('PUT', 'file'), self.asked(mark))
        self.check_nothing_left(server)
        self.check_disk(self.boot(snapshot), snapshot)


class OutageTest(CephTest):
    """Glance is killed between the clone and the addition of its location."""

    def kill_when_cloned(self, server: str) -> str:
        """Begin a snapshot, kill Glance; return the ID of the image."""
        before = self.rbd_images('images')
        answer = self.servers.act(server, 'createImage', name='a snapshot')
        image = answer.headers['Location'].rpartition('/')[2]
        self.addCleanup(self.remove_image, image)
        with self.pool('images') as pool:
            base.wait_for('the clone exists', lambda: set(
                self.rbd.RBD().list(pool)) > before, poll=0.002)
        self.glance.kill()
        self.addCleanup(self.glance.start)
        return image

    def test_snapshot_succeeds_after_a_short_outage(self) -> None:
        server = self.boot(self.image)
        mark = self.glance.mark()
        image = self.kill_when_cloned(server)
        self.assertNotIn(('PATCH', image), self.asked(mark))
        self.glance.start()
        self.servers.wait(server)
        self.check_nothing_left(server)
        self.check_disk(self.boot(image), image)

    def test_snapshot_leaves_no_image_after_a_long_outage(self) -> None:
        """Glance is started again after Nova has given up."""
        server = self.boot(self.image)
        compute = self.cloud.nova.compute
        self.addCleanup(compute.restart)
        # At least 16 s, for Glance to be back before Nova deletes the image.
        compute.restart({'glance': {'num_retries': '6'}})
        begin = len(self.cloud.nova.log('nova-compute'))
        image = self.kill_when_cloned(server)
        base.wait_for('Nova has given up', lambda: (
            'Failed to snapshot image'
            in self.cloud.nova.log('nova-compute')[begin:]))
        self.glance.start()
        self.servers.wait(server)
        self.check_nothing_left(server)
        self.assertEqual(404, self.cloud.images().get(
            '/images/' + image, raise_exc=False).status_code)


class DownloadTest(CephTest):
    """A compute host whose disks are files, and images in Ceph."""

    def test_image_is_downloaded_from_ceph_and_verified(self) -> None:
        compute = self.cloud.nova.compute
        self.addCleanup(compute.restart)
        compute.restart({
            'libvirt': {'images_type': 'qcow2'},
            'glance': {'enable_rbd_download': 'true',
                       'rbd_user': self.ceph.user,
                       'rbd_ceph_conf': str(self.ceph.conf)}})
        begin = len(self.cloud.nova.log('nova-compute'))
        mark = self.glance.mark()
        self.boot(self.image)
        self.assertEqual(self.data, self.cached(self.image).read_bytes())
        self.assertNotIn('file', [path for _, path in self.asked(mark)])
        self.assertRegex(
            self.cloud.nova.log('nova-compute')[begin:],
            r'Image %s: %d bytes from rbd://.* verified by .*sha512' % (
                self.image, len(self.data)))


class StoresTest(CephTest):
    """A compute host whose disks are in the Ceph of one of Glance's stores."""

    def setUp(self) -> None:
        """Let Nova copy images to that store, as any user."""
        super().setUp()
        policy = self.glance.folder / 'copy.yaml'
        policy.write_text('"copy_image": ""\n')
        self.restart_glance({'oslo_policy': {'policy_file': str(policy)}})
        compute = self.cloud.nova.compute
        self.addCleanup(compute.restart)
        compute.restart({'libvirt': {
            'images_rbd_glance_store_name': 'rbd',
            'images_rbd_glance_copy_poll_interval': '1'}})

    def test_image_of_another_store_is_copied_and_cloned(self) -> None:
        images = self.cloud.images('admin')
        image = images.post('/images', json={
            'name': 'elsewhere', 'disk_format': 'raw', 'visibility': 'public',
            'container_format': 'bare'}).json()['id']
        self.addCleanup(self.remove_image, image)
        path = '/images/' + image
        images.put(path + '/file', data=self.data, headers={
            'Content-Type': 'application/octet-stream',
            'X-Image-Meta-Store': 'fast'})
        self.assertEqual('fast', images.get(path).json()['stores'])
        mark = self.glance.mark()
        server = self.boot(image)
        self.assertIn(('POST', 'import'), self.asked(mark))
        self.assertEqual({'fast', 'rbd'}, set(
            images.get(path).json()['stores'].split(',')))
        self.check_disk(server, image)
