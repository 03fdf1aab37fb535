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


"""Tests of the members of the Images API v2, through its driver."""

import datetime

import six

from nova_image import exception
from nova_image.tests.unit import base
from nova_image.tests.unit import recordings

GLANCE15 = recordings.load('v2_glance15')
GLANCE33 = recordings.load('v2_glance33')
SHARED = recordings.SHARED
PROJECT = 'another-project'
MEMBERS = '/v2/images/%s/members' % SHARED
MEMBER = MEMBERS + '/' + PROJECT


class MembersTestCase(base.TestCase):
    """Base class: ``service`` is the driver."""

    def setUp(self):
        super(MembersTestCase, self).setUp()
        self.service = self.driver()

    def call(self, method, *args):
        """Call the driver about the shared image."""
        return getattr(self.service, method)(self.context, SHARED, *args)

    def fail_with(self, kind, answers, method, *args):
        """Assert that a call raises after these answers; return the text."""
        self.glance.answers(*answers)
        return six.text_type(self.assertRaises(kind, self.call, method, *args))

    def assert_member(self, status, member):
        """Assert all fields of a member."""
        times = [member.pop(name) for name in ('created_at', 'updated_at')]
        for time in times:
            self.assertEqual(datetime.timedelta(0), time.utcoffset())
            self.assertEqual(datetime.datetime(2026, 11, 21, 2, 16, 28),
                             time.replace(tzinfo=None))
        self.assertEqual({'member_id': PROJECT, 'status': status,
                          'can_share': None}, member)


class TestMembers(MembersTestCase):
    """Each method sends one request."""

    def test_members_are_listed(self):
        for glance in (GLANCE15, GLANCE33):
            self.glance.answers(glance('members_200'))
            member, = self.call('members')
            self.assert_member('pending', member)
        self.assert_calls([('GET', MEMBERS)] * 2)

    def test_a_member_is_added(self):
        self.glance.answers(GLANCE33('member_200'))
        self.assert_member('pending', self.call('add_member', PROJECT))
        self.assert_calls([('POST', MEMBERS)])
        self.assertEqual({'member': PROJECT}, self.sent_json(0))

    def test_a_status_is_set(self):
        self.glance.answers(GLANCE33('member_status_200'))
        self.assert_member('accepted', self.call('set_member_status', PROJECT,
                                                 'accepted'))
        self.assert_calls([('PUT', MEMBER)])
        self.assertEqual({'status': 'accepted'}, self.sent_json(0))

    def test_a_member_is_removed(self):
        self.glance.answers(GLANCE33('member_204'))
        self.assertIs(True, self.call('remove_member', PROJECT))
        self.assert_calls([('DELETE', MEMBER)])

    def test_ids_are_percent_encoded(self):
        self.glance.answers(GLANCE33('member_204'))
        self.call('remove_member', 'a?b%c')
        self.assert_calls([('DELETE', MEMBERS + '/a%3Fb%25c')])

    def test_invalid_project_ids_are_refused(self):
        """A path of dots would address another resource."""
        for method, more in (('add_member', []), ('remove_member', []),
                             ('set_member_status', ['accepted'])):
            for member in ('', '.', '..', 'a/b', u'\u043a', 'a b', None, 5):
                self.fail_with(exception.ImageBadRequest, [], method, member,
                               *more)
        self.assert_calls([])


class TestRefused(MembersTestCase):
    """Refusals of Glance, and the advice on them."""

    def test_only_shared_images_have_members(self):
        for glance in (GLANCE15, GLANCE33):
            for answer, method, args in (
                    ('members_403', 'members', []),
                    ('member_403', 'add_member', [PROJECT]),
                    ('member_403', 'remove_member', [PROJECT])):
                self.assertIn('visibility shared', self.fail_with(
                    exception.ImageNotAuthorized, [glance(answer)], method,
                    *args))

    def test_only_the_member_can_set_its_status(self):
        for glance in (GLANCE15, GLANCE33):
            self.assertIn('Only the member or an admin', self.fail_with(
                exception.ImageNotAuthorized, [glance('member_status_403')],
                'set_member_status', PROJECT, 'accepted'))

    def test_an_invalid_token_has_no_advice_about_visibility(self):
        self.assertNotIn('visibility shared', self.fail_with(
            exception.ImageNotAuthorized, [GLANCE33('unauthorized_401')],
            'members'))

    def test_an_invalid_status_is_refused(self):
        for glance in (GLANCE15, GLANCE33):
            self.assertIn('"accepted"', self.fail_with(
                exception.ImageBadRequest, [glance('member_status_400')],
                'set_member_status', PROJECT, 'maybe'))

    def test_missing_images_and_members_are_not_found(self):
        self.fail_with(exception.ImageNotFound, [GLANCE33('show_404')],
                       'members')
        self.fail_with(exception.ImageNotFound, [GLANCE33('show_404')],
                       'add_member', PROJECT)
        for method, more in (('remove_member', []),
                             ('set_member_status', ['accepted'])):
            text = self.fail_with(
                exception.NotFound, [GLANCE33('member_404')], method,
                'nobody', *more)
            self.assertIn('nobody not found in the member list', text)

    def test_invalid_answers_are_bad_answers(self):
        for content in (b'{}', b'{"members": {}}'):
            for method, args in (('members', []), ('add_member', [PROJECT])):
                self.assertIn('is no', self.fail_with(
                    exception.GlanceBadAnswer,
                    [recordings.Answer(content=content)], method, *args))


class TestLostAnswers(MembersTestCase):
    """An attempt whose answer was lost may have taken effect."""

    def test_adding_a_member_twice_is_a_conflict(self):
        self.fail_with(exception.ImageConflict, [GLANCE33('member_409')],
                       'add_member', PROJECT)
        self.assert_calls([('POST', MEMBERS)])

    def test_the_added_member_is_found_after_a_lost_answer(self):
        self.glance.answers(base.Lost(), GLANCE33('member_409'),
                            GLANCE33('member_200'))
        self.assert_member('pending', self.call('add_member', PROJECT))
        self.assert_calls([('POST', MEMBERS)] * 2 + [('GET', MEMBER)])

    def test_a_refusal_after_a_lost_answer_is_raised(self):
        self.fail_with(exception.ImageNotAuthorized,
                       [base.Lost(), GLANCE33('member_403')], 'add_member',
                       PROJECT)
        self.fail_with(exception.ImageNotAuthorized,
                       [base.Lost(), GLANCE33('member_403')],
                       'remove_member', PROJECT)

    def test_not_found_after_a_lost_answer_is_a_success(self):
        self.glance.answers(base.Lost(), GLANCE33('member_404'))
        self.assertIs(True, self.call('remove_member', PROJECT))
        self.assert_calls([('DELETE', MEMBER)] * 2)

    def test_setting_a_status_is_retried(self):
        self.glance.answers(recordings.Answer(504),
                            GLANCE33('member_status_200'))
        self.assert_member('accepted', self.call('set_member_status', PROJECT,
                                                 'accepted'))

    def test_the_member_of_a_new_image_is_found_after_a_lost_answer(self):
        self.glance.answers(
            GLANCE33('show_shared').changed(status=201), base.Lost(),
            GLANCE33('member_409'), GLANCE33('member_200'))
        self.service.create(self.context, {
            'id': SHARED, 'properties': {'instance_owner': PROJECT}})
        self.assert_calls([('POST', '/v2/images')] + [('POST', MEMBERS)] * 2 +
                          [('GET', MEMBER)])

    def test_an_invalid_instance_owner_is_refused(self):
        self.assertRaises(
            exception.ImageBadRequest, self.service.create, self.context,
            {'properties': {'instance_owner': '..'}})
        self.assert_calls([])
