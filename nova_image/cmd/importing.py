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

"""The commands for imports and stores.

They are stage, import, create-via-import, copy, import-status, import-info
and stores.
"""

from __future__ import annotations

import argparse
import collections.abc
import contextlib
import typing

from cliff import columns

from nova_image.cmd import attributes
from nova_image.cmd import base
from nova_image.cmd import codes
from nova_image.cmd import data
from nova_image.cmd import display
from nova_image.cmd import errors
from nova_image.cmd import import_options
from nova_image.cmd import progress
from nova_image.cmd import safe_text

#: what a suggestion begins with, if the command has no options for formats
_SET = 'run nova-image set %s'


class Stage(data.UploadCommand):
    """Stage data in Glance for a later import."""

    examples = """
        nova-image stage cirros --file cirros.img
        nova-image import cirros --method glance-direct
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the image and the data."""
        base.add_image(parser)
        data.add_file(parser, required=True)

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Stage the data."""
        image_id = self.find(parsed_args.image)
        formats = self.formats_of(image_id, parsed_args.file)
        with self.source(parsed_args.file, formats, _SET % image_id,
                         required=False) as stream:
            self.images.stage(self.caller, image_id, stream)


class ImportCommand(data.UploadCommand, base.ShowOne):
    """Base of the commands that import or copy the data of an image."""

    def created(self, path: str | None, image: dict[str, typing.Any],
                method: str, chosen: dict[str, typing.Any]
                ) -> tuple[tuple[str, ...], tuple[typing.Any, ...]]:
        """Create an image by an import, and return the output.

        :param path: path of the file with the data, - for standard input,
            None if Glance gets the data itself
        :param image: attributes of the image, in the format of images
        :param method: Glance's name of the import method
        :param chosen: other options of the driver's create_via_import
        """
        image['id'] = attributes.new_id()
        self.require_imports(path, image)
        with (self.source(path, image, quiet=True) as stream,
              self.undone_on_interrupt(image['id']),
              progress.watch(image['name'],
                             self.app.shows_progress) as report):
            _, result = self.images.create_via_import(
                self.caller, image, method, data=stream, progress=report,
                id_is_new=True, **chosen)
        return self.shown(image['id'], result)

    def require_imports(self, path: str | None,
                        image: dict[str, typing.Any]) -> None:
        """Check for imports before missing formats are reported.

        :param path: path of the file with the data, or None
        :raises ImageActionNotSupported: if formats are missing, but there
            are no imports anyway
        """
        if path is not None and not (image.get('disk_format') and
                                     image.get('container_format')):
            self.images.import_info(self.caller)

    @contextlib.contextmanager
    def watched(self, image_id: str, title: str
                ) -> collections.abc.Iterator[typing.Any]:
        """Show the progress of an import; Ctrl-C only stops the waiting.

        :param title: what Glance does, as the progress bar names it
        """
        try:
            with progress.watch(title, self.app.shows_progress) as report:
                yield report
        except (KeyboardInterrupt, SystemExit):
            self.app.say('Interrupted; Glance may continue. See nova-image '
                         'import-status %s' % image_id)
            raise

    def shown(self, image_id: str, result: typing.Any
              ) -> tuple[tuple[str, ...], tuple[typing.Any, ...]]:
        """Return the output for the result of an import.

        :param result: one of nova_image.image.import_result; None if the
            command did not wait for it
        :raises errors.Failed: if the import has failed or timed out
        """
        if result is None:
            return self.columns(self.images.get(
                self.caller, image_id, all_fields=True))
        if not result.succeeded:
            raise _failure(result)
        found = display.details(result.image)
        found['stores'] = display.Names(result.stores)
        if result.failed:
            found['failed_stores'] = display.Properties(result.failed)
        if result.changes:
            found['changes'] = display.Changes(result.changes)
        return self.dict2columns(found)


def _failure(result: typing.Any) -> errors.Failed:
    """Return the error for an import that did not succeed.

    :param result: Failed or TimedOut of nova_image.image.import_result
    """
    left = 'nothing is left behind' if result.cleaned else (
        'see nova-image show %s' % result.image_id)
    request = ' (request %s)' % result.request_id if (
        result.request_id) else ''
    if result.timed_out:
        return errors.Failed(
            'Import into image %s timed out (%s): %s. Glance may continue; '
            '%s%s' % (result.image_id, result.reason, _progress(result.seen),
                      left, request),
            codes.TIMED_OUT)
    stores = ''.join('; store %s: %s' % item
                     for item in sorted(result.failed.items())
                     if item[1] != result.reason)
    return errors.Failed('Import into image %s failed: %s%s; %s%s' % (
        result.image_id, result.reason, stores, left, request),
        codes.IMPORT_FAILED)


def _progress(seen: typing.Any) -> str:
    """Return the last known state of an import as text.

    :param seen: nova_image.image.import_result.Seen, or None
    """
    if seen is None:
        return 'no progress was seen'
    return 'last state %s, image status %s' % (seen.state, seen.status)


class Import(ImportCommand):
    """Import the data of an image that has none yet.

    The command waits for Glance, then shows the image. Ctrl-C only stops the
    waiting; Glance may continue.
    """

    examples = """
        nova-image import cirros --uri https://example.org/cirros.img
        nova-image import cirros --method glance-direct --store ceph
        nova-image import cirros --file cirros.img --all-stores
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the image, the source of the data and the stores."""
        base.add_image(parser)
        import_options.add_origin(parser)
        import_options.add_target(parser)

    def take_action(self, parsed_args: argparse.Namespace
                    ) -> tuple[tuple[str, ...], tuple[typing.Any, ...]]:
        """Import the data."""
        method = import_options.method(parsed_args)
        chosen = import_options.driver_options(parsed_args)
        image_id = self.find(parsed_args.image)
        formats = self.formats_of(image_id, parsed_args.file)
        self.require_imports(parsed_args.file, formats)
        with self.source(parsed_args.file, formats, _SET % image_id,
                         quiet=True) as stream:
            with self.watched(image_id, 'import') as report:
                result = self.images.import_image(
                    self.caller, image_id, method, data=stream,
                    progress=report, **chosen)
        return self.shown(image_id, result)


class CreateViaImport(ImportCommand):
    """Create an image and import its data.

    The data comes from a file, which is staged first, from a URL or from
    another Glance. The command waits until the image is active in the
    stores, then shows it. On an error or Ctrl-C, it deletes the image.
    """

    examples = """
        nova-image create-via-import cirros --file cirros.img \\
            --disk-format qcow2 --container-format bare
        nova-image create-via-import cirros --disk-format qcow2 \\
            --container-format bare --uri https://example.org/cirros.img
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the attributes, the source of the data and the stores."""
        parser.add_argument('name', metavar='<name>',
                            help='Name of the new image.')
        attributes.add(parser)
        import_options.add_origin(parser)
        import_options.add_target(parser)

    def take_action(self, parsed_args: argparse.Namespace
                    ) -> tuple[tuple[str, ...], tuple[typing.Any, ...]]:
        """Create the image."""
        method = import_options.method(parsed_args)
        chosen = import_options.driver_options(parsed_args)
        image = attributes.given(parsed_args)
        image['name'] = parsed_args.name
        return self.created(parsed_args.file, image, method, chosen)


class Copy(ImportCommand):
    """Copy the data of an image to more stores.

    The command waits until the stores have the data, then shows the image.
    """

    examples = """
        nova-image copy cirros --store ceph --store fast
        nova-image copy cirros --all-stores --no-wait
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the image and the stores."""
        base.add_image(parser)
        import_options.add_target(parser)

    def take_action(self, parsed_args: argparse.Namespace
                    ) -> tuple[tuple[str, ...], tuple[typing.Any, ...]]:
        """Copy the data."""
        if not parsed_args.stores and not parsed_args.all_stores:
            raise errors.Usage('No store to copy to. Use --store or '
                               '--all-stores; see nova-image stores')
        image_id = self.find(parsed_args.image)
        with self.watched(image_id, 'copy') as report:
            result = self.images.import_image(
                self.caller, image_id, import_options.COPY, progress=report,
                **import_options.target(parsed_args))
        return self.shown(image_id, result)


#: state of an import -> what it means, and the exit code
_STATES = {
    'importing': ('Glance is importing the data', codes.TIMED_OUT),
    'staged': ('data is staged or being staged, and no import has begun',
               codes.CONFLICT),
    'failed': ("the import failed, and the image does not have data; see "
               "Glance's log about the task", codes.IMPORT_FAILED),
    'incomplete': ("the image can be used, but a store lacks the data; see "
                   "Glance's log about the task", codes.IMPORT_FAILED),
    'done': ('the image has its data', codes.DONE)}
#: the same if no import is known; by whether the image is active
_NONE = {
    True: ('no import is known, and the image has its data', codes.DONE),
    False: ('no import is known, and the image does not have data',
            codes.CONFLICT)}
_ENDED = {'deadline': ', and the time to wait is over',
          'stalled': ', but nothing has changed for a long time'}


class _Fact(columns.FormattableColumn):  # type: ignore[type-arg]
    """Text that people see as empty if it is not known."""

    def human_readable(self) -> str:
        return safe_text.shown(self._value or '')


class ImportStatus(ImportCommand):
    """Show the state of the last import of an image, whoever began it.

    The states are importing, done, failed, incomplete (a store lacks the
    data), staged (no import has begun) and none. Glance forgets the details
    of an import after some time, by default two days, and then shows none for
    an import that is done.

    The exit code is 0 if the image has its data and no import is at work, 12
    for failed and incomplete, 13 for importing, and 6 for an image without
    data that nobody imports. Ctrl-C only stops the watching.
    """

    examples = """
        nova-image import-status cirros
        nova-image import-status cirros --watch --import-timeout 600
        nova-image import-status cirros -f value -c state
    """

    _code = codes.DONE

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the image and the options for the waiting."""
        base.add_image(parser)
        parser.add_argument(
            '--watch', action='store_true',
            help='Wait for the end of an import in progress.')
        import_options.add_timeout(parser)

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Show the state, and return its exit code."""
        return super().run(parsed_args) or self._code

    def take_action(self, parsed_args: argparse.Namespace
                    ) -> tuple[tuple[str, ...], tuple[typing.Any, ...]]:
        """Find the state."""
        image_id = self.find(parsed_args.image)
        if not parsed_args.watch:
            found = self.images.import_status(self.caller, image_id)
        else:
            with self.watched(image_id, 'import') as report:
                found = self.images.import_status(
                    self.caller, image_id, watch=True, progress=report,
                    timeout=parsed_args.timeout)
        meaning, self._code = _STATES.get(found.state) or (
            _NONE[found.status == 'active'])
        return self.dict2columns({
            'id': image_id, 'state': found.state,
            'meaning': meaning + _ENDED.get(found.ended or '', ''),
            'image_status': found.status, 'method': _Fact(found.method),
            'stores': display.Names(found.stores),
            'waiting_stores': display.Names(found.waiting),
            'failed_stores': display.Names(found.failed),
            'task': _Fact(found.task_id),
            'task_status': _Fact(found.task_status),
            'message': _Fact(found.message),
            'request': _Fact(found.request_id),
            'began_at': _Fact(display.text(found.began_at)),
            'changed_at': _Fact(display.text(found.changed_at))})


class ImportInfo(base.ShowOne):
    """Show the import methods and the stores of Glance."""

    examples = """
        nova-image import-info
        nova-image import-info -f value -c methods
    """

    def take_action(self, parsed_args: argparse.Namespace
                    ) -> tuple[tuple[str, ...], tuple[typing.Any, ...]]:
        """Show the methods and the stores."""
        info = self.images.import_info(self.caller)
        stores = [store['id'] for store in info['stores']]
        return ('methods', 'stores'), (display.Names(info['methods']),
                                       display.Names(stores))


class Stores(base.Lister):
    """List the stores of Glance; none if it has only one."""

    examples = """
        nova-image stores
        nova-image stores -f value -c id
    """

    def take_action(self, parsed_args: argparse.Namespace
                    ) -> tuple[tuple[str, ...],
                               collections.abc.Iterable[typing.Any]]:
        """List the stores."""
        found = self.images.import_info(self.caller)['stores']
        return ('id', 'default', 'read-only', 'description'), [
            (store['id'], bool(store.get('default')),
             bool(store.get('read-only')), store.get('description') or '')
            for store in found]
