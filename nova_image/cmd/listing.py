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

"""The commands list and show."""

from __future__ import annotations

import argparse
import collections.abc
import typing

from nova_image.cmd import base
from nova_image.cmd import display
from nova_image.cmd import options

#: option -> (metavar, help) of filters with the same name
_FILTERS = {
    'name': ('<name>', 'Images with this name.'),
    'status': ('<status>', 'Images with this status, such as active or '
               'queued.'),
    'disk-format': ('<format>', 'Images in this disk format.'),
    'container-format': ('<format>', 'Images in this container format.'),
    'owner': ('<project-id>', 'Images owned by this project.'),
    'checksum': ('<md5>', 'Images with this checksum.'),
    'size-min': ('<bytes>', 'Images of at least this size.'),
    'size-max': ('<bytes>', 'Images of at most this size.'),
    'visibility': ('<visibility>', 'Images with this visibility: public, '
                                   'private, shared or community (v2 only).'),
    'changes-since': ('<time>', 'Images changed since this time in UTC, '
                                'ISO 8601, such as 2026-01-31T12:00:00Z.'),
}
_SIZES = ('size-min', 'size-max')
_SIZE = options.number(0, options.MAX_NUMBER)


class List(base.Lister):
    """List images.

    By default, the list has all images that the project can see, newest
    first. Any field of an image can be a column.
    """

    examples = """
        nova-image list
        nova-image list --status active --property os_type=linux --long
        nova-image list --sort name:asc -c name -c size
        nova-image list --limit 10 -f json
        nova-image list --name cirros -f value -c id
        nova-image list --member-status pending -c id -c name -c owner
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the filters, the sorting and the limits."""
        for name, (metavar, text) in _FILTERS.items():
            parser.add_argument(
                '--' + name, metavar=metavar, help=text,
                type=_SIZE if name in _SIZES else str)
        _add_more_filters(parser)
        parser.add_argument(
            '--sort', metavar='<field>[:asc|:desc],...', type=_sorting,
            default=([], []), help='Fields to sort by, in this order '
            '(v1: only one). The default direction is asc.')
        parser.add_argument(
            '--limit', metavar='<number>',
            type=options.number(1, options.MAX_NUMBER),
            help='Maximum number of images to list.')
        parser.add_argument(
            '--marker', metavar='<image-id>', type=base.reference,
            help='List the images after this one.')
        parser.add_argument('--long', action='store_true',
                            help='Show more columns.')

    def take_action(self, parsed_args: argparse.Namespace
                    ) -> tuple[tuple[str, ...],
                               collections.abc.Iterable[typing.Any]]:
        """List the images."""
        keys, directions = parsed_args.sort
        names: tuple[str, ...] = (
            display.LONG if parsed_args.long else display.SHORT)
        if parsed_args.columns or parsed_args.sort_columns:
            parsed_args.columns = parsed_args.columns or list(names)
            names = display.FIELDS
        found = self.images.get_all(
            self.caller, filters=_filters(parsed_args),
            sort_key=keys, sort_dir=directions,
            limit=parsed_args.limit, marker=parsed_args.marker,
            all_fields=names != display.SHORT)
        return names, [display.row(image, names) for image in found]


def _add_more_filters(parser: argparse.ArgumentParser) -> None:
    public = parser.add_mutually_exclusive_group()
    public.add_argument('--public', action='store_true', default=None,
                        dest='is_public', help='Public images.')
    public.add_argument('--not-public', action='store_false', default=None,
                        dest='is_public', help='Images that are not public.')
    parser.add_argument(
        '--property', metavar='<name>=<value>', action='append', default=[],
        dest='properties', type=options.pairs,
        help='Images with this property; may be repeated.')
    parser.add_argument(
        '--tag', metavar='<tag>', action='append', dest='tags',
        help='Images with this tag; may be repeated (v2 only).')
    parser.add_argument(
        '--hidden', action='store_true', default=None, dest='os_hidden',
        help='Hidden images, instead of all others (v2 only).')
    parser.add_argument(
        '--member-status', choices=('accepted', 'pending', 'rejected', 'all'),
        help='Shared images: those of the project, and those of others that '
             'the project has accepted, not yet accepted or rejected '
             '(v2 only).')


def _filters(arguments: argparse.Namespace) -> dict[str, typing.Any]:
    """Return the filters with the names that the driver uses."""
    given = vars(arguments)
    filters = options.without_nones(
        (name, given[name.replace('-', '_')]) for name in _FILTERS)
    found = {name if name == 'changes-since' else name.replace('-', '_'):
             value for name, value in filters.items()}
    found.update(('property-' + name, value)
                 for name, value in arguments.properties)
    found.update(options.without_nones((
        ('tag', arguments.tags), ('is_public', arguments.is_public),
        ('os_hidden', arguments.os_hidden))))
    if arguments.member_status:
        # Glance also lists all images that are not shared, unless told not to.
        found = {'visibility': 'shared', **found,
                 'member_status': arguments.member_status}
    return found


def _sorting(text: str) -> tuple[list[str], list[str]]:
    """Split FIELD:DIRECTION,...; the ``type`` of an argument."""
    keys, directions = [], []
    for part in text.split(','):
        key, _, direction = part.partition(':')
        if not key or direction not in ('', 'asc', 'desc'):
            raise argparse.ArgumentTypeError(
                '%r does not have the form FIELD, FIELD:asc or FIELD:desc' %
                part)
        keys.append(key)
        directions.append(direction or 'asc')
    return keys, directions


class Show(base.ShowOne):
    """Show an image."""

    examples = """
        nova-image show cirros
        nova-image show 71c675ab-d94f-49cd-a114-e12490b328d9 -f json
        nova-image show cirros -f value -c status
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the image."""
        base.add_image(parser)

    def take_action(self, parsed_args: argparse.Namespace
                    ) -> tuple[tuple[str, ...], tuple[typing.Any, ...]]:
        """Show the image."""
        return self.columns(self.images.get(
            self.caller, self.find(parsed_args.image), all_fields=True))
