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

"""What the tests of image signatures share.

cursive, cryptography, keys, certificates and signatures are real; only the key
manager is a dictionary.
"""

from castellan.common import exception as castellan_exception
from castellan.common.objects import x_509
import fixtures
from oslo_config import cfg
import six
import testtools

from nova_image import conf as nova_image_conf
from nova_image import exception
from nova_image.image.transfer import signature
from nova_image.tests import certificates
from nova_image.tests.unit import base

DATA = b'some data of an image' * 1000
FACTS = {'action': 'download', 'image_id': 'an-id',
         'endpoint': 'http://glance:9292'}
#: each created once: creating a key takes long
SIGNERS = {}


def signer(name, issuer=None, **options):
    """Return the signer with a name, which is created if it is new."""
    if name not in SIGNERS:
        SIGNERS[name] = certificates.Signer(
            six.u(name), issuer and SIGNERS[issuer], **options)
    return SIGNERS[name]


class TrustedCerts(object):
    """Like nova.objects.TrustedCerts, which is always true."""

    def __init__(self, ids):
        self.ids = ids


class KeyManager(fixtures.Fixture):
    """A key manager in memory that replaces castellan's.

    :ivar objects: {ID: a castellan object, or an exception to raise}
    :ivar requests: [(context, ID)] of the requested objects
    """

    def _setUp(self):
        self.objects, self.requests = {}, []
        self.useFixture(fixtures.MonkeyPatch(
            'castellan.key_manager.API', lambda: self))

    def get(self, context, object_id):
        """Return an object, as castellan does."""
        self.requests.append((context, object_id))
        found = self.objects.get(object_id)
        if found is None:
            raise castellan_exception.ManagedObjectNotFoundError(
                uuid=object_id)
        if isinstance(found, Exception):
            raise found
        return found

    @property
    def ids(self):
        """The IDs of the requested objects."""
        return [object_id for _, object_id in self.requests]


class SignatureTest(testtools.TestCase):
    """Base class: a key manager that has a signer's certificate."""

    def setUp(self):
        """Create a configuration without a file."""
        super(SignatureTest, self).setUp()
        self.keys = self.useFixture(KeyManager())
        self.log = self.useFixture(fixtures.FakeLogger(level=10))
        self.context = base.Context()
        self.conf = cfg.ConfigOpts()
        self.conf([], default_config_files=[])
        nova_image_conf.register_opts(self.conf)
        self.signer = signer('self-signed')
        self.store('the-id', self.signer)
        self.properties = self.signer.properties('the-id', DATA)

    def store(self, object_id, owner):
        """Put a signer's certificate into the key manager."""
        self.keys.objects[object_id] = x_509.X509(owner.der)

    def set(self, **options):
        """Set options of [glance]."""
        for name, value in options.items():
            self.conf.set_override(name, value, 'glance')

    def open(self, trusted_certs=None, **changes):
        """Open a verifier for the properties, some of them changed."""
        return signature.open_verifier(
            self.conf, self.context, dict(self.properties, **changes),
            trusted_certs, **FACTS)

    def check(self, data=DATA, trusted_certs=None, **changes):
        """Verify some data, which arrives in pieces."""
        check = self.open(trusted_certs, **changes)
        for begin in range(0, len(data), 1000):
            check.update(data[begin:begin + 1000])
        check.verify()

    def assert_refused(self, words, *args, **kwargs):
        """Assert that opening a verifier fails with an error; return it."""
        error = self.assertRaises(exception.SignatureVerificationError,
                                  self.open, *args, **kwargs)
        return self._assert_words(error, words)

    def assert_untrusted(self, words, *args, **kwargs):
        """Assert that the certificate is not trusted; return the error."""
        error = self.assertRaises(exception.CertificateValidationFailed,
                                  self.open, *args, **kwargs)
        self.assertEqual(self.properties['img_signature_certificate_uuid'],
                         error.certificate_id)
        return self._assert_words(error, words)

    def _assert_words(self, error, words):
        for word in (words, 'an-id', 'download', 'http://glance:9292'):
            self.assertIn(word, six.text_type(error))
        self.assertFalse(error.retriable)
        return error
