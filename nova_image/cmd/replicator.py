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

"""nova-image-replicator: the verbs and options of glance-replicator.

They are translated to what nova-image replicate and the related commands do.
"""

from __future__ import annotations

import argparse
import collections.abc
import glob
import re
import sys
import typing

from nova_image.cmd import codes
from nova_image.cmd import display
from nova_image.cmd import errors
from nova_image.cmd import options
from nova_image.cmd import replication
from nova_image.cmd import replication_options
from nova_image.cmd import shell
from nova_image import exception

if typing.TYPE_CHECKING:
    from nova_image.cmd import session
    from nova_image.replication import ends

#: versions of the Images API; the first that a server has is used
_APIS: tuple[str, ...] = ('v2', 'v1')
#: ID of an image that no server has
_NO_IMAGE = '00000000-0000-4000-8000-000000000000'
_SERVER = re.compile(r'([\w.-]+|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})', re.ASCII)
_TOKEN = re.compile('[!-~]*')
#: what argparse shows of the command line, apart from the names of options
_VALUE = re.compile(r"""(?<==)\S+|(['"]).*\1""")
_LEFT_OUT = 'created_at date deleted_at location updated_at'
#: names of v1 for fields that replication calls by their names in v2
_RENAMED = {'is_public': 'visibility', 'os_hidden': 'hidden'}
_DESCRIPTION = """\
Replicate images between Glances with the command line of glance-replicator.
A SERVER has the form HOST:PORT, such as 10.0.0.1:9292, or is a URL. The Images
API v2 is used, or v1 if the server does not have v2."""
_EXIT_CODES = """\
Exit codes::

    0    success; for compare, the images are the same
    1    any error, an image that could not be replicated, or a difference
         that compare has found

See also: nova-image replicate, which has more options"""


class Front(shell.Shell):
    """The application."""

    NAME = 'nova-image-replicator'

    def build_option_parser(
            self, description: str | None, version: str | None,
            argparse_kwargs: dict[str, typing.Any] | None = None,
    ) -> argparse.ArgumentParser:
        """Return the parser of the whole command line."""
        parser = build()

        def error(message: str) -> typing.NoReturn:
            parser.exit(codes.USAGE, '%s: %s. See %s --help\n' % (
                self.NAME, errors.usage_of(_VALUE.sub('***', message)),
                self.NAME))

        parser.error = error  # type: ignore[method-assign]
        return parser

    def run(self, argv: list[str]) -> int:
        """Run one command and return its exit code.

        :returns: codes.DONE, or another code
        """
        try:
            arguments, unknown = self.parser.parse_known_intermixed_args(argv)
            self.options = _shared(arguments)
            self.configure_logging()
            if unknown:
                raise errors.Usage('Unknown option %s. See %s --help' % (
                    _name(unknown[0]), self.NAME))
            return self._run(arguments)
        except BrokenPipeError:
            raise
        except Exception as error:
            return self.report(error)

    def _run(self, arguments: argparse.Namespace) -> int:
        if not arguments.words:
            raise errors.Usage('No command given. See %s --help' % self.NAME)
        name, *words = arguments.words
        if name == 'help':
            return self._help(words)
        verb = _find(name)
        if len(words) != len(verb.words):
            raise errors.Usage('%s requires %s. See %s help %s' % (
                name, ' '.join(verb.words), self.NAME, name))
        arguments.sourcetoken, arguments.targettoken = (
            _checked_token(arguments.token or own)
            for own in (arguments.sourcetoken, arguments.targettoken))
        return verb.run(self, arguments, *words)

    def _help(self, words: list[str]) -> int:
        if not words:
            sys.stdout.write(self.parser.format_help())
            return codes.DONE
        verb = _find(words[0])
        sys.stdout.write('usage: %s [option ...] %s %s\n\n%s\n' % (
            self.NAME, words[0], ' '.join(verb.words), verb.text))
        return codes.DONE

    def open_cloud(self, server: str, token: str) -> 'session.ReplicaCloud':
        """Return a server as an end of a replication.

        :param server: HOST:PORT, or a URL
        :param token: to send to it; empty without Keystone
        :raises errors.Usage: if it is neither
        :raises errors.Failed: if it does not have the Images API
        """
        from nova_image.cmd import session

        base = (server if '://' in server else
                'http://' + _checked(server)).rstrip('/')
        apis = _APIS
        if base.endswith(tuple('/' + api for api in _APIS)):
            base, _, wanted = base.rpartition('/')
            apis = (wanted,)
        for api in apis:
            cloud = session.open_end(self.options, '%s/%s' % (base, api),
                                     token or None)
            try:
                cloud.end.image(_NO_IMAGE)
            except exception.GlanceVersionNotServed:
                continue
            self.say('Using the Images API %s of %s' % (
                api, exception.redact(base)))
            return cloud
        raise errors.Failed('%s does not have the Images API %s' % (
            exception.redact(base), ' or '.join(apis)), codes.NO_CONNECTION)

    def open(self, server: str, token: str) -> 'ends.End':
        """Return a server as an end of a replication; see open_cloud()."""
        return self.open_cloud(server, token).end

    def open_pair(self, arguments: argparse.Namespace, source: str,
                  target: str) -> tuple['ends.End', 'ends.End']:
        """Return two servers as the ends of a replication.

        :raises errors.Usage: if they are the same
        """
        from nova_image.cmd import session

        first = self.open_cloud(source, arguments.sourcetoken)
        second = self.open_cloud(target, arguments.targettoken)
        try:
            session.refuse_same(first, [second])
        except errors.Usage:
            raise errors.Usage('Both servers are the same Glance') from None
        return first.end, second.end

    def replicate(self, arguments: argparse.Namespace, source: 'ends.Source',
                  target: 'ends.End', change: bool = True) -> int:
        """Replicate or compare, and return the exit code.

        :param arguments: with ``dontreplicate`` and ``metadata_only``
        """
        from nova_image.replication import rules
        from nova_image.replication import run

        return replication.Replicate(self, self.options).replicate(
            arguments, source, [(target, rules.Projects())],
            run.Options(change=change))


class _Verb(typing.NamedTuple):
    """A command of glance-replicator."""

    words: tuple[str, ...]
    summary: str
    text: str
    run: collections.abc.Callable[..., int]


def _size(front: Front, arguments: argparse.Namespace, server: str) -> int:
    """Add up the sizes of the images that dump would copy."""
    end = front.open(server, arguments.targettoken or arguments.sourcetoken)
    sizes = [image.size or 0 for image in end.images()
             if image.status in end.readable]
    # Scripts find the numbers where glance-replicator has them.
    sys.stdout.write('The data takes %d bytes (%s) in %d images\n' % (
        sum(sizes), display.human_size(sum(sizes)), len(sizes)))
    return codes.DONE


def _dump(front: Front, arguments: argparse.Namespace, server: str,
          path: str) -> int:
    """Copy the images of a server to a folder."""
    from nova_image.replication import folder

    source = front.open(server, arguments.sourcetoken)
    return front.replicate(
        _contents('', False), source,
        folder.Folder(path, create=True, data=not arguments.metaonly))


def _load(front: Front, arguments: argparse.Namespace, server: str,
          path: str) -> int:
    """Copy the images of a folder to a server."""
    from nova_image.replication import old_dump

    source = old_dump.open_dump(path, not arguments.metaonly)
    return front.replicate(
        _contents(arguments.dontreplicate, arguments.metaonly), source,
        front.open(server, arguments.targettoken))


def _livecopy(front: Front, arguments: argparse.Namespace, source: str,
              target: str) -> int:
    """Copy the images of a server to another one."""
    return front.replicate(
        _contents(arguments.dontreplicate, arguments.metaonly),
        *front.open_pair(arguments, source, target))


def _compare(front: Front, arguments: argparse.Namespace, source: str,
             target: str) -> int:
    """Show what is missing or different at another server."""
    return front.replicate(
        _contents(arguments.dontreplicate, False),
        *front.open_pair(arguments, source, target), change=False)


_PAIR = ('FROM-SERVER', 'TO-SERVER')
VERBS = {
    'compare': _Verb(_PAIR, 'Show what the second server lacks.', """\
Show the images that the second server lacks, and those that differ.""",
                     _compare),
    'dump': _Verb(('SERVER', 'PATH'), 'Copy images to a folder.', """\
Copy the images of a server to a folder, in the layout of nova-image dump.""",
                  _dump),
    'livecopy': _Verb(_PAIR, 'Copy images to the second server.', """\
Copy the images of the first server to the second one.""", _livecopy),
    'load': _Verb(('SERVER', 'PATH'), 'Copy images from a folder.', """\
Copy the images of a folder to a server. The folder is a dump of this program,
of nova-image or of glance-replicator.""", _load),
    'size': _Verb(('SERVER',), 'Show the size of a dump.', """\
Show the size of the data that dump would copy.""", _size),
}


def build() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    commands = ['Commands:', ''] + ['  %-34s%s' % (
        ' '.join((name, *verb.words)), verb.summary)
        for name, verb in VERBS.items()]
    parser = argparse.ArgumentParser(
        Front.NAME, '%(prog)s [option ...] COMMAND [ARGUMENT ...]',
        '\n'.join([_DESCRIPTION, '', *commands]), _EXIT_CODES,
        formatter_class=options.Formatter, add_help=False)
    parser.add_argument('words', nargs='*', help=argparse.SUPPRESS)
    parser.add_argument('-h', '--help', action='help',
                        help='Show this help and exit; help COMMAND shows '
                             'that of a command.')
    parser.add_argument('--version', action=options.Version, nargs=0,
                        help='Show the version and exit.')
    _add_contents(parser)
    _add_tokens(parser.add_argument_group('authentication'))
    group = parser.add_argument_group('messages')
    group.add_argument('-d', '--debug', action='store_true',
                       help='Show every request, without tokens.')
    group.add_argument('-v', '--verbose', action='store_true',
                       help='Show more messages, such as retries.')
    group.add_argument(
        '-l', '--logfile', '--log-file', metavar='PATH', dest='log_file',
        help='Append everything that --debug shows to this file.')
    return parser


def _add_contents(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what to replicate."""
    parser.add_argument(
        '-c', '--chunksize', metavar='BYTES', type=int,
        help='Has no effect: the pieces of a transfer have the right size.')
    parser.add_argument(
        '-D', '--dontreplicate', metavar='NAMES', default=_LEFT_OUT,
        help='Fields and properties to leave out, in one argument with '
             "spaces, such as 'owner is_public'. The fields %s are never "
             'replicated.' % _LEFT_OUT.replace(' ', ', '))
    parser.add_argument(
        '-m', '--metaonly', action='store_true',
        help='Replicate only metadata. Images that the target lacks are '
             'left out.')


def _add_tokens(group: typing.Any) -> None:
    """Add the options for tokens."""
    for names, text in (
            (('-t', '--token'), 'Token for both servers.'),
            (('-M', '--mastertoken', '--sourcetoken'),
             'Token for the server to read from.'),
            (('-S', '--slavetoken', '--targettoken'),
             'Token for the server to write to.')):
        group.add_argument(
            *names, metavar='TOKEN', default='', dest=names[-1][2:],
            help=text + ' Other users of this machine can see it here.')


def _shared(arguments: argparse.Namespace) -> argparse.Namespace:
    """Return the options of nova-image that correspond to ours."""
    found = options.build('').parse_args([])
    found.debug = arguments.debug
    found.log_file = arguments.log_file
    found.verbose_level += arguments.verbose
    return found


def _contents(names: str, metadata_only: bool) -> argparse.Namespace:
    """Return the options of nova-image replicate that correspond to ours.

    :param names: of the fields and properties to leave out
    """
    parser = argparse.ArgumentParser()
    replication_options.add_filters(parser)
    replication_options.add_contents(parser)
    replication_options.add_journal(parser)
    found = parser.parse_args([])
    found.dontreplicate = [
        glob.escape(_RENAMED.get(name, name)) for name in names.split()
        if name not in _LEFT_OUT.split()]
    found.metadata_only = metadata_only
    found.as_json = found.all_images = False
    return found


def _name(word: str) -> str:
    """Return the name of an option without its value, which may be a token."""
    return word.partition('=')[0] if word.startswith('--') else word[:2]


def _find(name: str) -> _Verb:
    """Return a command by its name."""
    try:
        return VERBS[name]
    except KeyError:
        # A token without its option would be shown here.
        raise errors.Usage('Unknown command. Use one of: %s' % ', '.join(
            VERBS)) from None


def _checked_token(token: str) -> str:
    """Return a token that fits into a header."""
    if not _TOKEN.fullmatch(token):
        raise errors.Usage('A token must have only ASCII characters, and no '
                           'spaces')
    return token


def _checked(server: str) -> str:
    """Return a valid HOST:PORT."""
    match = _SERVER.fullmatch(server)
    if match is None or not 0 < int(match[2]) < 65536:
        raise errors.Usage('A server must have the form HOST:PORT, such as '
                           '10.0.0.1:9292, or be a URL')
    return server
