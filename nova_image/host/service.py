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

"""The driver as Nova's callers expect an image service."""

import six

from nova_image.host import faults
from nova_image.image import endpoint


class Service(object):
    """An image service with Nova's signatures and Nova's exceptions.

    :param driver: nova_image.image.driver.ImageDriver
    """

    def __init__(self, driver):
        self.driver = driver

    def at(self, context, url):
        """Return a service for the Glance of a URL that a user named.

        :raises nova.exception.InvalidImageRef: when it is not a known one
        """
        with faults.translated():
            self.driver.client.endpoints.check(context, url)
        return Service(self.driver.pinned_to(url))

    def detail(self, context, **kwargs):
        """List images."""
        with faults.translated():
            return self.driver.detail(context, **kwargs)

    def show(self, context, image_id, include_locations=False,
             show_deleted=True):
        """Return one image."""
        with faults.translated():
            return self.driver.show(context, image_id, include_locations,
                                    show_deleted)

    def create(self, context, image_meta, data=None):
        """Create an image."""
        with faults.translated(creating=True):
            return self.driver.create(context, image_meta, data)

    def update(self, context, image_id, image_meta, data=None,
               purge_props=True):
        """Change an image."""
        with faults.translated():
            return self.driver.update(context, image_id, image_meta, data,
                                      purge_props)

    def delete(self, context, image_id):
        """Delete an image."""
        with faults.translated():
            return self.driver.delete(context, image_id)

    def download(self, context, image_id, data=None, dst_path=None,
                 trusted_certs=None):
        """Fetch an image's data."""
        with faults.translated():
            chunks = self.driver.download(context, image_id, data, dst_path,
                                          trusted_certs=trusted_certs)
        return None if chunks is None else _Stream(chunks)

    def image_import_copy(self, context, image_id, stores):
        """Copy an image's data to other stores."""
        with faults.translated():
            return self.driver.image_import_copy(context, image_id, stores)


class _Stream(object):
    """An image's data as an iterator that raises Nova's exceptions."""

    def __init__(self, chunks):
        self._chunks = chunks

    def __iter__(self):
        return self

    def __next__(self):
        with faults.translated():
            return next(self._chunks)

    next = __next__

    def close(self):
        """Give the connection up."""
        self._chunks.close()


def split_reference(reference):
    """Split what a user named as an image.

    :param reference: an ID or a URL
    :returns: (endpoint or None, image ID)
    :raises nova.exception.InvalidImageRef: when it is neither
    """
    if '/' not in six.text_type(reference):
        return None, reference
    with faults.translated():
        return endpoint.parse_reference(reference)
