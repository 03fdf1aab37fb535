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

Remembered for each Glance, but what it denies to a caller only for that
caller; asked for again before anything is refused because of it. Seen on
Glance 33.0.0:

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
from nova_image.image import answers
from nova_image.image import knowledge
from nova_image.image import messages
from nova_image.image.v2 import schema


def _is_list_of(kind):
    return lambda value: isinstance(value, list) and all(
        isinstance(one, kind) for one in value)


#: names of the import methods
METHODS = knowledge.Fact('import methods', _is_list_of(six.string_types))
#: the stores, each a dict with ``id``; empty if Glance has only one
STORES = knowledge.Fact('stores', _is_list_of(dict))  # see _store()
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
        return {'methods': self._ask(context, METHODS),
                'stores': self._ask(context, STORES)}

    def learn(self, context, answer):
        """Remember what the answer to a create says about imports.

        :param answer: nova_image.image.messages.Answer
        """
        named = answer.headers.get('OpenStack-image-import-methods')
        if named is not None:
            self._client.knowledge(context).remember(METHODS, _split(named))

    def _find(self, context, fact, suits=None):
        """Return the value of a fact; see Knowledge.find."""
        value = self._client.knowledge(context).get(
            fact, of=self._client.sender(context))
        if value is None or suits is not None and not suits(value):
            value = self._ask(context, fact)
        return value

    def _ask(self, context, fact):
        """Return the value of a fact from Glance, and remember it."""
        value, is_denied = _READERS[fact](self, context)
        sender = self._client.sender(context) if is_denied else None
        self._client.knowledge(context).remember(fact, value, of=sender)
        return value

    def stores(self, context, suits=None):
        """Return the IDs of the writable stores.

        :param suits: callable that returns whether remembered stores, a list
            of dicts, are enough
        :returns: list; empty if Glance has only one store
        """
        return _writable(self._find(context, STORES, suits))

    def check_method(self, context, name):
        """Refuse a method that this Glance does not have.

        :raises ImageImportImpossible: if it is not enabled
        """
        enabled = self._find(context, METHODS, lambda found: name in found)
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
        sender = self._client.sender(context)
        if size is None or known.get(UNLIMITED, of=sender):
            return
        usage, is_denied = self._read_usage(context)
        if not usage:
            known.remember(UNLIMITED, True, of=sender if is_denied else None)
        for name in _SIZE_LIMITS:
            limit, used = usage.get(name, (-1, 0))
            if 0 <= limit < used + size // units.Mi:
                raise exception.ImageQuotaExceeded(
                    action='import', reason='%d MiB more exceed the limit %s '
                    'of %d MiB, of which %d are in use' % (
                        size // units.Mi, name, limit, used))

    def _read_methods(self, context):
        return self._read(context, '/v2/info/import',
                          'list the import methods', _methods_of)

    def _read_stores(self, context):
        return self._read(context, '/v2/info/stores', 'list the stores',
                          _stores_of)

    def _read_usage(self, context):
        return self._read(context, '/v2/info/usage', 'read the limits',
                          _usage_of)

    def _read(self, context, path, action, reader):
        """Return what is read from a JSON object, and whether it is denied.

        It is an empty one if Glance has no such page: an earlier Glance
        answers 404, or 403 if its policy denies it.
        """
        try:
            return self._client.call(context, messages.Request(
                'GET', path, action), lambda answer: answer.read(
                    reader)), False
        except exception.NotFound:
            return reader({}), False
        except exception.Forbidden:
            return reader({}), True


_READERS = {METHODS: Rules._read_methods, STORES: Rules._read_stores}


def _methods_of(found):
    methods = answers.mapping(found.get('import-methods'))
    return answers.items(answers.name, methods.get('value'))


def _stores_of(found):
    return answers.items(_store, found.get('stores'))


def _store(raw):
    """Return a store that has an ID."""
    answers.name(answers.mapping(raw).get('id'))
    return dict(raw, **{name: True for name in ('default', 'read-only')
                        if name in raw})


def _usage_of(found):
    """Return {name of a limit: (limit, what is in use)}, both in its unit."""
    usage = answers.mapping(found.get('usage'))
    return {name: _limit(usage[name]) for name in usage}


def _limit(raw):
    raw = answers.mapping(raw)
    limit = raw.get('limit')
    return (-1 if limit in (None, -1) else answers.number(limit),
            answers.number(raw.get('usage')) or 0)


def _writable(stores):
    return [store['id'] for store in stores if not store.get('read-only')]


def _split(text):
    return [name.strip() for name in text.split(',') if name.strip()]


def _list(names):
    return ', '.join(names) or 'none'
