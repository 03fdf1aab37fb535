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

"""Images created and read by plain HTTP, without Nova and nova_image."""

import abc
import dataclasses
import typing

from nova_image.tests.functional import servers as shared

_FORMATS = {'disk_format': 'raw', 'container_format': 'bare'}


@dataclasses.dataclass(frozen=True)
class Spec:
    """The specification of an image.

    :ivar data: its data; it stays queued if None
    :ivar min_disk: its minimum disk, in GiB
    :ivar min_ram: its minimum RAM, in MiB
    """

    name: str = 'an image'
    properties: dict[str, str] = dataclasses.field(default_factory=dict)
    data: bytes | None = b'data'
    public: bool = False
    min_disk: int = 0
    min_ram: int = 0

    def fields(self) -> dict[str, typing.Any]:
        """Return the fields that have the same names in both versions."""
        return _FORMATS | {'name': self.name, 'min_disk': self.min_disk,
                           'min_ram': self.min_ram}


class Images(abc.ABC):
    """The images of a Glance, through one version of its API."""

    api = ''
    #: the status of a successful deletion
    deleted = 204

    def __init__(self, url: str, project: str) -> None:
        """Create the client.

        :param url: the URL of Glance
        :param project: the ID of the project of the caller, an administrator
        """
        self.http = shared.RawGlance(url, shared.headers_of(project, 'admin'))

    def path(self, image_id: str) -> str:
        """Return an image's path."""
        return '/%s/images/%s' % (self.api, image_id)

    def delete(self, image_id: str) -> None:
        """Delete an image."""
        self.http.ask('DELETE', self.path(image_id), self.deleted)

    @abc.abstractmethod
    def create(self, spec: Spec) -> str:
        """Create an image and return its ID."""

    @abc.abstractmethod
    def data(self, image_id: str) -> bytes:
        """Return an image's data."""


class V2(Images):
    """Images through v2: metadata in JSON."""

    api = 'v2'

    def create(self, spec: Spec) -> str:
        """Create an image and return its ID."""
        return self.http.create(
            spec.data, visibility='public' if spec.public else 'private',
            **spec.fields(), **spec.properties)['id']

    def data(self, image_id: str) -> bytes:
        """Return an image's data."""
        return self.http.data(image_id)
