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

"""Locations: data that is in a store of Glance already, for an image of v2.

A Glance takes a location in one of two ways, and says itself in which:

* ``PATCH /v2/images/ID`` with ``add /locations/-``, for any caller its policy
  lets. An image that v2 shows has ``locations`` exactly where Glance is set to
  ``show_multiple_locations``, which is what this takes. It is done when it is
  answered, and nothing is hashed.
* ``POST /v2/images/ID/locations``, since Images API 2.17, for who has the role
  ``service``. It is answered at once, and done by a task that holds the image
  by the property ``os_glance_import_task`` meanwhile; with ``do_secure_hash``
  the task hashes the data, after the image is active or, where the caller
  has handed in a hash, before. A task that failed leaves the image queued.

It tells locations in two ways likewise: with the image, to whoever may see
it, where it is set to ``show_multiple_locations`` or
``show_image_direct_url``; and by ``GET /v2/images/ID/locations``, to services.

Seen on Glance 33.0.0, the first of each also on 15.0.2.
"""

import collections
import contextlib

from oslo_log import log as logging
from oslo_utils import timeutils
import six
from six.moves.urllib import parse

from nova_image import exception
from nova_image.image import client as http
from nova_image.image.v2 import translation

LOG = logging.getLogger(__name__)

#: the minor version of v2 that brought the second way
API_MINOR = 17
#: seconds after which a Glance that had no way at all is asked again: it may
#: have been upgraded
ASK_AGAIN = 600
#: seconds; between the looks at an image, the first and the longest wait
FIRST_WAIT = 0.1
LONGEST_WAIT = 3.0

_LOCK = 'os_glance_import_task'
_UNDER_WAY = ('queued', 'importing')
# A database node may lag behind the one that took the lock.
_IDLE_LOOKS = 3
_ACTION = 'add a location to'
_WAYS = ('Set show_multiple_locations in a Glance that only services reach, '
         'or use one with Images API 2.17 and a service user with the role '
         'service')

# What comes of a location that Glance does not take, or not in time.
_REFUSALS = (exception.ImageBadRequest, exception.ImageConflict,
             exception.ImageActionNotSupported,
             exception.GlanceConnectionFailed)

#: Where an image's data is: a URL, and its hash as a dict of os_hash_algo and
#: os_hash_value, empty where the caller does not know it.
Place = collections.namedtuple('Place', 'url validation')


def wanted(image_meta):
    """Return the Place that a caller's metadata name, or None.

    :param image_meta: dict with ``location`` and, beside it and both or
        neither, ``os_hash_algo`` and ``os_hash_value``
    :raises ImageBadRequest: for half a hash
    """
    url = image_meta.get('location')
    if not url:
        return None
    validation = {name: image_meta[name]
                  for name in ('os_hash_algo', 'os_hash_value')
                  if image_meta.get(name)}
    if len(validation) == 1:
        raise exception.ImageBadRequest(
            reason='os_hash_algo and os_hash_value of a location go together')
    return Place(url, validation)


class Locations(object):
    """Gives images their locations, for one driver.

    :param client: nova_image.image.client.Client
    :param get: callable(context, image_id, action), gives the image as v2
        answers it
    :param patch: callable(context, image_id, operations, changes), applies
        JSON Patch operations and gives the image
    """

    def __init__(self, client, get, patch):
        self._client = client
        self._get = get
        self._patch = patch

    def add(self, context, raw, place, operations=(), changes=None):
        """Give an image a location, and wait until it is active with it.

        :param raw: the image as v2 answers it
        :param place: Place
        :param operations: JSON Patch of what else is to change
        :param changes: gives the operations that an image still needs
        :returns: the image as v2 answers it then
        :raises ImageLocationRefused: when Glance does not take the location,
            or not within [glance] location_timeout
        :raises Forbidden: when the caller may not
        """
        if 'locations' in raw:
            with _refused(raw['id']):
                return self._add_by_patch(
                    context, raw, place, list(operations), changes)
        with _refused(raw['id']):
            self._check_served(context, raw['id'])
        if operations:
            raw = self._patch(context, raw['id'], operations, changes)
        with _refused(raw['id']):
            self._post(context, raw, place)
            return self._wait(context, raw['id'])

    def _add_by_patch(self, context, raw, place, operations, changes):
        value = {'url': place.url, 'metadata': {}}
        if place.validation and self._takes_validation(context):
            value['validation_data'] = place.validation

        had = place.url in translation.location_urls(raw)

        def missing(now):
            # Nothing but a new location tells that a lost answer was one.
            return had or place.url not in translation.location_urls(now) or (
                changes and changes(now))

        operations.append({'op': 'add', 'path': '/locations/-',
                           'value': value})
        return self._patch(context, raw['id'], operations, missing)

    def _takes_validation(self, context):
        """Tell whether a PATCH may bring a hash; Glance 15 refuses it."""
        facts = self._client.endpoints.facts(context)
        if 'location_hash' not in facts:
            schema = self._client.json(context, http.Request(
                'GET', '/v2/schemas/image', 'read the image schema'))
            found = schema.get('properties', {}).get('locations', {})
            facts['location_hash'] = 'validation_data' in (
                found.get('items', {}).get('properties', {}))
        return facts['location_hash']

    def revealed(self, context, raw):
        """Return an image with its locations, those for services alone too.

        Who asks for them is the service that this runs in; that its caller
        may see the image has been found out before.

        :param raw: the image as v2 answers it
        """
        told = 'locations' in raw or 'direct_url' in raw
        if told or raw['status'] != 'active':
            return raw
        try:
            return dict(raw, locations=self._for_services(context, raw['id']))
        except exception.NovaImageException as error:
            LOG.debug('Where the data of image %(id)s is stays unknown: '
                      '%(error)s', {'id': raw['id'], 'error': error})
            return raw

    def _for_services(self, context, image_id):
        facts = self._client.endpoints.facts(context)
        refused = facts.get('locations_refused')
        if refused is not None and timeutils.now() - refused < ASK_AGAIN:
            return []
        if not self._is_served(context):
            return []
        try:
            return self._client.call(context, http.Request(
                'GET', _path(image_id), 'locate', image_id, as_service=True),
                lambda answer: answer.json(kind=list), once=True)
        except exception.Forbidden as error:
            facts['locations_refused'] = timeutils.now()
            LOG.warning('Images cannot be cloned or fetched where they are '
                        'stored: their locations are for services, and this '
                        'one has no user with the role service. %(error)s', {
                            'error': error})
            raise

    def _is_served(self, context):
        """Tell whether this Glance has the locations API."""
        facts = self._client.endpoints.facts(context)
        served, since = facts.get('locations_api', (False, None))
        if since is None or (
                not served and timeutils.now() - since > ASK_AGAIN):
            served = self._client.call(context, http.Request(
                'GET', '/versions', 'list the API versions'), _has_api)
            facts['locations_api'] = served, timeutils.now()
        return served

    def _check_served(self, context, image_id):
        """Raise when this Glance has no way to take a location."""
        if not self._is_served(context):
            raise exception.ImageActionNotSupported(
                action=_ACTION, image_id=image_id, advice=_WAYS,
                reason='Glance shows no locations, and its Images API is '
                       'older than 2.%d' % API_MINOR)

    def _post(self, context, raw, place):
        body = {'url': place.url}
        if place.validation:
            body['validation_data'] = place.validation

        def find_taken(error):
            now = self._get(context, raw['id'], _ACTION)
            if (not isinstance(error, exception.ImageConflict) or
                    raw['status'] != 'queued' or _is_idle(now)):
                raise error

        self._client.call(context, http.Request(
            'POST', _path(raw['id']), _ACTION, raw['id'], json=body),
            settle=find_taken)

    def _wait(self, context, image_id):
        """Return the image when Glance is done with its location."""
        began, wait = timeutils.now(), FIRST_WAIT
        seen_at_work, idle = False, 0
        timeout = self._client.conf.glance.location_timeout
        while True:
            raw = self._get(context, image_id, _ACTION)
            if _LOCK not in raw and raw['status'] not in _UNDER_WAY:
                return raw
            seen_at_work = seen_at_work or _LOCK in raw
            idle += _is_idle(raw)
            if idle == _IDLE_LOOKS or seen_at_work and _is_idle(raw):
                raise _given_up(image_id)
            if timeutils.now() - began + wait > timeout:
                return _late(raw, timeout)
            self._client.sleep(wait)
            wait = min(wait * 1.5, LONGEST_WAIT)


def _path(image_id):
    return '/v2/images/%s/locations' % parse.quote(image_id)


def _is_idle(raw):
    """Tell whether an image waits for data, and nothing works at that."""
    return raw['status'] == 'queued' and _LOCK not in raw


def _given_up(image_id):
    return exception.ImageLocationRefused(
        action=_ACTION, image_id=image_id,
        reason='Glance took the request and gave it up, the image stays '
               'queued: no store has this location, or the hash is not that '
               'of the data',
        advice="Glance's log tells which")


def _late(raw, timeout):
    """Return an image that is to be used all the same, or raise."""
    if raw['status'] in _UNDER_WAY:
        raise exception.ImageLocationRefused(
            action=_ACTION, image_id=raw['id'],
            reason='the image is still %s after %d s' % (
                raw['status'], timeout),
            advice='Raise [glance] location_timeout, or look whether '
                   "Glance's task hangs")
    LOG.warning('Image %(id)s is active, and after %(timeout)d s Glance has '
                'not hashed it yet', {'id': raw['id'], 'timeout': timeout})
    return raw


def _has_api(answer):
    """Tell whether a list of versions has the second way."""
    versions = answer.json().get('versions')
    if not isinstance(versions, list):
        raise answer.bad('its JSON is no list of versions')
    return any(_minor(one) >= API_MINOR for one in versions)


def _minor(version):
    """Return the minor version of an entry about v2; -1 for any other."""
    major, _, minor = version.get('id', '').partition('.')
    return int(minor) if major == 'v2' and minor.isdigit() else -1


@contextlib.contextmanager
def _refused(image_id):
    """Raise what Nova's libvirt driver falls back on, for a refusal.

    It makes its snapshot by an upload after Nova's ImageUnacceptable and
    Forbidden, and not after ImageNotAuthorized, ImageBadRequest or
    GlanceConnectionFailed (read in Nova 15.1.5 and 34.0.0).
    """
    try:
        yield
    except exception.ImageLocationRefused:
        raise
    except exception.ImageNotAuthorized as error:
        six.raise_from(exception.Forbidden(
            'Not authorized to give the image a location',
            **_facts(error, image_id, _WAYS)), error)
    except _REFUSALS as error:
        six.raise_from(exception.ImageLocationRefused(
            **_facts(error, image_id, error.advice)), error)


def _facts(error, image_id, advice):
    return {'action': _ACTION, 'image_id': image_id, 'advice': advice,
            'endpoint': error.endpoint, 'status': error.status,
            'reason': error.reason or error.message}
