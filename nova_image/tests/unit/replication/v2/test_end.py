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

"""Tests of the end for v2: images that are read and reserved."""

import six

from nova_image import exception
from nova_image.image.v2 import schema
from nova_image.tests.unit import base
from nova_image.tests.unit import recordings
from nova_image.tests.unit.replication import case
from nova_image.tests.unit.replication.v2 import end_case

if six.PY3:
    from nova_image.replication import ends
    from nova_image.replication import record
    from nova_image.replication.v2 import end as v2_end

GLANCE33 = end_case.GLANCE33
OLD = end_case.OLD
NEW = end_case.NEW
ACTIVE = end_case.ACTIVE
QUEUED = end_case.QUEUED
SHARED = end_case.SHARED
ABSENT = end_case.ABSENT
BAD = end_case.BAD
CONFLICT = end_case.CONFLICT
LOCKED = end_case.LOCKED
OK = end_case.OK
DATA = end_case.DATA
SCHEMA = end_case.SCHEMA
IMAGES = end_case.IMAGES
LISTING = IMAGES + '?limit=1000&sort_key=id&sort_dir=asc'
MEMBERS = end_case.MEMBERS
path = end_case.path
page = end_case.page
created = end_case.created
member = end_case.member


class TestReading(end_case.EndTestCase):
    """Images, their members and their data."""

    def test_it_is_found_by_its_entry_point(self):
        self.assertIs(v2_end.EndV2, type(self.end))

    def test_the_title_shows_no_secrets(self):
        self.set(api_servers=['http://user:hidden@glance:9292'])
        found = ends.load(self.conf, self.context)
        self.assertIn('glance:9292', found.title)
        self.assertNotIn('hidden', found.title)

    def test_fields_are_those_of_the_glance(self):
        self.glance.answers(NEW)
        self.assertEqual(ends.FIELDS, self.end.fields)
        self.end._client.knowledge(self.context).forget(schema.IMAGE_SCHEMA)
        self.glance.answers(OLD)
        self.assertEqual(ends.FIELDS - {'hidden'}, self.end.fields)
        self.assert_calls([SCHEMA] * 2)

    def test_images_of_all_visibilities_and_hidden_ones(self):
        first = page('B', 'C').but(next=IMAGES + '?marker=C&limit=2')
        self.glance.answers(NEW, page('A', os_hidden=True), first,
                            page('A', 'D'))
        found = self.assert_asks([
            SCHEMA,
            ('GET', LISTING + '&os_hidden=true&visibility=all'),
            ('GET', LISTING + '&visibility=all'),
            ('GET', LISTING + '&visibility=all&marker=C'),
        ], 'images')
        self.assertEqual([('A', True), ('B', False), ('C', False),
                          ('D', False)],
                         [(one.id, one.hidden) for one in found])
        self.assertEqual([None] * 4, [one.members for one in found])

    def test_images_of_a_glance_without_the_visibility_all(self):
        self.glance.answers(OLD, BAD, page('A'), page('B'))
        two = [('GET', LISTING),
               ('GET', LISTING + '&visibility=community')]
        found = self.assert_asks(
            [SCHEMA, ('GET', LISTING + '&visibility=all')] + two,
            'images')
        self.assertEqual(['A', 'B'], [one.id for one in found])
        self.glance.answers(page(), page())
        self.assertEqual([], self.assert_asks(two, 'images'))

    def test_pages_are_requested_one_by_one(self):
        self.glance.answers(OLD, page('A').but(
            next=LISTING + '&visibility=all&marker=A'))
        self.assertEqual('A', next(self.end.images()).id)
        self.assertEqual(2, len(self.glance.calls))

    def test_an_error_of_a_listing(self):
        self.set(num_retries=0)
        for answer, kind in ((LOCKED, exception.GlanceServerError),
                             (recordings.Answer(413),
                              exception.ImageQuotaExceeded),
                             (recordings.Answer(422), exception.Invalid)):
            self.glance.answers(OLD, answer)
            self.assertRaises(kind, list, self.end.images())
            self.end._client.knowledge(self.context).forget(
                schema.IMAGE_SCHEMA)

    def test_an_image_and_its_members(self):
        self.glance.answers(GLANCE33('show_active'))
        found = self.assert_asks([('GET', path(ACTIVE))], 'image', ACTIVE)
        self.assertEqual((ACTIVE, frozenset()), (found.id, found.members))
        self.glance.answers(
            GLANCE33('show_active').but(id=SHARED, visibility='shared'),
            OK.saying({'members': [member('a'), member('b', 'accepted')]}))
        found = self.assert_asks(
            [('GET', path(SHARED)), ('GET', MEMBERS)], 'image', SHARED)
        self.assertEqual(frozenset((record.Member('a', 'pending'),
                                    record.Member('b', 'accepted'))),
                         found.members)

    def test_no_image(self):
        self.glance.answers(ABSENT)
        self.assertIsNone(self.assert_asks(
            [('GET', path(ACTIVE))], 'image', ACTIVE))

    def test_only_a_shared_image_has_members(self):
        for visibility in ('public', 'private', 'community'):
            self.assertEqual(frozenset(), self.assert_asks(
                [], 'members', case.image(visibility=visibility)))

    def test_data_is_downloaded_by_each_iteration(self):
        data = self.assert_asks([], 'read', case.image(id=ACTIVE))
        for _ in range(2):
            self.glance.answers(GLANCE33('show_active'),
                                OK.changed(content=recordings.DATA))
            self.assertEqual(recordings.DATA, b''.join(data))
        self.assert_calls([('GET', path(ACTIVE)),
                           ('GET', path(ACTIVE, 'file'))] * 2)

    def test_data_that_is_wrong(self):
        self.glance.answers(
            GLANCE33('show_active'),
            OK.changed(content=b'x' * len(recordings.DATA)))
        self.assertRaises(exception.ImageCorrupt, list,
                          self.end.read(case.image(id=ACTIVE)))

    def test_what_fits(self):
        image = case.image(id=ACTIVE, hidden=True)
        self.glance.answers(OLD)
        found = self.assert_asks([SCHEMA], 'fit', image)
        self.assertFalse(found.record.hidden)
        self.assertEqual(found, self.assert_asks([], 'fit', image))


class TestReserving(end_case.EndTestCase):
    """reserve()."""

    def setUp(self):
        super(TestReserving, self).setUp()
        self.wanted = case.image(
            id=QUEUED, visibility='shared', tags=frozenset('ab'),
            protected=True, hidden=True, properties={record.MARKER: 'A'},
            members=frozenset((record.Member('m'),)))
        self.post, self.get = ('POST', IMAGES), ('GET', path(QUEUED))

    def _there(self, **changes):
        """Answer a GET with the image that was sent, and changes."""
        def answer(call):
            sent = next(one for one in self.glance.calls
                        if one.method == 'POST')
            return created(sent).but(**changes).changed(status=200)
        return answer

    def test_an_image_is_reserved(self):
        self.glance.answers(created)
        found = self.assert_asks([self.post], 'reserve', self.wanted)
        self.assertEqual(self.wanted.but(
            status='queued', protected=False, hidden=False, size=None,
            hashes={}, members=frozenset(), created_at=found.created_at,
            updated_at=found.updated_at), found)

    def test_a_lost_answer(self):
        for lost in (base.Lost(), LOCKED):
            self.glance.answers(lost, CONFLICT, self._there())
            found = self.assert_asks([self.post, self.post, self.get],
                                     'reserve', self.wanted)
            self.assertEqual('A', found.replica_of)

    def test_a_lost_answer_without_an_owner(self):
        self.glance.answers(base.Lost(), CONFLICT,
                            self._there(owner='the caller'))
        found = self.assert_asks([self.post, self.post, self.get], 'reserve',
                                 self.wanted.but(owner=None))
        self.assertEqual('the caller', found.owner)

    def test_a_lost_answer_of_the_last_attempt(self):
        self.set(num_retries=0)
        self.glance.answers(base.Lost(), self._there())
        self.assert_asks([self.post, self.get], 'reserve', self.wanted)
        self.glance.answers(base.Lost(), ABSENT)
        self.assert_raises(exception.GlanceConnectionFailed,
                           [self.post, self.get], 'reserve', self.wanted)

    def test_a_request_that_had_no_effect_is_repeated(self):
        self.glance.answers(LOCKED, created)
        self.assert_asks([self.post] * 2, 'reserve', self.wanted)

    def test_names_that_a_database_refuses(self):
        self.set(num_retries=0)
        for names, explained in ((('a', 'A'), True), (('a', 'b'), False)):
            self.glance.answers(LOCKED, ABSENT)
            error = self.assert_raises(
                exception.GlanceServerError, [self.post, self.get],
                'reserve', self.wanted.but(
                    properties=dict.fromkeys(names, 'x')))
            self.assertEqual(explained, 'MySQL' in six.text_type(error))

    def test_the_image_of_somebody_else(self):
        for changes in ({record.MARKER: 'B'}, {'status': 'saving'},
                        {'name': 'x'}, {'owner': 'x'}, {'tags': []},
                        {'another': 'property'}, {'visibility': 'private'}):
            self.glance.answers(base.Lost(), CONFLICT,
                                self._there(**changes))
            error = self.assert_raises(
                exception.ImageConflict, [self.post, self.post, self.get],
                'reserve', self.wanted)
            self.assertNotIsInstance(error, ends.IdIsBurnt)

    def test_an_equal_image_that_this_call_has_not_created(self):
        self.glance.answers(CONFLICT, self._there())
        error = self.assert_raises(
            exception.ImageConflict, [self.post, self.get], 'reserve',
            self.wanted)
        self.assertIn('is queued and belongs to me', six.text_type(error))

    def test_an_image_without_marker_is_not_recognised(self):
        self.glance.answers(base.Lost(), CONFLICT, self._there())
        self.assert_raises(
            exception.ImageConflict, [self.post, self.post, self.get],
            'reserve', self.wanted.but(properties={}))

    def test_a_burnt_id(self):
        self.glance.answers(CONFLICT, ABSENT)
        error = self.assert_raises(ends.IdIsBurnt, [self.post, self.get],
                                   'reserve', self.wanted)
        self.assertEqual((QUEUED, 409), (error.image_id, error.status))
        self.assertIn('new ID', six.text_type(error))

    def test_other_errors(self):
        for status, kind in ((413, exception.ImageQuotaExceeded),
                             (403, exception.Forbidden),
                             (400, exception.Invalid)):
            self.glance.answers(recordings.Answer(status))
            self.assert_raises(kind, [self.post], 'reserve', self.wanted)
