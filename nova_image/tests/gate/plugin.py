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

"""A cloud whose Nova uses nova_image, and the base class of tests on it."""

import contextlib
import hashlib
import os
import pathlib
import typing

import testtools

from nova_image.tests import fixtures
from nova_image.tests.fixtures import paths
from nova_image.tests.fixtures import processes
from nova_image.tests.fixtures import services
from nova_image.tests.functional import servers as shared
from nova_image.tests.gate import base

#: The options that load nova_image into Nova's own commands.
OPTIONS = {'DEFAULT': {'config_source': 'nova_image'},
           'nova_image': {'driver': 'nova_image'}}
_MIB = 1024 * 1024


def make_cloud(nova_options: services.Sections | None = None,
               **options: typing.Any) -> fixtures.Cloud:
    """Return a cloud whose Nova uses nova_image; it is not set up yet.

    :param nova_options: section -> option -> value, of all Nova's programs
    :param options: further arguments of the cloud
    """
    return fixtures.Cloud(paths.merge(paths.merge(OPTIONS, {
        # A restarted Glance is back well before the last retry.
        'glance': {'num_retries': '6'}}), nova_options), **options)


@shared.once
def plugin_cloud() -> fixtures.Cloud:
    """The cloud of most tests, whose Nova has metrics."""
    port = fixtures.Port()
    port.setUp()  # until the process ends
    return make_cloud({'nova_image': {
        'metrics': 'prometheus', 'metrics_port': str(port.number)}})


class GateTest(testtools.TestCase):
    """A test on a shared cloud, which then checks the requests to Glance.

    :cvar cloud_of: returns the cloud; tests that need other options set
        another function like plugin_cloud()
    :ivar cloud: the cloud
    :ivar servers: the servers of the project ``demo``
    """

    cloud_of = staticmethod(plugin_cloud)

    def setUp(self) -> None:
        """Get the shared cloud."""
        super().setUp()
        self.cloud = self.cloud_of()
        self.servers = base.Servers(self.cloud.compute())
        self.addCleanup(self._check_record)

    def _check_record(self) -> None:
        """Check that no request to Glance was for v1 or for schemas."""
        asked = [request.path for request in self.cloud.glance.requests()]
        # These two list the versions.
        self.assertEqual([], [path for path in asked
                              if path not in ('/', '/versions')
                              and not path.startswith('/v2/')])
        # One is allowed: creating an image of size 0 asks for the formats.
        self.assertLessEqual(
            len([path for path in asked if '/schemas' in path]), 1)

    def random_image(self, mebibytes: int, disk_format: str = 'raw'
                     ) -> tuple[str, bytes]:
        """Create an image with random data.

        :param mebibytes: the size of its disk, in MiB
        :param disk_format: ``raw`` or ``qcow2``
        :returns: its ID, and the data of its disk
        """
        data = os.urandom(mebibytes * _MIB)
        with contextlib.ExitStack() as files:
            path = self._file('raw', files)
            path.write_bytes(data)
            if disk_format != 'raw':
                raw, path = path, self._file(disk_format, files)
                processes.run(
                    ['qemu-img', 'convert', '-f', 'raw', '-O', disk_format,
                     raw, path], path.with_suffix('.log'))
            image = self.cloud.upload(
                path, name='random', disk_format=disk_format)
        self.addCleanup(self.remove_image, image)
        return image, data

    def _file(self, suffix: str, files: contextlib.ExitStack
              ) -> pathlib.Path:
        path = self.cloud.glance.folder / ('random.' + suffix)
        files.callback(path.unlink, missing_ok=True)
        return path

    def remove_image(self, image_id: str) -> None:
        """Delete an image if it exists."""
        self.cloud.images('admin').delete('/images/' + image_id,
                                          raise_exc=False)

    def remove_server(self, server_id: str) -> None:
        """Delete a server if it exists."""
        self.cloud.compute().delete('/servers/' + server_id, raise_exc=False)
        base.wait_for('server %s gone' % server_id, lambda: (
            self.servers.compute.get('/servers/' + server_id, raise_exc=False)
            .status_code == 404))

    def boot(self, image_id: str) -> str:
        """Boot a server, and delete it when the test ends.

        :returns: the ID of the active server
        """
        server = self.begin_boot(image_id)
        self.servers.wait(server)
        return server

    def begin_boot(self, image_id: str) -> str:
        """Begin to boot a server, and delete it when the test ends.

        :returns: the ID of the server, which is not active yet
        """
        made = self.servers.compute.post('/servers', json={'server': {
            'name': 'a server', 'imageRef': image_id, 'flavorRef': '42',
            'networks': 'none'}}).json()['server']['id']
        self.addCleanup(self.remove_server, made)
        return made

    def snapshot(self, server_id: str, **metadata: str) -> str:
        """Take a snapshot of a server, and delete it when the test ends."""
        image = self.servers.snapshot(server_id, 'a snapshot', **metadata)
        self.addCleanup(self.remove_image, image)
        return image

    def act_and_wait(self, server_id: str, action: str,
                     parameters: typing.Any = None,
                     status: str = 'ACTIVE') -> None:
        """Request an action on a server, and wait until it is complete.

        :param server_id: the ID of the server
        :param action: the name of the action
        :param parameters: the parameters of the action, or None
        :param status: the status of the server after the action
        """
        self.servers.compute.post('/servers/%s/action' % server_id,
                                  json={action: parameters})
        self.servers.wait(server_id, status)

    @property
    def instances(self) -> pathlib.Path:
        """The folder of nova-compute's servers."""
        return self.cloud.nova.compute.folder / 'instances'

    def cached(self, image_id: str) -> pathlib.Path:
        """Return the file of an image in nova-compute's cache."""
        name = hashlib.sha1(image_id.encode(), usedforsecurity=False)
        return self.instances / '_base' / name.hexdigest()

    def partial_files(self) -> list[str]:
        """Return the names of incomplete files in nova-compute's cache."""
        folder = self.instances / '_base'
        if not folder.exists():
            return []
        return [path.name for path in folder.iterdir()
                if len(path.name) != 40]

    def unfinished_images(self) -> list[str]:
        """Return the IDs of the images that are not active."""
        images = self.cloud.images('admin').get(
            '/images?limit=1000').json()['images']
        return [image['id'] for image in images
                if image['status'] != 'active']
