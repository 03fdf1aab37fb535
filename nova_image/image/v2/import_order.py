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

"""What to import, from where and to where: the options of an import.

Everything that can be settled before a request is, so that a mistake changes
nothing. See nova_image.image.driver.ImageDriver.import_image for the options.
"""

from nova_image import exception
from nova_image.image.transfer import source
from nova_image.image.v2 import hashes
from nova_image.image import values
from nova_image import redaction

#: Glance's names of the import methods with rules of their own
DIRECT, COPY, REMOTE = 'glance-direct', 'copy-image', 'glance-download'

#: the options that a method requires
_REQUIRED = {'web-download': ('uri',),
             REMOTE: ('glance_region', 'glance_image_id')}
_SOURCE = ('uri', 'glance_region', 'glance_image_id',
           'glance_service_interface')


class Order(object):
    """What to import, from where, to where, and how to wait for it.

    :param method: name of an import method
    :param options: those of ImageDriver.import_image

    ``sleep`` is what waits between two looks at the import, see
    nova_image.image.v2.import_watch.Watch.

    :raises ImageBadRequest: for options that do not fit together
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
        self.hash = hashes.settled(options.pop('os_hash_algo', None),
                                   options.pop('os_hash_value', None))
        self.wait = options.pop('wait', True)
        self.timeout = values.seconds('timeout',
                                      options.pop('timeout', None))
        self.keep = options.pop('keep', False)
        self.progress = options.pop('progress', None)
        self.sleep = None
        if options:
            raise TypeError('unknown options: %s' % sorted(options))
        self._check()

    def _check(self):
        for wrong, reason in (
                (self.body is not None and self.method != DIRECT,
                 'only the method glance-direct accepts data'),
                (self.stores and self.all_stores,
                 'stores and all_stores exclude each other')):
            if wrong:
                raise exception.ImageBadRequest(action='import',
                                                reason=reason)
        for name in _REQUIRED.get(self.method, ()):
            if not self.source.get(name):
                raise exception.ImageBadRequest(
                    action='import', reason='the method %s requires %s' % (
                        self.method, name))

    def to_glance(self, has_stores):
        """Return the JSON to send.

        :param has_stores: whether Glance has several stores
        """
        sent = {'method': dict(self.source, name=self.method)}
        if self.stores:
            sent['stores'] = self.stores
        if self.all_stores:
            sent['all_stores'] = True
        if self.all_must is not None:
            sent['all_stores_must_succeed'] = self.all_must
        elif has_stores and (self.method == COPY or not (
                self.all_stores or len(self.stores) > 1)):
            sent['all_stores_must_succeed'] = False
        return sent

    def without_secrets(self, text):
        """Return a text on one line, without the secrets of the source."""
        return exception.redact(u' '.join(text.split()),
                                redaction.Secrets(self.source))
