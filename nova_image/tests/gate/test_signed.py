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

"""Servers that boot from signed images, with Nova verifying signatures."""

from nova_image.tests import certificates
from nova_image.tests import fixtures
from nova_image.tests.fixtures import paths
from nova_image.tests.gate import plugin

_PATCH = 'application/openstack-images-v2.1-json-patch'


class SignedTest(plugin.GateTest):
    """verify_glance_signatures behaves as with Nova's own image code."""

    def setUp(self) -> None:
        """Start Barbican, and let nova-compute verify signatures."""
        super().setUp()
        barbican = self.useFixture(fixtures.Barbican(self.cloud.keystone))
        self.signer = certificates.Signer('the signer')
        # Nova reads it with the token of the user who boots the server.
        self.certificate = barbican.store(self.signer.pem, 'demo')
        config = self.cloud.nova.compute.config.read_text()
        self.addCleanup(self._restart_compute, config)
        self._restart_compute(config.replace(
            '[glance]', '[key_manager]\nbackend = barbican\n\n'
            '[glance]\nverify_glance_signatures = true', 1))

    def _restart_compute(self, config: str) -> None:
        paths.write_private(self.cloud.nova.compute.config, config)
        self.cloud.nova.restart('nova-compute')

    def _signed_image(self, spoil: bytes = b'') -> tuple[str, bytes]:
        """Create a signed image.

        :param spoil: data that is signed in addition to the image's data
        :returns: the ID of the image, and its data
        """
        image, data = self.random_image(2)
        # After the upload, because Glance would verify the signature too.
        self.cloud.images('admin').patch(
            '/images/' + image, headers={'Content-Type': _PATCH}, json=[
                {'op': 'add', 'path': '/' + name, 'value': value}
                for name, value in self.signer.properties(
                    self.certificate, data + spoil).items()])
        return image, data

    def test_only_images_with_a_valid_signature_boot(self) -> None:
        """No data of other images is left on the host."""
        image, data = self._signed_image()
        server = self.boot(image)
        self.assertEqual(data, self.cached(image).read_bytes())
        self.assertIn('The signature of image %s is verified' % image,
                      self.cloud.nova.log('nova-compute'))
        shown = self.cloud.images().get(
            '/images/' + self.snapshot(server)).json()
        # The signature is for other data: the snapshot could not boot.
        self.assertEqual([], [name for name in shown if 'signature' in name])

        image, _ = self._signed_image(spoil=b'something else')
        server = self.begin_boot(image)
        shown = self.servers.wait(server, 'ERROR')
        self.assertIn('Signature verification for the image failed',
                      shown['fault']['message'])
        self.assertIn('not what was signed', shown['fault']['message'])
        self.assertFalse(self.cached(image).exists())
        self.assertEqual([], self.partial_files())

        image, _ = self.random_image(2)
        shown = self.servers.wait(self.begin_boot(image), 'ERROR')
        self.assertIn('has no img_signature', shown['fault']['message'])
        self.assertFalse(self.cached(image).exists())
