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

"""The nova-image application: cliff with our options and errors."""

from __future__ import annotations

import argparse
import collections.abc
import functools
from importlib import metadata
import inspect
import logging
import sys
import typing

from cliff import app
from cliff import command
from cliff import commandmanager
from stevedore import named

from nova_image.cmd import codes
from nova_image.cmd import completion
from nova_image.cmd import errors
from nova_image.cmd import formats
from nova_image.cmd import options
from nova_image.cmd import safe_text
from nova_image import exception

if typing.TYPE_CHECKING:
    from nova_image.cmd import session

#: group of the commands' entry points, also for other packages
NAMESPACE = 'nova_image.cli'
_DESCRIPTION = """\
Manage the images of an OpenStack cloud as Nova sees them. The commands and
their output are the same for the Glance Images API v2 and v1.

Specify the cloud and the user as for any OpenStack client: with OS_CLOUD and
clouds.yaml, with OS_AUTH_URL, OS_USERNAME and so on, or with options. Specify
an image by its ID, or by its name if no other image has the same name."""
#: loggers that warn about every retry and every guess
_CHATTY = ('nova_image.image.client', 'keystoneauth')


class Shell(app.App):
    """The application.

    ``cloud`` gives commands access to Glance. ``said_anything`` is whether
    say() has been called.
    """

    NAME = 'nova-image'
    LOG = logging.getLogger(NAME)
    said_anything = False

    def __init__(self) -> None:
        """Load the list of commands."""
        super().__init__(
            _DESCRIPTION, None, _Commands(NAMESPACE),
            deferred_help=True)
        self.command_manager.add_command('help', Help)
        self.command_manager.add_command('complete', completion.Complete)

    def build_option_parser(
            self, description: str | None, version: str | None,
            argparse_kwargs: dict[str, typing.Any] | None = None,
    ) -> argparse.ArgumentParser:
        """Return the parser of the options that all commands share."""
        return options.one_line_errors(
            options.build(description or ''), 'nova-image --help')

    @functools.cached_property
    def cloud(self) -> 'session.Cloud':
        """The cloud and its image driver, opened on first use."""
        from nova_image.cmd import session
        return session.open_cloud(self.options)

    @property
    def shows_progress(self) -> bool:
        """Whether to show progress bars."""
        return bool(self.options.verbose_level) and sys.stderr.isatty()

    def configure_logging(self) -> None:
        """Log warnings, or more if requested, without secrets."""
        level = {0: logging.ERROR, 1: logging.WARNING}.get(
            self.options.verbose_level, logging.INFO)
        if self.options.debug:
            level = logging.DEBUG
        root = logging.getLogger()
        root.setLevel(logging.DEBUG if self.options.log_file else level)
        _add_handler(root, logging.StreamHandler(self.stderr), level,
                     self.NAME + ': %(levelname)s: %(message)s')
        if self.options.log_file:
            try:
                handler = _LogFile(self.options.log_file, self.say)
            except OSError as error:
                raise SystemExit(self.report(error))
            _add_handler(root, handler, logging.DEBUG,
                         self.LOG_FILE_MESSAGE_FORMAT)
        if level == logging.WARNING and not self.options.log_file:
            for name in _CHATTY:
                logging.getLogger(name).setLevel(logging.ERROR)

    def run(self, argv: list[str]) -> int:
        """Run one command and return its exit code."""
        try:
            return super().run(argv)
        except Exception as error:
            return self.report(error)

    def print_help_if_requested(self) -> None:
        """Show the options and the commands if --help was given."""
        if self.options.deferred_help:
            try:
                self.print_help()
            except BrokenPipeError:
                raise
            except OSError as error:
                raise SystemExit(self.report(error))
            raise SystemExit(codes.DONE)

    def print_help(self) -> None:
        """Show the options and the commands."""
        text, _, ending = self.parser.format_help().partition('Exit codes')
        self.stdout.write('%sCommands:\n%s\n\nSee also: nova-image help '
                          '<command>\n\nExit codes%s' % (
                              text, self.summaries(), ending))

    def summaries(self) -> str:
        """Return the commands, each with the first line of its help."""
        return '\n'.join('  %-20s %s' % (name, summary(point.load()))
                         for name, point in sorted(self.command_manager))

    def interact(self) -> None:
        """Report that a command is required."""
        self.stderr.write('nova-image: no command given. See nova-image '
                          '--help\n')
        raise SystemExit(codes.USAGE)

    def run_subcommand(self, argv: list[str]) -> int:
        """Run a command; suggest similar names for an unknown one."""
        try:
            self.command_manager.find_command(argv)
        except ValueError:
            near = self.get_fuzzy_matches(argv[0])
            hint = '. Did you mean %s?' % ' or '.join(
                near[:4]) if near else '.'
            self.say('unknown command %s%s See nova-image --help' % (
                argv[0], hint))
            return codes.USAGE
        return super().run_subcommand(argv)

    def prepare_to_run_command(self, cmd: command.Command) -> None:
        """Use our output formats."""
        formats.install(cmd)

    def report(self, error: Exception) -> int:
        """Report an error in one line and return its exit code."""
        if getattr(self, 'options', None) and self.options.debug:
            self.stderr.write(errors.trace_of(error))
        self.say(errors.line_of(error))
        return errors.code_of(error)

    def say(self, line: str) -> None:
        """Write a message for people to standard error."""
        self.said_anything = True
        self.stderr.write('%s: %s\n' % (self.NAME, safe_text.shown(line)))


class _Commands(commandmanager.CommandManager):
    """The commands by name; of ours, only the one that runs is imported."""

    def load_commands(self, namespace: str) -> None:
        """Add the commands of a group of entry points.

        Those of other packages are imported, because that may fail.
        """
        self.group_list.append(namespace)
        found: typing.Any = named.NamedExtensionManager(namespace, [])
        points = found.list_entry_points()
        loaded: typing.Any = named.NamedExtensionManager(
            namespace, [point.name for point in points
                        if not _is_ours(point)])
        for point in [*filter(_is_ours, points),
                      *(one.entry_point for one in loaded)]:
            self.commands[point.name.replace('_', ' ')] = point


def _is_ours(point: metadata.EntryPoint) -> bool:
    return point.value.startswith('nova_image.')


class _Redacted(logging.Formatter):
    """Mask tokens and credentials in URLs, whatever logs them.

    Nothing in a record controls a terminal. A message is one line; only a
    traceback has several.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as text."""
        return safe_text.harmless(exception.redact(super().format(record)))

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        return safe_text.shown(exception.redact(
            super().formatMessage(record)))


class _LogFile(logging.FileHandler):
    """A log file; if it cannot be written, that is reported once."""

    def __init__(self, path: str,
                 say: collections.abc.Callable[[str], None]) -> None:
        """Open the file.

        :param path: path of the file
        :param say: called with the line that reports an error
        """
        super().__init__(path, encoding='utf-8', errors='backslashreplace')
        self._path = path
        self._say: collections.abc.Callable[[str], None] | None = say

    def handleError(self, record: logging.LogRecord) -> None:
        """Report the first error."""
        say, self._say = self._say, None
        error = sys.exc_info()[1]
        if say is not None and isinstance(error, OSError):
            error.filename = self._path
            say(errors.line_of(error))


def _add_handler(root: logging.Logger, handler: logging.Handler, level: int,
                 layout: str) -> None:
    handler.setLevel(level)
    handler.setFormatter(_Redacted(layout))
    root.addHandler(handler)


def summary(kind: type[command.Command]) -> str:
    """Return the first line of a command's help."""
    return (inspect.getdoc(kind) or '').partition('\n')[0].rstrip('.')


class Help(command.Command):
    """Show the help of a command."""

    app: Shell

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return a parser that accepts the name of a command."""
        parser = super().get_parser(prog_name)
        parser.add_argument('cmd', nargs='*', help='Name of the command.')
        return parser

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Show the help of a command, or of the application."""
        try:
            if not parsed_args.cmd:
                self.app.print_help()
                return codes.DONE
            return self.take_action(parsed_args)
        except BrokenPipeError:
            raise
        except Exception as error:
            return self.app.report(error)

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Show the help of one command."""
        try:
            kind, name, _ = self.app.command_manager.find_command(
                parsed_args.cmd)
        except ValueError:
            raise errors.Usage('Unknown command %s. See nova-image --help' %
                               ' '.join(parsed_args.cmd))
        found = kind(self.app, self.app.options)
        self.app.stdout.write(found.get_parser(
            'nova-image ' + name).format_help())
        return codes.DONE
