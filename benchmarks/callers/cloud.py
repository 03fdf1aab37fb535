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

"""The cloud of the benchmark: images to list, and some with data."""

import os

from keystoneauth1 import adapter

from benchmarks.callers import servers
from benchmarks.metadata import cloud

_NEW = {'name': 'small', 'disk_format': 'raw', 'container_format': 'bare'}
#: seconds until a busy Glance answers
_BUSY = 0.1
#: the number of images with data
_WITH_DATA = 4


class Cloud(cloud.Cloud):
    """Keystone and Glance, a relay to it and a replay of it.

    :ivar data_ids: the IDs of the images with data
    :ivar servers: name -> servers.Server
    """

    def __init__(self, images: int, size: int, keep: bool = False) -> None:
        """Describe a cloud; it starts when the fixture is set up.

        :param images: the number of images without data
        :param size: the size in bytes of those with data
        :param keep: whether to keep the services' folders
        """
        super().__init__(images, keep)
        self.data_ids: list[str] = []
        self.servers: dict[str, servers.Server] = {}
        self.replay: servers.Replay
        self._size = size

    def _setUp(self) -> None:
        super()._setUp()
        self.replay = self.useFixture(servers.Replay(self.glance.url))
        self.servers = {
            'glance': self.useFixture(servers.Relay(self.glance.url)),
            'replay': self.replay,
            'slow': self.useFixture(servers.Replay(
                self.glance.url, self.replay, _BUSY))}
        api = adapter.Adapter(self.keystone.session('demo'),
                              service_type='image', interface='internal')
        for _ in range(_WITH_DATA):
            image_id = api.post('/v2/images', json=_NEW).json()['id']
            api.put('/v2/images/%s/file' % image_id,
                    data=os.urandom(self._size),
                    headers={'Content-Type': 'application/octet-stream'})
            self.data_ids.append(image_id)
