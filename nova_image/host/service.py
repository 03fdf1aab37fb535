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

"""The driver as the image service that Nova's callers expect."""

import io
import weakref

from oslo_utils import timeutils
import six

from nova_image.host import faults

# Seconds.
_MAX_AGE = 10


class Service(object):
    """An image service with Nova's signatures and Nova's exceptions.

    :param driver: nova_image.image.driver.ImageDriver
    """

    def __init__(self, driver):
        self.driver = driver
        self._downloaded = _Downloaded()

    def resolve(self, context, reference):
        """Return the service and the image ID for a reference to an image.

        :param reference: ID of an image, or its URL
        :raises nova.exception.InvalidImageRef: if the URL is not that of an
            image in a known Glance
        """
        with faults.translated():
            driver, image_id = self.driver.resolve(
                context, six.text_type(reference))
        return (self if driver is self.driver else Service(driver)), image_id

    def detail(self, context, **kwargs):
        """List images."""
        with faults.translated(plain=True):
            return self.driver.detail(context, **kwargs)

    def show(self, context, image_id, include_locations=False,
             show_deleted=True):
        """Return an image.

        Directly after a download by the same request of Nova, it is the one
        that the download has read.
        """
        image = None if include_locations else self._downloaded.take(
            context, image_id)
        if image is not None:
            return image
        with faults.translated(image_id):
            return self.driver.show(context, image_id, include_locations,
                                    show_deleted)

    def create(self, context, image_meta, data=None):
        """Create an image."""
        with faults.translated(image_meta.get('id'), plain=True):
            return self.driver.create(context, image_meta, data)

    def update(self, context, image_id, image_meta, data=None,
               purge_props=True):
        """Change an image."""
        self._downloaded.take(context, image_id)
        with faults.translated(image_id):
            return self.driver.update(context, image_id, image_meta,
                                      _binary(data), purge_props)

    def delete(self, context, image_id):
        """Delete an image."""
        self._downloaded.take(context, image_id)
        with faults.translated(image_id):
            return self.driver.delete(context, image_id)

    def download(self, context, image_id, data=None, dst_path=None,
                 trusted_certs=None):
        """Download and verify the data of an image.

        :returns: None; an iterator of bytes if there is neither data nor
            dst_path
        """
        with faults.translated(image_id):
            if data is None and dst_path is None:
                return _Stream(self.driver.download(
                    context, image_id, trusted_certs=trusted_certs), image_id)
            self._downloaded.keep(context, image_id, self.driver.fetch(
                context, image_id, data, dst_path,
                trusted_certs=trusted_certs))
        return None

    def image_import_copy(self, context, image_id, stores):
        """Start copying the data of an image to other stores."""
        self._downloaded.take(context, image_id)
        with faults.translated(image_id):
            return self.driver.image_import_copy(context, image_id, stores)


def _binary(data):
    """Return data to upload; a file that is open as text as it is on disk.

    Nova's driver for z/VM opens its snapshots so (seen in 34.0.0).
    """
    if isinstance(data, io.TextIOBase) and hasattr(data, 'buffer'):
        return data.buffer
    return data


class _Downloaded(object):
    """Images that were read for a download, each for one show.

    Nova shows an image directly after it has downloaded it, to compare the
    format with that of the data (``nova.virt.images.fetch_to_raw``, seen in
    34.0.0). Glance does not change the format of an image with data.

    Other callers get what Glance answers: another request of Nova has another
    context, and one that waits for a change shows the image again.
    """

    def __init__(self):
        self._images = weakref.WeakKeyDictionary()

    def keep(self, context, image_id, image):
        """Keep an image for the next show.

        :param context: the context of the request; Nova's are equal only to
            themselves
        :param image: the image, or None
        """
        try:
            kept = self._images.setdefault(context, {})
        except TypeError:  # there are no weak references to it
            return
        kept[image_id] = image, timeutils.now()

    def take(self, context, image_id):
        """Return an image if it was kept, and forget it."""
        try:
            kept = self._images.get(context)
        except TypeError:
            return None
        image, since = (kept or {}).pop(image_id, (None, 0))
        return image if timeutils.now() - since <= _MAX_AGE else None


class _Stream(object):
    """An iterator over image data that raises Nova's exceptions.

    :param chunks: the driver's iterator
    :param image_id: ID of the image, for the exceptions
    """

    def __init__(self, chunks, image_id):
        self._chunks = chunks
        self._image_id = image_id

    def __iter__(self):
        return self

    def __next__(self):
        with faults.translated(self._image_id):
            return next(self._chunks)

    next = __next__

    def close(self):
        """Close the connection."""
        self._chunks.close()
