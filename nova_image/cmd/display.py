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

"""Values in the formats for people and for programs."""

from __future__ import annotations

import datetime
import typing

from cliff import columns

from nova_image.cmd import safe_text

#: the fields of an image, in the order of the output
FIELDS = ('id', 'name', 'status', 'size', 'virtual_size', 'disk_format',
          'container_format', 'visibility', 'is_public', 'protected',
          'os_hidden', 'tags', 'owner', 'min_disk', 'min_ram', 'checksum',
          'os_hash_algo', 'os_hash_value', 'stores', 'created_at',
          'updated_at', 'deleted', 'deleted_at', 'properties')
#: the default columns of a list, without and with --long
SHORT = ('id', 'name', 'status', 'size')
LONG = SHORT + ('disk_format', 'container_format', 'visibility',
                'protected', 'os_hidden', 'tags', 'owner', 'updated_at',
                'os_hash_algo', 'os_hash_value', 'properties')
#: how much of a hash fits into a table with a row for each image
_HASH_START = 12

_UNITS = ('KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB')


class Size(columns.FormattableColumn):  # type: ignore[type-arg]
    """A number of bytes; people see a larger unit."""

    def human_readable(self) -> str:
        """Return the size in a larger unit, such as ``64.0 MiB``."""
        return human_size(self._value)


class ExactSize(columns.FormattableColumn):  # type: ignore[type-arg]
    """A number of bytes; people also see a larger unit."""

    def human_readable(self) -> str:
        """Return the size in both units: ``67108864 (64.0 MiB)``."""
        if self._value < 1024:
            return '%d' % self._value
        return '%d (%s)' % (self._value, human_size(self._value))


class Properties(columns.FormattableColumn):  # type: ignore[type-arg]
    """Custom properties; people see one line for each."""

    def human_readable(self) -> str:
        """Return sorted lines such as ``os_type=linux``."""
        return '\n'.join(safe_text.shown('%s=%s' % item)
                         for item in sorted(self._value.items()))


class Names(columns.FormattableColumn):  # type: ignore[type-arg]
    """Several names; people see them in one line."""

    def human_readable(self) -> str:
        """Return the names as ``fast, slow``."""
        return safe_text.shown(', '.join(self._value))


class Hash(columns.FormattableColumn):  # type: ignore[type-arg]
    """A hash; in a table with other images, people see its beginning."""

    def human_readable(self) -> str:
        """Return text such as ``099d63f8dc9b...``."""
        if len(self._value) <= _HASH_START:
            return safe_text.shown(self._value)
        return safe_text.shown(self._value[:_HASH_START]) + '...'


class Changes(columns.FormattableColumn):  # type: ignore[type-arg]
    """Changed values: {name: (before, now)}."""

    def human_readable(self) -> str:
        """Return sorted lines such as ``disk_format: qcow2 -> raw``."""
        return '\n'.join(safe_text.shown('%s: %s -> %s' % (name, *values))
                         for name, values in sorted(self._value.items()))


def human_size(number: int) -> str:
    """Return a size in the largest unit in which it is at least 1.

    :param number: size in bytes
    """
    if number < 1024:
        return '%d B' % number
    power = min((number.bit_length() - 1) // 10, len(_UNITS))
    return '%.1f %s' % (number / 1024 ** power, _UNITS[power - 1])


def details(image: dict[str, typing.Any]) -> dict[str, typing.Any]:
    """Return the fields of an image for the output of one image.

    :param image: with all fields of nova_image.image.driver.ImageDriver
    """
    return {name: _value(name, image.get(name), ExactSize)
            for name in FIELDS}


def row(image: dict[str, typing.Any],
        names: tuple[str, ...]) -> tuple[typing.Any, ...]:
    """Return fields of an image for a list of images.

    :param image: with the fields of nova_image.image.driver.ImageDriver; one
        that it lacks is None
    :param names: names of the fields
    """
    return tuple(
        Hash(image[name]) if name == 'os_hash_value' and image.get(name)
        else _value(name, image.get(name), Size) for name in names)


def _value(name: str, value: typing.Any,
           size: type[columns.FormattableColumn[int]]) -> typing.Any:
    if value is None:
        return None
    if name in ('size', 'virtual_size'):
        return size(value)
    if name == 'properties':
        return Properties(value)
    if name == 'tags':
        return Names(sorted(value))
    return text(value)


def text(value: typing.Any) -> typing.Any:
    """Return a time as text, any other value unchanged."""
    if isinstance(value, datetime.datetime):
        return value.strftime('%Y-%m-%dT%H:%M:%SZ')
    return value
