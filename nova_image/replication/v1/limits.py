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

"""What the Images API v1 can hold of an image: pure functions.

v1 receives metadata in HTTP headers. It stores property names in lower case,
with ``_`` for ``-``, and every value as text. Its limits were seen on Glance
15.0.2.
"""

from __future__ import annotations

import collections.abc
import functools
import re
import typing
import uuid

from nova_image.image import glance
from nova_image.image import values
from nova_image.replication import ends
from nova_image.replication import record as records

PROPERTY = 'x-image-meta-property-'

#: the fields in nova_image.replication.ends.FIELDS that v1 has
FIELDS = ends.FIELDS - {'tags', 'hidden'}

#: the most bytes of a name
_LONGEST_NAME = 255
#: the most characters of a property's name in Glance's database
_LONGEST_PROPERTY = 255
#: the most bytes of the headers of a request (eventlet.wsgi), without those
#: that are not metadata, such as the token
_ALL_HEADERS = 65536 - 8192

#: characters of an HTTP header's name (RFC 7230, token)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile('[\x00-\x1f\x7f]')
#: characters of four bytes, which Glance refuses, and halves of characters
_LARGE = re.compile('[\ud800-\udfff\U00010000-\U0010ffff]')

#: returns why Glance refuses a disk_format and a container_format, or None
Formats = collections.abc.Callable[[str, str], typing.Optional[str]]


def stored_name(name: str) -> str:
    """Return what v1 calls a property."""
    return name.lower().replace('-', '_')


def problem_of_name(name: str) -> str | None:
    """Return why v1 cannot hold a property of this name, or None."""
    if not _TOKEN.fullmatch(name):
        return 'a name in v1 has only ASCII letters, digits and a few signs'
    if len(name) > _LONGEST_PROPERTY:
        return 'a name in v1 has at most %d characters' % _LONGEST_PROPERTY
    return None


def problem_of_value(header: str, value: str) -> str | None:
    """Return why a value does not arrive unchanged in v1, or None.

    :param header: name of the header that it is sent in
    """
    if _CONTROL.search(value):
        return 'v1 has no control characters'
    if value != value.strip(' '):
        return 'v1 removes spaces around a value'
    if _LARGE.search(value):
        return 'v1 has no characters beyond U+FFFF'
    if _line(header, value) >= glance.MAX_HEADER:
        return 'the value is too long for v1'
    return None


def _line(header: str, value: str) -> int:
    """Return the bytes of a header's line."""
    return len(header) + len(value.encode('utf-8')) + len(': \r\n')


class _Fitting:
    """The fitting of one image.

    :ivar losses: what v1 cannot hold, so far
    """

    def __init__(self, image: records.Record) -> None:
        self._image = image
        self.losses: list[ends.Loss] = []

    def lose(self, field: str, reason: str) -> None:
        """Note a loss."""
        self.losses.append(ends.Loss(field, reason))

    def fields(self) -> dict[str, typing.Any]:
        """Return the fields that change."""
        image = self._image
        if image.tags:
            self.lose('tags', 'v1 has no tags')
        if image.hidden:
            self.lose('hidden', 'v1 cannot hide an image from listings')
        return {'name': self._name(), 'tags': frozenset(), 'hidden': False,
                'owner': image.owner or None,
                'properties': self._properties(), **self._sharing()}

    def _name(self) -> str | None:
        given = self._image.name
        if given is None:
            return None
        sent = _LARGE.sub('\ufffd', _CONTROL.sub(' ', given)).strip(' ')
        name = sent.encode('utf-8')[:_LONGEST_NAME].decode(
            'utf-8', 'ignore').strip(' ') or None
        if name != given:
            self.lose('name', 'v1 can hold %s' % (
                'no empty name' if name is None else 'only %r' % name))
        return name

    def _sharing(self) -> dict[str, typing.Any]:
        """Return visibility and members: v1 shows only whether it is public.

        An image without members is private.
        """
        image, members = self._image, self._image.members
        if image.visibility == 'community':
            self.lose('visibility', 'v1 has no community images: it becomes '
                      'private')
        if image.visibility not in ('shared', records.NOT_PUBLIC):
            return {'members': None if members is None else frozenset(),
                    'visibility': 'public' if image.visibility == 'public'
                    else 'private'}
        if members is None:
            return {'visibility': records.NOT_PUBLIC}
        if any(one.status in ('accepted', 'rejected') for one in members):
            self.lose('members', 'in v1 no member accepts or rejects an image')
        return {'members': frozenset(records.Member(one.project)
                                     for one in members),
                'visibility': 'shared' if members else 'private'}

    def _properties(self) -> dict[str, str]:
        kept: dict[str, str] = {}
        given = self._image.properties
        # A name that v1 does not change comes before others that would
        # become the same.
        for name in sorted(given, key=lambda one: (
                stored_name(one) != one, one)):
            stored = stored_name(name)
            problem = problem_of_name(name) or self._problem(
                stored, given[name])
            if stored in kept:
                problem = 'v1 cannot distinguish it from another one'
            if problem is None:
                kept[stored] = given[name]
                if stored == name:
                    continue
                problem = 'v1 calls it %s' % stored
            self.lose('properties.%s' % name, problem)
        return kept

    @staticmethod
    def _problem(name: str, value: str) -> str | None:
        # v1 stores it as null, and does not show that in its headers
        return problem_of_value(PROPERTY + name, value) if value else (
            'v1 has no empty values')


def fit(image: records.Record, formats: Formats) -> ends.Fit:
    """Return what v1 can hold of an image.

    :param formats: returns why this Glance refuses formats
    """
    fitting = _Fitting(image)
    fitted = image.but(**fitting.fields())
    return ends.Fit(fitted, tuple(sorted(fitting.losses)), _refusal(fitted),
                    functools.partial(_refused_formats, fitted, formats))


def _refusal(image: records.Record) -> str | None:
    """Return why v1 cannot hold an image at all, or None."""
    if not _is_uuid(image.id):
        return 'its ID is not a UUID'
    if image.status == 'deactivated':
        return 'v1 cannot deactivate an image: users could read its replica'
    for name in ('min_disk', 'min_ram'):
        if getattr(image, name) > values.MAX_MINIMUM:
            return 'its %s is more than %d' % (name, values.MAX_MINIMUM)
    problem = problem_of_value('x-image-meta-owner', image.owner or '')
    if problem:
        return 'its owner cannot be sent: %s' % problem
    size = sum(_line(PROPERTY + name, value)
               for name, value in image.properties.items())
    if size > _ALL_HEADERS:
        return ('its properties have %d bytes, but v1 accepts only %d' % (
            size, _ALL_HEADERS))
    return None


def _refused_formats(image: records.Record, formats: Formats) -> str | None:
    disk, container = image.disk_format, image.container_format
    if disk and container:
        return formats(disk, container)
    if has_no_file(image):
        return None
    return 'v1 accepts data only for an image with both formats'


def has_no_file(image: records.Record) -> bool:
    """Return whether v1 needs no upload to make an image active.

    Glance then stores nothing. Nova makes such images of servers whose disks
    are volumes.
    """
    return image.size == 0 and not (
        image.disk_format and image.container_format)


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
