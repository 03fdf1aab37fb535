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
import logging

import fixtures
import six
import testtools

from nova_image import exception
from nova_image.image.transfer import digest

DATA = b'0123456789'
MD5 = hashlib.md5(DATA).hexdigest()
SHA512 = hashlib.sha512(DATA).hexdigest()


class TestDigest(testtools.TestCase):
    """Size and hash of one attempt."""

    def setUp(self):
        super(TestDigest, self).setUp()
        self.log = self.useFixture(fixtures.FakeLogger(level=logging.INFO))

    def _verify(self, size=None, algorithm=None, value=None, data=DATA):
        checker = digest.Digest(
            digest.Expected(size, algorithm, value), image_id='ID',
            action='download')
        for start in range(0, len(data), 3):
            checker.update(data[start:start + 3])
        checker.verify()

    def test_as_recorded(self):
        self._verify(10, 'md5', MD5)
        self._verify(10, 'sha512', SHA512)
        self._verify(0, 'md5', hashlib.md5(b'').hexdigest(), b'')
        self.assertEqual('', self.log.output)

    def test_another_hash(self):
        error = self.assertRaises(exception.ImageCorrupt, self._verify, 10,
                                  'sha512', MD5)
        for words in ('sha512', 'image ID', 'download'):
            self.assertIn(words, six.text_type(error))

    def test_too_little_and_too_much(self):
        for size in (9, 11, 0):
            error = self.assertRaises(exception.ImageCorrupt, self._verify,
                                      size, 'md5', MD5)
            self.assertIn('10 bytes arrived of %d' % size,
                          six.text_type(error))

    def test_no_size_is_known(self):
        self._verify(None, 'md5', MD5)

    def test_no_hash_is_known(self):
        for value in (None, ''):
            self._verify(10, 'md5', value)
            self.assertIn('by size alone', self.log.output)
        self.assertRaises(exception.ImageCorrupt, self._verify, 11)

    def test_a_hash_that_this_host_cannot_make(self):
        error = self.assertRaises(exception.ImageUnacceptable, self._verify,
                                  10, 'none-such', 'abc')
        self.assertIn('none-such', six.text_type(error))
        self.assertFalse(error.retriable)


class Chunks(object):
    """An iterator that knows whether it was closed."""

    def __init__(self, *chunks):
        self._chunks = iter(chunks)
        self.closed = False

    def __iter__(self):
        return self._chunks

    def close(self):
        """Note it."""
        self.closed = True


class TestChecked(testtools.TestCase):
    """Verification at the end of an iteration."""

    def _checked(self, chunks, value=MD5):
        return digest.checked(chunks, digest.Digest(
            digest.Expected(10, 'md5', value)))

    def test_the_chunks_as_they_are(self):
        chunks = Chunks(DATA[:4], DATA[4:])
        self.assertEqual([DATA[:4], DATA[4:]], list(self._checked(chunks)))
        self.assertTrue(chunks.closed)

    def test_an_error_in_place_of_the_end(self):
        chunks = Chunks(DATA)
        checked = self._checked(chunks, value='abc')
        self.assertEqual(DATA, next(checked))
        self.assertRaises(exception.ImageCorrupt, next, checked)
        self.assertTrue(chunks.closed)

    def test_closing_closes(self):
        chunks = Chunks(DATA, DATA)
        checked = self._checked(chunks)
        next(checked)
        checked.close()
        self.assertTrue(chunks.closed)

    def test_what_cannot_be_closed(self):
        self.assertEqual([DATA], list(self._checked([DATA])))
