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

"""Failures of TLS that remain until somebody changes a file or an option.

The words are those of OpenSSL 1.1 and 3, urllib3 and requests: the libraries
pass on no code. A connection that breaks during the handshake is not among
them, because the next one may succeed.
"""

import re

_CERTIFICATE = re.compile(
    '(?i)certificate_?verify_?failed|certificate verify failed|'
    "hostname '.*' doesn't match|hostname mismatch|ip address mismatch|"
    "doesn't match either of|no appropriate (commonname|subjectaltname)")
_CA_FILE = re.compile(
    '(?i)suitable TLS CA certificate bundle|no certificate or crl found|'
    'load_verify_locations')
_CLIENT_FILE = re.compile(
    '(?i)could not find the TLS (certificate|key)|key_?values_?mismatch|'
    r'key values mismatch|PEM lib|\[SSL\] .*bad password|'
    'unable to load .*certificate')
_PLAIN = re.compile('(?i)wrong_?version_?number|unknown protocol|'
                    'http_?request|record_layer_failure')
_CLIENT = re.compile('(?i)alert.*(unknown ca|bad certificate|certificate '
                     'required|unsupported certificate|certificate '
                     'expired|certificate revoked)|tlsv13?_alert_certificate')
_VERSION = re.compile('(?i)alert.*(protocol version|insufficient security|'
                      'handshake failure|unrecognized name)|unsupported_?'
                      'protocol|unsupported protocol|no protocols available|'
                      'tlsv1_unrecognized_name|dh key too small|'
                      'unsafe_?legacy_?renegotiation')

_CAUSES = (
    (re.compile('(?i)expired'), _CERTIFICATE,
     'The certificate has expired: its operator has to renew it. Check the '
     'clock of this host too'),
    (re.compile('(?i)not yet valid'), _CERTIFICATE,
     'Check the clock of this host, and the certificate'),
    (re.compile("(?i)mismatch|doesn't match|not valid for"), _CERTIFICATE,
     'Use the host name of the certificate in the URL of the endpoint'),
    (re.compile(''), _CERTIFICATE,
     'If you trust the server, pass the certificate of its CA with '
     '--os-cacert (OS_CACERT), or set [glance] cafile'),
    (re.compile(''), _CA_FILE,
     'Check the file of --os-cacert (OS_CACERT), or of [glance] cafile: it '
     'must be readable and have certificates in PEM'),
    (re.compile(''), _CLIENT_FILE,
     'Check the files of --os-cert and --os-key, or of [glance] certfile and '
     'keyfile'),
    (re.compile(''), _CLIENT,
     'The server does not accept the client certificate: check --os-cert and '
     '--os-key, or [glance] certfile and keyfile'),
    (re.compile(''), _PLAIN,
     'The server does not speak TLS on this port: use http:// in the URL of '
     'the endpoint, or another port'),
    (re.compile(''), _VERSION,
     'The server and this host have no version or cipher of TLS in common, '
     'or the server does not serve this host name'),
)
#: what the messages of failures of TLS have in common
_IS_TLS = re.compile('SSL|TLS|X509|certificate')
_CA_ADVICE = ' The CA is that of --os-cacert, or of [glance] cafile'


def advice(error):
    """Return what to do about a failure of TLS.

    :param error: exception of keystoneauth or requests
    :returns: text, or None if another attempt may succeed
    """
    text = '%s' % (error,)
    if not _IS_TLS.search(text):
        return None
    for detail, cause, words in _CAUSES:
        if cause.search(text) and detail.search(text):
            return words + (
                '.' + _CA_ADVICE if cause is _CERTIFICATE and
                '--os-cacert' not in words else '')
    return None


def is_untrusted(error):
    """Return whether a failed connection will fail again because of TLS.

    :param error: exception of keystoneauth or requests
    """
    return advice(error) is not None
