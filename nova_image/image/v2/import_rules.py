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

"""What a Glance can import, checked before anything is sent.

Remembered for each Glance; asked for again before anything is refused because
of it. Seen on Glance 33.0.0:

* ``GET /v2/info/import`` lists the methods, and so does each answer to a
  create (``OpenStack-image-import-methods``).
* ``GET /v2/info/stores`` lists the stores; those of type http are
  ``read-only``. A Glance without several stores answers 404, and refuses
  ``stores`` and ``all_stores_must_succeed``.
* ``GET /v2/info/usage`` shows what Keystone's limits leave, in MiB, or nothing
  if Glance does not enforce any.
* The schema of images has the formats.
"""

from oslo_utils import units
import six

from nova_image import exception
from nova_image.image import knowledge
from nova_image.image import messages
from nova_image.image.v2 import schema


def _is_list_of(kind):
    return lambda value: isinstance(value, list) and all(
        isinstance(one, kind) for one in value)


#: names of the import methods
METHODS = knowledge.Fact('import methods', _is_list_of(six.string_types))
#: the stores, each a dict with ``id``; empty if Glance has only one
STORES = knowledge.Fact('stores', _is_list_of(dict))
#: that Glance does not enforce limits: True
UNLIMITED = knowledge.Fact('absence of limits', lambda value: value is True)

#: the limits that the data of an import counts against
_SIZE_LIMITS = ('image_size_total', 'image_stage_total')
_ADVICE = 'See import_info for what it has, or ask the operator of Glance'


class Rules(object):
    """What the Glance behind one client can import.

    :param client: nova_image.image.client.Client
    """

    def __init__(self, client):
        self._client = client

    def info(self, context):
        """Return what ImageDriver.import_info returns, read again."""
        known = self._client.knowledge(context)
        found = {'methods': self._read_methods(context),
                 'stores': self._read_stores(context)}
        known.remember(METHODS, found['methods'])
        known.remember(STORES, found['stores'])
        return found

    def learn(self, context, answer):
        """Remember what the answer to a create says about imports.

        :param answer: nova_image.image.messages.Answer
        """
        named = answer.headers.get('OpenStack-image-import-methods')
        if named is not None:
            self._client.knowledge(context).remember(METHODS, _split(named))

    def _methods(self, context, suits=None):
        return self._client.knowledge(context).find(
            METHODS, lambda: self._read_methods(context), suits)

    def stores(self, context, suits=None):
        """Return the IDs of the writable stores.

        :param suits: callable that returns whether remembered stores, a list
            of dicts, are enough
        :returns: list; empty if Glance has only one store
        """
        return _writable(self._client.knowledge(context).find(
            STORES, lambda: self._read_stores(context), suits))

    def check_method(self, context, name):
        """Refuse a method that this Glance does not have.

        :raises ImageImportImpossible: if it is not enabled
        """
        enabled = self._methods(context, lambda found: name in found)
        if name not in enabled:
            raise exception.ImageImportImpossible(
                action='import', advice=_ADVICE,
                reason='the method %s is not enabled in this Glance, only %s'
                       % (name, _list(enabled)))

    def check_stores(self, context, names):
        """Refuse stores that are missing or read-only.

        :param names: list of IDs
        :raises ImageImportImpossible: if there is one
        """
        if not names:
            return
        writable = self.stores(
            context, lambda found: set(names) <= set(_writable(found)))
        missing = [name for name in names if name not in writable]
        if missing:
            raise exception.ImageImportImpossible(
                action='import', advice=_ADVICE,
                reason='store %s is missing or read-only; the writable stores '
                       'are %s' % (_list(missing), _list(writable)))

    def check_formats(self, context, image):
        """Refuse formats that are missing, or that are not in the schema.

        :param image: dict with ``disk_format`` and ``container_format``
        :raises ImageBadRequest: if Glance would refuse them
        """
        for name in ('disk_format', 'container_format'):
            self._check_format(context, image, name, image.get(name))

    def _check_format(self, context, image, name, value):
        if not value:
            raise exception.ImageBadRequest(
                action='import', image_id=image.get('id'),
                reason='the image has no %s' % name,
                advice='Set it before the import')
        if 'status' in image:
            return  # Glance accepted it when it created the image

        def accepts(found):
            return value in (getattr(found, name) or (value,))

        accepted = schema.find(self._client, context, accepts)
        if not accepts(accepted):
            raise exception.ImageBadRequest(
                action='import', image_id=image.get('id'),
                reason='this Glance does not accept the %s %s, only %s' % (
                    name, value, _list(getattr(accepted, name))))

    def check_size(self, context, size):
        """Refuse data that exceeds the limits of the caller's project.

        :param size: bytes, or None if it is not known
        :raises ImageQuotaExceeded: if it does
        """
        known = self._client.knowledge(context)
        if size is None or known.get(UNLIMITED):
            return
        usage = self._read_usage(context)
        if not usage:
            known.remember(UNLIMITED, True)
        for name in _SIZE_LIMITS:
            limit = usage.get(name, {}).get('limit', -1)
            used = usage.get(name, {}).get('usage', 0)
            if 0 <= limit < used + size // units.Mi:
                raise exception.ImageQuotaExceeded(
                    action='import', reason='%d MiB more exceed the limit %s '
                    'of %d MiB, of which %d are in use' % (
                        size // units.Mi, name, limit, used))

    def _read_methods(self, context):
        found = self._read(context, '/v2/info/import',
                           'list the import methods')
        return list(found.get('import-methods', {}).get('value', []))

    def _read_stores(self, context):
        found = self._read(context, '/v2/info/stores', 'list the stores')
        return [dict(store, **{
            name: True for name in ('default', 'read-only') if name in store})
            for store in found.get('stores', [])]

    def _read_usage(self, context):
        return self._read(context, '/v2/info/usage',
                          'read the limits').get('usage', {})

    def _read(self, context, path, action):
        """Return a JSON object; an empty one if Glance has no such page.

        An earlier Glance answers 404, or 403 if its policy denies it.
        """
        try:
            return self._client.json(context, messages.Request(
                'GET', path, action))
        except (exception.NotFound, exception.Forbidden):
            return {}


def _writable(stores):
    return [store['id'] for store in stores if not store.get('read-only')]


def _split(text):
    return [name.strip() for name in text.split(',') if name.strip()]


def _list(names):
    return ', '.join(names) or 'none'
