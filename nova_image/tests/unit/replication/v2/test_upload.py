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

"""Tests of data whose end is held back until it is verified."""

import hashlib

import mock
import six

from nova_image import exception
from nova_image.tests.unit.replication import case

if six.PY3:
    from nova_image.replication.v2 import upload

PIECES = (b'abc', b'de', b'f')
DATA = b''.join(PIECES)


def hashes(data, *names):
    """Return {algorithm: hexadecimal digest} of bytes."""
    return {name: hashlib.new(name, data).hexdigest() for name in names}


class Data(object):
    """The data of a source.

    :param pieces: bytes, and exceptions to raise
    :ivar opened: how often it was read from the beginning
    :ivar closed: how often that ended
    :ivar hashes: those that the data verifies itself
    """

    def __init__(self, *pieces):
        self.pieces = pieces
        self.hashes = {}
        self.opened = self.closed = 0

    def __iter__(self):
        self.opened += 1
        try:
            for piece in self.pieces:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.closed += 1


class TestHeldSource(case.TestCase):
    """HeldSource()."""

    def _source(self, data, size=6, expected=(), **options):
        if not isinstance(data, Data):
            data = Data(*data)
        source = upload.HeldSource(case.image(size=size), data,
                                   dict(expected), **options)
        self.addCleanup(source.release)
        return source

    @staticmethod
    def _sent(source):
        """Return the pieces that are sent."""
        return list(iter(source.read, b''))

    def _sent_before(self, kind, source):
        """Return what is sent before an error, and the error."""
        sent = []

        def send():
            for piece in iter(source.read, b''):
                sent.append(piece)

        error = self.assertRaises(kind, send)
        self.assertIs(error, source.failure)
        self.assertFalse(source.restart())
        return b''.join(sent), error

    def test_all_pieces_are_sent_and_hashed(self):
        expected = {name: value.upper() for name, value in hashes(
            DATA, 'md5', 'sha256').items()}
        progress = []
        source = self._source(PIECES, expected=expected,
                              progress=progress.append)
        self.assertEqual({}, source.digests())
        self.assertEqual(list(PIECES), self._sent(source))
        self.assertEqual(hashes(DATA, 'md5', 'sha256', 'sha512'),
                         source.digests())
        self.assertEqual([3, 5, 6], progress)
        self.assertEqual((6, 6), (source.total, source.size))
        self.assertTrue(source.has_hash(
            'sha512', hashlib.sha512(DATA).hexdigest()))

    def test_verified_hashes_are_not_computed_again(self):
        known = hashes(DATA, 'md5', 'sha512')
        for names in (('md5',), ('md5', 'sha512')):
            data = Data(*PIECES)
            data.hashes = {name: known[name] for name in names}
            with mock.patch.object(
                    upload.source.hashing, 'new', side_effect=hashlib.new
            ) as new:
                source = self._source(data, expected=known)
                source.hash_by('sha512')
                new.reset_mock()
                self.assertEqual(list(PIECES), self._sent(source))
            self.assertEqual({name for name in known
                              if name not in names},
                             {call.args[0] for call in new.mock_calls})
            self.assertEqual(known, source.digests())
            source.restart()
            # A server may answer before it has read the data again.
            for name, value in known.items():
                self.assertTrue(source.has_hash(name, value))
                self.assertFalse(source.has_hash(name, 'aa'))

    def test_verified_hash_that_is_not_the_expected_one(self):
        data = Data(*PIECES)
        data.hashes = hashes(DATA, 'md5')
        sent, error = self._sent_before(
            exception.ImageUploadFailed,
            self._source(data, expected=hashes(b'x', 'md5')))
        self.assertEqual(b'abcde', sent)

    def test_wrong_data_is_never_sent_to_its_end(self):
        for pieces in (PIECES, (DATA,)):
            source = self._source(pieces, expected=hashes(b'x', 'md5'))
            sent, error = self._sent_before(exception.ImageUploadFailed,
                                            source)
            self.assertEqual(b''.join(pieces[:-1]), sent)
            self.assertIn(hashlib.md5(DATA).hexdigest(),
                          six.text_type(error))
            self.assertEqual('A', error.image_id)

    def test_an_error_of_the_source_is_raised_unchanged(self):
        for error in (exception.ImageCorrupt('mine'), ValueError('mine')):
            source = self._source(PIECES + (error,))
            sent, raised = self._sent_before(type(error), source)
            self.assertEqual((b'abcde', error), (sent, raised))

    def test_less_data(self):
        sent, error = self._sent_before(
            exception.ImageUploadFailed, self._source(PIECES, 7))
        self.assertEqual(b'abcde', sent)
        self.assertIn('6 bytes', six.text_type(error))

    def test_more_data(self):
        # Of these, 5 bytes would be a complete body.
        sent, error = self._sent_before(
            exception.ImageUploadFailed, self._source(PIECES, 5))
        self.assertEqual(b'abc', sent)
        self.assertIn('at least 6 bytes', six.text_type(error))

    def test_no_data(self):
        source = self._source((), 0, expected=hashes(b'', 'md5'))
        self.assertEqual([], self._sent(source))
        self.assertEqual(hashes(b'', 'md5', 'sha512'), source.digests())
        for pieces, size, known in (((), 1, {}), ((b'a',), 0, {}),
                                    ((), 0, hashes(b'a', 'md5'))):
            sent, _ = self._sent_before(
                exception.ImageUploadFailed,
                self._source(pieces, size, expected=known))
            self.assertEqual(b'', sent)

    def test_an_unknown_size(self):
        source = self._source(PIECES, None, expected=hashes(DATA, 'md5'))
        self.assertEqual(list(PIECES), self._sent(source))
        self.assertIsNone(source.total)

    def test_hashes_that_this_host_lacks_are_ignored(self):
        source = self._source(PIECES, expected={
            'unheard-of': 'ab', 'shake_128': 'ab'})
        self.assertEqual(list(PIECES), self._sent(source))
        self.assertEqual(['md5', 'sha512'], sorted(source.digests()))

    def test_it_can_be_sent_again(self):
        data = Data(*PIECES)
        source = self._source(data, expected=hashes(DATA, 'md5'))
        for count in range(4):
            for _ in range(count):
                source.read()
            self.assertTrue(source.restart())
            self.assertEqual(0, source.sent)
        self.assertEqual(list(PIECES), self._sent(source))
        self.assertEqual(hashes(DATA, 'md5', 'sha512'), source.digests())
        self.assertEqual((4, 4), (data.opened, data.closed))

    def test_the_source_is_closed(self):
        data = Data(*PIECES)
        source = self._source(data)
        source.read()
        source.release()
        self.assertEqual((1, 1), (data.opened, data.closed))
