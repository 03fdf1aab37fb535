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

"""Uploads to a Glance that does not hash by its default algorithm."""

import hashlib
import io
import pathlib

import fixtures as lib_fixtures

from nova_image import exception
from nova_image.tests import fixtures
from nova_image.tests.functional import base

DATA = b'0123456789abcdef' * 2 ** 17
META = {'name': 'hashed', 'disk_format': 'raw', 'container_format': 'bare'}


class Read(io.FileIO):
    """A file that counts the bytes that are read."""

    count = 0

    def read(self, size: int = -1) -> bytes:
        """Read; see io.FileIO."""
        piece = super().read(size)
        self.count += len(piece)
        return piece


class Changing(io.BytesIO):
    """Data that is other data when it is read for a second time."""

    was_read = False

    def read(self, size: int | None = -1) -> bytes:
        """Read; see io.BytesIO."""
        piece = super().read(size)
        self.was_read = self.was_read or not piece
        return piece

    def seek(self, position: int, whence: int = 0) -> int:
        """Move; see io.BytesIO."""
        if self.was_read:
            self.getbuffer()[0] = 0
        return super().seek(position, whence)


class Sha256Test(base.FunctionalTest):
    """Glance 33 with ``hashing_algorithm = sha256``."""

    def setUp(self) -> None:
        super().setUp()
        server = self.useFixture(fixtures.Glance(
            options={'DEFAULT': {'hashing_algorithm': 'sha256'}}, workers=1))
        self.driver = base.make_driver('v2', [server.url])
        self.ctx = self.context()
        self.path = pathlib.Path(self.useFixture(
            lib_fixtures.TempDir()).join('data'))
        self.path.write_bytes(DATA)

    def _upload_file(self) -> int:
        """Upload the file; return how many bytes of it were read."""
        with Read(str(self.path)) as data:
            image = self.driver.create(self.ctx, META, data)
        self.assertIn('Image %s: %d bytes' % (image['id'], len(DATA)),
                      self.log.text)
        self.assertIn('verified by sha256', self.log.text.splitlines()[-1])
        return data.count

    def test_only_the_first_file_is_read_twice(self) -> None:
        """The algorithm is known from then on."""
        self.assertEqual([2 * len(DATA), len(DATA)], [
            self._upload_file(), self._upload_file()])

    def test_other_data_is_found_and_deleted(self) -> None:
        """The second reading verifies what Glance has."""
        data = Changing(DATA)
        error = self.assertRaises(
            exception.ImageUploadFailed, self.driver.create, self.ctx,
            META, data)
        self.assertNotEqual(hashlib.sha256(DATA).digest(),
                            hashlib.sha256(data.getvalue()).digest())
        self.assertIn('the sha256 of', str(error))
        self.assertIsNone(error.left)
        self.assertEqual([], self.driver.detail(self.ctx))
