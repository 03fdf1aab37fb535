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

"""A whole cloud of the benchmark, with an image to boot and many to list."""

import collections.abc
import contextlib
import datetime
import filecmp
import hashlib
import os
import pathlib
import subprocess
import typing
import uuid

from benchmarks.common import race
from benchmarks.common import results
from nova_image.tests import fixtures
from nova_image.tests.fixtures import paths

_NAMESPACE = uuid.UUID('2f0d8a5e-6a1f-4f6f-9d55-0f1c6a7c41d2')
_NEWEST = datetime.datetime(2026, 1, 1)
_PROPERTIES = {'architecture': 'x86_64', 'os_distro': 'debian',
               'os_type': 'linux', 'os_version': '13'}
#: The options of both Novas: room for many small servers.
_OPTIONS = {
    'DEFAULT': {'cpu_allocation_ratio': '64', 'disk_allocation_ratio': '64'},
    'quota': {'instances': '-1', 'cores': '-1', 'ram': '-1'},
}
#: The options that load nova_image.
_OURS = {'DEFAULT': {'config_source': 'nova_image'},
         'nova_image': {'driver': 'nova_image'}}
#: contender -> its own options
CONTENDERS = {results.OURS: _OURS, race.STANDARD: {}}
_VERSIONS = """
import importlib.metadata, platform
print('python', platform.python_version())
for name in ('nova', 'glance', 'nova_image'):
    print(name, importlib.metadata.version(name))
"""


class Cloud(fixtures.Cloud):
    """A whole cloud whose Nova uses one of the two image codes.

    :ivar name: the contender: ``nova_image`` or ``Nova``
    """

    def __init__(self, name: str, images: int) -> None:
        """Describe a cloud; it starts when the fixture is set up.

        :param name: one of CONTENDERS
        :param images: the number of images without data, for lists
        """
        super().__init__(paths.merge(_OPTIONS, CONTENDERS[name]))
        self.name = name
        self._images = images

    def _setUp(self) -> None:
        race.say('Starting the cloud with %s' % self.name)
        self.addCleanup(self._remove_data)
        super()._setUp()
        self._check_driver()
        self.mariadb.execute(''.join(_statements(
            self._images, self.keystone.project_id('demo'))))

    def _check_driver(self) -> None:
        """Check that nova-compute logs our driver only if it is ours."""
        loaded = 'the driver GlanceImageServiceV2' in self.nova.log(
            'nova-compute')
        if loaded != (self.name == results.OURS):
            raise race.Broken('The cloud of %s has the wrong image code.'
                              % self.name)

    def versions(self) -> dict[str, str]:
        """Return the versions of the measured programs, by name."""
        found = subprocess.run(
            [self.virtualenv.bin / 'python', '-c', _VERSIONS], text=True,
            check=True, stdout=subprocess.PIPE).stdout
        return dict(line.split() for line in found.splitlines())

    def _remove_data(self) -> None:
        """Remove the large files, even if the services' folders are kept."""
        with contextlib.suppress(AttributeError):  # it has not started
            for folder in (self.glance.folder / 'fast', self._base):
                for path in folder.glob('*'):
                    path.unlink()

    @property
    def _base(self) -> pathlib.Path:
        return self.nova.compute.folder / 'instances' / '_base'

    def cached(self, image_id: str) -> pathlib.Path:
        """Return the file of an image in nova-compute's cache."""
        return self._base / hashlib.sha1(
            image_id.encode(), usedforsecurity=False).hexdigest()

    def forget(self, keep: collections.abc.Iterable[str] = ()) -> None:
        """Remove images from nova-compute's cache, which no server uses.

        :param keep: the IDs of the images to keep
        """
        kept = {self.cached(image_id) for image_id in keep}
        for path in self._base.glob('*'):
            if path not in kept:
                path.unlink()

    def check_cached(self, image_id: str, data: pathlib.Path) -> None:
        """Check that the image in nova-compute's cache is complete.

        :param image_id: its ID
        :param data: the file with its data
        :raises race.Broken: if it is not
        """
        if not filecmp.cmp(self.cached(image_id), data, shallow=False):
            raise race.Broken(
                '%s has not downloaded the image correctly.' % self.name)

    def read_data(self) -> None:
        """Read the data of Glance's images into the page cache."""
        for path in (self.glance.folder / 'fast').iterdir():
            with open(path, 'rb') as stream:
                while stream.read(1024 ** 2):
                    pass
        os.sync()


def _statements(number: int, owner: str) -> collections.abc.Iterator[str]:
    """Yield the SQL statements that insert images into Glance's database."""
    yield 'USE glance;'
    for index in range(number):
        for table, row in _rows(index, owner):
            yield 'INSERT INTO %s (%s) VALUES (%s);' % (  # nosec: constants
                table, ', '.join(row), ', '.join(map(repr, row.values())))


def _rows(number: int, owner: str
          ) -> collections.abc.Iterator[tuple[str, dict[str, typing.Any]]]:
    """Yield the rows of one image, each with the name of its table."""
    identity = str(uuid.uuid5(_NAMESPACE, str(number)))
    moment = str(_NEWEST - datetime.timedelta(minutes=number))
    times = {'created_at': moment, 'updated_at': moment, 'deleted': 0}
    yield 'images', times | {
        'id': identity, 'name': 'image-%d' % number, 'size': 330 + number,
        'status': 'active', 'disk_format': 'raw', 'container_format': 'bare',
        'owner': owner, 'min_disk': 1, 'min_ram': 64, 'protected': 0,
        'os_hidden': 0, 'visibility': 'private',
        'checksum': '%032x' % number, 'os_hash_algo': 'sha512',
        'os_hash_value': '%0128x' % number}
    for name, value in _PROPERTIES.items():
        yield 'image_properties', times | {
            'image_id': identity, 'name': name, 'value': value}
