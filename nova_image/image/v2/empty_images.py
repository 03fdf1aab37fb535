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

"""Images without data in the Images API v2: which formats they get.

The snapshot of a volume-backed server is one: it has properties, but nothing
to boot from. In v1, ``size`` 0 activates it. v2 requires both formats and an
upload of zero bytes, and a Glance of 2023 or later detects these as raw: it
refuses any other format that it can detect. Seen on Glance 15.0.2 and 33.0.0.
"""

import contextlib

import six

from nova_image import exception
from nova_image.image.v2 import schema

#: what to choose if the caller names no format: the first that Glance offers
PREFERRED = {'disk_format': ('raw', 'qcow2', 'vhd', 'vmdk'),
             'container_format': ('bare',)}

_ADVICE = ('Glance accepts an image without data only as raw: set disk_format '
           'to raw, or omit it and add raw to [image_format] disk_formats of '
           "glance-api.conf, or set [image_format] require_image_format_match "
           'to False there')


class EmptyImages(object):
    """Chooses the formats of empty images, for one driver.

    :param client: nova_image.image.client.Client
    """

    def __init__(self, client):
        self._client = client

    @contextlib.contextmanager
    def formats(self, context, image):
        """Fill in the formats of an image that the block creates.

        :param image: dict to send, which is changed
        :raises Invalid: if Glance refuses it; with what to change
        """
        chosen = self._choose(context, image)
        try:
            yield
        except exception.Invalid as error:
            if chosen:  # Glance may have been reconfigured
                self._client.knowledge(context).forget(schema.IMAGE_SCHEMA)
            if not (error.action or '').startswith('upload'):
                raise
            six.raise_from(error.but(advice=_ADVICE), error)

    def _choose(self, context, image):
        """Fill in missing formats, and return whether any was missing."""
        missing = [name for name in sorted(PREFERRED) if name not in image]
        if missing:
            offered = schema.find(self._client, context)
            for name in missing:
                image[name] = _first(name, getattr(offered, name))
        return bool(missing)


def _first(name, offered):
    """Return the format to choose of those that Glance offers."""
    preferred = PREFERRED[name]
    return ([one for one in preferred if one in offered] + offered +
            list(preferred))[0]
