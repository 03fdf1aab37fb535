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

"""Tests of nova_image.host.faults for errors of signatures."""

from cursive import exception as cursive_exception
import testtools

from nova_image import exception
from nova_image.tests.unit.host import fake_nova

FACTS = {'image_id': 'an-id', 'endpoint': 'http://glance:9292',
         'reason': 'the data is not what was signed'}


class SignatureFaultsTest(testtools.TestCase):
    """to_nova() with an old and a new Nova."""

    def setUp(self):
        """Import the module with a fake Nova."""
        super(SignatureFaultsTest, self).setUp()
        self.nova = self.useFixture(
            fake_nova.FakeNova()).modules['nova.exception']
        from nova_image.host import faults
        self.faults = faults

    def _add_exception(self, name, message):
        kind = type(name, (self.nova.NovaException,), {'msg_fmt': message})
        setattr(self.nova, name, kind)
        return kind

    def test_signature_in_new_nova(self):
        """Nova 34 catches the exception of cursive."""
        found = self.faults.to_nova(
            exception.SignatureVerificationError(**FACTS))
        self.assertIs(cursive_exception.SignatureVerificationError,
                      type(found))
        self.assertEqual(
            'Signature verification for the image failed: '
            'the data is not what was signed.', str(found))

    def test_certificate_in_new_nova(self):
        """Nova 34 names the certificate."""
        kind = self._add_exception(
            'CertificateValidationFailed', 'Image signature certificate '
            'validation failed for certificate: %(cert_uuid)s. %(reason)s')
        found = self.faults.to_nova(exception.CertificateValidationFailed(
            certificate_id='a-certificate', **FACTS))
        self.assertIs(kind, type(found))
        self.assertIn('certificate: a-certificate. the data', str(found))

    def test_both_in_old_nova(self):
        """Nova 15 has a single exception, for signatures only."""
        kind = self._add_exception(
            'SignatureVerificationError',
            'Signature verification failed: %(reason)s')
        for ours in (exception.SignatureVerificationError,
                     exception.CertificateValidationFailed):
            found = self.faults.to_nova(ours(**FACTS))
            self.assertIs(kind, type(found))
            self.assertNotIn('glance:9292', str(found))
