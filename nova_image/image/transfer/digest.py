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

"""Checks that the bytes which arrived are those that Glance recorded."""

import hashlib

from nova_image import exception


class Expected(object):
    """What Glance recorded of an image and its data.

    :param size: bytes, or None where it is not known
    :param algorithm: name for hashlib, such as ``'sha512'``, or None
    :param value: hexadecimal digest, or None
    :keyword disk_format: the format that the image is said to have
    :keyword properties: dict, its properties
    :keyword stores: text that names the stores it is in, where that is known
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
        """What tells the data of two images apart."""
        return self.size, self.algorithm, self.value


class Digest(object):
    """Counts and hashes the bytes of one attempt; each attempt has its own.

    :param expected: Expected
    :param facts: keyword arguments for the exceptions

    ``name`` is what it verifies by.
    """

    def __init__(self, expected, **facts):
        self.name = expected.algorithm or 'size'
        self._expected = expected
        self._facts = facts
        self._hasher = self._new_hasher()
        self._seen = 0

    def _new_hasher(self):
        if not self._expected.algorithm:
            return None
        try:
            return hashlib.new(self._expected.algorithm)
        except ValueError:
            raise exception.ImageUnacceptable(
                reason='its hash algorithm %s is not available on this host'
                       % self._expected.algorithm, **self._facts)

    def update(self, chunk):
        """Take the next bytes into account."""
        self._seen += len(chunk)
        if self._hasher is not None:
            self._hasher.update(chunk)

    def verify(self):
        """Compare with what was expected.

        :raises ImageCorrupt: when size or hash differ
        """
        expected = self._expected
        if expected.size is not None and self._seen != expected.size:
            raise exception.ImageCorrupt(
                reason='%d bytes arrived of %d' % (
                    self._seen, expected.size), **self._facts)
        if self._hasher and self._hasher.hexdigest() != expected.value:
            raise exception.ImageCorrupt(
                reason='the %s of the data is not the recorded one' % (
                    expected.algorithm), **self._facts)


class Checks(object):
    """Several checks as one.

    :param checks: list of objects with ``update(chunk)``, ``verify()`` and
        ``name``; the first to be verified comes first

    ``names`` is the list of what they verify by.
    """

    def __init__(self, checks):
        self._checks = checks
        self.names = [check.name for check in checks]

    def update(self, chunk):
        """Take the next bytes into account."""
        for check in self._checks:
            check.update(chunk)

    def verify(self):
        """Raise what the first that fails raises."""
        for check in self._checks:
            check.verify()
