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

"""A cloud whose Nova has nova_image, and what tests on it have in common."""

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

#: What makes stock commands of Nova take nova_image in.
OPTIONS = {'DEFAULT': {'config_source': 'nova_image'},
           'nova_image': {'driver': 'nova_image'}}
#: What each service that loaded it says in its log.
ANNOUNCED = ': the driver GlanceImageServiceV2 serves the images of %s,'
_MIB = 1024 * 1024


def make_cloud(nova_options: services.Sections | None = None,
               **options: typing.Any) -> fixtures.Cloud:
    """Return a cloud whose Nova serves images by nova_image, not set up.

    :param nova_options: section -> option -> value, of each of its programs
    :param options: others of the cloud's
    """
    return fixtures.Cloud(paths.merge(paths.merge(OPTIONS, {
        # A Glance that is started again is back well before the last one.
        'glance': {'num_retries': '6'}}), nova_options), **options)


@shared.once
def plugin_cloud() -> fixtures.Cloud:
    """A cloud as most tests need it."""
    return make_cloud()


class GateTest(testtools.TestCase):
    """A test on a shared cloud; afterwards it asks what Glance saw.

    :cvar cloud_of: gives the cloud; tests that want one with other options
        have a function like plugin_cloud() here
    :ivar cloud: the cloud
    :ivar servers: the servers of the project ``demo``
    """

    cloud_of = staticmethod(plugin_cloud)

    def setUp(self) -> None:
        """Take the cloud that all tests share."""
        super().setUp()
        self.cloud = self.cloud_of()
        self.servers = base.Servers(self.cloud.compute())
        self.addCleanup(self._check_record)

    def _check_record(self) -> None:
        """Check that nobody asked Glance for v1, nor for schemas."""
        asked = [request.path for request in self.cloud.glance.requests()]
        # These two tell which versions there are.
        self.assertEqual([], [path for path in asked
                              if path not in ('/', '/versions')
                              and not path.startswith('/v2/')])
        # One, if an image of no size was made: which formats there are.
        self.assertLessEqual(
            len([path for path in asked if '/schemas' in path]), 1)

    def random_image(self, mebibytes: int, disk_format: str = 'raw'
                     ) -> tuple[str, bytes]:
        """Make an image whose disk has random contents.

        :param mebibytes: the size of its disk, in MiB
        :param disk_format: ``raw`` or ``qcow2``
        :returns: its id, and what is on the disk
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
        """Delete an image, if it is there."""
        self.cloud.images('admin').delete('/images/' + image_id,
                                          raise_exc=False)

    def remove_server(self, server_id: str) -> None:
        """Delete a server, if it is there."""
        self.cloud.compute().delete('/servers/' + server_id, raise_exc=False)
        base.wait_for('server %s gone' % server_id, lambda: (
            self.servers.compute.get('/servers/' + server_id, raise_exc=False)
            .status_code == 404))

    def boot(self, image_id: str) -> str:
        """Boot a server, which is gone when the test ends.

        :returns: its id, once it is active
        """
        server = self.begin_boot(image_id)
        self.servers.wait(server)
        return server

    def begin_boot(self, image_id: str) -> str:
        """Have a server made, which is gone when the test ends.

        :returns: its id; it is not active yet
        """
        made = self.servers.compute.post('/servers', json={'server': {
            'name': 'a server', 'imageRef': image_id, 'flavorRef': '42',
            'networks': 'none'}}).json()['server']['id']
        self.addCleanup(self.remove_server, made)
        return made

    def snapshot(self, server_id: str, **metadata: str) -> str:
        """Make an image of a server, gone when the test ends."""
        image = self.servers.snapshot(server_id, 'a snapshot', **metadata)
        self.addCleanup(self.remove_image, image)
        return image

    def order(self, server_id: str, action: str,
              parameters: typing.Any = None, status: str = 'ACTIVE') -> None:
        """Have something done to a server, and wait until it is.

        :param server_id: the server
        :param action: the action's name
        :param parameters: the action's parameters, or None
        :param status: the state that the server ends in
        """
        self.servers.compute.post('/servers/%s/action' % server_id,
                                  json={action: parameters})
        self.servers.wait(server_id, status)

    @property
    def instances(self) -> pathlib.Path:
        """The folder in which nova-compute keeps its servers."""
        return self.cloud.nova.compute.folder / 'instances'

    def cached(self, image_id: str) -> pathlib.Path:
        """Return the file that nova-compute keeps of an image."""
        name = hashlib.sha1(image_id.encode(), usedforsecurity=False)
        return self.instances / '_base' / name.hexdigest()

    def half_files(self) -> list[str]:
        """Return what is in nova-compute's cache and no image's."""
        folder = self.instances / '_base'
        if not folder.exists():
            return []
        return [path.name for path in folder.iterdir()
                if len(path.name) != 40]

    def half_images(self) -> list[str]:
        """Return the ids of the images that are not active."""
        images = self.cloud.images('admin').get(
            '/images?limit=1000').json()['images']
        return [image['id'] for image in images
                if image['status'] != 'active']
