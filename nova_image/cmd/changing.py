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

import argparse
import typing

from nova_image.cmd import attributes
from nova_image.cmd import base
from nova_image.cmd import data
from nova_image.cmd import errors
from nova_image.cmd import import_options
from nova_image.cmd import importing


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
                self.caller, image, stream, id_is_new=True))

    def _import(self, path: str | None, image: dict[str, typing.Any]
                ) -> tuple[tuple[str, ...], tuple[typing.Any, ...]]:
        """Create an image by importing a file."""
        if path is None:
            raise errors.Usage('--import requires --file. To import from a '
                               'URL, use nova-image create-via-import')
        return self.created(path, image, import_options.DIRECT, {})


class Set(data.UploadCommand, base.ShowOne):
    """Set attributes, properties or the data of an image.

    Attributes and properties that are not named do not change. --file
    requires an image without data (status queued).
    """

    examples = """
        nova-image set cirros --name cirros-0.6 --min-ram 128
        nova-image set cirros --property os_type=linux --property hw_vif=e1000
        nova-image set cirros --protected
        nova-image set 71c675ab-d94f-49cd-a114-e12490b328d9 --file disk.qcow2
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the image and the attributes to change."""
        base.add_image(parser)
        parser.add_argument('--name', metavar='<name>', help='New name.')
        attributes.add(parser)
        data.add_file(parser)

    def take_action(self, parsed_args: argparse.Namespace
                    ) -> tuple[tuple[str, ...], tuple[typing.Any, ...]]:
        """Change the image."""
        changes = attributes.given(parsed_args)
        if parsed_args.name is not None:
            changes['name'] = parsed_args.name
        if not any(changes.values()) and not parsed_args.file and (
                set(changes) == {'properties'}):
            raise errors.Usage('Nothing to set. See nova-image help set')
        image_id = self.find(parsed_args.image)
        formats = self.formats_of(image_id, parsed_args.file) | changes
        with self.source(parsed_args.file, formats) as stream:
            return self.columns(self.images.update(
                self.caller, image_id, changes, stream))


class Unset(base.ShowOne):
    """Remove properties from an image.

    If one of the properties does not exist, none is removed. Nobody else
    should change the properties of the image at the same time.
    """

    examples = """
        nova-image unset cirros --property os_type
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the image and the names of the properties."""
        base.add_image(parser)
        parser.add_argument(
            '--property', metavar='<name>', action='append', required=True,
            dest='properties', help='Property to remove; may be repeated.')

    def take_action(self, parsed_args: argparse.Namespace
                    ) -> tuple[tuple[str, ...], tuple[typing.Any, ...]]:
        """Remove the properties."""
        image = self.images.get(self.caller, self.find(parsed_args.image))
        remaining = dict(image['properties'])
        missing = [name for name in parsed_args.properties
                   if name not in remaining]
        if missing:
            raise errors.Usage(
                'Image %s has no property %s and was not changed. Its '
                'properties: %s' % (
                    image['id'], ', '.join(missing),
                    ', '.join(sorted(remaining)) or 'none'))
        for name in parsed_args.properties:
            remaining.pop(name, None)
        return self.columns(self.images.update(
            self.caller, image['id'], {'properties': remaining},
            purge_props=True))


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
