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
"""Tests of nova_image.image.glance: the other requests of v1."""

import datetime

import six

from nova_image import exception
from nova_image.tests.unit import base
from nova_image.tests.unit.image import glance_case as case
from nova_image.tests.unit.image import tokenless_case
from nova_image.tests.unit import recordings

GLANCE15 = case.GLANCE15
ACTIVE = case.ACTIVE
QUEUED = case.QUEUED
ABSENT = case.ABSENT
META = case.META


class TestLoading(case.DriverTestCase):
    """The deprecation of the driver."""

    def test_the_deprecation_is_logged_once(self):
        (line,) = self.warnings()
        self.assertIn('v1 is in use', line)
        self.assertIn('use_glance_v1', line)
        self.assertEqual('GlanceImageService', type(self.service).__name__)


class TestShow(case.DriverTestCase):
    """show() sends one HEAD."""

    def _show(self, answer, image_id=ACTIVE, **kwargs):
        self.glance.answers(answer)
        return self.service.show(self.context, image_id, **kwargs)

    def test_an_active_image_is_translated(self):
        image = self._show(GLANCE15('show_active'))
        for name in ('created_at', 'updated_at'):
            value = image.pop(name)
            self.assertEqual(datetime.timedelta(0), value.utcoffset())
            self.assertEqual(datetime.datetime(2026, 11, 21, 2, 16, 28),
                             value.replace(tzinfo=None))
        self.assertEqual({
            'id': ACTIVE, 'name': recordings.NAME, 'status': 'active',
            'size': 100, 'min_disk': 1, 'min_ram': 512, 'disk_format': 'raw',
            'container_format': 'bare',
            'checksum': '7a08b07e84641703e5f2c836aa59a170',
            'owner': 'a-project', 'is_public': False, 'deleted': False,
            'deleted_at': None, 'properties': {
                'os_type': 'linux', 'kernel_id': recordings.KERNEL,
                'description': recordings.NAME, 'block_device_mapping': [
                    {'device_name': '/dev/vda', 'boot_index': 0}]}}, image)
        self.assert_calls([('HEAD', case.path(ACTIVE))])

    def test_missing_headers_become_none(self):
        image = self._show(GLANCE15('show_queued'), recordings.QUEUED)
        self.assertEqual(
            (None, None, 0, 'queued'),
            (image['name'], image['checksum'], image['size'],
             image['status']))
        image = self._show(GLANCE15('show_empty'), recordings.EMPTY)
        self.assertEqual((None, None, 'active'), (
            image['disk_format'], image['container_format'],
            image['status']))

    def test_the_error_names_a_missing_image_although_v1_does_not(self):
        self.glance.answers(GLANCE15('show_404'))
        error = self.assert_raises(exception.ImageNotFound, 'show', ABSENT)
        self.assertIn(ABSENT, six.text_type(error))

    def test_a_deleted_image_is_shown_unless_excluded(self):
        image = self._show(GLANCE15('show_deleted'), QUEUED)
        self.assertIs(True, image['deleted'])
        self.assertIsNotNone(image['deleted_at'])
        self.glance.answers(GLANCE15('show_deleted'))
        self.assert_raises(exception.ImageNotFound, 'show', QUEUED,
                           show_deleted=False)

    def test_locations_are_always_empty(self):
        self.assertEqual([], self._show(
            GLANCE15('show_active'), include_locations=True)['locations'])
        self.assertNotIn('locations', self._show(GLANCE15('show_active')))

    def test_invalid_json_stays_text(self):
        name = 'X-Image-Meta-Property-Mappings'
        for text in ('[{', 'none'):
            image = self._show(GLANCE15('show_active').changed(
                headers={name: text}))
            self.assertEqual(text, image['properties']['mappings'])

    def test_a_login_page_is_a_bad_answer(self):
        self.glance.answers(recordings.Answer(
            200, {'Content-Type': 'text/html'}))
        error = self.assert_raises(exception.GlanceBadAnswer, 'show', ACTIVE)
        self.assertIn('no image metadata', six.text_type(error))

    def test_a_glance_without_v1_raises_version_not_served(self):
        self.glance.answers(GLANCE15('disabled_300'))
        error = self.assert_raises(exception.GlanceVersionNotServed, 'show',
                                   ACTIVE)
        self.assertIn('use_glance_v1', six.text_type(error))

    def test_without_keystone_images_of_other_projects_are_not_found(self):
        self.without_keystone(project_id='another')
        self.glance.answers(GLANCE15('show_active'))
        self.assert_raises(exception.ImageNotFound, 'show', ACTIVE)

    def test_invalid_ids_are_not_found_and_others_are_encoded(self):
        for image_id in ('', '.', '..', u'\u65e5', 'detail', None, 5,
                         ACTIVE + '/members', '../x', ACTIVE + '/',
                         ACTIVE + '\n', ' ' + ACTIVE):
            for method, args in (
                    ('show', ()), ('download', ()), ('update', ({},)),
                    ('update', ({}, b'data')), ('delete', ()),
                    ('members', ()), ('add_member', ('p',)),
                    ('remove_member', ('p',))):
                error = self.assert_raises(exception.ImageNotFound, method,
                                           image_id, *args)
                self.assertEqual(image_id, error.image_id)
        self.assert_raises(exception.ImageNotFound, 'show', b'detail')
        self.assert_calls([])
        self.glance.answers(GLANCE15('show_404'))
        self.assert_raises(exception.ImageNotFound, 'show', 'a%2Fb?c')
        self.assert_calls([('HEAD', case.path('a%252Fb%3Fc'))])


class TestDelete(case.DriverTestCase):
    """delete() sends one request."""

    def test_delete_sends_one_request(self):
        self.glance.answers(GLANCE15('delete_200'))
        self.assertIs(True, self.service.delete(self.context, QUEUED))
        self.assert_calls([('DELETE', case.path(QUEUED))])

    def test_refusals_of_glance_become_exceptions(self):
        for answer, kind in (
                (GLANCE15('delete_404'), exception.ImageNotFound),
                (GLANCE15('delete_403'), exception.ImageNotAuthorized),
                (recordings.Answer(409), exception.ImageDeleteConflict)):
            self.glance.answers(answer)
            self.assert_raises(kind, 'delete', QUEUED)

    def test_not_found_after_a_lost_answer_is_a_success(self):
        self.glance.answers(base.Lost(), GLANCE15('delete_404'))
        self.assertIs(True, self.service.delete(self.context, QUEUED))


class TestInvalidAnswers(case.DriverTestCase):
    """JSON answers that do not describe images."""

    def test_each_operation_raises_bad_answer(self):
        for method, args in (('detail', []), ('create', [META]),
                             ('update', [ACTIVE, {}])):
            for content in (b'{}', b'{"image": {}, "images": {}}'):
                self.glance.answers(recordings.Answer(content=content))
                error = self.assert_raises(exception.GlanceBadAnswer, method,
                                           *args)
                self.assertIn('JSON is no', six.text_type(error))
        self.assertEqual([], self.waits)


class TestImport(case.DriverTestCase):
    """v1 has no imports."""

    def test_imports_are_not_supported(self):
        for method, args in (('image_import_copy', (ACTIVE, ['slow'])),
                             ('import_image', (ACTIVE, 'web-download')),
                             ('import_status', (ACTIVE,))):
            error = self.assert_raises(exception.ImageActionNotSupported,
                                       method, *args)
            self.assertIn('v1', six.text_type(error))
        self.assert_calls([])


class TestLocations(case.DriverTestCase):
    """v1 accepts a location, and never shows one."""

    def test_locations_are_neither_listed_nor_removed(self):
        for method, args in (('locations', ()),
                             ('remove_location', ({'url': 'x://y'},)),
                             ('remove_from_store', ('fast',)),
                             ('add_location', ('x://y', 'fast'))):
            error = self.assert_raises(exception.ImageActionNotSupported,
                                       method, ACTIVE, *args)
            self.assertIn('v1', six.text_type(error))
        self.assert_calls([])

    def test_a_queued_image_accepts_a_location(self):
        self.glance.answers(case.about(QUEUED, GLANCE15('update_200')))
        self.service.add_location(self.context, QUEUED, 'http://host/disk')
        self.assert_calls([('PUT', case.path(QUEUED))])
        self.assertEqual({'location': 'http://host/disk'}, self.sent_meta())

    def test_an_empty_url_is_refused(self):
        self.assert_raises(exception.ImageBadRequest, 'add_location', QUEUED,
                           '')


class TestTokenless(tokenless_case.TokenlessMixin, case.DriverTestCase):
    """Callers without a token; see the mixin."""

    deleted = GLANCE15('delete_200')

    def shown(self, owner, status='active'):
        """Return the answer about an image; see the mixin."""
        return GLANCE15('show_active').changed(headers={
            'X-Image-Meta-Owner': owner, 'X-Image-Meta-Status': status,
            'X-Image-Meta-Is_public': 'False'})

    def listed(self, owner):
        """Return the answers of a listing; see the mixin."""
        page = GLANCE15('list').json
        image = dict(page['images'][0], owner=owner, is_public=False)
        return [GLANCE15('list').saying({'images': images})
                for images in ([image],) + (
                    ([],) if owner == 'another' else ())]

    def data(self, owner):
        """Return the answers of a download; see the mixin."""
        private = {'X-Image-Meta-Owner': owner,
                   'X-Image-Meta-Is_public': 'False'}
        found = [GLANCE15('download_200').changed(headers=private)]
        return found + [self.shown(owner)] * (owner == 'another')
