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

"""Tests of the end for v2: data, changes and members."""

import hashlib

import six

from nova_image import exception
from nova_image.tests.unit import base
from nova_image.tests.unit import recordings
from nova_image.tests.unit.replication import case
from nova_image.tests.unit.replication.v2 import end_case

if six.PY3:
    from nova_image.replication import record

GLANCE33 = end_case.GLANCE33
ACTIVE = end_case.ACTIVE
QUEUED = end_case.QUEUED
SHARED = end_case.SHARED
ABSENT = end_case.ABSENT
CONFLICT = end_case.CONFLICT
NO_CONTENT = end_case.NO_CONTENT
OK = end_case.OK
DATA = end_case.DATA
MEMBERS = end_case.MEMBERS
path = end_case.path
member = end_case.member


class TestWriting(end_case.EndTestCase):
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

    def test_end_of_the_data_is_reported_when_it_has_been_stored(self):
        seen = []
        self._write(NO_CONTENT, self.shown, progress=lambda sent: (
            seen.append((sent, [call.method for call in self.glance.calls]))))
        self.assertEqual((6, ['PUT']), seen[-1])

    def test_only_images_that_need_no_changes_overlap(self):
        self.assertTrue(self.end.overlaps(self.wanted))
        for changes in ({'visibility': 'public'}, {'visibility': 'shared'},
                        {'protected': True}, {'hidden': True},
                        {'status': 'deactivated'}):
            self.assertFalse(self.end.overlaps(self.wanted.but(**changes)))

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
        for status in (409, 410):
            self.assertRaises(exception.ImageConflict, self._write,
                              recordings.Answer(status))
        self.assert_calls([self.put] * 2)
        self.assertRaises(exception.ImageBadRequest, self._write,
                          recordings.Answer(415))


class TestChanging(end_case.EndTestCase):
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
