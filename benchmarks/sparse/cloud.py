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


"""The cloud that is measured: a sparse image in Ceph, that Glance knows."""

import hashlib
import os
import pathlib
import typing

from keystoneauth1 import adapter

from benchmarks.common import cloud
from benchmarks.common import race
from nova_image.tests import fixtures
from nova_image.tests.fixtures import paths

_MIB = 1024 ** 2
_STORE = 'rbd'
#: RBD objects are as big as Glance makes them.
_ORDER = 23
_PATCH = 'application/openstack-images-v2.1-json-patch'
_IMAGE = {'name': 'sparse', 'disk_format': 'raw', 'container_format': 'bare'}
_OPTIONS = {'DEFAULT': {'show_multiple_locations': 'true',
                        'show_image_direct_url': 'true'}}


class Cloud(cloud.Cloud):
    """Keystone, a Glance that has its images in Ceph, and two in there.

    :ivar ceph: the fixtures.Ceph
    :ivar images: ID of an image without a hash, of one that has one, and of
        a small one to warm with
    :ivar path: the file that downloads are to make
    :ivar config: the nova.conf of who downloads
    """

    def __init__(self, ceph: fixtures.Ceph, size: int, data: int,
                 keep: bool = False) -> None:
        """Describe a cloud; it is started when the fixture is set up.

        :param ceph: set up
        :param size: of the images, in MiB
        :param data: how much of each is data, in MiB, spread over it
        :param keep: whether the services' folders stay
        """
        # Makes Ceph's libraries known to where Glance is installed.
        ceph.glance(_STORE)
        super().__init__(keep, paths.merge(ceph.store(_STORE), _OPTIONS),
                         stores={_STORE: 'rbd'})
        self.ceph = ceph
        self.images: dict[str, str] = {}
        self._size = size * _MIB
        self._data = {number * (size // data) * _MIB: os.urandom(_MIB)
                      for number in range(data)}
        self._api: adapter.Adapter

    def _setUp(self) -> None:
        super()._setUp()
        folder = self.useFixture(fixtures.RunFolder('benchmark')).path
        self.path, self.config = folder / 'downloaded', folder / 'nova.conf'
        self.addCleanup(pathlib.Path.unlink, self.path, missing_ok=True)
        paths.write_config(self.config, {'glance': {
            'enable_rbd_download': 'true', 'rbd_user': self.ceph.user,
            'rbd_pool': 'images', 'rbd_ceph_conf': str(self.ceph.conf)}})
        self._api = adapter.Adapter(
            self.keystone.session('demo'), service_type='image',
            interface='internal')
        self.images = {'sparse': self._make({}), 'sparse-hashed': self._make({
            'os_hash_algo': 'sha512', 'os_hash_value': self._hash()}),
            'warm': self._make({}, _MIB)}

    def _make(self, image_hash: dict[str, str], size: int | None = None
              ) -> str:
        """Make an image, at the location where its data is; its ID."""
        image_id = self._api.post('/v2/images', json=_IMAGE).json()['id']
        self._store(image_id, size or self._size)
        place = {'metadata': {}, 'url': '%s/images/%s/snap' % (
            self.ceph.url, image_id)}
        if image_hash:
            place['validation_data'] = image_hash
        self._api.patch('/v2/images/' + image_id, headers={
            'Content-Type': _PATCH}, json=[{
                'op': 'add', 'path': '/locations/-', 'value': place}])
        return image_id

    def _store(self, name: str, size: int) -> None:
        """Put the data into Ceph, with a snapshot as Glance makes it."""
        rbd = typing.cast(typing.Any, __import__('rbd'))
        rados = typing.cast(typing.Any, __import__('rados'))
        with rados.Rados(rados_id='admin', conffile=str(
                self.ceph.conf)) as cluster, cluster.open_ioctx(
                    'images') as pool:
            rbd.RBD().create(pool, name, size, order=_ORDER,
                             old_format=False)
            with rbd.Image(pool, name) as image:
                for place, data in self._data.items():
                    if place < size:
                        image.write(data, place)
                image.create_snap('snap')
                image.protect_snap('snap')

    def _hash(self) -> str:
        """Return the SHA-512 of the data and the zeros between them."""
        found, zeros = hashlib.sha512(), bytes(_MIB)
        for place in range(0, self._size, _MIB):
            found.update(self._data.get(place, zeros))
        return found.hexdigest()

    def check(self, holes: bool) -> None:
        """Check the file that was made.

        :param holes: whether the zeros between the data are to be holes
        :raises race.Broken: it is not the image, or has too few holes
        """
        with open(self.path, 'rb') as stream:
            for place, data in self._data.items():
                stream.seek(place)
                if stream.read(_MIB) != data:
                    raise race.Broken('There is other data at %d' % place)
        found = self.path.stat()
        if found.st_size != self._size:
            raise race.Broken('The file has %d bytes' % found.st_size)
        if holes and found.st_blocks * 512 > 2 * len(self._data) * _MIB:
            raise race.Broken('The file takes %d bytes of the disk'
                              % (found.st_blocks * 512))
