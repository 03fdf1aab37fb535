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

"""The cloud of the benchmark, with sparse images in Ceph."""

import hashlib
import os
import pathlib
import typing

from keystoneauth1 import adapter

from benchmarks.common import cloud
from benchmarks.common import race
from nova_image.tests import fixtures
from nova_image.tests.fixtures import paths

MIB = 1024 ** 2
_STORE = 'rbd'
#: Glance's size of RBD objects.
_ORDER = 23
_PATCH = 'application/openstack-images-v2.1-json-patch'
_IMAGE = {'name': 'sparse', 'disk_format': 'raw', 'container_format': 'bare'}
_OPTIONS = {'DEFAULT': {'show_multiple_locations': 'true',
                        'show_image_direct_url': 'true'}}


class Cloud(cloud.Cloud):
    """Keystone and a Glance with sparse images in Ceph.

    :ivar ceph: the fixtures.Ceph
    :ivar images: IDs: ``sparse`` without a hash, ``sparse-hashed`` with a
        hash, and ``warm``, a small one to warm up with
    :ivar path: the destination of downloads
    :ivar config: the nova.conf of the contenders
    """

    def __init__(self, ceph: fixtures.Ceph, size: int, data: int,
                 keep: bool = False) -> None:
        """Describe a cloud; it starts when the fixture is set up.

        :param ceph: the Ceph, already set up
        :param size: the size of each image in MiB
        :param data: the size of its data in MiB, which is spread over it
        :param keep: whether to keep the services' folders
        """
        # Links Ceph's libraries into Glance's virtualenv.
        ceph.glance(_STORE)
        super().__init__(keep, paths.merge(ceph.store(_STORE), _OPTIONS),
                         stores={_STORE: 'rbd'})
        self.ceph = ceph
        self.images: dict[str, str] = {}
        self._size = size * MIB
        self._data = {number * (size // data) * MIB: os.urandom(MIB)
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
            'warm': self._make({}, MIB)}

    def _make(self, image_hash: dict[str, str], size: int | None = None
              ) -> str:
        """Create an image by the location of its data; return its ID."""
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
        """Write the data to Ceph, with a snapshot like Glance's."""
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
        found, zeros = hashlib.sha512(), bytes(MIB)
        for place in range(0, self._size, MIB):
            found.update(self._data.get(place, zeros))
        return found.hexdigest()

    def check(self, holes: bool) -> None:
        """Check the downloaded file.

        :param holes: whether the zeros between the data must be holes
        :raises race.Broken: if it differs from the image, or has too few
            holes
        """
        with open(self.path, 'rb') as stream:
            for place, data in self._data.items():
                stream.seek(place)
                if stream.read(MIB) != data:
                    raise race.Broken(
                        'The file differs from the image at byte %d.' % place)
        found = self.path.stat()
        if found.st_size != self._size:
            raise race.Broken('The file has %d bytes, the image %d.' % (
                found.st_size, self._size))
        if holes and found.st_blocks * 512 > 2 * len(self._data) * MIB:
            raise race.Broken('The file is not sparse enough: it takes %d '
                              'bytes on disk.' % (found.st_blocks * 512))
