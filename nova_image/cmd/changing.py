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

"""The commands that change images: create, set, unset and delete."""

from __future__ import annotations

import argparse
import typing

from nova_image.cmd import attributes
from nova_image.cmd import base
from nova_image.cmd import data
from nova_image.cmd import errors
from nova_image.cmd import import_options
from nova_image.cmd import importing
from nova_image import exception


class Create(importing.ImportCommand):
    """Create an image, with or without data.

    If the data cannot be sent completely, because of an error or Ctrl-C, the
    image is deleted. Without --file, the image waits for its data (status
    queued). With --file, --disk-format and --container-format are required;
    if one is missing, the error suggests it.
    """

    examples = """
        nova-image create cirros --file cirros.img \\
            --disk-format qcow2 --container-format bare
        qemu-img convert -O raw a.vmdk /dev/stdout | nova-image create a \\
            --file - --disk-format raw --container-format bare
        nova-image create web --disk-format qcow2 --container-format bare \\
            --property os_type=linux --min-ram 512 -f value -c id
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the attributes and the file."""
        parser.add_argument('name', metavar='<name>',
                            help='Name of the new image.')
        attributes.add(parser)
        data.add_file(parser)
        parser.add_argument(
            '--import', action='store_true', dest='by_import',
            help='Import the file, like create-via-import (v2 only).')

    def take_action(self, parsed_args: argparse.Namespace
                    ) -> tuple[tuple[str, ...], tuple[typing.Any, ...]]:
        """Create the image."""
        image = attributes.given(parsed_args)
        image['name'] = parsed_args.name
        if parsed_args.by_import:
            return self._import(parsed_args.file, image)
        image['id'] = attributes.new_id()
        with (self.source(parsed_args.file, image) as stream,
              self.undone_on_interrupt(image['id'])):
            return self.columns(self.images.create(
                self.caller, image, stream, id_is_new=True,
                all_fields=True))

    def _import(self, path: str | None, image: dict[str, typing.Any]
                ) -> tuple[tuple[str, ...], tuple[typing.Any, ...]]:
        """Create an image by importing a file."""
        if path is None:
            raise errors.Usage('--import requires --file. To import from a '
                               'URL, use nova-image create-via-import')
        return self.created(path, image, import_options.DIRECT, {})


class Set(data.UploadCommand, base.ShowOne):
    """Set attributes, properties or the data of an image.

    Attributes and properties that are not named do not change, and tags are
    added to those that the image has. --file requires an image without data
    (status queued).
    """

    examples = """
        nova-image set cirros --name cirros-0.6 --min-ram 128
        nova-image set cirros --property os_type=linux --property hw_vif=e1000
        nova-image set cirros --protected --tag stable --tag lts
        nova-image set cirros-0.5 --hidden --deactivate
        nova-image set 71c675ab-d94f-49cd-a114-e12490b328d9 --file disk.qcow2
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the image and the attributes to change."""
        base.add_image(parser)
        parser.add_argument('--name', metavar='<name>', help='New name.')
        attributes.add(parser)
        state = parser.add_mutually_exclusive_group()
        state.add_argument(
            '--deactivate', action='store_const', const='deactivate',
            dest='state', help='Make the data unavailable to all but '
            'administrators (v2 only).')
        state.add_argument(
            '--activate', action='store_const', const='reactivate',
            dest='state', help='Make the data available again (v2 only).')
        data.add_file(parser)

    def take_action(self, parsed_args: argparse.Namespace
                    ) -> tuple[tuple[str, ...], tuple[typing.Any, ...]]:
        """Change the image."""
        changes = attributes.given(parsed_args)
        if parsed_args.name is not None:
            changes['name'] = parsed_args.name
        has_more = any(changes.values()) or len(changes) > 1 or (
            parsed_args.file)
        if not has_more and not parsed_args.state:
            raise errors.Usage('Nothing to set. See nova-image help set')
        image_id = self.find(parsed_args.image)
        if not has_more:
            return self.columns(self._switched(image_id, parsed_args.state))
        return self.columns(self._changed(parsed_args, image_id, changes))

    def _changed(self, parsed_args: argparse.Namespace, image_id: str,
                 changes: dict[str, typing.Any]) -> dict[str, typing.Any]:
        """Change an image, and return it.

        The state is the first to change: whatever refuses it has then changed
        nothing. An image without data has to get it before.
        """
        from nova_image.image import undo  # imports more than help needs

        tags, state = changes.pop('tags', ()), parsed_args.state
        done = None
        if state and not parsed_args.file:
            getattr(self.images, state)(self.caller, image_id)
            done = 'image %s, %sd' % (image_id, state)
        formats = self.formats_of(image_id, parsed_args.file) | changes
        with (self.source(parsed_args.file, formats) as stream,
              undo.Steps(done)):
            image = self.images.update(
                self.caller, image_id, changes, stream, all_fields=True,
                add_tags=tags)
        if not state or not parsed_args.file:
            return image
        with undo.Steps('image %s, with its data and changed metadata'
                        % image_id):
            return self._switched(image_id, state)

    def _switched(self, image_id: str, action: str) -> dict[str, typing.Any]:
        """Deactivate or reactivate an image, and return it.

        :param action: ``'deactivate'`` or ``'reactivate'``
        """
        from nova_image.image import undo  # imports more than help needs

        getattr(self.images, action)(self.caller, image_id)
        with undo.Steps('image %s, %sd' % (image_id, action)):
            return self.images.get(self.caller, image_id, all_fields=True)


class Unset(base.ShowOne):
    """Remove properties and tags from an image.

    If one of them does not exist, none is removed. With v1, nobody else should
    change the properties of the image at the same time.
    """

    examples = """
        nova-image unset cirros --property os_type --property hw_vif
        nova-image unset cirros --tag stable
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the image, the names of the properties, and the tags."""
        base.add_image(parser)
        parser.add_argument(
            '--property', metavar='<name>', action='append', default=[],
            dest='properties', help='Property to remove; may be repeated.')
        parser.add_argument(
            '--tag', metavar='<tag>', action='append', default=[],
            dest='tags', type=attributes.tag,
            help='Tag to remove; may be repeated (v2 only).')

    def take_action(self, parsed_args: argparse.Namespace
                    ) -> tuple[tuple[str, ...], tuple[typing.Any, ...]]:
        """Remove the properties and the tags."""
        if not parsed_args.properties and not parsed_args.tags:
            raise errors.Usage('Nothing to remove. See nova-image help unset')
        try:
            return self.columns(self.images.unset(
                self.caller, self.find(parsed_args.image),
                properties=parsed_args.properties, tags=parsed_args.tags,
                all_fields=True))
        except exception.ImageNotFound:
            raise
        except exception.NotFound as error:
            raise errors.Usage(str(error)) from error


class Delete(base.Command):
    """Delete images.

    Each image is tried, even if others cannot be deleted. The exit code is
    that of the errors, or 1 if they are of different kinds.
    """

    examples = """
        nova-image delete cirros
        nova-image delete $(nova-image list --status queued -f value -c id)
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the images."""
        base.add_image(parser, several=True)

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Delete the images."""
        return self.each(parsed_args.images, lambda image_id:
                         self.images.delete(self.caller, image_id))


class Deactivate(base.Command):
    """Deactivate images: only administrators can then use their data.

    Each image is tried, even if others cannot be deactivated. Images that are
    deactivated already remain so. v2 only.
    """

    examples = """
        nova-image deactivate cirros
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the images."""
        base.add_image(parser, several=True)

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Deactivate the images."""
        return self.each(parsed_args.images, lambda image_id:
                         self.images.deactivate(self.caller, image_id))


class Reactivate(base.Command):
    """Make the data of deactivated images available again.

    Each image is tried, even if others cannot be reactivated. Images that are
    active already remain so. v2 only.
    """

    examples = """
        nova-image reactivate cirros
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the images."""
        base.add_image(parser, several=True)

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Reactivate the images."""
        return self.each(parsed_args.images, lambda image_id:
                         self.images.reactivate(self.caller, image_id))
