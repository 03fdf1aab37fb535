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


"""Locations in a real Ceph, added to a real Glance through both APIs.

For each configuration of Glance: locations with and without a hash, missing
and unreadable locations, and different callers. After each of them, the test
lists all images of Glance, the pool of its images and the pool of the disks.
"""

import contextlib
import hashlib
import pathlib
import typing

from nova_image import exception
from nova_image.tests import fixtures
from nova_image.tests.functional import base
from nova_image.tests.functional import servers
from nova_image.tests.functional import test_download_rbd
from nova_image.virt.libvirt import direct_snapshot

DATA = b'nova_image' * 100000
WRONG = {'os_hash_algo': 'sha512', 'os_hash_value': '0' * 128}
RIGHT = {'os_hash_algo': 'sha512',
         'os_hash_value': hashlib.sha512(DATA).hexdigest()}


def glance(shown: bool, hashed: bool) -> fixtures.Glance:
    """Return a Glance on the shared Ceph, which is not set up yet.

    :param shown: the option show_multiple_locations
    :param hashed: the option do_secure_hash
    """
    return test_download_rbd.ceph().glance(options={'DEFAULT': {
        'show_multiple_locations': str(shown),
        'show_image_direct_url': str(shown),
        'do_secure_hash': str(hashed)}})


@servers.once
def hashing() -> fixtures.Glance:
    """Glance with only the locations API, which hashes the data."""
    return glance(shown=False, hashed=True)


@servers.once
def trusting() -> fixtures.Glance:
    """Glance with only the locations API, which does not hash."""
    return glance(shown=False, hashed=False)


@servers.once
def showing() -> fixtures.Glance:
    """Glance that shows locations, with do_secure_hash on."""
    return glance(shown=True, hashed=True)


@servers.once
def believing() -> fixtures.Glance:
    """Glance that shows locations, with do_secure_hash off."""
    return glance(shown=True, hashed=False)


class LocationsCase(base.FunctionalTest):
    """A disk in Ceph, a Glance and a service's context."""

    server = staticmethod(hashing)

    def setUp(self) -> None:
        """Start the servers that are not running, and list all they have."""
        super().setUp()
        self.useFixture(fixtures.CephBindings())
        self.ceph = test_download_rbd.ceph()
        self.glance = self.server()
        self.raw = self.raw_glance(self.glance.url)
        self.ctx = self.context(roles=('member', 'reader', 'service'))
        options = {'api_servers': [self.glance.url],
                   'rbd_user': self.ceph.writer,
                   'rbd_ceph_conf': str(self.ceph.conf)}
        self.driver = base.make_driver('v2', options=options)
        self.clones = direct_snapshot.Clones(base.make_conf(options),
                                             self.make_disk())
        self.before = self.listing()

    def make_disk(self) -> str:
        """Create a server's disk; return POOL/NAME."""
        path = pathlib.Path(self.useFixture(base.folder()).path, 'data')
        path.write_bytes(DATA)
        disk = 'vms/%s_disk' % base.new_id()
        self.ceph.rbd('import', str(path), disk)
        self.addCleanup(self.ceph.rbd, 'rm', disk)
        return disk

    def listing(self) -> set[str]:
        """List Glance and both pools.

        :returns: ``glance/ID STATUS``, ``POOL/NAME``, ``POOL/NAME@SNAPSHOT``
            and, for images in the trash, ``POOL trash: ...``
        """
        found = {'glance/%s %s' % (image['id'], image['status'])
                 for image in self.raw.images()}
        for pool in ('images', 'vms'):
            # One line for each image and snapshot, below a heading.
            lines = self.ceph.rbd('ls', '-l', pool).splitlines()[1:]
            found |= {'%s/%s' % (pool, line.split()[0]) for line in lines}
            found |= {'%s trash: %s' % (pool, line) for line in self.ceph.rbd(
                'trash', 'ls', pool).splitlines()}
        return found

    def assertListing(self, *more: str) -> None:
        """Check the listing.

        :param more: the lines added since the beginning of the test
        """
        self.assertEqual(self.before | set(more), self.listing())

    def place(self, where: str, name: str
              ) -> contextlib.AbstractContextManager[str]:
        """Return a context manager that clones the disk and yields its URL.

        :param where: the clone's pool; ``nowhere`` for a URL without a clone,
            ``elsewhere`` for one in another Ceph
        """
        if where == 'nowhere':
            return contextlib.nullcontext(
                '%s/images/%s/snap' % (self.ceph.url, name))
        if where == 'elsewhere':
            return contextlib.nullcontext(
                'rbd://%s/images/%s/snap' % (base.new_id(), name))
        return self.clones.kept_on_success(where, name)

    def create(self, ctx: typing.Any = None, where: str = 'images',
               **meta: typing.Any) -> str:
        """Create an image at a location; return its ID."""
        image_id = base.new_id()
        with self.place(where, image_id) as url:
            made = self.driver.create(ctx or self.ctx, {
                'id': image_id, 'name': 'snapshot', 'disk_format': 'raw',
                'container_format': 'bare', 'location': url, **meta})
            self.assertEqual('active', made['status'])
        return image_id

    def update(self, ctx: typing.Any = None, where: str = 'images',
               **meta: typing.Any) -> str:
        """Create a queued image, then add a location; return its ID."""
        image_id = self.driver.create(self.ctx, {
            'name': 'queued', 'disk_format': 'raw',
            'container_format': 'bare'})['id']
        with self.queued(image_id), self.place(where, image_id) as url:
            made = self.driver.update(ctx or self.ctx, image_id, {
                'location': url, 'name': 'snapshot', **meta},
                purge_props=False)
            self.assertEqual(('active', 'snapshot'),
                             (made['status'], made['name']))
        return image_id

    @contextlib.contextmanager
    def queued(self, image_id: str) -> typing.Any:
        """Check that an image accepts an upload if the block fails."""
        try:
            yield
        except exception.NovaImageException:
            self.assertListing('glance/%s queued' % image_id)
            self.driver.update(self.ctx, image_id, {}, b'data')
            self.assertEqual(b'data', self.raw.data(image_id))
            self.driver.delete(self.ctx, image_id)
            raise

    def assertAccepted(self, image_hash: str | None, *args: typing.Any,
                       **kwargs: typing.Any) -> None:
        """Check that a location is accepted, and deleted with its image.

        :param image_hash: the expected os_hash_value of the image
        :param args: arguments of create() and update()
        """
        for make in (self.create, self.update):
            image_id = make(*args, **kwargs)
            self.assertListing(
                'glance/%s active' % image_id, 'images/' + image_id,
                'images/%s@snap' % image_id)
            raw = self.raw.image(image_id)
            self.assertEqual((len(DATA), image_hash),
                             (raw['size'], raw['os_hash_value']))
            self.assertEqual(DATA, self.raw.data(image_id))
            self.assertDownload(image_id, image_hash)
            self.driver.delete(self.ctx, image_id)
            self.assertListing()

    def assertDownload(self, image_id: str, image_hash: str | None) -> None:
        """Check that a download detects a wrong hash."""
        download = self.driver.download(self.ctx, image_id)
        if image_hash == WRONG['os_hash_value']:
            self.assertRaises(exception.ImageCorrupt, list, download)
        else:
            self.assertEqual(DATA, b''.join(download))

    def assertRefused(self, kind: type[Exception], *args: typing.Any,
                      **kwargs: typing.Any) -> None:
        """Check that a location is refused and leaves nothing behind.

        :param args: arguments of create() and update()
        """
        for make in (self.create, self.update):
            error = self.assertRaises(kind, make, *args, **kwargs)
            # With this error Nova would not fall back to an upload.
            self.assertNotIsInstance(error, exception.ImageNotAuthorized)
            self.assertListing()


class HashingTest(LocationsCase):
    """The locations API with do_secure_hash on."""

    def test_without_a_hash(self) -> None:
        self.assertAccepted(RIGHT['os_hash_value'])

    def test_right_hash(self) -> None:
        self.assertAccepted(RIGHT['os_hash_value'], **RIGHT)

    def test_wrong_hash(self) -> None:
        self.assertRefused(exception.ImageLocationRefused, **WRONG)

    def test_missing_location(self) -> None:
        self.assertRefused(exception.ImageLocationRefused, where='nowhere')

    def test_missing_location_with_a_hash(self) -> None:
        self.assertRefused(exception.ImageLocationRefused, where='nowhere',
                           **RIGHT)

    def test_pool_that_glance_may_not_read(self) -> None:
        self.assertRefused(exception.ImageLocationRefused, where='vms')

    def test_location_in_another_cluster(self) -> None:
        self.assertRefused(exception.ImageLocationRefused, where='elsewhere')

    def test_member_as_caller(self) -> None:
        for meta in ({}, RIGHT, WRONG):
            self.assertRefused(exception.Forbidden, self.context(), **meta)


class TrustingTest(HashingTest):
    """The locations API with do_secure_hash off: hashes are not checked."""

    server = staticmethod(trusting)

    def test_without_a_hash(self) -> None:
        self.assertAccepted(None)

    def test_wrong_hash(self) -> None:
        self.assertAccepted(WRONG['os_hash_value'], **WRONG)


class ShowingTest(TrustingTest):
    """PATCH: members may add locations, and hashes are not checked."""

    server = staticmethod(showing)

    def test_member_as_caller(self) -> None:
        self.assertAccepted(None, self.context())
        self.assertAccepted(RIGHT['os_hash_value'], self.context(), **RIGHT)


class BelievingTest(ShowingTest):
    """PATCH with do_secure_hash off, which makes no difference."""

    server = staticmethod(believing)
