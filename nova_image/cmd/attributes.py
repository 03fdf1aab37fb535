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
    parser.add_argument(
        '--property', metavar='<name>=<value>', action='append', default=[],
        dest='properties', type=options.pairs,
        help='Property to set; may be repeated.')


def given(arguments: argparse.Namespace) -> dict[str, typing.Any]:
    """Return the values of these options, in the format of images."""
    values = vars(arguments)
    names = [name.replace('-', '_') for name in _ATTRIBUTES]
    image = options.without_nones(
        (name, values[name]) for name in [*names, 'visibility', 'protected'])
    image['properties'] = dict(arguments.properties)
    return image
