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

"""openstackclient's commands for images, with our transfers.

Its own code reads the options, finds the image and shows the result. Only the
two methods of openstacksdk with which it moves image data are replaced.
"""

from __future__ import annotations

import argparse
import importlib
import typing

from openstackclient.image.v2 import image

_V1 = '1'


class _WithOurTransfers:
    """The part that both commands share.

    The Images API v1 has other options, so openstackclient's own command is
    used with it.
    """

    app: typing.Any

    def __new__(cls, app: typing.Any, *arguments: typing.Any,
                **named: typing.Any) -> typing.Any:
        """Return a command for the Images API in use."""
        version = getattr(app, 'api_version', {}).get('image', '')
        if version.partition('.')[0] == _V1:
            theirs = importlib.import_module('openstackclient.image.v1.image')
            return getattr(theirs, cls.__name__)(app, *arguments, **named)
        return super().__new__(cls)

    def take_action(self, parsed_args: argparse.Namespace) -> typing.Any:
        """Run openstackclient's command with our transfers."""
        # Every openstack command imports this module.
        from nova_image.osc import transfers
        with transfers.installed(self.app, parsed_args):
            return super().take_action(parsed_args)  # type: ignore[misc]


class SaveImage(_WithOurTransfers, image.SaveImage):  # type: ignore[misc]
    """``openstack image save``."""

    _description = (
        'Save an image locally. The data is verified, the file appears only '
        'when it is complete, and the same command resumes an interrupted '
        'save (nova_image).')


class CreateImage(_WithOurTransfers, image.CreateImage):  # type: ignore[misc]
    """``openstack image create``."""

    _description = (
        'Create/upload an image. The data is verified, and the image is '
        'deleted if it cannot be uploaded completely (nova_image).')
