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
"""Tests of nova_image.image.transfer.reader: interrupted streams."""

import io

import fixtures
import six

from nova_image import exception
from nova_image.image import endpoint
from nova_image.image.transfer import recorded
from nova_image.tests.unit import base
from nova_image.tests.unit.image.transfer import reader_case
from nova_image.tests.unit.image.transfer import transfer_case as case

DATA = reader_case.DATA


def from_headers(answer):
    """Return what an answer's headers record of the image, as in v1."""
    return recorded.Recorded(
        int(answer.headers['X-Image-Meta-Size']), 'md5',
        answer.headers['X-Image-Meta-Checksum'])


def as_in_v1(answer, size=case.SIZE, checksum=case.MD5):
    """Return an answer with the metadata of an image in its headers."""
    return answer.changed(headers={'X-Image-Meta-Size': '%d' % size,
                                   'X-Image-Meta-Checksum': checksum})


class TestResuming(reader_case.ReaderCase):
    """A reader resumes where it stopped."""

    def test_uninterrupted_data_needs_one_request(self):
        reader = self.assert_read(case.WHOLE)
        self.assert_ranges(None)
        self.assertEqual(0, reader.resumes)
        self.assertEqual(base.ENDPOINT, reader.endpoint)
        self.assertEqual([], self.waits)

    def test_a_reader_resumes_at_the_exact_byte(self):
        reader = self.assert_read(case.broken(40), case.broken_rest(30),
                                  case.rest)
        self.assert_ranges(None, 40, 70)
        self.assertEqual(2, reader.resumes)
        self.assertEqual(2, len(self.waits))

    def test_a_reader_resumes_with_an_answer_of_glance_33(self):
        self.assert_read(case.broken(90), case.GLANCE33('download_206'))
        self.assert_ranges(None, 90)

    def test_at_most_one_piece_is_fetched_twice(self):
        self.assert_read(case.broken(45), case.rest)
        self.assertIn(45 - case.first_of(self.glance.calls[1]),
                      range(case.PIECE))

    def test_all_data_is_requested_again_if_none_has_arrived(self):
        self.assert_read(case.broken(0), case.WHOLE)
        self.assert_ranges(None, None)

    def test_a_reader_resumes_after_an_early_end_without_an_error(self):
        self.assert_read(case.WHOLE.changed(content=DATA[:40]), case.rest)
        self.assert_ranges(None, 40)
        self.assertIn('ended after 40 bytes of 100', self.warnings()[0])

    def test_an_error_after_the_last_byte_is_ignored(self):
        self.assert_read(case.broken(case.SIZE))
        self.assert_ranges(None)
        self.assertEqual([], self.waits)

    def test_an_interruption_is_logged(self):
        self.assert_read(case.broken(40), case.rest)
        (line,) = self.warnings()
        for words in ('interrupted at byte 40', 'image ID', base.ENDPOINT):
            self.assertIn(words, line)

    def test_other_headers_are_sent_again(self):
        self.request.headers = {'X-Own': 'a'}
        self.request.raw_headers = {'X-Raw': 'b='}
        self.assert_read(case.broken(40), case.rest)
        for call in self.glance.calls:
            self.assertEqual('a', call.headers['x-own'])
            self.assertEqual('b=', call.headers['x-raw'])
        self.assertEqual({'X-Raw': 'b='}, self.request.raw_headers)

    def test_a_reader_begins_behind_existing_data(self):
        self.assert_read(case.rest, begin_at=40)
        self.assert_ranges(40)

    def test_no_request_is_made_if_all_data_exists(self):
        self.assert_read(begin_at=case.SIZE)
        self.assert_ranges()

    def test_an_empty_image_has_no_chunks(self):
        self.glance.answers(case.WHOLE.changed(content=b''))
        self.assertEqual([], list(self.reader(recorded.Recorded(0)).chunks()))
        self.assert_ranges(None)

    def test_each_connection_is_closed(self):
        streams = [io.BytesIO(DATA[:40]), io.BytesIO(DATA[40:])]
        kept = []
        self.assert_read(
            case.WHOLE.changed(content=streams[0]),
            lambda call: case.rest(call).changed(content=streams[1]),
            record_of=lambda answer: kept.append(answer) or case.RECORDED)
        self.assertEqual([True, True], [stream.closed for stream in streams])

    def test_close_releases_the_connection(self):
        stream = io.BytesIO(DATA)
        self.glance.answers(case.WHOLE.changed(content=stream))
        reader = self.reader()
        reader.close()  # also before it is connected
        reader.open()
        reader.close()
        self.assertTrue(stream.closed)

    def test_close_ends_chunks(self):
        self.glance.answers(case.broken(20))
        reader = self.reader()
        chunks = reader.chunks()
        next(chunks)
        reader.close()
        self.assertRaises(exception.GlanceConnectionFailed, list, chunks)
        self.assert_ranges(None)

    def test_abort_before_the_start_ends_chunks(self):
        reader = self.reader()
        reader.abort()
        self.assertRaises(exception.GlanceConnectionFailed, list,
                          reader.chunks())
        self.assert_ranges()

    def test_abort_ends_chunks(self):
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.sizes.CHUNK', 10))
        self.glance.answers(case.WHOLE)
        reader = self.reader()
        chunks = reader.chunks()
        self.assertEqual(DATA[:10], next(chunks))
        reader.abort()
        self.assertRaises(exception.GlanceConnectionFailed, list, chunks)
        self.assertEqual(10, reader.offset)
        self.assert_ranges(None)

    def test_download_retries_limits_the_reconnections(self):
        self.set(download_retries=2, num_retries=3)
        self.assert_fails(exception.GlanceConnectionFailed, case.broken(20),
                          base.Lost(), base.Lost())
        self.assert_ranges(None, 20, 20)
        self.assertEqual(2, len(self.waits))


class TestServers(reader_case.ReaderCase):
    """Another server may send the rest."""

    def test_the_next_server_sends_the_rest(self):
        self.use_servers('one', 'two')
        reader = self.assert_read(case.broken(40), case.rest)
        first, second = [call.url.split('/v2')[0]
                         for call in self.glance.calls]
        self.assertEqual({'http://one:9292', 'http://two:9292'},
                         {first, second})
        self.assertEqual(second, reader.endpoint)

    def test_an_interrupted_server_rests(self):
        self.use_servers('one', 'two', 'three')
        self.assert_read(case.broken(40), case.rest)
        first, second = [call.url.split('/v2')[0]
                         for call in self.glance.calls]
        self.assertFalse(endpoint.HEALTH.is_good(first))
        self.assertTrue(endpoint.HEALTH.is_good(second))
        for _ in range(20):
            self.assertNotEqual(
                first, self.client().endpoints.choose(self.context))

    def test_a_server_that_cannot_be_reached_is_skipped(self):
        self.use_servers('one', 'two')
        self.set(num_retries=1)
        self.assert_read(case.broken(40), base.Lost(), case.rest)
        self.assert_ranges(None, 40, 40)

    def test_the_only_server_is_asked_again(self):
        self.assert_read(case.broken(40), case.rest)
        self.assertEqual([base.ENDPOINT + case.PATH] * 2,
                         [call.url for call in self.glance.calls])


class TestPinning(reader_case.ReaderCase):
    """A reader never mixes the data of two images."""

    def test_more_data_than_recorded_is_corrupt(self):
        error = self.assert_fails(
            exception.ImageCorrupt, case.WHOLE.changed(content=DATA + b'x'))
        self.assertIn('more than the recorded 100 bytes',
                      six.text_type(error))
        self.assert_ranges(None)
        self.assertEqual([], self.waits)

    def test_the_recorded_values_may_come_with_the_answer(self):
        self.glance.answers(as_in_v1(case.broken(40)),
                            as_in_v1(case.WHOLE))
        reader = self.reader(None, from_headers)
        self.assertEqual((100, 'md5', case.MD5), reader.open().identity)
        self.assertEqual(DATA, b''.join(reader.chunks()))
        self.assert_ranges(None, 40)

    def test_existing_data_of_an_open_answer_is_skipped(self):
        self.glance.answers(as_in_v1(case.WHOLE))
        reader = self.reader(None, from_headers)
        reader.open()
        reader.begin_at(45)
        self.assertEqual(DATA[45:], b''.join(reader.chunks()))
        self.assert_ranges(None)

    def test_all_data_of_an_open_answer_may_be_skipped(self):
        self.glance.answers(as_in_v1(case.WHOLE))
        reader = self.reader(None, from_headers)
        reader.open()
        reader.begin_at(case.SIZE)
        self.assertEqual([], list(reader.chunks()))

    def test_another_image_after_an_interruption_is_corrupt(self):
        for changes in ({'size': 101}, {'checksum': '0' * 32}):
            del self.glance.calls[:]
            stream = io.BytesIO(DATA)
            error = self.assert_fails(
                exception.ImageCorrupt, as_in_v1(case.broken(40)),
                as_in_v1(case.WHOLE.changed(content=stream), **changes),
                record=None, record_of=from_headers)
            self.assertIn('no longer the same image', six.text_type(error))
            self.assertTrue(stream.closed)
            self.assert_ranges(None, 40)

    def test_data_of_unknown_size_is_resumed(self):
        self.assert_read(case.broken(40), case.WHOLE,
                         record=recorded.Recorded())

    def test_data_of_unknown_size_that_becomes_shorter_fails(self):
        self.set(download_retries=1)
        self.assert_fails(
            exception.GlanceConnectionFailed, case.broken(40),
            case.WHOLE.changed(content=DATA[:30]),
            record=recorded.Recorded())
        self.assert_ranges(None, 40)
