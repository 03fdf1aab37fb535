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

"""What a Glance imports, and whether it would take what a caller wants.

Found out once for each endpoint and remembered; asked again before anything
is refused for what was remembered. Seen on Glance 33.0.0:

* ``GET /v2/info/import`` has the methods, and so has each answer to a create
  (``OpenStack-image-import-methods``).
* ``GET /v2/info/stores`` has the stores, those of type http as
  ``read-only``. A Glance that is not set up for several answers 404, and
  refuses ``stores`` and ``all_stores_must_succeed``.
* ``GET /v2/info/usage`` has what Keystone's limits leave, in MiB, where Glance
  enforces them, else nothing.
* The schema of images has the formats.
"""

from oslo_utils import timeutils

from nova_image import exception
from nova_image.image import client as http

#: seconds after which what was remembered is asked for again
REMEMBER = 600

_METHODS, _STORES, _LIMITS, _FORMATS = (
    'import_methods', 'import_stores', 'import_limits', 'import_formats')
_MIB = 1024 * 1024
#: what Glance counts the data of a method against
_SIZE_LIMITS = ('image_size_total', 'image_stage_total')
_ADVICE = 'See what import_info gives, or ask who runs Glance'


class Rules(object):
    """What the Glance behind one client takes.

    :param client: nova_image.image.client.Client
    """

    def __init__(self, client):
        self._client = client

    def info(self, context):
        """Return what ImageDriver.import_info returns, asked for anew."""
        return {'methods': self._fresh(context, _METHODS),
                'stores': self._fresh(context, _STORES)}

    def learn(self, context, answer):
        """Take from a create's answer what it says about imports.

        :param answer: nova_image.image.client.Answer
        """
        said = answer.headers.get('OpenStack-image-import-methods')
        if said is not None:
            self._remember(context, _METHODS, _split(said))

    def stores(self, context):
        """Return the IDs of the stores that can be written.

        :returns: list; empty where Glance has but one store
        """
        return _writable(self._known(context, _STORES))

    def check_method(self, context, name):
        """Refuse a method that this Glance does not have.

        :raises ImageImportImpossible: when it is not enabled
        """
        if not self._known(context, _METHODS, lambda found: name in found):
            raise exception.ImageImportImpossible(
                action='import', advice=_ADVICE,
                reason='the method %s is not enabled in this Glance, which '
                       'has %s' % (name, _list(self._value(
                           context, _METHODS))))

    def check_stores(self, context, wanted):
        """Refuse stores that are not there or cannot be written.

        :param wanted: list of IDs
        :raises ImageImportImpossible: when one is not
        """
        def has_all(found):
            return set(wanted) <= set(_writable(found))

        if wanted and not self._known(context, _STORES, has_all):
            there = self.stores(context)
            missing = [name for name in wanted if name not in there]
            raise exception.ImageImportImpossible(
                action='import', advice=_ADVICE,
                reason='not there, or not to be written: the store %s; '
                       'there is %s' % (_list(missing), _list(there)))

    def check_formats(self, context, image):
        """Refuse formats that are missing, or that the schema does not have.

        :param image: dict with ``disk_format`` and ``container_format``
        :raises ImageBadRequest: when Glance would refuse them
        """
        for name in ('disk_format', 'container_format'):
            self._check_format(context, image, name, image.get(name))

    def _check_format(self, context, image, name, value):
        if not value:
            raise exception.ImageBadRequest(
                action='import', image_id=image.get('id'),
                reason='the image has no %s' % name,
                advice='An import wants one, set it first')
        if 'status' in image:
            return  # Glance has taken it when it made the image
        if not self._known(context, _FORMATS, lambda found: (
                not found[name] or value in found[name])):
            raise exception.ImageBadRequest(
                action='import', image_id=image.get('id'),
                reason='this Glance takes no %s %s, only %s' % (
                    name, value, _list(self._value(context, _FORMATS)[name])))

    def check_size(self, context, size):
        """Refuse data that are more than the caller's project may have.

        :param size: bytes, or None where it is not known
        :raises ImageQuotaExceeded: when they are
        """
        if size is None or self._recent(context, _LIMITS) is False:
            return
        usage = self._fresh(context, _LIMITS)
        for name in _SIZE_LIMITS:
            limit = usage.get(name, {}).get('limit', -1)
            used = usage.get(name, {}).get('usage', 0)
            if 0 <= limit < used + size // _MIB:
                raise exception.ImageQuotaExceeded(
                    action='import', reason='%d MiB more are beyond the '
                    'limit %s of %d MiB, of which %d are in use' % (
                        size // _MIB, name, limit, used))

    def _known(self, context, kind, test=None):
        """Return what is remembered, or what ``test`` says of it.

        A no for what was remembered is asked about again.
        """
        found = self._recent(context, kind)
        if found is not None and (test is None or test(found)):
            return found if test is None else True
        found = self._fresh(context, kind)
        return found if test is None else test(found)

    def _recent(self, context, kind):
        value, since = self._client.endpoints.facts(context).get(
            kind, (None, 0))
        fresh = timeutils.now() - since <= REMEMBER
        return value if fresh else None

    def _value(self, context, kind):
        return self._client.endpoints.facts(context)[kind][0]

    def _fresh(self, context, kind):
        value = _ASK[kind](self._ask, context)
        # No limits are no reason to ask for them each time.
        self._remember(context, kind,
                       False if value == {} and kind == _LIMITS else value)
        return value

    def _remember(self, context, kind, value):
        self._client.endpoints.facts(context)[kind] = value, timeutils.now()

    def _ask(self, context, path, action):
        """Return a JSON object; an empty one where Glance has no such page.

        An earlier Glance answers 404, or 403 where its policy says so.
        """
        try:
            return self._client.json(context, http.Request(
                'GET', path, action))
        except (exception.NotFound, exception.Forbidden):
            return {}


def _methods(ask, context):
    found = ask(context, '/v2/info/import', 'list the import methods')
    return list(found.get('import-methods', {}).get('value', []))


def _stores(ask, context):
    found = ask(context, '/v2/info/stores', 'list the stores')
    return [dict(store, **{
        name: True for name in ('default', 'read-only') if name in store})
        for store in found.get('stores', [])]


def _limits(ask, context):
    found = ask(context, '/v2/info/usage', 'read the limits')
    return found.get('usage', {})


def _formats(ask, context):
    found = ask(context, '/v2/schemas/image', 'read the image schema')
    properties = found.get('properties', {})
    return {name: properties.get(name, {}).get('enum', [])
            for name in ('disk_format', 'container_format')}


_ASK = {_METHODS: _methods, _STORES: _stores, _LIMITS: _limits,
        _FORMATS: _formats}


def _writable(stores):
    return [store['id'] for store in stores if not store.get('read-only')]


def _split(text):
    return [name.strip() for name in text.split(',') if name.strip()]


def _list(names):
    return ', '.join(name for name in names if name) or 'none'
