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

"""nova-image-status: the move from the Images API v1 to v2, as a command.

Each subcommand of ``upgrade`` is a module with two functions:
``add_parser(subparsers)``, which adds its options, and
``run(arguments) -> exit code``. The cloud is that of
nova_image.cmd.status_cloud.
"""

from __future__ import annotations

import argparse
import sys
import types
import typing

from nova_image.cmd import codes
from nova_image.cmd import options
from nova_image.cmd import shell
from nova_image.cmd import status_check
from nova_image.cmd import status_cloud

#: entry points of further subcommands, so that they can be removed
NAMESPACE = 'nova_image.status.commands'
#: exit code of an error that is none of the results
FAILED = 255

_DESCRIPTION = """\
Find out whether a cloud is ready to stop using the Images API v1.

Specify the cloud by nova.conf on a host of Nova, with --config-file or in its
usual place; or from the shell, as for any OpenStack client: with OS_CLOUD and
clouds.yaml, with OS_AUTH_URL, OS_USERNAME and so on, or with options."""
_EXIT_CODES = """\
Exit codes::

    0    upgrade check: all checks succeeded
    1    upgrade check: at least one check is a warning
    2    upgrade check: at least one check is a failure; or the command line,
         the environment or clouds.yaml is invalid
    130  Ctrl-C
    255  any other error

See also: nova-image-status upgrade <command> --help"""


def _commands() -> tuple[types.ModuleType, ...]:
    """Return the modules of all subcommands, in the order of the help."""
    from stevedore import extension
    found: typing.Any = extension.ExtensionManager(NAMESPACE)
    return (status_check, *(one.plugin for one in sorted(
        found, key=lambda one: str(one.name))))


#: the subcommands of "upgrade", in the order of the help
COMMANDS = _commands()


class Front(shell.Shell):
    """The application."""

    NAME = 'nova-image-status'

    def build_option_parser(
            self, description: str | None, version: str | None,
            argparse_kwargs: dict[str, typing.Any] | None = None,
    ) -> argparse.ArgumentParser:
        """Return the parser of the options that all subcommands share."""
        return options.one_line_errors(build_shared(), self.NAME + ' --help')

    def run(self, argv: list[str]) -> int:
        """Run one subcommand and return its exit code."""
        try:
            shared, words = self.parser.parse_known_args(argv)
            if shared.deferred_help and words in ([], ['upgrade']):
                sys.stdout.write(self._help())
                return codes.DONE
            commands = build_commands()
            arguments = commands.parse_args(
                words + ['--help'] * shared.deferred_help)
            for name, value in vars(shared).items():
                setattr(arguments, name, value)
            self.options = arguments
            self.configure_logging()
            code: int = arguments.run(arguments)
            # The codes 1 and 2 are results, not errors that were reported.
            sys.stdout.flush()
            return code
        except BrokenPipeError:
            raise
        except Exception as error:
            code = self.report(error)
            return code if code == codes.USAGE else FAILED

    def _help(self) -> str:
        text, _, ending = self.parser.format_help().partition('Exit codes')
        lines = ['  upgrade %-12s %s' % (module.NAME, module.SUMMARY)
                 for module in COMMANDS]
        return '%sCommands:\n%s\n\nExit codes%s' % (
            text, '\n'.join(lines), ending)


def build_shared() -> argparse.ArgumentParser:
    """Return the parser of the options that all subcommands share.

    They may be before or after the subcommand.
    """
    parser = options.build(_DESCRIPTION)
    parser.prog = Front.NAME
    parser.usage = '%(prog)s [option ...] upgrade <command> [argument ...]'
    parser.epilog = _EXIT_CODES
    for action in parser._actions:
        if action.dest == 'os_image_api_version':
            action.help = argparse.SUPPRESS  # all versions are asked
    status_cloud.add_options(parser)
    return parser


def build_commands() -> argparse.ArgumentParser:
    """Return the parser of everything but the shared options."""
    parser = argparse.ArgumentParser(
        Front.NAME, '%(prog)s [option ...] upgrade <command> [argument ...]',
        allow_abbrev=False)
    groups = parser.add_subparsers(dest='group', metavar='upgrade',
                                   required=True, prog=Front.NAME)
    upgrade = groups.add_parser(
        'upgrade', help='Prepare the move from v1 to v2.',
        allow_abbrev=False)
    commands = upgrade.add_subparsers(dest='command', metavar='<command>',
                                      required=True, prog=upgrade.prog)
    for module in COMMANDS:
        module.add_parser(commands)
    for one in (parser, upgrade):
        options.one_line_errors(one, Front.NAME + ' --help')
    for one in commands.choices.values():
        options.one_line_errors(one, one.prog + ' --help')
    return parser
