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

"""What all commands have in common.

Command modules import cliff and little else, so that help stays quick; what
reaches Glance is imported with the cloud, by nova_image.cmd.session.
"""

import argparse
import collections.abc
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

#: images to name in an error at the most
_NAMED = 5


class Command(command.Command):
    """Base: one-line errors, examples in the help, images by ID or name.

    ``examples`` is what the help shows of them, one a line.
    """

    app: 'shell.Shell'
    examples = ''

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser of this command's arguments."""
        parser = super().get_parser(prog_name)
        parser.formatter_class = options.Formatter
        parser.epilog = 'Examples::\n\n' + textwrap.indent(
            textwrap.dedent(self.examples).strip(), '    ')
        options.one_line_errors(parser, 'nova-image help ' +
                                prog_name.removeprefix('nova-image '))
        self.add_arguments(parser)
        return parser

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments of the command."""

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Run the command; an error becomes a line and an exit code."""
        try:
            _check_text(parsed_args)
            return super().run(parsed_args)
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
        """The images of the cloud."""
        return self.app.cloud.images

    @property
    def caller(self) -> typing.Any:
        """Who asks; the context that the methods of ``images`` want."""
        return self.app.cloud.caller

    def find(self, reference: str) -> str:
        """Return the ID of an image.

        A UUID is one; anything else is first looked for among the names.

        :param reference: ID or name
        :raises errors.Failed: when several images are called so
        """
        if _is_uuid(reference):
            return reference
        if '://' in reference:
            return self.images.get(self.caller, reference)['id']
        found = self._called(reference)
        if len(found) > 1:
            more = ', ...' if len(found) > _NAMED else ''
            raise errors.Failed(
                'Several images are called %s. Use an ID: %s' % (
                    reference, ', '.join(found[:_NAMED]) + more),
                codes.CONFLICT)
        return found[0] if found else self._by_other_id(reference)

    def _called(self, name: str) -> list[str]:
        """Return the IDs of the images of a name, some if there are many."""
        filters: dict[str, str] = {'name': name}
        limit: int | None = _NAMED + 1
        if not name.isascii():  # Glance 15 answers 500 to that in v1
            filters, limit = {}, None
        # What Glance makes of a filter is not to decide what is deleted.
        return [image['id'] for image in self.images.get_all(
            self.caller, filters=filters, limit=limit)
            if image['name'] == name][:_NAMED + 1]

    def _by_other_id(self, reference: str) -> str:
        """Return the ID of an image whose ID is no UUID; v1 takes any."""
        try:
            return self.images.get(self.caller, reference)['id']
        except (exception.ImageNotFound, exception.InvalidImageRef):
            raise errors.Failed(
                'No image is called %s, or has it for ID. Check the name, '
                'and that the project has access to it' % reference,
                codes.NOT_FOUND)

    def each(self, references: collections.abc.Iterable[str],
             act: collections.abc.Callable[[str], object]) -> int:
        """Do something to several images, whatever becomes of the others.

        :param act: takes an ID
        :returns: the exit code
        """
        found = set()
        for reference in references:
            try:
                act(self.find(reference))
            except Exception as error:
                found.add(self.app.report(error))
        if not found:
            return codes.DONE
        return found.pop() if len(found) == 1 else codes.OTHER


class _Display(Command):
    """Base of commands with output."""

    def produce_output(self, parsed_args: argparse.Namespace,
                       column_names: collections.abc.Sequence[str],
                       data: typing.Any) -> int:
        """Show the data, unless a column was asked for that is not there."""
        wrong = [name for name in (*parsed_args.columns, *getattr(
            parsed_args, 'sort_columns', ())) if name not in column_names]
        if wrong:
            raise errors.Usage('There is no column %s. There are: %s' % (
                ', '.join(wrong), ', '.join(column_names)))
        return super().produce_output(  # type: ignore[misc]
            parsed_args, column_names, data)


class Lister(_Display, lister.Lister):
    """Base of commands that show several things."""


class ShowOne(_Display, show.ShowOne):
    """Base of commands that show one thing."""

    def columns(self, image: dict[str, typing.Any]
                ) -> tuple[tuple[str, ...], tuple[typing.Any, ...]]:
        """Return an image as cliff wants it."""
        return self.dict2columns(display.details(image))


def add_image(parser: argparse.ArgumentParser, several: bool = False) -> None:
    """Add the argument that names an image, or several.

    :param several: whether it may be given more than once
    """
    if several:
        parser.add_argument('images', metavar='<image>', nargs='+',
                            help='ID or name of an image.')
    else:
        parser.add_argument('image', metavar='<image>',
                            help='ID or name of the image.')


def _check_text(arguments: argparse.Namespace) -> None:
    """Refuse what is no text, but for names of files."""
    for name, value in vars(arguments).items():
        if name != 'file' and not str(value).isascii():
            try:
                str(value).encode()
            except UnicodeEncodeError:
                raise errors.Usage('What is given for %s is no UTF-8' % name)


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
