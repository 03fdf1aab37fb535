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

"""The end of a replication for the Images API v1: its requests."""

import mock
import six

from nova_image import exception
from nova_image.tests.unit import base
from nova_image.tests.unit.image import glance_case
from nova_image.tests.unit import recordings
from nova_image.tests.unit.replication import case

if six.PY3:
    from nova_image.replication import ends
    from nova_image.replication import record
    from nova_image.replication.v1 import end

GLANCE15 = glance_case.GLANCE15
ACTIVE, QUEUED = recordings.ACTIVE, recordings.QUEUED
DATA = recordings.DATA
MARKER = 'x-image-meta-property-nova_image_replica_of'


class EndTestCase(glance_case.DriverTestCase):
    """A test of an end, ``self.end``."""

    def setUp(self):
        super(EndTestCase, self).setUp()
        if six.PY2:
            self.skipTest('replication requires Python 3.9')
        self.end = end.EndV1(self.service, self.context)

    def image(self, **fields):
        """Return a record with the marker."""
        return case.image(**dict({
            'id': ACTIVE, 'owner': 'a-project', 'size': len(DATA),
            'properties': {record.MARKER: ACTIVE}}, **fields))

    def refused(self, kind, method, *args):
        """Return the error that a method of the end raises."""
        return self.assertRaises(kind, getattr(self.end, method), *args)


class TestEnd(EndTestCase):
    """What the end says of itself."""

    def test_title_has_no_secrets(self):
        self.assertEqual('http://glance:9292 (Images API v1)', self.end.title)
        for options, shown in (
                ({'endpoint_override': 'http://me:secret@g'}, '@g'),
                ({'region_name': 'Here'}, 'Here'), ({}, 'Glance')):
            self.conf = self.new_conf(use_glance_v1=True, **options)
            title = end.EndV1(self.driver(), self.context).title
            self.assertIn(shown, title)
            self.assertNotIn('secret', title)

    def test_it_is_loaded_by_its_entry_point(self):
        self.assertIsInstance(ends.load(self.conf, self.context), end.EndV1)

    def test_fields(self):
        self.assertEqual({'tags', 'hidden'}, ends.FIELDS - self.end.fields)
        self.assertEqual({'active'}, self.end.readable)

    def test_deactivate(self):
        self.refused(exception.ImageActionNotSupported, 'deactivate', ACTIVE)


class TestOverlap(EndTestCase):
    """overlaps()."""

    def test_all_images(self):
        for visibility in ('public', 'private'):
            self.assertTrue(self.end.overlaps(case.image(
                visibility=visibility)))


class TestShow(EndTestCase):
    """images(), image() and members()."""

    LIST = glance_case.IMAGES + (
        '/detail?is_public=none&sort_key=id&sort_dir=asc&limit=1000')
    NEARBY = (glance_case.IMAGES + '/detail?is_public=none'
              '&sort_key=updated_at&sort_dir=asc'
              '&changes-since=2026-11-21T02%3A16%3A27Z')

    def test_images(self):
        listed = [one['id'] for one in GLANCE15('list').json['images']]
        self.glance.answers(GLANCE15('list'), GLANCE15('list_none'))
        self.assertEqual(listed, [one.id for one in self.end.images()])
        self.assert_calls([('GET', self.LIST), (
            'GET', '%s&marker=%s' % (self.LIST, listed[-1]))])

    def test_images_are_yielded_page_by_page(self):
        self.glance.answers(GLANCE15('list'))
        next(self.end.images())
        self.assert_calls([('GET', self.LIST)])

    def test_image_with_members(self):
        self.glance.answers(GLANCE15('show_active'), GLANCE15('list'),
                            GLANCE15('members_200'))
        found = self.end.image(ACTIVE)
        self.assertEqual(('shared', {record.Member('another-project')}),
                         (found.visibility, found.members))
        self.assert_calls([('HEAD', glance_case.path(ACTIVE)),
                           ('GET', self.NEARBY + '&size_min=100&size_max=100'
                            '&limit=20'),
                           ('GET', glance_case.path(ACTIVE, 'members'))])

    def test_image_as_it_was_listed_is_not_listed_again(self):
        self.glance.answers(GLANCE15('list'), GLANCE15('list_none'))
        image, = (one for one in self.end.images() if one.id == ACTIVE)
        del self.glance.calls[:]
        self.glance.answers(GLANCE15('show_active'), GLANCE15('members_200'))
        found = self.end.again(image)
        self.assertEqual(image.but(
            visibility='shared',
            members=frozenset({record.Member('another-project')})), found)
        self.assert_calls([('HEAD', glance_case.path(ACTIVE)),
                           ('GET', glance_case.path(ACTIVE, 'members'))])

    def test_image_that_has_changed_since_it_was_listed(self):
        self.glance.answers(GLANCE15('list'), GLANCE15('list_none'))
        image, = (one for one in self.end.images() if one.id == ACTIVE)
        for changes in ({'name': 'another'}, {'min_ram': 9},
                        {'properties': {}}, {'visibility': 'public'},
                        {'hashes': {'md5': 'another'}}, {'updated_at': None}):
            del self.glance.calls[:]
            self.glance.answers(GLANCE15('show_active'), GLANCE15('list'),
                                GLANCE15('members_200'))
            self.assertEqual(image.name,
                             self.end.again(image.but(**changes)).name)
            self.assert_calls([
                ('HEAD', glance_case.path(ACTIVE)),
                ('GET', self.NEARBY + '&size_min=100&size_max=100&limit=20'),
                ('GET', glance_case.path(ACTIVE, 'members'))])

    def test_image_that_is_gone_since_it_was_listed(self):
        self.glance.answers(GLANCE15('show_404'), GLANCE15('show_deleted'))
        self.assertIsNone(self.end.again(self.image(id=QUEUED)))
        self.assertEqual('deleted',
                         self.end.again(self.image(id=QUEUED)).status)

    def test_image_is_shown_as_it_is_listed(self):
        raw = next(one for one in GLANCE15('list').json['images']
                   if one['id'] == ACTIVE)
        raw['properties'] = {'Mixed': ' x', 'empty': None}
        self.glance.answers(GLANCE15('show_active'),
                            GLANCE15('list').but(images=[raw]),
                            GLANCE15('members_200'))
        self.assertEqual({'Mixed': ' x', 'empty': ''},
                         self.end.image(ACTIVE).properties)

    def test_many_images_that_changed_in_the_same_second(self):
        raw = GLANCE15('list').json['images'][0]
        page = [dict(raw, id='%d' % number) for number in range(20)]
        self.glance.answers(GLANCE15('show_queued'),
                            GLANCE15('list').but(images=page),
                            GLANCE15('list_none'), GLANCE15('members_200'))
        self.assertEqual('queued', self.end.image(QUEUED).status)
        self.assert_calls([('HEAD', glance_case.path(QUEUED)),
                           ('GET', self.NEARBY + '&limit=20'),
                           ('GET', self.LIST),
                           ('GET', glance_case.path(QUEUED, 'members'))])

    def test_image_without_members(self):
        for public in (True, False):
            self.glance.answers(GLANCE15('show_active').changed(headers={
                'X-Image-Meta-Is_public': str(public)}), GLANCE15('list_none'))
            if not public:
                self.glance.answers(GLANCE15('members_200').saying(
                    {'members': []}))
            found = self.end.image(ACTIVE)
            self.assertEqual(
                ('public' if public else 'private', frozenset()),
                (found.visibility, found.members))

    def test_deleted_and_missing(self):
        self.glance.answers(GLANCE15('show_deleted'), GLANCE15('show_404'))
        self.assertEqual('deleted', self.end.image(QUEUED).status)
        self.assertIsNone(self.end.image(ACTIVE))
        self.assert_calls([('HEAD', glance_case.path(QUEUED)),
                           ('HEAD', glance_case.path(ACTIVE))])

    def test_incomplete_headers(self):
        broken = recordings.Answer(headers={'X-Image-Meta-Id': ACTIVE})
        self.glance.answers(broken, GLANCE15('list'), GLANCE15('list'),
                            GLANCE15('members_200'))
        self.assertEqual('shared', self.end.image(ACTIVE).visibility)
        self.glance.answers(broken, GLANCE15('list_none'))
        self.assertIsNone(self.end.image(ACTIVE))

    def test_incomplete_headers_of_an_image_that_was_listed(self):
        broken = recordings.Answer(headers={'X-Image-Meta-Id': ACTIVE})
        self.glance.answers(GLANCE15('list'), GLANCE15('list_none'))
        image, = (one for one in self.end.images() if one.id == ACTIVE)
        del self.glance.calls[:]
        self.glance.answers(broken, GLANCE15('list'),
                            GLANCE15('members_200'))
        self.assertEqual('shared', self.end.again(image).visibility)
        self.assert_calls([('HEAD', glance_case.path(ACTIVE)),
                           ('GET', self.NEARBY + '&size_min=100&size_max=100'
                            '&limit=20'),
                           ('GET', glance_case.path(ACTIVE, 'members'))])
        del self.glance.calls[:]
        self.glance.answers(broken, GLANCE15('list_none'), GLANCE15('list'),
                            GLANCE15('members_200'))
        self.assertEqual('shared', self.end.again(image).visibility)
        self.assertIn(('GET', self.LIST), [
            (call.method, call.path) for call in self.glance.calls])

    def test_only_a_shared_image_has_members(self):
        for visibility in ('public', 'private'):
            self.assertEqual(frozenset(), self.end.members(
                self.image(visibility=visibility)))
        self.assert_calls([])


class TestRead(EndTestCase):
    """read() verifies the data by what was listed."""

    def test_data_is_verified_by_the_record(self):
        download = GLANCE15('download_200')
        bare = recordings.Answer(content=download.content)
        wrong = recordings.Answer(content=download.content[:-1] + b'x')
        md5 = download.headers['X-Image-Meta-Checksum']
        data = self.end.read(self.image(hashes={'md5': md5, 'sha512': 'aa'}))
        self.assertEqual({'md5': md5}, ends.hashes_of(data))
        self.glance.answers(bare, wrong)
        self.assertEqual(DATA, b''.join(data))
        self.assertRaises(exception.ImageCorrupt, list, data)
        self.assert_calls([('GET', glance_case.path(ACTIVE))] * 2)

    def test_image_is_not_looked_at_again_after_a_short_download(self):
        answer = GLANCE15('download_200')
        self.glance.answers(answer, GLANCE15('list'), GLANCE15('members_200'))
        list(self.end.read(self.image(hashes={})))
        self.assertEqual('shared', self.end.again(self.image()).visibility)
        methods = [call.method for call in self.glance.calls]
        self.assertEqual(['GET'] * 3, methods)

    def test_image_is_looked_at_again_after_a_long_download(self):
        self.glance.answers(GLANCE15('download_200'), GLANCE15('show_404'))
        with mock.patch.object(end, 'time') as clock:
            clock.monotonic.return_value = 5.0
            list(self.end.read(self.image(hashes={})))
            clock.monotonic.return_value = 6.0
            self.assertIsNone(self.end.again(self.image()))

    def test_status_without_data(self):
        for status in ('deactivated', 'queued', 'killed'):
            data = self.end.read(self.image(status=status))
            self.assertRaises(exception.ImageUnacceptable, iter, data)
        self.assert_calls([])


class TestFit(EndTestCase):
    """Formats are asked for if this Glance receives data."""

    def test_fit_makes_no_request(self):
        self.assertIsNone(self.end.fit(self.image()).refusal)
        self.assert_calls([])

    def test_formats_are_asked_for_once(self):
        self.glance.answers(GLANCE15('create_400'), GLANCE15('show_404'),
                            GLANCE15('update_403'))
        for _ in range(2):
            self.assertIn('none-such', self.end.fit(
                self.image(disk_format='none-such')).data_refusal())
            self.assertIsNone(self.end.fit(self.image()).data_refusal())
            self.assertIsNone(self.end.fit(self.image(
                disk_format='qcow2')).data_refusal())
        self.assertEqual(['PUT'] * 3, [
            call.method for call in self.glance.calls])
        self.assertEqual(3, len({call.path for call in self.glance.calls}))
        self.assertEqual({'disk_format': 'none-such',
                          'container_format': 'bare'}, self.sent_meta())

    def test_a_glance_that_does_not_answer_is_no_refusal(self):
        self.set(num_retries=0)
        self.glance.answers(base.Lost(), GLANCE15('show_404'))
        self.assertRaises(exception.GlanceConnectionFailed,
                          self.end.fit(self.image()).data_refusal)
        self.assertIsNone(self.end.fit(self.image()).data_refusal())


class TestReserve(EndTestCase):
    """reserve() sends what v1 holds, and tells taken IDs from lost ones."""

    POST = ('POST', glance_case.IMAGES)
    HEAD = ('HEAD', glance_case.path(ACTIVE))

    def _shown(self, status, replica_of=None):
        headers = {'X-Image-Meta-Id': ACTIVE, 'X-Image-Meta-Status': status}
        if replica_of:
            headers[MARKER] = replica_of
        return GLANCE15('show_queued').changed(headers=headers)

    def test_what_is_sent(self):
        self.glance.answers(GLANCE15('create_201'))
        made = self.end.reserve(self.image(
            visibility='public', protected=True, min_disk=2,
            hashes={'md5': 'aa'}))
        self.assertEqual('queued', made.status)
        self.assert_calls([self.POST])
        self.assertEqual({
            'id': ACTIVE, 'name': 'disk', 'owner': 'a-project',
            'disk_format': 'raw', 'container_format': 'bare',
            'is_public': 'False', 'protected': 'False', 'min_disk': '2',
            'min_ram': '0', 'property-nova_image_replica_of': ACTIVE},
            self.sent_meta())

    def test_an_image_that_needs_no_data(self):
        self.glance.answers(glance_case.about(
            ACTIVE, GLANCE15('create_empty_201')))
        made = self.end.reserve(self.image(size=0, disk_format=None))
        self.assertEqual('active', made.status)
        self.assertEqual('0', self.sent_meta()['size'])
        self.assertEqual(0, self.end.write(made, [], {}).size)
        self.assert_calls([self.POST])

    def test_taken(self):
        for status in ('queued', 'active', 'saving'):
            self.glance.answers(GLANCE15('create_409'),
                                self._shown(status, ACTIVE))
            error = self.refused(exception.ImageConflict, 'reserve',
                                 self.image())
            self.assertNotIsInstance(error, ends.IdIsBurnt)
        self.assert_calls([self.POST, self.HEAD] * 3)

    def test_taken_by_one_that_is_not_shown(self):
        self.glance.answers(GLANCE15('create_409'), GLANCE15('show_404'))
        error = self.refused(exception.ImageConflict, 'reserve', self.image())
        self.assertNotIsInstance(error, ends.IdIsBurnt)

    def test_burnt(self):
        deleted = GLANCE15('show_deleted').changed(
            headers={'X-Image-Meta-Id': ACTIVE})
        for found in (deleted, self._shown('killed', ACTIVE)):
            self.glance.answers(GLANCE15('create_409'), found)
            error = self.refused(ends.IdIsBurnt, 'reserve', self.image())
            self.assertEqual(409, error.status)

    def test_lost_answer(self):
        for found, kind in (
                (self._shown('queued', ACTIVE), None),
                (self._shown('queued', QUEUED), exception.ImageConflict),
                (self._shown('queued'), exception.ImageConflict),
                (self._shown('saving', ACTIVE), exception.ImageConflict)):
            self.glance.answers(base.Lost(), GLANCE15('create_409'), found)
            if kind is None:
                made = self.end.reserve(self.image())
                self.assertEqual('queued', made.status)
            else:
                self.glance.answers(found)
                self.refused(kind, 'reserve', self.image())

    def test_an_error_says_what_may_be_left(self):
        self.set(num_retries=0)
        self.glance.answers(base.Lost())
        error = self.refused(exception.GlanceConnectionFailed, 'reserve',
                             self.image())
        self.assertIn(ACTIVE, error.left)

    def test_another_owner(self):
        self.glance.answers(GLANCE15('create_201'))
        error = self.refused(exception.ImageNotAuthorized, 'reserve',
                             self.image(owner='another'))
        self.assertIn(ACTIVE, error.left)


class TestCreate(EndTestCase):
    """create() makes one request, once the owner is known to be kept."""

    POST = ('POST', glance_case.IMAGES)
    HEAD = ('HEAD', glance_case.path(ACTIVE))

    def setUp(self):
        super(TestCreate, self).setUp()
        self.set(num_retries=1)

    def _reserve_another(self):
        """Show that the target gives images the wanted owner."""
        self.glance.answers(glance_case.about(QUEUED, GLANCE15('create_201')))
        self.end.reserve(self.image(id=QUEUED))
        del self.glance.calls[:]

    def _create(self, hashes=None):
        return self.end.create(self.image(), [DATA], hashes or {})

    def _shown(self, status='active', **headers):
        return GLANCE15('show_active').changed(headers=dict({
            'X-Image-Meta-Status': status, MARKER: ACTIVE}, **headers))

    def test_first_image_is_reserved(self):
        self.assertIsNone(self._create())
        self._reserve_another()
        self.assertIsNone(self.end.create(
            self.image(size=0, disk_format=None), [], {}))
        self.assert_calls([])

    def test_one_request(self):
        self._reserve_another()
        self.glance.answers(GLANCE15('upload_200'))
        found = self._create()
        self.assertEqual(('active', len(DATA), {'md5'}, frozenset()),
                         (found.status, found.size, set(found.hashes),
                          found.members))
        self.assert_calls([self.POST])
        self.assertEqual(DATA, self.glance.calls[0].body)
        sent = self.sent_meta(0)
        self.assertEqual((ACTIVE, 'False', 'False', ACTIVE), (
            sent['id'], sent['is_public'], sent['protected'],
            sent['property-nova_image_replica_of']))

    def test_a_member_whose_project_owns_the_first_image(self):
        """The owner of that one does not show that others are kept."""
        self._reserve_another()
        self.assertIsNone(self.end.create(
            self.image(owner='another'), [DATA], {}))
        self.assert_calls([])

    def test_two_owners_show_that_all_are_kept(self):
        self._reserve_another()
        answer = GLANCE15('create_201')
        self.glance.answers(answer.but(image=dict(
            answer.json['image'], owner='another')))
        self.end.reserve(self.image(owner='another'))
        answer = GLANCE15('upload_200')
        self.glance.answers(answer.but(image=dict(
            answer.json['image'], owner='third')))
        found = self.end.create(self.image(owner='third'), [DATA], {})
        self.assertEqual('third', found.owner)

    def test_an_owner_that_is_no_longer_kept(self):
        """Such as after the administrator has lost a role."""
        self._reserve_another()
        answer = GLANCE15('upload_200')
        self.glance.answers(answer.but(image=dict(
            answer.json['image'], owner='another')))
        error = self.assertRaises(exception.ImageNotAuthorized, self._create)
        self.assertIn(ACTIVE, error.left)

    def test_wrong_data_creates_nothing(self):
        self._reserve_another()
        self.assertRaises(exception.ImageUploadFailed, self._create,
                          {'md5': 'aa'})
        self.assert_calls([])

    def test_glance_has_other_data(self):
        self._reserve_another()
        for changes in ({'checksum': 'aa'}, {'size': len(DATA) - 1}):
            answer = GLANCE15('upload_200')
            self.glance.answers(answer.but(image=dict(
                answer.json['image'], **changes)))
            error = self.assertRaises(exception.ImageUploadFailed,
                                      self._create)
            self.assertIn(ACTIVE, error.left)

    def test_lost_answer(self):
        self._reserve_another()
        checksum = GLANCE15('upload_200').json['image']['checksum']
        known = {'X-Image-Meta-Checksum': checksum}
        self.glance.answers(base.Lost(), GLANCE15('create_409'),
                            self._shown(**known))
        self.assertEqual('active', self._create().status)
        self.assert_calls([self.POST, self.POST, self.HEAD])
        for shown in (self._shown(**{MARKER: QUEUED}), self._shown('queued'),
                      self._shown(**{'X-Image-Meta-Size': '3'})):
            self.glance.answers(base.Lost(), GLANCE15('create_409'), shown,
                                shown)
            self.assertRaises(exception.ImageConflict, self._create)
        self.glance.answers(base.Lost(), GLANCE15('create_409'), self._shown(
            **{'X-Image-Meta-Checksum': 'aa'}))
        self.assertRaises(exception.ImageUploadFailed, self._create)

    def test_interrupted_upload_burns_the_id(self):
        self._reserve_another()
        killed = self._shown('killed')
        self.glance.answers(base.Lost(), GLANCE15('create_409'), killed,
                            killed)
        self.assertRaises(ends.IdIsBurnt, self._create)

    def test_upload_that_glance_still_works_on(self):
        self._reserve_another()
        self.set(num_retries=2)
        saving = self._shown('saving')
        checksum = GLANCE15('upload_200').json['image']['checksum']
        self.glance.answers(
            base.Lost(), GLANCE15('create_409'), saving,
            GLANCE15('create_409'),
            self._shown(**{'X-Image-Meta-Checksum': checksum}))
        self.assertEqual('active', self._create().status)
        self.assert_calls([self.POST, self.POST, self.HEAD] + [
            self.POST, self.HEAD])


class TestWrite(EndTestCase):
    """write() sends only the data."""

    CALLS = [('HEAD', glance_case.path(ACTIVE)),
             ('PUT', glance_case.path(ACTIVE))]

    def _queued(self):
        return GLANCE15('show_queued').changed(
            headers={'X-Image-Meta-Id': ACTIVE})

    def test_nothing_that_may_be_wrong_is_sent(self):
        self.glance.answers(self._queued(), GLANCE15('upload_200'))
        found = self.end.write(self.image(status='queued'), [DATA], {})
        self.assertEqual(('active', len(DATA), {'md5'}),
                         (found.status, found.size, set(found.hashes)))
        self.assert_calls(self.CALLS)
        self.assertEqual({}, self.sent_meta(1))
        self.assertEqual('False', self.purge(1))
        self.assertEqual(DATA, self.glance.calls[1].body)

    def test_glance_has_other_data(self):
        self.set(verify_uploads=False)
        for checksum, size in (('aa', len(DATA)), (None, len(DATA) - 1)):
            answer = GLANCE15('upload_200')
            answer = answer.but(image=dict(
                answer.json['image'], checksum=checksum, size=size))
            self.glance.answers(self._queued(), answer)
            self.refused(exception.ImageUploadFailed, 'write',
                         self.image(status='queued'), [DATA], {})

    def test_wrong_data_is_not_sent(self):
        self.refused(exception.ImageUploadFailed, 'write', self.image(),
                     [DATA], {'md5': 'aa'})
        self.assert_calls([])


class TestChange(EndTestCase):
    """change(), set_members() and delete()."""

    PUT = ('PUT', glance_case.path(ACTIVE))

    def test_properties_are_replaced_as_a_whole(self):
        for fields, purge in (({'name': None, 'protected': False}, 'False'),
                              ({'properties': {'a': '1'}}, 'True'),
                              ({'properties': {}}, 'True')):
            self.glance.answers(glance_case.about(
                ACTIVE, GLANCE15('update_200')))
            self.assertEqual(ACTIVE, self.end.change(
                self.image(), fields).id)
            self.assertEqual(purge, self.purge(-1))
        self.assert_calls([self.PUT] * 3)
        self.assertEqual({'name': '', 'protected': 'False'}, self.sent_meta())

    def test_members(self):
        self.glance.answers(GLANCE15('member_204'))
        self.end.set_members(self.image(), frozenset((
            record.Member('b'), record.Member('a', 'pending'))))
        self.assert_calls([('PUT', glance_case.path(ACTIVE, 'members'))])
        self.assertEqual({'memberships': [{'member_id': 'a'},
                                          {'member_id': 'b'}]},
                         self.sent_json(0))

    def test_delete(self):
        self.glance.answers(GLANCE15('delete_200'), GLANCE15('delete_404'),
                            GLANCE15('delete_403'))
        self.end.delete(ACTIVE)
        self.end.delete(ACTIVE)
        self.refused(exception.ImageNotAuthorized, 'delete', ACTIVE)
        self.assert_calls([('DELETE', glance_case.path(ACTIVE))] * 3)
