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


"""Tests of locations in a real Ceph, given to a real Glance in both ways."""

import hashlib
import pathlib
import typing

from nova_image import exception
from nova_image.tests import fixtures
from nova_image.tests.functional import base
from nova_image.tests.functional import servers
from nova_image.tests.functional import test_download_rbd

DATA = b'nova_image' * 100000
WRONG = {'os_hash_algo': 'sha512', 'os_hash_value': '0' * 128}
RIGHT = {'os_hash_algo': 'sha512',
         'os_hash_value': hashlib.sha512(DATA).hexdigest()}


def glance(shown: bool, hashed: bool) -> fixtures.Glance:
    """Return a Glance on the shared Ceph, not set up.

    :param shown: its show_multiple_locations
    :param hashed: its do_secure_hash
    """
    return test_download_rbd.ceph().glance(options={'DEFAULT': {
        'show_multiple_locations': str(shown),
        'show_image_direct_url': str(shown),
        'do_secure_hash': str(hashed)}})


@servers.once
def hashing() -> fixtures.Glance:
    """Glance with the locations API alone, which hashes."""
    return glance(shown=False, hashed=True)


@servers.once
def trusting() -> fixtures.Glance:
    """Glance with the locations API alone, which does not hash."""
    return glance(shown=False, hashed=False)


@servers.once
def showing() -> fixtures.Glance:
    """Glance that shows its locations."""
    return glance(shown=True, hashed=True)


class LocationsCase(base.FunctionalTest):
    """Base: a Ceph, a Glance and a service's context."""

    server = staticmethod(hashing)

    def setUp(self) -> None:
        """Start what is not running yet."""
        super().setUp()
        self.ceph = test_download_rbd.ceph()
        self.glance = self.server()
        self.raw = self.clean(self.glance.url)
        self.driver = base.make_driver('v2', [self.glance.url])
        self.ctx = self.context(roles=('member', 'reader', 'service'))

    def url(self, image_id: str, exists: bool = True) -> str:
        """Return the location of an image, made as Nova's snapshots are."""
        if exists:
            path = pathlib.Path(self.useFixture(base.folder()).path, 'data')
            path.write_bytes(DATA)
            self.ceph.rbd('import', str(path), 'images/' + image_id)
            for action in ('create', 'protect'):
                self.ceph.rbd('snap', action, 'images/%s@snap' % image_id)
        return '%s/images/%s/snap' % (self.ceph.url, image_id)

    def create(self, ctx: typing.Any = None, exists: bool = True,
               **meta: typing.Any) -> dict[str, typing.Any]:
        """Create an image at a location; return it as Glance has it."""
        image_id = base.new_id()
        made = self.driver.create(ctx or self.ctx, {
            'id': image_id, 'name': 'snapshot', 'disk_format': 'raw',
            'container_format': 'bare',
            'location': self.url(image_id, exists), **meta})
        self.assertEqual(('active', len(DATA)),
                         (made['status'], made['size']))
        self.assertEqual(DATA, self.raw.data(image_id))
        return self.raw.image(image_id)

    def assertRefused(self, kind: type[Exception], *args: typing.Any,
                      **kwargs: typing.Any) -> None:
        """Check that a create fails, and leaves nothing in Glance."""
        error = self.assertRaises(kind, self.create, *args, **kwargs)
        self.assertNotIsInstance(error, exception.ImageNotAuthorized)
        self.assertEqual([], self.raw.images())

    def updated(self, **meta: typing.Any) -> dict[str, typing.Any]:
        """Give a queued image its location; return it."""
        image_id = self.driver.create(self.ctx, {
            'name': 'snapshot', 'disk_format': 'raw',
            'container_format': 'bare'})['id']
        return self.driver.update(self.ctx, image_id, {
            'location': self.url(image_id), 'name': 'two', **meta},
            purge_props=False)


class HashingTest(LocationsCase):
    """The locations API, do_secure_hash on."""

    hashes = True

    def test_create(self) -> None:
        wanted = RIGHT['os_hash_value'] if self.hashes else None
        self.assertEqual(wanted, self.create()['os_hash_value'])

    def test_update(self) -> None:
        image = self.updated()
        self.assertEqual(('active', 'two'), (image['status'], image['name']))

    def test_right_hash(self) -> None:
        self.assertEqual(RIGHT['os_hash_value'],
                         self.create(**RIGHT)['os_hash_value'])

    def test_wrong_hash(self) -> None:
        self.assertRefused(exception.ImageLocationRefused, **WRONG)

    def test_missing(self) -> None:
        self.assertRefused(exception.ImageLocationRefused, exists=False)

    def test_member(self) -> None:
        self.assertRefused(exception.Forbidden, self.context())


class TrustingTest(HashingTest):
    """The locations API, do_secure_hash off: a hash is believed."""

    server = staticmethod(trusting)
    hashes = False

    def test_wrong_hash(self) -> None:
        self.assertEqual(WRONG['os_hash_value'],
                         self.create(**WRONG)['os_hash_value'])


class ShowingTest(TrustingTest):
    """PATCH: members may, and a hash is believed."""

    server = staticmethod(showing)

    def test_member(self) -> None:
        self.create(self.context())
