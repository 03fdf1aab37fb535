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

"""A folder as an end of a replication: dump and load.

Layout, below the folder::

    nova_image_dump.json    what the folder is
    images/ID.json          the manifest of an image
    data/HASH               data, named by its SHA-512
    partial/                data that is not complete

Images with the same data share its file. A file appears under its name only
when it is complete, verified and on disk.
"""

from __future__ import annotations

import collections.abc
import contextlib
import errno
import hashlib
import json
import os
import pathlib
import tempfile
import threading
import time
import typing
import urllib.parse

from nova_image import exception
from nova_image.replication import ends
from nova_image.replication import manifest
from nova_image.replication import record as records

MARK = 'nova_image_dump.json'
CHUNK = 1024 * 1024
NO_DATA = 'its data in the dump is missing or truncated'
#: seconds after which nobody writes to partial data any more
_OLD = 24 * 3600
_NAME = 'sha512'
_ALWAYS = ('md5', _NAME)


class Folder(ends.End):
    """A folder that images are dumped to and loaded from.

    :param path: of the folder
    :param create: whether to create it if it does not exist
    :param data: whether to read and write data, and not only the manifests
    :raises OSError: if it is not such a folder, or cannot be used
    """

    is_dump = True

    def __init__(self, path: str | os.PathLike[str], create: bool = False,
                 data: bool = True) -> None:
        self.title = 'the folder %s' % path
        self._path = pathlib.Path(path)
        self._with_data = data
        self._guard = threading.Lock()
        if create:
            self._create()
        self._check()
        self._clean()

    def _create(self) -> None:
        mark = self._path / MARK
        if mark.exists():
            return
        with contextlib.suppress(FileNotFoundError):
            if any(self._path.iterdir()):
                raise OSError(None, 'The folder is neither empty nor a dump',
                              str(self._path))
        for name in ('images', 'data', 'partial'):
            (self._path / name).mkdir(0o700, parents=True, exist_ok=True)
        self._publish(mark, json.dumps({'schema': manifest.SCHEMA}) + '\n')

    def _check(self) -> None:
        try:
            text = (self._path / MARK).read_text(encoding='utf-8')
        except FileNotFoundError:
            raise OSError(
                errno.ENOENT, 'There is no dump of images in this folder' if
                self._path.is_dir() else 'There is no such folder',
                str(self._path)) from None
        try:
            schema = json.loads(text)['schema']
        except (ValueError, KeyError, TypeError):
            schema = None
        if schema != manifest.SCHEMA:
            raise OSError(None, 'The dump has the schema version %s, this '
                          'release reads %d' % (schema, manifest.SCHEMA),
                          str(self._path))

    def _clean(self) -> None:
        """Delete what a process that was killed has left long ago."""
        for partial in (self._path / 'partial').iterdir():
            with contextlib.suppress(OSError):
                if time.time() - partial.stat().st_mtime > _OLD:
                    partial.unlink()

    # Reading

    def images(self) -> collections.abc.Iterator[records.Record]:
        """Yield all images; see End."""
        for path in sorted((self._path / 'images').iterdir()):
            if path.suffix == '.json':
                yield self._load(path).but(members=None)

    def image(self, image_id: str) -> records.Record | None:
        """Return one image; see End."""
        try:
            return self._load(self._manifest(image_id))
        except FileNotFoundError:
            return None

    def members(self, image: records.Record) -> frozenset[records.Member]:
        """Return the members of an image; see End."""
        found = self.image(image.id)
        return found and found.members or frozenset()

    def read(self, image: records.Record) -> ends.Hashed:
        """Return the data of an image; see End."""
        if _NAME not in image.hashes:
            raise _broken(image, 'its manifest has no hash of its data')
        return FileData(self._data(image.hashes[_NAME]), image)

    def fit(self, image: records.Record) -> ends.Fit:
        """Return the image: a folder can hold everything."""
        return ends.Fit(image)

    # Writing

    def reserve(self, image: records.Record) -> records.Record:
        """Write a manifest without data; see End."""
        if self._manifest(image.id).exists():
            raise exception.ImageConflict(
                image_id=image.id, action='dump',
                reason='the folder has an image with this ID')
        return self._store(image.but(
            status='queued', size=None, hashes={}, protected=False,
            hidden=False, members=frozenset(),
            visibility='shared' if image.visibility == 'shared'
            else 'private'))

    def write(self, image: records.Record, data: ends.Hashed,
              hashes: collections.abc.Mapping[str, str],
              progress: collections.abc.Callable[[int], None] | None = None,
              ) -> records.Record:
        """Write the data of an image; see End.

        Data that the folder has already is not read.
        """
        if not self._with_data:
            return self._store((self.image(image.id) or image).but(
                status='active', size=image.size, hashes=dict(hashes))).but(
                    size=None, hashes={})  # nothing was sent or verified
        known = hashes.get(_NAME)
        if self._has(known, image.size):
            found = dict(hashes)
        else:
            found = self._receive(image, data, hashes, progress)
        path = self._data(found[_NAME])
        stored = self.image(image.id) or image
        return self._store(stored.but(
            status='active', size=path.stat().st_size, hashes=found))

    def _has(self, digest: str | None, size: int | None) -> bool:
        """Return whether the folder has the data of a hash."""
        if digest is None:
            return False
        try:
            return self._data(digest).stat().st_size == size
        except FileNotFoundError:
            return False

    def _receive(self, image: records.Record, data: ends.Hashed,
                 hashes: collections.abc.Mapping[str, str],
                 progress: collections.abc.Callable[[int], None] | None
                 ) -> dict[str, str]:
        """Write data to its file, and return its hashes."""
        hashers = {name: hashlib.new(name, usedforsecurity=False)
                   for name in set(hashes).union(_ALWAYS)}
        size = 0
        with tempfile.NamedTemporaryFile(
                dir=self._path / 'partial', delete=False) as partial:
            try:
                for piece in data:
                    partial.write(piece)
                    for hasher in hashers.values():
                        hasher.update(piece)
                    size += len(piece)
                    if progress:
                        progress(size)
                found = {name: hasher.hexdigest()
                         for name, hasher in hashers.items()}
                self._verify(image, size, hashes, found)
                partial.flush()
                os.fsync(partial.fileno())
                os.replace(partial.name, self._data(found[_NAME]))
                _sync(self._path / 'data')
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(partial.name)
                raise
        return found

    @staticmethod
    def _verify(image: records.Record, size: int,
                expected: collections.abc.Mapping[str, str],
                found: collections.abc.Mapping[str, str]) -> None:
        """Compare data with what the source knows of it.

        :raises ImageUploadFailed: if it is not the same
        """
        wrong = [name for name in expected
                 if expected[name].lower() != found[name]]
        if image.size is not None and size != image.size:
            reason = 'the source has %s bytes, and %d arrived' % (
                image.size, size)
        elif wrong:
            reason = 'the %s of the data is not that of the source' % wrong[0]
        else:
            return
        raise exception.ImageUploadFailed(
            action='dump', image_id=image.id, reason=reason)

    def change(self, image: records.Record,
               fields: collections.abc.Mapping[str, typing.Any]
               ) -> records.Record:
        """Change fields of a manifest; see End."""
        return self._changed(image.id, **fields).but(members=None)

    def set_members(self, image: records.Record,
                    members: frozenset[records.Member]) -> None:
        """Write the members into a manifest; see End."""
        self._changed(image.id, members=members)

    def deactivate(self, image_id: str) -> None:
        """Write the status into a manifest; see End."""
        self._changed(image_id, status='deactivated')

    def delete(self, image_id: str) -> None:
        """Delete a manifest; see End. Its data may be that of another one."""
        self._manifest(image_id).unlink(missing_ok=True)

    def _changed(self, image_id: str,
                 **fields: typing.Any) -> records.Record:
        with self._guard:
            image = self.image(image_id)
            if image is None:
                raise exception.ImageNotFound(image_id=image_id)
            return self._store(image.but(**fields))

    # Files

    def _manifest(self, image_id: str) -> pathlib.Path:
        return self._path / 'images' / (
            urllib.parse.quote(image_id, safe='') + '.json')

    def _data(self, digest: str) -> pathlib.Path:
        return self._path / 'data' / digest.lower()

    def _load(self, path: pathlib.Path) -> records.Record:
        """Return the image of a manifest, or a record of what is wrong."""
        text = path.read_bytes()
        try:
            image = manifest.loads(text.decode())
        except ValueError as error:
            return records.Record(
                id=urllib.parse.unquote(path.stem), status='unknown',
                problem='%s: %s' % (path, error))
        if self._with_data and image.has_data and not self._has(
                image.hashes.get(_NAME), image.size):
            return image.but(status='queued', problem=NO_DATA)
        return image

    def _store(self, image: records.Record) -> records.Record:
        self._publish(self._manifest(image.id), manifest.dumps(image))
        return image

    def _publish(self, path: pathlib.Path, text: str) -> None:
        """Write a small file, whole or not at all."""
        with tempfile.NamedTemporaryFile(
                'w', dir=self._path / 'partial', delete=False,
                encoding='utf-8') as partial:
            try:
                partial.write(text)
                partial.flush()
                os.fsync(partial.fileno())
                os.replace(partial.name, path)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(partial.name)
                raise
        _sync(path.parent)


class FileData:
    """The data of an image in a file, verified at its end.

    :param path: of the file
    :param image: with the size and the hashes of the data
    :ivar hashes: those that are verified; see ends.hashes_of()
    """

    def __init__(self, path: pathlib.Path, image: records.Record) -> None:
        self.hashes = image.hashes
        self._path = path
        self._image = image

    def __iter__(self) -> collections.abc.Iterator[bytes]:
        hashers = {name: hashlib.new(name, usedforsecurity=False)
                   for name in self._image.hashes}
        size = 0
        try:
            with open(self._path, 'rb') as stream:
                while piece := stream.read(CHUNK):
                    size += len(piece)
                    for hasher in hashers.values():
                        hasher.update(piece)
                    yield piece
        except FileNotFoundError:
            raise _broken(self._image,
                          '%s is missing' % self._path) from None
        if self._image.size not in (None, size):
            raise _broken(self._image, '%s has %d bytes instead of %s' % (
                self._path, size, self._image.size))
        for name, hasher in hashers.items():
            if hasher.hexdigest() != self._image.hashes[name].lower():
                raise _broken(self._image, 'the %s of %s is not the recorded '
                              'one' % (name, self._path))


def _broken(image: records.Record, reason: str) -> exception.ImageCorrupt:
    return exception.ImageCorrupt(image_id=image.id, action='load',
                                  reason=reason)


def _sync(path: pathlib.Path) -> None:
    """Write a folder's entries to disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
