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


"""Images without data in the Images API v2: their formats.

The snapshot of a server that boots from a volume is one: properties, and
nothing to boot from in the image itself. v1 makes it active by ``size`` 0. v2
wants both formats and an upload of nothing, and a Glance of 2023 and later
finds that nothing is raw: it refuses it as any other format that it knows.
Seen on Glance 15.0.2 and 33.0.0.
"""

import contextlib

from oslo_utils import excutils

from nova_image import exception
from nova_image.image import client as http

#: what to take where the caller names nothing, the first that Glance offers
DISK_FORMATS = ('raw', 'qcow2', 'vhd', 'vmdk')
CONTAINER_FORMATS = ('bare',)

_ADVICE = ('Glance takes an image without data as raw alone: name disk_format '
           'raw, or none and have raw among [image_format] disk_formats of '
           "glance-api.conf, or set [image_format] require_image_format_match "
           'to False there')


class EmptyImages(object):
    """Chooses the formats of empty images, for one driver.

    :param client: nova_image.image.client.Client
    """

    def __init__(self, client):
        self._client = client

    @contextlib.contextmanager
    def formats(self, context, sent):
        """Fill in the formats of an image that the block creates.

        :param sent: the image for v2, which is changed
        :raises Invalid: when Glance refuses it; with what to change
        """
        chosen = self._choose(context, sent)
        try:
            yield
        except exception.Invalid as error:
            with excutils.save_and_reraise_exception():
                if (error.action or '').startswith('upload'):
                    error.advice = _ADVICE
                if chosen:  # Glance may be set up otherwise by now
                    self._client.endpoints.facts(context).pop('formats', None)

    def _choose(self, context, sent):
        """Tell whether a format was chosen."""
        missing = [name for name in ('disk_format', 'container_format')
                   if name not in sent]
        if missing:
            offered = self._offered(context)
            for name in missing:
                sent[name] = _first(name, offered[name])
        return bool(missing)

    def _offered(self, context):
        """Return the formats that Glance offers, asked for once."""
        facts = self._client.endpoints.facts(context)
        if 'formats' not in facts:
            schema = self._client.json(context, http.Request(
                'GET', '/v2/schemas/image', 'read the image schema'))
            facts['formats'] = {
                name: schema.get('properties', {}).get(name, {}).get('enum')
                for name in ('disk_format', 'container_format')}
        return facts['formats']


def _first(name, offered):
    """Return the format to take of those that are offered."""
    wanted = DISK_FORMATS if name == 'disk_format' else CONTAINER_FORMATS
    # None is in the schema as well, for an image that is queued.
    found = [one for one in offered or () if one]
    return ([one for one in wanted if one in found] + found +
            list(wanted))[0]
