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

"""What an image is, as options of the commands that say it."""

import argparse
import typing
import uuid

from nova_image.cmd import options

#: option -> (what its value is called, help) of attributes under one name
_ATTRIBUTES = {
    'disk-format': ('<format>', 'Disk format, such as qcow2, raw.'),
    'container-format': ('<format>', 'Container format, such as bare.'),
    'min-disk': ('<GiB>', 'Disk that a server needs at least.'),
    'min-ram': ('<MiB>', 'Memory that a server needs at least.'),
    'owner': ('<project-id>', 'Project that is to own it (administrators).'),
}
_VISIBILITIES = ('public', 'private', 'shared', 'community')


def new_id() -> str:
    """Return an ID that no image has."""
    return str(uuid.uuid4())


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options for what an image is, but for its name and ID."""
    for name, (metavar, text) in _ATTRIBUTES.items():
        parser.add_argument('--' + name, metavar=metavar, help=text)
    group = parser.add_mutually_exclusive_group()
    for name in _VISIBILITIES:
        group.add_argument(
            '--' + name, action='store_const', const=name, dest='visibility',
            help='Make it %s%s.' % (name, '' if name in _VISIBILITIES[:2]
                                    else ' (v2; v1 knows public or not)'))
    protected = parser.add_mutually_exclusive_group()
    protected.add_argument(
        '--protected', action='store_true', default=None,
        help='Let nobody delete it.')
    protected.add_argument(
        '--unprotected', action='store_false', dest='protected',
        help='Let it be deleted again.')
    parser.add_argument(
        '--property', metavar='<name>=<value>', action='append', default=[],
        dest='properties', type=options.pairs,
        help='Property to set; may be repeated.')


def given(arguments: argparse.Namespace) -> dict[str, typing.Any]:
    """Return what add() took, in the format of images."""
    values = vars(arguments)
    names = [name.replace('-', '_') for name in _ATTRIBUTES]
    image = options.without_nones(
        (name, values[name]) for name in [*names, 'visibility', 'protected'])
    image['properties'] = dict(arguments.properties)
    return image
