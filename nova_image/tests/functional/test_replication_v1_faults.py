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

"""The end of a replication for the Images API v1 in trouble, on a Glance 15.

v1 marks an image ``killed`` if its upload is interrupted, and never accepts
data for its ID again. This module is removed together with the v1 driver.
"""

import typing

from nova_image import exception
from nova_image.replication import ends
from nova_image.replication import record as records
from nova_image.replication.v1 import upload
from nova_image.tests import fixtures
from nova_image.tests.fixtures import faults
from nova_image.tests.functional import test_replication_v1 as case

_IMAGES = '/v1/images'
LARGE = case.DATA * (2 * upload.HELD // len(case.DATA) + 1)


class _FaultTest(case.EndTest):
    """An end behind a proxy that makes requests fail."""

    def setUp(self) -> None:
        """Start the proxy; ``direct`` is an end without it."""
        super().setUp()
        self.proxy = self.useFixture(fixtures.FaultyProxy(self.server.url))
        self.direct, self.end = self.end, self.load(self.proxy.url)

    def patient(self, image_id: str) -> ends.End:
        """Return an end that retries once an image is killed.

        A retry that comes before Glance has noticed that the connection was
        cut may succeed.
        """
        def is_killed() -> bool:
            found = self.direct.image(image_id)
            return found is not None and found.status == 'killed'

        return self.load(self.proxy.url, lambda: self.wait_for(
            is_killed, 'killed'))

    def plan(self, *planned: faults.Fault | None, method: str,
             path: str = _IMAGES) -> None:
        """Plan faults of the next requests of a method."""
        self.proxy.clear()
        self.proxy.plan(*planned, method=method, path=path)

    def check_requests(self, *expected: str) -> None:
        """Check the requests, as ``'PUT 409'``; None if no answer came."""
        self.proxy.wait_idle()
        self.assertEqual(list(expected), [
            '%s %s' % (one.method, one.status) for one in self.proxy.requests])

    def check_status(self, expected: str, image: records.Record) -> None:
        """Check the status of an image after a failed upload."""
        self.proxy.wait_idle()
        self.assertEqual(expected, self.status(image.id))


class ReserveTest(_FaultTest):
    """reserve() creates an image exactly once, or says why it cannot."""

    def new(self) -> records.Record:
        """Return the record of a new image, and forget the requests so far."""
        wanted = self.wanted(self.source())
        self.proxy.clear()
        return wanted

    def test_lost_answer(self) -> None:
        wanted = self.new()
        self.plan(faults.LostAnswer(), method='POST')
        made = self.end.reserve(wanted)
        self.check_requests('POST None', 'POST 409', 'HEAD 200')
        self.assertEqual(('queued', wanted.id), (made.status, made.replica_of))
        self.assertEqual('active', self.end.write(
            made.but(size=len(case.DATA)), case.Pieces(case.DATA), {}).status)

    def test_request_that_does_not_arrive(self) -> None:
        wanted = self.new()
        self.plan(faults.Status(503), method='POST')
        self.assertEqual('queued', self.end.reserve(wanted).status)
        self.check_requests('POST 503', 'POST 201')

    def test_queued_image_of_somebody_else(self) -> None:
        wanted = self.new()
        self.raw.create(id=wanted.id)
        self.assertEqual(exception.ImageConflict, type(self.assertRaises(
            exception.ImageConflict, self.end.reserve, wanted)))
        self.check_requests('POST 409', 'HEAD 200')
        self.plan(faults.LostAnswer(), method='POST')
        self.assertEqual(exception.ImageConflict, type(self.assertRaises(
            exception.ImageConflict, self.end.reserve, wanted)))
        self.check_requests('POST None', 'POST 409', 'HEAD 200', 'HEAD 200')
        self.assertEqual('queued', self.raw.image(wanted.id)['status'])

    def test_queued_image_of_another_worker(self) -> None:
        """Only one of two workers has created it: the other one must know."""
        wanted = self.new()
        self.direct.reserve(wanted)
        self.assertRaises(exception.ImageConflict, self.end.reserve, wanted)
        self.check_requests('POST 409', 'HEAD 200')

    def test_burnt_ids(self) -> None:
        for burn in (self.end.delete, self.kill):
            wanted = self.new()
            self.end.reserve(wanted)
            burn(wanted.id)
            self.proxy.clear()
            error = self.assertRaises(ends.IdIsBurnt, self.end.reserve,
                                      wanted)
            self.assertIn('new ID', str(error))
            self.check_requests('POST 409', 'HEAD 200')

    def kill(self, image_id: str) -> None:
        """Interrupt an upload to an image."""
        self.plan(faults.TruncatedUpload(0), method='PUT')
        found = self.direct.image(image_id)
        assert found is not None
        self.assertRaises(exception.ImageUploadFailed,
                          self.patient(image_id).write,
                          found.but(size=len(case.DATA)),
                          case.Pieces(case.DATA), {})
        self.check_status('killed', found)

    def test_refused_image_leaves_nothing(self) -> None:
        wanted = self.new().but(disk_format='gpt')
        self.assertRaises(exception.ImageBadRequest, self.end.reserve, wanted)
        self.assertIsNone(self.end.image(wanted.id))
        self.end.reserve(wanted.but(disk_format='raw'))


class CreateTest(_FaultTest):
    """create() makes one request, and leaves no wrong data active."""

    def create(self, data: bytes = case.DATA, sent: bytes | None = None,
               **options: typing.Any
               ) -> tuple[records.Record, records.Record | None]:
        """Create an image with data.

        :param sent: what the source sends, if it is other data
        :returns: (the record that was wanted, what was created or None)
        """
        self.made = self.wanted(self.source(data)).but(size=len(data))
        return self.made, self.end.create(
            self.made, case.Pieces(data if sent is None else sent, **options),
            case.hashes_of(data))

    def setUp(self) -> None:
        super().setUp()
        self.end = self.load(self.proxy.url, lambda: self.wait_for(
            self._is_settled, 'settled'))
        self.reserved()  # the target gives images the wanted owner
        self.wanted(self.source())  # and has shown its formats
        self.proxy.clear()

    def _is_settled(self) -> bool:
        """Return whether the first attempt to create the image is over."""
        found = self.direct.image(self.made.id)
        return found is not None and found.status in ('active', 'killed')

    def test_one_request(self) -> None:
        for data in (case.DATA, LARGE):
            self.proxy.clear()
            wanted, made = self.create(data)
            self.check_requests('POST 201')
            assert made is not None
            self.assertEqual(('active', len(data), wanted.id),
                             (made.status, made.size, made.replica_of))
            self.assert_data(data, self.raw.data(made.id))
            found = self.end.image(made.id)
            assert found is not None
            self.assertEqual(('private', wanted.owner, False), (
                found.visibility, found.owner, found.protected))

    def test_lost_answer(self) -> None:
        for data in (case.DATA, LARGE):
            self.plan(faults.LostAnswer(), method='POST')
            _, made = self.create(data)
            self.check_requests('POST None', 'POST 409', 'HEAD 200')
            assert made is not None
            self.assert_data(data, self.raw.data(made.id))

    def test_connection_that_is_cut(self) -> None:
        for data, after in ((case.DATA, 5000), (LARGE, len(LARGE) - 1)):
            self.plan(faults.TruncatedUpload(after), method='POST')
            self.assertRaises(ends.IdIsBurnt, self.create, data)
            self.check_status('killed', self.made)

    def test_wrong_data_of_a_small_image_creates_nothing(self) -> None:
        for sent in (case.DATA[:-1] + b'x', case.DATA[:-1], case.DATA + b'x'):
            self.assertRaises(exception.ImageUploadFailed, self.create,
                              sent=sent)
            self.check_requests()

    def test_source_that_fails_within_the_upload(self) -> None:
        for sent in (LARGE[:-1] + b'x', LARGE[:-1]):
            error = self.assertRaises(exception.ImageUploadFailed,
                                      self.create, LARGE, sent=sent)
            self.assertIn(self.made.id, str(error.left))
            self.check_status('killed', self.made)

    def test_taken(self) -> None:
        """Nothing of the other image is changed."""
        made = self.raw.create(data=case.DATA)
        self.proxy.clear()
        wanted = self.wanted(self.source(LARGE).but(id=made['id'])).but(
            size=len(LARGE))
        error = self.assertRaises(
            exception.ImageConflict, self.end.create, wanted,
            case.Pieces(LARGE), {})
        self.assertNotIsInstance(error, ends.IdIsBurnt)
        self.assert_data(case.DATA, self.raw.data(made['id']))


class WriteTest(_FaultTest):
    """write() leaves no image with wrong data active."""

    def write(self, data: bytes, image: records.Record,
              hashes: dict[str, str] | None = None,
              **options: typing.Any) -> records.Record:
        """Upload data; forget the requests so far."""
        return self.end.write(image, case.Pieces(data, **options),
                              case.hashes_of(data) if hashes is None
                              else hashes)

    def test_lost_answer(self) -> None:
        for data in (case.DATA, LARGE):
            image = self.reserved(data)
            self.plan(faults.LostAnswer(), method='PUT')
            made = self.write(data, image)
            self.check_requests('HEAD 200', 'PUT None', 'PUT 409', 'HEAD 200')
            self.assertEqual(('active', len(data), case.hashes_of(data)),
                             (made.status, made.size, made.hashes))

    def test_busy_server(self) -> None:
        image = self.reserved()
        self.plan(faults.Status(503), method='PUT')
        self.assertEqual('active', self.write(case.DATA, image).status)
        self.check_requests('HEAD 200', 'PUT 503', 'PUT 200')

    def test_connection_that_is_cut(self) -> None:
        for data, after in ((case.DATA, 0), (case.DATA, 5000),
                            (LARGE, upload.HELD), (LARGE, len(LARGE) - 1)):
            image = self.reserved(data)
            self.plan(faults.TruncatedUpload(after), method='PUT')
            self.end = self.patient(image.id)
            error = self.assertRaises(
                exception.ImageUploadFailed, self.write, data, image)
            self.assertIn('killed', str(error))
            self.check_requests('HEAD 200', 'PUT None', 'PUT 409', 'HEAD 200')
            self.check_status('killed', image)

    def test_wrong_data_of_a_small_image_is_not_sent(self) -> None:
        """Nothing is sent, so that the ID can still be used."""
        size = len(case.DATA)
        image = self.reserved()
        wrong = [(case.DATA[:-1] + b'x', size), (case.DATA[:-1], size),
                 (case.DATA + b'x', size)]
        for data, _ in wrong:
            self.proxy.clear()
            self.assertRaises(exception.ImageUploadFailed, self.write, data,
                              image, case.hashes_of(case.DATA))
            self.check_requests()
            self.check_status('queued', image)
        self.assertEqual('active', self.write(case.DATA, image).status)

    def test_source_that_fails_before_the_upload(self) -> None:
        image = self.reserved(LARGE)
        failure = exception.ImageCorrupt(reason='as planned')
        for data in (b'', case.DATA, LARGE[:upload.HELD - 1]):
            self.proxy.clear()
            self.assertIs(failure, self.assertRaises(
                exception.ImageCorrupt, self.write, data, image,
                error=failure))
            self.check_requests()
            self.check_status('queued', image)
        self.assertEqual('active', self.write(LARGE, image).status)

    def test_source_that_fails_within_the_upload(self) -> None:
        """The ID is lost, but no wrong data is active."""
        for data, error in (
                (LARGE, exception.ImageCorrupt(reason='as planned')),
                (LARGE[:-1] + b'x', None), (LARGE[:-1], None),
                (LARGE[:upload.HELD * 3 // 2],
                 exception.GlanceConnectionFailed(reason='as planned'))):
            image = self.reserved(LARGE)
            self.proxy.clear()
            failed = self.assertRaises(
                type(error or exception.ImageUploadFailed()), self.write,
                data, image, case.hashes_of(LARGE), error=error)
            self.assertIn(image.id, str(failed.left))
            self.check_requests('HEAD 200', 'PUT None')
            self.check_status('killed', image)

    def test_data_of_somebody_else(self) -> None:
        """The answer to the upload is missing, and another one succeeded."""
        image = self.reserved()
        other = case.DATA[::-1]

        def upload_other() -> None:
            self.direct.write(image, case.Pieces(other), {})

        self.end = self.load(self.proxy.url, upload_other)
        self.plan(faults.Status(503), method='PUT')
        self.assertRaises(exception.ImageUploadFailed, self.write, case.DATA,
                          image)
        self.check_requests('HEAD 200', 'PUT 503', 'PUT 409', 'HEAD 200')
        self.assert_data(other, self.raw.data(image.id))

    def test_image_that_is_not_queued(self) -> None:
        image = self.copied()
        self.proxy.clear()
        self.assertRaises(exception.ImageConflict, self.write, case.DATA,
                          image)
        self.check_requests('HEAD 200')
        self.end.delete(image.id)
        self.assertRaises(exception.ImageNotFound, self.write, case.DATA,
                          image)


class OtherTest(_FaultTest):
    """Reading and changing."""

    def test_interrupted_download_is_continued(self) -> None:
        image = self.copied(LARGE)
        self.plan(faults.Reset(len(LARGE) // 2), method='GET')
        self.assert_data(LARGE, b''.join(self.end.read(image)))
        self.check_requests('GET 200', 'GET 200')

    def test_data_that_arrives_wrong(self) -> None:
        image = self.copied()
        self.plan(faults.Corrupt(7), method='GET')
        data = self.end.read(image)
        pieces = iter(data)
        self.assertEqual(len(case.DATA), len(next(pieces)))
        self.assertRaises(exception.ImageCorrupt, next, pieces)
        self.assert_data(case.DATA, b''.join(data))

    def test_lost_answers_to_changes(self) -> None:
        image = self.copied(properties={'a': '1'})
        self.plan(faults.LostAnswer(), method='PUT')
        changed = self.end.change(image, {'properties': {'b': '2'}})
        self.assertEqual({'b': '2'}, changed.properties)
        self.check_requests('PUT None', 'PUT 200')
        members = frozenset((records.Member('p'),))
        self.plan(faults.LostAnswer(), method='PUT')
        self.end.set_members(image.but(visibility='shared'), members)
        self.check_requests('PUT None', 'PUT 204')
        self.plan(faults.LostAnswer(), method='DELETE')
        self.end.delete(image.id)
        self.check_requests('DELETE None', 'DELETE 404')

    def test_listing_that_fails_once(self) -> None:
        image = self.copied()
        self.plan(faults.Status(503), None, faults.Reset(10), method='GET')
        self.assertEqual([image.id], [one.id for one in self.end.images()])
        self.check_requests('GET 503', 'GET 200', 'GET 200', 'GET 200')
