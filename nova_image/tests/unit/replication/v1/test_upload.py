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

"""Data whose end is held back until it is verified."""

import hashlib

import mock
import six

from nova_image import exception
from nova_image.tests.unit.replication import case

if six.PY3:
    from nova_image.replication.v1 import upload

DATA = b'0123456789'
HASHES = {name: hashlib.new(name, DATA).hexdigest()
          for name in ('md5', 'sha512')}


class Pieces(object):
    """Data in pieces of two bytes.

    :ivar read: the number of pieces read so far
    :ivar hashes: those that the data verifies itself
    """

    def __init__(self, data=DATA, error=None, hashes=()):
        self.read = 0
        self.hashes = dict(hashes)
        self._data = data
        self._error = error

    def __iter__(self):
        self.read = 0
        for position in range(0, len(self._data), 2):
            self.read += 1
            yield self._data[position:position + 2]
        if self._error:
            raise self._error


class TestHeldSource(case.TestCase):
    """Up to four bytes are held back."""

    def setUp(self):
        super(TestHeldSource, self).setUp()
        patch = mock.patch.object(upload, 'HELD', 4)
        patch.start()
        self.addCleanup(patch.stop)

    def held(self, pieces, size=10, hashes=None, progress=None):
        """Return a HeldSource, closed at the end of the test."""
        found = upload.HeldSource(pieces, size, hashes or {}, progress)
        self.addCleanup(found.close)
        return found

    def test_what_is_held_back(self):
        pieces = Pieces()
        held = self.held(pieces)
        self.assertEqual(0, pieces.read)
        held.prime()
        self.assertEqual(3, pieces.read)
        read = []
        for piece in iter(held.read, b''):
            read.append((piece, pieces.read, bool(held.digests)))
        self.assertEqual([
            (b'01', 3, False), (b'23', 4, False), (b'45', 5, False),
            (b'67', 5, True), (b'89', 5, True)], read)
        self.assertEqual({'md5': HASHES['md5']}, held.digests)

    def test_verified_hashes_are_not_computed_again(self):
        held = self.held(Pieces(hashes=HASHES), hashes=HASHES)
        with mock.patch.object(upload.hashing, 'new') as new:
            held.prime()
            self.assertEqual(DATA, b''.join(iter(held.read, b'')))
        new.assert_not_called()
        self.assertEqual(HASHES, held.digests)
        self.assertTrue(held.has_hash('md5', HASHES['md5'].upper()))
        self.assertFalse(held.has_hash('md5', 'aa'))

    def test_other_hashes_are_computed(self):
        held = self.held(Pieces(hashes={'sha512': HASHES['sha512']}))
        held.prime()
        self.assertEqual(DATA, b''.join(iter(held.read, b'')))
        self.assertEqual(HASHES, held.digests)

    def test_verified_hash_that_is_not_the_expected_one(self):
        held = self.held(Pieces(hashes=HASHES), hashes={'md5': 'aa'})
        held.prime()
        error = self.assertRaises(exception.ImageUploadFailed, list,
                                  iter(held.read, b''))
        self.assertIn('another md5', str(error))

    def test_small_data_is_verified_before_it_is_sent(self):
        held = self.held(Pieces(DATA[:4]), 4)
        held.prime()
        self.assertEqual({'md5'}, set(held.digests))

    def test_pieces_of_any_size(self):
        for data in (b'', b'x', b'x' * 11):
            held = self.held([data] if data else [], len(data))
            held.prime()
            self.assertEqual((data[:3], data[3:]),
                             (held.read(3), held.read(20)))

    def test_length(self):
        self.assertEqual(10, self.held(Pieces()).total)
        self.assertIsNone(self.held(Pieces(), None).total)
        # v1 ignores an empty body that has a length.
        self.assertIsNone(self.held([], 0).total)

    def test_wrong_data(self):
        for data, hashes, words in (
                (DATA[:-1], {}, 'size'), (DATA + b'x', {}, 'size'),
                (b'9' * 10, HASHES, 'md5 and another sha512'),
                (DATA, {'sha256': 'aa'}, 'sha256')):
            held = self.held(Pieces(data), hashes=hashes)
            held.prime()
            error = self.assertRaises(exception.ImageUploadFailed, list,
                                      iter(held.read, b''))
            self.assertIn(words, str(error))
            self.assertLessEqual(held.sent, 6)
            self.assertIs(error, held.failure)
            self.assertFalse(held.restart())
            self.assertEqual({}, held.digests)

    def test_hashes_in_any_case_and_unknown_ones(self):
        held = self.held(Pieces(), hashes=dict(
            none_such='aa', md5=HASHES['md5'].upper()))
        held.prime()
        self.assertEqual(DATA, b''.join(iter(held.read, b'')))

    def test_a_source_that_fails(self):
        failure = exception.GlanceConnectionFailed()
        held = self.held(Pieces(DATA[:4], failure))
        self.assertIs(failure, self.assertRaises(
            exception.GlanceConnectionFailed, held.prime))
        held = self.held(Pieces(DATA, failure))
        held.prime()
        self.assertIs(failure, self.assertRaises(
            exception.GlanceConnectionFailed, list, iter(held.read, b'')))
        self.assertEqual(6, held.sent)

    def test_restart(self):
        pieces, sent = Pieces(), []
        held = self.held(pieces, progress=sent.append)
        held.prime()
        self.assertTrue(held.restart())
        self.assertEqual(3, pieces.read)
        held.read()
        held.read()
        self.assertTrue(held.restart())
        self.assertEqual(3, pieces.read)
        self.assertEqual(DATA, b''.join(iter(held.read, b'')))
        self.assertEqual([2, 4, 2, 4, 6, 8, 10], sent)

    def test_hashes_are_those_of_a_whole_attempt(self):
        held = self.held(Pieces())
        held.hash_by('md5')
        held.prime()
        self.assertIsNone(held.has_hash('md5', HASHES['md5']))
        list(iter(held.read, b''))
        held.restart()
        held.read()
        self.assertTrue(held.has_hash('md5', HASHES['md5'].upper()))
        self.assertFalse(held.has_hash('md5', 'aa'))
        self.assertIsNone(held.has_hash('sha256', 'aa'))
        self.assertIsNone(held.has_hash('md5', None))

    def test_close_ends_the_reading(self):
        closed = []

        class Stream(object):
            """Data that must be closed."""

            def __iter__(self):
                try:
                    while True:
                        yield b'xx'
                finally:
                    closed.append(True)

        held = self.held(Stream(), None)
        held.prime()
        held.close()
        self.assertEqual([True], closed)
