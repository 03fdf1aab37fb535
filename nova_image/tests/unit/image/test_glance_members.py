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
"""Tests of nova_image.image.glance: members of images."""

import six

from nova_image import exception
from nova_image.tests.unit import base
from nova_image.tests.unit.image import glance_case as case
from nova_image.tests.unit import recordings

GLANCE15 = case.GLANCE15
ACTIVE = case.ACTIVE


class TestMembers(case.DriverTestCase):
    """Each method sends one request; v1 reports little about members."""

    PROJECT = 'another-project'
    MEMBER = {'member_id': PROJECT, 'status': None, 'can_share': None,
              'created_at': None, 'updated_at': None}

    def _call(self, method, *args):
        return getattr(self.service, method)(self.context, ACTIVE, *args)

    def _request(self, method):
        return method, case.path(ACTIVE, 'members', self.PROJECT)

    def _fail(self, kind, answers, method, *args):
        self.glance.answers(*answers)
        return six.text_type(
            self.assert_raises(kind, method, ACTIVE, *args))

    def test_members_are_listed(self):
        self.glance.answers(GLANCE15('members_200'))
        self.assertEqual([dict(self.MEMBER, can_share=False)],
                         self._call('members'))
        self.assert_calls([('GET', case.path(ACTIVE, 'members'))])

    def test_adding_a_member_is_retried(self):
        """v1 accepts it twice."""
        self.glance.answers(base.Lost(), GLANCE15('member_204'))
        self.assertEqual(self.MEMBER, self._call('add_member', self.PROJECT))
        self.assert_calls([self._request('PUT')] * 2)

    def test_setting_a_status_is_not_supported(self):
        self.assertIn('v1', self._fail(
            exception.ImageActionNotSupported, [], 'set_member_status',
            self.PROJECT, 'accepted'))
        self.assert_calls([])

    def test_a_member_is_removed(self):
        self.glance.answers(GLANCE15('member_204'))
        self.assertIs(True, self._call('remove_member', self.PROJECT))
        self.assert_calls([self._request('DELETE')])

    def test_not_found_after_a_lost_answer_is_a_success(self):
        self.glance.answers(base.Lost(), GLANCE15('member_404'))
        self.assertIs(True, self._call('remove_member', self.PROJECT))

    def test_missing_images_and_members_are_not_found(self):
        self._fail(exception.ImageNotFound, [GLANCE15('members_404')],
                   'members')
        self._fail(exception.ImageNotFound, [GLANCE15('members_404')],
                   'add_member', self.PROJECT)
        self.assertIn('Membership could not be found', self._fail(
            exception.NotFound, [GLANCE15('member_404')], 'remove_member',
            'nobody'))

    def test_a_404_that_denies_permission_is_not_authorized(self):
        denied = GLANCE15('member_denied_404')
        for method in ('add_member', 'remove_member'):
            self.assertIn('No permission to share', self._fail(
                exception.ImageNotAuthorized, [denied], method, self.PROJECT))
            self._fail(exception.ImageNotAuthorized, [base.Lost(), denied],
                       method, self.PROJECT)

    def test_invalid_project_ids_are_refused(self):
        for method in ('add_member', 'remove_member'):
            for member in ('', '.', '..', 'a/b', u'\u043a', 'a b', None, 5):
                self._fail(exception.ImageBadRequest, [], method, member)
        self.assert_raises(exception.ImageBadRequest, 'create', {
            'properties': {'instance_owner': '..'}})
        self.assert_calls([])

    def test_an_invalid_list_of_members_is_a_bad_answer(self):
        for content in (b'{}', b'{"members": {}}'):
            self.assertIn('is not a list of members', self._fail(
                exception.GlanceBadAnswer,
                [recordings.Answer(content=content)], 'members'))
