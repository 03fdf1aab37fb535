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

"""Tests of nova_image.image.tls: failures that a retry does not change."""

from keystoneauth1 import exceptions as ksa_exc
import requests

from nova_image import exception
from nova_image.image import faults
from nova_image.image import messages
from nova_image.image import tls
from nova_image.tests.unit import base

_FAILED = ('[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: %s '
           '(_ssl.c:1006)')
#: words of Python 3.11 with OpenSSL 3, or of 2.7 with 1.1 -> advice
LASTING = {
    _FAILED % 'self-signed certificate': '--os-cacert',
    _FAILED % 'unable to get local issuer certificate': '[glance] cafile',
    '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed '
    '(_ssl.c:726)': '--os-cacert',
    _FAILED % 'certificate has expired': 'expired',
    _FAILED % 'certificate is not yet valid': 'clock',
    _FAILED % "Hostname mismatch, certificate is not valid for 'a'":
        'host name',
    "SSLError: hostname 'a' doesn't match 'b'": 'host name',
    _FAILED % "IP address mismatch, certificate is not valid for '::1'":
        'host name',
    'Could not find a suitable TLS CA certificate bundle, invalid path: a':
        '--os-cacert',
    '[X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate or crl found':
        '[glance] cafile',
    'Could not find the TLS certificate file, invalid path: a': '--os-cert',
    '[X509: KEY_VALUES_MISMATCH] key values mismatch (_ssl.c:3900)':
        '--os-key',
    '[SSL] PEM lib (_ssl.c:3900)': '--os-key',
    '[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate '
    'required': 'client certificate',
    '[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca':
        'client certificate',
    '[SSL: WRONG_VERSION_NUMBER] wrong version number': 'http://',
    '[SSL: UNKNOWN_PROTOCOL] unknown protocol': 'http://',
    '[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version':
        'in common',
    '[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake failure':
        'in common',
}
TEMPORARY = (
    '[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of '
    'protocol', 'SSL: the handshake operation timed out',
    'SSL: Connection reset by peer', 'Connection refused',
    'no appropriate commonName')


class TestTls(base.TestCase):
    """Which failures last, and what to do about them."""

    def _translated(self, error):
        return faults.from_error(error, messages.Request(
            'GET', '/v2/images', 'show', 'ID'), 'https://glance')

    def test_lasting_failures(self):
        for words, advice in LASTING.items():
            for kind in (ksa_exc.SSLError, requests.exceptions.SSLError):
                error = self._translated(kind(words))
                self.assertIs(exception.GlanceNotTrusted, type(error), words)
                self.assertFalse(error.retriable)
                self.assertIn(advice, error.advice)

    def test_temporary_failures(self):
        for words in TEMPORARY:
            self.assertFalse(tls.is_untrusted(words))
            self.assertTrue(self._translated(
                requests.exceptions.SSLError(words)).retriable)

    def test_a_certificate_is_always_judged_by_the_ca(self):
        for words in LASTING:
            if 'VERIFY' in words:
                self.assertIn('--os-cacert', tls.advice(words))
                self.assertIn('cafile', tls.advice(words))
