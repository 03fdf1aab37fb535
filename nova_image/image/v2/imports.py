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

"""Imports of the Images API v2: stage or name a source, import, and wait.

Glance's 202 only means that it has begun. What happens afterwards, and how it
shows, is described in nova_image.image.v2.import_watch; what Glance can import
in nova_image.image.v2.import_rules; the results in
nova_image.image.import_result.

Failures as seen on Glance 33.0.0:

* Staged data is removed with the image, and otherwise only if all the stores
  have it or did not have to. So Glance is asked for the success of all stores
  only if the caller asks for it, or for several stores: with one store it
  makes no other difference, but would leave the image ``importing`` and its
  data staged forever.
* If the staged data exceeds a limit of Keystone, the task fails with the
  limit in its message and leaves the data staged. Known limits are checked
  beforehand.
* A copy that had to succeed and did not also leaves its data staged, for
  another attempt.
* A delete while a store is written removes the image and the staged data, but
  leaves the data in that store, where nobody sees it. An import that is late
  is deleted only after a time in which Glance would have shown a change.
* After kill -9, a delete of the image still works and removes the staged
  data. What the conversion plugin was writing is removed when Glance next
  starts, if the image is gone.
* Glance answers 400 if web-download may not fetch a URL, as far as that can
  be known at once. A refused redirect, 404, short data or no connection fail
  the task.
* A second import of an image, and data for an image that is not queued, are
  refused with 409.
"""

import re

from oslo_log import log as logging
import six

from nova_image import exception
from nova_image.image import import_result
from nova_image.image import messages
from nova_image.image import outcome
from nova_image.image.transfer import source
from nova_image.image import undo
from nova_image.image.v2 import hashes
from nova_image.image.v2 import import_order
from nova_image.image.v2 import import_record
from nova_image.image.v2 import import_rules
from nova_image.image.v2 import import_watch
from nova_image.image.v2 import records
from nova_image.image.v2 import translation

LOG = logging.getLogger(__name__)

_FORMATS = ('disk_format', 'container_format')
#: changes after which the data differs from what was sent
_DATA = _FORMATS + ('size',)
#: what the plugin image_decompression of Glance decompresses
_COMPRESSED = re.compile(br'PK\x03\x04|\x1f\x8b\x08|..-lh', re.DOTALL)
_UNDONE = 'undone, because another store could not store the data'


class Imports(object):
    """The imports of one driver.

    :param client: nova_image.image.client.Client
    :param images: nova_image.image.v2.records.Records
    :param uploads: nova_image.image.v2.uploads.Uploads
    """

    def __init__(self, client, images, uploads):
        self.client = client
        self.images = images
        self.uploads = uploads
        self.rules = import_rules.Rules(client)

    def check(self, context, order, image):
        """Refuse what Glance would refuse, before anything is sent.

        :param image: the image that gets the data, as v2 answers it
        :raises NovaImageException: see ImageDriver.import_image
        """
        self.rules.check_method(context, order.method)
        self.rules.check_stores(context, order.stores)
        if order.method not in (import_order.COPY, import_order.REMOTE):
            self.rules.check_formats(context, image)
        self._check_status(order, image)
        if order.hash:
            self._check_hash(context, order, image)
        if order.body is not None:
            self.rules.check_size(context, order.body.total)

    @staticmethod
    def _check_status(order, image):
        """Refuse an image whose status does not allow the import.

        After a lost answer, nobody could tell its data from other data.

        :raises ImageImportImpossible: as Glance does, but before it is asked
        """
        wanted = 'active' if order.method == import_order.COPY else 'queued'
        if order.method == import_order.DIRECT and order.body is None:
            wanted = 'uploading'  # the data is staged
        status = image.get('status', 'queued')
        if status != wanted:
            raise exception.ImageImportImpossible(
                action='import', image_id=image.get('id'),
                reason='the image is %s, but %s requires a status of %s' % (
                    status, order.method, wanted))

    def _check_hash(self, context, order, image):
        """Refuse a hash that is wrong, or that Glance will not record.

        :raises ImageBadRequest: in both cases
        """
        wrong = None
        if order.body is not None:
            found = order.body.digest_ahead(order.hash.algorithm)
            if found not in (None, order.hash.value):
                wrong = 'the %s of the data is %s' % (
                    order.hash.algorithm, found)
        elif order.method == import_order.COPY:
            wrong = hashes.difference(image, order.hash)
        else:
            wrong = self.uploads.unrecorded(context, order.hash.algorithm)
        if wrong:
            raise exception.ImageBadRequest(
                action='import', image_id=image.get('id'), reason=wrong,
                advice='Nothing was changed')

    def stage(self, context, image_id, data, progress=None):
        """Stage an image's data, and return the image.

        :param data: as for ImageDriver.create
        """
        body = source.open_source(data)
        self.rules.check_method(context, import_order.DIRECT)
        return self.uploads.stage(context, image_id, body, progress)

    def run(self, context, raw, order, made=False, own=False):
        """Import into an image that was checked.

        :param raw: the image as v2 answers it
        :param order: Order
        :param made: whether the image was created only for this import, and
            is deleted if it fails
        :param own: whether nobody else can know the image's ID
        :returns: as ImageDriver.import_image
        """
        work = _Import(self, context, raw, order, made, own)
        return import_record.followed(order, raw['id'], work.run)

    def upload(self, context, raw, body, made, own):
        """Give an image its data, as an upload would; return the image.

        :param raw: the image as v2 answers it
        :param body: nova_image.image.transfer.source.Source
        :param made: whether this very call has created the image
        :param own: whether nobody else can know the image's ID
        :raises ImageUploadFailed: if it does not become active with the data
        """
        order = import_order.Order(import_order.DIRECT, data=body)
        self.check(context, order, raw)
        work = _Import(self, context, raw, order, made, own)
        result = import_record.followed(order, raw['id'], work.run)
        if not result.succeeded:
            raise exception.ImageUploadFailed(
                action='upload by import', image_id=raw['id'],
                reason=_reason(result), left=None if made or result.cleaned
                else 'image %s' % raw['id'])
        if result.changes:
            LOG.info('Glance has changed %(names)s of image %(id)s during '
                     'the import', {'names': ', '.join(result.changes),
                                    'id': raw['id']})
        return work.raw


class _Import(object):
    """One import, from the first request to the result.

    ``raw`` is the image as v2 answered it last.
    """

    def __init__(self, imports, context, raw, order, made, own):
        self._imports = imports
        self._client = imports.client
        self._context = context
        self._before = self.raw = raw
        self._order = order
        self._made = made
        self._own = own
        self._request_id = None

    def run(self):
        """Import; see Imports.run."""
        order = self._order
        if order.body is not None:
            self._stage()
        with undo.Steps(self._staged()):
            lost = self._begin()
        if lost and not order.wait:
            raise lost.but(left=self._in_progress())
        with undo.Steps(None if self._made else self._in_progress()):
            return self._wait(lost) if order.wait else None

    def _stage(self):
        """Stage the data, and compare it with the hash that it should have."""
        order, image_id = self._order, self.raw['id']
        if order.hash:
            order.body.hash_by(order.hash.algorithm)
        self._imports.uploads.stage(self._context, image_id, order.body,
                                    order.progress, self._made, self._own)
        if order.hash and order.body.has_hash(*order.hash) is False:
            raise exception.ImageUploadFailed(
                action='import', image_id=image_id,
                reason='the %s of the data is not %s' % order.hash,
                left=self._staged())

    def _staged(self):
        """Return what is left before the import, for an error."""
        if self._made or self._order.body is None:
            return None
        return 'image %s with staged data' % self.raw['id']

    def _in_progress(self):
        return 'image %s, into which Glance may be importing' % (
            self.raw['id'])

    def _begin(self):
        """Make Glance begin.

        :returns: None, or the error if its answer was lost
        """
        order, conflicts = self._order, []

        def find_begun(error):
            if not isinstance(error, exception.ImageImportImpossible):
                return outcome.Failed()
            if not self._own:  # another client may be importing
                return outcome.Failed(error.but(left=self._in_progress()))
            conflicts.append(error)
            return outcome.Found()

        has_stores = order.method == import_order.COPY or bool(
            self._imports.rules.stores(self._context))
        try:
            answer = self._client.call(self._context, messages.Request(
                'POST', records.path(self.raw['id'], 'import'),
                'import', self.raw['id'], json=order.to_glance(has_stores),
                repeatable=False,
                errors={409: exception.ImageImportImpossible}),
                settle=find_begun)
        except exception.NovaImageException as error:
            clean = error.but(reason=order.without_secrets(error.reason))
            if not error.retriable:
                six.raise_from(clean, None)
            return clean
        if conflicts:
            return conflicts[0]
        self._request_id = answer.headers.get('x-openstack-request-id')
        return None

    def _wait(self, lost):
        order, targets = self._order, self._order.stores
        if order.all_stores:
            targets = self._imports.rules.stores(self._context)
        timeout = order.timeout
        if timeout is None:
            timeout = self._client.conf.glance.import_timeout
        watch = import_watch.Watch(
            self._client, self._imports.images, self.raw, self._request_id,
            targets=targets, timeout=timeout, sleep=order.sleep,
            progress=order.progress)
        end = watch.wait(self._context)
        self.raw = end.raw
        if lost and not watch.began:
            if not self._own:  # the data may be another client's
                raise lost.but(left=self._in_progress())
            if end.reason:
                raise lost
        if end.how == 'over':
            return self._judge(targets, order.without_secrets(
                end.reason or 'Glance does not give a reason'), end.seen,
                watch.task_id)
        return self._result(import_result.TimedOut, end.how, seen=end.seen,
                            cleaned=end.quiet and self._clean())

    def _judge(self, targets, why, seen, task_id):
        """Return the result of an import that is over.

        :param targets: list of the stores that should have the data
        :param why: text, the reason if it has failed
        """
        raw = self.raw
        have = import_watch.stores(raw)
        failed = {name: why for name in import_watch.failed_stores(raw)
                  if not targets or name in targets}
        failed.update((name, _UNDONE if failed else why) for name in targets
                      if name not in have and name not in failed)
        changes = self._changes()
        if raw['status'] != 'active' or targets and set(targets) <= set(
                failed):
            # The log has the task's ID without that of the request.
            log = "; Glance's log has more about its task %s" % task_id
            return self._failed(why + (log if task_id else ''), failed, seen)
        wrong, certain = self._wrong(changes)
        if wrong:
            return self._result(
                import_result.Failed, wrong, failed, seen,
                cleaned=certain and self._made and self._clean())
        return self._result(
            import_result.Converted if changes else import_result.Imported,
            None, failed, seen, changes=changes, image=self._image())

    def _result(self, kind, reason, failed=None, seen=None, changes=None,
                image=None, cleaned=False):
        return kind(
            image_id=self.raw['id'], image=image, reason=reason,
            stores=import_watch.stores(self.raw), failed=failed or {},
            changes=changes or {}, seen=seen, request_id=self._request_id,
            cleaned=cleaned)

    def _failed(self, reason, failed, seen):
        return self._result(import_result.Failed, reason, failed, seen,
                            cleaned=self._clean())

    def _image(self):
        return translation.from_glance(self.raw, all_fields=True)

    def _changes(self):
        """Return what a plugin has changed: {name: (before, now)}."""
        if self._order.method in (import_order.COPY, import_order.REMOTE):
            return {}
        before, now = _shape(self._before), _shape(self.raw)
        changes = {name: (before.get(name), now.get(name))
                   for name in sorted(set(before) | set(now))
                   if before.get(name) != now.get(name)}
        body = self._order.body
        if body is not None and _COMPRESSED.match(body.head) and (
                self.raw['size'] != body.size):
            # By the plugin image_decompression; nothing else tells of it.
            changes['size'] = (body.size, self.raw['size'])
        return changes

    def _wrong(self, changes):
        """Return how the data differs from what it should be.

        :returns: (text or None, whether it is certain)
        """
        if self._order.method == import_order.COPY or (
                set(changes) & set(_DATA)):
            return None, True  # no new data, or nobody knows what it should be
        body, wanted = self._order.body, self._order.hash
        difference = body is not None and (
            self._imports.uploads.difference(self.raw, body))
        if difference:
            return difference, True
        if wanted and body is None:
            return (hashes.difference(self.raw, wanted),
                    hashes.is_recorded(self.raw, wanted.algorithm))
        return None, True

    def _clean(self):
        """Leave nothing behind, unless told to.

        :returns: whether nothing is left
        """
        if self._order.keep:
            return False
        if self._made:
            return undo.quietly(self._imports.images.delete, self._context,
                                self.raw['id'])
        # Glance itself has restored everything; if data is still staged, the
        # image still has its size.
        return 'os_glance_import_task' not in self.raw and (
            self.raw['status'] == 'queued' and not self.raw.get('size') or
            self._order.method == import_order.COPY and (
                not self._order.all_must))


def _reason(result):
    """Return why an image has no data, with what was seen of a timeout."""
    return result.reason if not result.timed_out else (
        'the image is still %s, %s' % (result.seen.status, {
            'stalled': 'and nothing changes',
            'deadline': 'and [glance] import_timeout has expired',
        }[result.reason]))


def _shape(raw):
    """Return what a plugin may change: formats, tags, properties."""
    custom = translation.from_glance(raw)['properties']
    return dict(custom, tags=sorted(raw.get('tags') or []),
                **{name: raw.get(name) for name in _FORMATS})
