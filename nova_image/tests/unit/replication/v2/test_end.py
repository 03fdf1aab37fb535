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

"""Tests of the end for v2, against scripted answers of real Glances."""

import hashlib

import six

from nova_image import exception
from nova_image.image.v2 import schema
from nova_image.tests.unit import base
from nova_image.tests.unit import recordings
from nova_image.tests.unit.replication import case

if six.PY3:
    from nova_image.replication import ends
    from nova_image.replication import record
    from nova_image.replication.v2 import end as v2_end

GLANCE15 = recordings.load('v2_glance15')
GLANCE33 = recordings.load('v2_glance33')
OLD = GLANCE15('schema_200')
NEW = recordings.load('v2_locations33')('schema_200')
ACTIVE, QUEUED, SHARED = (recordings.ACTIVE, recordings.QUEUED,
                          recordings.SHARED)
ABSENT = recordings.Answer(404)
BAD = recordings.Answer(400)
CONFLICT = recordings.Answer(409)
LOCKED = recordings.Answer(500)
NO_CONTENT = recordings.Answer(204)
OK = recordings.Answer(200)
DATA = b'abcdef'
SCHEMA = ('GET', '/v2/schemas/image')
IMAGES = '/v2/images'
MEMBERS = '%s/%s/members' % (IMAGES, SHARED)


def path(image_id, *rest):
    """Return the path of an image."""
    return '/'.join((IMAGES, image_id) + rest)


def page(*names, **changes):
    """Return a page of a listing, of images with these IDs."""
    raw = GLANCE33('show_queued').json
    return GLANCE33('list_none').saying({
        'images': [dict(raw, id=name, **changes) for name in names]})


def created(call):
    """Answer a POST as Glance does: with what was sent, and more."""
    sent = recordings.Answer(content=call.body).json
    return GLANCE33('show_queued').saying(dict(
        {name: value for name, value in GLANCE33('show_queued').json.items()
         if name not in ('description',)}, **sent)).changed(status=201)


def member(name, status='pending'):
    """Return the JSON of a member."""
    return {'member_id': name, 'status': status, 'image_id': SHARED}


class EndTestCase(case.TestCase, base.TestCase):
    """Base class: ``end`` is the end."""

    def setUp(self):
        super(EndTestCase, self).setUp()
        self.context.is_admin = True
        self.end = ends.load(self.conf, self.context,
                             sleep=self.waits.append)

    def assert_asks(self, expected, method, *args):
        """Assert the requests of a call since the last; return its result."""
        del self.glance.calls[:]
        found = getattr(self.end, method)(*args)
        if method == 'images':
            found = list(found)
        self.assert_calls(expected)
        return found

    def assert_raises(self, kind, expected, method, *args):
        """Assert the requests of a call that raises; return the error."""
        del self.glance.calls[:]
        error = self.assertRaises(kind, getattr(self.end, method), *args)
        self.assert_calls(expected)
        return error


class TestReading(EndTestCase):
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
            ('GET', IMAGES + '?limit=1000&os_hidden=true&visibility=all'),
            ('GET', IMAGES + '?limit=1000&visibility=all'),
            ('GET', IMAGES + '?limit=1000&visibility=all&marker=C'),
        ], 'images')
        self.assertEqual([('A', True), ('B', False), ('C', False),
                          ('D', False)],
                         [(one.id, one.hidden) for one in found])
        self.assertEqual([None] * 4, [one.members for one in found])

    def test_images_of_a_glance_without_the_visibility_all(self):
        self.glance.answers(OLD, BAD, page('A'), page('B'))
        two = [('GET', IMAGES + '?limit=1000'),
               ('GET', IMAGES + '?limit=1000&visibility=community')]
        found = self.assert_asks(
            [SCHEMA, ('GET', IMAGES + '?limit=1000&visibility=all')] + two,
            'images')
        self.assertEqual(['A', 'B'], [one.id for one in found])
        self.glance.answers(page(), page())
        self.assertEqual([], self.assert_asks(two, 'images'))

    def test_pages_are_requested_one_by_one(self):
        self.glance.answers(OLD, page('A').but(
            next=IMAGES + '?limit=1000&visibility=all&marker=A'))
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


class TestReserving(EndTestCase):
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


class TestWriting(EndTestCase):
    """write()."""

    def setUp(self):
        super(TestWriting, self).setUp()
        self.set(num_retries=1)
        self.wanted = case.image(id=QUEUED, size=len(DATA))
        self.hashes = {'md5': hashlib.md5(DATA).hexdigest()}
        self.shown = GLANCE33('show_queued').but(
            status='active', size=len(DATA), visibility='private',
            checksum=self.hashes['md5'], os_hash_algo='sha512',
            os_hash_value=hashlib.sha512(DATA).hexdigest())
        self.put, self.get = ('PUT', path(QUEUED, 'file')), (
            'GET', path(QUEUED))

    def _write(self, *answers, **options):
        self.glance.answers(*answers)
        return self.end.write(
            self.wanted, options.get('data', [DATA[:3], DATA[3:]]),
            options.get('hashes', self.hashes), options.get('progress'))

    def test_data_is_sent_and_verified(self):
        progress = []
        found = self._write(
            NO_CONTENT, self.shown, progress=progress.append, hashes=dict(
                self.hashes, sha256=hashlib.sha256(DATA).hexdigest()))
        self.assert_calls([self.put, self.get])
        sent = self.glance.calls[0]
        self.assertEqual((DATA, '6', '6'), (
            sent.body, sent.headers['x-openstack-image-size'],
            sent.headers['content-length']))
        self.assertEqual(
            {name: hashlib.new(name, DATA).hexdigest()
             for name in ('md5', 'sha256', 'sha512')}, found.hashes)
        self.assertEqual([3, 6], progress)
        self.assertEqual(('active', frozenset()),
                         (found.status, found.members))

    def test_members_of_a_shared_image_are_not_known(self):
        found = self._write(NO_CONTENT, self.shown.but(visibility='shared'))
        self.assertIsNone(found.members)

    def test_the_hash_that_glance_records_is_computed(self):
        self.set(verify_uploads=False)  # that is for other uploads
        shown = self.shown.but(os_hash_algo='sha256', checksum=None,
                               os_hash_value='00')
        self._write(NO_CONTENT, shown)  # nothing to compare
        error = self.assertRaises(exception.ImageUploadFailed, self._write,
                                  NO_CONTENT, shown)
        self.assertIn('sha256', six.text_type(error))

    def test_other_data_at_the_target(self):
        for changes in ({'size': 5}, {'os_hash_value': '00'},
                        {'os_hash_algo': None, 'checksum': '00'}):
            self.assertRaises(exception.ImageUploadFailed, self._write,
                              NO_CONTENT, self.shown.but(**changes))

    def test_wrong_data_is_not_sent_completely(self):
        error = self.assertRaises(
            exception.ImageUploadFailed, self._write, NO_CONTENT,
            hashes={'md5': hashlib.md5(b'x').hexdigest()})
        self.assertIsNone(error.left)
        self.assertEqual([DATA[:3]], [call.body
                                      for call in self.glance.calls])
        self.assertEqual([], self.waits)

    def test_an_error_of_the_source(self):
        mine = exception.GlanceServerError('mine')

        def data():
            yield DATA[:3]
            yield DATA[3:]
            raise mine

        self.assertIs(mine, self.assertRaises(
            exception.GlanceServerError, self._write, NO_CONTENT,
            data=data()))
        self.assertEqual([DATA[:3]], [call.body
                                      for call in self.glance.calls])

    def test_a_lost_answer(self):
        self._write(base.Lost(), CONFLICT, self.shown, self.shown)
        self.assert_calls([self.put] * 2 + [self.get] * 2)

    def test_a_lost_answer_and_the_data_of_somebody_else(self):
        shown = self.shown.but(os_hash_value='00')
        self.assertRaises(exception.ImageUploadFailed, self._write,
                          base.Lost(), CONFLICT, shown, shown)

    def test_a_cut_connection(self):
        self._write(base.Lost(pieces=1), NO_CONTENT, self.shown)
        self.assertEqual([DATA[:3], DATA, b''],
                         [call.body for call in self.glance.calls])

    def test_another_writer(self):
        self.assertRaises(exception.ImageConflict, self._write, CONFLICT)
        self.assert_calls([self.put])


class TestChanging(EndTestCase):
    """Metadata, members and states."""

    def setUp(self):
        super(TestChanging, self).setUp()
        self.set(num_retries=1)
        self.raw = GLANCE33('show_active').but(
            id=SHARED, visibility='shared', name='a')
        self.glance.answers(self.raw, OK.saying({'members': [
            member('a', 'accepted'), member('b'), member('c')]}))
        self.shared = self.end.image(SHARED)
        self.patch = ('PATCH', path(SHARED))

    def _set_members(self, expected, *members):
        self.assert_asks(expected, 'set_members', self.shared, frozenset(
            record.Member(*one) for one in members))

    def test_only_changes_are_sent(self):
        self.glance.answers(self.raw.but(name='b'))
        found = self.assert_asks([self.patch], 'change', self.shared, {
            'name': 'b', 'visibility': 'shared', 'tags': self.shared.tags})
        self.assertEqual([{'op': 'replace', 'path': '/name', 'value': 'b'}],
                         self.sent_json(0))
        self.assertEqual(self.shared.but(name='b'), found)

    def test_no_change_is_no_request(self):
        self.assertIs(self.shared, self.assert_asks(
            [], 'change', self.shared, {'name': 'a'}))

    def test_members_after_a_change_of_visibility(self):
        for before, after, known in (('shared', 'public', frozenset()),
                                     ('private', 'shared', None)):
            self.glance.answers(self.raw.but(visibility=after))
            found = self.end.change(self.shared.but(visibility=before),
                                    {'visibility': after})
            self.assertEqual(known, found.members)

    def test_computed_hashes_are_kept(self):
        self.glance.answers(self.raw.but(name='b'))
        found = self.end.change(self.shared.but(hashes={'sha256': 'ab'}),
                                {'name': 'b'})
        self.assertEqual('ab', found.hashes['sha256'])

    def test_a_lost_answer_of_a_change(self):
        get = ('GET', path(SHARED))
        fields = {'properties': {'new': 'x'}}
        there = self.raw.saying(dict(
            {name: value for name, value in self.raw.json.items()
             if name not in self.shared.properties}, new='x'))
        self.glance.answers(base.Lost(), CONFLICT, there)
        self.assert_asks([self.patch, self.patch, get], 'change',
                         self.shared, fields)
        self.glance.answers(base.Lost(), CONFLICT, self.raw)
        self.assert_raises(exception.ImageConflict,
                           [self.patch, self.patch, get], 'change',
                           self.shared, fields)

    def test_members_are_removed_added_and_accepted(self):
        self.glance.answers(
            NO_CONTENT, OK.saying(member('b', 'rejected')),
            OK.saying(member('d')), OK.saying(member('d', 'accepted')),
            OK.saying(member('e')))
        self._set_members([
            ('DELETE', MEMBERS + '/c'), ('PUT', MEMBERS + '/b'),
            ('POST', MEMBERS), ('PUT', MEMBERS + '/d'), ('POST', MEMBERS),
        ], ('a', 'accepted'), ('b', 'rejected'), ('d', 'accepted'), ('e',))
        self.assertEqual([{'status': 'rejected'}, {'member': 'd'},
                          {'status': 'accepted'}, {'member': 'e'}],
                         [self.sent_json(number) for number in range(1, 5)])

    def test_equal_members(self):
        self._set_members([], ('a', None), ('b', 'pending'), ('c',))

    def test_members_that_are_not_known_are_read(self):
        self.glance.answers(OK.saying({'members': [member('a')]}))
        self.assert_asks([('GET', MEMBERS)], 'set_members',
                         self.shared.but(members=None),
                         frozenset((record.Member('a'),)))

    def test_a_member_that_is_there_already(self):
        self.shared = self.shared.but(members=frozenset())
        self.glance.answers(CONFLICT, OK.saying(member('a')))
        self._set_members([('POST', MEMBERS), ('PUT', MEMBERS + '/a')],
                          ('a', 'pending'))

    def test_a_member_that_is_gone_already(self):
        remaining = [('a', 'accepted'), ('b', 'pending')]
        delete, get = ('DELETE', MEMBERS + '/c'), ('GET', path(SHARED))
        self.glance.answers(ABSENT, self.raw)
        self._set_members([delete, get], *remaining)
        self.glance.answers(ABSENT, ABSENT)
        self.assert_raises(
            exception.NotFound, [delete, get], 'set_members', self.shared,
            frozenset(record.Member(*one) for one in remaining))

    def test_deactivation(self):
        post = ('POST', path(ACTIVE, 'actions', 'deactivate'))
        self.glance.answers(base.Lost(), NO_CONTENT)
        self.assert_asks([post] * 2, 'deactivate', ACTIVE)
        self.glance.answers(recordings.Answer(403))
        self.assert_raises(exception.ImageNotAuthorized, [post],
                           'deactivate', ACTIVE)

    def test_deletion(self):
        delete = ('DELETE', path(ACTIVE))
        for answer in (NO_CONTENT, ABSENT):
            self.glance.answers(answer)
            self.assertIsNone(self.assert_asks([delete], 'delete', ACTIVE))
        self.glance.answers(recordings.Answer(403))
        self.assert_raises(exception.ImageNotAuthorized, [delete], 'delete',
                           ACTIVE)
