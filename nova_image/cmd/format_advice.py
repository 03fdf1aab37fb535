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

"""What commands say about the formats of an image and the data for it.

Nothing is guessed: missing formats are an error with a suggestion. Formats
that contradict the data are a warning, because not every Glance refuses them.
"""

from __future__ import annotations

import typing

from nova_image.cmd import sources
from nova_image.image import disk_formats

#: what a suggestion begins with, if the command has the options
USE = 'use'
#: formats of Amazon's images, which do not describe the data
_AMAZON = ('ami', 'aki', 'ari')
_NAMES = ('disk_format', 'container_format')


def missing(source: sources.Source, formats: dict[str, typing.Any],
            how: str = USE) -> str | None:
    """Return the error about formats that an image lacks.

    :param formats: the attributes of the image
    :param how: the words before options in a suggestion
    :returns: text; None if the image has both formats
    """
    names = [name for name in _NAMES if not formats.get(name)]
    if not names:
        return None
    found = disk_formats.guess(source.start, source.end)
    disk = formats.get('disk_format') or (
        found.disk_format if found else 'raw')
    chosen = {'disk_format': disk, 'container_format': (
        disk if disk in _AMAZON else 'bare')}
    options = how + ''.join(' --%s %s' % (
        name.replace('_', '-'), chosen[name]) for name in names)
    what = ' and '.join(name.replace('_', ' ') for name in names)
    return 'The %s missing%s' % (
        what + (' is' if len(names) == 1 else ' are'),
        '. ' + _sentence(options) if 'disk_format' not in names
        else ': ' + _suggestion(source, found, options))


def _suggestion(source: sources.Source, found: disk_formats.Guess | None,
                options: str) -> str:
    """Return what data looks like, and what to do.

    :param options: the options for what it looks like
    """
    if not source.start:
        return '%s is empty. For an image without data, %s' % (
            source.title, options)
    if found is None:
        return '%s is in no format that can be detected. If it is raw, ' \
            '%s' % (source.title, options)
    return '. '.join(part for part in (
        '%s %s' % (source.title, found.looks),
        _sentence(options) if found.disk_format else '',
        found.advice) if part)


def doubt(source: sources.Source, formats: dict[str, typing.Any],
          how: str = USE) -> str | None:
    """Return a warning if data contradicts the formats of its image.

    The data in a container other than bare may be anything.

    :param formats: the attributes of the image
    :param how: the words before options in a suggestion
    :returns: text; None if nothing is wrong
    """
    declared = formats.get('disk_format')
    if not source.start:
        return '%s is empty' % source.title
    if not declared or formats.get('container_format') != 'bare':
        return None
    found = disk_formats.guess(source.start, source.end)
    if _fits(declared, found, source.end):
        return None
    if found is None:
        return '%s does not look like %s. Check with qemu-img info' % (
            source.title, declared)
    return '%s %s, not %s. %s' % (
        source.title, found.looks, declared, found.advice or
        'If that is right, %s --disk-format %s' % (how, found.disk_format))


def _fits(declared: str, found: disk_formats.Guess | None,
          end: bytes | None) -> bool:
    """Return whether data may have the declared format."""
    if found is None:
        return not disk_formats.is_visible(declared, end)
    name = found.disk_format
    if name == declared:
        return True
    if declared in _AMAZON:
        return name in (None, 'raw', 'aki', 'iso')
    if declared == 'raw':
        return name in ('aki', 'luks') or found == disk_formats.FIXED_VHD
    return name in ('raw', 'aki') and not disk_formats.is_visible(
        declared, end)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
