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

"""The options that all commands share, before or after the command.

They are common to all OpenStack clients, and override the environment
variables of the same name (``OS_CLOUD`` for ``--os-cloud``) and clouds.yaml.
"""

from __future__ import annotations

import argparse
import collections.abc
import re
import sys
import typing

from nova_image.cmd import codes
from nova_image.cmd import errors
from nova_image.cmd import release

#: largest number that Glance stores
MAX_NUMBER = 2 ** 63 - 1
#: largest min_disk and min_ram that Glance accepts
MAX_MINIMUM = 2 ** 31 - 1
#: longest timeout of a socket in seconds: its milliseconds are a C int
LONGEST_WAIT = 2147483

#: name -> (metavar, help)
_AUTH = {
    'cloud': ('<cloud>', 'Cloud in clouds.yaml to use.'),
    'auth-type': ('<type>', 'Authentication type, such as password, token or '
                            'v3applicationcredential; none for a Glance '
                            'without Keystone.'),
    'auth-url': ('<url>', 'URL of Keystone.'),
    'username': ('<name>', 'Name of the user.'),
    'user-id': ('<id>', 'ID of the user.'),
    'user-domain-name': ('<name>', "Name of the user's domain."),
    'user-domain-id': ('<id>', "ID of the user's domain."),
    'password': ('<password>', 'Password; prompted for on a terminal if '
                               'missing. Other users of this machine can '
                               'see it here; prefer OS_PASSWORD.'),
    'project-name': ('<name>', 'Name of the project.'),
    'project-id': ('<id>', 'ID of the project.'),
    'project-domain-name': ('<name>', "Name of the project's domain."),
    'project-domain-id': ('<id>', "ID of the project's domain."),
    'system-scope': ('<scope>', 'System scope instead of a project: all.'),
    'token': ('<token>', 'Existing token to use.'),
    'application-credential-id': ('<id>', 'ID of an application '
                                          'credential.'),
    'application-credential-name': ('<name>', 'Name of an application '
                                              'credential of the user.'),
    'application-credential-secret': ('<secret>', 'Secret of the '
                                                  'application credential.'),
}
_SERVICE = {
    'region-name': ('<region>', 'Region of Glance.'),
    'interface': ('<interface>', 'Interface of the endpoint in the '
                                 'catalog: public, internal or admin.'),
    'endpoint': ('<url>', 'URL of Glance, instead of the endpoint in the '
                          'catalog.'),
}
_TLS = {
    'cacert': ('<file>', 'Bundle of CA certificates to trust.'),
    'cert': ('<file>', 'Client certificate.'),
    'key': ('<file>', 'Key of the client certificate.'),
}


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help with descriptions and examples as they are written."""

    def __init__(self, prog: str, **options: typing.Any) -> None:
        """Make the column of the options wide enough for ours."""
        super().__init__(prog, **{**options, 'max_help_position': 30})


def build(description: str) -> argparse.ArgumentParser:
    """Return the parser of the options that all commands share."""
    parser = argparse.ArgumentParser(
        'nova-image', '%(prog)s [option ...] <command> [argument ...]',
        description, exit_codes(), formatter_class=Formatter,
        add_help=False, allow_abbrev=False)
    parser.add_argument(
        '-h', '--help', dest='deferred_help', action='store_true',
        help='Show this help, or the help of the command, and exit.')
    parser.add_argument(
        '--version', action=Version, nargs=0,
        help='Show the version and exit.')
    _add_output(parser)
    group = parser.add_argument_group('image service')
    group.add_argument(
        '--os-image-api-version', metavar='<version>',
        help='Version of the Images API: 2 (the default), or 1 for a Glance '
             'before Rocky that serves only v1.')
    _add_all(group, _SERVICE)
    _add_all(parser.add_argument_group('authentication'), _AUTH)
    _add_tls(parser.add_argument_group('connections'))
    return parser


def _add_output(parser: argparse.ArgumentParser) -> None:
    level = parser.add_mutually_exclusive_group()
    level.add_argument(
        '-v', '--verbose', action='count', dest='verbose_level', default=1,
        help='Show more messages, such as retries and their reasons.')
    level.add_argument(
        '-q', '--quiet', action='store_const', dest='verbose_level',
        const=0, help='Show only errors, and no progress.')
    parser.add_argument(
        '--debug', action='store_true',
        help='Show every request, and the traceback of an error. Passwords '
             'and tokens are not shown.')
    parser.add_argument(
        '--log-file', metavar='<file>',
        help='Append everything that --debug shows to this file.')


def _add_all(group: typing.Any,
             options: dict[str, tuple[str, str]]) -> None:
    for name, (metavar, text) in options.items():
        group.add_argument('--os-' + name, metavar=metavar, help=text)


def _add_tls(group: typing.Any) -> None:
    _add_all(group, _TLS)
    group.add_argument(
        '--insecure', action='store_true', default=None,
        help='Do not verify server certificates.')
    group.add_argument(
        '--timeout', metavar='<seconds>', type=seconds, dest='api_timeout',
        help='Seconds to wait for a response (default: 600).')


class Version(argparse.Action):
    """Show the version, which is read only when it is needed."""

    def __call__(self, parser: argparse.ArgumentParser,
                 namespace: argparse.Namespace, values: typing.Any,
                 option_string: str | None = None) -> None:
        sys.stdout.write('%s %s\n' % (parser.prog, release.version()))
        parser.exit()


def exit_codes() -> str:
    """Return the exit codes as text for the end of the help."""
    return '\n'.join(['Exit codes::', ''] + [
        '    %-4d %s' % item for item in codes.MEANINGS.items()])


def one_line_errors(parser: argparse.ArgumentParser,
                    see: str) -> argparse.ArgumentParser:
    """Make a parser report errors in one line.

    :param see: the command that shows the help
    """
    def error(message: str) -> typing.NoReturn:
        parser.exit(codes.USAGE, '%s: %s. See %s\n' % (
            parser.prog, errors.usage_of(message), see))

    parser.error = error  # type: ignore[method-assign]
    return parser


def number(least: int, most: int
           ) -> collections.abc.Callable[[str], int]:
    """Return the ``type`` of an argument that is a whole number.

    :param least: the smallest valid number
    :param most: the largest valid number
    """
    def convert(text: str) -> int:
        if not re.fullmatch('[0-9]{1,19}', text) or not (
                least <= int(text) <= most):
            raise argparse.ArgumentTypeError(
                '%r is not a whole number from %d to %d' % (
                    text, least, most))
        return int(text)

    return convert


def seconds(text: str) -> float:
    """Return seconds of more than 0; the ``type`` of an argument."""
    if not re.fullmatch(r'[0-9]{1,19}(\.[0-9]{1,19})?', text) or not (
            0 < float(text) <= LONGEST_WAIT):
        raise argparse.ArgumentTypeError(
            '%r is not a number of seconds, more than 0 and at most %d' % (
                text, LONGEST_WAIT))
    return float(text)


def pairs(text: str) -> tuple[str, str]:
    """Split NAME=VALUE; the ``type`` of an argument."""
    name, equals, value = text.partition('=')
    if not equals or not name.strip():
        raise argparse.ArgumentTypeError(
            '%r does not have the form NAME=VALUE' % text)
    return name.strip(), value


def without_nones(items: collections.abc.Iterable[tuple[str, typing.Any]]
                  ) -> dict[str, typing.Any]:
    """Return the items whose value is not None."""
    return {name: value for name, value in items if value is not None}
