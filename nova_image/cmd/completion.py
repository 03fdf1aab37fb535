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

"""The command that prints the completion script for bash."""

import argparse
import re

from cliff import complete

from nova_image.cmd import base
from nova_image.cmd import errors

#: names of commands that are safe in a script
_NAME = re.compile('[A-Za-z0-9][A-Za-z0-9._-]*')


class Complete(base.Command, complete.CompleteCommand):
    """Print the completion script for bash.

    The script uses functions of the bash-completion package.
    """

    examples = """
        source <(nova-image complete)
        nova-image complete > /etc/bash_completion.d/nova-image
    """

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Print the script; refuse a name that would be code in it."""
        name = parsed_args.name
        if name is not None and not _NAME.fullmatch(name):
            raise errors.Usage(
                'Invalid name of a command: %s. Use letters, digits, ".", '
                '"_" and "-"' % name)
        return super().take_action(parsed_args)
