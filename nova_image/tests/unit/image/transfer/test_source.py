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

"""Tests of nova_image.image.transfer.source."""

import array
import hashlib
import io
import os

import fixtures
import mock
import six
import testtools

from nova_image import exception
from nova_image.image import offload
from nova_image.image import sizes
from nova_image.image.transfer import source
from nova_image.tests.unit.image import offload_case

LINES = b'one\ntwo\nthree\n'


class StreamWithError(object):
    """Returns pieces, then raises.

    :param pieces: list of bytes
    :param error: the exception that is raised after them
    """

    def __init__(self, pieces, error):
        self._pieces = list(pieces)
        self._error = error

    def read(self, size):
        """Return the next piece, or raise."""
        if not self._pieces:
            raise self._error
        return self._pieces.pop(0)


def _pieces(opened, size=sizes.CHUNK):
    return list(iter(lambda: opened.read(size), b''))


class TestOpening(testtools.TestCase):
    """Values that are accepted as image data."""

    def test_bytes_are_accepted(self):
        for data in (LINES, bytearray(LINES), memoryview(LINES)):
            self.assertEqual([LINES], _pieces(source.open_source(data)))

    def test_empty_values_are_empty_data(self):
        for data in (b'', u'', [], io.BytesIO()):
            self.assertEqual([], _pieces(source.open_source(data)))

    def test_a_file_is_read_in_pieces_and_not_in_lines(self):
        path = self.useFixture(fixtures.TempDir()).join('image')
        with open(path, 'wb') as stream:
            stream.write(LINES)
        with open(path, 'rb') as stream:
            self.assertEqual([LINES], _pieces(source.open_source(stream)))

    def test_no_piece_is_larger_than_requested(self):
        for data in (LINES, io.BytesIO(LINES), [LINES], iter([LINES])):
            pieces = _pieces(source.open_source(data), 4)
            self.assertEqual(LINES, b''.join(pieces))
            self.assertTrue(all(len(piece) <= 4 for piece in pieces))

    def test_iterables_are_accepted(self):
        for data in ([b'a', b'', b'b'], (b'a', b'b'), iter([b'a', b'b']),
                     (piece for piece in (b'a', bytearray(b'b')))):
            self.assertEqual(b'ab', b''.join(_pieces(
                source.open_source(data))))

    def test_an_empty_piece_is_not_the_end(self):
        self.assertEqual([b'a', b'b'], _pieces(source.open_source(
            iter([b'', b'a', b'', b'', b'b']))))

    def test_a_source_is_returned_unchanged(self):
        opened = source.open_source(LINES)
        self.assertIs(opened, source.open_source(opened))

    def test_other_values_are_refused(self):
        for data in (u'text', {'a': b'b'}, 5, object()):
            error = self.assertRaises(exception.ImageUploadFailed,
                                      source.open_source, data)
            self.assertIn(type(data).__name__, six.text_type(error))

    def test_a_closed_file_is_refused(self):
        stream = io.BytesIO(LINES)
        stream.close()
        error = self.assertRaises(exception.ImageUploadFailed,
                                  source.open_source, stream)
        self.assertIn('closed', six.text_type(error))

    def test_text_instead_of_bytes_is_refused(self):
        for data in (io.StringIO(u'text'), [u'text'], iter([b'a', u'text'])):
            opened = source.open_source(data)
            error = self.assertRaises(exception.ImageUploadFailed, _pieces,
                                      opened)
            self.assertIs(error, opened.failure)

    def test_none_instead_of_bytes_is_refused(self):
        # as the end of the data, it would truncate the image
        for data in ([b'a', None, b'b'], [b'a', 5, b'b']):
            opened = source.open_source(data)
            self.assertRaises(exception.ImageUploadFailed, _pieces, opened)
            self.assertFalse(opened.restart())

    def test_a_file_that_grows_or_shrinks_is_refused(self):
        # its length was sent already: the data would be another image
        for change, left in ((b'four', None), (b'', 5)):
            stream = io.BytesIO(LINES)
            opened = source.open_source(stream)
            opened.read(4)
            if left:
                stream.truncate(left)
            stream.seek(0, 2)
            stream.write(change)
            stream.seek(4)
            error = self.assertRaises(exception.ImageUploadFailed, _pieces,
                                      opened)
            self.assertIn('14 bytes at first', six.text_type(error))
            self.assertFalse(opened.restart())

    def test_a_file_that_has_no_data_yet_is_refused(self):
        opened = source.open_source(StreamWithError([b'a', None], ValueError))
        self.assertRaises(exception.ImageUploadFailed, _pieces, opened)

    def test_arrays_of_bytes_are_accepted(self):
        piece = array.array('B', bytearray(LINES))
        if six.PY2:
            self.skipTest('Python 2.7 has no memoryview of an array')
        self.assertEqual([LINES], _pieces(source.open_source([piece])))


class TestCounting(testtools.TestCase):
    """The number of bytes of an attempt, and of all data."""

    def test_sent_counts_the_bytes_of_this_attempt(self):
        opened = source.open_source(LINES)
        opened.read(4)
        self.assertEqual(4, opened.sent)
        self.assertTrue(opened.restart())
        self.assertEqual(0, opened.sent)
        _pieces(opened, 4)
        self.assertEqual(len(LINES), opened.sent)

    def test_the_size_is_known_at_the_end(self):
        opened = source.open_source(LINES)
        opened.read()
        self.assertIsNone(opened.size)
        opened.read()
        self.assertEqual(len(LINES), opened.size)
        opened.restart()
        self.assertEqual(len(LINES), opened.size)


class TestHashing(testtools.TestCase):
    """The hash of the sent data, compared with the recorded one."""

    RIGHT = hashlib.md5(LINES).hexdigest()

    def _sent(self, *attempts):
        opened = source.open_source(io.BytesIO(LINES))
        self.addCleanup(opened.close)
        opened.hash_by('md5')
        for size in attempts:
            opened.read(size)
            self.assertTrue(opened.restart())
        self.assertEqual(LINES, b''.join(_pieces(opened, 5)))
        return opened

    def test_the_right_and_a_wrong_hash(self):
        opened = self._sent()
        for right in (self.RIGHT, self.RIGHT.upper()):
            self.assertIs(True, opened.has_hash('md5', right))
        self.assertIs(False, opened.has_hash('md5', self.RIGHT[::-1]))

    def test_only_the_last_attempt_is_hashed(self):
        self.assertIs(True, self._sent(5, 7).has_hash('md5', self.RIGHT))

    def test_an_attempt_that_was_read_in_part_leaves_the_hash(self):
        opened = source.open_source(LINES)
        opened.hash_by('md5')
        self.addCleanup(opened.close)
        _pieces(opened)
        self.assertTrue(opened.restart())
        opened.read(4)
        self.assertIs(True, opened.has_hash(
            'md5', hashlib.md5(LINES).hexdigest()))

    def test_several_hashes(self):
        opened = source.open_source(LINES)
        self.addCleanup(opened.close)
        opened.hash_by('md5', 'sha1', 'md5')
        b''.join(_pieces(opened))
        for algorithm in ('md5', 'sha1'):
            self.assertIs(True, opened.has_hash(
                algorithm, hashlib.new(algorithm, LINES).hexdigest()))

    def test_an_unknown_hash_is_neither(self):
        for algorithm, value in (('md5', None), ('sha512', 'abc')):
            self.assertIsNone(self._sent().has_hash(algorithm, value))
        opened = source.open_source(LINES)
        opened.hash_by('no-such-algorithm')
        list(_pieces(opened))
        self.assertIsNone(opened.has_hash('no-such-algorithm', 'abc'))

    def test_the_hash_of_data_that_is_read_in_part_is_unknown(self):
        opened = source.open_source(LINES)
        self.addCleanup(opened.close)
        opened.hash_by('md5')
        opened.read(5)
        self.assertIsNone(opened.has_hash('md5', self.RIGHT))

    def test_the_hash_is_known_before_if_the_data_can_be_rewound(self):
        for data in (LINES, io.BytesIO(LINES), [LINES]):
            opened = source.open_source(data)
            self.assertEqual(self.RIGHT, opened.digest_ahead('md5'))
            self.assertEqual(LINES, b''.join(_pieces(opened)))

    def test_the_hash_is_made_beside_the_reading(self):
        self.useFixture(fixtures.MockPatchObject(offload, 'SMALL', 0))
        with mock.patch.object(offload, 'beside',
                               side_effect=offload.beside) as beside:
            opened = source.open_source(LINES)
            self.assertEqual(self.RIGHT, opened.digest_ahead('md5'))
        self.assertEqual(1, beside.call_count)
        self.assertEqual([], offload_case.running())

    def test_a_file_that_cannot_be_read_leaves_no_thread(self):
        self.useFixture(fixtures.MockPatchObject(offload, 'SMALL', 0))
        stream = io.BytesIO(LINES)
        opened = source.open_source(stream)
        with mock.patch.object(opened, '_read', side_effect=[
                LINES[:5], IOError('broken')]):
            self.assertRaises(IOError, opened.digest_ahead, 'md5')
        self.assertEqual([], offload_case.running())

    def test_the_hash_is_not_known_before_if_it_cannot(self):
        opened = source.open_source(iter([LINES]))
        self.assertIsNone(opened.digest_ahead('md5'))
        self.assertEqual(LINES, b''.join(_pieces(opened)))

    def test_sent_data_is_hashed_again_if_it_can_be_read_again(self):
        right = hashlib.sha1(LINES).hexdigest()
        for data in (LINES, io.BytesIO(LINES), [LINES]):
            opened = source.open_source(data)
            opened.hash_by('md5')
            progress = opened.progress = mock.Mock()
            _pieces(opened)
            self.assertTrue(opened.hash_again('sha1'))
            self.assertIs(True, opened.has_hash('sha1', right))
            self.assertIs(True, opened.has_hash('md5', self.RIGHT))
            self.assertEqual(len(LINES), progress.call_args[0][0])
            self.assertEqual(1, progress.call_count)
            self.assertEqual((b'', len(LINES)), (opened.read(), opened.size))
            self.assertEqual([], offload_case.running())

    def test_sent_data_is_not_hashed_again_if_that_is_impossible(self):
        for data, algorithm in ((iter([LINES]), 'sha1'),
                                (LINES, 'no-such-algorithm')):
            opened = source.open_source(data)
            _pieces(opened)
            self.assertFalse(opened.hash_again(algorithm))

    def test_the_beginning_is_remembered(self):
        opened = source.open_source(LINES)
        list(_pieces(opened, 3))
        self.assertEqual(LINES[:source.HEAD], opened.head)
        self.assertTrue(opened.restart())
        opened.read(4)
        self.assertEqual(LINES[:4], opened.head)


class TestRestart(testtools.TestCase):
    """A second attempt sends all data, or there is none."""

    def _assert_sent_twice(self, data, expected=LINES):
        opened = source.open_source(data)
        opened.read(5)
        self.assertTrue(opened.restart())
        self.assertEqual(expected, b''.join(_pieces(opened)))
        self.assertTrue(opened.restart())
        self.assertEqual(expected, b''.join(_pieces(opened, 3)))

    def test_data_that_can_be_read_again_is_restarted(self):
        for data in (LINES, io.BytesIO(LINES), [LINES[:7], LINES[7:]],
                     (LINES,)):
            self._assert_sent_twice(data)

    def test_a_file_is_restarted_at_its_first_position(self):
        stream = io.BytesIO(b'header' + LINES)
        stream.seek(len(b'header'))
        self._assert_sent_twice(stream)

    def test_a_generator_is_restarted_only_before_its_first_byte(self):
        opened = source.open_source(piece for piece in [b'a', b'b'])
        self.assertTrue(opened.restart())
        opened.read()
        self.assertFalse(opened.restart())

    def test_a_pipe_is_restarted_only_before_its_first_byte(self):
        reading, writing = os.pipe()
        os.write(writing, LINES)
        os.close(writing)
        with os.fdopen(reading, 'rb') as stream:
            opened = source.open_source(stream)
            self.assertTrue(opened.restart())
            opened.read(4)
            self.assertFalse(opened.restart())

    def test_an_object_without_tell_is_restarted_only_before_reading(self):
        opened = source.open_source(StreamWithError([b'a'], ValueError()))
        self.assertTrue(opened.restart())
        opened.read()
        self.assertFalse(opened.restart())


class TestFailure(testtools.TestCase):
    """A failure of the source is kept and prevents another attempt."""

    def _assert_failure(self, data, error):
        opened = source.open_source(data)
        self.assertEqual(b'a', opened.read())
        self.assertIs(error, self.assertRaises(type(error), opened.read))
        self.assertIs(error, opened.failure)
        self.assertFalse(opened.restart())

    def test_a_failure_of_a_file_is_kept(self):
        error = IOError('bad sector')
        self._assert_failure(StreamWithError([b'a'], error), error)

    def test_a_failure_of_a_generator_is_kept(self):
        error = ValueError('no more')

        def pieces():
            yield b'a'
            raise error
        self._assert_failure(pieces(), error)

    def test_a_failure_before_the_first_byte_prevents_a_restart(self):
        opened = source.open_source(StreamWithError([], IOError('none')))
        self.assertRaises(IOError, opened.read)
        self.assertFalse(opened.restart())
