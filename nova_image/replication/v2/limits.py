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

"""What a Glance with the Images API v2 can hold: pure functions.

Its image schema names the formats, the visibilities and the rules for
properties. The other limits are in its code. A Glance also has limits of its
configuration that it does not show, such as 128 properties, tags and members
by default: beyond them it answers 413.

It refuses most values before it creates an image, but a tag afterwards: a
queued image remains, whose ID cannot be used again.
"""

from __future__ import annotations

import collections.abc
import re
import typing
import unicodedata

from nova_image import exception
from nova_image.image.v2 import schema
from nova_image.image.v2 import translation
from nova_image.image import values
from nova_image.replication import ends
from nova_image.replication import record as records

#: the JSON schema of one property
Rule = collections.abc.Mapping[str, typing.Any]

#: the most characters of a name, an owner, a tag, a member and the name of a
#: property
LONGEST = 255
#: the most bytes of a property in MySQL and MariaDB (type TEXT), with which
#: Glance 33 answers 500 to one more
LONGEST_VALUE = 65535

#: fields and properties whose pattern in a schema is that of a UUID
_UUIDS = ('id', 'kernel_id', 'ramdisk_id')
_UUID = re.compile(r'^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z')

#: characters of four bytes, which Glance refuses, and halves of characters
_LARGE = re.compile('[\ud800-\udfff\U00010000-\U0010ffff]')
_NO_LARGE = 'Glance accepts no characters beyond U+FFFF'
_TOO_LONG = 'Glance accepts at most %d characters' % LONGEST


def has(offered: schema.Schema, name: str) -> bool:
    """Return whether a Glance has a field; True if its schema is unknown."""
    return not offered.properties or name in offered.properties


def has_visibility(offered: schema.Schema, visibility: str) -> bool:
    """Return whether a Glance has a visibility; True if it is unknown."""
    return _is_in_enum(visibility, offered.properties.get('visibility', {}))


def fit(image: records.Record, offered: schema.Schema) -> ends.Fit:
    """Return what a Glance can hold of an image.

    :param offered: the image schema of the Glance
    """
    refusal = _refusal(image, offered)
    if refusal:
        return ends.Fit(image, refusal=refusal)
    fitting = _Fitting(image, offered)
    fitted = image.but(**fitting.fields())
    return ends.Fit(fitted, tuple(fitting.losses))


def _refusal(image: records.Record, offered: schema.Schema) -> str | None:
    """Return why a Glance cannot hold an image at all, or None."""
    if not _matches('id', image.id, offered.properties.get('id', {})):
        return 'Glance accepts only a UUID as an ID. Use a new ID'
    for name, formats in (('disk_format', offered.disk_format),
                          ('container_format', offered.container_format)):
        value = getattr(image, name)
        if value is None:
            return 'it has no %s, and Glance accepts no data without' % name
        if formats and value not in formats:
            return 'the target does not accept the %s %s, only %s' % (
                name, value, ', '.join(formats))
    problem = _problem_of_text(image.owner or '')
    return problem and 'its owner is not possible: %s' % problem


def _problem_of_text(text: str) -> str | None:
    """Return why Glance refuses a short text, or None."""
    if len(text) > LONGEST:
        return _TOO_LONG
    return _NO_LARGE if _LARGE.search(text) else None


def _matches(name: str, value: str, rule: Rule) -> bool:
    """Return whether a text matches the pattern in a schema, if known.

    The pattern itself is not used: matching one that a server has sent may
    take for ever.
    """
    return not (name in _UUIDS and rule.get('pattern')) or bool(
        _UUID.match(value))


def _is_in_enum(value: str, rule: Rule) -> bool:
    enum = rule.get('enum')
    return not isinstance(enum, list) or value in enum


def _problem_in_schema(name: str, value: str, rule: Rule) -> str | None:
    """Return why a value does not match a rule of a schema, or None."""
    longest = rule.get('maxLength')
    if isinstance(longest, int) and len(value) > longest:
        return 'the target accepts at most %d characters' % longest
    if not _is_in_enum(value, rule):
        return 'the target accepts only %s' % ', '.join(
            map(str, rule['enum']))
    if not _matches(name, value, rule):
        return 'the target accepts only a UUID'
    return None


def clash(image: records.Record) -> str | None:
    """Return what to do if Glance answers 500 because of names, or None.

    MySQL and MariaDB ignore the case, accents and spaces at the end of a
    property's name, and refuse it twice. Other databases do not, and Glance
    does not show which one it has.
    """
    known: dict[str, str] = {}
    for name in sorted(image.properties):
        same = known.setdefault(_folded(name), name)
        if same != name:
            return ('MySQL and MariaDB cannot hold both properties %r and %r '
                    'of an image. Leave out one of them' % (same, name))
    return None


def _folded(name: str) -> str:
    """Return what MySQL and MariaDB compare of a name, more or less."""
    return ''.join(letter for letter in unicodedata.normalize(
        'NFD', name.casefold()) if not unicodedata.combining(letter)
    ).rstrip(' ')


class _Fitting:
    """The fitting of one image.

    :ivar losses: what the Glance cannot hold, so far
    """

    def __init__(self, image: records.Record,
                 offered: schema.Schema) -> None:
        self._image = image
        self._offered = offered
        self.losses: list[ends.Loss] = []

    def _lose(self, field: str, reason: str) -> None:
        self.losses.append(ends.Loss(field, reason))

    def fields(self) -> dict[str, typing.Any]:
        """Return the fields, as the Glance can hold them."""
        visibility = self._visibility()
        return {
            'name': self._name(), 'owner': self._image.owner or None,
            'hidden': self._hidden(), 'visibility': visibility,
            'members': self._members(visibility), 'tags': self._tags(),
            'properties': self._properties(),
            **{name: self._minimum(name) for name in ('min_disk', 'min_ram')}}

    def _name(self) -> str | None:
        name = self._image.name
        problem = _problem_of_text(name or '')
        if name is None or problem is None:
            return name
        self._lose('name', problem)
        return _LARGE.sub('\ufffd', name)[:LONGEST]

    def _minimum(self, name: str) -> int:
        value: int = getattr(self._image, name)
        if value > values.MAX_MINIMUM:
            self._lose(name, 'Glance accepts at most %d' % values.MAX_MINIMUM)
        return min(value, values.MAX_MINIMUM)

    def _hidden(self) -> bool:
        if self._image.hidden and not has(self._offered, 'os_hidden'):
            self._lose('hidden', 'the target does not hide images')
            return False
        return self._image.hidden

    def _visibility(self) -> str:
        visibility = self._image.visibility
        if visibility == records.NOT_PUBLIC:
            if self._image.members is None:
                return visibility  # it is not known which one
            visibility = 'shared' if self._image.members else 'private'
        if not has_visibility(self._offered, visibility):
            self._lose('visibility', 'the target has no visibility %s' % (
                visibility))
            return 'private'
        return visibility

    def _members(self, visibility: str) -> frozenset[records.Member] | None:
        members = self._image.members
        if members is None or visibility == records.NOT_PUBLIC:
            return members
        if members and visibility != 'shared':
            self._lose('members', 'only an image with the visibility shared '
                                  'has members')
            return frozenset()
        return frozenset(one for one in sorted(members, key=str)
                         if self._can_be_member(one.project))

    def _can_be_member(self, project: str) -> bool:
        try:
            values.project(project)
            problem = _problem_of_text(project)
        except exception.ImageBadRequest as error:
            problem = error.reason
        if problem:
            self._lose('members', problem)
        return not problem

    def _tags(self) -> frozenset[str]:
        found = set()
        for tag in sorted(self._image.tags):
            problem = _problem_of_text(tag)
            if problem:
                self._lose('tags', 'tag %s: %s' % (tag[:LONGEST], problem))
            else:
                found.add(tag)
        return frozenset(found)

    def _properties(self) -> dict[str, str]:
        found = {}
        for name, value in sorted(self._image.properties.items()):
            problem = self._problem_of_name(name) or (
                self._problem_of_value(name, value))
            if problem:
                self._lose('properties.' + name[:LONGEST], problem)
            else:
                found[name] = value
        return found

    def _problem_of_name(self, name: str) -> str | None:
        """Return why the Glance has no property of this name, or None."""
        offered = self._offered
        rule = offered.properties.get(name, {'is_base': False})
        if not translation.is_custom(name) or rule.get('is_base', True):
            return 'the Images API v2 reserves the name'
        if name not in offered.properties and not offered.allows_others:
            return 'the target allows only the properties in its schema'
        if not name.isascii() and not has(offered, 'stores'):
            # Glance 15 answers 500; the field came with Python 3.
            return 'the target accepts only ASCII names'
        return _problem_of_text(name)

    def _problem_of_value(self, name: str, value: str) -> str | None:
        """Return why the Glance refuses the value of a property, or None."""
        if values.is_unset(name, value):
            return 'it means that there is none'
        if _LARGE.search(value):
            return _NO_LARGE
        if len(value.encode('utf-8')) > LONGEST_VALUE:
            return "Glance's database holds at most %d bytes" % LONGEST_VALUE
        return _problem_in_schema(
            name, value, self._offered.properties.get(name, {}))
