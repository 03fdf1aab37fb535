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

"""The attributes of an image as command-line options."""

from __future__ import annotations

import argparse
import typing
import uuid

from nova_image.cmd import options

#: option -> (metavar, help) of attributes with the same name
_ATTRIBUTES = {
    'disk-format': ('<format>', 'Disk format, such as qcow2 or raw.'),
    'container-format': ('<format>', 'Container format, such as bare.'),
    'min-disk': ('<GiB>', 'Minimum disk size to boot the image, in GiB.'),
    'min-ram': ('<MiB>', 'Minimum memory to boot the image, in MiB.'),
    'owner': ('<project-id>', 'Project that owns the image (administrators '
              'only).'),
}
#: the most characters of a tag in Glance
_LONGEST_TAG = 255
_MINIMUMS = ('min-disk', 'min-ram')
_MINIMUM = options.number(0, options.MAX_MINIMUM)
_VISIBILITIES = ('public', 'private', 'shared', 'community')


def new_id() -> str:
    """Return an ID for a new image."""
    return str(uuid.uuid4())


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options for all attributes except the name and the ID."""
    for name, (metavar, text) in _ATTRIBUTES.items():
        parser.add_argument(
            '--' + name, metavar=metavar, help=text,
            type=_MINIMUM if name in _MINIMUMS else str)
    group = parser.add_mutually_exclusive_group()
    for name in _VISIBILITIES:
        group.add_argument(
            '--' + name, action='store_const', const=name, dest='visibility',
            help='Make the image %s%s.' % (
                name, '' if name in _VISIBILITIES[:2] else
                ' (in v1: not public)'))
    protected = parser.add_mutually_exclusive_group()
    protected.add_argument(
        '--protected', action='store_true', default=None,
        help='Prevent the image from being deleted.')
    protected.add_argument(
        '--unprotected', action='store_false', dest='protected',
        help='Allow the image to be deleted.')
    hidden = parser.add_mutually_exclusive_group()
    hidden.add_argument(
        '--hidden', action='store_true', default=None, dest='os_hidden',
        help='Leave the image out of lists (v2 only).')
    hidden.add_argument(
        '--unhidden', action='store_false', dest='os_hidden',
        help='Show the image in lists.')
    parser.add_argument(
        '--tag', metavar='<tag>', action='append', dest='tags', type=tag,
        help='Tag to add; may be repeated (v2 only).')
    parser.add_argument(
        '--property', metavar='<name>=<value>', action='append', default=[],
        dest='properties', type=options.pairs,
        help='Property to set; may be repeated.')


def tag(text: str) -> str:
    """Refuse what cannot be a tag; the ``type`` of an argument."""
    if not 0 < len(text) <= _LONGEST_TAG:
        raise argparse.ArgumentTypeError(
            'a tag has from 1 to %d characters, this one has %d' % (
                _LONGEST_TAG, len(text)))
    return text


def given(arguments: argparse.Namespace) -> dict[str, typing.Any]:
    """Return the values of these options, in the format of images."""
    values = vars(arguments)
    names = [name.replace('-', '_') for name in _ATTRIBUTES]
    image = options.without_nones(
        (name, values[name]) for name in [
            *names, 'visibility', 'protected', 'os_hidden', 'tags'])
    image['properties'] = dict(arguments.properties)
    return image
