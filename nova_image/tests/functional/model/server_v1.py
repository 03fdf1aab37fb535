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

"""The Images API v1 of a modelled Glance, as Glance 15.0.2 serves it."""

import typing

from nova_image.tests.functional.model import service
from nova_image.tests.functional.model import transport
from nova_image.tests.functional.model import world as worlds

_META = 'x-image-meta-'
_PROPERTY = _META + 'property-'
_SENT = ('name', 'disk_format', 'container_format')


class Server(service.Service):
    """Answers requests."""

    dropped = 'killed'

    def serve(self, actor: str, request: transport.Asked
              ) -> transport.Answer:
        """Return the answer to a request, after it has taken effect.

        :raises Refused: if it has no effect
        """
        parts = [one for one in request.path.split('/')[3:] if one]
        if len(parts) == 3:
            change = {'PUT': self.add_member, 'DELETE': self.remove_member}
            change[request.method](actor, parts[0], parts[2])
            return transport.Answer(204)
        if request.method == 'POST':
            return self._post(actor, request)
        if request.method == 'DELETE':
            self.delete(actor, parts[0])
            return transport.Answer(200, json={'image': {}})
        if request.method == 'HEAD':
            image = self.get(parts[0])
            self.world.look(image)
            return transport.Answer(200, headers=_headers(self._shown(image)))
        return self._put(actor, request, parts[0])

    def _shown(self, image: worlds.Image) -> dict[str, typing.Any]:
        found = {name: image.values[name] for name in _SENT + (
            'status', 'size', 'checksum', 'owner')}
        found.update(
            id=image.id, is_public=image.values['visibility'] == 'public',
            size=found['size'] or 0, min_disk=0, min_ram=0, deleted=False,
            created_at='2026-11-21T02:16:28.677847',
            updated_at='2026-11-21T02:16:28.677847',
            deleted_at=None, properties={
                name[len('prop:'):]: value
                for name, value in image.values.items()
                if name.startswith('prop:') and value is not None})
        return found

    def _answer(self, status: int, image: worlds.Image) -> transport.Answer:
        return transport.Answer(status, json={'image': self._shown(image)})

    def _post(self, actor: str, request: transport.Asked) -> transport.Answer:
        sent = _sent(request)
        location = sent.pop('location', None)
        if location and location not in self.world.data:
            raise service.Refused(400)
        empty = sent.pop('size', None) == '0'
        image = self.create(actor, sent.pop('id'), **sent)
        if location:
            self.locate(actor, image.id, location)
        elif empty:
            self.world.write(actor, image, status='active', size=0, data=b'')
        return self._answer(201, image)

    def _put(self, actor: str, request: transport.Asked,
             image_id: str) -> transport.Answer:
        image, sent = self._own(actor, image_id), _sent(request)
        location = sent.pop('location', None)
        sent.pop('size', None)
        purge = request.headers.get(
            'x-glance-registry-purge-props', 'True') == 'True'
        if location:
            self.locate(actor, image_id, location)
        if request.has_body:
            self.begin_upload(actor, image_id)
        elif purge:
            self.change(actor, image_id, {}, [
                name for name, value in image.values.items()
                if name.startswith('prop:') and value is not None and
                name not in sent])
        self.change(actor, image_id, sent)
        if request.has_body and request.is_cut:
            self.interrupt(actor, image_id, False)
        elif request.has_body:
            self.upload(actor, image_id, request.data())
        return self._answer(200, image)


def _sent(request: transport.Asked) -> dict[str, typing.Any]:
    """Return the metadata of a request by the names of World."""
    found = {}
    for name, value in request.headers.items():
        if name.startswith(_PROPERTY):
            found['prop:' + name[len(_PROPERTY):]] = value
        elif name == _META + 'is_public':
            found['visibility'] = 'public' if value == 'True' else 'private'
        elif name.startswith(_META):
            found[name[len(_META):]] = value
    return found


def _headers(shown: dict[str, typing.Any]) -> dict[str, str]:
    """Return an image as the headers of an answer to HEAD."""
    properties = shown.pop('properties')
    found = {_META + name: str(value) for name, value in shown.items()
             if value is not None}
    return found | {_PROPERTY + name: value
                    for name, value in properties.items()}
