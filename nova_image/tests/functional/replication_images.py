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

"""Random images for tests of replication, made by a plain HTTP client."""

import collections.abc
import dataclasses
import hashlib
import random
import typing
import uuid

from nova_image.tests.functional import loopback
from nova_image.tests.functional import servers

Raw = dict[str, typing.Any]

MIB = 1024 * 1024
#: property of the data that Glance does not store: it is at a web server
_WEB = 'web'

_OWNERS = ('p-one', 'p-two', 'Zürich', 'the-admins')
_NAMES = (None, '', 'disk', 'disk', 'Disk', ' lead', 'a\nb', 'Zürich 日本',
          'n' * 255, 'ü' * 255, "it's \"quoted\" \\ %s", 'A/B?c=d&e#f')
_TAGS = ('', 'a', 'A', 'é/ ~', '日本', 't' * 255)
#: names that are in any schema, and traps of v1: case, signs, clashes
_KEYS = ('a', 'A', 'a-b', 'a_b', 'a b', 'Mixed', 'hw_disk_bus', 'os_distro',
         'os_type', '/~ %', 'a:b', 'k' * 255, 'owner_specified.x',
         'instance_uuid', 'mappings', 'None', 'content-type')
_VALUES = ('', '1', 'x', ' lead', 'trail ', 'None', 'True', 'Zürich\t日本',
           'line\nbreak', 'v' * 5000, '{"a": [1]}', 'a=b;c', "it's", '\\', '%')
#: formats that Glance 33 accepts with any data
_FORMATS = (('raw', 'bare'),) * 6 + (
    ('vhd', 'ovf'), ('ami', 'ami'), ('aki', 'aki'), ('ari', 'ari'),
    ('raw', 'ovf'), ('raw', 'docker'), ('raw', 'ova'))
#: formats that the data does not have
_FALSE = (('qcow2', 'bare'), ('iso', 'bare'), ('vmdk', 'bare'),
          ('vdi', 'ovf'), ('ploop', 'bare'), ('vhdx', 'bare'))


@dataclasses.dataclass
class Image:
    """An image of the source.

    :ivar flat: what v2 accepts at its creation
    :ivar data: its data; None if it has none
    :ivar state: ``active``, ``deactivated``, ``queued`` or ``web``
    :ivar members: {project: status}
    """

    flat: Raw
    data: bytes | None
    state: str
    members: dict[str, str]

    @property
    def id(self) -> str:
        """The ID of the image."""
        found: str = self.flat['id']
        return found

    @property
    def md5(self) -> str | None:
        """The hash of the data."""
        return None if self.data is None else hashlib.md5(
            self.data, usedforsecurity=False).hexdigest()


class Maker:
    """Draws images.

    :param seed: of the random numbers
    :param hidden: whether the source hides images, and accepts any name of a
        property
    :param false_formats: whether the source accepts data of another format
    """

    def __init__(self, seed: int, hidden: bool, false_formats: bool) -> None:
        self.random = random.Random(seed)
        self._hidden = hidden
        self._false = false_formats
        self._ids: list[str] = []

    def images(self, count: int) -> collections.abc.Iterator[Image]:
        """Yield images; a few are large if there are many."""
        for number in range(count):
            yield self._image(self._size(number, count))

    @staticmethod
    def new_id() -> str:
        """Return an unused ID."""
        return str(uuid.uuid4())  # others use the same servers

    def _size(self, number: int, count: int) -> int:
        if number == 0:
            return 5 * MIB + 1 if count < 100 else 64 * MIB
        if number % 60 == 0:
            return self.random.randrange(MIB, 48 * MIB)
        return self.random.choice((0, 1, 1000, 65536, self.random.randrange(
            300000)))

    def _some(self, values: collections.abc.Sequence[typing.Any],
              most: int) -> list[typing.Any]:
        return self.random.sample(values, self.random.randrange(
            min(most, len(values)) + 1))

    def _image(self, size: int) -> Image:
        draw = self.random
        state = draw.choice(('active',) * 14 + (
            'deactivated', 'deactivated', 'queued', _WEB))
        visibility = draw.choice(('public', 'private', 'shared', 'shared',
                                  'community'))
        formats = draw.choice(_FALSE) if self._false and (
            draw.random() < 0.08) else draw.choice(_FORMATS)
        flat = {
            'id': self.new_id(), 'name': draw.choice(_NAMES),
            'owner': draw.choice(_OWNERS), 'visibility': visibility,
            'protected': draw.random() < 0.2,
            'min_disk': draw.choice((0, 0, 7, 2 ** 31 - 1)),
            'min_ram': draw.choice((0, 0, 512)), 'tags': self._some(_TAGS, 3),
            'disk_format': formats[0], 'container_format': formats[1],
            **self._properties()}
        if self._hidden and draw.random() < 0.15:
            flat['os_hidden'] = True
        if state == 'queued' and draw.random() < 0.5:
            del flat['disk_format'], flat['container_format']
        members = {
            project: draw.choice(('pending', 'accepted', 'rejected'))
            for project in self._some(('m-one', 'm-two', 'M_3'), 3)
        } if visibility == 'shared' else {}
        data = None if state == 'queued' else draw.randbytes(
            max(size, state == _WEB))
        self._ids.append(flat['id'])
        return Image(flat, data, state, members)

    def _properties(self) -> Raw:
        draw = self.random
        names = self._some(_KEYS + (('é', 'Ä') if self._hidden else ()), 6)
        found = {name: draw.choice(_VALUES) for name in names}
        if draw.random() < 0.25 and self._ids:
            found['kernel_id'] = draw.choice(self._ids)
        if draw.random() < 0.1:
            found['ramdisk_id'] = self.new_id()
        if draw.random() < 0.1 and self._ids:
            found['base_image_ref'] = draw.choice(self._ids)
        return found


def make(raw: servers.RawGlance, image: Image,
         web: loopback.WebStores) -> None:
    """Give a Glance an image."""
    flat = {name: value for name, value in image.flat.items()
            if value is not None}
    raw.ask('POST', '/v2/images', 201, json=flat)
    path = '/v2/images/' + image.id
    for project, status in image.members.items():
        raw.ask('POST', path + '/members', json={'member': project})
        raw.ask('PUT', '%s/members/%s' % (path, project),
                json={'status': status})
    if image.state == _WEB:
        raw.patch(image.id, {
            'op': 'add', 'path': '/locations/-', 'value': {
                'url': web.add(image.data or b''), 'metadata': {}}})
    elif image.data is not None:
        raw.ask('PUT', path + '/file', 204, data=image.data, headers={
            'Content-Type': 'application/octet-stream'})
    if image.state == 'deactivated':
        raw.ask('POST', path + '/actions/deactivate', 204)
