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

"""The dumps of glance-replicator, as a source.

It wrote, for each image of the Images API v1, a file ``ID`` with the JSON of
the list's entry and, if the image was active, ``ID.img`` with its data. It
neither verified nor replaced files: an interrupted dump left them truncated.
"""

from __future__ import annotations

import collections.abc
import datetime
import json
import os
import pathlib
import typing
import uuid

from nova_image import compat
from nova_image.replication import ends
from nova_image.replication import folder
from nova_image.replication import record as records

_FIELDS = frozenset((
    'name', 'owner', 'visibility', 'protected', 'min_disk', 'min_ram',
    'disk_format', 'container_format', 'properties'))


def is_one(path: str | os.PathLike[str]) -> bool:
    """Return whether a folder has an image of such a dump."""
    return any(_is_id(one.name) for one in pathlib.Path(path).iterdir())


def open_dump(path: str | os.PathLike[str],
              data: bool = True) -> ends.Source:
    """Return the source for a dump of nova-image or glance-replicator.

    :param path: of the folder
    :param data: whether images whose data is missing have a problem
    :raises OSError: if it is not a dump
    """
    if not os.path.exists(os.path.join(path, folder.MARK)) and is_one(path):
        return OldDump(path, data)
    return folder.Folder(path, data=data)


class OldDump(ends.Source):
    """A folder that glance-replicator has written.

    :param path: of the folder
    :param data: whether images whose data is missing have a problem
    :raises OSError: if there is none
    """

    fields = _FIELDS
    is_dump = True

    def __init__(self, path: str | os.PathLike[str],
                 data: bool = True) -> None:
        self._with_data = data
        self.title = 'the old dump %s' % path
        self._path = pathlib.Path(path)
        os.listdir(self._path)

    def images(self) -> collections.abc.Iterator[records.Record]:
        """Yield all images; see Source."""
        for path in sorted(self._path.iterdir()):
            if _is_id(path.name):
                yield self._load(path).but(members=None)

    def image(self, image_id: str) -> records.Record | None:
        """Return one image; see Source."""
        path = self._path / image_id
        return self._load(path) if _is_id(image_id) and path.exists() else None

    def members(self, image: records.Record) -> frozenset[records.Member]:
        """Return no members: these dumps do not have any."""
        return frozenset()

    def read(self, image: records.Record) -> ends.Hashed:
        """Return the data of an image; see Source."""
        return folder.FileData(self._path / (image.id + '.img'), image)

    def _load(self, path: pathlib.Path) -> records.Record:
        try:
            found = json.loads(path.read_text(encoding='utf-8'))
            return self._record(path.name, found)
        except (ValueError, TypeError, AttributeError) as error:
            return records.Record(
                id=path.name, status='unknown',
                problem='%s is not the JSON of an image: %s' % (path, error))

    def _record(self, image_id: str,
                found: collections.abc.Mapping[str, typing.Any]
                ) -> records.Record:
        size, status = int(found.get('size') or 0), str(found.get('status'))
        problem = None
        if self._with_data and status == 'active' and (
                not self._is_complete(image_id, size)):
            problem = folder.NO_DATA
        checksum = found.get('checksum')
        return records.Record(
            id=image_id, status=status, problem=problem,
            name=found.get('name'),
            owner=found.get('owner'),
            visibility='public' if found.get('is_public') else
            records.NOT_PUBLIC,
            protected=bool(found.get('protected')),
            min_disk=int(found.get('min_disk') or 0),
            min_ram=int(found.get('min_ram') or 0),
            disk_format=found.get('disk_format'),
            container_format=found.get('container_format'), size=size,
            hashes={'md5': checksum} if checksum else {},
            properties={name: str(value) for name, value in (
                found.get('properties') or {}).items() if value is not None},
            created_at=_time(found.get('created_at')),
            updated_at=_time(found.get('updated_at')), members=frozenset())

    def _is_complete(self, image_id: str, size: int) -> bool:
        """Return whether the dump has all data of an image."""
        try:
            data = self._path / (image_id + '.img')
            return data.stat().st_size == size
        except FileNotFoundError:
            return False


def _is_id(name: str) -> bool:
    try:
        return str(uuid.UUID(name)) == name.lower()
    except ValueError:
        return False


def _time(value: str | None) -> datetime.datetime | None:
    """Return a time of v1, which has no zone, as one in UTC."""
    if not value:
        return None
    found = compat.parse_time(value)
    return found if found.tzinfo else found.replace(
        tzinfo=datetime.timezone.utc)
