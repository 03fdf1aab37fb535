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


"""The answer fuzz of the v2 driver. See answer_fuzz.py."""

import hashlib
import io
import json
import typing

from nova_image.tests.functional import answer_fuzz as fuzz
from nova_image.tests.functional import false_glance

Answer = false_glance.Answer
Json = dict[str, typing.Any]

_TIME = fuzz.TIME + 'Z'
_OTHER = 'aaaaaaaa-0000-4000-8000-000000000001'
_SECOND = 'b3a5e7c1-52d8-4f0b-9a64-7c1e8d2f0b93'
_MEMBER = {'member_id': 'q', 'image_id': fuzz.IMAGE_ID, 'status': 'pending',
           'created_at': _TIME, 'updated_at': _TIME,
           'schema': '/v2/schemas/member'}
_SCHEMA = {'properties': {
    'disk_format': {'enum': [None, 'raw', 'qcow2']},
    'container_format': {'enum': [None, 'bare']},
    'locations': {'items': {'properties': {'validation_data': {}}}}}}
_PAGES: dict[str, Json] = {
    '/versions': {'versions': [{'id': 'v2.17', 'status': 'CURRENT'},
                               {'id': 'v2.0', 'status': 'SUPPORTED'}]},
    '/v2/schemas/image': _SCHEMA,
    '/v2/info/import': {'import-methods': {'value': [
        'glance-direct', 'web-download', 'copy-image']}},
    '/v2/info/stores': {'stores': [{'id': 'fast', 'default': True},
                                   {'id': 'slow'}]},
    '/v2/info/usage': {'usage': {
        'image_size_total': {'usage': 1, 'limit': 100},
        'image_stage_total': {'usage': 0, 'limit': -1}}},
}


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
            'virtual_size': None, 'disk_format': 'raw',
            'container_format': 'bare', 'checksum': fuzz.MD5,
            'os_hash_algo': 'sha512', 'os_hash_value': fuzz.SHA512,
            'owner': 'p', 'visibility': 'shared', 'tags': ['a'],
            'created_at': _TIME, 'updated_at': _TIME, 'protected': False,
            'os_hidden': False, 'stores': 'fast', 'os_type': 'linux',
            'file': '/v2/images/x/file', 'schema': '/v2/schemas/image',
            'self': '/v2/images/x', 'mappings': '[{"device": "a"}]', **fields}
        self._working = 0

    def __call__(self, method: str, path: str, headers: dict[str, str],
                 body: bytes, effect: bool) -> Answer:
        """Return an answer, and take effect unless it will be an error."""
        path, _, query = path.partition('?')
        if path in _PAGES:
            return Answer(body=json.loads(json.dumps(_PAGES[path])))
        if path.startswith('/v2/stores/'):
            return Answer(204)
        _, _, rest = path.partition('/v2/images')
        _, image_id, name, *_ = [*rest.split('/'), '', '', '']
        kind = 'image' if image_id and not name else name or 'images'
        return getattr(self, '_%s_%s' % (method.lower(), kind))(
            query, body, effect)

    def _shown(self) -> Json:
        shown: Json = json.loads(json.dumps(self.image))
        if self._working > 0:
            self._working -= 1
            shown.update(status='importing', os_glance_import_task='t',
                         os_glance_importing_to_stores='fast')
        return shown

    def _active(self, body: bytes = fuzz.DATA) -> None:
        md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
        self.image.update(
            status='active', size=len(body), stores='fast,slow', checksum=md5,
            os_hash_algo='sha512',
            os_hash_value=hashlib.sha512(body).hexdigest())

    def _get_images(self, query: str, body: bytes, effect: bool) -> Answer:
        page = {'images': [dict(self._shown(), id=_OTHER)],
                'first': '/v2/images', 'schema': '/v2/schemas/images'}
        if 'marker' not in query:
            page['images'].insert(0, self._shown())
            page['images'][1]['id'] = _SECOND
            page['next'] = '/v2/images?limit=2&marker=' + _SECOND
        return Answer(body=page)

    def _post_images(self, query: str, body: bytes, effect: bool) -> Answer:
        sent = json.loads(body)
        if effect:
            self.made = True
            self.image.update(sent, status='queued', size=None, checksum=None,
                              os_hash_algo=None, os_hash_value=None)
            del self.image['stores']
        return Answer(201, [('OpenStack-image-import-methods',
                             'glance-direct,web-download')],
                      dict(self._shown(), id=sent['id']))

    def _get_image(self, query: str, body: bytes, effect: bool) -> Answer:
        return Answer(404) if self.deleted else Answer(body=self._shown())

    def _patch_image(self, query: str, body: bytes, effect: bool) -> Answer:
        for one in json.loads(body) if effect else ():
            name = one['path'].strip('/')
            if name == 'locations/-':
                self._active()
                self.image['locations'].append(one['value'])
            elif name.startswith('locations/'):
                del self.image['locations'][int(name.rpartition('/')[2])]
            elif one['op'] == 'remove':
                del self.image[name]
            else:
                self.image[name] = one['value']
        return Answer(body=self._shown())

    def _delete_image(self, query: str, body: bytes, effect: bool) -> Answer:
        self.deleted = self.deleted or effect
        return Answer(204)

    def _put_file(self, query: str, body: bytes, effect: bool) -> Answer:
        if effect:
            self._active(body)
        return Answer(204)

    def _put_stage(self, query: str, body: bytes, effect: bool) -> Answer:
        if effect:
            self.image.update(status='uploading', size=len(body))
        return Answer(204)

    def _get_file(self, query: str, body: bytes, effect: bool) -> Answer:
        return Answer(200, [('Content-MD5', fuzz.MD5)], fuzz.DATA)

    def _post_import(self, query: str, body: bytes, effect: bool) -> Answer:
        if effect:
            self._working = 2
            self._active()
        return Answer(202, [('x-openstack-request-id', 'req-1')], b'')

    def _get_tasks(self, query: str, body: bytes, effect: bool) -> Answer:
        return Answer(body={'tasks': [{
            'id': 't', 'request_id': 'req-1', 'status': 'success',
            'message': 'Copied 15 MiB', 'updated_at': _TIME}]})

    def _get_locations(self, query: str, body: bytes,
                       effect: bool) -> Answer:
        return Answer(body=[{'url': 'file:///a', 'metadata': {'store': 'a'}}])

    def _post_locations(self, query: str, body: bytes,
                        effect: bool) -> Answer:
        if effect:
            self._working = 1
            self._active()
        return Answer(202, [], b'')

    def _get_members(self, query: str, body: bytes, effect: bool) -> Answer:
        if query or not effect:
            return Answer(body=dict(_MEMBER))
        return Answer(body={'members': [dict(_MEMBER)], 'schema': 'x'})

    def _post_members(self, query: str, body: bytes, effect: bool) -> Answer:
        return Answer(body=dict(_MEMBER, image_id=self.image['id']))

    def _put_members(self, query: str, body: bytes, effect: bool) -> Answer:
        return Answer(body=dict(_MEMBER, status='accepted'))

    def _delete_members(self, query: str, body: bytes,
                        effect: bool) -> Answer:
        return Answer(204)


_TWO = [{'url': 'file:///a', 'metadata': {'store': 'a'}},
        {'url': 'file:///b', 'metadata': {'store': 'b'}}]
_LOCATED = dict(fuzz.META, location='rbd://a/b/c/d')
#: {name: (fields of the image before, the call)}
CALLS: dict[str, tuple[Json, typing.Any]] = {
    'show': ({}, lambda one: one.driver.show(one.context, fuzz.IMAGE_ID)),
    'show locations': ({'locations': [{
        'url': 'file:///a', 'metadata': {'store': 'a'}}],
        'direct_url': 'file:///b'}, lambda one: one.driver.show(
            one.context, fuzz.IMAGE_ID, include_locations=True)),
    'show hidden locations': ({}, lambda one: one.driver.show(
        one.context, fuzz.IMAGE_ID, include_locations=True)),
    'detail': ({}, lambda one: one.driver.detail(one.context)),
    'create': ({}, lambda one: one.driver.create(one.context, fuzz.META)),
    'create data': ({}, lambda one: one.driver.create(
        one.context, fuzz.META, fuzz.body())),
    'create empty': ({}, lambda one: one.driver.create(
        one.context, {'name': 'x', 'size': 0})),
    'create member': ({}, lambda one: one.driver.create(
        one.context, dict(fuzz.META, properties={'instance_owner': 'q'}))),
    'create location': ({'locations': []}, lambda one: one.driver.create(
        one.context, _LOCATED)),
    'create location by task': ({}, lambda one: one.driver.create(
        one.context, _LOCATED)),
    'update': ({}, lambda one: one.driver.update(
        one.context, fuzz.IMAGE_ID, {'name': 'y', 'is_public': False,
                                     'properties': {'mappings': [1]}})),
    'update data': ({'status': 'queued', 'size': None}, lambda one: (
        one.driver.update(one.context, fuzz.IMAGE_ID, {'name': 'y'},
                          fuzz.body()))),
    'update location': ({'status': 'queued', 'locations': []}, lambda one: (
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
    'set member': ({}, lambda one: one.driver.set_member_status(
        one.context, fuzz.IMAGE_ID, 'q', 'accepted')),
    'remove member': ({}, lambda one: one.driver.remove_member(
        one.context, fuzz.IMAGE_ID, 'q')),
    'import info': ({}, lambda one: one.driver.import_info(one.context)),
    'stage': ({'status': 'queued', 'size': None}, lambda one: (
        one.driver.stage(one.context, fuzz.IMAGE_ID, fuzz.body()))),
    'import': ({'status': 'queued', 'size': None}, lambda one: (
        one.driver.import_image(
            one.context, fuzz.IMAGE_ID, 'web-download', timeout=5,
            uri='http://source/a', stores=['fast']))),
    'create via import': ({}, lambda one: one.driver.create_via_import(
        one.context, fuzz.META, 'glance-direct', data=fuzz.body(),
        timeout=5)),
    'copy': ({}, lambda one: one.driver.image_import_copy(
        one.context, fuzz.IMAGE_ID, ['slow'], wait=True, timeout=5)),
    'locations': ({'locations': _TWO}, lambda one: one.driver.locations(
        one.context, fuzz.IMAGE_ID)),
    'hidden locations': ({}, lambda one: one.driver.locations(
        one.context, fuzz.IMAGE_ID)),
    'add location': ({'locations': _TWO}, lambda one: one.driver.add_location(
        one.context, fuzz.IMAGE_ID, 'rbd://a/b/c/d')),
    'remove location': ({'locations': _TWO}, lambda one: (
        one.driver.remove_location(one.context, fuzz.IMAGE_ID, _TWO[1]))),
    'remove from store': ({'stores': 'a,b'}, lambda one: (
        one.driver.remove_from_store(one.context, fuzz.IMAGE_ID, 'b'))),
    'import status': ({}, lambda one: one.driver.import_status(
        one.context, fuzz.IMAGE_ID)),
    'watch': ({'status': 'importing', 'os_glance_import_task': 't'},
              lambda one: one.driver.import_status(
                  one.context, fuzz.IMAGE_ID, watch=True, timeout=5)),
}


class V2AnswersTest(fuzz.AnswerFuzz):
    """Any answers to the v2 driver."""

    api = 'v2'
    calls = CALLS
    truth = Truth
    examples = 120
