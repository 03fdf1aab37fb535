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

"""Image data in files and pipes, and the save command."""

from __future__ import annotations

import argparse
import collections.abc
import contextlib
import errno
import os
import re
import stat
import sys
import time
import typing

from nova_image.cmd import base
from nova_image.cmd import codes
from nova_image.cmd import display
from nova_image.cmd import errors
from nova_image.cmd import format_advice
from nova_image.cmd import progress
from nova_image.cmd import sources
from nova_image.cmd import streams
from nova_image import exception

_NOTHING = ('No data came from %s. Check the command that writes to it. '
            'For an image without data, use --file /dev/null')
_TO_TERMINAL = ('Image data cannot go to a terminal. Use --file, or redirect '
                'the output')


def add_file(parser: argparse.ArgumentParser,
             required: bool = False) -> None:
    """Add the option for the file with the data."""
    parser.add_argument(
        '--file', metavar='<path>', required=required, type=sources.path_of,
        help='File, pipe or device with the data, or - for standard input.')


class UploadCommand(base.Command):
    """Base of the commands that send image data."""

    @contextlib.contextmanager
    def source(self, path: str | None, formats: dict[str, typing.Any],
               how: str = format_advice.USE, required: bool = True,
               quiet: bool = False) -> collections.abc.Iterator[typing.Any]:
        """Open the data to upload for the body of a ``with``.

        :param path: path of a file, - for standard input, None for no data
        :param formats: the attributes of the image, with its formats
        :param how: the words before options in a suggestion
        :param required: whether the image must have both formats
        :param quiet: whether to hide the progress
        :raises errors.Failed: if a format is missing
        """
        if path is None:
            yield None
            return
        with contextlib.ExitStack() as stack:
            source = sources.open_source(path, stack)
            if source.is_pipe and not source.start:
                raise errors.Failed(_NOTHING % source.title, codes.BAD_DATA)
            missing = required and format_advice.missing(source, formats, how)
            if missing:
                raise errors.Failed(missing, codes.USAGE if (
                    how == format_advice.USE) else codes.REFUSED)
            doubt = format_advice.doubt(source, formats, how)
            if doubt:
                self.app.LOG.warning('%s', doubt)
            report = stack.enter_context(progress.bar(
                'stdin' if source.title == streams.INPUT else source.title,
                self.app.shows_progress and not quiet))
            yield progress.Reading(source.stream, report, source.title)

    def formats_of(self, image_id: str, path: str | None
                   ) -> dict[str, typing.Any]:
        """Return an image whose formats matter, because there is a file.

        Whether there is an image is thus known before the data is read, which
        may be possible only once.

        :param path: path of the file, or None
        """
        if path is None:
            return {}
        return self.images.get(self.caller, image_id)

    @contextlib.contextmanager
    def undone_on_interrupt(self, image_id: str
                            ) -> collections.abc.Iterator[None]:
        """Delete the new image if the body is interrupted, and report it.

        The driver does so too, unless Glance has not answered it yet.

        :param image_id: ID of the image that the body creates; no other
            image has it
        """
        try:
            yield
        except (KeyboardInterrupt, SystemExit):
            try:
                with contextlib.suppress(exception.ImageNotFound):
                    self.images.delete(self.caller, image_id)
                self.app.say('Interrupted; the new image was deleted')
            except exception.NovaImageException as error:
                self.app.say('Interrupted; image %s may still exist: %s' % (
                    image_id, errors.line_of(error)))
            raise


class Save(base.Command):
    """Save the data of an image.

    The data is checked against the size and the hash that Glance recorded.

    With --file, a file appears under its name only when the data is
    complete, verified and on disk. An existing file is replaced at that
    moment, and not before.
    If a save fails or is interrupted, the data fetched so far stays beside
    it in a hidden file, and the same command resumes there.

    Without --file, the data is written to standard output as it arrives, and
    so it is to a pipe or a device. The exit code shows whether the data was
    complete.
    """

    examples = """
        nova-image save cirros --file cirros.img
        nova-image save cirros --file cirros.img --no-clobber
        nova-image save cirros | gzip > cirros.img.gz
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the image and the file."""
        base.add_image(parser)
        parser.add_argument(
            '--file', metavar='<path>', default=sources.STANDARD,
            type=sources.path_of,
            help='File, pipe or device to write to, or - for standard output '
                 '(the default).')
        parser.add_argument(
            '--no-clobber', action='store_true',
            help='Fail if the file exists, also if it appears during the '
                 'download.')

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Save the data."""
        path = parsed_args.file
        if path == sources.STANDARD:
            if sys.stdout.isatty():
                raise errors.Usage(_TO_TERMINAL)
            self._save(parsed_args.image, 'stdout', data=_Pipe())
            return
        if parsed_args.no_clobber and os.path.lexists(path):
            raise _not_replaced(path)
        mode = _mode_of(path)
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(21, 'Is a directory, not a file', path)
        if mode and not stat.S_ISREG(mode) or sources.is_open_file(path):
            self._stream(parsed_args.image, path, mode)
        else:
            self._to_file(parsed_args, path)

    def _stream(self, image: str, path: str, mode: int) -> None:
        """Write the data to a pipe or a device as it arrives.

        :param mode: the st_mode of the path
        """
        if stat.S_ISSOCK(mode):
            raise OSError(errno.ENXIO, 'Is a socket, not a file', path)
        if stat.S_ISCHR(mode) and _is_terminal(path):
            raise errors.Usage(_TO_TERMINAL)
        image_id = self.find(image)
        # Opening a pipe twice would end it for its reader.
        size = self.images.get(self.caller, image_id)['size']
        if stat.S_ISBLK(mode) and size:
            _check_room(path, size)
        with streams.named(path):
            self._save(image_id, sources.title_of(path), dest_path=path)

    def _to_file(self, parsed_args: argparse.Namespace, path: str) -> None:
        """Write the data to a regular file, which is kept if incomplete."""
        began = time.time()
        options = {'replace': False} if parsed_args.no_clobber else {}
        try:
            self._save(parsed_args.image, sources.title_of(path),
                       dest_path=path, **options)
        except FileExistsError:  # it has appeared during the download
            raise _not_replaced(path) from None
        except (KeyboardInterrupt, SystemExit, Exception) as error:
            self._report_kept_data(path, began, error)
            raise

    def _save(self, image: str, title: str, **target: typing.Any) -> None:
        image_id = self.find(image)
        with progress.bar(title, self.app.shows_progress) as report:
            self.images.download(self.caller, image_id, progress=report,
                                 **target)

    def _report_kept_data(self, path: str, began: float,
                          error: BaseException) -> None:
        kept = _kept_beside(path, began)
        prefix = '' if isinstance(error, Exception) else 'Interrupted; '
        if kept:
            self.app.say('%skept %s of %s. Run the same command to resume' % (
                prefix, display.human_size(kept), path))
        elif prefix:
            self.app.say('%sno data of %s was kept' % (prefix, path))


def _mode_of(path: str) -> int:
    """Return the mode of a file, 0 if there is none."""
    try:
        return os.stat(path).st_mode
    except (OSError, ValueError):
        return 0  # the driver reports what is wrong


def _check_room(path: str, size: int) -> None:
    """Check that data fits on a block device, before any is written.

    :param size: number of bytes
    :raises errors.Failed: if it does not fit
    """
    with contextlib.suppress(OSError), open(path, 'rb') as device:
        room = device.seek(0, os.SEEK_END)
        if size > room:
            raise errors.Failed('%s has room for %d bytes, the image has %d' %
                                (path, room, size), codes.NO_SPACE)


def _is_terminal(path: str) -> bool:
    """Return whether a device is a terminal."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return False  # the driver reports what is wrong
    try:
        return os.isatty(number)
    finally:
        os.close(number)


def _not_replaced(path: str) -> FileExistsError:
    return FileExistsError(
        errno.EEXIST, 'File exists, and --no-clobber was given', path)


class _Pipe:
    """Standard output as a file that cannot seek."""

    closed = False

    def write(self, piece: bytes) -> None:
        """Write bytes."""
        with streams.named(streams.OUTPUT):
            sys.stdout.buffer.write(piece)

    def flush(self) -> None:
        """Flush the buffered bytes."""
        with streams.named(streams.OUTPUT):
            sys.stdout.buffer.flush()


def _kept_beside(path: str, began: float) -> int:
    """Return the size of the data that a failed download has kept.

    :param path: path of the file that was downloaded
    :param began: Unix time when the download started; older data belongs to
        another download
    :returns: number of bytes, 0 if there is no such data
    """
    folder, name = os.path.split(os.path.realpath(path))
    partial = re.compile(r'\.(.+)\.[0-9a-f]{12}\.part', re.DOTALL)
    with contextlib.suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            status = entry.stat(follow_symlinks=False)
            match = partial.fullmatch(entry.name)
            if match and _is_of(match[1], name) and (
                    status.st_mtime >= began - 1 and
                    stat.S_ISREG(status.st_mode)):
                return status.st_size
    return 0


def _is_of(stem: str, name: str) -> bool:
    """Return whether a partial file is that of a file.

    :param stem: the name that it begins with, cut if it would be too long
    """
    return stem == name or name.startswith(stem) and (
        len(os.fsencode(stem)) >= 100)
