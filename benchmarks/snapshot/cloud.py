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

"""The cloud of the benchmark, with a server's disk in Ceph."""

import os
import typing

from keystoneauth1 import adapter

from benchmarks.common import cloud
from benchmarks.common import race
from benchmarks.snapshot import contenders
from nova_image.tests import fixtures
from nova_image.tests.fixtures import paths

_MIB = 1024 ** 2
_STORE = 'rbd'
_OPTIONS = {
    # Do not write the zeros of an upload, which would take even longer.
    _STORE: {'rbd_thin_provisioning': 'true'},
    # Glance would hash data added by location during the next measurement.
    'DEFAULT': {'do_secure_hash': 'false'},
}
_IMAGE = {'name': 'snapshot', 'disk_format': 'raw',
          'container_format': 'bare'}


class Cloud(cloud.Cloud):
    """Keystone and a Glance with its images in Ceph.

    :ivar ceph: the fixtures.Ceph
    :ivar image: the ID of the image that the disk is a clone of
    :ivar config: the nova.conf of the contenders
    """

    def __init__(self, ceph: fixtures.Ceph, disk: int, data: int,
                 keep: bool = False) -> None:
        """Describe a cloud; it starts when the fixture is set up.

        :param ceph: the Ceph, already set up
        :param disk: the size of the disk in MiB
        :param data: the size of its data in MiB
        :param keep: whether to keep the services' folders
        """
        # Links Ceph's libraries into Glance's virtualenv.
        ceph.glance(_STORE)
        super().__init__(keep, paths.merge(ceph.store(_STORE), _OPTIONS),
                         stores={_STORE: 'rbd'})
        self.ceph = ceph
        self.image: str
        self._size, self._data = disk * _MIB, os.urandom(data * _MIB)
        self._api: adapter.Adapter

    def _setUp(self) -> None:
        super()._setUp()
        folder = self.useFixture(fixtures.RunFolder('benchmark')).path
        self.config = folder / 'nova.conf'
        self._api = adapter.Adapter(
            self.keystone.session('demo'), service_type='image',
            interface='internal')
        self.image = self.queued()
        self._api.put('/v2/images/%s/file' % self.image, data=self._data,
                      headers={'Content-Type': 'application/octet-stream'})
        self._make_disk()
        ceph = {'rbd_user': self.ceph.writer}
        conf = str(self.ceph.conf)
        paths.write_config(self.config, {
            'DEFAULT': {'state_path': str(folder),
                        'instances_path': str(folder)},
            'libvirt': {**ceph, 'images_rbd_ceph_conf': conf,
                        'images_type': 'rbd',
                        'images_rbd_pool': contenders.DISK[0]},
            'glance': {**ceph, 'rbd_ceph_conf': conf},
            'service_user': {
                **self.keystone.auth_options('nova'),
                'auth_type': 'password', 'send_service_user_token': 'true'}})

    def _make_disk(self) -> None:
        """Create the disk as Nova does."""
        rbd = typing.cast(typing.Any, __import__('rbd'))
        pool, name = contenders.DISK
        with self._rados() as cluster, cluster.open_ioctx(
                'images') as images, cluster.open_ioctx(pool) as disks:
            rbd.RBD().clone(images, self.image, 'snap', disks, name)
            with rbd.Image(disks, name) as disk:
                disk.resize(self._size)

    def _rados(self) -> typing.Any:
        return typing.cast(typing.Any, __import__('rados')).Rados(
            rados_id='admin', conffile=str(self.ceph.conf))

    def queued(self) -> str:
        """Create an image without data, and return its ID."""
        return self._api.post('/v2/images', json=_IMAGE).json()['id']

    def check(self, image_id: str) -> None:
        """Check that an image is a snapshot of the disk, and delete it.

        :param image_id: the image's ID
        :raises race.Broken: if it is not
        """
        image = self._api.get('/v2/images/' + image_id).json()
        if (image['status'], image['size']) != ('active', self._size):
            raise race.Broken('The snapshot is not active, or its size is '
                              'not that of the disk: %s' % image)
        rbd = typing.cast(typing.Any, __import__('rbd'))
        with self._rados() as cluster, cluster.open_ioctx(
                'images') as images, rbd.Image(
                    images, image_id, read_only=True) as stored:
            if stored.read(0, len(self._data)) != self._data:
                raise race.Broken('The snapshot differs from the disk.')
        self._api.delete('/v2/images/' + image_id)
