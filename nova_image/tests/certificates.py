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

"""Real keys, certificates and signatures for tests of image signatures.

Also runs on Python 2.7, with the cryptography of that time.
"""

import base64
import datetime
import functools

from cryptography.hazmat import backends
from cryptography.hazmat.primitives.asymmetric import dsa
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography import x509
from cryptography.x509 import oid
from oslo_utils import timeutils

_BACKEND = backends.default_backend()
_NEW = {
    'RSA-PSS': lambda: rsa.generate_private_key(65537, 2048, _BACKEND),
    'DSA': lambda: dsa.generate_private_key(1024, _BACKEND),
    'ECC_SECP384R1': lambda: ec.generate_private_key(
        ec.SECP384R1(), _BACKEND),
    'ECC_SECP521R1': lambda: ec.generate_private_key(
        ec.SECP521R1(), _BACKEND),
}

#: the values of ``img_signature_key_type``
KEY_TYPES = tuple(sorted(_NEW))
HASHES = {
    'SHA-224': hashes.SHA224, 'SHA-256': hashes.SHA256,
    'SHA-384': hashes.SHA384, 'SHA-512': hashes.SHA512,
}


def _name(text):
    return x509.Name([x509.NameAttribute(oid.NameOID.COMMON_NAME, text)])


class Signer(object):
    """A private key and the certificate of its public key.

    :param name: its common name, text
    :param issuer: the Signer that signs its certificate; itself if None
    :param key_type: one of KEY_TYPES
    :param ca: whether its certificate may sign others
    :param path_length: the number of authorities that may follow it. None
        means any number, which cursive 0.2 mistakes for 0: Python 2.7 orders
        None before 0, and Python 3 cannot order it.
    :param days: (first, last) day of its validity, relative to now
    """

    def __init__(self, name, issuer=None, key_type='RSA-PSS', ca=False,
                 path_length=2, days=(-1, 30)):
        self.name = _name(name)
        self.key_type = key_type
        self.key = _NEW[key_type]()
        self.issued_by(issuer or self, ca, path_length, days)

    def issued_by(self, issuer, ca=False, path_length=2, days=(-1, 30)):
        """Get a new certificate for the same key; see the class."""
        builder = self._builder(issuer, days)
        if ca:
            builder = _as_authority(builder, path_length)
        self.certificate = builder.sign(issuer.key, hashes.SHA256(), _BACKEND)

    def _builder(self, issuer, days):
        first, last = (timeutils.utcnow() + datetime.timedelta(days=day)
                       for day in days)
        return (x509.CertificateBuilder()
                .subject_name(self.name).issuer_name(issuer.name)
                .public_key(self.key.public_key())
                .serial_number(x509.random_serial_number())
                .not_valid_before(first).not_valid_after(last))

    @property
    def pem(self):
        """The certificate in the format that Barbican accepts, bytes."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self):
        """The certificate in the format that castellan returns, bytes."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def properties(self, certificate_id, data, hash_method='SHA-256'):
        """Return the image properties with a signature of data.

        :param certificate_id: the certificate's ID in the key manager
        :param data: bytes
        :param hash_method: one of HASHES
        """
        return {
            'img_signature': self._signature(data, HASHES[hash_method]()),
            'img_signature_hash_method': hash_method,
            'img_signature_key_type': self.key_type,
            'img_signature_certificate_uuid': certificate_id,
        }

    def _signature(self, data, algorithm):
        sign = functools.partial(self.key.sign, data)
        if self.key_type == 'RSA-PSS':
            made = sign(padding.PSS(
                mgf=padding.MGF1(algorithm),
                salt_length=padding.PSS.MAX_LENGTH), algorithm)
        elif self.key_type == 'DSA':
            made = sign(algorithm)
        else:
            made = sign(ec.ECDSA(algorithm))
        return base64.b64encode(made).decode('ascii')


def _as_authority(builder, path_length):
    usage = dict.fromkeys((
        'digital_signature', 'content_commitment', 'key_encipherment',
        'data_encipherment', 'key_agreement', 'crl_sign', 'encipher_only',
        'decipher_only'), False)
    return builder.add_extension(
        x509.BasicConstraints(ca=True, path_length=path_length), True
    ).add_extension(x509.KeyUsage(key_cert_sign=True, **usage), True)
