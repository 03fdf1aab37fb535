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

"""Waits for an import: looks at the image, and now and then at its task.

What Glance 33.0.0 does after it has answered 202:

* The image has ``os_glance_import_task``, the task's ID, until everything is
  done. For a moment its status stays what it was, then it is ``importing``,
  and ``active`` as soon as the last store has the data. That is too early:
  the stores of a copy, or the removal of staged data, may still be at work.
* ``os_glance_importing_to_stores`` lists the stores still to be done, and
  ``os_glance_failed_import`` those that failed; the first may stay unchanged
  if Glance could not even begin. ``stores`` lists those with the data.
* A failed import releases the image, which is ``queued`` again. If it was
  the data of another Glance that could not be read completely, or the store
  of such an import that failed, the image is queued with its lock: Glance
  refuses another import of it for an hour, but not an upload. If it was
  asked to succeed in a store that failed, the image stays ``importing``
  forever and keeps its staged data. The task says "Task failed due to
  Internal Error" whatever the reason, a moment after the image is released.
  Glance's log has the reason, with the ID of the task but not of the request.
* After kill -9 everything stays as it is, even when Glance runs again.
* A task says "Copied N MiB" about once a minute while it writes to a store.
  Reading the tasks makes Glance write to its database.

A Glance without the property or without tasks is judged by the rest.
"""

import collections
import re

from oslo_utils import timeutils
from oslo_utils import units

from nova_image import exception
from nova_image.image import answers
from nova_image.image import import_result
from nova_image.image import messages
from nova_image.image.v2 import records
from nova_image.image import waiting

#: seconds between two looks at the task of an import in progress
TASK_WAIT = 60.0
#: seconds without a change after which nothing is being written to a store
QUIET = 150.0

_LOCK = 'os_glance_import_task'
_IMPORTING = 'os_glance_importing_to_stores'
_FAILED = 'os_glance_failed_import'
# A database node may lag behind the one that has the lock, and the task ends
# after the image is released.
_IDLE_LOOKS = 3
# Looks at a failed task until the lock of its image is taken for forgotten.
_LOCKED_LOOKS = 3
_COPIED = re.compile(r'^Copied ([0-9]{1,12}) MiB\Z')
_TASK = dict.fromkeys(('id', 'status', 'message', 'request_id', 'updated_at'),
                      answers.text)
_UNSAID = 'Glance has dropped it without a reason'

#: The end of a Watch: ``how`` is ``over``, ``deadline`` or ``stalled``,
#: ``raw`` the image as v2 answered it last, ``reason`` the task's message if
#: it failed, ``seen`` an import_result.Seen, ``quiet`` whether Glance has
#: shown no change for so long that it cannot be writing to a store.
End = collections.namedtuple('End', 'how raw reason seen quiet')


class Watch(object):
    """Looks at one import until it is over or a limit is reached.

    :param client: nova_image.image.client.Client
    :param images: nova_image.image.v2.records.Records
    :param raw: the image as v2 answered it before
    :param request_id: that of the import, or None if its answer was lost
    :keyword targets: list of the stores that should have the data; empty for
        Glance's default store
    :keyword timeout: seconds, 0 for no limit
    :keyword progress: called with an import_result.Seen for each change
    :keyword sleep: callable that takes seconds, and may raise an exception to
        end the wait; that of the client by default

    ``task_id`` is the ID of Glance's task, None until it was seen.
    """

    def __init__(self, client, images, raw, request_id, **options):
        self._client = client
        self._images = images
        self._raw = raw
        self._request_id = request_id
        self._targets = options.pop('targets')
        self._timeout = options.pop('timeout')
        self._sleep = options.pop('sleep', None) or client.sleep
        self._stall = client.conf.glance.import_stall_timeout
        self._progress = options.pop('progress') or _ignore
        self.task_id, self._task, self._has_tasks = None, {}, True
        self._answers = True
        self._seen = self._last = None
        self._idle = self._locked = 0
        self._moved = self._asked = self._looked = timeutils.now()

    @property
    def began(self):
        """Whether Glance has accepted the import."""
        return (self._request_id or self.task_id) is not None

    def wait(self, context):
        """Return an End.

        :raises ImageNotFound: if the image is gone
        """
        wait = waiting.Wait(self._sleep, self._timeout or None)
        return wait.until(lambda: self._look(context)) or (
            self._end('deadline'))

    def _look(self, context):
        """Look once, and return the End if there is one."""
        self._looked = timeutils.now()
        self._read_image(context)
        locked = _LOCK in self._raw
        over = not locked and self._answers and (
            self._is_complete() or self._is_dropped(context))
        if locked and self._answers and self._is_task_due():
            self._read_task(context)
            if self._task.get('status') == 'failure':
                # Glance releases the image a moment later, or never.
                self._locked += 1
                over = self._locked >= _LOCKED_LOOKS
        self._note()
        if over:
            return self._end('over')
        return self._end('stalled') if self._is_stalled() else None

    def _read_image(self, context):
        try:
            self._raw = self._images.get(context, self._raw['id'], 'import',
                                         once=True)
            self._answers = True
        except exception.GlanceConnectionFailed as error:
            if not error.retriable:
                raise
            self._answers = False  # it may come back
            return
        self.task_id = self._raw.get(_LOCK, self.task_id)

    def _is_complete(self):
        """Return whether the data is wherever it should be."""
        raw = self._raw
        return raw['status'] == 'active' and not _stores(raw, _IMPORTING) and (
            set(self._targets) <= set(_stores(raw, 'stores')))

    def _is_dropped(self, context):
        """Return whether Glance no longer works on the image."""
        if self._has_tasks:
            self._read_task(context)
        if self._task.get('status') in ('success', 'failure'):
            return True
        if not self._task and self.task_id is None and (
                self._raw['status'] == 'importing'):
            return False  # a Glance that shows neither lock nor task
        self._idle += 1
        return self._idle >= _IDLE_LOOKS and (
            self.task_id is not None or not self._task)

    def _is_task_due(self):
        if self._locked or (
                self._raw['status'] == 'queued' and failed_stores(self._raw)):
            return self._has_tasks
        wait = min(TASK_WAIT, self._stall or TASK_WAIT)
        return self._has_tasks and timeutils.now() - self._asked >= wait

    def _read_task(self, context):
        """Read the import's task, if Glance shows it."""
        self._asked = timeutils.now()
        try:
            tasks = self._client.call(context, messages.Request(
                'GET', records.path(self._raw['id'], 'tasks'),
                'read the tasks of'), _tasks, once=True)
        except exception.GlanceConnectionFailed:
            return
        except (exception.NotFound, exception.Forbidden):
            self._has_tasks = False  # the API is of 2021
            return
        mine = [task for task in tasks if self._is_mine(task)]
        self._task = mine[0] if mine else {}
        self.task_id = self._task.get('id', self.task_id)

    def _is_mine(self, task):
        return (task.get('id') == self.task_id or
                task.get('request_id') == self._request_id and
                self._request_id is not None)

    def _note(self):
        """Record what has changed, and report it."""
        signs = [self._raw.get(name) for name in (
            'status', 'updated_at', 'size', 'stores', _IMPORTING, _FAILED,
            _LOCK)] + [self._task.get(name) for name in (
                'status', 'message', 'updated_at')]
        if self._answers and signs != self._last:
            self._last, self._moved = signs, timeutils.now()
        seen = self._describe()
        if seen != self._seen:
            self._seen = seen
            self._progress(seen)

    def _describe(self):
        raw = self._raw
        copied = _COPIED.match(self._task.get('message') or '')
        have = _stores(raw, 'stores')
        return import_result.Seen(
            self._state(), raw['status'], have,
            [name for name in _stores(raw, _IMPORTING) or self._targets
             if name not in have],
            _stores(raw, _FAILED),
            int(copied.group(1)) * units.Mi if copied else None,
            raw.get('size'))

    def _state(self):
        if not self._answers:
            return 'unknown'
        if self._raw['status'] in ('queued', 'uploading'):
            return 'pending'
        return 'finishing' if self._is_complete() else 'importing'

    def _end(self, how):
        reason = None
        if self._task.get('status') != 'success' and not self._is_complete():
            failed = self._task.get('status') == 'failure'
            reason = failed and self._task.get('message') or _UNSAID
        return End(how, self._raw, reason, self._seen, how == 'stalled' or
                   self._looked - self._moved > QUIET)

    def _is_stalled(self):
        return 0 < self._stall < self._looked - self._moved


def _tasks(answer):
    """Return the tasks in an answer; raises GlanceBadAnswer."""
    return answer.read(lambda found: answers.items(_task, found.get('tasks')))


def _task(raw):
    found, wrong = answers.fields(raw, _TASK)
    if wrong:
        raise answers.Unreadable(answers.one_line(wrong))
    return {name: found[name] for name in found if found[name] is not None}


def failed_stores(raw):
    """Return the stores that could not store an image's data, a list."""
    return _stores(raw, _FAILED)


def waiting_stores(raw):
    """Return the stores that Glance has yet to fill, a list."""
    return _stores(raw, _IMPORTING)


def stores(raw):
    """Return the stores that have an image's data, a list."""
    return _stores(raw, 'stores')


def _stores(raw, name):
    return [store for store in (raw.get(name) or '').split(',') if store]


def _ignore(seen):
    """Report to nobody."""
