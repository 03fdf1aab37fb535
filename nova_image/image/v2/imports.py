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

"""Imports: Glance gets the data of an image, by v2 and in its own time.

Create, stage or name a source, import, and wait: the 202 of Glance says that
it has begun, and nothing else. What it does from then on, and how that can be
seen, is nova_image.image.v2.import_watch's; what it takes at all
nova_image.image.v2.import_rules'; what callers get is import_result's.

What was seen on Glance 33.0.0 of failures:

* Staged data go with the image, and otherwise only where Glance had them in
  all the stores or did not have to. So the success of all stores is asked of
  Glance only where the caller asks for it, or for several stores: with one
  store it changes nothing else, and with it the image would be left
  ``importing``, and its data staged, for ever.
* Limits of Keystone that the staged data are beyond fail the task, with the
  limit in its message, and leave the data staged. What is known before is
  checked before.
* A copy that had to succeed and did not leaves its data staged too, for
  another attempt.
* A delete while a store is written takes the image and the staged data, and
  leaves the data in that store, where nobody sees them. An import that is too
  late is only deleted after a time in which Glance would have given a sign.
* After kill -9 a delete of the image still works and takes the staged data
  along. What the conversion plugin was writing goes when Glance starts next
  and the image is gone.
* What web-download may fetch is refused with 400, as long as it can be known
  then. A refused redirect, 404, short data or no connection fail the task.
* A second import of an image, and data for one that is not queued, are
  refused with 409.
"""

from oslo_log import log as logging
from six.moves.urllib import parse

from nova_image import exception
from nova_image.image import client as http
from nova_image.image import import_result
from nova_image.image.transfer import source
from nova_image.image.v2 import import_rules
from nova_image.image.v2 import import_watch
from nova_image.image.v2 import translation

LOG = logging.getLogger(__name__)

_DIRECT, _COPY, _REMOTE = 'glance-direct', 'copy-image', 'glance-download'
#: what the methods need to be told
_NEEDS = {'web-download': ('uri',),
          _REMOTE: ('glance_region', 'glance_image_id')}
_SOURCE = ('uri', 'glance_region', 'glance_image_id',
           'glance_service_interface')
_FORMATS = ('disk_format', 'container_format')
_HASH = ('os_hash_algo', 'os_hash_value')
_UNDONE = 'undone, because another store could not take the data'


class Order(object):
    """What to import, from where, to where, and how to wait for it.

    :param method: name of an import method
    :param options: those of ImageDriver.import_image
    :raises ImageBadRequest: for options that do not go together
    """

    def __init__(self, method, **options):
        self.method = method
        data = options.pop('data', None)
        self.body = None if data is None else source.open_source(data)
        given = {name: options.pop(name, None) for name in _SOURCE}
        self.source = {name: value for name, value in given.items()
                       if value is not None}
        self.stores = list(options.pop('stores', None) or [])
        self.all_stores = options.pop('all_stores', False)
        self.all_must = options.pop('all_stores_must_succeed', None)
        self.hash = (options.pop('os_hash_algo', None),
                     options.pop('os_hash_value', None))
        self.wait = options.pop('wait', True)
        self.timeout = options.pop('timeout', None)
        self.keep = options.pop('keep', False)
        self.progress = options.pop('progress', None)
        if options:
            raise TypeError('unknown options: %s' % sorted(options))
        self._check()

    def _check(self):
        for wrong, reason in (
                (self.body is not None and self.method != _DIRECT,
                 'data go with the method glance-direct alone'),
                (self.stores and self.all_stores,
                 'give stores or all_stores, not both'),
                (any(self.hash) and not all(self.hash),
                 'os_hash_algo and os_hash_value go together')):
            if wrong:
                raise exception.ImageBadRequest(action='import',
                                                reason=reason)
        for name in _NEEDS.get(self.method, ()):
            if not self.source.get(name):
                raise exception.ImageBadRequest(
                    action='import', reason='the method %s wants %s' % (
                        self.method, name))

    def sent(self, has_stores):
        """Return the JSON to send.

        :param has_stores: whether Glance has several stores
        """
        found = {'method': dict(self.source, name=self.method)}
        if self.stores:
            found['stores'] = self.stores
        if self.all_stores:
            found['all_stores'] = True
        if self.all_must is not None:
            found['all_stores_must_succeed'] = self.all_must
        elif has_stores and (self.method == _COPY or not (
                self.all_stores or len(self.stores) > 1)):
            found['all_stores_must_succeed'] = False
        return found

    def without_secrets(self, text):
        """Return a text with no more of the source's URL than its place."""
        query = parse.urlsplit(self.source.get('uri') or '').query
        if query:
            text = text.replace('?' + query, '?***')
        return exception.redact(u' '.join(text.split()))


class Imports(object):
    """The imports of one driver.

    :param client: nova_image.image.client.Client
    :param path: callable(image_id, rest), gives the path of an image
    :param get: callable(context, image_id, action), gives the image as v2
        answers it
    :param delete: callable(context, image_id), deletes an image and tells
        whether it is gone
    """

    def __init__(self, client, path, get, delete):
        self.client = client
        self.path = path
        self.get = get
        self.delete = delete
        self.rules = import_rules.Rules(client)

    def check(self, context, order, image):
        """Refuse what Glance would refuse, before anything is sent.

        :param image: the image that is to get the data, as v2 has it
        :raises NovaImageException: see ImageDriver.import_image
        """
        self.rules.check_method(context, order.method)
        self.rules.check_stores(context, order.stores)
        if order.method not in (_COPY, _REMOTE):
            self.rules.check_formats(context, image)
        if order.body is None:
            return
        if image.get('status', 'queued') != 'queued':
            raise exception.ImageImportImpossible(
                action='import', image_id=image['id'],
                reason='the image is %s, and takes data only while it is '
                       'queued' % image['status'])
        self.rules.check_size(context, order.body.total)

    def stage(self, context, image_id, body, progress=None):
        """Send data to where Glance keeps it; return the image.

        :param body: nova_image.image.transfer.source.Source
        :raises ImageUploadFailed: when Glance does not have all of it
        """
        def find_staged(error):
            raw = self.get(context, image_id, 'stage data of')
            if raw['status'] == 'uploading' and raw['size'] == body.size:
                return
            # Until Glance has given up what broke off, it takes no other.
            error.retriable = (raw['status'] in ('queued', 'uploading') and
                               error.status in (409, 410))
            raise error

        if progress:
            body.progress = lambda sent, total: progress(import_result.Seen(
                'staging', 'uploading', [], [], [], sent, total))
        headers = {} if body.total is None else {
            'x-openstack-image-size': '%d' % body.total}
        try:
            if self.client.conf.glance.verify_uploads:
                facts = self.client.endpoints.facts(context)
                body.hash_by(facts.get('os_hash_algo', 'sha512'))
            self.client.call(context, http.Request(
                'PUT', self.path(image_id, 'stage'), 'stage data of',
                image_id, headers=headers, body=body), settle=find_staged)
        finally:
            body.close()
        raw = self.get(context, image_id, 'stage data of')
        if raw['size'] != body.size:
            raise exception.ImageUploadFailed(
                action='stage data of', image_id=image_id,
                reason='Glance has %s bytes of %d' % (raw['size'], body.size))
        return raw

    def run(self, context, raw, order, made=False):
        """Import into an image, which was checked.

        :param raw: the image as v2 answers it
        :param order: Order
        :param made: whether it is there for this alone, and is to be deleted
            if this fails
        :returns: as ImageDriver.import_image
        """
        return _Import(self, context, raw, order, made).run()

    def upload(self, context, raw, body):
        """Give an image its data, as an upload would; return the image.

        :param raw: the image as v2 answers it
        :param body: nova_image.image.transfer.source.Source
        :raises ImageUploadFailed: when it does not become active with them
        """
        order = Order(_DIRECT, data=body)
        self.check(context, order, raw)
        work = _Import(self, context, raw, order, False)
        result = work.run()
        if not result.succeeded:
            raise exception.ImageUploadFailed(
                action='upload by import', image_id=raw['id'],
                reason=_reason(result))
        if getattr(result, 'changes', None):
            LOG.info('Glance has changed %(names)s of image %(id)s while it '
                     'imported it', {'names': ', '.join(result.changes),
                                     'id': raw['id']})
        return work.raw


class _Import(object):
    """One import: Glance takes it, what comes of it, what is left of it."""

    def __init__(self, imports, context, raw, order, made):
        self._imports = imports
        self._client = imports.client
        self._context = context
        self._before = self.raw = raw
        self._order = order
        self._made = made
        self._request_id = None

    def run(self):
        """Do all of it; see Imports.run."""
        order = self._order
        if order.body is not None:
            self._imports.stage(self._context, self.raw['id'], order.body,
                                order.progress)
        lost = self._begin()
        if lost and not order.wait:
            raise lost
        return self._wait(lost) if order.wait else None

    def _begin(self):
        """Have Glance begin.

        :returns: None, or the error where its answer was lost
        """
        order = self._order
        has_stores = order.method == _COPY or bool(
            self._imports.rules.stores(self._context))
        try:
            answer = self._client.call(self._context, http.Request(
                'POST', self._imports.path(self.raw['id'], 'import'),
                'import', self.raw['id'], json=order.sent(has_stores),
                repeatable=False,
                errors={409: exception.ImageImportImpossible}))
        except exception.NovaImageException as error:
            error.reason = order.without_secrets(error.reason)
            if not error.retriable or error.status in (429, 503):
                raise
            return error
        self._request_id = answer.headers.get('x-openstack-request-id')
        return None

    def _wait(self, lost):
        order, wanted = self._order, self._order.stores
        if order.all_stores:
            wanted = self._imports.rules.stores(self._context)
        timeout = order.timeout
        if timeout is None:
            timeout = self._client.conf.glance.import_timeout
        watch = import_watch.Watch(
            self._client, self.raw, self._request_id, wanted=wanted,
            timeout=timeout, progress=order.progress)
        end = watch.wait(self._context)
        self.raw = end.raw
        if lost and end.reason and not watch.began:
            raise lost
        if end.how == 'over':
            return self._tell(wanted, order.without_secrets(
                end.reason or 'Glance does not say why'), watch.task_id)
        return import_result.TimedOut(
            self.raw['id'], end.how, end.seen, self._request_id,
            end.quiet and self._clean())

    def _tell(self, wanted, why, task_id):
        """Return the result of an import that is over."""
        raw = self.raw
        have = import_watch.stores(raw)
        failed = {name: why for name in import_watch.failed_stores(raw)
                  if not wanted or name in wanted}
        failed.update((name, _UNDONE if failed else why) for name in wanted
                      if name not in have and name not in failed)
        changes = self._changes()
        if raw['status'] != 'active' or wanted and set(wanted) <= set(failed):
            # The log has it without the request.
            log = "; Glance's log tells more of its task %s" % task_id
            return self._failed(why + (log if task_id else ''), failed)
        wrong = self._wrong(changes)
        if wrong:
            return self._failed(wrong, failed, delete=True)
        found = (raw['id'], self._image(), have, failed, self._request_id)
        return (import_result.Converted(changes, *found) if changes else
                import_result.Imported(*found))

    def _image(self):
        image = translation.from_glance(self.raw)
        image.update((name, self.raw.get(name)) for name in _HASH)
        return image

    def _changes(self):
        """Return what a plugin has changed: {name: (before, now)}."""
        if self._order.method in (_COPY, _REMOTE):
            return {}
        before, now = _shape(self._before), _shape(self.raw)
        return {name: (before.get(name), now.get(name))
                for name in sorted(set(before) | set(now))
                if before.get(name) != now.get(name)}

    def _wrong(self, changes):
        """Return in which way the data are not the right ones, or None."""
        if set(changes) & set(_FORMATS):
            return None  # nobody knows what they should be
        raw, body = self.raw, self._order.body
        if body is not None and raw['size'] != body.size:
            return 'Glance has %s bytes of %d' % (raw['size'], body.size)
        if body is not None and body.differs_from(
                raw.get('os_hash_algo'), raw.get('os_hash_value')):
            return 'the %s of what Glance has is not that of the data' % (
                raw['os_hash_algo'])
        algorithm, value = self._order.hash
        known = {'md5': raw.get('checksum'),
                 raw.get('os_hash_algo'): raw.get('os_hash_value')}
        if value and known.get(algorithm) != value.lower():
            return 'the %s of the data is %s, it should be %s' % (
                algorithm, known.get(algorithm) or 'not known to Glance',
                value)
        return None

    def _failed(self, reason, stores, delete=False):
        return import_result.Failed(self.raw['id'], reason, stores,
                                    self._request_id, self._clean(delete))

    def _clean(self, delete=False):
        """Leave nothing behind, unless told to; return whether that is so.

        :param delete: whether the image is to go, whoever made it
        """
        if self._order.keep:
            return False
        if self._made or delete:
            return self._imports.delete(self._context, self.raw['id'])
        # Glance itself has put everything back; the size of data that are
        # still staged stays.
        return 'os_glance_import_task' not in self.raw and (
            self.raw['status'] == 'queued' and not self.raw.get('size') or
            self._order.method == _COPY and not self._order.all_must)


def _reason(result):
    """Return why an image has no data; of a TimedOut what was seen, too."""
    seen = getattr(result, 'seen', None)
    return result.reason if seen is None else (
        'the image is still %s, %s' % (seen.status, {
            'stalled': 'and nothing moves',
            'deadline': 'and [glance] import_timeout is over',
        }[result.reason]))


def _shape(raw):
    """Return what a plugin may change: formats, tags, properties."""
    custom = translation.from_glance(raw)['properties']
    return dict(custom, tags=sorted(raw.get('tags') or []),
                **{name: raw.get(name) for name in _FORMATS})
