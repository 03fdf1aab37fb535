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

"""What Glance recorded of an image's data, whatever the Images API."""


class Recorded(object):
    """What Glance recorded of an image and its data.

    :param size: bytes, or None if it is not known
    :param algorithm: name for hashlib, such as ``'sha512'``, or None
    :param value: hexadecimal digest, or None
    :keyword disk_format: the declared format of the data
    :keyword properties: dict of the image's properties
    :keyword stores: text that names the stores of the data, if known
    """

    def __init__(self, size=None, algorithm=None, value=None, **more):
        self.size = size
        self.algorithm = algorithm if value else None
        self.value = value
        self.disk_format = more.pop('disk_format', None)
        self.properties = more.pop('properties', None) or {}
        self.stores = more.pop('stores', None)
        if more:
            raise TypeError('unknown: %s' % ', '.join(sorted(more)))

    @property
    def identity(self):
        """What distinguishes the data of two images."""
        return self.size, self.algorithm, self.value
