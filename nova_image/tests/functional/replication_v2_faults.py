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


"""The end of a replication for v2, while requests and data go wrong."""

import threading
import typing

from nova_image import exception
from nova_image.replication import ends
from nova_image.replication import record
from nova_image.tests.fixtures import faults
from nova_image.tests.functional import replication_case as case

DATA = case.DATA
HALF = len(DATA) // 2
_IMAGE = '/v2/images/ID'
_PUT = 'PUT %s/file' % _IMAGE
_GET = 'GET ' + _IMAGE
_POST = 'POST /v2/images'


class Faults(case.EndCase):
    """Faults of the connection, of the source, and of others."""

    def reserved(self, **fields: typing.Any) -> record.Record:
        """Reserve an image, and return its record with the size."""
        return self.end.reserve(self.wanted(**fields)).but(size=len(DATA))

    def write(self, image: record.Record,
              *pieces: typing.Any) -> record.Record:
        """Write data in pieces; DATA by default."""
        return self.end.write(
            image, case.Data(*(pieces or (DATA[:HALF], DATA[HALF:]))),
            case.hashes(DATA, 'md5', 'sha512'))

    def assertNotWritten(self, image: record.Record) -> None:
        """Check that an image is queued again, and accepts data.

        It may also be queued because Glance 33 has not yet begun to read the
        request that was cut: then it refuses the next one.
        """
        def is_written() -> bool:
            self.wait_until_queued(image.id)
            try:
                return self.write(image).status == 'active'
            except exception.ImageConflict:
                return False

        self.wait_for(is_written, 'written', 20)
        self.assertBytes(DATA, self.raw.data(image.id))

    # Creation

    def test_a_lost_answer_of_the_creation(self) -> None:
        self.proxy.plan(faults.LostAnswer(), path='/v2/images',
                        method='POST')
        wanted = self.wanted(tags=frozenset('ba'), visibility='shared')
        found = self.assertAsks([_POST, _POST, _GET], self.end.reserve,
                                wanted)
        self.assertEqual(wanted.id, found.replica_of)

    def test_an_error_of_the_creation(self) -> None:
        self.proxy.plan(faults.Status(500), path='/v2/images', method='POST')
        self.assertAsks([_POST], self.end.reserve, self.wanted())

    def test_an_image_that_is_there_already(self) -> None:
        mine = self.wanted()
        self.end.reserve(mine)
        other = self.raw.create(owner='somebody')
        active = self.raw.create(b'abc')
        for wanted in (mine, self.wanted(id=other['id']),
                       self.wanted(id=active['id'])):
            before = self.raw.image(wanted.id)
            error = self.assertRaises(
                exception.ImageConflict, self.assertAsks, [],
                self.end.reserve, wanted)
            self.assertNotIsInstance(error, ends.IdIsBurnt)
            self.assertIn(before['status'], str(error))
            self.assertEqual(before, self.raw.image(wanted.id))

    def test_the_image_of_somebody_else_after_a_lost_answer(self) -> None:
        other = self.raw.create(owner=self.project)
        self.proxy.plan(faults.TruncatedUpload(0), path='/v2/images',
                        method='POST')
        self.assertRaises(exception.ImageConflict, self.end.reserve,
                          self.wanted(id=other['id']))
        self.assertEqual(other, self.raw.image(other['id']))

    def test_a_burnt_id(self) -> None:
        wanted = self.wanted()
        self.end.reserve(wanted)
        self.end.delete(wanted.id)
        self.assertRaises(ends.IdIsBurnt, self.end.reserve, wanted)
        self.assertIsNone(self.end.image(wanted.id))

    # Data

    def test_a_connection_that_is_cut(self) -> None:
        for after in (0, 1, HALF, len(DATA) - 1):
            image = self.reserved()
            self.proxy.plan(faults.TruncatedUpload(after), method='PUT')
            self.assertEqual('active', self.write(image).status)
            self.assertBytes(DATA, self.raw.data(image.id))
        self.assertEqual(0, self.proxy.left)

    def test_a_connection_that_is_cut_without_retries(self) -> None:
        self.end = self.make_end(num_retries=0)
        for after in (0, HALF, len(DATA) - 1):
            image = self.reserved()
            self.proxy.plan(faults.TruncatedUpload(after), method='PUT')
            self.assertRaises(exception.GlanceConnectionFailed, self.write,
                              image)
            self.assertNotWritten(image)

    def test_a_lost_answer_of_the_upload(self) -> None:
        image = self.reserved()
        self.proxy.plan(faults.LostAnswer(), method='PUT')
        found = self.assertAsks([_PUT, _PUT, _GET, _GET], self.write, image)
        self.assertEqual('active', found.status)

    def test_a_lost_answer_and_the_data_of_somebody_else(self) -> None:
        image = self.reserved()
        self.raw.ask('PUT', '/v2/images/%s/file' % image.id, 204,
                     data=DATA[::-1], headers={
                         'Content-Type': 'application/octet-stream'})
        self.proxy.plan(faults.TruncatedUpload(HALF), method='PUT')
        self.assertRaises(exception.ImageUploadFailed, self.write, image)

    def test_wrong_data_of_the_source(self) -> None:
        wrong = DATA[:-1] + b'x'
        for pieces, kind in (
                ((wrong,), exception.ImageUploadFailed),
                ((wrong[:HALF], wrong[HALF:]), exception.ImageUploadFailed),
                ((DATA[:-1],), exception.ImageUploadFailed),
                ((DATA, b'x'), exception.ImageUploadFailed),
                ((DATA, exception.ImageCorrupt()), exception.ImageCorrupt),
                ((DATA[:5], exception.GlanceServerError('the source')),
                 exception.GlanceServerError),
                ((exception.ImageNotFound(),), exception.ImageNotFound)):
            image = self.reserved()
            self.assertRaises(kind, self.write, image, *pieces)
            self.assertNotWritten(image)

    def test_wrong_data_on_its_way(self) -> None:
        image = self.reserved()
        error = self.assertRaises(
            exception.ImageUploadFailed, self.end.write, image.but(
                size=None), case.Data(DATA[:HALF], DATA[HALF:]),
            case.hashes(b'x', 'sha256'))
        self.assertIn('sha256', str(error))
        self.assertNotWritten(image)

    def test_data_in_another_format_than_its_label(self) -> None:
        image = self.reserved(disk_format='qcow2')
        try:
            self.assertEqual('active', self.write(image).status)
        except exception.ImageBadRequest as error:  # Glance 33
            self.assertIn('qcow2', str(error))
            self.wait_until_queued(image.id)

    def test_an_image_that_has_data(self) -> None:
        image = self.reserved()
        self.write(image)
        self.assertRaises(exception.ImageConflict, self.assertAsks, [],
                          self.write, image)
        self.assertEqual('active', self.raw.image(image.id)['status'])

    def test_two_writers(self) -> None:
        image = self.reserved()
        begun, goes_on = threading.Event(), threading.Event()
        self.addCleanup(goes_on.set)
        found = []

        def write() -> None:
            found.append(self.write(image, DATA[:HALF], DATA[HALF:-1],
                                    begun.set, goes_on.wait, DATA[-1:]))

        thread = threading.Thread(target=write)
        thread.start()
        self.addCleanup(thread.join)
        self.assertTrue(begun.wait(60))
        self.wait_for(lambda: self.raw.image(image.id)['status'] == 'saving',
                      'saving')
        self.assertRaises(exception.ImageConflict, self.write, image)
        goes_on.set()
        thread.join()
        self.assertEqual(['active'], [one.status for one in found])
        self.assertBytes(DATA, self.raw.data(image.id))

    def test_a_download_that_is_interrupted(self) -> None:
        image = self.raw.create(DATA)
        source = self.make_end().read(record.Record(
            id=image['id'], status='active'))
        self.proxy.plan(faults.Reset(HALF), None, method='GET')
        found = self.end.write(
            self.reserved(), source, case.hashes(DATA, 'sha512'))
        self.assertBytes(DATA, self.raw.data(found.id))

    def test_a_source_that_is_deleted_during_the_download(self) -> None:
        image, copy = self.raw.create(DATA), self.reserved()
        source = self.make_end(download_retries=0).read(record.Record(
            id=image['id'], status='active'))
        self.proxy.plan(faults.Reset(HALF), method='GET')
        self.assertRaises(exception.GlanceConnectionFailed, self.end.write,
                          copy, source, {})
        self.assertNotWritten(copy)

    # Everything else

    def test_lost_answers_of_changes(self) -> None:
        image = self.reserved(visibility='shared', properties={'a': '1'})
        self.proxy.plan(faults.LostAnswer(), path='/v2/images/',
                        method='PATCH')
        found = self.assertAsks(
            ['PATCH ' + _IMAGE, 'PATCH ' + _IMAGE, _GET], self.end.change,
            image, {'properties': {'b': '2'}})
        self.assertEqual({'b': '2'}, found.properties)
        members = frozenset((record.Member('p', 'accepted'),))
        for method in ('POST', 'PUT'):
            self.proxy.plan(faults.LostAnswer(), path='/members',
                            method=method)
        self.end.set_members(image, members)
        self.assertEqual(members, self.end.members(image))
        self.proxy.plan(faults.LostAnswer(), path='/members',
                        method='DELETE')
        self.end.set_members(image.but(members=members), frozenset())
        self.assertEqual(frozenset(), self.end.members(image))

    def test_lost_answers_of_deactivation_and_deletion(self) -> None:
        image = self.reserved()
        self.write(image)
        for method in ('POST', 'DELETE'):
            self.proxy.plan(faults.LostAnswer(), path=image.id,
                            method=method)
        self.end.deactivate(image.id)
        self.assertEqual('deactivated', self.raw.image(image.id)['status'])
        self.end.delete(image.id)
        self.assertIsNone(self.end.image(image.id))
        self.assertEqual(0, self.proxy.left)

    def test_a_property_that_somebody_else_has_removed(self) -> None:
        image = self.reserved(properties={'a': '1'})
        self.raw.patch(image.id, {'op': 'remove', 'path': '/a'})
        self.assertRaises(exception.ImageConflict, self.end.change, image,
                          {'properties': {}})

    def test_members_that_somebody_else_has_changed(self) -> None:
        image = self.reserved(visibility='shared').but(
            members=frozenset((record.Member('gone', 'pending'),)))
        self.raw.ask('POST', '/v2/images/%s/members' % image.id,
                     json={'member': 'there'})
        members = frozenset((record.Member('there', 'accepted'),))
        self.end.set_members(image, members)
        self.assertEqual(members, self.end.members(image))
