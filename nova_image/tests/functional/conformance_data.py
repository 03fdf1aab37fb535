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


"""Downloading images, with every driver."""

import hashlib
import io
import os
import pathlib
import threading

from nova_image import exception
from nova_image.tests.functional import base
from nova_image.tests.functional import conformance_case as case
from nova_image.tests.functional import conformance_create as create


class _Broken(io.BytesIO):
    """A file on a full disk."""

    def write(self, data: object) -> int:
        raise OSError(28, 'No space left on device')


class Data(case.DriverCase):
    """ImageDriver.download()."""

    def setUp(self) -> None:
        """Create a folder to download to."""
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(base.folder()).path)

    def test_every_kind_of_destination(self) -> None:
        data = os.urandom(create.SIZE)
        image_id = self.make(data)['id']
        chunks = self.driver.download(self.ctx, image_id)
        self.assertSameBytes(data, b''.join(chunks))
        stream = io.BytesIO()
        self.assertIsNone(self.driver.download(self.ctx, image_id, stream))
        self.assertSameBytes(data, stream.getvalue())
        self.assertFalse(stream.closed)
        path = self.folder / ('%s image' % case.UNICODE.replace('/', ''))
        self.assertIsNone(self.driver.download(
            self.ctx, image_id, dst_path=str(path)))
        self.assertSameBytes(data, path.read_bytes())
        self.assertEqual([path], list(self.folder.iterdir()))

    def test_fetch_returns_the_image_that_show_returns_or_none(self) -> None:
        image_id = self.make(b'data')['id']
        path = self.folder / 'image'
        image = self.driver.fetch(self.ctx, image_id, dst_path=str(path))
        self.assertEqual(b'data', path.read_bytes())
        if image is not None:
            self.assertEqual(self.driver.show(self.ctx, image_id), image)

    def test_existing_file_behind_a_symlink(self) -> None:
        image_id = self.make(b'new')['id']
        path = self.folder / 'image'
        path.write_bytes(b'something longer that was there')
        link = self.folder / 'link'
        link.symlink_to(path)
        self.driver.download(self.ctx, image_id, dst_path=str(link))
        self.assertEqual(b'new', path.read_bytes())
        self.assertTrue(link.is_symlink())

    def test_download_to_a_fifo(self) -> None:
        data = os.urandom(create.SIZE)
        image_id = self.make(data)['id']
        path = self.folder / 'fifo'
        os.mkfifo(path)
        read: list[bytes] = []
        thread = threading.Thread(
            target=lambda: read.append(path.read_bytes()))
        thread.start()
        self.driver.download(self.ctx, image_id, dst_path=str(path))
        thread.join()
        self.assertSameBytes(data, b''.join(read))
        self.assertTrue(path.is_fifo())

    def test_file_object_is_written_at_its_position(self) -> None:
        image_id = self.make(b'data')['id']
        stream = io.BytesIO(b'before')
        stream.seek(0, os.SEEK_END)
        self.driver.download(self.ctx, image_id, data=stream)
        self.assertEqual(b'beforedata', stream.getvalue())

    def test_empty_image(self) -> None:
        image_id = self.make(b'')['id']
        path = self.folder / 'image'
        self.driver.download(self.ctx, image_id, dst_path=str(path))
        self.assertEqual(b'', path.read_bytes())

    def assertUntouched(self, kind: type[Exception], image_id: str,
                        **kwargs: object) -> Exception:
        """Check that a download fails and changes no file.

        :param kind: the class of the error
        :returns: the error
        """
        there, missing = self.folder / 'there', self.folder / 'missing'
        there.write_bytes(b'was there')
        for path in (there, missing):
            error = self.assertRaises(
                kind, self.driver.download, self.ctx, image_id,
                dst_path=str(path))
        self.assertEqual(b'was there', there.read_bytes())
        self.assertEqual([there], list(self.folder.iterdir()))
        return error

    def test_image_without_data(self) -> None:
        image_id = self.make()['id']
        for error in (
                self.assertUntouched(exception.ImageUnacceptable, image_id),
                self.assertRaises(exception.ImageUnacceptable,
                                  self.driver.download, self.ctx, image_id),
                self.assertRaises(exception.ImageUnacceptable,
                                  self.driver.download, self.ctx, image_id,
                                  io.BytesIO())):
            self.assertIn('no data', str(error))
            self.assertIn('queued', str(error))
            self.assertIn(image_id, str(error))

    def test_download_of_images_that_cannot_be_seen(self) -> None:
        theirs = self.make(
            b'abc', ctx=self.make_context(base.new_id()))['id']
        gone = self.make(b'abc')['id']
        self.driver.delete(self.ctx, gone)
        for image_id in (base.new_id(), theirs, gone, '', '..', 'ä'):
            error = self.assertUntouched(exception.ImageNotFound, image_id)
            self.assertIn(image_id, str(error))

    def test_deactivated_image(self) -> None:
        image_id = self.make(b'abc')['id']
        self.raw.ask('POST', '/v2/images/%s/actions/deactivate' % image_id,
                     204)
        self.assertUntouched(exception.ImageNotAuthorized, image_id)

    def test_data_that_was_damaged_in_the_store(self) -> None:
        if self.data_folder is None:
            self.skipTest('data_folder is not set')
        image_id = self.make(b'the data')['id']
        for path in self.data_folder.rglob(image_id):
            path.write_bytes(b'not data')
        self.driver = self.make_driver(num_retries=0)
        error = self.assertUntouched(exception.ImageCorrupt, image_id)
        self.assertIn(image_id, str(error))
        self.assertIn('is not the recorded one', str(error))
        self.assertRaises(exception.ImageCorrupt, list,
                          self.driver.download(self.ctx, image_id))

    def test_destinations_that_fail(self) -> None:
        image_id = self.make(b'the data')['id']
        for data in (_Broken(), open('/dev/full', 'wb', buffering=0)):
            error = self.assertRaises(
                OSError, self.driver.download, self.ctx, image_id, data)
            self.assertEqual(28, error.errno)
            data.close()
            self.assertRaises(
                exception.ImageUnacceptable, self.driver.download, self.ctx,
                image_id, data)
        self.assertRaises(
            OSError, self.driver.download, self.ctx, image_id,
            dst_path=str(self.folder / 'no' / 'such'))
        self.assertEqual([], list(self.folder.iterdir()))

    def test_iterator_that_is_closed_early(self) -> None:
        data = os.urandom(create.SIZE)
        image_id = self.make(data)['id']
        for _ in range(3):
            chunks = self.driver.download(self.ctx, image_id)
            first = next(iter(chunks))
            self.assertTrue(data.startswith(first))
            chunks.close()
        self.assertSameBytes(data, b''.join(
            self.driver.download(self.ctx, image_id)))

    def test_checksum(self) -> None:
        data = os.urandom(1000)
        image = self.make(data)
        digest = hashlib.new('md5', data, usedforsecurity=False)
        self.assertEqual(digest.hexdigest(), image['checksum'])
