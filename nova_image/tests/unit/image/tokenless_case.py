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

"""What callers without a token may do if the service has credentials.

Both drivers have the same tests.
"""

import fixtures

from nova_image import exception
from nova_image.image import identity

ID = u'aaaaaaaa-0000-4000-8000-000000000001'


class TokenlessMixin(object):
    """Tests for a driver's test case, which answers requests.

    ``service`` is the driver. Subclasses define ``shown(owner, status)``,
    which returns Glance's answer about an image, ``listed(owner)`` and
    ``data(owner)``, which return the answers of a listing and a download, and
    ``deleted``, the answer to a delete.
    """

    def setUp(self):
        super(TokenlessMixin, self).setUp()
        self.useFixture(fixtures.MockPatchObject(
            identity.Identity, 'configured_auth',
            return_value=identity.ContextToken('of-the-service')))
        self.without_keystone()

    def test_only_the_callers_images_are_shown(self):
        self.glance.answers(self.shown('a-project'), self.shown('another'))
        self.assertEqual(ID, self.service.show(self.context, ID)['id'])
        self.assert_raises(exception.ImageNotFound, 'show', ID,
                           include_locations=True)
        self.assertEqual(2, len(self.glance.calls))

    def test_only_the_callers_images_are_listed(self):
        self.glance.answers(*self.listed('a-project') + self.listed('another'))
        self.assertEqual([1, 0], [
            len(self.service.detail(self.context, limit=1)),
            len(self.service.detail(self.context))])

    def test_only_the_callers_data_is_downloaded(self):
        self.glance.answers(*self.data('a-project'))
        self.assertEqual(b'0123456789' * 10, b''.join(
            self.service.download(self.context, ID)))
        del self.glance.calls[:]
        self.glance.answers(*self.data('another'))
        self.assertRaises(exception.ImageNotFound, lambda: list(
            self.service.download(self.context, ID)))
        self.assertNotIn('/file', ''.join(
            call.path for call in self.glance.calls))

    def test_nothing_is_changed(self):
        image = {'name': 'x', 'disk_format': 'raw', 'container_format': 'bare'}
        for method, args, answers in (
                ('delete', (ID,), 0), ('create', (image,), 0),
                ('create', (image, b'data'), 0),
                ('update', (ID, {'name': 'x'}), 1),
                ('update', (ID, {}, b'data'), 1),
                ('add_member', (ID, 'a'), 0), ('remove_member', (ID, 'a'), 0),
                ('members', (ID,), 0)):
            self.glance.answers(*[self.shown('a-project', 'queued')] * answers)
            error = self.assert_raises(exception.Forbidden, method, *args)
            self.assertIn('has no token', error.reason)
            self.glance._script.clear()
        self.assertEqual(set(), {call.method for call in self.glance.calls} - {
            'GET', 'HEAD'})

    def test_the_service_may_do_everything(self):
        self.context.is_admin = True
        self.glance.answers(self.shown('another'))
        self.service.show(self.context, ID)
        self.glance.answers(self.deleted)
        self.assertIs(True, self.service.delete(self.context, ID))

    def test_a_caller_with_a_token_may_do_what_glance_allows(self):
        self.context.auth_token = 'a-secret-token'
        self.glance.answers(self.shown('another'), self.deleted)
        self.service.show(self.context, ID)
        self.service.delete(self.context, ID)
        for call in self.glance.calls:
            self.assertIn(call.headers['x-auth-token'],
                          ('a-secret-token', b'a-secret-token'))
