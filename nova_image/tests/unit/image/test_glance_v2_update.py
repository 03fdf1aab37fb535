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
"""Tests of nova_image.image.glance_v2: changes of images."""

import copy


from nova_image import exception
from nova_image.image.v2 import translation
from nova_image.tests.unit import base
from nova_image.tests.unit.image import glance_v2_case as case
from nova_image.tests.unit import recordings

GLANCE33 = case.GLANCE33
SHARED = case.SHARED
DATA = case.DATA
ADD_LOCATION = case.ADD_LOCATION


class TestUpdate(case.DriverTestCase):
    """update() sends GET, and PATCH if something changes."""

    CALLS = [('GET', case.path(SHARED)), ('PATCH', case.path(SHARED))]

    def _update(self, meta, *answers, **kwargs):
        self.glance.answers(*answers)
        return self.service.update(self.context, SHARED, meta, **kwargs)

    def _fail(self, kind, meta, *answers, **kwargs):
        self.glance.answers(*answers)
        return self.assert_raises(kind, 'update', SHARED, meta, **kwargs)

    def test_properties_that_are_not_named_are_purged(self):
        image = self._update(
            {'name': 'two', 'properties': {'os_type': 'bsd'}},
            GLANCE33('show_shared').but(old='1', kernel_id='K'),
            GLANCE33('patch_200'))
        self.assertEqual('two', image['name'])
        self.assert_calls(self.CALLS)
        self.assertEqual([
            {'op': 'replace', 'path': '/name', 'value': 'two'},
            {'op': 'add', 'path': '/os_type', 'value': 'bsd'},
            {'op': 'remove', 'path': '/kernel_id'},
            {'op': 'remove', 'path': '/old'}], self.sent_json(1))
        self.assertIn('json-patch', str(
            self.glance.calls[1].headers['content-type']))

    def test_properties_are_kept_without_purge_props(self):
        self._update({'name': 'two'}, GLANCE33('show_shared').but(old='1'),
                     GLANCE33('patch_200'), purge_props=False)
        self.assertEqual([{'op': 'replace', 'path': '/name',
                           'value': 'two'}], self.sent_json(1))

    def test_no_patch_is_sent_without_changes(self):
        image = self._update({'name': 'one'}, GLANCE33('show_shared'))
        self.assertEqual('one', image['name'])
        self.assert_calls(self.CALLS[:1])

    def test_writing_an_image_back_unchanged_sends_no_patch(self):
        for name in ('show_active', 'show_shared', 'show_community',
                     'show_queued'):
            raw = GLANCE33(name)
            del self.glance.calls[:]
            self._update(translation.from_glance(raw.json, True),
                         raw.but(id=SHARED))
            self.assert_calls(self.CALLS[:1])

    def test_empty_metadata_changes_nothing(self):
        self._update({}, GLANCE33('show_community').but(id=SHARED),
                     purge_props=False)
        self.assert_calls(self.CALLS[:1])

    def test_is_public_false_makes_a_public_image_private(self):
        self._update({'is_public': False},
                     GLANCE33('show_shared').but(visibility='public'),
                     GLANCE33('patch_200'))
        self.assertEqual([{'op': 'replace', 'path': '/visibility',
                           'value': 'private'}], self.sent_json(1))

    def test_an_explicit_private_visibility_is_set(self):
        for meta in ({'visibility': 'private'},
                     {'visibility': 'private', 'is_public': False}):
            del self.glance.calls[:]
            self._update(meta, GLANCE33('show_shared'), GLANCE33('patch_200'))
            self.assertEqual([{'op': 'replace', 'path': '/visibility',
                               'value': 'private'}], self.sent_json(1))

    def test_the_callers_metadata_is_not_modified(self):
        meta = {'id': 'other', 'name': 'two', 'is_public': False,
                'properties': {'mappings': [{}], 'kernel_id': None}}
        before = copy.deepcopy(meta)
        self._update(meta, GLANCE33('show_shared'), GLANCE33('patch_200'))
        self.assertEqual(before, meta)

    def test_an_id_in_the_metadata_is_ignored(self):
        self._update({'id': 'other', 'name': 'one'}, GLANCE33('show_shared'))
        self.assert_calls(self.CALLS[:1])

    def test_a_lost_update_that_took_effect_is_a_success(self):
        changed = GLANCE33('patch_200')
        image = self._update(
            {'name': 'two', 'properties': {'os_type': 'bsd'}},
            GLANCE33('show_shared').but(old='1'), base.Lost(),
            recordings.Answer(409), changed)
        self.assertEqual('two', image['name'])
        self.assert_calls(self.CALLS + self.CALLS[1:] + self.CALLS[:1])

    def test_a_lost_update_without_effect_raises_the_conflict(self):
        self._fail(
            exception.ImageConflict, {'name': 'two'},
            GLANCE33('show_shared'), base.Lost(), recordings.Answer(409),
            GLANCE33('show_shared'))

    def test_a_refusal_is_raised_without_another_request(self):
        self._fail(exception.ImageBadRequest, {'name': 'two'},
                   GLANCE33('show_shared'), GLANCE33('empty_415'))
        self.assert_calls(self.CALLS)

    def test_data_is_uploaded_after_the_patch(self):
        self._update({'name': 'two'}, GLANCE33('show_shared'),
                     GLANCE33('patch_200'), GLANCE33('upload_204'),
                     GLANCE33('show_active').but(id=SHARED), data=DATA)
        self.assert_calls(self.CALLS + [('PUT', case.path(SHARED, 'file'))] +
                          self.CALLS[:1])

    def test_data_for_an_active_image_changes_nothing(self):
        self._fail(exception.ImageConflict, {'name': 'two'},
                   GLANCE33('show_active').but(id=SHARED), data=DATA)
        self.assert_calls(self.CALLS[:1])

    def test_a_failed_upload_names_what_has_changed(self):
        error = self._fail(
            exception.ImageConflict, {'name': 'two'},
            GLANCE33('show_shared'), GLANCE33('patch_200'),
            GLANCE33('upload_409'), data=DATA)
        self.assertEqual('image %s with changed name' % SHARED, error.left)

    def test_the_data_of_another_client_stays(self):
        for known in ({'os_hash_value': '0'},
                      {'os_hash_value': None, 'checksum': None}):
            other = GLANCE33('show_active').but(id=SHARED, **known)
            error = self._fail(
                exception.ImageUploadFailed, {}, GLANCE33('show_shared'),
                base.Lost(), GLANCE33('upload_409'), other, other, data=DATA)
            self.assertIn('another client', error.left)
        self.assertNotIn('DELETE', [one.method for one in self.glance.calls])

    def test_an_image_with_wrong_data_stays_and_is_named(self):
        error = self._fail(
            exception.ImageUploadFailed, {}, GLANCE33('show_shared'),
            GLANCE33('upload_204'),
            GLANCE33('show_active').but(id=SHARED, os_hash_value='0'),
            data=DATA)
        self.assertEqual('image %s, with this data' % SHARED, error.left)
        self.assertNotIn('DELETE', [one.method for one in self.glance.calls])

    def test_the_image_stays_after_a_failed_upload(self):
        self._fail(exception.ImageConflict, {}, GLANCE33('show_shared'),
                   GLANCE33('upload_409'), data=DATA)
        self.assert_calls(self.CALLS[:1] + [
            ('PUT', case.path(SHARED, 'file'))])

    def test_a_location_is_added(self):
        self._update({'location': 'rbd://a'}, GLANCE33('show_shared'),
                     GLANCE33('patch_200'))
        self.assertEqual([ADD_LOCATION], self.sent_json(1))

    def test_a_refused_location_raises_the_right_exception(self):
        for status, kind in ((403, exception.Forbidden),
                             (409, exception.ImageLocationRefused),
                             (501, exception.ImageLocationRefused)):
            self._fail(kind, {'location': 'rbd://a'},
                       GLANCE33('show_shared'),
                       GLANCE33('location_400').changed(status=status))

    def test_a_deleted_image_is_not_found(self):
        self._fail(exception.ImageNotFound, {'name': 'x'},
                   GLANCE33('show_404'))
