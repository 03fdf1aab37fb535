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

"""Locations: data that is already in a store of Glance, for an image of v2.

Glance accepts a location in one of two ways, and shows itself which one:

* ``PATCH /v2/images/ID`` with ``add /locations/-``, for every caller that its
  policy allows. An image has ``locations`` in v2 if and only if Glance is set
  to ``show_multiple_locations``, which this way requires. The image is active
  when Glance answers, and nothing is hashed.
* ``POST /v2/images/ID/locations``, since Images API 2.17, for callers with the
  role ``service``. Glance answers at once. A task then holds the image by the
  property ``os_glance_import_task`` until it is done; with ``do_secure_hash``
  the task hashes the data, after the image is active or, if the caller has
  passed a hash, before. A task that fails leaves the image queued.

Glance also shows locations in two ways: in the image, to everybody who may
see it, if it is set to ``show_multiple_locations`` or
``show_image_direct_url``; and by ``GET /v2/images/ID/locations``, to services.

Seen on Glance 33.0.0, the first of each also on 15.0.2.
"""

import collections
import contextlib
import re

from oslo_log import log as logging
import six

from nova_image import exception
from nova_image.image import answers
from nova_image.image import knowledge
from nova_image.image import messages
from nova_image.image import outcome
from nova_image.image import undo
from nova_image.image.v2 import fields
from nova_image.image.v2 import records
from nova_image.image.v2 import schema
from nova_image.image.v2 import translation
from nova_image.image import waiting

LOG = logging.getLogger(__name__)

#: the minor version of v2 that introduced the locations API
API_MINOR = 17
_V2 = re.compile(r'^v2\.([0-9]{1,9})\Z')

#: whether Glance has the locations API, bool
LOCATIONS_API = knowledge.Fact(
    'locations API', lambda value: isinstance(value, bool))
#: that Glance does not show locations to one sender of requests: True
LOCATIONS_HIDDEN = knowledge.Fact(
    'refusal to show locations', lambda value: value is True)
#: that the log names the refusal: True
_WARNED = knowledge.Fact(
    'warning about hidden locations', lambda value: value is True)

_LOCK = 'os_glance_import_task'
_IN_PROGRESS = ('queued', 'importing')
# A database node may lag behind the one that has the lock.
_IDLE_LOOKS = 3
_ACTION = 'add a location to'
_LIST = 'list the locations of'
_REMEDY = ('Set show_multiple_locations in a Glance that only services reach, '
           'or use a Glance with Images API 2.17 and a service user with the '
           'role service')
_LIST_REMEDY = ('Glance shows locations to users with the role service, or to '
                'everybody if it is set to show_multiple_locations')

# The errors by which Glance refuses a location, or does not answer in time.
_REFUSALS = (exception.ImageBadRequest, exception.ImageConflict,
             exception.ImageActionNotSupported,
             exception.GlanceConnectionFailed)

#: Where an image's data is: a URL, and the hash of the data as a dict of
#: os_hash_algo and os_hash_value, empty if the caller does not know it; and
#: the ID of the store, None if Glance knows it by the URL.
Location = collections.namedtuple('Location', 'url validation store')


def from_meta(image_meta):
    """Return the Location in a caller's metadata, or None.

    :param image_meta: dict with ``location`` and optionally ``store`` and
        both ``os_hash_algo`` and ``os_hash_value``
    :raises ImageBadRequest: if only one of the two is there
    """
    url = image_meta.get('location')
    if not url:
        return None
    validation = {name: image_meta[name]
                  for name in ('os_hash_algo', 'os_hash_value')
                  if image_meta.get(name)}
    if len(validation) == 1:
        raise exception.ImageBadRequest(
            reason='a location requires both os_hash_algo and os_hash_value, '
                   'or neither')
    return Location(url, validation, image_meta.get('store'))


class Locations(object):
    """Adds and reads the locations of images, for one driver.

    :param client: nova_image.image.client.Client
    :param images: nova_image.image.v2.records.Records
    """

    def __init__(self, client, images):
        self._client = client
        self._images = images

    def add(self, context, raw, location, operations=(), changes=None):
        """Give an image a location, and wait until the image is active.

        :param raw: the image as v2 answers it
        :param location: Location
        :param operations: JSON Patch operations of other changes
        :param changes: callable that returns the operations that an image
            still needs
        :returns: the image as v2 then answers it
        :raises ImageLocationRefused: if Glance does not accept the location,
            or not within [glance] location_timeout
        :raises Forbidden: if the caller may not add it
        """
        if 'locations' in raw:
            with _refused(raw['id']):
                return self._add_by_patch(
                    context, raw, location, list(operations), changes)
        with _refused(raw['id']):
            self._check_api(context, raw, location)
        if operations:
            raw = self._images.patch(context, raw['id'], operations, changes)
        with undo.Steps(records.changed(raw['id'], operations)):
            with _refused(raw['id']):
                certain = self._post(context, raw, location)
            with _refused(raw['id'], accepted=True):
                raw = self._wait(context, raw['id'])
                if not certain:
                    self._require(context, raw, location)
                return raw

    def _add_by_patch(self, context, raw, location, operations, changes):
        url = location.url
        value = {'url': url, 'metadata': (
            {'store': location.store} if location.store else {})}
        if location.validation and schema.find(
                self._client, context).validates_locations:
            value['validation_data'] = location.validation
        had = url in translation.location_urls(raw)

        def missing(now):
            # Only a new location shows that the lost answer was a success.
            return had or url not in translation.location_urls(now) or (
                changes and changes(now))

        operations.append({'op': 'add', 'path': '/locations/-',
                           'value': value})
        return self._images.patch(context, raw['id'], operations, missing,
                                  _may_have(raw['id']))

    def list(self, context, raw):
        """Return all locations, a list of {'url', 'metadata'}.

        :raises NovaImageException: if Glance does not show them to the caller
        """
        if 'locations' in raw:
            return fields.locations(raw['locations'])
        if not self._has_api(context):
            raise self._too_old(_LIST, raw, _LIST_REMEDY)
        try:
            return self._client.call(context, messages.Request(
                'GET', records.path(raw['id'], 'locations'), _LIST,
                raw['id']), lambda answer: answer.read(fields.locations, list))
        except exception.Forbidden as error:
            if error.status != 403:
                raise
            six.raise_from(error.but(advice=_LIST_REMEDY), error)

    def revealed(self, context, raw):
        """Return an image with all its locations, also those for services.

        They are read as the service that this runs in. Its caller is known
        to have access to the image.

        :param raw: the image as v2 answers it
        """
        shown = 'locations' in raw or 'direct_url' in raw
        if shown or raw['status'] != 'active':
            return raw
        try:
            return dict(raw, locations=self._for_services(context, raw['id']))
        except exception.NovaImageException as error:
            LOG.debug('The location of the data of image %(id)s is unknown: '
                      '%(error)s', {'id': raw['id'], 'error': error})
            return raw

    def _for_services(self, context, image_id):
        known = self._client.knowledge(context)
        sender = self._client.sender(context, as_service=True)
        if known.get(LOCATIONS_HIDDEN, of=sender) or (
                not self._has_api(context)):
            return []
        try:
            return self._client.call(context, messages.Request(
                'GET', records.path(image_id, 'locations'), 'locate',
                image_id, as_service=True, is_checked=True),
                lambda answer: answer.read(fields.locations, list),
                once=True)
        except exception.Forbidden as error:
            known.remember(LOCATIONS_HIDDEN, True, of=sender)
            if known.get(_WARNED):
                raise
            known.remember(_WARNED, True)
            LOG.warning('Images cannot be cloned or read from their stores: '
                        'Glance shows locations only to services, and this '
                        'service has no user with the role service. '
                        '%(error)s', {'error': error})
            raise

    def _has_api(self, context):
        """Return whether this Glance has the locations API."""
        return self._client.knowledge(context).find(
            LOCATIONS_API, lambda: self._client.call(
                context, messages.Request(
                    'GET', '/versions', 'list the API versions'), _has_api))

    def _check_api(self, context, raw, location):
        """Raise if this Glance accepts no location for an image."""
        if not self._has_api(context):
            raise self._too_old(_ACTION, raw, _REMEDY)
        if raw['status'] != 'queued':
            raise exception.ImageConflict(
                action=_ACTION, image_id=raw['id'],
                reason='the image is %s, but only a queued image accepts a '
                       'location' % raw['status'])
        if location.store:
            raise exception.ImageBadRequest(
                action=_ACTION, image_id=raw['id'], advice='Omit the store',
                reason='the locations API of Glance finds the store itself')

    @staticmethod
    def _too_old(action, raw, advice):
        return exception.ImageActionNotSupported(
            action=action, image_id=raw['id'], advice=advice,
            reason='Glance does not show locations, and its Images API is '
                   'older than 2.%d' % API_MINOR)

    def _require(self, context, raw, location):
        """Raise ImageConflict if an image does not have a location."""
        if location.url not in [
                one['url'] for one in self._for_services(context, raw['id'])]:
            raise exception.ImageConflict(
                action=_ACTION, image_id=raw['id'],
                reason="the answer was lost, and the image's data may be "
                       "another client's")

    def _post(self, context, raw, location):
        """Send a location; return whether Glance has accepted it for sure.

        Otherwise the image has changed, but maybe by another client.
        """
        sent = {'url': location.url}
        if location.validation:
            sent['validation_data'] = location.validation

        def find_accepted(error):
            now = self._images.get(context, raw['id'], _ACTION)
            accepted = isinstance(error, exception.ImageConflict) and (
                raw['status'] == 'queued' and not _is_idle(now))
            return outcome.Found() if accepted else outcome.Failed()

        return self._client.call(context, messages.Request(
            'POST', records.path(raw['id'], 'locations'), _ACTION, raw['id'],
            json=sent, doubt=_may_have(raw['id'])), lambda answer: True,
            find_accepted)

    def _wait(self, context, image_id):
        """Return the image when Glance has finished with its location."""
        look = _Look(lambda: self._images.get(context, image_id, _ACTION))
        timeout = self._client.conf.glance.location_timeout
        done = waiting.Wait(self._client.sleep, timeout).until(look)
        return done or _late(look.raw, timeout)


class _Look(object):
    """Looks at an image whose location Glance is checking.

    ``raw`` is the image as v2 answered it last.
    """

    def __init__(self, get):
        self.raw = None
        self._get = get
        self._was_locked = False
        self._idle = 0

    def __call__(self):
        """Return the image if Glance has finished, otherwise None.

        :raises ImageLocationRefused: if Glance has refused the location
        """
        raw = self.raw = self._get()
        if _LOCK not in raw and raw['status'] not in _IN_PROGRESS:
            return raw
        self._was_locked = self._was_locked or _LOCK in raw
        self._idle += _is_idle(raw)
        if self._idle == _IDLE_LOOKS or self._was_locked and _is_idle(raw):
            raise exception.ImageLocationRefused(
                action=_ACTION, image_id=raw['id'],
                reason='Glance accepted the request and then dropped it, the '
                       'image stays queued: no store has this location, or '
                       'the hash does not match the data',
                advice="Glance's log has the reason")
        return None


def _is_idle(raw):
    """Return whether an image lacks data and Glance is not working on it."""
    return raw['status'] == 'queued' and _LOCK not in raw


def _late(raw, timeout):
    """Return an image that can be used in spite of the timeout, or raise."""
    if raw['status'] in _IN_PROGRESS:
        raise exception.ImageLocationRefused(
            action=_ACTION, image_id=raw['id'],
            reason='the image is still %s after %d s' % (
                raw['status'], timeout),
            advice="Increase [glance] location_timeout, or check whether "
                   "Glance's task hangs", left=_may_have(raw['id']),
            in_doubt=True)
    LOG.warning('Image %(id)s is active, but after %(timeout)d s Glance has '
                'not hashed it yet', {'id': raw['id'], 'timeout': timeout})
    return raw


def _has_api(answer):
    """Return whether a list of versions has one with the locations API."""
    return any(minor >= API_MINOR for minor in answer.read(
        lambda found: answers.page(found, 'versions', _minor)))


def _minor(version):
    """Return the minor version of an entry about v2; -1 for any other."""
    match = _V2.match(answers.text(answers.mapping(version).get('id')) or '')
    return int(match.group(1)) if match else -1


@contextlib.contextmanager
def _refused(image_id, accepted=False):
    """Raise what Nova's libvirt driver falls back from, for a refusal.

    The error's ``left`` names an image that may have the location anyway.

    :param accepted: whether Glance has accepted it before

    It uploads its snapshot after Nova's ImageUnacceptable and Forbidden, but
    not after ImageNotAuthorized, ImageBadRequest or GlanceConnectionFailed
    (read in Nova 15.1.5 and 34.0.0).
    """
    def facts(error, advice):
        return {'action': _ACTION, 'image_id': image_id, 'advice': advice,
                'endpoint': error.endpoint, 'status': error.status,
                'reason': error.reason or error.message,
                'left': error.left or (
                    _may_have(image_id) if accepted else None),
                'in_doubt': error.in_doubt or accepted}

    try:
        yield
    except exception.ImageLocationRefused:
        raise
    except exception.ImageNotAuthorized as error:
        six.raise_from(exception.Forbidden(
            'Not authorized to give the image a location',
            **facts(error, _REMEDY)), error)
    except _REFUSALS as error:
        six.raise_from(exception.ImageLocationRefused(
            **facts(error, error.advice)), error)
    except exception.NovaImageException as error:  # such as ImageNotFound
        if error.left or not accepted:
            raise
        six.raise_from(error.but(left=_may_have(image_id), in_doubt=True),
                       error)


def _may_have(image_id):
    return 'image %s, which may have the location' % image_id
