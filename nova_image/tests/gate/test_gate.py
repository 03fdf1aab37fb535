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

"""nova_image in a whole cloud: servers and images, as a client sees them."""

import hashlib
import os
import signal

from nova_image.tests import fixtures
from nova_image.tests.fixtures import paths
from nova_image.tests.functional import base as functional
from nova_image.tests.gate import base
from nova_image.tests.gate import plugin


class ActiveTest(plugin.GateTest):
    """nova_image serves the images, even after a reload."""

    def test_services_log_the_driver(self) -> None:
        """Each service that uses images logs which driver serves them."""
        nova = self.cloud.nova
        image = self.cloud.upload(self.cloud.blank())
        self.addCleanup(self.remove_image, image)
        self.cloud.compute(microversion='2.1').get('/images/' + image)
        for program in 'nova-api', 'nova-conductor', 'nova-compute':
            lines = [line for line in nova.log(program).splitlines()
                     if 'the driver GlanceImageServiceV2' in line]
            self.assertNotEqual([], lines, program)
            self.assertIn(' INFO ', lines[0])
            self.assertRegex(lines[0], r'nova_image \d')

    def test_nova_compute_works_after_sighup(self) -> None:
        """nova-compute reloads its configuration on SIGHUP.

        It does so only on eventlet: with threads Nova 34 ends (a TODO in
        oslo.service 4.8), and its supervisor must start it again.
        """
        compute = self.cloud.nova.compute
        config = compute.config.read_text()
        self.addCleanup(self._restart_compute, config)
        self._restart_compute(config.replace(
            '[DEFAULT]', '[DEFAULT]\nconcurrency_backend = eventlet', 1))
        leader = os.getpgid(compute.pids[0])
        size = len(self.cloud.nova.log('nova-compute'))
        os.kill(leader, signal.SIGHUP)
        base.wait_for('nova-compute has reloaded', lambda: (
            'Reloading compute RPC API'
            in self.cloud.nova.log('nova-compute')[size:]))
        image, data = self.random_image(2)
        self.boot(image)
        self.assertEqual(data, self.cached(image).read_bytes())
        self.assertEqual(leader, os.getpgid(compute.pids[0]))

    def _restart_compute(self, config: str) -> None:
        compute = self.cloud.nova.compute
        paths.write_private(compute.config, config)
        self.cloud.nova.restart('nova-compute')


class ServersTest(plugin.GateTest):
    """All actions of servers that use images."""

    def test_boot(self) -> None:
        """The disk equals the image, whichever format the image has."""
        for disk_format in 'raw', 'qcow2':
            image, data = self.random_image(4, disk_format)
            server = self.boot(image)
            self.assertEqual(data, self.cached(image).read_bytes())
            self.servers.delete(server)
        self.assertEqual([], self.partial_files())

    def test_requests_of_a_boot(self) -> None:
        """nova-api shows the image; nova-compute downloads it once."""
        image, _ = self.random_image(2)
        shown, data = 'GET /v2/images/ID', 'GET /v2/images/ID/file'
        for expected in [shown, shown, data], [shown]:
            with functional.recording(self.cloud.glance) as recorded:
                self.boot(image)
            self.assertEqual(expected, recorded.calls)

    def test_snapshot(self) -> None:
        """A snapshot has the right metadata, and boots to the same disk."""
        image, data = self.random_image(4)
        server = self.boot(image)
        snapshot = self.snapshot(server, kind='mine')
        shown = self.cloud.images().get('/images/' + snapshot).json()
        wanted = {'status': 'active', 'name': 'a snapshot', 'kind': 'mine',
                  'image_type': 'snapshot', 'instance_uuid': server,
                  'base_image_ref': image, 'image_state': 'available',
                  'disk_format': 'qcow2', 'container_format': 'bare',
                  'visibility': 'private', 'min_disk': 1}
        self.assertEqual(wanted, {key: shown.get(key) for key in wanted})
        content = self.cloud.images().get(
            '/images/%s/file' % snapshot).content
        self.assertEqual(
            (shown['size'], shown['os_hash_value']),
            (len(content), hashlib.sha512(content).hexdigest()))
        self.boot(snapshot)
        with open(self.cached(snapshot), 'rb') as disk:
            self.assertEqual(data, disk.read(len(data)))

    def test_rebuild(self) -> None:
        """A rebuilt server has the disk of the other image."""
        first, second = self.random_image(2), self.random_image(2)
        server = self.boot(first[0])
        self.act_and_wait(server, 'rebuild', {'imageRef': second[0]})
        self.assertEqual(second[0], self.servers.show(server)['image']['id'])
        self.assertEqual(second[1], self.cached(second[0]).read_bytes())

    def test_shelve(self) -> None:
        """A shelved server becomes an image, and is unshelved from it."""
        image, _ = self.random_image(2)
        server = self.boot(image)
        self.act_and_wait(server, 'shelve', status='SHELVED_OFFLOADED')
        images = self.cloud.images('admin')
        path = '/images?instance_uuid=' + server
        [shelved] = images.get(path).json()['images']
        self.assertEqual('active', shelved['status'])
        self.act_and_wait(server, 'unshelve')
        base.wait_for('the image of the shelved server is gone', lambda: (
            images.get(path).json()['images'] == []))

    def test_rescue(self) -> None:
        """A server is rescued from an image, and unrescued."""
        image, _ = self.random_image(2)
        rescue, data = self.random_image(2)
        server = self.boot(image)
        self.act_and_wait(server, 'rescue', {'rescue_image_ref': rescue},
                          'RESCUE')
        self.assertEqual(data, self.cached(rescue).read_bytes())
        self.act_and_wait(server, 'unrescue')


class TempestTest(plugin.GateTest):
    """Tempest's tests of the images proxy."""

    def test_images(self) -> None:
        """All tests in tempest.api.compute.images pass."""
        result = self.useFixture(fixtures.Tempest(self.cloud)).run(
            'tempest.api.compute.images')
        self.assertEqual(([], 0, 0), (
            result.failures, result.failed, result.skipped),
            result.log.read_text(errors='replace')[-4000:])
        self.assertGreaterEqual(result.passed, 51)
