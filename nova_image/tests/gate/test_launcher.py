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

"""nova_image started by its own commands, without configuration."""

import testtools

from nova_image.tests import fixtures
from nova_image.tests.functional import servers as shared
from nova_image.tests.gate import base


@shared.once
def launched_cloud() -> fixtures.Cloud:
    """A cloud whose Nova is started with nova_image's commands."""
    return fixtures.Cloud(nova_settings=fixtures.NovaSettings(
        launcher=['nova-image-run'],
        application='nova_image.host.wsgi:application'))


class LauncherTest(testtools.TestCase):
    """Servers and images, as with the configuration."""

    def test_boot(self) -> None:
        """All services use the driver: boot, snapshot, images proxy."""
        cloud = launched_cloud()
        servers = base.Servers(cloud.compute())
        image = cloud.upload(cloud.blank())
        server = servers.boot(image)
        snapshot = servers.snapshot(server, 'a snapshot')
        proxy = cloud.compute(microversion='2.1')
        shown = proxy.get('/images/' + snapshot).json()['image']
        self.assertEqual(('ACTIVE', server), (
            shown['status'], shown['server']['id']))
        servers.delete(server)
        for program in 'nova-api', 'nova-conductor', 'nova-compute':
            self.assertIn('the driver GlanceImageServiceV2 serves the images',
                          cloud.nova.log(program), program)
