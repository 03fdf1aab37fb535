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

"""Exceptions of nova_image, with the names that Nova's callers catch.

::

    NovaImageException
     +-- NotFound                       404
     |    +-- ImageNotFound
     +-- Forbidden                      401, 403
     |    +-- ImageNotAuthorized
     +-- Invalid                        400, or refused before it is sent
     |    +-- ImageBadRequest
     |    +-- ImageUnacceptable         the image cannot be used as requested
     |    |    +-- ImageCorrupt         its data does not match the record
     |    |    +-- ImageLocationRefused   Glance refuses the location
     |    |    +-- SignatureVerificationError   it has no valid signature
     |    |    +-- CertificateValidationFailed  its signer is not trusted
     |    +-- ImageImportImpossible     unknown method or store, 409
     |    +-- InvalidImageRef
     |    +-- ImageUploadFailed         the data could not be uploaded
     +-- ImageConflict                  409
     |    +-- ImageDeleteConflict       409 in response to a delete
     +-- ImageQuotaExceeded             413
     +-- ImageActionNotSupported        not supported by the Images API, 501
     +-- GlanceConnectionFailed         no response
     |    +-- GlanceServerError         429, 500, 502, 503, 504
     |    |    +-- GlanceStoreRefused   500, for the token's project
     |    +-- GlanceEndpointUnknown     no configuration, no catalog entry
     |    +-- GlanceNotTrusted          no TLS connection, and none later
     |    +-- GlanceBadAnswer           a response that is not Glance's
     |         +-- GlanceVersionNotServed   300
     +-- InsufficientDiskSpace          the image does not fit on the disk
     +-- ImageDownloadUnavailable       no direct access to the data
     +-- DriverLoadError                the driver's entry point is unusable

Each message states the operation, the image, the endpoint, the response and
what to do about it. The same parts are available as attributes. Messages are
redacted: see nova_image.redaction.
"""

import copy

import six

from nova_image import redaction

redact = redaction.redact


@six.python_2_unicode_compatible
class NovaImageException(Exception):
    """Base class: a headline, the facts, and what to do about it.

    :param message: the headline; that of the class by default
    :keyword action: the operation, such as ``'show'``
    :keyword image_id: ID of the image
    :keyword endpoint: URL of the Glance that was asked
    :keyword status: HTTP status, an int
    :keyword reason: why it failed, in Glance's own words if there are any
    :keyword advice: what to do about it; that of the class by default
    :keyword retry_after: seconds that the server asked to wait
    :keyword retriable: whether the same request may succeed later; that of
        the class by default
    :keyword left: what the failed call has left behind or changed, text for
        the message; None if it has undone everything
    :keyword in_doubt: whether ``left`` may be more, or less, because the
        answer to a request was lost
    :keyword secrets: nova_image.redaction.Secrets of the request, which the
        reason must not show; they are not kept
    """

    headline = 'The image service failed'
    advice = ''
    #: HTTP status for an API that reports this error to its own callers
    code = 500
    #: whether the same request may succeed if it is repeated
    retriable = False

    def __init__(self, message=None, **facts):
        secrets = facts.pop('secrets', None)
        self.message = redact(message or self.headline)
        self.action = facts.pop('action', None)
        self.image_id = _clean(facts.pop('image_id', None))
        self.endpoint = redact(facts.pop('endpoint', None))
        self.status = facts.pop('status', None)
        self.reason = redact(facts.pop('reason', None), secrets)
        self.advice = _clean(facts.pop('advice', None)) or self.advice
        self.retry_after = facts.pop('retry_after', None)
        self.left = _clean(facts.pop('left', None))
        self.in_doubt = facts.pop('in_doubt', False)
        retriable = facts.pop('retriable', None)
        if retriable is not None:
            self.retriable = retriable
        if facts:
            raise TypeError('unknown facts: %s' % ', '.join(sorted(facts)))
        super(NovaImageException, self).__init__(self.message)

    def but(self, **facts):
        """Return a copy with other facts; an exception never changes.

        :param facts: those of the constructor
        """
        changed = copy.copy(self)
        changed.__dict__.update(
            (name, _clean(value)) for name, value in facts.items())
        return changed

    def __str__(self):
        return u''.join((self.message, self._subject(), self._circumstances(),
                         self._ending()))

    def _subject(self):
        return u' (image %s)' % self.image_id if self.image_id else u''

    def _circumstances(self):
        words = [u'%s' % self.action] if self.action else []
        if self.endpoint:
            words.append(u'at %s' % self.endpoint)
        if self.status:
            words.append(u'answered %s' % self.status)
        said = u' '.join(words)
        return u''.join(u': ' + part for part in (said, self.reason) if part)

    def _ending(self):
        left = u'Left behind: %s' % self.left if self.left else u''
        return u''.join(u'. ' + part for part in (left, self.advice) if part)

    def format_message(self):
        """Return the whole message, as Nova's exceptions do."""
        return six.text_type(self)


def _clean(value):
    """Return a fact, redacted if it is text."""
    return redact(value) if isinstance(
        value, (six.string_types, bytes)) else value


class NotFound(NovaImageException):
    """The resource does not exist, or the caller cannot see it."""

    headline = 'Not found'
    code = 404


class ImageNotFound(NotFound):
    """The image does not exist, or the caller cannot see it."""

    headline = 'Image not found'
    advice = ('Check the ID, and that the project owns the image or has '
              'access to it')


class Forbidden(NovaImageException):
    """Glance denies the request to the caller."""

    headline = 'Not authorized'
    code = 403


class ImageNotAuthorized(Forbidden):
    """Glance denies this operation on this image to the caller."""

    headline = 'Not authorized for the image'
    advice = ("Check the token's project and roles, Glance's policy, and "
              "whether the image is protected")


class Invalid(NovaImageException):
    """The request is not valid."""

    headline = 'Invalid request to the image service'
    code = 400


class ImageBadRequest(Invalid):
    """Glance, or the driver on its behalf, refuses the request."""

    headline = 'Invalid image request'


class ImageUnacceptable(Invalid):
    """The image exists but cannot be used as requested."""

    headline = 'The image cannot be used'


class ImageCorrupt(ImageUnacceptable):
    """The data received does not match what Glance recorded."""

    headline = 'The image data does not match what Glance recorded'
    retriable = True


class ImageLocationRefused(ImageUnacceptable, ImageBadRequest):
    """Glance refuses the location, or does not process it in time."""

    headline = 'Glance did not accept the location of the image data'


class SignatureVerificationError(ImageUnacceptable):
    """The image signature is missing, wrong or cannot be verified."""

    headline = 'The image signature cannot be verified'


class CertificateValidationFailed(ImageUnacceptable):
    """The certificate of the image signature is not trusted.

    :keyword certificate_id: ID of the certificate in the key manager
    """

    headline = 'The certificate of the image signature is not trusted'

    def __init__(self, message=None, **facts):
        self.certificate_id = facts.pop('certificate_id', None)
        super(CertificateValidationFailed, self).__init__(message, **facts)


class ImageImportImpossible(Invalid):
    """Glance lacks the method or store, or the state forbids an import."""

    headline = 'The image cannot be imported'


class InvalidImageRef(Invalid):
    """The reference is not an image ID or the URL of a known Glance."""

    headline = 'Invalid image reference'


class ImageUploadFailed(Invalid):
    """The data was not uploaded; no image has become active with it."""

    headline = 'The image data could not be uploaded'


class ImageConflict(NovaImageException):
    """The image is in the wrong state, or its ID is already in use."""

    headline = 'The state of the image does not allow this'
    code = 409


class ImageDeleteConflict(ImageConflict):
    """The image is in use."""

    headline = 'The image is in use and cannot be deleted'


class ImageQuotaExceeded(NovaImageException):
    """A limit of Glance has been reached."""

    headline = 'A quota of the image service has been exceeded'
    advice = 'Delete images, or ask for higher limits for the project'
    code = 413


class ImageActionNotSupported(NovaImageException):
    """The Images API in use does not support the operation."""

    headline = 'The Images API in use does not support this'
    code = 501


class GlanceConnectionFailed(NovaImageException):
    """Glance did not respond, or its response was incomplete."""

    headline = 'Connection to Glance failed'
    advice = 'Check that the endpoint is correct and that Glance is running'
    code = 503
    retriable = True


class GlanceServerError(GlanceConnectionFailed):
    """Glance, or a proxy in front of it, could not serve the request."""

    headline = 'Glance could not serve the request'
    advice = "Try again later, and see Glance's log for the cause"


class GlanceStoreRefused(GlanceServerError):
    """Glance's store has probably refused the token of the caller.

    See nova_image.image.tenancy.
    """

    headline = 'The store of Glance may have refused the token'
    advice = "Use a token of the project that owns the image"
    retriable = False


class GlanceEndpointUnknown(GlanceConnectionFailed):
    """Neither the configuration nor the catalog has an endpoint."""

    headline = 'No Glance endpoint is known'
    advice = ('Set [glance] api_servers or endpoint_override, or register '
              'Glance in the service catalog')
    retriable = False


class GlanceNotTrusted(GlanceConnectionFailed):
    """TLS fails in a way that a retry does not change.

    A certificate is not trusted, or a file with certificates is unusable.
    """

    headline = 'No trusted TLS connection'
    advice = 'Check the certificates of the server and of this host'
    retriable = False


class GlanceBadAnswer(GlanceConnectionFailed):
    """The response does not come from the Images API."""

    headline = 'The response is not from Glance'
    advice = ('Check that the endpoint is that of Glance, not that of another '
              'service or a login page')
    retriable = False


class GlanceVersionNotServed(GlanceBadAnswer):
    """The endpoint does not serve this version of the Images API."""

    headline = 'The endpoint does not serve this version of the Images API'
    advice = ('Set [glance] use_glance_v1 to match what Glance serves: False '
              'for v2, True for v1')


class InsufficientDiskSpace(NovaImageException):
    """The image does not fit at its destination."""

    headline = 'Not enough disk space for the image'
    advice = 'Free some disk space, or choose another destination'
    code = 507


class ImageDownloadUnavailable(NovaImageException):
    """The data cannot be read directly from the store.

    Callers of a download do not see this error: the data is then downloaded
    through the Images API.
    """

    headline = 'The image data cannot be read directly from its store'


class DriverLoadError(NovaImageException):
    """The image driver cannot be loaded."""

    headline = 'The image driver cannot be loaded'
