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


"""Tests of nova_image.image.hashing: a host that allows only FIPS."""

import hashlib
import os
import subprocess
import sys

import fixtures
import six
import testtools

from nova_image.image import hashing

#: makes OpenSSL 3 refuse what its module for FIPS does not have, which is
#: everything, without that module
_CONFIG = """
openssl_conf = openssl_init
[openssl_init]
providers = provider_list
alg_section = properties
[provider_list]
default = provider
[provider]
activate = 1
[properties]
default_properties = fips=yes
"""

#: downloads and uploads; Python's own md5 is missing, as in distributions
#: for FIPS
_PROGRAM = """
import sys
sys.modules['_md5'] = None
import hashlib
try:
    hashlib.new('md5')
    sys.exit(99)  # this OpenSSL does not refuse it
except ValueError:
    pass
from nova_image.image.transfer import digest, recorded, source
from nova_image.image.v2 import hashes
md5 = '781e5e245d69b566979b86e28d23f2c7'
check = digest.Digest(recorded.Recorded(10, 'md5', md5))
check.update(b'0123456789')
check.verify()
body = source.open_source(b'0123456789')
assert body.digest_ahead('md5') == md5
body.hash_by('md5', 'sha512')
while body.read():
    pass
body.close()
assert body.has_hash('md5', md5)
assert hashes.settled('MD5', md5).value == md5
"""


class TestHashing(testtools.TestCase):
    """The hash functions of a host."""

    def test_all_usual_algorithms_are_available(self):
        for name in ('md5', 'sha1', 'sha256', 'sha512'):
            self.assertEqual(hashlib.new(name, b'x').hexdigest(),
                             self._digest(name))
            self.assertTrue(hashing.is_available(name))

    def _digest(self, name):
        hasher = hashing.new(name)
        hasher.update(b'x')
        return hasher.hexdigest()

    def test_others_are_not(self):
        self.assertRaises(ValueError, hashing.new, 'none-such')
        self.assertFalse(hashing.is_available('none-such'))

    def _refuse(self, *more):
        """Refuse md5 like a host for FIPS."""
        whole = hashlib.new

        def refuse(name, data=b'', **options):
            if options and not more:
                raise TypeError('unexpected keyword argument')
            if options != {'usedforsecurity': False} and name == 'md5':
                raise ValueError('disabled for FIPS')
            return whole(name, data)
        self.useFixture(fixtures.MonkeyPatch('hashlib.new', refuse))

    def test_md5_is_available_although_fips_forbids_it(self):
        expected = hashlib.md5(b'x').hexdigest()
        self._refuse(True)
        self.assertEqual(expected, self._digest('md5'))

    def test_md5_is_missing_on_an_old_python_for_fips(self):
        self._refuse()
        self.assertFalse(hashing.is_available('md5'))
        self.assertTrue(hashing.is_available('sha512'))
        error = self.assertRaises(ValueError, hashing.new, 'md5')
        self.assertIn('FIPS', six.text_type(error))

    def test_images_are_verified_on_a_host_for_fips(self):
        if six.PY2:
            self.skipTest('Python 2.7 cannot use md5 on such a host')
        path = os.path.join(self.useFixture(fixtures.TempDir()).path, 'cnf')
        with open(path, 'w') as stream:
            stream.write(_CONFIG)
        process = subprocess.Popen(
            [sys.executable, '-c', _PROGRAM], stderr=subprocess.PIPE,
            env=dict(os.environ, OPENSSL_CONF=path,
                     PYTHONPATH=os.pathsep.join(sys.path)))
        said = process.communicate()[1]
        if process.returncode == 99:
            self.skipTest('this OpenSSL cannot refuse md5')
        self.assertEqual(0, process.returncode, said)
