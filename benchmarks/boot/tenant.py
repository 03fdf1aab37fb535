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

"""The measured operations, as the user of a cloud does them."""

import collections.abc
import dataclasses
import pathlib

from benchmarks.boot import cloud as boot_cloud
from benchmarks.boot import servers
from benchmarks.boot import usage
from benchmarks.common import race

_ONE, _MANY = 'one', 'many'
_FEW = 2


@dataclasses.dataclass(frozen=True)
class Scale:
    """The size of the operations.

    :ivar data: the file with the data of the image of most operations
    :ivar small: the file with the data of the image of many cold boots
    :ivar servers: the number of many servers
    :ivar images: the number of images to list
    """

    data: pathlib.Path
    small: pathlib.Path
    servers: int
    images: int


class Tenant:
    """The user of one cloud, with one server and sometimes many.

    Each operation returns what it has used. They depend on the server that
    an earlier one has left, so they run in the order of OPERATIONS.
    """

    def __init__(self, cloud: boot_cloud.Cloud, scale: Scale) -> None:
        """Prepare a user.

        :param cloud: the cloud, already set up
        :param scale: the size of the operations
        """
        self.cloud = cloud
        self._scale = scale
        self._servers = servers.Servers(cloud.compute())
        self._meter = usage.Meter(cloud)
        self._image = self._small = self._server = ''

    def prepare(self) -> None:
        """Upload the images, and measure the cost of a poll."""
        scale = self._scale
        self._image, self._small = (
            self.cloud.upload(path, disk_format='raw', name='random')
            for path in (scale.data, scale.small))
        server = self._servers.begin(self._small, _ONE)
        self._servers.wait(usage.Use(), server)
        self._meter.calibrate(lambda: self._servers.poll(server))
        self._servers.delete(_ONE)

    def warm_up(self) -> None:
        """Do each operation once, with little data."""
        usual = self._scale, self._image
        self._scale = dataclasses.replace(
            usual[0], data=usual[0].small, servers=_FEW)
        self._image = self._small
        for operation in OPERATIONS.values():
            operation(self)
        self._scale, self._image = usual

    def cold_boot(self) -> usage.Use:
        """Boot a server from an image that nova-compute has to download."""
        self.cloud.forget()
        use = self._boot()
        self.cloud.check_cached(self._image, self._scale.data)
        return use

    def snapshot(self) -> usage.Use:
        """Take a snapshot of the server."""
        with self._meter.measured() as use:
            answer = self._servers.act(
                self._server, 'createImage', {'name': 'snapshot'})
            self._servers.wait(use, self._server)
        image_id = answer.headers['Location'].rpartition('/')[2]
        images = self.cloud.images()
        image = images.get('/images/' + image_id).json()
        if image['status'] != 'active' or (
                image['size'] < self._scale.data.stat().st_size):
            raise race.Broken('%s has not taken a snapshot.'
                              % self.cloud.name)
        images.delete('/images/' + image_id)
        return use

    def rebuild(self) -> usage.Use:
        """Rebuild the server from its own image."""
        return self._act('rebuild', {'imageRef': self._image})

    def shelve(self) -> usage.Use:
        """Shelve the server: make it an image, and remove it."""
        return self._act('shelve', None, 'SHELVED_OFFLOADED')

    def unshelve(self) -> usage.Use:
        """Boot the shelved server from its image, and delete the image."""
        use = self._act('unshelve')
        self._end_one()
        return use

    def warm_boot(self) -> usage.Use:
        """Boot a server from an image that is in nova-compute's cache."""
        use = self._boot()
        self._end_one()
        return use

    def many_cold_boots(self) -> usage.Use:
        """Boot many servers from an image that has to be downloaded."""
        self.cloud.forget([self._image])
        use = self._boot_many()
        self.cloud.check_cached(self._small, self._scale.small)
        return use

    def many_warm_boots(self) -> usage.Use:
        """Boot many servers from an image in the cache."""
        return self._boot_many()

    def list_images(self) -> usage.Use:
        """List images by nova-api's images proxy."""
        client = self.cloud.compute(microversion='2.35')
        with self._meter.measured() as use:
            found = client.get('/images/detail?limit=%d' % self._scale.images)
        if len(found.json()['images']) != self._scale.images:
            raise race.Broken('%s has not listed all images.'
                              % self.cloud.name)
        return use

    def _boot(self) -> usage.Use:
        with self._meter.measured() as use:
            self._server = self._servers.begin(self._image, _ONE)
            self._servers.wait(use, self._server)
        return use

    def _boot_many(self) -> usage.Use:
        number = self._scale.servers
        with self._meter.measured() as use:
            self._servers.begin(self._small, _MANY, number)
            self._servers.wait_for_all(use, _MANY, number)
        self._servers.delete(_MANY)
        return use

    def _act(self, action: str, parameters: dict[str, str] | None = None,
             status: str = 'ACTIVE') -> usage.Use:
        with self._meter.measured() as use:
            self._servers.act(self._server, action, parameters)
            self._servers.wait(use, self._server, status)
        return use

    def _end_one(self) -> None:
        self._servers.delete(_ONE)
        self.cloud.forget([self._image])


#: name -> operation, in the order in which they run
OPERATIONS: dict[str, collections.abc.Callable[[Tenant], usage.Use]] = {
    'cold-boot': Tenant.cold_boot, 'snapshot': Tenant.snapshot,
    'rebuild': Tenant.rebuild, 'shelve': Tenant.shelve,
    'unshelve': Tenant.unshelve, 'warm-boot': Tenant.warm_boot,
    'many-cold': Tenant.many_cold_boots, 'many-warm': Tenant.many_warm_boots,
    'list': Tenant.list_images}
