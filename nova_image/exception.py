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

"""What can go wrong, under the names that Nova's callers know.

::

    NovaImageException
     +-- NotFound                       404
     |    +-- ImageNotFound
     +-- Forbidden                      401, 403
     |    +-- ImageNotAuthorized
     +-- Invalid                        400 and what is refused before sending
     |    +-- ImageBadRequest
     |    +-- ImageUnacceptable         the image cannot be used as asked
     |    |    +-- ImageCorrupt         its bytes are not those Glance recorded
     |    |    +-- ImageLocationRefused   Glance takes no such location
     |    |    +-- SignatureVerificationError   its signature proves nothing
     |    |    +-- CertificateValidationFailed  its signer is not trusted
     |    +-- ImageImportImpossible     no such method or store, 409
     |    +-- InvalidImageRef
     |    +-- ImageUploadFailed         the data could not be sent whole
     +-- ImageConflict                  409
     |    +-- ImageDeleteConflict       409 of a delete
     +-- ImageQuotaExceeded             413
     +-- ImageActionNotSupported        the Images API in use cannot do it, 501
     +-- GlanceConnectionFailed         no answer
     |    +-- GlanceServerError         429, 500, 502, 503, 504
     |    +-- GlanceEndpointUnknown      no configuration, no catalog entry
     |    +-- GlanceBadAnswer           an answer that is not Glance's
     |         +-- GlanceVersionNotServed   300
     +-- InsufficientDiskSpace          no room for the image
     +-- ImageDownloadUnavailable       not to be had from where it is stored
     +-- DriverLoadError                the driver's entry point

Every one says what was being done, to which image, at which endpoint, what
came back and what to do about it; the parts are attributes too. Messages are
redacted: no token, and no credentials inside a URL.
"""

import copy
import re

import six

_CREDENTIALS = re.compile(r'([a-zA-Z][\w+.-]{0,30}://)[^/\s\'"]+@')
_TOKEN = re.compile(r'(?i)(x-(?:auth|service|subject)-token["\']?\s*[:=]\s*'
                    r'(?:[bu](?=["\']))?["\']?)[^\s"\',}]+')


def redact(text):
    """Return ``text`` without tokens and without credentials in URLs.

    :param text: anything that can be shown, or None
    :returns: text; '' for None
    """
    if text is None:
        return u''
    if isinstance(text, bytes):
        text = text.decode('utf-8', 'replace')
    text = _CREDENTIALS.sub(r'\1***@', six.text_type(text))
    return _TOKEN.sub(r'\1***', text)


@six.python_2_unicode_compatible
class NovaImageException(Exception):
    """Base of all: a headline, the facts, and what to do.

    :param message: the headline; the class's own one by default
    :keyword action: what was being done, such as ``'show'``
    :keyword image_id: which image
    :keyword endpoint: the URL of the Glance that was asked
    :keyword status: HTTP status, an int
    :keyword reason: what came back, Glance's own words where there are any
    :keyword advice: what to do about it
    :keyword retry_after: seconds that the server asked to wait
    :keyword retriable: whether the same request may succeed later; the
        class's own answer by default
    """

    headline = 'The image service failed'
    advice = ''
    #: HTTP status that an API in front of this may answer with
    code = 500
    #: whether the same request may succeed a moment later
    retriable = False

    def __init__(self, message=None, **facts):
        self.message = redact(message or self.headline)
        self.action = facts.pop('action', None)
        self.image_id = facts.pop('image_id', None)
        self.endpoint = redact(facts.pop('endpoint', None))
        self.status = facts.pop('status', None)
        self.reason = redact(facts.pop('reason', None))
        self.advice = facts.pop('advice', None) or self.advice
        self.retry_after = facts.pop('retry_after', None)
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
        changed.__dict__.update(facts)
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
        return u'. %s' % self.advice if self.advice else u''

    def format_message(self):
        """Return the whole message, as Nova's exceptions do."""
        return six.text_type(self)


class NotFound(NovaImageException):
    """There is no such thing, or it may not be seen."""

    headline = 'Not found'
    code = 404


class ImageNotFound(NotFound):
    """There is no such image, or the caller may not see it."""

    headline = 'Image could not be found'
    advice = 'Check the ID, and that the project owns it or has access to it'


class Forbidden(NovaImageException):
    """Glance refuses the caller."""

    headline = 'Not authorized'
    code = 403


class ImageNotAuthorized(Forbidden):
    """Glance refuses the caller this action on this image."""

    headline = 'Not authorized for the image'
    advice = ("Check the token's project and roles, Glance's policy and "
              "whether the image is protected")


class Invalid(NovaImageException):
    """What was asked for cannot be."""

    headline = 'Invalid request to the image service'
    code = 400


class ImageBadRequest(Invalid):
    """Glance, or the driver on its behalf, refuses what was sent."""

    headline = 'The request about the image is not acceptable'


class ImageUnacceptable(Invalid):
    """The image exists and cannot be used as asked."""

    headline = 'The image cannot be used'


class ImageCorrupt(ImageUnacceptable):
    """The bytes received are not those that Glance recorded."""

    headline = 'The image data is not what Glance recorded'
    retriable = True


class ImageLocationRefused(ImageUnacceptable, ImageBadRequest):
    """Glance does not take this location of the data, or not in time."""

    headline = 'Glance does not take the location of the image data'


class SignatureVerificationError(ImageUnacceptable):
    """The image's signature is missing, wrong or cannot be checked."""

    headline = 'The signature of the image cannot be verified'


class CertificateValidationFailed(ImageUnacceptable):
    """The certificate of the image's signature is not trusted.

    :keyword certificate_id: the certificate, by its ID in the key manager
    """

    headline = 'The certificate of the image signature is not trusted'

    def __init__(self, message=None, **facts):
        self.certificate_id = facts.pop('certificate_id', None)
        super(CertificateValidationFailed, self).__init__(message, **facts)


class ImageImportImpossible(Invalid):
    """Glance does not import so, or the image's state does not allow it."""

    headline = 'The image cannot be imported'


class InvalidImageRef(Invalid):
    """The reference names no image of a Glance that is known here."""

    headline = 'Invalid image reference'


class ImageUploadFailed(Invalid):
    """The data could not be sent whole; no image was left active by it."""

    headline = 'The image data could not be sent whole'


class ImageConflict(NovaImageException):
    """The image's state, or its ID, is in the way."""

    headline = "The image's state does not allow it"
    code = 409


class ImageDeleteConflict(ImageConflict):
    """The image is in use."""

    headline = 'The image is in use and cannot be deleted'


class ImageQuotaExceeded(NovaImageException):
    """A limit of Glance is reached."""

    headline = 'A quota of the image service is exceeded'
    advice = "Delete images, or have the project's limits raised"
    code = 413


class ImageActionNotSupported(NovaImageException):
    """The Images API behind the driver cannot do this."""

    headline = 'The Images API in use cannot do this'
    code = 501


class GlanceConnectionFailed(NovaImageException):
    """No answer came, or none that was whole."""

    headline = 'Connection to Glance failed'
    advice = 'Check that the endpoint is right and that Glance runs'
    code = 503
    retriable = True


class GlanceServerError(GlanceConnectionFailed):
    """Glance, or a proxy before it, could not serve the request."""

    headline = 'Glance could not serve the request'
    advice = "Try again later; Glance's log tells more"


class GlanceEndpointUnknown(GlanceConnectionFailed):
    """Nothing says where Glance is."""

    headline = 'No endpoint of Glance is known'
    advice = ('Set [glance] api_servers or endpoint_override, or register '
              'Glance in the catalog')
    retriable = False


class GlanceBadAnswer(GlanceConnectionFailed):
    """What answered did not speak the Images API."""

    headline = "The answer is not Glance's"
    advice = ('Check that the endpoint is that of Glance and not of another '
              'service or a login page')
    retriable = False


class GlanceVersionNotServed(GlanceBadAnswer):
    """The endpoint does not serve this version of the Images API."""

    headline = 'The endpoint does not serve this version of the Images API'
    advice = ('Set [glance] use_glance_v1 to match what Glance serves: False '
              'for v2, True for v1')


class InsufficientDiskSpace(NovaImageException):
    """The image does not fit where it is to go."""

    headline = 'There is not enough disk space for the image'
    advice = 'Make room, or choose another place'
    code = 507


class ImageDownloadUnavailable(NovaImageException):
    """The data cannot be had directly from where it is stored.

    Callers of a download do not see it: the Images API has the data too.
    """

    headline = 'The image data cannot be fetched from where it is stored'


class DriverLoadError(NovaImageException):
    """The image driver cannot be loaded."""

    headline = 'The image driver cannot be loaded'
