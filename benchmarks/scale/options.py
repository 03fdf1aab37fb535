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

"""The options of the command line."""

import argparse
import pathlib
import typing

from benchmarks.common import option_types
from benchmarks.common import race
from benchmarks.scale import curves
from benchmarks.transfer import sizes
from nova_image.tests.fixtures import paths

_PAGE = race.ROOT / 'doc' / 'source' / 'operator'
_PEERS = 'Nova', 'glanceclient', 'openstacksdk', 'curl'
# Options that are positive numbers: name, default, metavar, help.
_NUMBERS = (
    ('rounds', 3, 'N', 'number of rounds'),
    ('max-images', 10000, 'N', 'largest number of images to list, up to '
     '200000'),
    ('max-parallel', 64, 'N', 'largest number of parallel calls'),
    ('patience', 30, 'SECONDS', 'peers that need more are left out of a '
     'point, and a point that took more in all is not repeated'),
)


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line.

    :param argv: the arguments; those of this process if None
    """
    parser = argparse.ArgumentParser(
        prog='./run_benchmarks.sh scale', description=(
            'Measure how the time and the memory of nova_image and its peers '
            'grow with the number of images, the properties of an image, its '
            'size and the number of parallel calls, on a real Glance 33, '
            'which this command starts on 127.0.0.1.'),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    for name, default, metavar, text in _NUMBERS:
        parser.add_argument('--' + name, type=option_types.positive,
                            default=default, metavar=metavar, help=text)
    parser.add_argument('--max-size', type=_size, default='1G',
                        metavar='SIZE', help='largest image to download, up '
                        'to 16G')
    parser.add_argument(
        '--only', type=_choice('curve', curves.CURVES), metavar='CURVE,...',
        default=','.join(curves.CURVES), help='curves to measure, out of '
        + ', '.join(curves.CURVES))
    parser.add_argument(
        '--peers', type=_choice('peer', _PEERS), metavar='NAME,...',
        default='Nova,glanceclient,curl', help='peers to measure, out of '
        + ', '.join(_PEERS))
    _add_files(parser)
    _add_switches(parser)
    arguments = parser.parse_args(argv)
    if arguments.page:
        arguments.plots = _PAGE / 'pictures'
        arguments.rst = _PAGE / 'scale-fits.txt'
    return arguments


def _add_switches(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--page', action='store_true', help='write the plots '
                        'and the tables into the documentation')
    parser.add_argument('--resume', action='store_true', help='keep the '
                        'points of the file of figures, and measure only the '
                        'others')
    parser.add_argument('--draw', action='store_true', help='measure '
                        'nothing; fit and plot the file of figures')
    parser.add_argument('--keep', action='store_true',
                        help="keep the services' folders and logs")


def _add_files(parser: argparse.ArgumentParser) -> None:
    folder = paths.cache() / 'benchmarks'
    parser.add_argument('--json', type=pathlib.Path, metavar='PATH',
                        default=folder / 'scale.json',
                        help='file for the figures')
    parser.add_argument('--plots', type=pathlib.Path, metavar='FOLDER',
                        default=folder, help='folder for the plots')
    parser.add_argument('--rst', type=pathlib.Path, metavar='PATH',
                        default=folder / 'scale-fits.txt',
                        help='file for the tables of the fits, in RST')


def _size(text: str) -> int:
    found = sizes.parse(text)
    if len(found) != 1:
        raise argparse.ArgumentTypeError('%r is more than one size' % text)
    return found[0]


def _choice(what: str, names: typing.Iterable[str]
            ) -> typing.Callable[[str], list[str]]:
    """Return a type for argparse: some of the names."""
    def parse(text: str) -> list[str]:
        chosen = text.split(',')
        unknown = sorted(set(chosen) - set(names))
        if unknown:
            raise argparse.ArgumentTypeError('unknown %ss: %s' % (
                what, ', '.join(unknown)))
        return [name for name in names if name in chosen]
    return parse
