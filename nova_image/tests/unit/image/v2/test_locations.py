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

"""Tests of nova_image.image.v2.locations: the requests of both APIs."""

import fixtures
import mock
import six

from nova_image import exception
from nova_image.image import identity
from nova_image.image import knowledge
from nova_image.image.v2 import locations
from nova_image.image import waiting
from nova_image.tests.unit import base
from nova_image.tests.unit import recordings

GLANCE15 = recordings.load('v2_glance15')
GLANCE33 = recordings.load('v2_glance33')
HIDDEN = recordings.load('v2_locations33')
NEW = u'aaaaaaaa-0000-4000-8000-000000000007'
IMAGES = '/v2/images'
IMAGE = IMAGES + '/' + NEW
URL = 'rbd://fsid/images/%s/snap' % NEW
HASH = {'os_hash_algo': 'sha512', 'os_hash_value': 'ab' * 64}
META = {'id': NEW, 'name': recordings.NAME, 'disk_format': 'raw',
        'container_format': 'bare', 'location': URL}

ADDED = HIDDEN('add_202')
WORKING = HIDDEN('show_working')
ACTIVE = HIDDEN('show_active').without('os_hash_algo', 'os_hash_value')
LOOK = ('GET', IMAGE)
VERSIONS = ('GET', '/versions')
ADD = ('POST', IMAGE + '/locations')
DELETE = ('DELETE', IMAGE)
DELETED = GLANCE33('delete_204')


class LocationsTestCase(base.TestCase):
    """Base class: a driver, and a clock that the waits move."""

    def setUp(self):
        super(LocationsTestCase, self).setUp()
        self.service = self.driver()
        self.elapsed = 0.0
        self.useFixture(fixtures.MonkeyPatch(
            'oslo_utils.timeutils.now',
            lambda: self.elapsed + sum(self.waits)))

    def _create(self, *answers, **meta):
        self.glance.answers(*answers)
        return self.service.create(self.context, dict(META, **meta))

    def _update(self, *answers, **meta):
        self.glance.answers(*answers)
        return self.service.update(
            self.context, NEW, dict(meta, location=URL), purge_props=False)

    def _refused(self, kind, *answers, **meta):
        self.glance.answers(*answers)
        return self.assertRaises(kind, self.service.create, self.context,
                                 dict(META, **meta))

    def _update_refused(self, kind, *answers):
        self.glance.answers(*answers)
        return self.assertRaises(kind, self.service.update, self.context,
                                 NEW, {'location': URL})


class TestFromMeta(base.TestCase):
    """from_meta()."""

    def test_there_may_be_no_location(self):
        for meta in ({}, {'location': None}, HASH):
            self.assertIsNone(locations.from_meta(meta))

    def test_the_hash_is_optional(self):
        self.assertEqual((URL, {}, None), locations.from_meta({
            'location': URL, 'os_hash_algo': None, 'os_hash_value': None}))
        self.assertEqual((URL, HASH, 'fast'), locations.from_meta(
            dict(HASH, location=URL, store='fast')))

    def test_an_incomplete_hash_is_refused(self):
        for name in HASH:
            self.assertRaises(exception.ImageBadRequest, locations.from_meta,
                              {'location': URL, name: 'x'})


class TestPatch(LocationsTestCase):
    """A Glance that shows the locations of its images."""

    SHOWN = GLANCE33('create_201').but(id=NEW)
    DONE = GLANCE33('show_active').but(id=NEW, locations=[
        {'url': URL, 'metadata': {}}])

    def test_one_patch_adds_the_location(self):
        self.assertEqual('active',
                         self._create(self.SHOWN, self.DONE)['status'])
        self.assert_calls([('POST', IMAGES), ('PATCH', IMAGE)])
        self.assertEqual([], self.waits)

    def test_a_hash_is_sent_along(self):
        self._create(self.SHOWN, HIDDEN('schema_200'), self.DONE, **HASH)
        self._create(self.SHOWN, self.DONE, **HASH)
        self.assert_calls([
            ('POST', IMAGES), ('GET', '/v2/schemas/image'), ('PATCH', IMAGE),
            ('POST', IMAGES), ('PATCH', IMAGE)])
        for number in (2, 4):
            self.assertEqual([{'op': 'add', 'path': '/locations/-', 'value': {
                'url': URL, 'metadata': {}, 'validation_data': HASH}}],
                self.sent_json(number))
        self.assertNotIn('os_hash_algo', self.sent_json(0))

    def test_a_glance_that_accepts_no_hash_gets_none(self):
        self._create(self.SHOWN, GLANCE15('schema_200'), self.DONE, **HASH)
        self.assertEqual({'url': URL, 'metadata': {}},
                         self.sent_json(2)[0]['value'])

    def test_other_changes_are_sent_in_the_same_request(self):
        self._update(self.SHOWN, self.DONE, name='two')
        self.assert_calls([LOOK, ('PATCH', IMAGE)])
        self.assertEqual(['/name', '/locations/-'],
                         [one['path'] for one in self.sent_json(1)])

    def test_the_location_is_found_after_a_lost_answer(self):
        self._create(self.SHOWN, base.Lost(),
                     GLANCE33('location_400').changed(status=409), self.DONE)
        self.assert_calls([('POST', IMAGES), ('PATCH', IMAGE),
                           ('PATCH', IMAGE), LOOK])

    def test_a_refusal_after_a_lost_request_is_raised(self):
        for call in (self._refused, self._update_refused):
            error = call(exception.ImageLocationRefused, self.SHOWN,
                         base.Lost(), GLANCE33('location_400'), self.SHOWN)
            self.assertIn('may have the location', error.left)
        self.assertNotIn('DELETE', [one.method for one in self.glance.calls])

    def test_a_location_that_was_there_before_is_not_a_success(self):
        self._update_refused(
            exception.ImageLocationRefused, self.DONE, base.Lost(),
            GLANCE33('location_400').changed(status=409), self.DONE)

    def test_refusals_are_exceptions_that_libvirt_falls_back_on(self):
        refused = GLANCE33('location_400')
        for status, kind in ((400, exception.ImageUnacceptable),
                             (409, exception.ImageUnacceptable),
                             (501, exception.ImageUnacceptable),
                             (403, exception.Forbidden)):
            error = self._update_refused(kind, self.SHOWN,
                                         refused.changed(status=status))
            self.assertNotIsInstance(error, exception.ImageNotAuthorized)
            self.assertEqual((status, NEW), (error.status, error.image_id))
            self.assertIn('Invalid location', six.text_type(error))

    def test_a_connection_failure_is_a_refused_location(self):
        self.set(num_retries=0)
        self._update_refused(exception.ImageLocationRefused, self.SHOWN,
                             base.Lost())

    def test_a_deleted_image_is_not_found(self):
        self._update_refused(exception.ImageNotFound, self.SHOWN,
                             GLANCE33('show_404'))


class TestPost(LocationsTestCase):
    """A Glance that has only the asynchronous locations API."""

    BEGIN = HIDDEN('create_201'), HIDDEN('versions_200'), ADDED
    BEGUN = [('POST', IMAGES), VERSIONS, ADD]

    def test_create_waits_until_the_image_is_active(self):
        image = self._create(*self.BEGIN + (WORKING, WORKING, ACTIVE))
        self.assertEqual('active', image['status'])
        self.assert_calls(self.BEGUN + [LOOK] * 3)
        self.assertEqual({'url': URL}, self.sent_json(2))
        self.assertEqual(2, len(self.waits))

    def test_create_waits_for_the_hash(self):
        held = ACTIVE.but(os_glance_import_task='x', checksum=None)
        image = self._create(*self.BEGIN + (
            WORKING, held, held.but(os_hash_algo='sha512'), ACTIVE))
        self.assertEqual(ACTIVE.json['checksum'], image['checksum'])
        self.assertEqual(3, len(self.waits))

    def test_a_hash_is_sent_along(self):
        self._create(*self.BEGIN + (
            WORKING.but(status='importing'), ACTIVE), **HASH)
        self.assertEqual({'url': URL, 'validation_data': HASH},
                         self.sent_json(2))

    def test_the_waits_grow(self):
        self._create(*self.BEGIN + (WORKING,) * 30 + (ACTIVE,))
        self.assertEqual(waiting.FIRST_WAIT, self.waits[0])
        self.assertEqual(sorted(self.waits), self.waits)
        self.assertLess(self.waits[0], self.waits[-1])

    def test_the_versions_are_requested_once(self):
        self._create(*self.BEGIN + (ACTIVE,))
        self._create(HIDDEN('create_201'), ADDED, ACTIVE)
        self.assert_calls(self.BEGUN + [LOOK, ('POST', IMAGES), ADD, LOOK])

    def test_other_changes_come_first(self):
        self._update(HIDDEN('create_201'), HIDDEN('versions_200'),
                     WORKING, ADDED, ACTIVE, name='two')
        self.assert_calls([LOOK, VERSIONS, ('PATCH', IMAGE), ADD, LOOK])

    def test_an_image_that_stays_queued_is_a_refused_location(self):
        """No store has the location, or its data has another hash."""
        error = self._refused(exception.ImageLocationRefused, *self.BEGIN + (
            WORKING, HIDDEN('show_given_up'), DELETED))
        self.assertIn('stays queued', six.text_type(error))
        self.assert_calls(self.BEGUN + [LOOK] * 2 + [DELETE])

    def test_a_failure_before_the_first_look_is_noticed(self):
        idle = HIDDEN('show_given_up')
        self._refused(exception.ImageLocationRefused, *self.BEGIN + (
            idle, idle, idle, DELETED))

    def test_a_database_may_lag_behind(self):
        idle = HIDDEN('create_201').changed(status=200)
        self._create(*self.BEGIN + (idle, idle, WORKING, ACTIVE))

    def test_refusals_of_glance_become_exceptions(self):
        for answer, kind in (
                (HIDDEN('add_400'), exception.ImageLocationRefused),
                (HIDDEN('add_403'), exception.Forbidden),
                (HIDDEN('add_409'), exception.ImageLocationRefused),
                (HIDDEN('add_409').changed(status=501),
                 exception.ImageLocationRefused)):
            self.useFixture(fixtures.MonkeyPatch(
                'nova_image.image.endpoint._KNOWLEDGE', {}))
            error = self._refused(kind, *self.BEGIN[:2] + (answer, DELETED))
            self.assertEqual((answer.status, NEW),
                             (error.status, error.image_id))
            self.assertNotIsInstance(error, exception.ImageNotAuthorized)

    def test_a_forbidden_request_names_the_missing_role(self):
        error = self._refused(exception.Forbidden, *self.BEGIN[:2] + (
            HIDDEN('add_403'), DELETED))
        self.assertIn('role service', six.text_type(error))

    def test_the_location_is_found_after_a_lost_answer(self):
        for now in (WORKING, ACTIVE):
            self.useFixture(fixtures.MonkeyPatch(
                'nova_image.image.endpoint._KNOWLEDGE', {}))
            self._create(*self.BEGIN[:2] + (
                base.Lost(), HIDDEN('add_409'), now, ACTIVE,
                recordings.Answer().saying([
                    {'url': URL, 'metadata': {}}])))

    def test_another_clients_data_may_be_there_after_a_lost_answer(self):
        for found in ([], [{'url': 'rbd://b', 'metadata': {}}]):
            self.useFixture(fixtures.MonkeyPatch(
                'nova_image.image.endpoint._KNOWLEDGE', {}))
            error = self._refused(
                exception.ImageLocationRefused, *self.BEGIN[:2] + (
                    base.Lost(), HIDDEN('add_409'), ACTIVE, ACTIVE,
                    recordings.Answer().saying(found)))
            self.assertTrue(error.in_doubt)

    def test_data_that_was_there_before_is_not_a_success(self):
        self._update_refused(
            exception.ImageLocationRefused, ACTIVE, HIDDEN('versions_200'),
            base.Lost(), HIDDEN('add_409'), ACTIVE)


class TestDeadline(LocationsTestCase):
    """[glance] location_timeout."""

    BEGIN = TestPost.BEGIN

    def test_an_image_that_is_not_active_in_time_is_refused(self):
        self.set(location_timeout=1)
        for status in ('queued', 'importing'):
            self.useFixture(fixtures.MonkeyPatch(
                'nova_image.image.endpoint._KNOWLEDGE', {}))
            del self.waits[:]
            error = self._refused(
                exception.ImageLocationRefused, *self.BEGIN +
                (WORKING.but(status=status),) * 11)
            self.assertIn('still %s after 1 s' % status,
                          six.text_type(error))
            self.assertLessEqual(sum(self.waits), 1)

    def test_an_active_image_without_a_hash_is_accepted(self):
        self.set(location_timeout=0)
        image = self._create(*self.BEGIN + (
            ACTIVE.but(os_glance_import_task='x'),))
        self.assertEqual('active', image['status'])
        self.assertIn('not hashed', self.log.output)


class TestNeither(LocationsTestCase):
    """A Glance that accepts no locations."""

    OLD = HIDDEN('create_201'), GLANCE15('versions_200')

    def test_a_location_is_refused_without_trying(self):
        error = self._refused(exception.ImageLocationRefused,
                              *self.OLD + (DELETED,))
        self.assert_calls([('POST', IMAGES), VERSIONS, DELETE])
        self.assertIn('show_multiple_locations', six.text_type(error))

    def test_the_lack_is_remembered_for_a_while(self):
        self._refused(exception.ImageLocationRefused, *self.OLD + (DELETED,))
        self._refused(exception.ImageLocationRefused,
                      HIDDEN('create_201'), DELETED)
        self.elapsed = knowledge.MAX_AGE + 1
        self._create(*TestPost.BEGIN + (ACTIVE,))

    def test_other_changes_are_not_made(self):
        self.glance.answers(*self.OLD)
        self.assertRaises(exception.ImageLocationRefused,
                          self.service.update, self.context, NEW,
                          {'location': URL, 'name': 'two'})
        self.assert_calls([LOOK, VERSIONS])

    def test_invalid_versions_mean_no_locations(self):
        for found in ({}, {'versions': None}):
            self._refused(
                exception.ImageLocationRefused, HIDDEN('create_201'),
                HIDDEN('versions_200').saying(found), DELETED)
        self._refused(
            exception.ImageLocationRefused, HIDDEN('create_201'),
            HIDDEN('versions_200').saying({'versions': [
                {}, {'id': 'v2'}, {'id': 'v2.x'}, {'id': 'v1.17'}]}),
            DELETED)


class TestForServices(LocationsTestCase):
    """A Glance that shows locations only to services."""

    LOCATIONS = [{'url': URL, 'metadata': {'store': 'rbd'}}]
    FOUND = HIDDEN('versions_200').saying(LOCATIONS)
    LIST = ('GET', IMAGE + '/locations')

    def _show(self, *answers):
        self.glance.answers(*answers)
        return self.service.show(self.context, NEW, include_locations=True)

    def test_locations_are_requested_separately(self):
        self.assertEqual(self.LOCATIONS, self._show(
            ACTIVE, HIDDEN('versions_200'), self.FOUND)['locations'])
        self._show(ACTIVE, self.FOUND)
        self.assert_calls([LOOK, VERSIONS, self.LIST, LOOK, self.LIST])

    def test_locations_are_not_requested_by_default(self):
        self.glance.answers(ACTIVE)
        self.service.show(self.context, NEW)
        self.assert_calls([LOOK])

    def test_locations_are_not_requested_if_glance_shows_them(self):
        for shown in (GLANCE33('show_active').but(id=NEW), TestPatch.DONE,
                      ACTIVE.but(direct_url=URL), WORKING):
            self._show(shown)
        self.assert_calls([LOOK] * 4)

    def test_an_older_glance_has_no_locations_to_request(self):
        for answers in ([ACTIVE, GLANCE15('versions_200')], [ACTIVE]):
            self.assertEqual([], self._show(*answers)['locations'])
        self.assert_calls([LOOK, VERSIONS, LOOK])

    def test_a_refusal_is_remembered_for_a_while(self):
        """A caller without the role asks again, but not each time."""
        refused = HIDDEN('add_403')
        self.assertEqual([], self._show(
            ACTIVE, HIDDEN('versions_200'), refused)['locations'])
        self._show(ACTIVE)
        self.elapsed = knowledge.MAX_AGE + 1
        self._show(ACTIVE, HIDDEN('versions_200'), self.FOUND)
        self.assert_calls([LOOK, VERSIONS, self.LIST] + [LOOK] +
                          [LOOK, VERSIONS, self.LIST])
        self.assertEqual(1, self.log.output.count('the role service'))

    def test_a_refusal_of_one_caller_is_not_one_of_another(self):
        self._show(ACTIVE, HIDDEN('versions_200'), HIDDEN('add_403'))
        self.context = base.Context(auth_token='of-another')
        self.assertEqual(self.LOCATIONS, self._show(
            ACTIVE, self.FOUND)['locations'])
        self.context.auth_token = 'of-a-third'
        self._show(ACTIVE, HIDDEN('add_403'))
        self.assertEqual(1, self.log.output.count('the role service'))

    def test_a_refusal_of_the_service_is_one_of_every_caller(self):
        with mock.patch.object(identity.Identity, 'service_auth',
                               return_value=identity.ContextToken('s')):
            self._show(ACTIVE, HIDDEN('versions_200'), HIDDEN('add_403'))
            self.context = base.Context(auth_token='of-another')
            self.assertEqual([], self._show(ACTIVE)['locations'])

    def test_other_errors_leave_the_locations_empty(self):
        """The image is shown anyway, without retries."""
        for answer in (GLANCE33('show_404'), base.Lost(),
                       HIDDEN('versions_200')):
            self.useFixture(fixtures.MonkeyPatch(
                'nova_image.image.endpoint._KNOWLEDGE', {}))
            self.assertEqual([], self._show(
                ACTIVE, HIDDEN('versions_200'), answer)['locations'])
        self.assertEqual([], self.waits)

    def test_download_requests_the_locations(self):
        """They are requested if a handler can read them."""
        copied = []
        handler = mock.Mock()
        handler.for_caller.return_value = handler
        handler.copy.side_effect = lambda url, *rest: (
            copied.append(url), rest[1].update(b'data'))
        self.useFixture(fixtures.MockPatch(
            'nova_image.image.download.load', return_value={'rbd': handler}))
        path = self.useFixture(fixtures.TempDir()).join('image')
        self.glance.answers(
            ACTIVE.but(size=4, checksum=None), HIDDEN('versions_200'),
            self.FOUND)
        self.service.download(self.context, NEW, dst_path=path)
        self.assertEqual([URL], copied)
        self.assert_calls([LOOK, VERSIONS, self.LIST])
