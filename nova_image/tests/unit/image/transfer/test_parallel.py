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


"""Tests of nova_image.image.transfer.parallel: several connections."""

import re
import threading

import fixtures

from nova_image import exception
from nova_image.image.transfer import fetch
from nova_image.image.transfer import parallel
from nova_image.image.transfer import reader as readers
from nova_image.image.transfer import recorded
from nova_image.tests.unit.image.transfer import transfer_case as case

DATA = case.DATA
_RANGE = re.compile(r'^bytes=(\d+)-(\d+)$')


def part(call):
    """Return the first and the last byte that a request asks for."""
    return tuple(map(int, _RANGE.match(call.headers['range']).groups()))


def answer(call):
    """Answer a request for a part, as Glance with a file store does."""
    first, last = part(call)
    return case.GLANCE33('download_206').changed(
        content=DATA[first:last + 1], headers={
            'Content-Range': 'bytes %d-%d/%d' % (first, last, case.SIZE)})


class TestParallel(case.TransferCase):
    """Parts of 10 bytes, over two connections."""

    def setUp(self):
        super(TestParallel, self).setUp()
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.transfer.parallel.PART', 10))
        self.set(num_retries=0)

    def reader(self, connections=2):
        """Return a new reader."""
        origin = self.origin(lambda answer: case.RECORDED)

        def make(part=None):
            return readers.Reader(origin, case.RECORDED, part)

        return parallel.ParallelReader(make, case.RECORDED, connections)

    def assert_parts(self, begin=0):
        """Assert that each part was asked for once."""
        parts = [(first, min(first + 10, case.SIZE) - 1)
                 for first in range(begin, case.SIZE, 10)]
        self.assertEqual(parts, sorted(
            part(call) for call in self.glance.calls))

    def test_all_data_arrives_in_order(self):
        self.glance.answers(*[answer] * 50)
        reader = self.reader()
        self.assertEqual(DATA, b''.join(reader.chunks()))
        self.assert_parts()
        self.assertEqual((case.SIZE, 0), (reader.offset, reader.resumes))

    def test_existing_data_is_not_requested(self):
        self.glance.answers(*[answer] * 50)
        reader = self.reader()
        reader.begin_at(25)
        self.assertEqual(DATA[25:], b''.join(reader.chunks()))
        self.assert_parts(25)

    def test_an_interrupted_part_resumes(self):
        broken = []

        def break_once(call):
            first, _ = part(call)
            if first == 20 and not broken:
                broken.append(call)
                return case.breaking(answer(call), 4)
            return answer(call)

        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.sizes.CHUNK', 2))
        self.glance.answers(*[break_once] * 50)
        reader = self.reader()
        self.assertEqual(DATA, b''.join(reader.chunks()))
        self.assertIn((24, 29), [part(call) for call in self.glance.calls])
        self.assertEqual(1, reader.resumes)

    def test_a_store_without_ranges_sends_all_data_once(self):
        def no_parts(call):
            return case.NO_RANGE if 'range' in call.headers else case.WHOLE

        self.glance.answers(*[no_parts] * 50)
        reader = self.reader()
        self.assertEqual(DATA, b''.join(reader.chunks()))
        self.assertEqual(case.SIZE, reader.offset)
        self.assertEqual(1, len([call for call in self.glance.calls
                                 if 'range' not in call.headers]))

    def test_a_server_that_ignores_ranges_sends_all_data(self):
        self.glance.answers(*[case.WHOLE] * 50)
        self.assertEqual(DATA, b''.join(self.reader().chunks()))

    def test_an_error_ends_all_threads(self):
        self.set(download_retries=0)

        def fail_later(call):
            return (case.NO_RANGE.changed(status=503)
                    if part(call)[0] >= 20 else answer(call))

        self.glance.answers(*[fail_later] * 50)
        before = threading.active_count()
        self.assertRaises(exception.GlanceServerError, list,
                          self.reader().chunks())
        self.assertEqual(before, threading.active_count())

    def test_close_ends_all_threads(self):
        self.glance.answers(*[answer] * 50)
        before = threading.active_count()
        chunks = self.reader().chunks()
        self.assertEqual(DATA[:10], next(chunks))
        chunks.close()
        self.assertEqual(before, threading.active_count())


class TestInADownload(case.TransferCase):
    """Which downloads use several connections."""

    def _calls(self, size, **options):
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.transfer.parallel.PART', 10))
        self.set(**options)
        self.glance.answers(*[
            lambda call: answer(call) if 'range' in call.headers
            else case.WHOLE] * 50)
        record = recorded.Recorded(size, 'md5', case.MD5)
        fetch.Download(self.client(), self.context, self.request,
                       lambda answer: record, recorded=record).run(
                           path=self.path)
        self.assertEqual(DATA, self.read())
        return len(self.glance.calls)

    def test_one_connection_is_the_default(self):
        self.assertEqual(1, self._calls(case.SIZE))

    def test_a_large_image_uses_several_connections(self):
        self.assertLess(2, self._calls(case.SIZE, download_connections=3))

    def test_an_image_of_unknown_size_uses_one_connection(self):
        self.assertEqual(1, self._calls(None, download_connections=3))
