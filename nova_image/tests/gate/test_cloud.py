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


"""A whole cloud with an unchanged Nova 34, the basis of the gate tests."""

import testtools

from nova_image.tests import fixtures
from nova_image.tests.functional import servers as shared
from nova_image.tests.gate import base


@shared.once
def stock_cloud() -> fixtures.Cloud:
    """A cloud whose Nova uses its own image code."""
    return fixtures.Cloud()


class CloudTest(testtools.TestCase):
    """Servers boot from images, and snapshots are taken of servers."""

    def setUp(self) -> None:
        """Get the shared cloud."""
        super().setUp()
        self.cloud = stock_cloud()
        self.servers = base.Servers(self.cloud.compute())

    def test_boot_snapshot_delete(self) -> None:
        """A server boots, its snapshot has data, and both are deleted."""
        image = self.cloud.upload(self.cloud.blank())
        server = self.servers.boot(image)
        snapshot = self.servers.snapshot(server, 'a snapshot', kind='mine')
        images = self.cloud.images()
        shown = images.get('/images/' + snapshot).json()
        self.assertEqual(('active', 'a snapshot', 'mine'), (
            shown['status'], shown['name'], shown['kind']))
        self.assertEqual(shown['size'], len(images.get(
            '/images/%s/file' % snapshot).content))
        self.servers.delete(server)
        images.delete('/images/' + snapshot)

    def test_images_proxy(self) -> None:
        """nova-api shows images up to microversion 2.35."""
        image = self.cloud.upload(self.cloud.blank(), name='shown')
        old = self.cloud.compute(microversion='2.35')
        shown = old.get('/images/' + image).json()['image']
        self.assertEqual(('shown', 'ACTIVE'),
                         (shown['name'], shown['status']))
        new = self.cloud.compute(microversion='2.36')
        self.assertEqual(404, new.get('/images/' + image,
                                      raise_exc=False).status_code)

    def test_restart_of_compute(self) -> None:
        """nova-compute works after a restart."""
        image = self.cloud.upload(self.cloud.blank())
        self.cloud.nova.restart('nova-compute')
        server = self.servers.boot(image)
        self.assertIn('Took ', self.cloud.nova.log('nova-compute'))
        self.servers.delete(server)
