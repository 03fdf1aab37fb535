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

"""Hashes that callers expect of an image's data.

A comparison has three outcomes: equal, different, and not known, because
Glance records only an md5 and one other hash.
"""

import collections
import re

from nova_image import exception
from nova_image.image import hashing

#: The hash that data should have: a name for hashlib, and a hexadecimal
#: digest in lower case.
Hash = collections.namedtuple('Hash', 'algorithm value')

_HEXADECIMAL = re.compile(r'^[0-9a-f]+\Z')


def settled(algorithm, value):
    """Return the Hash that a caller means, or None.

    :param algorithm: name in any spelling, such as ``'SHA-256'``, or None
    :param value: hexadecimal digest in upper or lower case, or None
    :raises ImageBadRequest: for an unknown algorithm, anything that cannot be
        its digest, and one without the other
    """
    if not algorithm and not value:
        return None
    if not algorithm or not value:
        raise _refused('os_hash_algo and os_hash_value require each other')
    name, hasher = _hasher(algorithm)
    digest = value.strip().lower()
    if len(digest) != 2 * hasher.digest_size or (
            not _HEXADECIMAL.match(digest)):
        raise _refused('os_hash_value is not a %s of %d hexadecimal digits' % (
            name, 2 * hasher.digest_size))
    return Hash(name, digest)


def _hasher(algorithm):
    """Return the name and the hasher of an algorithm."""
    name = algorithm.strip().lower()
    for spelling in (name, name.replace('-', ''), name.replace('-', '_')):
        try:
            hasher = hashing.new(spelling)
        except (ValueError, TypeError):
            continue
        if hasher.digest_size:  # shake has any size
            return hasher.name.lower(), hasher
    raise _refused('the hash algorithm %s is unknown; Glance records md5 and '
                   'usually sha512' % algorithm)


def _refused(reason):
    return exception.ImageBadRequest(action='import', reason=reason)


def is_recorded(raw, algorithm):
    """Return whether Glance has recorded a hash of an image's data.

    :param raw: the image as v2 answers it
    """
    return bool(_recorded(raw).get(algorithm))


def difference(raw, wanted):
    """Return how the data of an image differs from a hash, or None.

    :param raw: the image as v2 answers it
    :param wanted: Hash
    :returns: text for an error message, also if Glance has no such hash
    """
    found = _recorded(raw)
    if found.get(wanted.algorithm) == wanted.value:
        return None
    if found.get(wanted.algorithm):
        return 'the %s of the data is %s, it should be %s' % (
            wanted.algorithm, found[wanted.algorithm], wanted.value)
    return 'the data cannot be verified: Glance has recorded no %s of it, ' \
        'only %s' % (wanted.algorithm, ' and '.join(
            sorted(name for name in found if found[name])) or 'its size')


def _recorded(raw):
    found = {'md5': raw.get('checksum')}
    if raw.get('os_hash_algo'):
        found[raw['os_hash_algo'].lower()] = raw.get('os_hash_value')
    return found
