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


"""Hash functions by name, also on hosts that allow only those of FIPS.

Glance records an md5 of every image, to detect errors. FIPS forbids md5 for
security, and OpenSSL then refuses it unless it is told that it serves
something else.
"""

import hashlib


def new(algorithm):
    """Return a new hash object.

    :param algorithm: name for hashlib
    :raises ValueError: if it is not available on this host
    """
    try:
        return hashlib.new(algorithm)
    except ValueError as error:
        refused = error
    try:
        return hashlib.new(algorithm, usedforsecurity=False)
    except TypeError:  # Python before 3.9
        raise refused


def is_available(algorithm):
    """Return whether new() knows an algorithm.

    :param algorithm: name for hashlib
    """
    try:
        new(algorithm)
    except ValueError:
        return False
    return True
