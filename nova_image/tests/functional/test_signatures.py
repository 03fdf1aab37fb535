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

"""Signed images: real keys and certificates, which a real Barbican holds."""

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
#: what asks for verification and for no validation of certificates
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
    """A test with signed images, and certificates that demo has stored.

    :ivar ids: {a signer's name: the ID of its certificate}
    """

    #: made once in a process, for keys take long
    signers: typing.ClassVar[dict[str, certificates.Signer]] = {}

    def setUp(self) -> None:
        """Get the servers to run, and castellan to know nothing."""
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

        :param issuer: the name of a signer that this test has already
        :param options: for certificates.Signer
        """
        if name not in self.signers:
            self.signers[name] = certificates.Signer(
                name, self.signers[issuer] if issuer else None, **options)
        self.ids[name] = self.barbican.store(self.signers[name].pem)
        self.addCleanup(self.barbican.delete, self.ids[name])
        return self.signers[name]

    def sign(self, name: str, data: bytes = DATA,
             hash_method: str = 'SHA-256') -> dict[str, str]:
        """Return the properties by which a signer signs some data."""
        return self.signers[name].properties(
            self.ids[name], data, hash_method)

    def image(self, properties: dict[str, str], data: bytes = DATA) -> str:
        """Make an image and return its ID.

        The properties come after the data: Glance checks signatures too.
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
        """Return an image's data, which the driver verifies if it is to.

        :param trusted: IDs of certificates, or the signers' names
        :param context: who asks; demo if None
        :param options: those of ``[glance]``
        """
        image_driver = self.make_driver(
            **{'api_servers': [self.glance.url], **options})
        return b''.join(image_driver.download(
            context or self.demo, image_id,
            trusted_certs=self.named(trusted)))

    def named(self, trusted: collections.abc.Sequence[str]) -> list[str]:
        """Return the IDs of certificates, where they are names."""
        return [self.ids.get(one, one) for one in trusted]

    def assert_refused(self, words: str, image_id: str,
                       **options: typing.Any) -> None:
        """Check that an image does not pass for verified, and why."""
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
        self.assertTellsNothing(str(error), 'the error')
        return error


class VerifiedTest(SignedTest):
    """The signature, the data and what belongs to them."""

    def setUp(self) -> None:
        """Have a signer."""
        super().setUp()
        self.signer('self-signed')

    def test_keys_and_hashes(self) -> None:
        for key_type, hash_method in (
                ('RSA-PSS', 'SHA-224'), ('RSA-PSS', 'SHA-512'),
                ('ECC_SECP384R1', 'SHA-384'), ('ECC_SECP521R1', 'SHA-512'),
                ('DSA', 'SHA-256')):
            self.signer(key_type, key_type=key_type)
            image_id = self.image(self.sign(key_type, DATA, hash_method))
            self.assertEqual(DATA, self.download(image_id, **VERIFY))

    def test_what_barbican_is_asked(self) -> None:
        image_id = self.image(self.sign('self-signed'))
        with base.listening(self.barbican) as told:
            self.download(image_id, **VERIFY)
        # Some barbicanclients ask for the versions first.
        self.assertEqual(['GET /v1/secrets/ID', 'GET /v1/secrets/ID/payload'],
                         [one for one in told.calls if one != 'GET /'])
        with base.listening(self.barbican) as told:
            self.assertEqual(DATA, self.download(image_id))
            self.download(image_id, enable_certificate_validation=True)
        self.assertEqual([], told.lines)

    def test_other_data(self) -> None:
        for data in (DATA[:-1], DATA + b'x', DATA[::-1], b'x'):
            self.assert_refused('not what was signed', self.image(
                self.sign('self-signed'), data))

    def test_another_signature(self) -> None:
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

    def test_key_of_another_type(self) -> None:
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

    def test_what_is_no_certificate(self) -> None:
        for payload, kind in ((b'some bytes', 'opaque'),
                              (b'some bytes', 'passphrase')):
            secret = self.barbican.store(payload, kind=kind)
            self.addCleanup(self.barbican.delete, secret)
            self.assert_refused('', self.image(dict(
                self.sign('self-signed'),
                img_signature_certificate_uuid=secret)))

    def test_an_attempt_after_another(self) -> None:
        image_id = self.image(self.sign('self-signed'), DATA[:7])
        self.assert_refused('not what was signed', image_id)
        image_id = self.image(self.sign('self-signed'))
        for _ in range(2):
            self.assertEqual(DATA, self.download(image_id, **VERIFY))


class TrustTest(SignedTest):
    """Which certificates are trusted."""

    def setUp(self) -> None:
        """Make authorities: a root, one below it, and a signer."""
        super().setUp()
        self.signer('root', ca=True, path_length=None)
        self.signer('below', 'root', key_type='ECC_SECP384R1', ca=True,
                    path_length=0)
        self.signer('owner', 'below')

    def test_chain(self) -> None:
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

    def test_untrusted(self) -> None:
        self.signer('stranger', ca=True)
        image_id = self.image(self.sign('owner'))
        for trusted in (['root'], ['below'], ['owner'], ['stranger'],
                        ['stranger', 'root'], [base.new_id()]):
            self.assert_untrusted('has no chain to', image_id, *trusted)

    def test_self_signed(self) -> None:
        self.signer('stranger', ca=True)
        image_id = self.image(self.sign('stranger'))
        self.assert_untrusted('has no chain to', image_id, 'root')
        self.assertEqual(DATA, self.download(image_id, ['stranger']))

    def test_another_authority_of_the_same_name(self) -> None:
        fake = self.barbican.store(certificates.Signer(
            'below', self.signers['root'], ca=True).pem)
        self.addCleanup(self.barbican.delete, fake)
        self.assert_untrusted('has no chain to',
                              self.image(self.sign('owner')), 'root', fake)

    def test_expired(self) -> None:
        self.signer('expired', 'root', days=(-9, -1))
        image_id = self.image(self.sign('expired'))
        self.assert_untrusted('valid date range', image_id, 'root')
        # As in Nova: without trust it only gives the key.
        self.assertEqual(DATA, self.download(image_id, **VERIFY))

    def test_expired_authority(self) -> None:
        self.signer('old-root', ca=True, days=(-9, -1))
        self.signer('of-old-root', 'old-root')
        self.assert_untrusted('has no chain to', self.image(
            self.sign('of-old-root')), 'old-root')

    def test_default(self) -> None:
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
    """In whose name Barbican is asked."""

    def setUp(self) -> None:
        """Have a signed image."""
        super().setUp()
        self.signer('self-signed')
        self.image_id = self.image(self.sign('self-signed'))

    def _reads(self, context: typing.Any) -> None:
        self.assertEqual(DATA, self.download(
            self.image_id, context=context, **VERIFY))

    def test_plugin_of_the_context(self) -> None:
        context = test_keystone.PluginContext(
            auth_token=self.demo.auth_token)
        context.plugin = self.keystone.session('demo').auth
        self._reads(context)

    def test_context_of_oslo(self) -> None:
        """castellan gets itself a token with the caller's."""
        self.castellan.config(group='barbican',
                              auth_endpoint=self.keystone.auth_url)
        self._reads(oslo_context.RequestContext(
            auth_token=self.demo.auth_token, overwrite=False,
            project_id=self.demo.project_id))

    def test_configured_endpoint(self) -> None:
        self.castellan.config(group='barbican',
                              barbican_endpoint=self.barbican.url)
        self._reads(self.context_of('demo', service_catalog=None))

    def test_no_endpoint(self) -> None:
        self._assert_fails(
            exception.SignatureVerificationError, 'ertificate',
            self.image_id, context=self.context_of(
                'demo', service_catalog=None), **VERIFY)

    def test_another_project(self) -> None:
        """It may read the image, and not the certificate."""
        self.raw.patch(self.image_id, {
            'op': 'replace', 'path': '/visibility', 'value': 'community'})
        self._assert_fails(
            exception.SignatureVerificationError, 'Unable to retrieve',
            self.image_id, context=self.context_of(
                'other', service_catalog=self.catalog), **VERIFY)

    def test_revoked_token(self) -> None:
        """Glance would not even show the image."""
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
        self.assertTellsNothing(str(error), 'the error')

    def test_nobody_answers(self) -> None:
        self.castellan.config(group='barbican',
                              barbican_endpoint='http://127.0.0.1:1')
        error = self._assert_fails(
            exception.SignatureVerificationError, 'ertificate',
            self.image_id, **VERIFY)
        self.assertNotIn('127.0.0.1:1', error.reason)
        self.assertIn('127.0.0.1:1', self.log.text)

    def test_no_eventlet(self) -> None:
        done = subprocess.run([sys.executable, '-c', _HEADLESS],
                              capture_output=True, text=True)
        self.assertEqual((0, ''), (done.returncode, done.stderr))
