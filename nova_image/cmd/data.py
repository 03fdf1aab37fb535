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

"""Image data on this side: files, pipes and the command save."""

import argparse
import collections.abc
import contextlib
import os
import re
import stat
import sys
import time
import typing

from nova_image.cmd import base
from nova_image.cmd import display
from nova_image.cmd import errors
from nova_image.cmd import progress
from nova_image import exception

if typing.TYPE_CHECKING:
    from nova_image.cmd import shell

STANDARD = '-'


def add_file(parser: argparse.ArgumentParser,
             required: bool = False) -> None:
    """Add the option for where data comes from."""
    parser.add_argument(
        '--file', metavar='<path>', required=required,
        help='File with the data; - is the standard input.')


@contextlib.contextmanager
def source(path: str | None, app: 'shell.Shell', quiet: bool = False
           ) -> collections.abc.Iterator[typing.Any]:
    """Give the data to upload in the body of a ``with``.

    :param path: of a file; - for the standard input, None for no data
    :param quiet: whether to show no progress
    """
    if path is None:
        yield None
        return
    with contextlib.ExitStack() as stack:
        if path == STANDARD:
            stream = sys.stdin.buffer
            if stream.isatty():
                raise errors.Usage('The standard input is a terminal: pipe '
                                   'the data, or give --file a path')
        else:
            stream = stack.enter_context(open(path, 'rb'))
        report = stack.enter_context(progress.bar(
            os.path.basename(path), app.shows_progress and not quiet))
        yield progress.Reading(stream, report)


@contextlib.contextmanager
def undone_on_interrupt(command: base.Command, image_id: str
                        ) -> collections.abc.Iterator[None]:
    """Delete a half image when the body is interrupted, and say so.

    The driver does so as well, but not where it has yet to hear that the
    image is there.

    :param image_id: what the body creates; nobody else has this ID
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        try:
            with contextlib.suppress(exception.ImageNotFound):
                command.images.delete(command.caller, image_id)
            command.app.say('Interrupted; what was created is deleted')
        except exception.NovaImageException as error:
            command.app.say('Interrupted; image %s may be left: %s' % (
                image_id, errors.line_of(error)))
        raise


class Save(base.Command):
    """Save the data of an image.

    It is checked against what Glance recorded.

    Into a file: it appears under its name only when it is whole, has the
    size and the hash that Glance recorded, and is on disk. A file that is
    there already is replaced then, and not before. What an interrupted or
    failed save has fetched is kept beside it in a hidden file: the same
    command goes on there.

    To the standard output: the data comes as it arrives. The exit code says
    whether it was whole.
    """

    examples = """
        nova-image save cirros --file cirros.img
        nova-image save cirros --file cirros.img --no-clobber
        nova-image save cirros | gzip > cirros.img.gz
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the image and where it goes."""
        base.add_image(parser)
        parser.add_argument(
            '--file', metavar='<path>', default=STANDARD,
            help='File to make; - (the default) is the standard output.')
        parser.add_argument(
            '--no-clobber', action='store_true',
            help='Fail if the file is there already.')

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Save it."""
        if parsed_args.file == STANDARD:
            if sys.stdout.isatty():
                raise errors.Usage('Image data is not for a terminal: give '
                                   '--file, or redirect the output')
            self._save(parsed_args.image, 'stdout', data=_Pipe())
            return
        path = parsed_args.file
        if parsed_args.no_clobber and os.path.lexists(path):
            raise FileExistsError(17, 'it is there already, and --no-clobber '
                                  'was given', path)
        if os.path.isdir(path):
            raise IsADirectoryError(21, 'is a folder: name a file', path)
        began = time.time()
        try:
            self._save(parsed_args.image, os.path.basename(path),
                       dest_path=path)
        except (KeyboardInterrupt, SystemExit, Exception) as error:
            self._tell_what_is_kept(path, began, error)
            raise

    def _save(self, image: str, title: str, **target: typing.Any) -> None:
        image_id = self.find(image)
        with progress.bar(title, self.app.shows_progress) as report:
            self.images.download(self.caller, image_id, progress=report,
                                 **target)

    def _tell_what_is_kept(self, path: str, began: float,
                           error: BaseException) -> None:
        kept = _kept_beside(path, began)
        why = '' if isinstance(error, Exception) else 'Interrupted; '
        if kept:
            self.app.say('%s%s of %s are kept: the same command goes on '
                         'there' % (why, display.human_size(kept), path))
        elif why:
            self.app.say('%snothing of %s is kept' % (why, path))


class _Pipe:
    """The standard output, where nothing can be taken back."""

    closed = False

    def write(self, piece: bytes) -> None:
        """Write bytes."""
        sys.stdout.buffer.write(piece)

    def flush(self) -> None:
        """Hand the last ones over."""
        sys.stdout.buffer.flush()


def _kept_beside(path: str, began: float) -> int:
    """Return the size of what a download has left for the next.

    :param path: what it was to make
    :param began: Unix time; what is older is not of this download
    """
    folder, name = os.path.split(os.path.realpath(path))
    partial = re.compile(r'\.%s\.[0-9a-f]{12}\.part' % re.escape(name))
    with contextlib.suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            status = entry.stat(follow_symlinks=False)
            if partial.fullmatch(entry.name) and (
                    status.st_mtime >= began - 1 and
                    stat.S_ISREG(status.st_mode)):
                return status.st_size
    return 0
