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

"""What an audit gathers: facts, without any judgement.

A field that the API of an image lacks is None; ``shows`` of the half that has
read it tells whether that means anything.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import re
import typing

from nova_image import compat

#: visibility of an image of which the API only says that it is not public
NOT_PUBLIC = 'not public'
#: statuses of images that have data
WITH_DATA = ('active', 'deactivated')
#: the ID of a version; others are ignored
_VERSION = re.compile(r'v[0-9]{1,4}(?:\.[0-9]{1,4}){0,3}')


class Member(typing.NamedTuple):
    """A project that an image is shared with.

    :ivar project: ID of the project
    :ivar status: 'pending', 'accepted' or 'rejected'; None if the API does
        not have it
    """

    project: str
    status: str | None = None


@dataclasses.dataclass(frozen=True, **compat.KEYWORDS, **compat.SLOTS)
class Image:
    """One image as an API lists it.

    :ivar visibility: 'public', 'community', 'shared', 'private' or
        NOT_PUBLIC
    :ivar size: in bytes; None and 0 both mean no data
    :ivar hash_value: '' if the Glance has no such field
    :ivar properties: custom properties under the names that the API shows
    :ivar locations: URLs; None if the API does not show them
    """

    id: str
    status: str
    name: str | None = None
    owner: str | None = None
    visibility: str = NOT_PUBLIC
    disk_format: str | None = None
    container_format: str | None = None
    size: int | None = None
    checksum: str | None = None
    hash_value: str | None = ''
    properties: collections.abc.Mapping[str, typing.Any] = dataclasses.field(
        default_factory=dict)
    locations: tuple[str, ...] | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @property
    def has_data(self) -> bool:
        """Whether the image has data that can be read."""
        return self.status in WITH_DATA and bool(self.size)


@dataclasses.dataclass(frozen=True)
class Server:
    """One API server, as it answers GET /versions.

    :ivar url: its URL without a version
    :ivar versions: {ID, such as 'v2.5': status, such as 'CURRENT'}
    :ivar problem: why there is no answer, or None
    """

    url: str
    versions: collections.abc.Mapping[str, str] = dataclasses.field(
        default_factory=dict)
    problem: str | None = None

    def newest(self, major: str) -> tuple[int, ...] | None:
        """Return the newest minor version, such as (2, 5); None if none.

        :param major: such as 'v2'
        """
        found = [tuple(int(part) for part in name[1:].split('.'))
                 for name in self.versions
                 if name.partition('.')[0] == major and _VERSION.fullmatch(
                     name)]
        return max(found, default=None)


@dataclasses.dataclass(frozen=True)
class Formats:
    """The formats that a Glance accepts; empty if it does not say."""

    disk: tuple[str, ...] = ()
    container: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Settings:
    """A configuration file as it is written.

    :ivar values: {section: {option: its last value}}
    """

    values: collections.abc.Mapping[
        str, collections.abc.Mapping[str, str]] = dataclasses.field(
            default_factory=dict)

    def get(self, section: str, option: str) -> str | None:
        """Return the value of an option, or None."""
        return self.values.get(section, {}).get(option)

    def is_true(self, section: str, option: str) -> bool:
        """Return whether an option is set to a true value."""
        value = self.get(section, option) or ''
        return value.strip().lower() in ('true', '1', 'yes', 'on')


@dataclasses.dataclass(frozen=True)
class About:
    """What is known of the API whose images are looked at.

    :ivar title: what messages call it
    :ivar shows: see nova_image.status.halves.Half
    :ivar newest: its newest minor version that all servers have, or None
    """

    title: str
    shows: frozenset[str] = frozenset()
    formats: Formats = Formats()
    newest: tuple[int, ...] | None = None


class Endpoint(typing.NamedTuple):
    """A URL of Glance as it is configured.

    :ivar url: as it is written
    :ivar source: where, such as '[glance] api_servers'
    """

    url: str
    source: str


class Tried(typing.NamedTuple):
    """Something that was tried.

    :ivar what: such as 'publish an image'
    :ivar problem: why it failed, or None
    """

    what: str
    problem: str | None = None


@dataclasses.dataclass
class Gathered:
    """All facts but the images. What was not asked for is None.

    :ivar servers: all API servers
    :ivar endpoints: all URLs of Glance that are configured
    :ivar roles: names of the roles of the token; None without Keystone
    :ivar nova: the configuration of Nova
    :ivar others: {path: configuration of another service}
    :ivar hypervisors: the types of the hypervisors that Nova reports
    :ivar permissions: what the caller may do, by write tests
    :ivar package: the entry points of nova_image
    :ivar unknown: options in [glance] that nova_image does not know
    :ivar glanceclient: version of python-glanceclient, such as (2, 11, 0)
    :ivar clients: {who still calls v1: requests}
    :ivar filters: {filter of v1: requests to Nova with it}
    :ivar problems: {name of a fact: why it could not be gathered}
    :ivar gaps: {name of a fact: why parts of it could not be gathered}
    """

    servers: list[Server] = dataclasses.field(default_factory=list)
    endpoints: list[Endpoint] = dataclasses.field(default_factory=list)
    roles: frozenset[str] | None = None
    nova: Settings | None = None
    others: dict[str, Settings] | None = None
    hypervisors: list[str] | None = None
    permissions: list[Tried] | None = None
    package: list[Tried] = dataclasses.field(default_factory=list)
    unknown: list[str] = dataclasses.field(default_factory=list)
    glanceclient: tuple[int, ...] = ()
    clients: dict[str, int] | None = None
    filters: dict[str, int] | None = None
    problems: dict[str, str] = dataclasses.field(default_factory=dict)
    gaps: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    def newest(self, major: str) -> tuple[int, ...] | None:
        """Return the newest minor version that all servers have, or None.

        :param major: such as 'v2'
        """
        found = [server.newest(major) for server in self.servers
                 if not server.problem]
        known = [one for one in found if one is not None]
        return min(known) if known and len(known) == len(found) else None


@dataclasses.dataclass(frozen=True)
class Question:
    """Something that a listing does not answer.

    :ivar kind: 'members', 'members of private', 'readable' (can the image be
        shown?), 'exists' or 'start' (the first bytes)
    :ivar image_id: the image that it is about
    """

    kind: str
    image_id: str
