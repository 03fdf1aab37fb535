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

"""Tests of imports that need Keystone: other regions, and limits."""

import typing

from keystoneauth1 import adapter

from nova_image import exception
from nova_image.image import import_result
from nova_image.tests import fixtures
from nova_image.tests.fixtures import keystone as keystone_fixture
from nova_image.tests.functional import base
from nova_image.tests.functional import servers

DATA = b'nova_image' * 1000
META = {'name': 'imported', 'disk_format': 'raw', 'container_format': 'bare'}
MIB = 1024 * 1024
#: in MiB, except the numbers of images
LIMITS = {'image_size_total': 8, 'image_stage_total': 4,
          'image_count_total': 100, 'image_count_uploading': 100}


@servers.once
def keystone() -> fixtures.Keystone:
    """Keystone whose catalog has only one Glance: limited()."""
    return fixtures.Keystone()


@servers.once
def limited() -> '_Limited':
    """Glance with limits, which imports from Glances in the catalog."""
    identity = keystone()
    for user in ('admin', 'demo', 'glance'):
        servers.SECRETS.add(identity.auth_options(user)['password'])
    return _Limited(auth='keystone', keystone=identity, options={
        'DEFAULT': {'use_keystone_limits': 'true', 'enabled_import_methods':
                    '[glance-direct, glance-download]'},
        'oslo_limit': identity.auth_options('glance') | {
            'auth_type': 'password', 'endpoint_service_type': 'image',
            'endpoint_interface': 'public',
            'endpoint_region_name': keystone_fixture.REGION}})


class _Limited(fixtures.Glance):
    """A Glance in its Keystone's catalog, with registered limits."""

    def _setUp(self) -> None:
        super()._setUp()
        assert self.keystone is not None
        self.keystone.add_endpoint('image', 'glance', self.url)
        admin = adapter.Adapter(
            self.keystone.session('admin'),
            endpoint_override=self.keystone.auth_url)
        found = admin.get('/services?type=image').json()['services']
        admin.post('/registered_limits', json={'registered_limits': [
            {'service_id': found[0]['id'], 'resource_name': name,
             'default_limit': limit,
             'region_id': keystone_fixture.REGION}
            for name, limit in LIMITS.items()]})


class KeystoneImportTest(base.FunctionalTest):
    """Imports by a user with a token and a project."""

    def setUp(self) -> None:
        """Start the servers that are not running yet."""
        self.glance = limited()
        super().setUp()
        self.driver = base.make_driver('v2', [self.glance.url])
        token = keystone().session('demo').get_token()
        servers.SECRETS.add(token)
        self.ctx = base.Context(
            auth_token=token, project_id=keystone().project_id('demo'),
            user_id=keystone().user_id('demo'))
        self.raw = servers.RawGlance(self.glance.url, {'X-Auth-Token': token})
        self.addCleanup(self.raw.wipe)

    def create(self, method: str, **options: typing.Any) -> typing.Any:
        """Create an image by import; return the result."""
        return self.driver.create_via_import(
            self.ctx, META, method, **options)[1]

    def test_import_from_another_glance(self) -> None:
        source = self.raw.create(DATA, os_distro='debian')['id']
        result = self.create('glance-download', glance_image_id=source,
                             glance_region=keystone_fixture.REGION)
        self.assertIs(import_result.Imported, type(result))
        self.assertEqual(DATA, self.raw.data(result.image_id))
        self.assertEqual('debian', result.image['properties']['os_distro'])
        self.assertEqual([], self.glance.staged)

    def test_unknown_region_or_image(self) -> None:
        for region, image_id in (('nowhere', base.new_id()),
                                 (keystone_fixture.REGION, base.new_id())):
            result = self.create('glance-download', glance_region=region,
                                 glance_image_id=image_id)
            self.assertIs(import_result.Failed, type(result))
            self.assertIn('Task failed', result.reason)
            self.assertEqual(([], []),
                             (self.raw.images(), self.glance.staged))

    def test_image_over_the_limit_is_refused_before_sending(self) -> None:
        for size, name in ((9, 'image_size_total'), (5, 'image_stage_total')):
            with base.recording(self.glance) as recorded:
                error = self.assertRaises(
                    exception.ImageQuotaExceeded, self.create,
                    'glance-direct', data=bytes(size * MIB))
            self.assertIn(name, str(error))
            self.assertNotIn('POST /v2/images', recorded.calls)

    def test_images_up_to_the_limit(self) -> None:
        for number in range(2):
            self.assertTrue(self.create(
                'glance-direct', data=bytes(4 * MIB)).succeeded, number)
        self.assertRaises(exception.ImageQuotaExceeded, self.create,
                          'glance-direct', data=bytes(MIB))

    def test_glance_enforces_the_limit_for_unknown_sizes(self) -> None:
        result = self.create('glance-direct',
                             data=(bytes(MIB) for _ in range(12)))
        self.assertIs(import_result.Failed, type(result))
        self.assertIn('image_size_total is over limit of 8', result.reason)
        self.assertNotIn('\n', result.reason)
        self.assertTrue(result.cleaned)
        self.assertEqual(([], []), (self.raw.images(), self.glance.staged))
