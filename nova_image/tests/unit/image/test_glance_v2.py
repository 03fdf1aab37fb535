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
"""Tests of nova_image.image.glance_v2: the other requests."""

import six

from nova_image import exception
from nova_image.tests.unit import base
from nova_image.tests.unit.image import glance_v2_case as case
from nova_image.tests.unit.image import tokenless_case
from nova_image.tests.unit import recordings

GLANCE15 = case.GLANCE15
GLANCE33 = case.GLANCE33
ACTIVE = case.ACTIVE
SHARED = case.SHARED
ABSENT = case.ABSENT
IMAGES = case.IMAGES
META = case.META


class TestShow(case.DriverTestCase):
    """show() sends one request."""

    def _show(self, answer, image_id=ACTIVE, **kwargs):
        self.glance.answers(answer)
        return self.service.show(self.context, image_id, **kwargs)

    def test_show_sends_one_get(self):
        for glance in (GLANCE15, GLANCE33):
            self.assertEqual(recordings.NAME,
                             self._show(glance('show_active'))['name'])
        self.assert_calls([('GET', case.path(ACTIVE))] * 2)

    def test_locations_are_returned_if_asked_for(self):
        image = self._show(GLANCE33('show_active'), include_locations=True)
        self.assertEqual(
            ['file:///var/lib/glance/fast/' + ACTIVE],
            [location['url'] for location in image['locations']])
        self.assert_calls([('GET', case.path(ACTIVE))])

    def test_a_missing_image_is_not_found(self):
        for glance in (GLANCE15, GLANCE33):
            self.glance.answers(glance('show_404'))
            error = self.assert_raises(exception.ImageNotFound, 'show',
                                       ABSENT)
            self.assertIn(ABSENT, six.text_type(error))

    def test_ids_are_percent_encoded(self):
        for image_id, quoted in (('a%2Fb', 'a%252Fb'), ('a?b', 'a%3Fb'),
                                 (u'\u65e5', '%E6%97%A5')):
            self.glance.answers(GLANCE33('show_404'))
            self.assert_raises(exception.ImageNotFound, 'show', image_id)
            self.assertEqual(case.path(quoted), self.glance.calls[-1].path)

    def test_invalid_ids_are_not_found_without_a_request(self):
        for image_id in ('', '.', '..', 'a/b', '../x', ACTIVE + '/file', None,
                         ACTIVE + '/', ACTIVE + '\n', ' ' + ACTIVE, 5):
            for method, args in (
                    ('show', ()), ('download', ()), ('update', ({},)),
                    ('update', ({}, b'data')), ('delete', ()),
                    ('members', ()), ('add_member', ('p',)),
                    ('set_member_status', ('p', 'accepted')),
                    ('remove_member', ('p',)), ('stage', (b'data',)),
                    ('image_import_copy', (['slow'],))):
                error = self.assert_raises(exception.ImageNotFound, method,
                                           image_id, *args)
                self.assertEqual(image_id, error.image_id)
        self.assert_calls([])

    def test_a_glance_without_v2_raises_version_not_served(self):
        self.glance.answers(GLANCE15('disabled_300'))
        error = self.assert_raises(exception.GlanceVersionNotServed, 'show',
                                   ACTIVE)
        self.assertIn('use_glance_v1', six.text_type(error))

    def test_without_keystone_images_of_other_projects_are_not_found(self):
        self.without_keystone(project_id='another')
        self.glance.answers(GLANCE33('show_active'))
        self.assert_raises(exception.ImageNotFound, 'show', ACTIVE)


class TestDelete(case.DriverTestCase):
    """delete() sends one request."""

    def _fail(self, kind, *answers):
        self.glance.answers(*answers)
        return self.assert_raises(kind, 'delete', ACTIVE)

    def test_delete_sends_one_request(self):
        self.glance.answers(GLANCE33('delete_204'))
        self.assertIs(True, self.service.delete(self.context, ACTIVE))
        self.assert_calls([('DELETE', case.path(ACTIVE))])

    def test_refusals_of_glance_become_exceptions(self):
        for glance in (GLANCE15, GLANCE33):
            self._fail(exception.ImageNotFound, glance('delete_404'))
            error = self._fail(exception.ImageNotAuthorized,
                               glance('delete_403'))
            self.assertIn('protected', six.text_type(error))
        self._fail(exception.ImageDeleteConflict, recordings.Answer(409))

    def test_not_found_after_a_lost_answer_is_a_success(self):
        for lost in (base.Lost(), recordings.Answer(504)):
            self.glance.answers(lost, GLANCE33('delete_404'))
            self.assertIs(True, self.service.delete(self.context, ACTIVE))

    def test_a_refusal_after_a_lost_answer_is_raised(self):
        self._fail(exception.ImageNotAuthorized, base.Lost(),
                   GLANCE33('delete_403'))


class TestInvalidAnswers(case.DriverTestCase):
    """JSON answers that do not describe images."""

    def test_each_operation_raises_bad_answer(self):
        for method, args in (
                ('show', [ACTIVE]), ('detail', []), ('create', [META]),
                ('update', [ACTIVE, {}]), ('download', [ACTIVE])):
            for content in (b'{}', b'{"error": "log in"}'):
                self.glance.answers(recordings.Answer(content=content))
                error = self.assert_raises(exception.GlanceBadAnswer, method,
                                           *args)
                self.assertIn('JSON is no', six.text_type(error))
        self.assertEqual([], self.waits)

    def test_an_image_that_may_exist_after_create_is_deleted(self):
        self.glance.answers(recordings.Answer(content=b'{}'),
                            GLANCE33('delete_404'))
        self.assert_raises(exception.GlanceBadAnswer, 'create',
                           {'name': 'x'})
        self.assert_calls([('POST', IMAGES),
                           ('DELETE', case.path(self.sent_json(0)['id']))])

    def test_an_invalid_answer_to_a_patch_is_a_bad_answer(self):
        self.glance.answers(GLANCE33('show_shared'),
                            recordings.Answer(content=b'{}'))
        self.assert_raises(exception.GlanceBadAnswer, 'update', SHARED,
                           {'name': 'x'})


class TestImport(case.DriverTestCase):
    """image_import_copy() sends one request, retried only if that is safe."""

    CALL = ('POST', case.path(ACTIVE, 'import'))

    def _copy(self, *answers):
        self.glance.answers(*answers)
        self.service.image_import_copy(self.context, ACTIVE, ['slow'])

    def _fail(self, kind, *answers):
        self.glance.answers(*answers)
        return self.assert_raises(kind, 'image_import_copy', ACTIVE,
                                  ['slow'])

    def test_a_copy_is_one_request(self):
        self._copy(GLANCE33('import_202'))
        self.assert_calls([self.CALL])
        # Otherwise the data of a failed copy would stay staged forever.
        self.assertEqual({'method': {'name': 'copy-image'},
                          'stores': ['slow'],
                          'all_stores_must_succeed': False},
                         self.sent_json(0))

    def test_copying_an_inactive_image_is_impossible(self):
        error = self._fail(exception.ImageImportImpossible,
                           GLANCE33('import_409'))
        self.assertIn('status active', six.text_type(error))

    def test_a_copy_that_may_have_begun_is_not_retried(self):
        for answer in (recordings.Answer(500), recordings.Answer(504),
                       base.Lost()):
            self._fail(exception.GlanceConnectionFailed, answer)
        self.assert_calls([self.CALL] * 3)

    def test_a_copy_that_glance_did_not_accept_is_retried(self):
        for status in (429, 503):
            self._copy(recordings.Answer(status), GLANCE33('import_202'))
        self.assert_calls([self.CALL] * 4)


class TestTokenless(tokenless_case.TokenlessMixin, case.DriverTestCase):
    """Callers without a token; see the mixin."""

    deleted = GLANCE33('delete_204')

    def shown(self, owner, status='active'):
        """Return the answer about an image; see the mixin."""
        return GLANCE33('show_active').but(
            owner=owner, status=status, visibility='private')

    def listed(self, owner):
        """Return the answers of a listing; see the mixin."""
        page = GLANCE33('list_last').json
        page['images'] = [self.shown(owner).json]
        page.pop('next', None)
        return [GLANCE33('list_last').saying(page)]

    def data(self, owner):
        """Return the answers of a download; see the mixin."""
        found = [self.shown(owner)]
        return found + [GLANCE33('download_200')] * (owner == 'a-project')

    def test_imports_are_refused(self):
        for method, args in (
                ('import_image', (ACTIVE, 'web-download')),
                ('create_via_import', (case.META, 'web-download'))):
            self.glance.answers(
                *[self.shown('a-project', 'queued')] * (len(args[0]) > 9) +
                [recordings.Answer(content=b'{"import-methods": {"value": '
                                   b'["web-download"]}}')] +
                [recordings.Answer(content=b'{}')] * 2)
            self.assert_raises(exception.Forbidden, method, *args,
                               uri='http://a')
            self.glance._script.clear()
        self.assertEqual({'GET'}, {call.method for call in self.glance.calls})
