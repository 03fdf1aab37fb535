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

import io
import re
import threading
import time

import fixtures
import mock
from six.moves import _thread

from nova_image import exception
from nova_image.image.transfer import distance
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


def is_part(call):
    """Return whether a request asks for a part."""
    return bool(_RANGE.match(call.headers.get('range', '')))


class Waiting(io.BytesIO):
    """A body that waits after some bytes.

    :param content: the bytes
    :param free: how many of them come at once
    :param may_go: callable that returns whether the others may
    """

    def __init__(self, content, free, may_go):
        super(Waiting, self).__init__(content)
        self._free = free
        self._may_go = may_go

    def read(self, *args):
        """Return the next bytes, in time."""
        end = time.time() + 30
        while self.tell() >= self._free and not self._may_go():
            if time.time() > end:
                raise AssertionError('it would wait forever')
            time.sleep(0.001)
        return super(Waiting, self).read(*args)


class ParallelCase(case.TransferCase):
    """Parts of 10 bytes, 25 bytes ahead, of a server far away.

    :ivar reader: the ParallelReader
    """

    def setUp(self):
        super(ParallelCase, self).setUp()
        for name, value in (
                ('parts.PART', 10), ('parallel.GAP', 25),
                ('distance.WORTH', 0), ('distance.PIECE', case.PIECE),
                ('distance.learn', self._learn),
                ('distance.Flow.is_limited', lambda flow: self.limited)):
            self.useFixture(fixtures.MonkeyPatch(
                'nova_image.image.transfer.' + name, value))
        self.set(num_retries=0)
        self.round_trip = 1.0
        self.is_exact = True
        self.limited = True
        self.part = answer

    def _learn(self, known, answer):
        return self.round_trip, self.is_exact

    def new_reader(self, connections=2):
        """Return a new reader."""
        self.glance.answers(*[self.answer] * 50)
        origin = self.origin(lambda answer: case.RECORDED)
        self.reader = parallel.ParallelReader(origin, case.RECORDED,
                                              connections)
        return self.reader

    def answer(self, call):
        """Answer a part, or the rest, which waits for the parts."""
        if is_part(call):
            return self.part(call)
        if 'range' not in call.headers:
            return case.WHOLE.changed(content=Waiting(
                DATA, 30, self.is_first_done))
        return case.rest(call)

    def is_first_done(self):
        """Return whether the next part was read, or could not be."""
        crew = self.reader._crew
        first = crew and crew.first()
        return not first or first.is_done or crew.count < 1

    def read_all(self, reader):
        """Read to the end."""
        before = threading.active_count()
        self.assertEqual(DATA[reader.offset:], b''.join(reader.chunks()))
        self.assertEqual(case.SIZE, reader.offset)
        self.wait_for_threads(before)

    def wait_for_threads(self, count):
        """Wait until there are as many threads as before."""
        end = time.time() + 30
        while threading.active_count() > count:
            self.assertLess(time.time(), end, threading.enumerate())
            time.sleep(0.001)

    def asked(self):
        """Return the parts that were requested, in order."""
        return sorted(part(call) for call in self.glance.calls
                      if is_part(call))

    def others(self):
        """Return the other ranges that were requested."""
        return [call.headers.get('range') for call in self.glance.calls
                if not is_part(call)]


class TestParallel(ParallelCase):
    """One connection, and then two."""

    def test_all_data_arrives_in_order(self):
        reader = self.new_reader()
        self.read_all(reader)
        self.assertEqual([(first, min(first + 9, 99))
                          for first in range(35, 100, 10)], self.asked())
        self.assertEqual([None], self.others())
        self.assertEqual(0, reader.resumes)

    def test_existing_data_is_not_requested(self):
        reader = self.new_reader()
        reader.begin_at(25)
        self.read_all(reader)
        self.assertEqual(['bytes=25-'], self.others())

    def test_open_connects(self):
        self.assertEqual(case.RECORDED, self.new_reader().open())
        self.assertEqual([None], self.others())
        self.read_all(self.reader)
        self.assertEqual([None], self.others())

    def test_an_interrupted_part_resumes(self):
        broken = []

        def break_once(call):
            first, last = part(call)
            if first >= 55 and not broken:
                broken.append((first + 4, last))
                return case.breaking(answer(call), 4)
            return answer(call)

        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.sizes.CHUNK', 2))
        self.part = break_once
        self.read_all(self.new_reader())
        self.assertIn(broken[0], self.asked())
        self.assertEqual(1, self.reader.resumes)

    def test_an_interrupted_first_connection_resumes(self):
        broken = []

        def break_once(call):
            if is_part(call) or broken:
                return self.part(call) if is_part(call) else case.rest(call)
            broken.append(call)
            return case.broken(15)

        self.answer = break_once
        self.read_all(self.new_reader())
        self.assertEqual(1, self.reader.resumes)

    def test_a_store_without_ranges_is_read_by_one(self):
        self.part = lambda call: case.NO_RANGE
        self.read_all(self.new_reader())
        self.assertEqual([None], self.others())
        self.assertGreaterEqual(2, len(self.asked()))
        del self.glance.calls[:]
        self.read_all(self.new_reader())
        self.assertEqual([], self.asked())

    def test_a_server_that_ignores_ranges_is_read_by_one(self):
        self.part = lambda call: case.WHOLE
        self.read_all(self.new_reader())
        self.assertEqual([None], self.others())

    def test_refused_connections_are_not_needed(self):
        self.part = lambda call: case.NO_RANGE.changed(status=503)
        self.read_all(self.new_reader())
        self.assertEqual([None], self.others())
        self.assertEqual(2, len(self.asked()))

    def test_a_refused_connection_leaves_the_other_one(self):
        refused = []

        def refuse_once(call):
            if part(call)[0] == 55 and not refused:
                refused.append(call)
                return case.NO_RANGE.changed(status=503)
            return answer(call)

        self.part = refuse_once
        self.read_all(self.new_reader())
        self.assertEqual(2, self.asked().count((55, 64)))
        self.assertEqual([None], self.others())

    def test_the_rest_is_read_by_one_if_all_fail_later(self):
        self.part = lambda call: (
            case.NO_RANGE.changed(status=503)
            if len(self.asked()) in (4, 5) else answer(call))
        self.read_all(self.new_reader())
        self.assertIsNone(self.others()[0])

    def test_a_part_that_fails_again_is_an_error(self):
        self.set(download_retries=0)
        self.part = lambda call: (
            case.NO_RANGE.changed(status=503) if part(call)[0] >= 55
            else answer(call))
        before = threading.active_count()
        self.assertRaises(exception.GlanceServerError, list,
                          self.new_reader().chunks())
        self.wait_for_threads(before)

    def _other_from(self, first):
        """Return a reader; a server has another image from a byte on."""
        other = recorded.Recorded(case.SIZE, 'md5', 'other')

        def record_of(answer):
            said = answer.headers.get('Content-Range', 'bytes 0-')
            begin = int(said.partition('-')[0][len('bytes '):])
            return other if begin >= first else case.RECORDED

        self.new_reader()
        self.reader = parallel.ParallelReader(
            self.origin(record_of), case.RECORDED, 2)
        return self.reader

    def test_a_part_of_another_image_is_an_error(self):
        self.assertRaises(exception.ImageCorrupt, list,
                          self._other_from(60).chunks())

    def test_only_parts_of_another_image_are_not_needed(self):
        self.read_all(self._other_from(30))

    def test_parts_that_do_not_come_are_not_waited_for(self):
        freed = threading.Event()

        def wait(call):
            freed.wait(30)
            return answer(call)

        self.part = wait
        self.is_first_done = lambda: True
        reader = self.new_reader()
        self.assertEqual(DATA, b''.join(reader.chunks()))
        freed.set()

    def test_close_ends_all_threads(self):
        before = threading.active_count()
        chunks = self.new_reader().chunks()
        while self.reader.offset < 50:
            next(chunks)
        chunks.close()
        self.wait_for_threads(before)

    def test_a_thread_that_cannot_start_is_not_needed(self):
        def fail(thread):
            raise _thread.error()

        self.useFixture(fixtures.MonkeyPatch('threading.Thread.start', fail))
        self.is_first_done = lambda: True
        self.read_all(self.new_reader())
        self.assertEqual([], self.asked())


class TestMeasures(ParallelCase):
    """When several connections are used."""

    def test_a_near_server_gets_one_request(self):
        self.round_trip = 0.019
        self.read_all(self.new_reader())
        self.assertEqual([], self.asked())

    def test_a_fast_connection_is_not_helped(self):
        self.limited = False
        self.is_first_done = lambda: True
        self.read_all(self.new_reader())
        self.assertEqual([], self.asked())

    def test_little_data_is_read_by_one(self):
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.transfer.distance.WORTH', 91))
        self.is_first_done = lambda: True
        self.read_all(self.new_reader())
        self.assertEqual([], self.asked())

    def test_a_slow_start_is_remembered(self):
        """Also if too little is left: the next image may be a large one."""
        self.is_first_done = lambda: True
        self.is_exact = False
        for worth in 0, 91:
            self.useFixture(fixtures.MonkeyPatch(
                'nova_image.image.transfer.distance.WORTH', worth))
            learnt = self.useFixture(fixtures.MockPatch(
                'nova_image.image.transfer.distance.learn_far')).mock
            self.read_all(self.new_reader())
            learnt.assert_called_once_with(mock.ANY, self.reader.endpoint)

    def test_without_a_gain_the_rest_is_read_by_one(self):
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.transfer.distance.Trial.count',
            lambda trial, size: self.reader.offset == 45))
        self.read_all(self.new_reader())
        self.assertEqual(2, len(self.others()), self.others())
        del self.glance.calls[:]
        self.is_first_done = lambda: True
        self.read_all(self.new_reader())
        self.assertEqual([], self.asked())

    def test_a_limited_bandwidth_is_shared_by_one(self):
        self.set(transfer_bandwidth=0.00001,
                 transfer_lock_path=self.folder)
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.transfer.limits.Throttle.take',
            lambda *args: None))
        self.is_first_done = lambda: True
        self.read_all(self.new_reader())
        self.assertEqual([], self.asked())


class TestInADownload(case.TransferCase):
    """Which downloads may use several connections."""

    def _reader(self, size, **options):
        self.set(**options)
        record = recorded.Recorded(size, 'md5', case.MD5)
        return type(fetch.Download(
            self.client(), self.context, self.request,
            lambda answer: record, recorded=record)._reader())

    def test_a_large_image(self):
        self.assertEqual(parallel.ParallelReader,
                         self._reader(distance.MEASURED + 1))

    def test_a_small_image(self):
        self.assertEqual(readers.Reader, self._reader(distance.MEASURED))

    def test_an_image_of_unknown_size(self):
        self.assertEqual(readers.Reader, self._reader(None))

    def test_the_option_forbids_it(self):
        self.assertEqual(readers.Reader, self._reader(
            distance.MEASURED + 1, download_connections=1))
