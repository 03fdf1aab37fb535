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

"""The Images API v2 of a modelled Glance."""

import collections.abc
import re
import typing

from nova_image.tests.functional.model import service
from nova_image.tests.functional.model import transport
from nova_image.tests.functional.model import world as worlds

#: names of values that a client of v2 sees as they are
_SHOWN = ('name', 'status', 'size', 'visibility', 'owner', 'disk_format',
          'container_format', 'checksum', 'os_hash_algo', 'os_hash_value')
_PROPERTY = 'prop:'
_FORMATS = {'disk_format': {'enum': [None, 'raw', 'qcow2']},
            'container_format': {'enum': [None, 'bare']}}

_Parts = list[str]


class Server(service.Service):
    """Answers requests."""

    def serve(self, actor: str, request: transport.Asked
              ) -> transport.Answer:
        """Return the answer to a request, after it has taken effect.

        :raises Refused: if it has no effect
        """
        path = request.path.partition('?')[0]
        if not path.startswith('/v2/images'):
            return self._about_glance(path)
        parts = [one for one in path.split('/')[3:] if one]
        kind = '%s %s' % (request.method, ' '.join(
            ['ID'] * bool(parts) + parts[1:2] + ['ID'] * (len(parts) > 2)))
        handler = _HANDLERS.get(kind.strip())
        if handler is None:
            raise service.Refused(404, 'No such path')
        return handler(self, actor, request, parts)

    def _about_glance(self, path: str) -> transport.Answer:
        minor = 17 if self.options.locations == 'api' else 9
        pages: dict[str, dict[str, typing.Any]] = {
            '/versions': {'versions': [{'id': 'v2.%d' % minor}]},
            '/v2/schemas/image': {'properties': dict(
                _FORMATS, locations={'items': {'properties': {
                    'validation_data': {}}}})},
            '/v2/info/import': {'import-methods': {'value': [
                'glance-direct', 'web-download', 'copy-image']}},
            '/v2/info/stores': {'stores': [
                {'id': name} for name in self.options.stores]},
            '/v2/info/usage': {}}
        if path not in pages or path.endswith('stores') and (
                not self.options.stores):
            raise service.Refused(404)
        return transport.Answer(200, json=pages[path])

    def _shown(self, image: worlds.Image) -> dict[str, typing.Any]:
        found = {name: image.values[name] for name in _SHOWN}
        found.update(id=image.id, min_disk=0, min_ram=0, protected=False,
                     tags=[], created_at='2026-11-21T02:16:28Z',
                     updated_at='2026-11-21T02:16:28Z')
        found.update((name[len(_PROPERTY):], value)
                     for name, value in image.values.items()
                     if name.startswith(_PROPERTY) and value is not None)
        if self.options.stores and image.values['stores']:
            found['stores'] = ','.join(image.values['stores'])
        if self.options.locations == 'patch':
            found['locations'] = _locations(image)
        if image.work and found['status'] != 'saving':
            found['os_glance_import_task'] = image.work.task
        return found

    def _show(self, actor: str, request: transport.Asked,
              parts: _Parts) -> transport.Answer:
        image = self.get(parts[0])
        self.world.look(image)
        return transport.Answer(200, json=self._shown(image))

    def _create(self, actor: str, request: transport.Asked,
                parts: _Parts) -> transport.Answer:
        sent = request.json()
        image = self.create(actor, sent.pop('id'), **_named(sent))
        return transport.Answer(201, json=self._shown(image))

    def _patch(self, actor: str, request: transport.Asked,
               parts: _Parts) -> transport.Answer:
        values, removed, url = {}, [], None
        image = self._own(actor, parts[0])
        for one in request.json():
            name = one['path'].lstrip('/')
            if name == 'locations/-':
                url = one['value']['url']
            elif one['op'] == 'remove':
                removed += list(_named({name: None}))
            else:
                values.update(_named({name: one['value']}))
        if url:
            if self.options.locations != 'patch':
                raise service.Refused(403)
            self.locate(actor, parts[0], url)
        self.change(actor, parts[0], values, removed)
        return transport.Answer(200, json=self._shown(image))

    def _upload(self, actor: str, request: transport.Asked,
                parts: _Parts) -> transport.Answer:
        staged = parts[1] == 'stage'
        self.begin_upload(actor, parts[0], staged)
        if request.is_cut:
            self.interrupt(actor, parts[0], staged)
        else:
            (self.stage if staged else self.upload)(
                actor, parts[0], request.data())
        return transport.Answer(204)

    def _import(self, actor: str, request: transport.Asked,
                parts: _Parts) -> transport.Answer:
        self.begin_import(actor, parts[0], request.json(), request.id)
        return transport.Answer(202)

    def _tasks(self, actor: str, request: transport.Asked,
               parts: _Parts) -> transport.Answer:
        if not self.options.shows_tasks:
            raise service.Refused(404)
        self.get(parts[0])
        return transport.Answer(200, json={'tasks': self.world.tasks[::-1]})

    def _delete(self, actor: str, request: transport.Asked,
                parts: _Parts) -> transport.Answer:
        self.delete(actor, parts[0])
        return transport.Answer(204)

    def _locate(self, actor: str, request: transport.Asked,
                parts: _Parts) -> transport.Answer:
        if self.options.locations != 'api':
            raise service.Refused(404)
        sent = request.json()
        self.begin_locate(actor, parts[0], sent['url'],
                          sent.get('validation_data'))
        return transport.Answer(202, json={'url': sent['url']})

    def _list_locations(self, actor: str, request: transport.Asked,
                        parts: _Parts) -> transport.Answer:
        if self.options.locations != 'api':
            raise service.Refused(404)
        return transport.Answer(200, json=_locations(self.get(parts[0])))

    def _member(self, actor: str, request: transport.Asked,
                parts: _Parts) -> transport.Answer:
        image = self.get(parts[0])
        name = parts[2] if len(parts) > 2 else request.json()['member']
        has = name in image.values['members']
        if request.method == 'GET':
            if not has:
                raise service.Refused(404)
        elif request.method == 'DELETE':
            self.remove_member(actor, parts[0], name)
            return transport.Answer(204)
        elif image.values['visibility'] != 'shared':
            raise service.Refused(403)
        elif has:
            raise service.Refused(409)
        else:
            self.add_member(actor, parts[0], name)
        return transport.Answer(200, json={
            'member_id': name, 'image_id': image.id, 'status': 'pending'})


_HANDLERS: dict[str, collections.abc.Callable[..., transport.Answer]] = {
    'GET ID': Server._show,
    'POST': Server._create,
    'PATCH ID': Server._patch,
    'DELETE ID': Server._delete,
    'PUT ID file': Server._upload,
    'PUT ID stage': Server._upload,
    'POST ID import': Server._import,
    'GET ID tasks': Server._tasks,
    'POST ID locations': Server._locate,
    'GET ID locations': Server._list_locations,
    'POST ID members': Server._member,
    'GET ID members ID': Server._member,
    'DELETE ID members ID': Server._member,
}


def _locations(image: worlds.Image) -> list[dict[str, typing.Any]]:
    url = image.values['location']
    return [{'url': url, 'metadata': {}}] if url else []


def _named(sent: dict[str, typing.Any]) -> dict[str, typing.Any]:
    """Return what a client has sent by the names of World."""
    own = re.compile('name|visibility|disk_format|container_format|owner')
    return {name if own.fullmatch(name) else _PROPERTY + name: value
            for name, value in sent.items()}
