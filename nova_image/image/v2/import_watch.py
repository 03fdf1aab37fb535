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

"""Waits for an import: looks at the image, seldom at its task.

What Glance 33.0.0 was seen to do after it has answered 202:

* The image has ``os_glance_import_task``, the task's ID, until all is over.
  Its status is that from before for a moment, then ``importing``, and
  ``active`` as soon as the last store has the data: that is too early, the
  stores of a copy or the staged data may still be at work.
* ``os_glance_importing_to_stores`` lists what is to be done and
  ``os_glance_failed_import`` what failed; the first may stay as it was when
  Glance could not even begin. ``stores`` has those with data.
* A failed import lets go of the image, which is ``queued`` again; where a
  store of which success was asked failed, it stays ``importing`` for ever and
  keeps its staged data. The task says "Task failed due to Internal Error"
  whatever it was, a moment later than the image is let go. Glance's log has
  the reason, with the task's ID and without the request's.
* After kill -9 everything stays as it is, also when Glance runs again.
* A task says "Copied N MiB" about once a minute while it writes to a store.
  Reading the tasks makes Glance write to its database.

A Glance without the property or without tasks is judged by the rest.
"""

import collections
import re

from oslo_utils import timeutils
from six.moves.urllib import parse

from nova_image import exception
from nova_image.image import client as http
from nova_image.image import import_result

#: seconds between two looks: at least; at most; and which part of the time
#: that was waited already. An import of n seconds takes 12 looks up to 1.2 s,
#: 40 up to 10 s, 70 up to 120 s, and one each 10 s from then on.
FIRST_WAIT = 0.1
LONGEST_WAIT = 10.0
SHARE = 12.0
#: seconds between two looks at the task of an import that goes on
TASK_WAIT = 60.0
#: seconds without a sign after which nothing is written to a store
QUIET = 150.0

_LOCK = 'os_glance_import_task'
_IMPORTING = 'os_glance_importing_to_stores'
_FAILED = 'os_glance_failed_import'
# A database node may lag behind the one that took the lock, and the task's
# end is told after the image's.
_IDLE_LOOKS = 3
_COPIED = re.compile(r'^Copied (\d+) MiB$')
_UNSAID = 'Glance has given it up and does not say why'

#: What a Watch has seen at the end: ``how`` is ``over``, ``deadline`` or
#: ``stalled``, ``raw`` the image as v2 answered it last, ``reason`` what the
#: task said where it failed, ``seen`` an import_result.Seen, ``quiet`` whether
#: Glance has given no sign for so long that it writes to no store.
End = collections.namedtuple('End', 'how raw reason seen quiet')


class Watch(object):
    """Looks at one import until it is over or too late.

    :param client: nova_image.image.client.Client
    :param raw: the image as v2 answered it before
    :param request_id: that of the import, or None where its answer was lost
    :keyword wanted: list of the stores that are to have the data; empty for
        Glance's default one
    :keyword timeout: seconds, 0 for no limit
    :keyword progress: called with an import_result.Seen for each change

    ``task_id`` is that of Glance's task, None as long as it was not seen.
    """

    def __init__(self, client, raw, request_id, **options):
        self._client = client
        self._raw = raw
        self._request_id = request_id
        self._wanted = options.pop('wanted')
        self._timeout = options.pop('timeout')
        self._stall = client.conf.glance.import_stall_timeout
        self._progress = options.pop('progress') or _ignore
        self.task_id, self._task, self._has_tasks = None, {}, True
        self._answers = True
        self._seen = self._last = None
        self._idle = 0
        self._began = self._moved = self._asked = self._looked = (
            timeutils.now())

    @property
    def began(self):
        """Whether Glance has taken the import."""
        return (self._request_id or self.task_id) is not None

    def wait(self, context):
        """Return an End.

        :raises ImageNotFound: when the image is gone
        """
        while True:
            over = self._look(context)
            if over:
                return self._end('over')
            left = self._left()
            if left is not None and left <= 0:
                return self._end('deadline')
            if self._is_stalled():
                return self._end('stalled')
            pause = min(max(FIRST_WAIT, self._elapsed(self._began) / SHARE),
                        LONGEST_WAIT)
            self._client.sleep(pause if left is None else min(pause, left))

    def _look(self, context):
        """Look once, and tell whether it is over."""
        self._looked = timeutils.now()
        self._read_image(context)
        at_work = _LOCK in self._raw
        over = not at_work and self._answers and (
            self._has_all() or self._is_given_up(context))
        if at_work and self._answers and self._is_task_due():
            self._read_task(context)
            over = self._task.get('status') == 'failure'
        self._note()
        return over

    def _read_image(self, context):
        path = '/v2/images/%s' % parse.quote(self._raw['id'])
        try:
            self._raw = self._client.json(context, http.Request(
                'GET', path, 'import', self._raw['id']), once=True)
            self._answers = True
        except exception.GlanceConnectionFailed as error:
            if not error.retriable:
                raise
            self._answers = False  # it may come back
            return
        self.task_id = self._raw.get(_LOCK, self.task_id)

    def _has_all(self):
        """Tell whether the data are wherever they should be."""
        raw = self._raw
        return raw['status'] == 'active' and not _stores(raw, _IMPORTING) and (
            set(self._wanted) <= set(_stores(raw, 'stores')))

    def _is_given_up(self, context):
        """Tell whether nothing works at the image any more."""
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
        wait = min(TASK_WAIT, self._stall or TASK_WAIT)
        return self._has_tasks and self._elapsed(self._asked) >= wait

    def _read_task(self, context):
        """Read what the import's task says, which may be nothing."""
        self._asked = timeutils.now()
        path = '/v2/images/%s/tasks' % parse.quote(self._raw['id'])
        try:
            found = self._client.json(context, http.Request(
                'GET', path, 'read the tasks of'), once=True)
        except exception.GlanceConnectionFailed:
            return
        except (exception.NotFound, exception.Forbidden):
            self._has_tasks = False  # the API is of 2021
            return
        mine = [task for task in found.get('tasks', []) if self._is_mine(task)]
        self._task = mine[0] if mine else {}
        self.task_id = self._task.get('id', self.task_id)

    def _is_mine(self, task):
        return (task.get('id') == self.task_id or
                task.get('request_id') == self._request_id and
                self._request_id is not None)

    def _note(self):
        """Note what has changed, and tell it."""
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
            [name for name in _stores(raw, _IMPORTING) or self._wanted
             if name not in have],
            _stores(raw, _FAILED),
            int(copied.group(1)) * 1024 * 1024 if copied else None,
            raw.get('size'))

    def _state(self):
        if not self._answers:
            return 'unknown'
        if self._raw['status'] in ('queued', 'uploading'):
            return 'pending'
        return 'finishing' if self._has_all() else 'importing'

    def _end(self, how):
        reason = None
        if self._task.get('status') != 'success' and not self._has_all():
            failed = self._task.get('status') == 'failure'
            reason = failed and self._task.get('message') or _UNSAID
        return End(how, self._raw, reason, self._seen, how == 'stalled' or
                   self._looked - self._moved > QUIET)

    def _left(self):
        """Return the seconds that are left, None without a limit."""
        if not self._timeout:
            return None
        return round(self._timeout - self._elapsed(self._began), 3)

    def _is_stalled(self):
        return 0 < self._stall < self._looked - self._moved

    @staticmethod
    def _elapsed(since):
        return timeutils.now() - since


def failed_stores(raw):
    """Return the stores that could not take an image's data, a list."""
    return _stores(raw, _FAILED)


def stores(raw):
    """Return the stores that have an image's data, a list."""
    return _stores(raw, 'stores')


def _stores(raw, name):
    return [store for store in (raw.get(name) or '').split(',') if store]


def _ignore(seen):
    """Tell nobody."""
