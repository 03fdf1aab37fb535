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

"""Tests of nova_image.image.tenancy, through the driver for v2.

Glance's answers are those of a Glance 33 with a tenant-specific Swift store;
see functional.test_swift.
"""

import six

from nova_image import exception
from nova_image.image import tenancy
from nova_image.tests.unit import base
from nova_image.tests.unit.image import glance_v2_case as case
from nova_image.tests.unit import recordings

GLANCE33, ACTIVE, DATA = case.GLANCE33, case.ACTIVE, case.DATA
FILE, IMAGE = case.path(ACTIVE, 'file'), case.path(ACTIVE)
REFUSED = recordings.Answer(500)
OURS, THEIRS = 'a' * 32, 'b' * 32
ACCOUNT = 'swift+https://swift:8080/v1/AUTH_%s/glance_1/1'


def of(owner, *urls, **changes):
    """Return the answer that shows an image."""
    locations = [{'url': url, 'metadata': {}} for url in urls]
    return GLANCE33('show_active').but(
        owner=owner, direct_url=None, locations=locations, **changes)


class TestProjects(base.TestCase):
    """Whose account a location is in."""

    def test_the_account_is_that_of_a_project(self):
        dashed = '11111111-2222-3333-4444-555555555555'
        for url, project in (
                (ACCOUNT % OURS, OURS),
                ('swift+http://h/swift/v1/KEY_%s/c/o' % OURS, OURS),
                ('swift+http://h/v1/%s/c/o' % dashed, dashed),
                ('swift+http://user:key@h/v1/AUTH_%s/c/o' % OURS, None),
                ('swift://h/v1/AUTH_%s/c/o' % OURS, None),
                ('swift+http://h/swift/v1/c/o', None),
                ('swift+http://h/c', None), ('swift+http://[', None),
                ('rbd://a/b/c/%s' % OURS, None), ('', None)):
            self.assertEqual(project, tenancy.project_of(url), url)


class TenancyTestCase(case.DriverTestCase):
    """Base class: the token's project is OURS."""

    def setUp(self):
        super(TenancyTestCase, self).setUp()
        self.context.project_id = OURS
        self.set(num_retries=9)

    def refused(self, method, *args, **kwargs):
        """Assert that a call is refused, and return the message."""
        return six.text_type(self.assert_raises(
            exception.GlanceStoreRefused, method, ACTIVE, *args, **kwargs))


class TestDownloads(TenancyTestCase):
    """A 500 may be a refusal of the store."""

    def test_another_projects_image_is_tried_twice(self):
        for image in (of(THEIRS), of(THEIRS, ACCOUNT % THEIRS),
                      of(OURS, ACCOUNT % THEIRS)):
            del self.glance.calls[:]
            self.glance.answers(image, REFUSED, REFUSED)
            text = self.refused('download')
            self.assert_calls([('GET', IMAGE), ('GET', FILE), ('GET', FILE)])
            self.assertIn("the image's store may be tenant-specific: the "
                          "token's project is not the owner", text)
            self.assertIn('project %s. Use a token' % THEIRS, text)

    def test_other_500s_are_retried_as_often_as_configured(self):
        for image in (of(OURS), of(OURS, 'rbd://a'), of(THEIRS, 'rbd://a'),
                      of(THEIRS, ACCOUNT % OURS), of(None),
                      of(THEIRS, 'swift+http://user:key@h/c/o')):
            del self.glance.calls[:]
            self.glance.answers(*[image] + [REFUSED] * 10)
            error = self.assert_raises(exception.GlanceServerError,
                                       'download', ACTIVE)
            self.assertIs(exception.GlanceServerError, type(error))
            self.assertEqual(11, len(self.glance.calls))

    def test_a_temporary_500_is_retried(self):
        self.glance.answers(of(THEIRS), REFUSED, GLANCE33('download_200'))
        self.assertEqual(DATA, b''.join(self.service.download(
            self.context, ACTIVE)))

    def test_other_failures_between_are_not_counted(self):
        self.glance.answers(of(THEIRS), REFUSED, recordings.Answer(503),
                            REFUSED, base.Lost(), REFUSED,
                            GLANCE33('download_200'))
        b''.join(self.service.download(self.context, ACTIVE))

    def test_a_store_that_has_sent_data_does_not_refuse(self):
        broken = GLANCE33('download_200').changed(content=DATA[:50])
        self.glance.answers(of(THEIRS), broken, REFUSED, REFUSED, REFUSED,
                            GLANCE33('download_200'))
        self.assertEqual(DATA, b''.join(self.service.download(
            self.context, ACTIVE)))

    def test_it_is_explained_without_retries(self):
        self.set(num_retries=0)
        self.glance.answers(of(THEIRS), REFUSED)
        self.assertIn('tenant-specific', self.refused('download'))

    def test_no_store_refuses_a_caller_without_a_token(self):
        self.context.auth_token = None
        self.glance.answers(*[of(THEIRS)] + [REFUSED] * 10)
        error = self.assert_raises(exception.GlanceServerError, 'download',
                                   ACTIVE)
        self.assertIs(exception.GlanceServerError, type(error))

    def test_the_project_of_the_configured_credentials_counts(self):
        class Plugin(object):
            def get_project_id(self, session):
                return THEIRS

        found = self.client()
        self.context.auth_token = None
        self.assertIsNone(found.token_project(self.context))
        found._identity._service_auth = Plugin()
        self.assertEqual(THEIRS, found.token_project(self.context))


class TestChanges(TenancyTestCase):
    """Glance may have done what its store has refused."""

    def test_a_change_that_glance_has_made(self):
        before, after = of(THEIRS), of(THEIRS, name='new')
        self.glance.answers(before, REFUSED, before, REFUSED, after)
        text = self.refused('update', {'name': 'new'}, purge_props=False)
        self.assertIn('changed name, in Glance only', text)
        self.assertIn("Let the owner's project update the image", text)
        self.assert_calls([('GET', IMAGE), ('PATCH', IMAGE), ('GET', IMAGE),
                           ('PATCH', IMAGE), ('GET', IMAGE)])

    def test_a_change_that_glance_has_not_made(self):
        self.glance.answers(of(THEIRS), REFUSED, of(THEIRS), REFUSED,
                            of(THEIRS))
        text = self.refused('update', {'name': 'new'})
        self.assertIn('Nothing was changed', text)
        self.assertNotIn('Left behind', text)

    def test_the_outcome_may_stay_unknown(self):
        self.glance.answers(of(THEIRS), REFUSED, of(THEIRS), REFUSED,
                            recordings.Answer(503))
        self.assertIn('which may have been changed',
                      self.refused('update', {'name': 'new'}))

    def test_an_own_image_is_updated_as_ever(self):
        self.glance.answers(of(OURS), REFUSED, of(OURS), REFUSED,
                            GLANCE33('show_active').but(name='new'))
        self.assertEqual('new', self.service.update(
            self.context, ACTIVE, {'name': 'new'})['name'])

    def test_an_image_that_is_not_deleted(self):
        self.glance.answers(REFUSED, of(THEIRS), REFUSED, of(THEIRS))
        text = self.refused('delete')
        self.assertIn('The image is still active', text)
        self.assertNotIn('Left behind', text)

    def test_an_image_that_is_deleted_after_all(self):
        self.set(num_retries=1)
        self.glance.answers(REFUSED, of(THEIRS), REFUSED,
                            GLANCE33('show_404'))
        self.assertIs(True, self.service.delete(self.context, ACTIVE))

    def test_tags(self):
        plain = of(THEIRS, tags=[])
        for after, words in ((of(THEIRS, tags=['x']), 'in Glance only'),
                             (plain, 'Nothing was changed')):
            self.glance.answers(plain, REFUSED, plain, REFUSED, after)
            self.assertIn(words, self.refused(
                'update', {}, purge_props=False, add_tags=['x']))

    def test_a_state_that_is_switched_is_no_failure(self):
        self.glance.answers(REFUSED, of(THEIRS), recordings.Answer(204))
        self.assertIs(True, self.service.deactivate(self.context, ACTIVE))


class TestMembers(TenancyTestCase):
    """A member of Glance may be unable to read the data."""

    def test_a_member_that_glance_has_added(self):
        shown = recordings.Answer(content=(
            b'{"member_id": "%s", "image_id": "%s", "status": "pending", '
            b'"created_at": "2026-11-21T02:16:28Z", '
            b'"updated_at": "2026-11-21T02:16:28Z"}' % (
                b'c' * 32, ACTIVE.encode())))
        self.glance.answers(REFUSED, of(THEIRS), recordings.Answer(409),
                            shown)
        text = self.refused('add_member', 'c' * 32)
        self.assertIn('member %s, added, in Glance only' % ('c' * 32), text)

    def test_a_member_that_glance_has_removed(self):
        self.glance.answers(REFUSED, of(THEIRS), recordings.Answer(404))
        text = self.refused('remove_member', 'c' * 32)
        self.assertIn('removed, in Glance only', text)

    def test_members_of_an_own_image_are_changed_as_ever(self):
        self.glance.answers(REFUSED, of(OURS), recordings.Answer(404))
        self.assertIs(True, self.service.remove_member(
            self.context, ACTIVE, 'c' * 32))
