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

"""Tests of nova_image.image.transfer.signature."""

import subprocess  # nosec B404
import sys

from castellan.common import exception as castellan_exception
from castellan.common.objects import opaque_data
from castellan.common.objects import x_509
from cryptography import exceptions as crypto_exceptions
import mock
from oslo_context import context as oslo_context
import six

from nova_image import exception
from nova_image.image import identity
from nova_image.image.transfer import signature
from nova_image.tests import certificates
from nova_image.tests.unit import base
from nova_image.tests.unit.image.transfer import signature_case as case


class WantedTest(case.SignatureTest):
    """When a signature is verified: under Nova's own conditions."""

    def test_nothing_is_verified_by_default(self):
        for options in (
                {}, {'default_trusted_certificate_ids': ['an-id']},
                {'enable_certificate_validation': True,
                 'default_trusted_certificate_ids': []}):
            self.set(**options)
            for trusted in (None, []):
                self.assertIsNone(self.open(trusted))
            self.assertIsNone(signature.open_verifier(
                self.conf, self.context, {}))
        self.assertEqual([], self.keys.requests)

    def test_the_module_imports_neither_cursive_nor_castellan(self):
        code = ('import sys; from nova_image.image.transfer import signature; '
                'sys.exit("cursive" in sys.modules or '
                '"castellan" in sys.modules)')
        self.assertEqual(0, subprocess.call(  # nosec B603
            [sys.executable, '-c', code]))

    def test_the_option_alone_verifies_without_validation(self):
        self.set(verify_glance_signatures=True,
                 default_trusted_certificate_ids=['not-requested'])
        self.check()
        self.assertEqual(['the-id'], self.keys.ids)
        self.assertIn('is not validated', self.log.output)
        self.assertIn('The signature of image an-id is verified',
                      self.log.output)

    def test_trusted_certificates_verify_without_the_option(self):
        case.signer('root', ca=True)
        owner = case.signer('signer', 'root')
        self.store('root-id', case.signer('root'))
        self.store('the-id', owner)
        self.properties = owner.properties('the-id', case.DATA)
        for trusted in (['root-id'], case.TrustedCerts(['root-id'])):
            self.check(trusted_certs=trusted)
            self.assertRaises(exception.SignatureVerificationError,
                              self.check, b'other data', trusted)

    def test_default_certificates_are_used_if_there_are_no_others(self):
        self.set(enable_certificate_validation=True,
                 default_trusted_certificate_ids=['a-default'])
        for verify in (False, True):
            self.set(verify_glance_signatures=verify)
            for trusted in (None, []):
                del self.keys.requests[:]
                self.assert_untrusted('signing certificate', trusted)
                self.assertEqual(['the-id', 'a-default', 'the-id'],
                                 self.keys.ids)

    def test_the_callers_certificates_replace_the_default(self):
        self.set(enable_certificate_validation=True,
                 verify_glance_signatures=True,
                 default_trusted_certificate_ids=['a-default'])
        self.assert_untrusted('signing certificate', ['a', 'b'])
        self.assertEqual(['the-id', 'a', 'b', 'the-id'], self.keys.ids)

    def test_an_object_without_ids_also_replaces_the_default(self):
        self.set(default_trusted_certificate_ids=['a-default'],
                 enable_certificate_validation=True)
        self.assert_untrusted('signing certificate', case.TrustedCerts([]))
        self.assertEqual(['the-id', 'the-id'], self.keys.ids)

    def test_validation_without_trusted_certificates_is_refused(self):
        self.set(enable_certificate_validation=True,
                 verify_glance_signatures=True)
        error = self.assert_untrusted('no trusted certificates')
        self.assertIn('default_trusted_certificate_ids', error.advice)


class VerifiedTest(case.SignatureTest):
    """The data must be what was signed."""

    def setUp(self):
        """Enable the verification of signatures."""
        super(VerifiedTest, self).setUp()
        self.set(verify_glance_signatures=True)

    def test_all_types_of_keys_and_hashes_are_verified(self):
        for key_type in certificates.KEY_TYPES:
            owner = case.signer(key_type, key_type=key_type)
            self.store('the-id', owner)
            for hash_method in certificates.HASHES:
                self.properties = owner.properties(
                    'the-id', case.DATA, hash_method)
                self.check()
                self._assert_fails(case.DATA[:-1] + b'!')

    def _assert_fails(self, data, words='not what was signed', **changes):
        error = self.assertRaises(exception.SignatureVerificationError,
                                  self.check, data, **changes)
        self._assert_words(error, words)

    def test_other_data_is_refused(self):
        for data in (b'', case.DATA[:-1], case.DATA + b'x', case.DATA[::-1]):
            self._assert_fails(data)
        self.assertNotIn('is verified', self.log.output)

    def test_empty_data_is_verified(self):
        self.properties = self.signer.properties('the-id', b'')
        self.check(b'')

    def test_another_signature_is_refused(self):
        forged = case.signer('root', ca=True).properties('the-id', case.DATA)
        self._assert_fails(case.DATA, img_signature=forged['img_signature'])
        self._assert_fails(case.DATA, img_signature='AAAA')
        self._assert_fails(case.DATA, img_signature_hash_method='SHA-512')

    def test_each_attempt_needs_a_new_verifier(self):
        first, second = self.open(), self.open()
        first.update(case.DATA[:7])
        second.update(case.DATA)
        second.verify()
        self.assertRaises(exception.SignatureVerificationError, first.verify)
        self.assertRaises(crypto_exceptions.AlreadyFinalized,
                          second.update, case.DATA)
        self.assertRaises(crypto_exceptions.AlreadyFinalized, second.verify)


class UnverifiableTest(case.SignatureTest):
    """Images that are refused before a byte is read."""

    def setUp(self):
        """Enable the verification of signatures."""
        super(UnverifiableTest, self).setUp()
        self.set(verify_glance_signatures=True)

    def test_missing_properties_are_refused(self):
        for name in signature.PROPERTIES:
            for value in (None, ''):
                self.assert_refused('has no ' + name, **{name: value})
        error = self.assertRaises(
            exception.SignatureVerificationError, signature.open_verifier,
            self.conf, self.context, {})
        self.assertIn(', '.join(signature.PROPERTIES), error.reason)
        self.assertIn('Sign the image', error.advice)
        self.assertEqual([], self.keys.requests)

    def test_invalid_properties_are_refused(self):
        for name, value, words in (
                ('img_signature', 'no', 'base64'),
                ('img_signature_hash_method', 'MD5', 'hash method: MD5'),
                ('img_signature_key_type', 'RSA', 'key type: RSA'),
                ('img_signature_key_type', 'ECC_SECP384R1',
                 'Invalid public key type')):
            self.assert_refused(words, **{name: value})

    def test_an_unknown_certificate_is_refused(self):
        error = self.assert_refused(
            'Certificate not found with ID: another-id',
            img_signature_certificate_uuid='another-id')
        self.assertNotIn('Signature verification for', error.reason)

    def test_objects_that_are_not_certificates_are_refused(self):
        self.keys.objects['the-id'] = opaque_data.OpaqueData(b'some bytes')
        self.assert_refused('Invalid certificate format')
        self.keys.objects['the-id'] = x_509.X509(b'some bytes')
        self.assert_refused('the certificate the-id')

    def test_a_failure_of_the_key_manager_is_refused(self):
        self.keys.objects['the-id'] = castellan_exception.KeyManagerError(
            reason='no answer')
        self.assert_refused('Unable to retrieve certificate')

    def test_details_are_only_logged(self):
        """Users see no endpoint, and nobody sees secrets."""
        self.keys.objects['the-id'] = ValueError(
            'http://user:secret@keys X-Auth-Token: a-token')
        error = self.assert_refused('(ValueError)')
        self.assertNotIn('keys', six.text_type(error))
        self.assertIsNone(getattr(error, '__cause__', None))
        self.assertIn('http://***@keys', self.log.output)
        for secret in ('user:secret', 'a-token'):
            self.assertNotIn(secret, self.log.output)

    def test_missing_libraries_are_reported_if_needed(self):
        for name in ('cursive', 'castellan.common.credentials'):
            with mock.patch.dict(sys.modules, {name: None}):
                error = self.assert_refused('cursive')
                self.assertIn('nova_image[signatures]', error.advice)
                self.set(verify_glance_signatures=False)
                self.assertIsNone(self.open())
                self.set(verify_glance_signatures=True)


class TrustTest(case.SignatureTest):
    """Which certificates are trusted."""

    def setUp(self):
        """Create a root, an authority below it, and a signer."""
        super(TrustTest, self).setUp()
        for name, issuer, options in (
                ('root', None, {'ca': True}),
                ('below', 'root', {'ca': True, 'path_length': 0}),
                ('owner', 'below', {})):
            self.add(name, issuer, **options)
        self.signs('owner')

    def add(self, name, issuer=None, **options):
        """Put the certificate of a new signer into the key manager."""
        self.store(name, case.signer(name, issuer, **options))

    def signs(self, name):
        """Let a signer sign the image."""
        self.properties = case.SIGNERS[name].properties(name, case.DATA)

    def test_a_complete_chain_is_trusted(self):
        for trusted in (['root', 'below'], ['below', 'unknown', 'root']):
            self.check(trusted_certs=trusted)

    def test_an_incomplete_chain_is_not_trusted(self):
        for trusted in (['root'], ['below'], ['owner'], ['unknown']):
            self.assert_untrusted('has no chain to a trusted one', trusted)
        self.assert_untrusted("certificate 'below'", ['below'])

    def test_another_authority_with_the_same_name_is_not_trusted(self):
        self.store('fake', certificates.Signer(u'below', ca=True))
        self.assert_untrusted('signing certificate', ['root', 'fake'])

    def test_a_signer_that_is_not_an_authority_is_not_trusted(self):
        self.add('plain', 'root')
        self.add('signed-by-plain', 'plain')
        self.signs('signed-by-plain')
        self.assert_untrusted('signing certificate', ['root', 'plain'])

    def test_a_chain_beyond_the_path_length_is_not_trusted(self):
        self.add('too-low', 'below', ca=True)
        self.add('too-far', 'too-low')
        self.signs('too-far')
        self.assert_untrusted('sufficient length',
                              ['root', 'below', 'too-low'])

    def test_an_expired_certificate_is_not_trusted(self):
        self.add('expired', 'root', days=(-9, -1))
        self.signs('expired')
        self.assert_untrusted('valid date range', ['root'])

    def test_a_certificate_that_is_not_valid_yet_is_not_trusted(self):
        self.add('future', 'root', days=(1, 9))
        self.signs('future')
        self.assert_untrusted('valid date range', ['root'])

    def test_an_expired_authority_is_not_trusted(self):
        self.add('old-root', ca=True, days=(-9, -1))
        self.add('of-old-root', 'old-root')
        self.signs('of-old-root')
        self.assert_untrusted('signing certificate', ['old-root'])

    def test_dates_are_ignored_without_validation(self):
        """As in Nova: the certificate only provides the key."""
        self.set(verify_glance_signatures=True)
        self.add('expired', 'root', days=(-9, -1))
        self.signs('expired')
        self.check()

    def test_authorities_that_sign_one_another_are_not_trusted(self):
        """cursive 0.3.1 would follow them forever."""
        self.addCleanup(case.SIGNERS.pop, 'one', None)
        self.addCleanup(case.SIGNERS.pop, 'two', None)
        self.add('one', ca=True)
        self.add('two', 'one', ca=True)
        case.SIGNERS['one'].issued_by(case.SIGNERS['two'], ca=True)
        self.store('one', case.SIGNERS['one'])
        self.add('of-one', 'one')
        self.signs('of-one')
        self.assert_untrusted('sign one another', ['one', 'two'])
        self.assert_untrusted("certificate 'one'", ['one'])

    def test_a_trusted_certificate_that_cannot_be_read_is_reported(self):
        self.keys.objects['root'] = ValueError('not a UUID')
        self.assert_untrusted('(ValueError)', ['root'])


class ContextTest(case.SignatureTest):
    """The context that is used to read certificates."""

    def setUp(self):
        """Enable the verification of signatures."""
        super(ContextTest, self).setUp()
        self.set(verify_glance_signatures=True)

    def _asked_with(self, context):
        self.context = context
        self.check()
        return self.keys.requests[-1][0]

    def test_a_context_of_oslo_context_is_used_unchanged(self):
        context = oslo_context.RequestContext(overwrite=False)
        self.assertIs(context, self._asked_with(context))

    def test_any_other_context_is_wrapped(self):
        self.addCleanup(oslo_context._request_store.__dict__.clear)
        oslo_context._request_store.__dict__.clear()
        endpoint = {'interface': 'public', 'url': 'http://keys',
                    'region': 'R', 'region_id': 'R'}
        found = self._asked_with(base.Context(service_catalog=[
            {'type': 'key-manager', 'name': 'barbican',
             'endpoints': [endpoint]}]))
        self.assertIsInstance(found, oslo_context.RequestContext)
        self.assertEqual('RequestContext', type(found).__name__)
        plugin = found.get_auth_plugin()
        self.assertEqual('a-secret-token', plugin.get_token(None))
        self.assertEqual('http://keys', plugin.get_endpoint(
            None, service_type='key-manager', interface='public'))
        self.assertIsNone(oslo_context.get_current())

    def test_the_callers_plugin_is_used(self):
        plugin = object()
        found = self._asked_with(base.Context(get_auth_plugin=lambda: plugin))
        self.assertIs(plugin, found.get_auth_plugin())

    def test_users_do_not_get_the_credentials_of_the_service(self):
        """The key manager would return any certificate to the service."""
        plugin = identity.ContextToken('of-the-service')
        with mock.patch.object(identity.Identity, 'configured_auth',
                               return_value=plugin):
            for is_admin, expected in ((False, None), (True, plugin)):
                found = self._asked_with(base.Context(
                    auth_token=None, is_admin=is_admin))
                self.assertIs(expected, found.get_auth_plugin())
