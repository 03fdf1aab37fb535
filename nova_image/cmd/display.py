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

import datetime
import typing

from cliff import columns

from nova_image.cmd import safe_text

#: the fields of an image, in the order of the output
FIELDS = ('id', 'name', 'status', 'size', 'disk_format', 'container_format',
          'is_public', 'owner', 'min_disk', 'min_ram', 'checksum',
          'created_at', 'updated_at', 'deleted', 'deleted_at', 'properties')
#: the default columns of a list, without and with --long
SHORT = ('id', 'name', 'status', 'size')
LONG = SHORT + ('disk_format', 'container_format', 'is_public', 'owner',
                'updated_at', 'properties')

_UNITS = ('KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB')


class Size(columns.FormattableColumn[int]):
    """A number of bytes; people see a larger unit."""

    def human_readable(self) -> str:
        """Return the size in a larger unit, such as ``64.0 MiB``."""
        return human_size(self._value)


class ExactSize(columns.FormattableColumn[int]):
    """A number of bytes; people also see a larger unit."""

    def human_readable(self) -> str:
        """Return the size in both units: ``67108864 (64.0 MiB)``."""
        if self._value < 1024:
            return '%d' % self._value
        return '%d (%s)' % (self._value, human_size(self._value))


class Properties(columns.FormattableColumn[dict[str, typing.Any]]):
    """Custom properties; people see one line for each."""

    def human_readable(self) -> str:
        """Return sorted lines such as ``os_type=linux``."""
        return '\n'.join(safe_text.shown('%s=%s' % item)
                         for item in sorted(self._value.items()))


class Names(columns.FormattableColumn[list[str]]):
    """Several names; people see them in one line."""

    def human_readable(self) -> str:
        """Return the names as ``fast, slow``."""
        return safe_text.shown(', '.join(self._value))


class Changes(columns.FormattableColumn[dict[str, typing.Any]]):
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

    :param image: in the format of nova_image.image.driver.ImageDriver
    """
    return {name: _value(name, image[name], ExactSize) for name in FIELDS}


def row(image: dict[str, typing.Any],
        names: tuple[str, ...]) -> tuple[typing.Any, ...]:
    """Return fields of an image for a list of images.

    :param image: in the format of nova_image.image.driver.ImageDriver
    :param names: names of the fields
    """
    return tuple(_value(name, image[name], Size) for name in names)


def _value(name: str, value: typing.Any,
           size: type[columns.FormattableColumn[int]]) -> typing.Any:
    if name == 'size':
        return size(value)
    if name == 'properties':
        return Properties(value)
    return text(value)


def text(value: typing.Any) -> typing.Any:
    """Return a time as text, any other value unchanged."""
    if isinstance(value, datetime.datetime):
        return value.strftime('%Y-%m-%dT%H:%M:%SZ')
    return value
