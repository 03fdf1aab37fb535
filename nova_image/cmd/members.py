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

"""The commands for the members of shared images."""

from __future__ import annotations

import argparse
import collections.abc
import typing

from nova_image.cmd import base
from nova_image.cmd import display
from nova_image.cmd import projects

_FIELDS = ('member_id', 'status', 'created_at', 'updated_at')


def _add_member(parser: argparse.ArgumentParser) -> None:
    base.add_image(parser)
    parser.add_argument('member', metavar='<project-id>', type=_project,
                        help='ID or name of the project.')


def _project(text: str) -> str:
    """Return a project; the ``type`` of an argument."""
    if not text:
        raise argparse.ArgumentTypeError(
            'the project is empty. Check your shell variables')
    return text


def _row(member: dict[str, typing.Any]) -> tuple[typing.Any, ...]:
    """Return the values of a member for the output."""
    return tuple(display.text(member.get(name)) for name in _FIELDS)


def _member(command: base.Command, image_id: str,
            arguments: argparse.Namespace) -> str:
    """Return the ID of a member, which may be any text.

    Glance accepts names as IDs: such a member can be removed.
    """
    text: str = arguments.member
    if projects.is_id(text) or text in [
            one['member_id'] for one in command.images.members(
                command.caller, image_id)]:
        return text
    return projects.find(command.app.cloud.keystone, text)


class Members(base.Lister):
    """List the projects that an image is shared with."""

    examples = """
        nova-image members cirros
        nova-image members cirros -f value -c member_id
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the image."""
        base.add_image(parser)

    def take_action(self, parsed_args: argparse.Namespace
                    ) -> tuple[tuple[str, ...],
                               collections.abc.Iterable[typing.Any]]:
        """List the members."""
        image_id = self.find(parsed_args.image)
        return _FIELDS, [_row(member) for member in self.images.members(
            self.caller, image_id)]


class MemberAdd(base.ShowOne):
    """Share an image with a project.

    The project can use the image by its ID at once. The image appears in the
    project's list when the project accepts it. With v2, the visibility of the
    image must be shared: see nova-image set --shared.

    Keystone looks up names, of projects other than your own only for
    administrators. What is neither an ID nor such a name is refused.
    """

    examples = """
        nova-image set cirros --shared
        nova-image member-add cirros 8b23c7e6a5d04d0fa9a3e6a1f2b4c5d6
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the image and the project."""
        _add_member(parser)

    def take_action(self, parsed_args: argparse.Namespace
                    ) -> tuple[tuple[str, ...], tuple[typing.Any, ...]]:
        """Add the member."""
        project = projects.find(self.app.cloud.keystone, parsed_args.member)
        return _FIELDS, _row(self.images.add_member(
            self.caller, self.find(parsed_args.image), project))


class MemberSet(base.ShowOne):
    """Accept or reject an image shared with your project.

    v1 does not support this: a shared image is in the list at once.
    """

    examples = """
        nova-image member-set 71c675ab-d94f-49cd-a114-e12490b328d9 \\
            8b23c7e6a5d04d0fa9a3e6a1f2b4c5d6 --accept
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the image, the project and the decision."""
        _add_member(parser)
        group = parser.add_mutually_exclusive_group(required=True)
        for option, status, text in (
                ('--accept', 'accepted', 'Show the image in lists.'),
                ('--reject', 'rejected', 'Do not show the image in lists.'),
                ('--pending', 'pending', 'Decide later.')):
            group.add_argument(option, action='store_const', const=status,
                               dest='status', help=text)

    def take_action(self, parsed_args: argparse.Namespace
                    ) -> tuple[tuple[str, ...], tuple[typing.Any, ...]]:
        """Set the status of the member."""
        image_id = self.find(parsed_args.image)
        return _FIELDS, _row(self.images.set_member_status(
            self.caller, image_id, _member(self, image_id, parsed_args),
            parsed_args.status))


class MemberRemove(base.Command):
    """Stop sharing an image with a project."""

    examples = """
        nova-image member-remove cirros 8b23c7e6a5d04d0fa9a3e6a1f2b4c5d6
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the image and the project."""
        _add_member(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Remove the member."""
        image_id = self.find(parsed_args.image)
        self.images.remove_member(
            self.caller, image_id, _member(self, image_id, parsed_args))
