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

"""An image as replication sees it, whatever the Images API."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import sys
import typing

from nova_image import compat

#: visibility of an image of which the API only says that it is not public
NOT_PUBLIC = 'not public'
#: statuses of images that have data
WITH_DATA = ('active', 'deactivated')
#: property of an image that replication has created: the ID of its source
MARKER = 'nova_image_replica_of'

#: fields with the same few values in many images
_REPEATED = ('status', 'owner', 'visibility', 'disk_format',
             'container_format')
#: characters of a value that other images may have as well
_LONGEST = 64

Properties = collections.abc.Mapping[str, str]


class Member(typing.NamedTuple):
    """A project that an image is shared with.

    :ivar project: ID of the project
    :ivar status: 'pending', 'accepted' or 'rejected'; None if the API does
        not have it
    """

    project: str
    status: str | None = None


@dataclasses.dataclass(frozen=True, **compat.KEYWORDS, **compat.SLOTS)
class Record:
    """One image, in the words of the Images API v2.

    A field that the API of the image lacks has its default value; see
    nova_image.replication.ends.End.fields.

    :ivar status: such as 'active', 'deactivated', 'queued' or 'deleted'
    :ivar visibility: 'public', 'community', 'shared', 'private' or
        NOT_PUBLIC
    :ivar size: in bytes; None without data
    :ivar hashes: {name for hashlib: hexadecimal digest} of the data
    :ivar properties: custom properties, as Glance stores them
    :ivar members: None if they have not been read
    :ivar problem: why the image cannot be read, or None
    """

    id: str
    status: str
    name: str | None = None
    owner: str | None = None
    visibility: str = 'private'
    protected: bool = False
    hidden: bool = False
    min_disk: int = 0
    min_ram: int = 0
    disk_format: str | None = None
    container_format: str | None = None
    size: int | None = None
    hashes: Properties = dataclasses.field(
        default_factory=dict)
    tags: frozenset[str] = frozenset()
    properties: Properties = dataclasses.field(
        default_factory=dict)
    members: frozenset[Member] | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    problem: str | None = None

    @property
    def has_data(self) -> bool:
        """Whether the image has data that can be read."""
        return self.status in WITH_DATA

    @property
    def replica_of(self) -> str | None:
        """The ID of the source, if replication has created this image."""
        return self.properties.get(MARKER)

    def but(self, **changes: typing.Any) -> 'Record':
        """Return a record that differs in some fields."""
        return dataclasses.replace(self, **changes)


def lean(image: Record) -> Record:
    """Return an image that shares its repeated texts with all others.

    A listing has new copies of the same few words for each image: formats,
    projects, names and values of properties. A run remembers many images.
    """
    return image.but(**{
        name: sys.intern(value) for name in _REPEATED
        if type(value := getattr(image, name)) is str},
        properties={
            _shared(name): _shared(value)
            for name, value in image.properties.items()})


def _shared(text: str) -> str:
    return sys.intern(text) if type(text) is str and (
        len(text) <= _LONGEST) else text


def same_data(one: Record, other: Record) -> bool | None:
    """Return whether two images have the same data.

    :returns: None if no common hash tells
    """
    if one.size != other.size and None not in (one.size, other.size):
        return False
    common = sorted(one.hashes.keys() & other.hashes.keys())
    if not common:
        return None
    return all(one.hashes[name].lower() == other.hashes[name].lower()
               for name in common)
