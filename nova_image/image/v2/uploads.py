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

"""Sends an image's data with the Images API v2: to a store, or to be staged.

Both are a PUT. A store makes the image active; staged data waits for an
import. Seen on Glance 15.0.2 and 33.0.0.

The size of the data is announced if it is known, except where this makes the
upload fail. Swift stores of glance_store 5.0 to 5.7 split an image of
``swift_store_large_object_size`` or more into segments, and announce the last
one to Swift with the size of all others even if it is shorter. Swift then
waits for the rest, 60 seconds by default, and Glance answers 500. Without a
size, in a header or as Content-Length, they announce no segment.
"""

import collections

from oslo_log import log as logging
from oslo_utils import units
import six

from nova_image import exception
from nova_image.image import answers
from nova_image.image import import_result
from nova_image.image import knowledge
from nova_image.image import messages
from nova_image.image import outcome
from nova_image.image import tenancy
from nova_image.image.transfer import sent
from nova_image.image import undo
from nova_image.image.v2 import records
from nova_image.metrics import hook

LOG = logging.getLogger(__name__)

#: the algorithm of the best hash that Glance records, a name for hashlib
HASH_ALGORITHM = knowledge.Fact('hash algorithm', answers.is_hash)
#: what to hash by until it is known: Glance's default, and what every Glance
#: records
_LIKELY_ALGORITHMS = ('sha512', 'md5')
#: bytes from which the size of an upload must not be announced
UNSIZED_FROM = knowledge.Fact('smallest size that fails if it is announced',
                              lambda value: isinstance(
                                  value, six.integer_types))
#: the statuses of uploads that Glance, or a proxy, has given up
_GIVEN_UP = (500, 502, 504)

#: what stands for the answer to an upload that was lost
_UNANSWERED = object()

#: Where the data goes: the end of the path, the verb for error messages, the
#: image's status while Glance receives the data and when it has it all, and
#: the direction of the transfer.
_Target = collections.namedtuple(
    '_Target', 'path action receiving received direction')
_STORE = _Target('file', 'upload', 'saving', 'active', hook.UPLOAD)
_STAGING = _Target('stage', 'stage data of', 'uploading', 'uploading',
                   hook.STAGE)


class Uploads(object):
    """Sends data for one driver.

    :param client: nova_image.image.client.Client
    :param images: nova_image.image.v2.records.Records
    """

    def __init__(self, client, images):
        self._client = client
        self._images = images

    def upload(self, context, image_id, body, made=False, store=None,
               stored=None):
        """Send an image's data to a store.

        :param body: nova_image.image.transfer.source.Source
        :param made: whether this very call has created the image
        :param store: ID of the store; None for Glance's default
        :param stored: called when Glance has answered the request, before
            the image is read
        :returns: the image, to be passed to check(), and whether Glance has
            answered the request: otherwise the data may be another client's
        """
        raw, answered = self._send(context, image_id, body, _STORE, made, {
            'x-image-meta-store': store} if store else {}, stored)
        tenancy.warn_if_misplaced(image_id, *records.facts(raw))
        recorded = _computable(raw)
        if recorded:
            algorithm, _ = recorded[0]
            self._client.knowledge(context).remember(HASH_ALGORITHM,
                                                     algorithm)
        return raw, answered

    def check(self, raw, body, answered, own=False):
        """Compare an image with the data that was sent.

        :param raw: the image as v2 answers it
        :param answered: whether Glance has answered the upload
        :param own: whether nobody else can know the image's ID
        :raises ImageUploadFailed: if Glance has other data; its ``left`` is
            set if another client may have uploaded it
        """
        difference = raw.get('size') is not None and (
            self.difference(raw, body))
        if not difference and not (answered or own or self._proves(
                raw, body)):
            difference = ('the answer was lost, and Glance has no hash of '
                          'its data')
        if difference:
            sent.differs(body, _hashes(raw))
            raise exception.ImageUploadFailed(
                action='upload', image_id=raw['id'], reason=difference,
                left=None if answered else 'image %s with data that another '
                'client may have uploaded' % raw['id'])
        sent.record(raw['id'], body, _hashes(raw))

    def stage(self, context, image_id, body, progress=None, made=False,
              own=False):
        """Send an image's data to where an import takes it from.

        :param body: nova_image.image.transfer.source.Source
        :param progress: called with an import_result.Seen for each piece
        :param made: whether this very call has created the image
        :param own: whether nobody else can know the image's ID
        :returns: the image
        :raises ImageUploadFailed: if Glance does not have all of the data
        """
        if progress:
            body.progress = lambda sent, total: progress(import_result.Seen(
                'staging', 'uploading', [], [], [], sent, total))
        raw, answered = self._send(context, image_id, body, _STAGING, made)
        difference = self.difference(raw, body)
        doubt = None if made else _doubt(image_id)
        if not difference and not answered and not own:
            # Glance has no hash of staged data.
            doubt = _doubt(image_id)
            difference = ('the answer was lost, and the staged data may be '
                          "another client's")
        if difference:
            sent.differs(body, (), hook.STAGE)
            raise exception.ImageUploadFailed(
                action='stage data of', image_id=image_id, reason=difference,
                left=doubt)
        sent.record(image_id, body, (), hook.STAGE)
        return raw

    def unrecorded(self, context, algorithm):
        """Return why Glance will not record a hash, for an error message.

        :returns: text; None if it will, or may
        """
        known = self._client.knowledge(context).get(HASH_ALGORITHM)
        if known in (None, algorithm) or algorithm == 'md5':
            return None
        return 'Glance records no %s of images, only md5 and %s' % (
            algorithm, known)

    def difference(self, raw, body):
        """Return how an image differs from the data that was sent, or None.

        If Glance has hashed the data otherwise, it is read once more.

        :returns: text for an error message
        """
        if raw['size'] != body.size:
            return 'Glance has %s bytes of %s' % (
                raw['size'], body.size or 'an unknown number')
        try:
            self._hash_alike(raw, body)
        except Exception as error:  # whatever the caller's file raises
            return ('the data cannot be read again to verify it: %s' %
                    exception.redact(error))
        for algorithm, value in _hashes(raw):
            same = body.has_hash(algorithm, value)
            if same is not None:
                return None if same else (
                    "the %s of Glance's data is not that of the data sent" % (
                        algorithm))
        return None

    def _hash_alike(self, raw, body):
        """Hash the data as Glance has, if it was only hashed otherwise.

        :raises: what reading the caller's data raises
        """
        recorded = _computable(raw)
        if not recorded or not self._client.conf.glance.verify_uploads or any(
                body.has_hash(*one) is not None for one in recorded):
            return
        algorithm, _ = recorded[0]
        LOG.debug('Reading the data of image %(id)s again: Glance has hashed '
                  'it by %(algorithm)s', {'id': raw['id'],
                                          'algorithm': algorithm})
        body.hash_again(algorithm)

    @staticmethod
    def _proves(raw, body):
        """Return whether a hash shows that an image has the data sent."""
        return any(body.has_hash(*known) for known in _hashes(raw))

    def _likely_algorithms(self, context, body):
        """Return the names of the hashes that Glance is expected to record.

        A single one is enough if the data can be read again: if Glance turns
        out to record others, difference() does so.
        """
        facts = self._client.knowledge(context)
        if body.can_rewind():
            return [facts.get(HASH_ALGORITHM, _LIKELY_ALGORITHMS[0],
                              max_age=None)]
        known = facts.get(HASH_ALGORITHM)
        return [known] if known else _LIKELY_ALGORITHMS

    def _send(self, context, image_id, body, target, made, headers=None,
              stored=None):
        """Send data to a target.

        :param made: whether this very call has created the image, so that
            its errors need not say that it may have the data
        :param headers: dict of further headers
        :param stored: see upload()
        :returns: the image, and whether Glance has answered the request
        """
        def find_sent(error):
            raw = self._images.get(context, image_id, target.action)
            if raw['status'] == target.received and raw['size'] == body.size:
                return outcome.Found(_UNANSWERED)
            # Until Glance drops the interrupted upload it refuses others.
            busy = raw['status'] in ('queued', target.receiving)
            return outcome.TryAgain() if busy and error.status in (
                409, 410) else outcome.Failed()

        doubt = None if made else _doubt(image_id)
        headers = dict(headers or {})
        size = _Announced(self._client, context, body, target is _STORE,
                          headers)
        with sent.Sending(body, target.direction):
            if self._client.conf.glance.verify_uploads:
                body.hash_by(*self._likely_algorithms(context, body))
            answer = self._client.call(context, messages.Request(
                'PUT', records.path(image_id, target.path), target.action,
                image_id, headers=headers, body=body, doubt=doubt,
                judge=size.judge), settle=find_sent)
            if answer is not _UNANSWERED:
                # Otherwise the attempt with the size may have succeeded.
                size.learn()
        if stored:
            stored()
        with undo.Steps(doubt):
            raw = self._images.get(context, image_id, target.action)
        return raw, answer is not _UNANSWERED


class _Announced(object):
    """Announces the size of the data, unless that makes the upload fail.

    That is known from ``sized_upload_limit`` or learned: if Glance gives up
    an upload that it has received completely, the next attempt does not
    announce the size. If that one succeeds, later uploads of this size or
    more do the same from the start, for as long as knowledge is believed.

    :param client: nova_image.image.client.Client
    :param body: nova_image.image.transfer.source.Source
    :param to_store: whether the data goes to a store, not to be staged
    :param headers: dict of the request's headers, which change with its
        attempts
    """

    def __init__(self, client, context, body, to_store, headers):
        self._known = client.knowledge(context)
        self._body = body
        self._to_store = to_store
        self._has_failed = False
        self._headers = headers
        limit = client.conf.glance.sized_upload_limit * units.Mi
        unsized_from = self._known.get(UNSIZED_FROM)
        total = body.total or 0
        body.is_announced = body.total is not None and not (to_store and (
            total > limit > 0 or
            unsized_from is not None and total >= unsized_from))
        if body.is_announced:
            headers['x-openstack-image-size'] = '%d' % body.total

    def judge(self, error):
        """Stop announcing the size if it may be why an attempt failed.

        :returns: the error
        """
        if self._to_store and self._body.is_announced and (
                error.status in _GIVEN_UP and
                self._body.sent == self._body.total):
            self._body.is_announced = False
            self._has_failed = True
            del self._headers['x-openstack-image-size']
            LOG.info('Image %(image)s is sent without its size from now on: '
                     'Glance has received %(size)d bytes and has given up, as '
                     'it does if its Swift store miscounts the last segment', {
                         'image': error.image_id, 'size': self._body.total})
        return error

    def learn(self):
        """Remember a size that must not be announced, after a success."""
        if self._has_failed:
            self._known.remember(UNSIZED_FROM, self._body.total)


def data_request(image_id, action):
    """Return the request that moves an image's data from or to its store.

    :param action: ``'download'`` or ``'upload'``
    :returns: nova_image.image.messages.Request without a body
    """
    is_upload = action == 'upload'
    return messages.Request(
        'PUT' if is_upload else 'GET', records.path(image_id, _STORE.path),
        action, image_id, headers={'Content-Type': 'application/octet-stream'}
        if is_upload else {})


def _hashes(raw):
    """Return the (algorithm, value) of the hashes that Glance recorded."""
    return ((raw.get('os_hash_algo'), raw.get('os_hash_value')),
            ('md5', raw.get('checksum')))


def _computable(raw):
    """Return those of the hashes that this host can compute, the best first.

    :returns: list of (algorithm, value)
    """
    return [(algorithm, value) for algorithm, value in _hashes(raw)
            if value and answers.is_hash(algorithm)]


def _doubt(image_id):
    return 'image %s, which may have the data' % image_id
