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

"""The base classes of the commands.

Command modules import cliff and little else, so that help stays fast.
nova_image.cmd.session imports the client libraries when a command opens the
cloud.
"""

from __future__ import annotations

import argparse
import collections.abc
import os
import textwrap
import typing
import uuid

from cliff import command
from cliff import lister
from cliff import show

from nova_image.cmd import codes
from nova_image.cmd import display
from nova_image.cmd import errors
from nova_image.cmd import options
from nova_image import exception

if typing.TYPE_CHECKING:
    from nova_image.cmd import shell
    from nova_image.image import api as image_api

#: maximum number of images that an error names
_NAMED = 5
_WIDTH = options.number(0, 10 ** 6)
_EMPTY = 'The ID or name of an image is empty. Check your shell variables'

Result = typing.TypeVar('Result')


class Command(command.Command):
    """A command with one-line errors and examples in its help.

    It finds images by ID or by name. ``examples`` is the text of the examples
    in the help.
    """

    app: 'shell.Shell'
    examples = ''

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser of the command's arguments."""
        self._check_widths()
        parser = super().get_parser(prog_name)
        for action in parser._actions:
            if '--max-width' in action.option_strings:
                action.type = _WIDTH
        parser.formatter_class = options.Formatter
        parser.epilog = 'Examples::\n\n' + textwrap.indent(
            textwrap.dedent(self.examples).strip(), '    ')
        options.one_line_errors(parser, 'nova-image help ' +
                                prog_name.removeprefix('nova-image '))
        self.add_arguments(parser)
        return parser

    def _check_widths(self) -> None:
        """Refuse numbers of the environment that cliff cannot read."""
        for name in ('CLIFF_MAX_TERM_WIDTH', 'CLIFF_FIT_WIDTH'):
            try:
                _WIDTH(os.environ.get(name, '0'))
            except argparse.ArgumentTypeError as error:
                self.app.say('%s: %s' % (name, error))
                raise SystemExit(codes.USAGE)

    def get_epilog(self) -> str:
        """Return nothing: cliff would read the metadata of all packages."""
        return ''

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments of the command."""

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Run the command; report an error as one line and an exit code."""
        try:
            _check_text(parsed_args)
            return self._run_for_image(parsed_args)
        except BrokenPipeError:
            raise
        except KeyboardInterrupt:
            if not self.app.said_anything:
                self.app.say('Interrupted')
            raise
        except Exception as error:
            return self.app.report(error)

    @property
    def images(self) -> 'image_api.API':
        """The image API of the cloud."""
        return self.app.cloud.images

    @property
    def caller(self) -> typing.Any:
        """The request context to pass to the methods of ``images``."""
        return self.app.cloud.caller

    def find(self, reference: str) -> str:
        """Return the ID of an image.

        A UUID is returned as it is. Anything else is a name or, if no image
        has that name, an ID.

        :param reference: ID or name
        :raises errors.Usage: if it is empty
        :raises errors.Failed: if no image or several images match
        """
        if not reference:
            raise errors.Usage(_EMPTY)
        if _is_uuid(reference):
            return reference
        if '://' in reference:
            return self._by_url(reference)
        return self._by_name(reference) or self._by_other_id(reference)

    def _by_name(self, name: str) -> str | None:
        """Return the ID of the image with a name; None if there is none.

        Of images with one name, those that are hidden are the older ones.

        :raises errors.Failed: if several images have the name
        """
        found = self._ids_by_name(name) or self._hidden_ids_by_name(name)
        if len(found) > 1:
            more = ', ...' if len(found) > _NAMED else ''
            raise errors.Failed(
                'Several images have the name %s. Use an ID: %s' % (
                    name, ', '.join(found[:_NAMED]) + more), codes.CONFLICT)
        return found[0] if found else None

    def _ids_by_name(self, name: str, **filters: typing.Any) -> list[str]:
        """Return the IDs of the images with exactly this name.

        A database may ignore case, accents and trailing blanks. Any number
        of other images may thus match, so there is no limit, and names are
        compared here: a wrong image might be deleted.
        """
        if name.isascii():  # in v1, Glance 15 responds with 500 to others
            filters['name'] = name
        return [image['id'] for image in self.images.get_all(
            self.caller, filters=filters) if image['name'] == name]

    def _hidden_ids_by_name(self, name: str) -> list[str]:
        try:
            return self._ids_by_name(name, os_hidden=True)
        except exception.ImageActionNotSupported:  # by v1
            return []

    def _by_url(self, url: str) -> str:
        """Return the ID of an image that a URL or such a name means."""
        try:
            return self.images.get(self.caller, url)['id']
        except (exception.ImageNotFound, exception.InvalidImageRef):
            found = self._by_name(url)
            if found is None:
                raise
            return found

    def _by_other_id(self, reference: str) -> str:
        """Return an ID that is not a UUID; v1 allows any ID."""
        try:
            return self.images.get(self.caller, reference)['id']
        except (exception.ImageNotFound, exception.InvalidImageRef):
            raise errors.Failed(
                'No image has the name or ID %s. Check the name, and that '
                'the project has access to the image' % reference,
                codes.NOT_FOUND)

    def _named_like_an_id(self, reference: str) -> str | None:
        """Return the ID of an image whose name is a UUID.

        :param reference: the UUID
        :returns: None if an image has this ID, or none has this name
        """
        try:
            self.images.get(self.caller, reference)
        except exception.ImageNotFound:
            return self._by_name(reference)
        return None

    def _act(self, reference: str,
             act: collections.abc.Callable[[str], Result]) -> Result:
        """Call a function for an image.

        A UUID becomes a name only after no image had this ID, so that an ID
        takes no request more.

        :param reference: ID or name
        :param act: the function; if there is no image, it must not have
            changed or consumed anything
        """
        try:
            return act(reference)
        except exception.ImageNotFound:
            other = self._named_like_an_id(reference) if _is_uuid(
                reference) else None
            if other is None:
                raise
        return act(other)

    def _run_for_image(self, parsed_args: argparse.Namespace) -> int:
        """Run a command that may name an image by a UUID."""
        reference = getattr(parsed_args, 'image', None)
        run = super().run
        if not reference or not _is_uuid(reference):
            return run(parsed_args)
        if getattr(parsed_args, 'file', None) == '-':
            # Standard input and output cannot be repeated.
            parsed_args.image = self._named_like_an_id(reference) or reference
            return run(parsed_args)

        def act(image_id: str) -> int:
            return run(argparse.Namespace(
                **{**vars(parsed_args), 'image': image_id}))

        return self._act(reference, act)

    def each(self, references: collections.abc.Iterable[str],
             act: collections.abc.Callable[[str], object]) -> int:
        """Call a function for each of several images, despite errors.

        :param references: IDs or names
        :param act: the function, which is called with an ID
        :returns: the exit code
        """
        found = set()
        for reference in references:
            try:
                image_id = self.find(reference)
                if image_id == reference:
                    self._act(reference, act)
                else:
                    act(image_id)
            except Exception as error:
                found.add(self.app.report(error))
        if not found:
            return codes.DONE
        return found.pop() if len(found) == 1 else codes.OTHER


class _Display(Command):
    """A command with output."""

    def produce_output(self, parsed_args: argparse.Namespace,
                       column_names: collections.abc.Sequence[str],
                       data: typing.Any) -> int:
        """Write the output; reject unknown columns."""
        wrong = [name for name in (*parsed_args.columns, *getattr(
            parsed_args, 'sort_columns', ())) if name not in column_names]
        if wrong:
            raise errors.Usage('Unknown column: %s. Available columns: %s' % (
                ', '.join(wrong), ', '.join(column_names)))
        return super().produce_output(  # type: ignore[misc]
            parsed_args, column_names, data)


class Lister(_Display, lister.Lister):
    """A command whose output is a list."""


class ShowOne(_Display, show.ShowOne):
    """A command whose output is one object."""

    def columns(self, image: dict[str, typing.Any]
                ) -> tuple[tuple[str, ...], tuple[typing.Any, ...]]:
        """Return the column names and the values of an image."""
        return self.dict2columns(display.details(image))


def add_image(parser: argparse.ArgumentParser, several: bool = False) -> None:
    """Add the argument for an image, or for several images.

    :param several: whether to accept more than one image
    """
    if several:
        parser.add_argument('images', metavar='<image>', nargs='+',
                            type=reference, help='ID or name of an image.')
    else:
        parser.add_argument('image', metavar='<image>',
                            type=reference, help='ID or name of the image.')


def _check_text(arguments: argparse.Namespace) -> None:
    """Reject arguments that are not UTF-8, except file names."""
    for name, value in vars(arguments).items():
        if name != 'file':
            try:
                _joined(value).encode()
            except UnicodeEncodeError:
                raise errors.Usage('The value of %s is not valid UTF-8' % name)


def _joined(value: typing.Any) -> str:
    """Return the text of a value; ``str()`` of a list would escape it."""
    if isinstance(value, (list, tuple)):
        return ''.join(map(_joined, value))
    return str(value)


def reference(text: str) -> str:
    """Refuse an empty ID or name; the ``type`` of an argument."""
    if not text:
        raise argparse.ArgumentTypeError(_EMPTY)
    return text


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
