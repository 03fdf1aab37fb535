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

"""Records the answers of real Glances, which unit tests replay.

Starts Glance 15.0.2 and Glance 33.0.0, sends plain HTTP requests to their v2
and writes the answers to nova_image/tests/unit/recordings/, one file for each
Glance. Values that differ from run to run (dates, ports, paths, request IDs)
are replaced, so a new recording of the same Glance is identical. Run it from
the root of the clone, with Python 3.11 and 2.7::

    python -m tools.record_answers

tools.record_v1_answers records the answers of v1.
"""

import collections.abc
import json
import pathlib
import re
import time
import typing

import requests

from nova_image.tests import fixtures

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDER = ROOT / 'nova_image' / 'tests' / 'unit' / 'recordings'
#: replaces the URL of the Glance
ENDPOINT = 'http://glance:9292'

ACTIVE = 'aaaaaaaa-0000-4000-8000-000000000001'
QUEUED = 'aaaaaaaa-0000-4000-8000-000000000002'
SHARED = 'aaaaaaaa-0000-4000-8000-000000000003'
COMMUNITY = 'aaaaaaaa-0000-4000-8000-000000000004'
PROTECTED = 'aaaaaaaa-0000-4000-8000-000000000005'
EMPTY = 'aaaaaaaa-0000-4000-8000-000000000006'
NEW = 'aaaaaaaa-0000-4000-8000-000000000007'
ABSENT = 'aaaaaaaa-0000-4000-8000-00000000000f'
TASK = 'cccccccc-0000-4000-8000-000000000001'
KERNEL = 'bbbbbbbb-0000-4000-8000-000000000001'

DATA = b'0123456789' * 10
NAME = 'Zürich 日本'
MAPPING = '[{"device_name": "/dev/vda", "boot_index": 0}]'
FORMATS = {'disk_format': 'raw', 'container_format': 'bare'}
PROPERTIES = {'os_type': 'linux', 'hw:numa_nodes': '2', 'empty': '',
              'kernel_id': KERNEL, 'block_device_mapping': MAPPING,
              'description': NAME}
PATCH = 'application/openstack-images-v2.1-json-patch'

_KEPT_HEADERS = ('content-type', 'content-md5', 'content-range', 'location',
                 'retry-after')
_TIME = re.compile(r'\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d(\.\d+)?')

_TASK = re.compile(r'(?<="os_glance_import_task": ")[^"]+')

Steps = collections.abc.Callable[['Recorder'], None]


def identity(*roles: str, project: str = 'a-project') -> dict[str, str]:
    """Return the headers that identify a caller.

    :param roles: the caller's roles
    :param project: the caller's project
    """
    return {'X-Identity-Status': 'Confirmed', 'X-User-Id': 'a-user',
            'X-Tenant-Id': project, 'X-Roles': ','.join(roles)}


MEMBER = identity('member', 'reader')
ADMIN = identity('admin', project='admins')
SERVICE = identity('member', 'reader', 'service')


class Recorder:
    """Sends requests to a Glance and keeps the answers.

    :param glance: a fixture of nova_image.tests.fixtures
    """

    def __init__(self, glance: typing.Any) -> None:
        self.glance = glance
        self.answers: dict[str, dict[str, typing.Any]] = {}

    def ask(self, method: str, path: str, who: dict[str, str] = MEMBER,
            headers: dict[str, typing.Any] | None = None,
            **body: typing.Any) -> requests.Response:
        """Send a request, and return the answer with any status."""
        return requests.request(
            method, self.glance.url + path, headers={**who, **(headers or {})},
            allow_redirects=False, timeout=60, **body)

    def do(self, *args: typing.Any, **kwargs: typing.Any) -> None:
        """Send a request that must succeed, without recording it."""
        answer = self.ask(*args, **kwargs)
        if not answer.ok:
            raise SystemExit('%s failed: %s %s' % (
                args, answer.status_code, answer.text))

    def record(self, name: str, status: int, *args: typing.Any,
               **kwargs: typing.Any) -> None:
        """Send a request and keep its answer under a name.

        :param name: the name
        :param status: the expected status
        """
        answer = self.ask(*args, **kwargs)
        if answer.status_code != status:
            raise SystemExit('%s: expected status %d for %s, got %d: %s' % (
                name, status, args, answer.status_code, answer.text))
        self.answers[name] = self._kept(answer)

    def _kept(self, answer: requests.Response) -> dict[str, typing.Any]:
        kept: dict[str, typing.Any] = {'status': answer.status_code}
        kept['headers'] = {
            name: self._normal(value.encode('latin-1').decode())
            for name, value in sorted(answer.headers.items())
            if name.lower() in _KEPT_HEADERS
            or name.lower().startswith('x-image-meta-')}
        text = self._normal(answer.text)
        if 'json' in answer.headers.get('Content-Type', ''):
            kept['json'] = json.loads(text)
        elif text:
            kept['text'] = text
        return kept

    def _normal(self, text: str) -> str:
        text = text.replace(self.glance.url, ENDPOINT)
        text = text.replace(str(self.glance.folder), '/var/lib/glance')
        text = _TASK.sub(TASK, text)
        return _TIME.sub(_fixed_time, text)


def _fixed_time(found: re.Match[str]) -> str:
    fraction = '.677847' if found[2] else ''
    return '2026-11-21%s02:16:28%s' % (found[1], fraction)


def v2(recorder: Recorder) -> None:
    """Record the v2 of any Glance."""
    make_v2(recorder)
    read_v2(recorder)
    change_v2(recorder)
    refused_v2(recorder)


def make_v2(recorder: Recorder) -> None:
    """Create the images, and record the answers to that."""
    for image_id, more in ((QUEUED, {}), (SHARED, {'visibility': 'shared'}),
                           (COMMUNITY, {'visibility': 'community'}),
                           (PROTECTED, {'protected': True})):
        recorder.do('POST', '/v2/images', json=dict(
            FORMATS, id=image_id, name='one', **more))
    recorder.record('create_201', 201, 'POST', '/v2/images', json=dict(
        FORMATS, id=ACTIVE, name=NAME, min_ram=512, min_disk=1,
        visibility='private', **PROPERTIES))
    path = '/v2/images/%s/file' % ACTIVE
    binary = {'Content-Type': 'application/octet-stream'}
    recorder.record('upload_204', 204, 'PUT', path, data=DATA, headers=binary)
    recorder.record('upload_409', 409, 'PUT', path, data=DATA, headers=binary)
    recorder.do('POST', '/v2/images', json=dict(FORMATS, id=EMPTY))
    recorder.do('PUT', '/v2/images/%s/file' % EMPTY, data=b'',
                headers=binary)
    recorder.record('member_200', 200, 'POST',
                    '/v2/images/%s/members' % SHARED,
                    json={'member': 'another-project'})
    members_v2(recorder, '/v2/images/%s/members' % SHARED)


def members_v2(recorder: Recorder, path: str) -> None:
    """Record the answers about members of an image that has one."""
    member, another = path + '/another-project', identity(
        'member', 'reader', project='another-project')
    recorder.record('member_409', 409, 'POST', path,
                    json={'member': 'another-project'})
    recorder.record('members_200', 200, 'GET', path)
    recorder.record('member_status_200', 200, 'PUT', member, another,
                    json={'status': 'accepted'})
    recorder.record('member_status_403', 403, 'PUT', member,
                    json={'status': 'accepted'})
    recorder.record('member_status_400', 400, 'PUT', member, another,
                    json={'status': 'maybe'})
    recorder.record('member_404', 404, 'DELETE', path + '/nobody')
    recorder.record('member_403', 403, 'POST',
                    '/v2/images/%s/members' % ACTIVE,
                    json={'member': 'another-project'})
    recorder.record('members_403', 403, 'GET',
                    '/v2/images/%s/members' % COMMUNITY)
    recorder.do('POST', path, json={'member': 'a-third'})
    recorder.record('member_204', 204, 'DELETE', path + '/a-third')


def read_v2(recorder: Recorder) -> None:
    """Record the answers to reads."""
    for name, image_id in (('active', ACTIVE), ('queued', QUEUED),
                           ('shared', SHARED), ('community', COMMUNITY),
                           ('empty', EMPTY)):
        recorder.record('show_' + name, 200, 'GET', '/v2/images/' + image_id)
    listing = '/v2/images?sort_key=id&sort_dir=asc&limit='
    recorder.record('list_first', 200, 'GET', listing + '2')
    recorder.record('list_last', 200, 'GET',
                    listing + '2&marker=' + PROTECTED)
    recorder.record('list_none', 200, 'GET', '/v2/images?name=none')
    path = '/v2/images/%s/file' % ACTIVE
    recorder.record('download_200', 200, 'GET', path)
    recorder.record('download_206', 206, 'GET', path,
                    headers={'Range': 'bytes=90-99'})
    recorder.record('download_204', 204, 'GET',
                    '/v2/images/%s/file' % QUEUED)
    recorder.record('schema', 200, 'GET', '/v2/schemas/image')
    schema = recorder.answers['schema']['json']
    recorder.answers['schema']['json'] = {
        'name': schema['name'], 'properties': {
            name: schema['properties'][name]
            for name in ('disk_format', 'container_format')}}


def change_v2(recorder: Recorder) -> None:
    """Record the answers to changes and deletions."""
    recorder.record('patch_200', 200, 'PATCH', '/v2/images/' + SHARED,
                    headers={'Content-Type': PATCH}, data=json.dumps([
                        {'op': 'replace', 'path': '/name', 'value': 'two'},
                        {'op': 'add', 'path': '/os_type', 'value': 'bsd'}]))
    recorder.record('delete_204', 204, 'DELETE', '/v2/images/' + COMMUNITY)
    recorder.record('delete_404', 404, 'DELETE', '/v2/images/' + COMMUNITY)
    recorder.record('delete_403', 403, 'DELETE', '/v2/images/' + PROTECTED)
    recorder.do('POST', '/v2/images/%s/actions/deactivate' % ACTIVE, ADMIN)
    recorder.record('download_403', 403, 'GET', '/v2/images/%s/file' % ACTIVE)
    recorder.do('POST', '/v2/images/%s/actions/reactivate' % ACTIVE, ADMIN)


def refused_v2(recorder: Recorder) -> None:
    """Record the answers to refused requests."""
    images = '/v2/images'
    recorder.record('show_404', 404, 'GET', images + '/' + ABSENT)
    recorder.record('list_400', 400, 'GET', images + '?limit=-1')
    recorder.record('list_marker_400', 400, 'GET',
                    images + '?marker=' + ABSENT)
    recorder.record('create_400', 400, 'POST', images,
                    json=dict(FORMATS, os_type=None))
    recorder.record('create_403', 403, 'POST', images,
                    json=dict(FORMATS, status='active'))
    recorder.record('create_409', 409, 'POST', images,
                    json=dict(FORMATS, id=ACTIVE))
    recorder.record('create_413', 413, 'POST', images, json=dict(
        FORMATS, **{'p%d' % number: 'x' for number in range(129)}))
    recorder.record('patch_415', 415, 'PATCH', images + '/' + SHARED,
                    headers={'Content-Type': 'text/plain'}, data='[]')
    recorder.record('location_400', 400, 'PATCH', images + '/' + QUEUED,
                    headers={'Content-Type': PATCH}, data=json.dumps([
                        {'op': 'add', 'path': '/locations/-', 'value': {
                            'url': 'no-scheme', 'metadata': {}}}]))
    recorder.record('unauthorized_401', 401, 'GET', images, who={})


def imports_v2(recorder: Recorder) -> None:
    """Record copies between the stores of a Glance that has two."""
    body = {'method': {'name': 'copy-image'}, 'stores': ['slow']}
    recorder.record('import_202', 202, 'POST',
                    '/v2/images/%s/import' % ACTIVE, ADMIN, json=body)
    recorder.record('import_409', 409, 'POST',
                    '/v2/images/%s/import' % QUEUED, ADMIN, json=body)


def checks_v2(recorder: Recorder) -> None:
    """Record the answer of a Glance that inspects and refuses the data."""
    recorder.do('POST', '/v2/images', json=dict(
        FORMATS, id=NEW, disk_format='qcow2'))
    recorder.record('empty_415', 415, 'PUT', '/v2/images/%s/file' % NEW,
                    data=b'', headers={
                        'Content-Type': 'application/octet-stream'})


def versions(recorder: Recorder) -> None:
    """Record the versions and the schema that a Glance serves."""
    recorder.record('versions_200', 200, 'GET', '/versions')
    recorder.record('schema_200', 200, 'GET', '/v2/schemas/image')


def locations_api(recorder: Recorder) -> None:
    """Record the locations API of a Glance that hides locations."""
    image = '/v2/images/' + NEW
    made = dict(FORMATS, id=NEW, name=NAME)
    nowhere = {'url': 'http://127.0.0.1:9/nothing-is-here'}
    recorder.record('create_201', 201, 'POST', '/v2/images', json=made)
    recorder.record('add_403', 403, 'POST', image + '/locations',
                    json={'url': 'file:///var/lib/glance/data'})
    recorder.record('add_400', 400, 'POST', image + '/locations', SERVICE,
                    json=dict(nowhere, validation_data={
                        'os_hash_algo': 'sha512', 'os_hash_value': '00'}))
    recorder.record('add_202', 202, 'POST', image + '/locations', SERVICE,
                    json=nowhere)
    recorder.record('show_working', 200, 'GET', image)
    while 'os_glance_import_task' in recorder.ask('GET', image).json():
        time.sleep(0.05)
    recorder.record('show_given_up', 200, 'GET', image)
    recorder.do('PUT', image + '/file', data=DATA, headers={
        'Content-Type': 'application/octet-stream'})
    recorder.record('show_active', 200, 'GET', image)
    recorder.record('add_409', 409, 'POST', image + '/locations', SERVICE,
                    json=nowhere)


def save(name: str, answers: dict[str, dict[str, typing.Any]]) -> None:
    """Write the recordings of one API of a Glance."""
    path = FOLDER / (name + '.json')
    path.write_text(json.dumps(answers, indent=1, sort_keys=True,
                               ensure_ascii=False) + '\n', encoding='utf-8')
    print('%s: %d answers, %d bytes' % (
        path.relative_to(ROOT), len(answers), path.stat().st_size))


def record(glance: typing.Any, *scenarios: Steps
           ) -> dict[str, dict[str, typing.Any]]:
    """Return the answers of a running Glance."""
    recorder = Recorder(glance)
    for scenario in scenarios:
        scenario(recorder)
    return recorder.answers


def disabled(apis: tuple[str], path: str) -> dict[str, typing.Any]:
    """Return the answer of a Glance 15 that does not serve a version."""
    with fixtures.LegacyGlance(apis=apis) as glance:
        recorder = Recorder(glance)
        recorder.record('disabled_300', 300, 'GET', path + ABSENT)
        return recorder.answers


def main() -> None:
    """Record all answers."""
    with fixtures.LegacyGlance() as glance:
        save('v2_glance15',
             record(glance, v2, versions) |
             disabled(('v1',), '/v2/images/'))
    with fixtures.Glance(stores={'fast': 'file', 'slow': 'file'}) as glance:
        save('v2_glance33', record(glance, v2, imports_v2, checks_v2))
    with fixtures.Glance(stores={'fast': 'file', 'web': 'http'}, options={
            'DEFAULT': {'show_multiple_locations': 'false',
                        'show_image_direct_url': 'false'}}) as glance:
        save('v2_locations33', record(glance, versions, locations_api))


if __name__ == '__main__':
    main()
