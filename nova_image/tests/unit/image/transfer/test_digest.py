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

"""Tests of nova_image.image.transfer.digest."""

import hashlib

import six
import testtools

from nova_image import exception
from nova_image.image.transfer import digest
from nova_image.image.transfer import recorded

DATA = b'0123456789'
MD5 = hashlib.md5(DATA).hexdigest()
SHA512 = hashlib.sha512(DATA).hexdigest()


class TestDigest(testtools.TestCase):
    """The size and hash of one attempt."""

    def _verify(self, size=None, algorithm=None, value=None, data=DATA):
        checker = digest.Digest(
            recorded.Recorded(size, algorithm, value), image_id='ID',
            action='download')
        for start in range(0, len(data), 3):
            checker.update(data[start:start + 3])
        checker.verify()

    def test_data_as_recorded_is_accepted(self):
        self._verify(10, 'md5', MD5)
        self._verify(10, 'sha512', SHA512)
        self._verify(0, 'md5', hashlib.md5(b'').hexdigest(), b'')

    def test_another_hash_is_corrupt(self):
        error = self.assertRaises(exception.ImageCorrupt, self._verify, 10,
                                  'sha512', MD5)
        for words in ('sha512', 'image ID', 'download'):
            self.assertIn(words, six.text_type(error))

    def test_another_size_is_corrupt(self):
        for size in (9, 11, 0):
            error = self.assertRaises(exception.ImageCorrupt, self._verify,
                                      size, 'md5', MD5)
            self.assertIn('10 bytes arrived of %d' % size,
                          six.text_type(error))

    def test_a_hash_without_a_fixed_size_is_unacceptable(self):
        for algorithm in ('shake_128', 'x', 'sha\0'):
            error = self.assertRaises(exception.ImageUnacceptable,
                                      self._verify, 10, algorithm, MD5)
            self.assertIn('is not available on this host', error.reason)

    def test_an_unknown_size_is_not_checked(self):
        self._verify(None, 'md5', MD5)

    def test_only_the_size_is_checked_without_a_hash(self):
        for value in (None, ''):
            self._verify(10, 'md5', value)
        self.assertRaises(exception.ImageCorrupt, self._verify, 11)

    def test_only_a_check_of_the_size_is_light(self):
        size, md5 = [digest.Digest(recorded.Recorded(10, 'md5', value))
                     for value in (None, MD5)]
        for checks, is_light in (([size], True), ([md5], False),
                                 ([size, md5], False)):
            self.assertIs(is_light, digest.Checks(checks).is_light)

    def test_an_unknown_algorithm_is_unacceptable(self):
        error = self.assertRaises(exception.ImageUnacceptable, self._verify,
                                  10, 'none-such', 'abc')
        self.assertIn('none-such', six.text_type(error))
        self.assertFalse(error.retriable)

    def test_the_name_is_the_algorithm_or_size(self):
        for value, name in ((MD5, 'md5'), (None, 'size'), ('', 'size')):
            self.assertEqual(name, digest.Digest(
                recorded.Recorded(10, 'md5', value)).name)


class Check(object):
    """A check that records its calls."""

    is_light = False

    def __init__(self, name, events, error=None):
        self.name = name
        self._events = events
        self._error = error

    def update(self, chunk):
        """Record the bytes."""
        self._events.append((self.name, chunk))

    def verify(self):
        """Record the call, or fail."""
        if self._error:
            raise self._error
        self._events.append((self.name, 'verified'))


class TestChecks(testtools.TestCase):
    """Several checks as one."""

    def test_each_check_gets_all_data_in_order(self):
        events = []
        checks = digest.Checks([Check('a', events), Check('b', events)])
        self.assertEqual(['a', 'b'], checks.names)
        for chunk in (1, 2):
            checks.update(chunk)
        checks.verify()
        self.assertEqual(
            [('a', 1), ('b', 1), ('a', 2), ('b', 2), ('a', 'verified'),
             ('b', 'verified')], events)

    def test_the_first_failure_is_raised(self):
        events, error = [], ValueError()
        checks = digest.Checks([Check('a', events, error),
                                Check('b', events, KeyError())])
        self.assertIs(error, self.assertRaises(ValueError, checks.verify))
        self.assertEqual([], events)
