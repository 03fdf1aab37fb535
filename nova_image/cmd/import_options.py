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

"""The options for the source and the target of an import."""

from __future__ import annotations

import argparse
import typing

from nova_image.cmd import base
from nova_image.cmd import data
from nova_image.cmd import errors
from nova_image.cmd import options

#: names of Glance's import methods
DIRECT = 'glance-direct'
WEB = 'web-download'
REMOTE = 'glance-download'
COPY = 'copy-image'
#: longest time to wait for an import: 31 years
_LONGEST = 10 ** 9


def add_origin(parser: argparse.ArgumentParser) -> None:
    """Add the options for the source of the data."""
    parser.add_argument(
        '--method', metavar='<method>', help='Import method: %s (--file), '
        '%s (--uri), %s (--remote-image), or another method that '
        'nova-image import-info shows. Not required with --file, --uri or '
        '--remote-image.' % (DIRECT, WEB, REMOTE))
    data.add_file(parser)
    parser.add_argument('--uri', metavar='<url>',
                        help='URL that Glance downloads the data from.')
    for name, metavar, text in (
            ('region', '<region>', 'Region of the other Glance.'),
            ('image', '<image-id>', 'ID of the image in the other Glance.'),
            ('interface', '<interface>', 'Interface of its endpoint: public '
                                         '(the default), internal or '
                                         'admin.')):
        parser.add_argument(
            '--remote-' + name, metavar=metavar, help=text,
            type=base.reference if name == 'image' else str)
    parser.add_argument(
        '--hash', metavar='<algorithm>=<digest>', type=options.pairs,
        help='Expected hash of the data, such as sha512=....')


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add the options for the stores and for the waiting."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        '--store', metavar='<store>', action='append', dest='stores',
        help='Store for the data; may be repeated. See nova-image stores.')
    group.add_argument(
        '--all-stores', action='store_true', default=None,
        help='Store the data in all writable stores.')
    parser.add_argument(
        '--allow-failure', action='store_false', default=None,
        dest='must_succeed', help='Succeed even if some of the stores cannot '
        'store the data.')
    parser.add_argument(
        '--no-wait', action='store_false', default=None, dest='wait',
        help='Do not wait for Glance to finish.')
    add_timeout(parser)


def add_timeout(parser: argparse.ArgumentParser) -> None:
    """Add the option for the longest time to wait."""
    parser.add_argument(
        '--import-timeout', metavar='<seconds>', dest='timeout',
        type=options.number(0, _LONGEST),
        help='Maximum time to wait; 0 for no limit.')


def method(arguments: argparse.Namespace) -> str:
    """Return the method, from --method or the source of the data."""
    implied = [name for name, given in (
        (DIRECT, arguments.file), (WEB, arguments.uri),
        (REMOTE, arguments.remote_image)) if given]
    if len(implied) > 1:
        raise errors.Usage('Use only one of --file, --uri and --remote-image')
    if not implied and not arguments.method:
        raise errors.Usage('Nothing to import. Use --method, --file, --uri '
                           'or --remote-image')
    return arguments.method or implied[0]


def _origin(arguments: argparse.Namespace) -> dict[str, typing.Any]:
    """Return the driver's options for the source of the data."""
    algorithm, digest = arguments.hash or (None, None)
    return options.without_nones({
        'uri': arguments.uri, 'glance_region': arguments.remote_region,
        'glance_image_id': arguments.remote_image,
        'glance_service_interface': arguments.remote_interface,
        'os_hash_algo': algorithm, 'os_hash_value': digest}.items())


def driver_options(arguments: argparse.Namespace) -> dict[str, typing.Any]:
    """Return the driver's options for add_origin() and add_target()."""
    return target(arguments) | _origin(arguments)


def target(arguments: argparse.Namespace) -> dict[str, typing.Any]:
    """Return the driver's options for add_target()."""
    return options.without_nones({
        'stores': arguments.stores, 'all_stores': arguments.all_stores,
        'all_stores_must_succeed': arguments.must_succeed,
        'wait': arguments.wait, 'timeout': arguments.timeout}.items())
