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


"""The answer fuzz of the v1 driver. See answer_fuzz.py."""

import io
import json
import typing

from nova_image.tests.functional import answer_fuzz as fuzz
from nova_image.tests.functional import false_glance

Answer = false_glance.Answer
Json = dict[str, typing.Any]

_OTHER = 'aaaaaaaa-0000-4000-8000-000000000001'
_META = 'x-image-meta-'


class Truth:
    """The right answers for one image.

    :ivar made: whether it was created
    :ivar deleted: whether it was deleted
    """

    def __init__(self, **fields: typing.Any) -> None:
        """Begin with an active image, except for some fields."""
        self.made = self.deleted = False
        self.image: Json = {
            'id': fuzz.IMAGE_ID, 'name': 'x', 'status': 'active',
            'size': len(fuzz.DATA), 'min_disk': 0, 'min_ram': 0,
            'disk_format': 'raw', 'container_format': 'bare',
            'checksum': fuzz.MD5, 'owner': 'p', 'is_public': False,
            'created_at': fuzz.TIME + '.677847', 'deleted_at': None,
            'updated_at': fuzz.TIME + '.000000', 'deleted': False,
            'protected': False, 'virtual_size': None,
            'properties': {'os_type': 'linux', 'mappings': '[{"a": 1}]'},
            **fields}

    def __call__(self, method: str, path: str, headers: dict[str, str],
                 body: bytes, effect: bool) -> Answer:
        """Return an answer, and take effect unless it will be an error."""
        path, _, query = path.partition('?')
        _, _, rest = path.partition('/v1/images')
        if '/members' in rest:
            return Answer(body={'members': [
                {'member_id': 'q', 'can_share': False}]}) if (
                    method == 'GET') else Answer(204)
        if rest == '/detail':
            return Answer(body={'images': [] if 'marker' in query else [
                self._shown(), dict(self._shown(), id=_OTHER)]})
        if method in ('HEAD', 'GET'):
            if self.deleted:
                return Answer(404)
            return Answer(200, self._headers(), b'' if method == 'HEAD'
                          else fuzz.DATA)
        if method == 'DELETE':
            self.deleted = self.deleted or effect
            return Answer(200)
        if effect:
            self._change(method, headers, body)
        shown = self._shown()
        shown['id'] = headers.get(_META + 'id', shown['id'])
        return Answer(201 if method == 'POST' else 200, [],
                      {'image': shown})

    def _shown(self) -> Json:
        shown: Json = json.loads(json.dumps(self.image))
        return shown

    def _headers(self) -> list[tuple[str, str]]:
        """Return the image as HEAD has it: nulls are missing."""
        flat = {name: value for name, value in self.image.items()
                if name != 'properties'} | {
                    'property-' + name: value
                    for name, value in self.image['properties'].items()}
        return [(_META + name, str(value)) for name, value in flat.items()
                if value is not None]

    def _change(self, method: str, headers: dict[str, str],
                body: bytes) -> None:
        if method == 'POST':
            self.made = True
            self.image.update(id=headers[_META + 'id'], status='queued',
                              size=0, checksum=None)
        if body:
            self.image.update(status='active', size=len(body),
                              checksum=fuzz.MD5)
        elif _META + 'location' in headers or _META + 'size' in headers:
            self.image.update(status='active')


#: {name: (fields of the image before, the call)}
CALLS: dict[str, tuple[Json, typing.Any]] = {
    'show': ({}, lambda one: one.driver.show(one.context, fuzz.IMAGE_ID)),
    'show locations': ({}, lambda one: one.driver.show(
        one.context, fuzz.IMAGE_ID, include_locations=True)),
    'detail': ({}, lambda one: one.driver.detail(one.context)),
    'create': ({}, lambda one: one.driver.create(one.context, fuzz.META)),
    'create data': ({}, lambda one: one.driver.create(
        one.context, fuzz.META, fuzz.body())),
    'create empty': ({}, lambda one: one.driver.create(
        one.context, {'name': 'x', 'size': 0})),
    'create member': ({}, lambda one: one.driver.create(
        one.context, dict(fuzz.META, properties={'instance_owner': 'q'}),
        fuzz.body())),
    'create location': ({}, lambda one: one.driver.create(
        one.context, dict(fuzz.META, location='rbd://a/b/c/d'))),
    'update': ({}, lambda one: one.driver.update(
        one.context, fuzz.IMAGE_ID, {'name': 'y', 'is_public': False,
                                     'properties': {'mappings': [1]}})),
    'update data': ({'status': 'queued', 'size': 0}, lambda one: (
        one.driver.update(one.context, fuzz.IMAGE_ID, {'name': 'y'},
                          fuzz.body()))),
    'update location': ({'status': 'queued', 'size': 0}, lambda one: (
        one.driver.update(one.context, fuzz.IMAGE_ID,
                          {'location': 'rbd://a/b/c/d'}))),
    'delete': ({}, lambda one: one.driver.delete(one.context,
                                                 fuzz.IMAGE_ID)),
    'download': ({}, lambda one: one.driver.download(
        one.context, fuzz.IMAGE_ID, data=io.BytesIO())),
    'download file': ({}, lambda one: one.driver.download(
        one.context, fuzz.IMAGE_ID, dst_path=one.path)),
    'download stream': ({}, lambda one: b''.join(one.driver.download(
        one.context, fuzz.IMAGE_ID))),
    'members': ({}, lambda one: one.driver.members(one.context,
                                                   fuzz.IMAGE_ID)),
    'add member': ({}, lambda one: one.driver.add_member(
        one.context, fuzz.IMAGE_ID, 'q')),
    'remove member': ({}, lambda one: one.driver.remove_member(
        one.context, fuzz.IMAGE_ID, 'q')),
}


class V1AnswersTest(fuzz.AnswerFuzz):
    """Any answers to the v1 driver."""

    api = 'v1'
    calls = CALLS
    truth = Truth
    examples = 60
