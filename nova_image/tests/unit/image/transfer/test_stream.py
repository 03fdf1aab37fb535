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

"""Tests of nova_image.image.transfer.fetch.Stream: the caller's own loop."""

import gc
import io
import socket

import six

from nova_image import exception
from nova_image.image.transfer import fetch
from nova_image.image.transfer import recorded
from nova_image.tests.unit import base
from nova_image.tests.unit.image.transfer import transfer_case as case
from nova_image.tests.unit import recordings

DATA = case.DATA


class TestStream(case.TransferCase):
    """A stream verifies itself and releases its connection."""

    def _stream(self, content=DATA, record=case.RECORDED, more=()):
        if isinstance(content, bytes):
            content = io.BytesIO(content)
        self.body, self.kept = content, []
        self.glance.answers(recordings.Answer(content=content), *more)

        def record_of(answer):
            self.kept.append(answer)  # else the collector closes it
            return record
        return fetch.Download(self.client(), self.context, self.request,
                              record_of).run()

    def test_a_stream_yields_all_data(self):
        self.assertEqual(DATA, b''.join(self._stream()))
        self.assertTrue(self.body.closed)
        self.assert_ranges(None)

    def test_a_stream_is_an_iterator(self):
        stream = self._stream(DATA[:10], recorded.Recorded(10))
        self.assertIs(stream, iter(stream))
        self.assertEqual(DATA[:10], next(stream))
        self.assertRaises(StopIteration, next, stream)
        self.assertRaises(StopIteration, next, stream)

    def test_wrong_data_raises_at_the_end(self):
        stream = self._stream(DATA[::-1])
        received = b''.join(next(stream) for _ in range(10))
        self.assertEqual(DATA[::-1], received)
        self.assertRaises(exception.ImageCorrupt, next, stream)
        self.assertTrue(self.body.closed)
        self.assert_ranges(None)

    def test_an_interrupted_stream_resumes(self):
        stream = self._stream(
            base.BrokenBody(DATA[:40], socket.error('reset')),
            more=[case.rest])
        self.assertEqual(DATA, b''.join(stream))
        self.assert_ranges(None, 40)

    def test_an_interruption_without_retries_is_raised(self):
        self.set(download_retries=0)
        stream = self._stream(base.BrokenBody(b'', socket.error('reset')))
        error = self.assertRaises(exception.GlanceConnectionFailed, next,
                                  stream)
        self.assertIn('image ID', six.text_type(error))
        self.assertTrue(self.body.closed)
        self.assert_ranges(None)

    def test_a_refusal_is_raised_at_once(self):
        self.glance.answers(case.GLANCE33('show_404'))
        self.assertRaises(
            exception.ImageNotFound, fetch.Download(
                self.client(), self.context, self.request,
                lambda answer: None).run)

    def test_close_in_the_middle_releases_the_connection(self):
        stream = self._stream(DATA)
        next(stream)
        stream.close()
        self.assertTrue(self.body.closed)
        stream.close()
        self.assertRaises(StopIteration, next, stream)

    def test_close_before_the_start_releases_the_connection(self):
        stream = self._stream()
        stream.close()
        self.assertTrue(self.body.closed)

    def test_a_stream_that_is_dropped_before_the_start_is_closed(self):
        self.addCleanup(gc.enable)
        gc.disable()  # no cycle may keep the connection open
        self._stream()
        self.assertTrue(self.body.closed)

    def test_a_stream_that_is_dropped_in_the_middle_is_closed(self):
        self.addCleanup(gc.enable)
        gc.disable()
        stream = self._stream(DATA)
        next(stream)
        del stream
        self.assertTrue(self.body.closed)

    def test_a_stream_stays_open_while_it_is_read(self):
        stream = self._stream()
        next(stream)
        gc.collect()
        self.assertFalse(self.body.closed)
        stream.close()

    def test_an_unknown_algorithm_releases_the_connection(self):
        self.assertRaises(
            exception.ImageUnacceptable, self._stream, DATA,
            recorded.Recorded(case.SIZE, 'none-such', 'abc'))
        self.assertTrue(self.body.closed)
