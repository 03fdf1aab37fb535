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

"""Snapshots that nova-compute uploads by import."""

import hashlib

from nova_image.tests.fixtures import paths
from nova_image.tests.gate import plugin


class ImportTest(plugin.GateTest):
    """[glance] import_uploads: for Nova, imports look like uploads."""

    def setUp(self) -> None:
        """Restart nova-compute with import_uploads."""
        super().setUp()
        config = self.cloud.nova.compute.config.read_text()
        self.addCleanup(self._restart_compute, config)
        self._restart_compute(config.replace(
            '[glance]', '[glance]\nimport_uploads = true', 1))

    def _restart_compute(self, config: str) -> None:
        paths.write_private(self.cloud.nova.compute.config, config)
        self.cloud.nova.restart('nova-compute')

    def test_snapshot(self) -> None:
        """The snapshot is active and complete when Nova is done, and boots."""
        image, data = self.random_image(4)
        server = self.boot(image)
        glance = self.cloud.glance
        mark = glance.mark()
        snapshot = self.snapshot(server)
        asked = ['%s %s' % (one.method, one.path.partition(snapshot)[2])
                 for one in glance.requests(mark) if snapshot in one.path]
        self.assertIn('PUT /stage', asked)
        self.assertIn('POST /import', asked)
        self.assertNotIn('PUT /file', asked)
        self.assertEqual([], glance.staged)
        shown = self.cloud.images().get('/images/' + snapshot).json()
        content = self.cloud.images().get(
            '/images/%s/file' % snapshot).content
        self.assertEqual(
            ('active', 'available', len(content),
             hashlib.sha512(content).hexdigest()),
            (shown['status'], shown['image_state'], shown['size'],
             shown['os_hash_value']))
        self.boot(snapshot)
        with open(self.cached(snapshot), 'rb') as disk:
            self.assertEqual(data, disk.read(len(data)))
