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

"""Verifies image signatures, with certificates from a key manager.

Four properties of an image contain its signature, how it was made and the ID
of the signer's certificate. cursive verifies them, as it does in Nova, and
reads the certificates from castellan's key manager (usually Barbican) on
behalf of the caller. Nova configures castellan; elsewhere it reads
``[key_manager]`` and ``[barbican]`` of oslo_config.cfg.CONF.

A signature is required, and certificates are trusted, under the same
conditions as in Nova 34.0.0 (GlanceImageServiceV2._get_verifier).
"""

import contextlib

from oslo_log import log as logging
import six

from nova_image import exception
from nova_image.image import identity
from nova_image.image.transfer import contracts

LOG = logging.getLogger(__name__)

#: the properties of a signature, under the names of cursive's parameters
PROPERTIES = ('img_signature', 'img_signature_hash_method',
              'img_signature_key_type', 'img_signature_certificate_uuid')


class Check(contracts.Check):
    """Verifies that the bytes of one attempt were signed.

    :param verifier: of cursive
    :param facts: keyword arguments for the exceptions
    """

    name = 'signature'

    def __init__(self, verifier, **facts):
        self._verifier = verifier
        self._facts = facts

    def update(self, chunk):
        """Process the next bytes."""
        self._verifier.update(chunk)

    def verify(self):
        """Compare all bytes with the signature. Can be called only once.

        :raises SignatureVerificationError: if it was made from other bytes,
            or by another key
        """
        from cryptography import exceptions as crypto_exceptions

        try:
            self._verifier.verify()
        except crypto_exceptions.InvalidSignature as error:
            six.raise_from(exception.SignatureVerificationError(
                reason='the data is not what was signed', advice=(
                    'Do not use the image unless its owner explains this'),
                **self._facts), error)
        except (crypto_exceptions.UnsupportedAlgorithm,
                ValueError) as error:  # a key may be too short for the hash
            six.raise_from(exception.SignatureVerificationError(
                reason=error, **self._facts), error)
        LOG.info('The signature of image %s is verified',
                 self._facts.get('image_id'))


def open_verifier(conf, context, properties, trusted_certs=None, **facts):
    """Return a check of an image's signature for one attempt.

    A signature is required if ``verify_glance_signatures`` is set or there
    are trusted certificates: the caller's, or those of
    ``default_trusted_certificate_ids`` if ``enable_certificate_validation``
    is set. If there are trusted certificates, the signer's certificate is
    always validated, whether that option is set or not.

    :param conf: an oslo.config ConfigOpts with ``[glance]``
    :param context: the caller's context, with which certificates are read
    :param properties: dict with the image's properties, flat as in v2
    :param trusted_certs: IDs of the certificates that the caller trusts, or
        an object with them as ``ids`` (Nova's TrustedCerts)
    :param facts: keyword arguments for the exceptions, such as those of
        nova_image.image.messages.Request.facts
    :returns: a new Check, or None if no signature is required
    :raises SignatureVerificationError: if the image has no signature, or the
        signature cannot be verified
    :raises CertificateValidationFailed: if its certificate is not trusted
    """
    options = conf.glance
    if not trusted_certs and options.enable_certificate_validation:
        trusted_certs = options.default_trusted_certificate_ids
    if not (trusted_certs or options.verify_glance_signatures):
        return None
    signed = _signature_of(properties, facts)
    cursive = _Cursive(conf, context, signed, facts)
    verifier = cursive.verifier()
    if trusted_certs:
        cursive.validate(getattr(trusted_certs, 'ids', trusted_certs))
    elif options.enable_certificate_validation:
        raise _not_validated(signed, facts)
    else:
        LOG.debug('The certificate of the signature is not validated: there '
                  'are no trusted certificates')
    return Check(verifier, **facts)


def _signature_of(properties, facts):
    """Return the properties of the signature; raises if one is missing."""
    missing = [name for name in PROPERTIES if not properties.get(name)]
    if missing:
        raise exception.SignatureVerificationError(
            reason='the image has no %s' % ', '.join(missing), advice=(
                'Sign the image and set these properties, or use a signed '
                'image'), **facts)
    return {name: properties[name] for name in PROPERTIES}


def _not_validated(signed, facts):
    return exception.CertificateValidationFailed(
        certificate_id=signed['img_signature_certificate_uuid'],
        reason='certificate validation is enabled, but there are no trusted '
               'certificates', advice=(
                   'Specify some in the request, or in [glance] '
                   'default_trusted_certificate_ids'), **facts)


class _Cursive(object):
    """cursive with this project's contexts and exceptions.

    :param conf: an oslo.config ConfigOpts with ``[glance]``
    :param context: the caller's context
    :param signed: {name: value} of PROPERTIES
    :param facts: keyword arguments for the exceptions
    :raises SignatureVerificationError: if cursive cannot be imported
    """

    def __init__(self, conf, context, signed, facts):
        self._signed = signed
        self._facts = facts
        self._certificate_id = signed['img_signature_certificate_uuid']
        try:
            self._import()
            self._context = _for_castellan(conf, context)
        except Exception as error:
            six.raise_from(exception.SignatureVerificationError(
                reason='the library cursive cannot be imported: %s' % error,
                advice='Install it and its dependencies into this Python: '
                       'pip install "nova_image[signatures]"', **facts),
                error)

    def _import(self):
        """Import cursive, which is slow, only when it is used."""
        from cursive import certificate_utils
        from cursive import exception as cursive_exception
        from cursive import signature_utils

        self._error = cursive_exception.SignatureVerificationError
        self._signatures = signature_utils
        self._certificates = certificate_utils

    def verifier(self):
        """Return a new verifier, with the public key of the certificate."""
        with self._reported_as(exception.SignatureVerificationError):
            return self._signatures.get_verifier(context=self._context,
                                                 **self._signed)

    def validate(self, trusted_ids):
        """Check that the caller trusts the certificate.

        :param trusted_ids: IDs in the key manager
        """
        with self._reported_as(exception.CertificateValidationFailed,
                               'it has no chain to a trusted one: ',
                               certificate_id=self._certificate_id):
            trusted = list(self._available(trusted_ids))
            certificate = self._signatures.get_certificate(
                self._context, self._certificate_id)
            self._require_end(certificate, [one for _, one in trusted])
            chain = self._certificates.CertificateVerificationContext(trusted)
            chain.update(certificate)
            chain.verify()

    def _available(self, trusted_ids):
        """Yield (ID, certificate) of the certificates that can be read."""
        for trusted_id in trusted_ids:
            try:
                yield trusted_id, self._signatures.get_certificate(
                    self._context, trusted_id)
            except self._error as error:
                LOG.warning('Ignoring the trusted certificate %(id)s: '
                            '%(error)s', {
                                'id': trusted_id,
                                'error': exception.redact(error)})

    def _require_end(self, certificate, trusted):
        """Raise if certificates sign one another in a circle.

        cursive follows the first certificate that signs, then the first that
        signs that one, until one signs itself: in a circle it never ends
        (0.3.1).
        """
        utils, seen = self._certificates, []
        usable = [one for one in trusted if utils.is_within_valid_dates(one)
                  and utils.can_sign_certificates(one)]
        while certificate is not None and certificate not in seen:
            seen.append(certificate)
            certificate = next((one for one in usable if utils.is_issuer(
                one, certificate)), None)
        if certificate not in (None, seen[-1]):
            raise self._error(reason='trusted certificates sign one another')

    @contextlib.contextmanager
    def _reported_as(self, kind, prefix='', **facts):
        """Raise one kind of exception for every error.

        cursive's reason may be only the name of the certificate at which a
        chain breaks (0.3.1), so a prefix can explain it.

        Nova shows the reason to its users. Other libraries' messages may
        contain endpoints, so they go only to the log.
        """
        facts.update(self._facts)
        try:
            yield
        except self._error as error:
            reason = error.kwargs.get('reason') or six.text_type(error)
            six.raise_from(kind(
                reason=prefix + reason.rstrip('.'), **facts), error)
        except Exception as error:
            LOG.warning('Certificates for the signature of image %(id)s '
                        'cannot be read or used: %(kind)s: %(error)s', {
                            'id': self._facts.get('image_id'),
                            'kind': type(error).__name__,
                            'error': exception.redact(error)})
            six.raise_from(kind(reason=(
                'the certificate %s, or a trusted one, cannot be read or used '
                '(%s)' % (self._certificate_id, type(error).__name__)),
                **facts), None)


def _for_castellan(conf, context):
    """Return a context that castellan accepts.

    It accepts only those of oslo.context and its own. Any other context is
    wrapped, with the token and the catalog of the requests to Glance.

    :param context: the caller's context
    """
    from castellan.common.credentials import credential
    from oslo_context import context as oslo_context

    class RequestContext(oslo_context.RequestContext):
        """The caller; castellan of 2019 and earlier checks this name."""

        def get_auth_plugin(self):
            """Return the keystoneauth plugin of the caller, if any."""
            caller = identity.Identity(conf)
            return None if caller.borrows(context) else caller.auth(context)

        def update_store(self):
            """Do not become the context of the thread's log messages."""

    if isinstance(context, (oslo_context.RequestContext,
                            credential.Credential)):
        return context
    return RequestContext()
