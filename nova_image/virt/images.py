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

"""Downloads of images to the disk of a compute host."""

from nova_image.image import api as image_api


def fetch(context, image_id, path, api=None, trusted_certs=None,
          inspect=True):
    """Download an image to a file.

    The file appears at its path only once it is complete, verified, inspected
    and flushed to disk.

    :param context: the caller's context
    :param image_id: ID of the image, or its URL
    :param path: path of the file to create
    :param api: nova_image.image.api.API; a new one by default
    :param trusted_certs: IDs of the certificates to trust for the image's
        signature
    :param inspect: whether to inspect the format. Pass False only if the
        host lacks an oslo.utils that can, as with Python 2.7.
    :raises ImageCorrupt: if the data does not match what Glance recorded
    :raises ImageUnacceptable: if the data could harm the host or is not in
        the image's disk_format
    """
    api = api or image_api.API()
    api.download(context, image_id, dest_path=path,
                 trusted_certs=trusted_certs, inspect=inspect)
