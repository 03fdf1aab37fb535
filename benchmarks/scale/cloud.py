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

"""The cloud of the benchmark: Glance with images of any number and size."""

import collections.abc
import contextlib
import datetime
import hashlib
import pathlib
import sqlite3
import uuid

from benchmarks.common import cloud
from benchmarks.metadata import cloud as metadata_cloud
from nova_image.tests import fixtures

#: The size in bytes of the image that contenders warm up with.
WARM = 64 * 1024
_STORE = 'fast'
_OPTIONS = {
    # Glance's defaults; the fixture enables them.
    'DEFAULT': {'show_multiple_locations': 'false',
                'show_image_direct_url': 'false'},
}
_NEWEST = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
_BLOCK = 1024 ** 2
# The number of images that are inserted at once.
_BATCH = 10000
#: The number of properties of most images.
PROPERTIES = len(metadata_cloud.PROPERTIES)
_DOWNLOADED = 'downloaded-%d'
# The tables with images, and their columns with an image's ID.
_TABLES = {'image_properties': 'image_id', 'image_locations': 'image_id',
           'images': 'id'}


class Cloud(cloud.Cloud):
    """Keystone and Glance, without images at first.

    Images are inserted directly into Glance's database, and data is written
    directly into its store.

    :ivar folder: the folder for downloads
    """

    def __init__(self, workers: int, keep: bool = False) -> None:
        """Describe a cloud; it starts when the fixture is set up.

        :param workers: the number of Glance's processes
        :param keep: whether to keep the services' folders, without data
        """
        super().__init__(keep, _OPTIONS, workers=workers)
        self.folder: pathlib.Path
        self._count = 0
        self._owner: str

    def _setUp(self) -> None:
        super()._setUp()
        self.folder = self.useFixture(fixtures.RunFolder('benchmark')).path
        self._owner = self.keystone.project_id('demo')
        self.addCleanup(self._remove_data)

    @property
    def store(self) -> pathlib.Path:
        """The folder with the images' data, in files named by ID."""
        return self.glance.folder / _STORE

    def grow(self, images: int) -> None:
        """Add images without data, so that there are this many in all."""
        while self._count < images:
            number = min(_BATCH, images - self._count)
            self._insert([_Image(str(uuid.uuid4()))
                          for _ in range(number)])

    def add(self, properties: int) -> str:
        """Add an image without data, and return its ID.

        :param properties: the number of its properties
        """
        image = _Image(str(uuid.uuid4()), properties={
            'property_%d' % number: 'value of the property %d' % number
            for number in range(properties)})
        self._insert([image])
        return image.id

    def add_data(self, size: int) -> str:
        """Add an image with data, and return its ID.

        :param size: its size in bytes
        """
        image_id = str(uuid.uuid4())
        path = self.store / image_id
        md5, sha512 = _make(path, size)
        self._insert([_Image(image_id, size, {}, md5, sha512,
                             'file://%s' % path)])
        return image_id

    def path(self, number: int) -> str:
        """Return the destination of one of several parallel downloads."""
        return str(self.folder / (_DOWNLOADED % number))

    def remove(self, image_id: str) -> None:
        """Remove an image, and its data if it has any."""
        (self.store / image_id).unlink(missing_ok=True)
        with self._database() as database:
            for table, column in _TABLES.items():
                database.execute('DELETE FROM %s WHERE %s = ?' % (
                    table, column), (image_id,))  # nosec: constants
        self._count -= 1

    def _insert(self, images: 'list[_Image]') -> None:
        rows: dict[str, list[dict[str, object]]] = {}
        for image in images:
            self._count += 1
            moment = _NEWEST - datetime.timedelta(seconds=self._count)
            for table, row in image.rows(self._owner, moment):
                rows.setdefault(table, []).append(row)
        with self._database() as database:
            for table, lines in rows.items():
                names = list(lines[0])
                database.executemany(
                    'INSERT INTO %s (%s) VALUES (%s)' % (  # nosec: names
                        table, ', '.join(names),
                        ', '.join(':' + name for name in names)), lines)

    @contextlib.contextmanager
    def _database(self) -> collections.abc.Iterator[sqlite3.Connection]:
        """Change the database in one transaction."""
        connection = sqlite3.connect(
            self.glance.folder / 'database.sqlite', timeout=60)
        with contextlib.closing(connection), connection:
            yield connection

    def _remove_data(self) -> None:
        """Remove the large files, even if the services' folders are kept."""
        for path in (*self.store.glob('*'), *self.folder.glob(
                _DOWNLOADED.replace('%d', '*'))):
            path.unlink()


class _Image:
    """An image, as Glance has it in its database."""

    def __init__(self, image_id: str, size: int = 330 * 1024 ** 2,
                 properties: dict[str, str] | None = None,
                 md5: str = '0' * 32, sha512: str = '0' * 128,
                 location: str = '') -> None:
        self.id = image_id
        self._size = size
        self._properties = (metadata_cloud.PROPERTIES if properties is None
                            else properties)
        self._hashes = md5, sha512
        self._location = location or 'file:///images/' + image_id

    def rows(self, owner: str, moment: datetime.datetime
             ) -> collections.abc.Iterator[tuple[str, dict[str, object]]]:
        """Yield the rows, each with the name of its table."""
        when = moment.strftime('%Y-%m-%d %H:%M:%S.000000')
        times = {'created_at': when, 'updated_at': when, 'deleted': 0}
        yield 'images', times | {
            'id': self.id, 'name': 'debian-13-%s' % self.id[:8],
            'size': self._size, 'virtual_size': None, 'status': 'active',
            'disk_format': 'raw', 'container_format': 'bare',
            'owner': owner, 'min_disk': 3, 'min_ram': 512, 'protected': 0,
            'os_hidden': 0, 'visibility': 'private',
            'checksum': self._hashes[0], 'os_hash_algo': 'sha512',
            'os_hash_value': self._hashes[1]}
        yield 'image_locations', times | {
            'image_id': self.id, 'value': self._location,
            'meta_data': '{"store": "%s"}' % _STORE, 'status': 'active'}
        for name, value in self._properties.items():
            yield 'image_properties', times | {
                'image_id': self.id, 'name': name, 'value': value}


def _make(path: pathlib.Path, size: int) -> tuple[str, str]:
    """Write a file without two equal blocks; return its MD5 and SHA-512."""
    block = bytearray(hashlib.shake_128(b'%d' % size).digest(_BLOCK))
    md5, sha512 = hashlib.md5(usedforsecurity=False), hashlib.sha512()
    with open(path, 'wb') as stream:
        for start in range(0, size, _BLOCK):
            block[:8] = start.to_bytes(8, 'little')
            piece = memoryview(block)[:size - start]
            for sink in (md5.update, sha512.update, stream.write):
                sink(piece)
    return md5.hexdigest(), sha512.hexdigest()
