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

"""Where an import takes its data from and where to, as options."""

import argparse
import typing

from nova_image.cmd import data
from nova_image.cmd import errors
from nova_image.cmd import options

#: names of Glance's import methods
DIRECT = 'glance-direct'
WEB = 'web-download'
REMOTE = 'glance-download'
COPY = 'copy-image'


def add_origin(parser: argparse.ArgumentParser) -> None:
    """Add the options for where the data is."""
    parser.add_argument(
        '--method', metavar='<method>', help='How to import: %s (from '
        '--file), %s (from --uri), %s (from another Glance) or another that '
        'nova-image import-info shows. Need not be given with the others.' % (
            DIRECT, WEB, REMOTE))
    data.add_file(parser)
    parser.add_argument('--uri', metavar='<url>',
                        help='URL that Glance gets the data from.')
    for name, metavar, text in (
            ('region', '<region>', 'Region of the other Glance.'),
            ('image', '<image-id>', 'The image in the other Glance.'),
            ('interface', '<interface>', 'Its kind of endpoint: public (the '
                                         'default), internal, admin.')):
        parser.add_argument('--remote-' + name, metavar=metavar, help=text)
    parser.add_argument(
        '--hash', metavar='<algorithm>=<digest>', type=options.pairs,
        help='Hash that the data has to have, such as sha512=....')


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add the options for where it goes, and for the waiting."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        '--store', metavar='<store>', action='append', dest='stores',
        help='Store for the data; may be repeated. See nova-image stores.')
    group.add_argument(
        '--all-stores', action='store_true', default=None,
        help='All stores that can be written.')
    parser.add_argument(
        '--allow-failure', action='store_false', default=None,
        dest='must_succeed', help='Be content when some of the stores have '
        'the data in the end.')
    parser.add_argument(
        '--no-wait', action='store_false', default=None, dest='wait',
        help='Return as soon as Glance has begun.')
    parser.add_argument(
        '--import-timeout', metavar='<seconds>', type=int, dest='timeout',
        help='How long to wait; 0 for no limit.')


def method(arguments: argparse.Namespace) -> str:
    """Return the method that was given, or the one that the rest means."""
    meant = [name for name, given in (
        (DIRECT, arguments.file), (WEB, arguments.uri),
        (REMOTE, arguments.remote_image)) if given]
    if len(meant) > 1:
        raise errors.Usage('Give one of --file, --uri and --remote-image')
    if not meant and not arguments.method:
        raise errors.Usage('What is to be imported? Give --method, --file, '
                           '--uri or --remote-image')
    return arguments.method or meant[0]


def _origin(arguments: argparse.Namespace) -> dict[str, typing.Any]:
    """Return the driver's options for where the data is."""
    algorithm, digest = arguments.hash or (None, None)
    return options.without_nones({
        'uri': arguments.uri, 'glance_region': arguments.remote_region,
        'glance_image_id': arguments.remote_image,
        'glance_service_interface': arguments.remote_interface,
        'os_hash_algo': algorithm, 'os_hash_value': digest}.items())


def driver_options(arguments: argparse.Namespace) -> dict[str, typing.Any]:
    """Return the driver's options for all that these options say."""
    return target(arguments) | _origin(arguments)


def target(arguments: argparse.Namespace) -> dict[str, typing.Any]:
    """Return the driver's options for what add_target() took."""
    if arguments.timeout is not None and arguments.timeout < 0:
        raise errors.Usage('--import-timeout has to be 0 or more')
    return options.without_nones({
        'stores': arguments.stores, 'all_stores': arguments.all_stores,
        'all_stores_must_succeed': arguments.must_succeed,
        'wait': arguments.wait, 'timeout': arguments.timeout}.items())
