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

"""The transfers of nova_image as methods of openstacksdk's image client."""

from __future__ import annotations

import argparse
import collections.abc
import contextlib
import inspect
import logging
import signal
import sys
import types
import typing

from osc_lib import exceptions

from nova_image.cmd import attributes
from nova_image.cmd import data as image_data
from nova_image.cmd import errors
from nova_image.cmd import import_options
from nova_image.cmd import importing
from nova_image.cmd import safe_text
from nova_image.cmd import session
from nova_image.cmd import sources

LOG = logging.getLogger(__name__)
#: warns about every retry
_CHATTY = logging.getLogger('nova_image.image.client')

#: openstacksdk's name of an attribute of an image -> ours
_ATTRIBUTES = {
    'id': 'id', 'name': 'name', 'disk_format': 'disk_format',
    'container_format': 'container_format', 'min_disk': 'min_disk',
    'min_ram': 'min_ram', 'tags': 'tags', 'visibility': 'visibility',
    'is_protected': 'protected', 'owner_id': 'owner'}
#: arguments without a meaning here: our transfers always verify the data and
#: measure it, and openstackclient asks for an image of its own
_IMPLIED = ('allow_duplicates', 'chunk_size', 'size', 'stream',
            'validate_checksum')
#: attributes that the driver does not set
_THEIRS = ('is_hidden', 'os_hidden', 'owner', 'protected')
#: properties with which openstackclient signs an image
_SIGNATURE = 'img_signature'
#: our advice for nova-image -> for openstack
_ADVICE = (
    ('nova-image import-info', 'openstack image import info'),
    ('Use --os-endpoint, another', 'Set image_endpoint_override in '
     'clouds.yaml, use another'),
    ('nova-image show', 'openstack image show'))


@contextlib.contextmanager
def installed(app: typing.Any, parsed_args: argparse.Namespace
              ) -> collections.abc.Iterator[None]:
    """Transfer data with nova_image in the body of a ``with``.

    SIGTERM and SIGHUP end the command like Ctrl-C.

    :param app: the application of openstackclient
    :param parsed_args: the arguments of its command
    """
    client = app.client_manager.image
    ours = _Transfers(app, client, parsed_args)
    client.create_image = ours.create_image
    client.download_image = ours.download_image
    changed = {number: signal.signal(number, _end)
               for number in (signal.SIGTERM, signal.SIGHUP)
               if signal.getsignal(number) == signal.SIG_DFL}
    if app.options.verbose_level < 2:
        _CHATTY.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for number, handler in changed.items():
            signal.signal(number, handler)
        del client.create_image, client.download_image


def _end(number: int, frame: types.FrameType | None) -> None:
    sys.exit(128 + number)


class _App:
    """The application of openstackclient, as our commands see theirs."""

    LOG = LOG
    said_anything = False

    def __init__(self, app: typing.Any, shows_progress: bool) -> None:
        """Wrap the application.

        :param shows_progress: whether to show progress bars
        """
        self._app = app
        self.shows_progress = shows_progress

    @property
    def cloud(self) -> session.Cloud:
        """The cloud."""
        return self._app.client_manager.nova_image

    def say(self, line: str) -> None:
        """Write a message for people to standard error."""
        self.said_anything = True
        self._app.stderr.write('%s\n' % safe_text.shown(_advised(line)))

    def report(self, error: Exception) -> typing.NoReturn:
        """Fail as the commands of openstackclient do.

        :raises CommandError: always
        """
        if self._app.options.debug:
            self._app.stderr.write(errors.trace_of(error))
        raise exceptions.CommandError(safe_text.shown(
            _advised(errors.line_of(error)))) from None


def _advised(line: str) -> str:
    for ours, theirs in _ADVICE:
        line = line.replace(ours, theirs)
    return line


class _Create(importing.ImportCommand):
    """Create an image with data."""

    def take_action(self, parsed_args: argparse.Namespace) -> typing.Any:
        """Create the image.

        :param parsed_args: its attributes, the path of the data, whether to
            import the data, and whether the ID is new
        """
        image, is_new = parsed_args.attributes, parsed_args.id_is_new
        with contextlib.ExitStack() as stack:
            stream = stack.enter_context(self.source(
                parsed_args.file, image, required=False))
            if is_new:
                stack.enter_context(self.undone_on_interrupt(image['id']))
            if not parsed_args.by_import:
                self.images.create(self.caller, image, stream,
                                   id_is_new=is_new)
                return (), ()
            _, result = self.images.create_via_import(
                self.caller, image, import_options.DIRECT, data=stream,
                id_is_new=is_new)
        return self.shown(image['id'], result)

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Create the image without any output."""
        try:
            self.take_action(parsed_args)
        except Exception as error:
            return self.app.report(error)
        return 0


class _Transfers:
    """The two methods that move image data."""

    def __init__(self, app: typing.Any, client: typing.Any,
                 parsed_args: argparse.Namespace) -> None:
        """Remember the methods that are replaced.

        :param app: the application of openstackclient
        :param client: openstacksdk's client for images
        :param parsed_args: the arguments of openstackclient's command
        """
        self._app = app
        self._client = client
        self._create, self._download = (client.create_image,
                                        client.download_image)
        self._arguments = vars(parsed_args)

    def download_image(self, image: str, *, output: typing.Any = None,
                       **given: typing.Any) -> typing.Any:
        """Save the data of an image.

        :param image: its ID
        :param output: path of a file; anything else is standard output
        :param given: other arguments of openstacksdk's method
        """
        others = _set_in(given)
        if others:
            return self._by_sdk(others, self._download, image, output=output,
                                **given)
        command = image_data.Save(self._ours(False), None)
        command.run(argparse.Namespace(
            image=image, no_clobber=False,
            file=output if isinstance(output, str) else sources.STANDARD))
        return None

    def create_image(self, name: str, *, filename: str | None = None,
                     data: typing.Any = None, use_import: bool = False,
                     **given: typing.Any) -> typing.Any:
        """Create an image.

        :param name: its name
        :param filename: path of its data
        :param data: its data as a file
        :param use_import: whether to import the data
        :param given: other arguments of openstacksdk's method
        :returns: the image, as openstacksdk reads it
        """
        theirs = {'filename': filename, 'data': data,
                  'use_import': use_import, **given}
        if filename is None and data is None:
            return self._create(name, **theirs)
        image, others = self._record(dict(given, name=name))
        if others:
            return self._by_sdk(others, self._create, name, **theirs)
        is_new = 'id' not in image
        image.setdefault('id', attributes.new_id())
        _Create(self._ours(bool(self._arguments.get('progress'))), None).run(
            argparse.Namespace(
                attributes=image, id_is_new=is_new, by_import=use_import,
                file=filename or _path_of(data)))
        return self._client.get_image(image['id'])

    def _ours(self, progress: bool) -> typing.Any:
        return _App(self._app, progress and sys.stderr.isatty())

    def _record(self, given: dict[str, typing.Any]
                ) -> tuple[dict[str, typing.Any], list[str]]:
        """Return an image in our format, and the arguments that it lacks."""
        config = self._app.client_manager.sdk_connection.config.config
        image = {_ATTRIBUTES[key]: value for key, value in given.items()
                 if key in _ATTRIBUTES}
        named = self._arguments.get('properties') or {}
        known = inspect.signature(self._create).parameters
        properties = {
            key: value.decode() if isinstance(value, bytes) else str(value)
            for key, value in given.items()
            if key not in {*_ATTRIBUTES, *_THEIRS, *known} and (
                key in named or key.startswith(_SIGNATURE))}
        image['properties'] = {
            **properties, **config.get('disable_vendor_agent', {})}
        others = _set_in({key: value for key, value in given.items()
                          if key not in _ATTRIBUTES and
                          key not in properties})
        return image, others + ['image_api_use_tasks'] * bool(
            config.get('image_api_use_tasks'))

    def _by_sdk(self, others: list[str],
                method: collections.abc.Callable[..., typing.Any],
                *arguments: typing.Any, **named: typing.Any) -> typing.Any:
        """Call a method of openstacksdk, and warn."""
        LOG.warning(
            'nova_image does not support %s. openstacksdk transfers the data, '
            'without resuming it', ', '.join(others))
        return method(*arguments, **named)


def _set_in(given: dict[str, typing.Any]) -> list[str]:
    """Return the names of arguments with a value and a meaning here."""
    return [key for key, value in given.items()
            if value and key not in _IMPLIED]


def _path_of(stream: typing.Any) -> str:
    """Return the path of a file that openstackclient has opened.

    It wraps the file to show its progress.
    """
    name = getattr(stream, 'name', None)
    return sources.STANDARD if name in (None, 0, '<stdin>') else name
