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


"""The images of a run of chaos, and how a replica is compared with them."""

import collections.abc
import dataclasses
import hashlib
import random
import typing
import uuid

from nova_image.tests.functional import servers

MARKER = 'nova_image_replica_of'
OWNERS = ('owner-1', 'owner-2')
#: a project that some images are shared with
PARTNER = 'partner'
STRANGER = 'stranger'
_SIZES = (0, 1, 65536, 1 << 20, 3 << 20, (4 << 20) + 1)
_OPEN = ('public', 'community')
#: fields that v1 and v2 have
_FIELDS = ('name', 'owner', 'protected', 'min_disk', 'min_ram',
           'disk_format', 'container_format')
_FIELDS_OF_V2 = ('visibility', 'os_hidden', 'tags')
#: fields of v2 that are not properties
_OTHER = frozenset((*_FIELDS, *_FIELDS_OF_V2, 'id', 'size', 'virtual_size',
                    'status', 'checksum', 'created_at', 'updated_at', 'file',
                    'self', 'schema', 'locations', 'direct_url', 'stores',
                    'os_hash_algo', 'os_hash_value'))


@dataclasses.dataclass
class Image:
    """An image of the source.

    :ivar api: the API of the source, ``v1`` or ``v2``
    :ivar raw: as v2 shows it at the source
    :ivar members: {project: status}
    :ivar statuses: those that a replica may have
    :ivar clashes: whether a foreign image at the target has its ID
    """

    api: str
    data: bytes
    raw: dict[str, typing.Any]
    members: dict[str, str] = dataclasses.field(default_factory=dict)
    statuses: set[str] = dataclasses.field(default_factory=set)
    clashes: bool = False

    @property
    def id(self) -> str:
        """The ID at the source."""
        return str(self.raw['id'])

    def may_see(self, project: str) -> bool:
        """Return whether a project that is not the owner may see it."""
        return self.raw['visibility'] in _OPEN or project in self.members

    def differences(self, found: dict[str, typing.Any]) -> list[str]:
        """Return what of a replica differs, except members and data."""
        names = _FIELDS if self.api == 'v1' else _FIELDS + _FIELDS_OF_V2
        pairs: dict[str, tuple[typing.Any, typing.Any]] = {
            name: (_plain(self.raw[name]), _plain(found[name]))
            for name in names}
        if self.api == 'v1':
            pairs['public'] = (self.raw['visibility'] == 'public',
                               found['visibility'] == 'public')
        pairs['size'] = len(self.data), found['size']
        pairs['MD5'] = hashlib.md5(self.data).hexdigest(), found['checksum']
        pairs['properties'] = _properties(self.raw), _properties(found)
        if found['status'] not in self.statuses:
            pairs['status'] = self.statuses, found['status']
        return ['%s: %r, not %r' % (name, now, wanted)
                for name, (wanted, now) in pairs.items() if now != wanted]

    def member_differences(self, found: dict[str, str]) -> list[str]:
        """Return whether the members of a replica differ.

        :param found: {project: status}
        """
        if self.api == 'v1':
            same = found.keys() == self.members.keys()
        else:
            same = found == self.members
        return [] if same else ['members: %r, not %r' % (
            found, self.members)]


def _plain(value: typing.Any) -> typing.Any:
    return sorted(value) if isinstance(value, list) else value


def _properties(raw: dict[str, typing.Any]) -> dict[str, typing.Any]:
    return {name: value for name, value in raw.items()
            if name not in _OTHER and name != MARKER and
            not name.startswith('os_glance_')}


def members_of(glance: servers.RawGlance, image_id: str) -> dict[str, str]:
    """Return {project: status} of the members of an image."""
    answer = glance.ask('GET', '/v2/images/%s/members' % image_id).json()
    return {one['member_id']: one['status'] for one in answer['members']}


def all_of(glance: servers.RawGlance) -> list[dict[str, typing.Any]]:
    """Return all images of a Glance, hidden ones too."""
    found = {}
    for visibility in ('public', 'community', 'shared', 'private'):
        # Glance 15 takes os_hidden for a property, which no image has.
        for hidden in {}, {'os_hidden': 'true'}:
            for image in glance.images(visibility=visibility, **hidden):
                found[image['id']] = image
    return list(found.values())


def create(glance: servers.RawGlance, chance: random.Random, number: int,
           api: str) -> Image:
    """Create an image at the source.

    :param chance: decides everything about it
    :param api: the API through which it is read
    """
    data = chance.randbytes(chance.choice(_SIZES))
    kinds = ['public', 'private', 'shared'] + ['community'] * (api == 'v2')
    wanted = {
        'id': str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        'name': 'disk %d' % (number // 2), 'owner': chance.choice(OWNERS),
        'visibility': chance.choice(kinds),
        'min_disk': chance.choice((0, 3)), 'min_ram': chance.choice((0, 9)),
        'protected': chance.random() < 0.3,
        'os_type': chance.choice(('linux', 'other')), 'note': 'à la %d' %
        number}
    if api == 'v2':
        wanted['tags'] = ['blue', 'red'][:chance.randrange(3)]
        wanted['os_hidden'] = chance.random() < 0.2
    raw = glance.create(data, **wanted)
    members = {}
    if wanted['visibility'] == 'shared':
        for project in (PARTNER, 'third')[:chance.randrange(3)]:
            members[project] = chance.choice(('pending', 'accepted'))
            _share(glance, raw['id'], project, members[project])
    status = 'active'
    if api == 'v2' and chance.random() < 0.2:
        glance.ask('POST', '/v2/images/%s/actions/deactivate' % raw['id'],
                   204)
        status = 'deactivated'
    return Image(api, data, glance.image(raw['id']), members, {status})


def _share(glance: servers.RawGlance, image_id: str, project: str,
           status: str) -> None:
    path = '/v2/images/%s/members' % image_id
    glance.ask('POST', path, json={'member': project})
    glance.ask('PUT', '%s/%s' % (path, project), json={'status': status})


def create_foreign(glance: servers.RawGlance, chance: random.Random,
                   images: collections.abc.Sequence[Image]) -> None:
    """Create images at the target that no replication may touch."""
    def new_id() -> str:
        return str(uuid.UUID(int=chance.getrandbits(128), version=4))

    images[0].clashes = images[1].clashes = True
    glance.create(id=images[0].id, owner='foreign')
    glance.create(b'other data', id=images[1].id, owner='foreign')
    glance.create(images[2].data, name=images[2].raw['name'])
    glance.create(visibility='private', **{MARKER: new_id()})
    glance.create(b'abc', visibility='public', protected=True,
                  **{MARKER: new_id()})


def snapshot(glance: servers.RawGlance,
             ids: collections.abc.Iterable[str]) -> dict[str, typing.Any]:
    """Return everything about images, by ID."""
    found = {}
    for image_id in ids:
        raw = glance.image(image_id)
        has_data = raw['status'] == 'active'
        found[image_id] = (
            raw, members_of(glance, image_id)
            if raw['visibility'] == 'shared' else {},
            glance.data(image_id) if has_data else None)
    return found
