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

"""nova-image-status upgrade check: is the cloud ready for v2?"""

import argparse
import typing

from nova_image.cmd import options
from nova_image.cmd import status_cloud

NAME = 'check'
SUMMARY = 'Check whether the cloud is ready for v2, and mend what is not.'


def add_parser(subparsers: typing.Any) -> None:
    """Add the parser of the subcommand."""
    parser = subparsers.add_parser(
        NAME, help=SUMMARY, formatter_class=options.Formatter,
        allow_abbrev=False)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the subcommand and return its exit code."""
    status_cloud.open_cloud(arguments)
    return 0
