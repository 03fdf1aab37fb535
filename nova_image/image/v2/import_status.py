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

"""The state of an image's imports, also of those that others have begun.

Glance records an import in the image while it works, as described in
nova_image.image.v2.import_watch, and in a task, since Images API 2.12. It
forgets the task after [task] task_time_to_live, 48 hours by default. The image
lists a store that failed until that store has the data, also after imports
into others; the task has the list of its stores.

* While the image has a lock, its import is in progress. If the task of the
  lock has failed nevertheless, the image stays locked.
* A task that failed matters only as long as the image lacks what it should
  have had: a later upload makes the image active, a later copy adds the store.

Adding a location by the locations API is a task as well. Seen on Glance
33.0.0; Glance 15.0.2 has no tasks of images.
"""

from nova_image import exception
from nova_image.image import answers
from nova_image.image import import_result
from nova_image.image import messages
from nova_image.image.v2 import import_order
from nova_image.image.v2 import import_watch
from nova_image.image.v2 import records
from nova_image.image import values
from nova_image import redaction

_TASK = dict(dict.fromkeys(
    ('id', 'type', 'status', 'message', 'request_id'), answers.text),
    created_at=answers.moment, updated_at=answers.moment)
#: Glance's names of the tasks that give an image its data
_KINDS = {'api_image_import': None, 'location_import': 'location'}


class Statuses(object):
    """Reads the state of imports, for one driver.

    :param client: nova_image.image.client.Client
    :param images: nova_image.image.v2.records.Records
    """

    def __init__(self, client, images):
        self._client = client
        self._images = images

    def find(self, context, image_id, watch=False, timeout=None,
             progress=None):
        """Return an import_result.Status. See ImageDriver.import_status."""
        timeout = values.seconds('timeout', timeout)
        raw = self._images.get(context, image_id, 'show the import of')
        found = self._status(context, raw)
        if not watch or found.state != 'importing':
            return found
        end = import_watch.Watch(
            self._client, self._images, raw, found.request_id, targets=[],
            timeout=self._client.conf.glance.import_timeout
            if timeout is None else timeout, progress=progress).wait(context)
        raw = self._images.get(context, image_id, 'show the import of')
        found = self._status(context, raw)
        return found._replace(
            ended=end.how if found.state == 'importing' else None)

    def _status(self, context, raw):
        task, tasks = {}, self._tasks(context, raw['id'])
        lock = raw.get('os_glance_import_task')
        for one in tasks:
            if lock in (None, one['id']):
                task = one
                break
        return import_result.Status(
            state=_state(raw, task), status=raw['status'],
            stores=import_watch.stores(raw),
            waiting=import_watch.waiting_stores(raw),
            failed=_lacking(raw), method=task.get('method'),
            task_id=task.get('id') or lock, task_status=task.get('status'),
            message=task.get('message') or None,
            request_id=task.get('request_id'),
            began_at=task.get('created_at'), changed_at=task.get('updated_at'),
            ended=None)

    def _tasks(self, context, image_id):
        """Return the tasks, the latest first; none if Glance has none."""
        try:
            return self._client.call(context, messages.Request(
                'GET', records.path(image_id, 'tasks'), 'read the tasks of',
                image_id), _tasks)
        except (exception.NotFound, exception.Forbidden):
            return []  # the API is of 2021


def _tasks(answer):
    """Return the tasks in an answer, the latest first."""
    found = [task for task in answer.read(
        lambda raw: answers.items(_task, raw.get('tasks')))
        if task['type'] in _KINDS or task['type'] is None]
    return sorted(found, key=_age, reverse=True)


def _age(task):
    began = task['created_at']
    return began.isoformat() if began else ''


def _task(raw):
    found, wrong = answers.fields(raw, _TASK)
    if wrong:
        raise answers.Unreadable(answers.one_line(wrong))
    sent = raw.get('input')
    stores = sent.get('backend') if isinstance(sent, dict) else None
    message = redaction.redact(found['message'], redaction.Secrets(sent))
    for name in ('import_req', 'method', 'name'):
        sent = sent.get(name) if isinstance(sent, dict) else None
    method = _KINDS.get(found['type']) or answers.text(sent)
    return dict(found, method=method, message=message,
                stores=stores if isinstance(stores, list) else [])


def _lacking(raw):
    """Return the stores that failed and still lack the data."""
    have = import_watch.stores(raw)
    return [store for store in import_watch.failed_stores(raw)
            if store not in have]


def _state(raw, task):
    """Return the state of the last import, see import_result.Status."""
    failed = task.get('status') == 'failure'
    if 'os_glance_import_task' in raw or raw['status'] == 'importing':
        return 'failed' if failed else 'importing'
    if raw['status'] == 'uploading':
        return 'staged'
    if raw['status'] != 'active':
        return 'failed' if failed or _lacking(raw) else 'none'
    # The data of an active image may have come in another way since.
    if failed and task.get('method') != import_order.COPY:
        return 'none'
    targets = task.get('stores')
    if failed or any(not targets or store in targets
                     for store in _lacking(raw)):
        return 'incomplete'
    return 'done' if task else 'none'
