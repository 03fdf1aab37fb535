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

"""Tests of nova_image.image.transfer.fetch: bytes from Glance to a sink."""

import gc
import hashlib
import io
import os
import socket

import fixtures
import mock
import six

from nova_image import exception
from nova_image.image import client as http
from nova_image.image.transfer import digest
from nova_image.image.transfer import fetch
from nova_image.image.transfer import sink
from nova_image.tests.unit import base
from nova_image.tests.unit import recordings

DATA = recordings.DATA
EXPECTED = digest.Expected(len(DATA), 'md5', hashlib.md5(DATA).hexdigest())
PATH = '/v2/images/ID/file'
WHOLE = recordings.Answer(content=DATA)


def broken(content=DATA[:40]):
    """Return an answer whose body breaks off."""
    return recordings.Answer(content=base.BrokenBody(
        content, socket.error('reset by peer')))


class FetchTestCase(base.TestCase):
    """Base: a request for data."""

    def setUp(self):
        super(FetchTestCase, self).setUp()
        self.folder = self.useFixture(fixtures.TempDir()).path
        self.path = os.path.join(self.folder, 'image')
        self.request = http.Request('GET', PATH, 'download', 'ID',
                                    stream=True)

    def to_sink(self, data=None, path=None, expected=EXPECTED):
        """Download to a sink."""
        fetch.to_sink(self.client(), self.context, self.request,
                      lambda answer: expected, sink.open_sink(data, path))

    def assert_failed(self, kind, **kwargs):
        """Assert that it fails and leaves nothing; return the error."""
        error = self.assertRaises(kind, self.to_sink, path=self.path,
                                  **kwargs)
        self.assertEqual([], os.listdir(self.folder))
        return error


class TestToSink(FetchTestCase):
    """Into a file or a file object."""

    def test_whole(self):
        self.glance.answers(WHOLE)
        self.to_sink(path=self.path)
        with open(self.path, 'rb') as stream:
            self.assertEqual(DATA, stream.read())
        self.assert_calls([('GET', PATH)])

    def test_a_body_that_breaks_is_fetched_anew(self):
        stream = io.BytesIO()
        self.glance.answers(broken(), broken(b''), WHOLE)
        self.to_sink(stream)
        self.assertEqual(DATA, stream.getvalue())
        self.assert_calls([('GET', PATH)] * 3)
        self.assertEqual(2, len(self.waits))

    def test_each_attempt_has_a_digest_of_its_own(self):
        self.glance.answers(broken(), WHOLE)
        with mock.patch.object(digest, 'Digest',
                               side_effect=digest.Digest) as made:
            self.to_sink(path=self.path)
        self.assertEqual(2, made.call_count)

    def test_a_body_that_ends_early(self):
        self.glance.answers(recordings.Answer(content=DATA[:40]), WHOLE)
        self.to_sink(path=self.path)
        self.assert_calls([('GET', PATH)] * 2)

    def test_wrong_bytes_are_fetched_anew_and_then_refused(self):
        self.glance.answers(*[
            recordings.Answer(content=DATA[::-1]) for _ in range(4)])
        error = self.assert_failed(exception.ImageCorrupt)
        self.assertIn('md5', six.text_type(error))
        self.assert_calls([('GET', PATH)] * 4)

    def test_what_stood_there_stays(self):
        with open(self.path, 'wb') as stream:
            stream.write(b'old')
        self.set(num_retries=0)
        self.glance.answers(broken())
        self.assertRaises(exception.GlanceConnectionFailed, self.to_sink,
                          path=self.path)
        with open(self.path, 'rb') as stream:
            self.assertEqual(b'old', stream.read())
        self.assertEqual(['image'], os.listdir(self.folder))

    def test_nothing_is_tried_again_on_a_pipe(self):
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        self.glance.answers(broken())
        with os.fdopen(writing, 'wb') as stream:
            self.assertRaises(exception.GlanceConnectionFailed,
                              self.to_sink, stream)
        self.assert_calls([('GET', PATH)])

    def test_an_error_answer_leaves_nothing(self):
        self.glance.answers(recordings.Answer(404))
        self.assert_failed(exception.ImageNotFound)

    def test_a_full_disk_is_no_connection_error(self):
        self.glance.answers(WHOLE)
        full = OSError(28, 'No space left on device')
        with mock.patch.object(sink.FileSink, 'write', side_effect=full):
            self.assertIs(full, self.assert_failed(OSError))
        self.assert_calls([('GET', PATH)])

    def test_interrupted(self):
        self.glance.answers(WHOLE)
        with mock.patch.object(sink.FileSink, 'write',
                               side_effect=KeyboardInterrupt):
            self.assert_failed(KeyboardInterrupt)

    def test_a_hash_that_cannot_be_made(self):
        body = io.BytesIO(DATA)
        self.glance.answers(recordings.Answer(content=body))
        self.assert_failed(exception.ImageUnacceptable, expected=(
            digest.Expected(len(DATA), 'none-such', 'abc')))
        self.assert_calls([('GET', PATH)])
        self.assertTrue(body.closed)

    def test_the_connection_is_given_back(self):
        body = io.BytesIO(DATA)
        self.glance.answers(recordings.Answer(content=body))
        self.to_sink(path=self.path)
        self.assertTrue(body.closed)


class TestToStream(FetchTestCase):
    """Into the caller's loop."""

    def _stream(self, content=DATA, expected=EXPECTED):
        if isinstance(content, bytes):
            content = io.BytesIO(content)
        self.body, self.kept = content, []
        self.glance.answers(recordings.Answer(content=content))

        def expected_of(answer):
            self.kept.append(answer)  # or it is closed when it is collected
            return expected
        return fetch.to_stream(self.client(), self.context, self.request,
                               expected_of)

    def test_whole(self):
        self.assertEqual(DATA, b''.join(self._stream()))
        self.assertTrue(self.body.closed)

    def test_it_can_be_asked_for_the_next_piece(self):
        stream = self._stream()
        self.assertIs(stream, iter(stream))
        self.assertEqual(DATA, next(stream))
        self.assertRaises(StopIteration, next, stream)

    def test_wrong_bytes_raise_at_the_end(self):
        stream = self._stream(DATA[::-1])
        self.assertEqual(DATA[::-1], next(stream))
        self.assertRaises(exception.ImageCorrupt, next, stream)
        self.assertTrue(self.body.closed)

    def test_a_body_that_breaks(self):
        stream = self._stream(base.BrokenBody(b'', socket.error('reset')))
        error = self.assertRaises(exception.GlanceConnectionFailed, next,
                                  stream)
        self.assertIn('image ID', six.text_type(error))
        self.assertTrue(self.body.closed)
        self.assert_calls([('GET', PATH)])

    def test_closed_in_the_middle(self):
        stream = self._stream(DATA * 2)
        next(stream)
        stream.close()
        self.assertTrue(self.body.closed)
        stream.close()

    def test_closed_before_the_start(self):
        stream = self._stream()
        stream.close()
        self.assertTrue(self.body.closed)

    def test_dropped_before_the_start(self):
        self._stream()
        gc.collect()
        self.assertTrue(self.body.closed)

    def test_dropped_in_the_middle(self):
        stream = self._stream(DATA * 2)
        next(stream)
        del stream
        gc.collect()
        self.assertTrue(self.body.closed)

    def test_not_closed_while_it_is_read(self):
        stream = self._stream()
        gc.collect()
        self.assertFalse(self.body.closed)
        stream.close()

    def test_a_hash_that_cannot_be_made(self):
        self.assertRaises(
            exception.ImageUnacceptable, self._stream, DATA,
            digest.Expected(len(DATA), 'none-such', 'abc'))
        self.assertTrue(self.body.closed)
