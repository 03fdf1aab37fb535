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

"""Removes locations of images, and with them the data in the stores.

Glance removes a location in one of two ways:

* ``PATCH /v2/images/ID`` with ``remove /locations/N``, if it is set to
  ``show_multiple_locations``. N is a position, and another client may have
  added or removed a location since the list was read. So the same PATCH first
  replaces the list by itself. Glance answers 400 to that if the URLs of the
  list have changed, and then removes nothing; otherwise the list has exactly
  the order in which the position was counted.
* ``DELETE /v2/stores/STORE/ID``, since Images API 2.10 and if Glance has
  several stores. It removes the first location in the store.

Both answer 403 for the only location of an image, and remove the locations of
protected images. By default, only administrators may remove locations. Glance
does not lock the image: of two requests at the same moment, each may believe
that the other location stays (read in Glance 33.0.0).

Seen on Glance 33.0.0, the first also on 15.0.2.
"""

import contextlib

import six
from six.moves.urllib import parse

from nova_image import exception
from nova_image.image import messages
from nova_image.image import outcome
from nova_image.image.v2 import fields
from nova_image.image.v2 import import_watch
from nova_image.image import values

_ACTION = 'remove a location of'
#: how often the list is read again after another client has changed it
_ATTEMPTS = 3
_POLICY = ("By default, Glance's policy allows only administrators to remove "
           'locations (delete_image_location)')
_LAST = 'Delete the image instead, which also deletes the data'


class Removals(object):
    """Removes locations of images, for one driver.

    :param client: nova_image.image.client.Client
    :param images: nova_image.image.v2.records.Records
    :param locations: nova_image.image.v2.locations.Locations
    """

    def __init__(self, client, images, locations):
        self._client = client
        self._images = images
        self._locations = locations

    def remove(self, context, image_id, location):
        """Remove a location, wherever in the list it is.

        :param location: dict of ``url`` and ``metadata``
        :raises NotFound: if the image does not have it
        :raises ImageConflict: if the image has no other location
        """
        location = fields.locations([location])[0]
        for left in reversed(range(_ATTEMPTS)):
            raw, known = self._read(context, image_id)
            position = _find(image_id, known, location)
            _check_others(image_id, known)
            if 'locations' not in raw:
                return self._remove_hidden(context, image_id, known, position)
            try:
                return self._patch(context, image_id, known, position)
            except exception.ImageBadRequest:
                if not left or self._read(context, image_id)[1] == known:
                    raise

    def remove_from_store(self, context, image_id, store):
        """Remove the location in a store.

        :param store: ID of the store
        :raises NotFound: if the store does not have the image
        :raises ImageConflict: if no other store has it, or this store has it
            more than once
        """
        raw = self._active(context, image_id)
        if 'stores' not in raw:
            raise exception.ImageActionNotSupported(
                action=_ACTION, image_id=image_id,
                reason='Glance does not have several stores',
                advice='Name the location by its URL')
        found = import_watch.stores(raw)
        if store not in found:
            raise exception.NotFound(
                action=_ACTION, image_id=image_id,
                reason='store %s does not have the image, only: %s' % (
                    store, ', '.join(found)))
        _check_others(image_id, found)
        if found.count(store) > 1:
            raise exception.ImageConflict(
                action=_ACTION, image_id=image_id,
                reason='store %s has %d locations of the image' % (
                    store, found.count(store)),
                advice='Name one of them by its URL')
        self._delete(context, image_id, store)

    def _read(self, context, image_id):
        raw = self._active(context, image_id)
        return raw, self._locations.list(context, raw)

    def _active(self, context, image_id):
        raw = self._images.get(context, values.image_id(image_id), _ACTION)
        if raw['status'] != 'active':
            raise exception.ImageConflict(
                action=_ACTION, image_id=image_id,
                reason='the image is %s, but only an active image loses '
                       'locations' % raw['status'])
        return raw

    def _patch(self, context, image_id, known, position):
        location = known[position]

        def has_it(raw):
            return location in fields.locations(raw.get('locations'))

        with _policy():
            self._images.patch(
                context, image_id,
                [{'op': 'replace', 'path': '/locations', 'value': known},
                 {'op': 'remove', 'path': '/locations/%d' % position}],
                has_it, _may_have_lost(image_id))

    def _remove_hidden(self, context, image_id, known, position):
        """Remove a location of a Glance that does not show it to everybody."""
        stores = [one['metadata'].get('store') for one in known]
        store = stores[position]
        if not store or stores.index(store) != position:
            raise exception.ImageActionNotSupported(
                action=_ACTION, image_id=image_id,
                reason='without show_multiple_locations, Glance removes only '
                       'the first location in a store',
                advice='Set show_multiple_locations in a Glance that only '
                       'services reach')
        self._delete(context, image_id, store)

    def _delete(self, context, image_id, store):
        def find_deleted(error):
            if isinstance(error, exception.NotFound):
                return outcome.Found()
            return outcome.Failed()

        path = '/v2/stores/%s/%s' % tuple(
            parse.quote(part.encode('utf-8'), safe='')
            for part in (store, image_id))
        with _policy():
            self._client.call(context, messages.Request(
                'DELETE', path, _ACTION, image_id,
                errors={404: exception.NotFound},
                doubt=_may_have_lost(image_id)), settle=find_deleted)


@contextlib.contextmanager
def _policy():
    """Name the policy in the error if the block is refused by it."""
    try:
        yield
    except exception.ImageNotAuthorized as error:
        if error.status != 403:
            raise
        six.raise_from(error.but(advice=_POLICY), error)


def _find(image_id, known, location):
    """Return the position of a location; raise NotFound without one."""
    if location not in known:
        raise exception.NotFound(
            action=_ACTION, image_id=image_id,
            reason='the image does not have the location %s' % (
                location['url']))
    return known.index(location)


def _check_others(image_id, known):
    """Raise if an image has only one location, or one store."""
    if len(known) == 1:
        raise exception.ImageConflict(
            action=_ACTION, image_id=image_id, advice=_LAST,
            reason='it is the only location of the image')


def _may_have_lost(image_id):
    return 'image %s, which may have lost the location' % image_id
