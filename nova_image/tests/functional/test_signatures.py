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

"""Signed images, with real keys, and certificates in a real Barbican."""

import collections.abc
import subprocess
import sys
import typing

from castellan import key_manager
from oslo_config import cfg
from oslo_config import fixture as config_fixture
from oslo_context import context as oslo_context
import requests

from nova_image import exception
from nova_image.image.transfer import signature
from nova_image.tests import certificates
from nova_image.tests import fixtures
from nova_image.tests.functional import base
from nova_image.tests.functional import servers
from nova_image.tests.functional import test_keystone

DATA = bytes(range(256)) * 4096
#: options that enable verification, but not validation of certificates
VERIFY = {'verify_glance_signatures': True}
_HEADLESS = """
import sys
from castellan import key_manager
from castellan.key_manager import barbican_key_manager
from nova_image.image.transfer import signature
from nova_image.tests.functional import base
from cursive import certificate_utils
sys.exit('eventlet' in sys.modules)
"""


@servers.once
def barbican() -> fixtures.Barbican:
    """Barbican, in the catalog of servers.keystone()."""
    return fixtures.Barbican(servers.keystone())


class SignedTest(test_keystone.SecuredTest):
    """Signed images, and certificates in the project of demo.

    :ivar ids: {a signer's name: the ID of its certificate}
    """

    #: created once for each process, because generating keys takes long
    signers: typing.ClassVar[dict[str, certificates.Signer]] = {}

    def setUp(self) -> None:
        """Start the servers, and reset the options of castellan."""
        self.barbican = barbican()
        super().setUp()
        key_manager.API()  # registers the options
        self.castellan = self.useFixture(config_fixture.Config(cfg.CONF))
        self.ids: dict[str, str] = {}
        access = self.keystone.session('demo').auth.get_access(
            self.keystone.session('demo'))
        self.catalog = access.service_catalog.catalog
        self.demo = self.context_of('demo', service_catalog=self.catalog)
        self.raw_demo = servers.RawGlance(
            self.glance.url, {'X-Auth-Token': self.demo.auth_token})

    def signer(self, name: str, issuer: str | None = None,
               **options: typing.Any) -> certificates.Signer:
        """Return a signer whose certificate is in Barbican.

        :param issuer: the name of a signer that this test already has
        :param options: arguments for certificates.Signer
        """
        if name not in self.signers:
            self.signers[name] = certificates.Signer(
                name, self.signers[issuer] if issuer else None, **options)
        self.ids[name] = self.barbican.store(self.signers[name].pem)
        self.addCleanup(self.barbican.delete, self.ids[name])
        return self.signers[name]

    def sign(self, name: str, data: bytes = DATA,
             hash_method: str = 'SHA-256') -> dict[str, str]:
        """Return the properties with a signer's signature of some data."""
        return self.signers[name].properties(
            self.ids[name], data, hash_method)

    def image(self, properties: dict[str, str], data: bytes = DATA) -> str:
        """Create an image and return its ID.

        The properties are set after the upload, because Glance also verifies
        signatures.
        """
        made = self.raw_demo.create(data)
        self.raw_demo.patch(made['id'], *(
            {'op': 'add', 'path': '/' + name, 'value': value}
            for name, value in properties.items()))
        return made['id']

    def download(self, image_id: str,
                 trusted: collections.abc.Sequence[str] = (),
                 context: typing.Any = None,
                 **options: typing.Any) -> bytes:
        """Download an image, and return its data.

        :param trusted: IDs of certificates, or the signers' names
        :param context: the caller's context; demo's if None
        :param options: options of ``[glance]``
        """
        image_driver = self.make_driver(
            **{'api_servers': [self.glance.url], **options})
        return b''.join(image_driver.download(
            context or self.demo, image_id,
            trusted_certs=self.named(trusted)))

    def named(self, trusted: collections.abc.Sequence[str]) -> list[str]:
        """Replace signers' names by the IDs of their certificates."""
        return [self.ids.get(one, one) for one in trusted]

    def assert_refused(self, words: str, image_id: str,
                       **options: typing.Any) -> None:
        """Check that the verification of an image fails, and why."""
        self._assert_fails(exception.SignatureVerificationError, words,
                           image_id, **(options or VERIFY))

    def assert_untrusted(self, words: str, image_id: str,
                         *trusted: str, **options: typing.Any) -> None:
        """Check that an image's certificate is not trusted, and why."""
        error = self._assert_fails(exception.CertificateValidationFailed,
                                   words, image_id, trusted, **options)
        self.assertEqual(
            self.raw.image(image_id)['img_signature_certificate_uuid'],
            error.certificate_id)

    def _assert_fails(self, kind: type[Exception], words: str, image_id: str,
                      *args: typing.Any, **options: typing.Any
                      ) -> typing.Any:
        error = self.assertRaises(kind, self.download, image_id, *args,
                                  **options)
        for word in (words, image_id, 'download'):
            self.assertIn(word, str(error))
        self.assertNotIn(self.barbican.url, error.reason)
        self.assertNoSecrets(str(error), 'the error')
        return error


class VerifiedTest(SignedTest):
    """Verification of the signature, the data and the properties."""

    def setUp(self) -> None:
        """Create a signer."""
        super().setUp()
        self.signer('self-signed')

    def test_key_types_and_hash_methods(self) -> None:
        for key_type, hash_method in (
                ('RSA-PSS', 'SHA-224'), ('RSA-PSS', 'SHA-512'),
                ('ECC_SECP384R1', 'SHA-384'), ('ECC_SECP521R1', 'SHA-512'),
                ('DSA', 'SHA-256')):
            self.signer(key_type, key_type=key_type)
            image_id = self.image(self.sign(key_type, DATA, hash_method))
            self.assertEqual(DATA, self.download(image_id, **VERIFY))

    def test_requests_to_barbican(self) -> None:
        image_id = self.image(self.sign('self-signed'))
        with base.recording(self.barbican) as recorded:
            self.download(image_id, **VERIFY)
        # Some versions of barbicanclient ask for the API versions first.
        self.assertEqual(['GET /v1/secrets/ID', 'GET /v1/secrets/ID/payload'],
                         [one for one in recorded.calls if one != 'GET /'])
        with base.recording(self.barbican) as recorded:
            self.assertEqual(DATA, self.download(image_id))
            self.download(image_id, enable_certificate_validation=True)
        self.assertEqual([], recorded.lines)

    def test_data_that_was_not_signed(self) -> None:
        for data in (DATA[:-1], DATA + b'x', DATA[::-1], b'x'):
            self.assert_refused('not what was signed', self.image(
                self.sign('self-signed'), data))

    def test_wrong_signatures(self) -> None:
        self.signer('another')
        forged = dict(self.sign('another'), img_signature_certificate_uuid=(
            self.ids['self-signed']))
        self.assert_refused('not what was signed', self.image(forged))
        self.assert_refused('not what was signed', self.image(dict(
            self.sign('self-signed'), img_signature='AAAA')))
        self.assert_refused('base64', self.image(dict(
            self.sign('self-signed'), img_signature='abc')))

    def test_missing_properties(self) -> None:
        for name in signature.PROPERTIES:
            properties = self.sign('self-signed')
            del properties[name]
            self.assert_refused('has no ' + name, self.image(properties))
        self.assert_refused(
            'has no ' + ', '.join(signature.PROPERTIES), self.image({}))

    def test_wrong_key_type(self) -> None:
        self.assert_refused('public key type', self.image(dict(
            self.sign('self-signed'),
            img_signature_key_type='ECC_SECP384R1')))

    def test_unknown_certificate(self) -> None:
        for certificate_id, words in (
                (base.new_id(), 'Certificate not found with ID'),
                ('no-uuid', 'the certificate no-uuid')):
            self.assert_refused(words, self.image(dict(
                self.sign('self-signed'),
                img_signature_certificate_uuid=certificate_id)))

    def test_secrets_that_are_not_certificates(self) -> None:
        for payload, kind in ((b'some bytes', 'opaque'),
                              (b'some bytes', 'passphrase')):
            secret = self.barbican.store(payload, kind=kind)
            self.addCleanup(self.barbican.delete, secret)
            self.assert_refused('', self.image(dict(
                self.sign('self-signed'),
                img_signature_certificate_uuid=secret)))

    def test_attempts_do_not_affect_each_other(self) -> None:
        image_id = self.image(self.sign('self-signed'), DATA[:7])
        self.assert_refused('not what was signed', image_id)
        image_id = self.image(self.sign('self-signed'))
        for _ in range(2):
            self.assertEqual(DATA, self.download(image_id, **VERIFY))


class TrustTest(SignedTest):
    """Which certificates are trusted."""

    def setUp(self) -> None:
        """Create a root authority, one below it, and a signer."""
        super().setUp()
        self.signer('root', ca=True, path_length=None)
        self.signer('below', 'root', key_type='ECC_SECP384R1', ca=True,
                    path_length=0)
        self.signer('owner', 'below')

    def test_chain_of_trusted_certificates(self) -> None:
        image_id = self.image(self.sign('owner'))
        unknown = base.new_id()
        for trusted in (['root', 'below'], ['below', unknown, 'root']):
            self.assertEqual(DATA, self.download(image_id, trusted))
            self.assertEqual(DATA, self.download(
                image_id, trusted, enable_certificate_validation=True,
                default_trusted_certificate_ids=[unknown], **VERIFY))

    def test_trust_does_not_replace_the_signature(self) -> None:
        image_id = self.image(self.sign('owner'), DATA[::-1])
        self.assertRaises(exception.SignatureVerificationError,
                          self.download, image_id, ['root', 'below'])
        unsigned = self.image({})
        self.assertRaises(exception.SignatureVerificationError,
                          self.download, unsigned, ['root', 'below'])

    def test_untrusted_certificates(self) -> None:
        self.signer('stranger', ca=True)
        image_id = self.image(self.sign('owner'))
        for trusted in (['root'], ['below'], ['owner'], ['stranger'],
                        ['stranger', 'root'], [base.new_id()]):
            self.assert_untrusted('has no chain to', image_id, *trusted)

    def test_self_signed_certificate(self) -> None:
        self.signer('stranger', ca=True)
        image_id = self.image(self.sign('stranger'))
        self.assert_untrusted('has no chain to', image_id, 'root')
        self.assertEqual(DATA, self.download(image_id, ['stranger']))

    def test_another_authority_with_the_same_name(self) -> None:
        fake = self.barbican.store(certificates.Signer(
            'below', self.signers['root'], ca=True).pem)
        self.addCleanup(self.barbican.delete, fake)
        self.assert_untrusted('has no chain to',
                              self.image(self.sign('owner')), 'root', fake)

    def test_expired_certificate(self) -> None:
        self.signer('expired', 'root', days=(-9, -1))
        image_id = self.image(self.sign('expired'))
        self.assert_untrusted('valid date range', image_id, 'root')
        # As in Nova: without validation, it only provides the key.
        self.assertEqual(DATA, self.download(image_id, **VERIFY))

    def test_expired_authority(self) -> None:
        self.signer('old-root', ca=True, days=(-9, -1))
        self.signer('of-old-root', 'old-root')
        self.assert_untrusted('has no chain to', self.image(
            self.sign('of-old-root')), 'old-root')

    def test_default_trusted_certificates(self) -> None:
        image_id = self.image(self.sign('owner'))
        for verify in (True, False):
            options = {'enable_certificate_validation': True,
                       'verify_glance_signatures': verify,
                       'default_trusted_certificate_ids':
                           self.named(['root', 'below'])}
            self.assertEqual(DATA, self.download(image_id, **options))
            self.assert_untrusted('has no chain to', image_id, 'root',
                                  **options)
        self.assert_untrusted('no trusted certificates', image_id,
                              enable_certificate_validation=True, **VERIFY)


class WhoAsksTest(SignedTest):
    """The credentials that Barbican gets."""

    def setUp(self) -> None:
        """Create a signed image."""
        super().setUp()
        self.signer('self-signed')
        self.image_id = self.image(self.sign('self-signed'))

    def _assert_reads(self, context: typing.Any) -> None:
        self.assertEqual(DATA, self.download(
            self.image_id, context=context, **VERIFY))

    def test_plugin_of_the_context(self) -> None:
        context = test_keystone.PluginContext(
            auth_token=self.demo.auth_token)
        context.plugin = self.keystone.session('demo').auth
        self._assert_reads(context)

    def test_context_of_oslo(self) -> None:
        """castellan requests its own token with the caller's token."""
        self.castellan.config(group='barbican',
                              auth_endpoint=self.keystone.auth_url)
        self._assert_reads(oslo_context.RequestContext(
            auth_token=self.demo.auth_token, overwrite=False,
            project_id=self.demo.project_id))

    def test_configured_barbican_endpoint(self) -> None:
        self.castellan.config(group='barbican',
                              barbican_endpoint=self.barbican.url)
        self._assert_reads(self.context_of('demo', service_catalog=None))

    def test_no_barbican_endpoint(self) -> None:
        self._assert_fails(
            exception.SignatureVerificationError, 'ertificate',
            self.image_id, context=self.context_of(
                'demo', service_catalog=None), **VERIFY)

    def test_another_project(self) -> None:
        """The project may read the image, but not the certificate."""
        self.raw.patch(self.image_id, {
            'op': 'replace', 'path': '/visibility', 'value': 'community'})
        self._assert_fails(
            exception.SignatureVerificationError, 'Unable to retrieve',
            self.image_id, context=self.context_of(
                'other', service_catalog=self.catalog), **VERIFY)

    def test_revoked_token(self) -> None:
        """Only the verifier is tested: Glance would not show the image."""
        token = servers.token_of('demo')
        answer = requests.delete(
            self.keystone.auth_url + '/auth/tokens', timeout=30, headers={
                'X-Auth-Token': servers.token_of('admin'),
                'X-Subject-Token': token})
        self.assertEqual(204, answer.status_code)
        error = self.assertRaises(
            exception.SignatureVerificationError, signature.open_verifier,
            base.make_conf(VERIFY), self.context_of(
                'demo', auth_token=token, service_catalog=self.catalog),
            self.raw.image(self.image_id), image_id=self.image_id)
        self.assertIn('ertificate', str(error))
        self.assertNoSecrets(str(error), 'the error')

    def test_barbican_refuses_connections(self) -> None:
        self.castellan.config(group='barbican',
                              barbican_endpoint='http://127.0.0.1:1')
        error = self._assert_fails(
            exception.SignatureVerificationError, 'ertificate',
            self.image_id, **VERIFY)
        self.assertNotIn('127.0.0.1:1', error.reason)
        self.assertIn('127.0.0.1:1', self.log.text)

    def test_verifier_does_not_import_eventlet(self) -> None:
        done = subprocess.run([sys.executable, '-c', _HEADLESS],
                              capture_output=True, text=True)
        self.assertEqual((0, ''), (done.returncode, done.stderr))
