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

"""The command that prints completion scripts for shells.

shtab writes the scripts from parsers. They are static: completing starts no
Python.
"""

from __future__ import annotations

import argparse
import re
import typing

from cliff import command
from cliff import complete

from nova_image.cmd import base
from nova_image.cmd import errors
from nova_image.cmd import main
from nova_image.cmd import options

#: names of commands that are safe in a script
_NAME = re.compile('[A-Za-z0-9][A-Za-z0-9._-]*')
_SHELLS = ('bash', 'zsh', 'fish')
_DATA_ONLY = 'none'
#: metavars of options whose value is a path
_PATHS = ('<path>', '<file>')
#: Option -> values to suggest. Commands accept others, too: Glance decides.
_VALUES = {
    '--container-format': ('ami', 'ari', 'aki', 'bare', 'compressed',
                           'docker', 'ova', 'ovf'),
    '--disk-format': ('ami', 'ari', 'aki', 'iso', 'ploop', 'qcow2', 'raw',
                      'vdi', 'vhd', 'vhdx', 'vmdk'),
    '--member-status': ('accepted', 'pending', 'rejected', 'all'),
    '--method': ('copy-image', 'glance-direct', 'glance-download',
                 'web-download'),
    '--os-image-api-version': ('1', '2'),
    '--os-interface': ('public', 'internal', 'admin'),
    '--remote-interface': ('public', 'internal', 'admin'),
    '--status': ('active', 'deactivated', 'importing', 'killed', 'queued',
                 'saving', 'uploading'),
    '--visibility': ('community', 'private', 'public', 'shared'),
}
# shtab's own functions split names at blanks.
_FILES = {'bash': """
_nova_image_files() {
  local word=$1
  case $word in
    [\\"\\']*) word=${word:1} ;;
    *) word=${word//\\\\/} ;;
  esac
  [[ $word == "~/"* ]] && word=$HOME${word:1}
  compgen -f -- "$word"
}""", 'fish': """
function _nova_image_files
  complete -C "'' "(commandline -ct)
end"""}


class Complete(base.Command, complete.CompleteCommand):
    """Print the completion script for a shell.

    The script completes commands, options, their values if these are few,
    and files. Print it again after an upgrade, or after installing a package
    with other commands.
    """

    examples = """
        source <(nova-image complete)
        nova-image complete > /etc/bash_completion.d/nova-image
        nova-image complete --shell zsh > \\
            /usr/local/share/zsh/site-functions/_nova-image
        nova-image complete --shell fish > \\
            ~/.config/fish/completions/nova-image.fish
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser of the command's arguments."""
        parser = super().get_parser(prog_name)
        for action in parser._actions:
            if '--name' in action.option_strings:
                action.metavar = '<command>'
                action.help = 'Command to complete (default: nova-image).'
            if '--shell' in action.option_strings:
                action.choices = [*_SHELLS, _DATA_ONLY]
                action.help = ('Shell that the script is for: %s (default: '
                               'bash); %s for the data of bash only.' % (
                                   ', '.join(_SHELLS), _DATA_ONLY))
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Print the script; refuse a name that would be code in it."""
        name = parsed_args.name
        if name is not None and not _NAME.fullmatch(name):
            raise errors.Usage(
                'Invalid name of a command: %s. Use letters, digits, ".", '
                '"_" and "-"' % name)
        if parsed_args.shell == _DATA_ONLY:
            return super().take_action(parsed_args)
        try:
            import shtab
        except ModuleNotFoundError as error:
            return main.missing(error)
        script = shtab.complete(
            self._parser(name or self.app.NAME, _files(shtab.FILE)),
            parsed_args.shell)
        # It works with eval, and with this also with source in zsh.
        self.app.stdout.write('%s\n' % script.replace(
            '[[ $zsh_eval_context[-1] == eval ]]',
            '[[ $zsh_eval_context[-1] == (eval|file) ]]'))
        return 0

    def _parser(self, name: str, files: typing.Any
                ) -> argparse.ArgumentParser:
        """Return a parser of all commands, from which shtab makes a script.

        :param name: name of the program
        :param files: shtab's way to complete a path
        """
        names = [found for found, _ in self.app.command_manager]
        root = options.build('')
        root.prog = name
        _prepare(root, files)
        groups = {'': _below(root)}
        for found in sorted(names):
            parser = self._parser_of(found)
            if found == 'help':
                parser._actions[-1].choices = names
            for action in options.build('')._actions:
                if not parser._option_string_actions.keys() & (
                        action.option_strings):
                    parser._add_action(action)
            parser.description = _plain(parser.description or found)
            _prepare(parser, files)
            above, _, last = found.rpartition(' ')
            _group(groups, above).add_parser(
                last, made=parser, help=parser.description)
        return root

    def _parser_of(self, name: str) -> argparse.ArgumentParser:
        """Return the parser of a command."""
        kind: type[command.Command]
        kind, _, _ = self.app.command_manager.find_command(name.split())
        return kind(self.app, None).get_parser('nova-image ' + name)


def _group(groups: dict[str, typing.Any], name: str) -> typing.Any:
    """Return where to add commands that begin with the same words."""
    if name not in groups:
        above, _, last = name.rpartition(' ')
        text = 'Commands that begin with ' + name
        groups[name] = _below(_group(groups, above).add_parser(
            last, help=text, made=argparse.ArgumentParser(
                add_help=False, description=text)))
    return groups[name]


def _below(parser: argparse.ArgumentParser) -> typing.Any:
    """Return where to add the commands that follow a parser's options.

    Its method add_parser() adds the parser ``made``, which exists already.
    """
    def existing(made: argparse.ArgumentParser, **ignored: typing.Any
                 ) -> argparse.ArgumentParser:
        return made

    return parser.add_subparsers(
        parser_class=existing)  # type: ignore[call-overload]


def _files(files: dict[str, typing.Any]) -> dict[str, typing.Any]:
    """Return shtab's way to complete a path, with our functions."""
    return {**files, 'bash': '_nova_image_files',
            'fish': '(_nova_image_files)', 'preamble': _FILES}


def _prepare(parser: argparse.ArgumentParser, files: typing.Any) -> None:
    """Make the actions of a parser safe in scripts, and name their values."""
    for action in parser._actions:
        if action.help != argparse.SUPPRESS:
            action.help = _plain(action.help or action.dest)
        if action.metavar in _PATHS:
            action.complete = files  # type: ignore[attr-defined]
        metavar = action.metavar if isinstance(
            action.metavar, str) else action.dest
        action.metavar = re.sub('[^A-Za-z0-9]+', ' ', metavar).strip()
        if action.option_strings and action.choices is None:
            action.choices = _VALUES.get(action.option_strings[-1])


def _plain(text: str) -> str:
    """Return the first sentence of a text, without a final full stop.

    Backslashes are removed: fish reads them in what shtab quotes.
    """
    first = re.split(r'\.?\n\s*\n|\.\s', text.strip() + '\n\n')[0]
    return ' '.join(first.replace('\\', '').split())
