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

"""Images made and read by plain HTTP, past Nova and past nova_image."""

import abc
import dataclasses
import typing

from nova_image.tests.functional import servers as shared

_FORMATS = {'disk_format': 'raw', 'container_format': 'bare'}


@dataclasses.dataclass(frozen=True)
class Spec:
    """What an image is to be.

    :ivar data: its data; it stays queued if None
    :ivar min_disk: in GiB
    :ivar min_ram: in MiB
    """

    name: str = 'an image'
    properties: dict[str, str] = dataclasses.field(default_factory=dict)
    data: bytes | None = b'data'
    public: bool = False
    min_disk: int = 0
    min_ram: int = 0

    def fields(self) -> dict[str, typing.Any]:
        """Return what both versions of the API have the same names for."""
        return _FORMATS | {'name': self.name, 'min_disk': self.min_disk,
                           'min_ram': self.min_ram}


class Images(abc.ABC):
    """A Glance's images, by one version of its API."""

    api = ''
    #: the status that answers a deletion
    deleted = 204

    def __init__(self, url: str, project: str) -> None:
        """Prepare.

        :param url: where Glance answers
        :param project: who asks, as an administrator
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
        """Make an image and return its ID."""

    @abc.abstractmethod
    def data(self, image_id: str) -> bytes:
        """Return an image's data."""


class V2(Images):
    """Images by v2: metadata are JSON."""

    api = 'v2'

    def create(self, spec: Spec) -> str:
        """Make an image and return its ID."""
        return self.http.create(
            spec.data, visibility='public' if spec.public else 'private',
            **spec.fields(), **spec.properties)['id']

    def data(self, image_id: str) -> bytes:
        """Return an image's data."""
        return self.http.data(image_id)
