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

"""The cloud of the benchmark, with an image of each size."""

import pathlib
import typing

from keystoneauth1 import adapter

from benchmarks.common import cloud
from benchmarks.common import race
from benchmarks.transfer import files
from nova_image.tests import fixtures

#: The size in bytes of the image that contenders warm up with.
WARM = 64 * 1024
_STORE = 'fast'
_SHOWN = {'show_multiple_locations': 'true', 'show_image_direct_url': 'true'}
_NEW = {'name': 'image', 'disk_format': 'raw', 'container_format': 'bare'}


class Cloud(cloud.Cloud):
    """Keystone and Glance with a file store, and images of the user demo.

    :ivar sizes: the sizes of the measured images in bytes
    :ivar images: size -> ID of the image of that size
    :ivar path: the destination of downloads
    """

    def __init__(self, sizes: list[int], keep: bool = False,
                 kind: str = 'file',
                 options: dict[str, str] | None = None) -> None:
        """Describe a cloud; it starts when the fixture is set up.

        :param sizes: the sizes of the images in bytes
        :param keep: whether to keep the services' folders, without large
            files
        :param kind: the type of Glance's store
        :param options: the options of Glance's store
        """
        super().__init__(keep, {'DEFAULT': _SHOWN, _STORE: options or {}},
                         stores={_STORE: kind})
        self.sizes = sizes
        self.images: dict[int, str] = {}
        self.path: pathlib.Path
        self._api: adapter.Adapter
        self._hashes: dict[str, str] = {}

    @property
    def store(self) -> pathlib.Path:
        """The folder with the images' data, in files named by ID."""
        return self.glance.folder / _STORE

    def source(self, size: int) -> pathlib.Path:
        """Return a file with the data of the image of this size."""
        return self.store / self.images[size]

    def _setUp(self) -> None:
        super()._setUp()
        folder = self.useFixture(fixtures.RunFolder('benchmark')).path
        self.path = folder / 'downloaded'
        self._api = adapter.Adapter(
            self.keystone.session('demo'), service_type='image',
            interface='internal')
        self.addCleanup(self._remove_data)
        for size in (WARM, *self.sizes):
            data = folder / ('data-%d' % size)
            files.make(data, size)
            self.images[size] = self._upload(data)
            self._stored(data, size)

    def _upload(self, path: pathlib.Path) -> str:
        image_id = self._api.post('/v2/images', json=_NEW).json()['id']
        with open(path, 'rb') as stream:
            self._api.put(
                '/v2/images/%s/file' % image_id, data=stream,
                headers={'Content-Type': 'application/octet-stream'})
        self._hashes[image_id] = self._show(image_id)['os_hash_value']
        return image_id

    def _stored(self, path: pathlib.Path, size: int) -> None:
        """Check that Glance has stored a file, and delete the file."""
        if not files.equal(path, self.source(size)):
            raise race.Broken('Glance has not stored the data as sent.')
        path.unlink()

    def _show(self, image_id: str) -> dict[str, typing.Any]:
        return self._api.get('/v2/images/%s' % image_id).json()

    def glance_sent_data(self, mark: int) -> bool:
        """Return whether Glance got requests for an image's data.

        :param mark: a glance.mark(); ignore the requests before it
        """
        return any(request.method == 'GET'
                   and request.path.partition('?')[0].endswith('/file')
                   for request in self.glance.requests(mark))

    def check_upload(self, image_id: str, size: int) -> None:
        """Check an image that a contender has uploaded, and delete it.

        :param image_id: the image's ID
        :param size: the size of the image that it must be a copy of
        :raises Broken: if it is not
        """
        image = self._show(image_id)
        found = image['status'], image['size'], image['os_hash_value']
        if found != ('active', size, self._hashes[self.images[size]]):
            raise race.Broken('The uploaded image is not active, or its data '
                              'is not as sent: %s' % image)
        self._api.delete('/v2/images/%s' % image_id)

    def _remove_data(self) -> None:
        """Remove the large files, even if the services' folders are kept."""
        if self.store.exists():
            for path in self.store.iterdir():
                path.unlink()


class CephCloud(Cloud):
    """The cloud with its images in a Ceph.

    :ivar ceph: the fixtures.Ceph
    """

    def __init__(self, ceph: fixtures.Ceph, sizes: list[int],
                 keep: bool = False) -> None:
        """Describe a cloud; it starts when the fixture is set up.

        :param ceph: the Ceph, already set up
        :param sizes: the sizes of the images in bytes
        :param keep: whether to keep the services' folders
        """
        # Links Ceph's libraries into Glance's virtualenv.
        ceph.glance(_STORE)
        super().__init__(sizes, keep, 'rbd', {
            'rbd_store_pool': 'images', 'rbd_store_user': 'glance',
            'rbd_store_ceph_conf': str(ceph.conf)})
        self.ceph = ceph

    def source(self, size: int) -> pathlib.Path:
        """Return a file with the data of the image of this size."""
        return self.path.with_name('data-%d' % size)

    def _stored(self, path: pathlib.Path, size: int) -> None:
        """Keep the file, which is the only one with the data."""
