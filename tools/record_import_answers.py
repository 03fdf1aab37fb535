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

"""Records the answers of a real Glance 33.0.0 about imports.

It works like tools.record_answers. An import in progress is recorded while
its source holds back the rest of the data. Run it from the root of the clone,
with Python 3.11::

    python -m tools.record_import_answers
"""

import re
import time

import requests

from nova_image.tests import fixtures
from nova_image.tests.functional import web_source
from tools import record_answers

DATA = record_answers.DATA
STAGED = record_answers.NEW
IMPORTED = 'aaaaaaaa-0000-4000-8000-000000000008'
FAILED = 'aaaaaaaa-0000-4000-8000-000000000009'

_BINARY = {'Content-Type': 'application/octet-stream'}
_TASK = re.compile(r'(?<="tasks": \[{"id": ")[^"]+')
_REQUEST = re.compile(r'req-[0-9a-f-]{36}')


class Recorder(record_answers.Recorder):
    """Also keeps the headers of imports."""

    def _kept(self, answer: requests.Response) -> dict[str, object]:
        kept = super()._kept(answer)
        for name in ('OpenStack-image-import-methods',
                     'x-openstack-request-id'):
            if name in answer.headers:
                kept['headers'][name] = self._normal(answer.headers[name])
        return kept

    def _normal(self, text: str) -> str:
        text = _TASK.sub(record_answers.TASK, super()._normal(text))
        return _REQUEST.sub('req-dddddddd-0000-4000-8000-000000000001', text)


def imports(recorder: Recorder) -> None:
    """Record imports: one in progress until it is seen, and one that fails."""
    for page in ('import', 'stores', 'usage'):
        recorder.record('info_' + page, 200, 'GET', '/v2/info/' + page)
    with web_source.WebSource(DATA) as web:
        begin(recorder, IMPORTED, web.url + '/held')
        web.begun.wait()
        look(recorder, IMPORTED, 'working')
        web.release()
        wait(recorder, IMPORTED)
        look(recorder, IMPORTED, 'imported')
        begin(recorder, FAILED, web.url + '/missing')
        wait(recorder, FAILED)
        look(recorder, FAILED, 'failed')


def staged(recorder: Recorder) -> None:
    """Record the answers to staged data."""
    image = '/v2/images/' + STAGED
    recorder.do('POST', '/v2/images', json=dict(
        record_answers.FORMATS, id=STAGED, name=record_answers.NAME))
    for status in (204, 409):
        recorder.record('stage_%d' % status, status, 'PUT', image + '/stage',
                        data=DATA, headers=_BINARY)
    recorder.record('show_staged', 200, 'GET', image)


def begin(recorder: Recorder, image_id: str, uri: str) -> None:
    """Create an image, and start the import of its data."""
    recorder.record('create_201', 201, 'POST', '/v2/images', json=dict(
        record_answers.FORMATS, id=image_id, name=record_answers.NAME))
    path = '/v2/images/%s/import' % image_id
    method = {'name': 'web-download', 'uri': 'http://10.0.0.1/'}
    recorder.record('import_400', 400, 'POST', path, json={'method': method})
    recorder.record('import_202', 202, 'POST', path,
                    json={'method': dict(method, uri=uri)})


def look(recorder: Recorder, image_id: str, name: str) -> None:
    """Record the state of an import: the image and its tasks."""
    path = '/v2/images/' + image_id
    recorder.record('show_' + name, 200, 'GET', path)
    recorder.record('tasks_' + name, 200, 'GET', path + '/tasks')
    for task in recorder.answers['tasks_' + name]['json']['tasks']:
        del task['input']  # has the URL of the source


def wait(recorder: Recorder, image_id: str) -> None:
    """Wait until Glance unlocks an image and its task has ended."""
    path = '/v2/images/' + image_id
    while 'os_glance_import_task' in recorder.ask('GET', path).json():
        time.sleep(0.05)
    while recorder.ask('GET', path + '/tasks').json()['tasks'][0][
            'status'] == 'processing':
        time.sleep(0.05)


def main() -> None:
    """Record all answers."""
    with fixtures.Glance(stores={'fast': 'file', 'web': 'http'}) as glance:
        recorder = Recorder(glance)
        imports(recorder)
        staged(recorder)
        record_answers.save('v2_imports33', recorder.answers)


if __name__ == '__main__':
    main()
