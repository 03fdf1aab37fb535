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

"""Tests of nova_image.image.v2.hashes: equal, different or not known."""

import hashlib

import testtools

from nova_image import exception
from nova_image.image.v2 import hashes

MD5 = hashlib.md5(b'data').hexdigest()
SHA256 = hashlib.sha256(b'data').hexdigest()
RAW = {'checksum': MD5, 'os_hash_algo': 'sha256', 'os_hash_value': SHA256}


class TestSettled(testtools.TestCase):
    """What callers may write."""

    def test_nothing_is_expected(self):
        for empty in (None, ''):
            self.assertIsNone(hashes.settled(empty, empty))

    def test_every_spelling_is_understood(self):
        for algorithm in ('sha256', 'SHA256', 'sha-256', ' SHA-256 '):
            for value in (SHA256, SHA256.upper(), SHA256 + '\n'):
                self.assertEqual(('sha256', SHA256),
                                 hashes.settled(algorithm, value))

    def test_anything_else_is_refused(self):
        for algorithm, value, words in (
                ('sha256', None, 'require each other'),
                (None, SHA256, 'require each other'),
                ('sha-0', SHA256, 'unknown'),
                ('shake_128', SHA256, 'unknown'),
                ('sha256', MD5, '64 hexadecimal digits'),
                ('md5', 'x' * 32, '32 hexadecimal digits')):
            error = self.assertRaises(exception.ImageBadRequest,
                                      hashes.settled, algorithm, value)
            self.assertIn(words, error.reason)


class TestDifference(testtools.TestCase):
    """A hash, and what Glance has recorded."""

    def test_equal(self):
        for algorithm, value in (('md5', MD5), ('sha256', SHA256)):
            self.assertIsNone(hashes.difference(
                RAW, hashes.Hash(algorithm, value)))

    def test_different(self):
        reason = hashes.difference(RAW, hashes.Hash('md5', '0' * 32))
        self.assertEqual('the md5 of the data is %s, it should be %s' % (
            MD5, '0' * 32), reason)
        self.assertTrue(hashes.is_recorded(RAW, 'md5'))

    def test_not_known(self):
        wanted = hashes.Hash('sha512', '0' * 128)
        self.assertIn('no sha512 of it, only md5 and sha256',
                      hashes.difference(RAW, wanted))
        self.assertIn('only its size', hashes.difference({}, wanted))
        self.assertFalse(hashes.is_recorded(RAW, 'sha512'))
