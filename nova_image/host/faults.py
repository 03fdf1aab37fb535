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

"""Translates our exceptions into Nova's, which Nova's code catches.

Facts about Nova's classes were read in 15.1.5 and 34.0.0. Nova shows many of
their messages to its users, who must not learn about endpoints. So a message
has Nova's own wording and facts, and our exception is attached as its cause.
"""

import contextlib

from nova import exception as nova_exception
import six

from nova_image import exception

#: ours -> Nova's; the first match wins, so subclasses come first
_NAMES = (
    (exception.InvalidImageRef, 'InvalidImageRef'),
    (exception.ImageNotFound, 'ImageNotFound'),
    (exception.ImageNotAuthorized, 'ImageNotAuthorized'),
    (exception.ImageDeleteConflict, 'ImageDeleteConflict'),
    (exception.ImageQuotaExceeded, 'ImageQuotaExceeded'),
    (exception.ImageImportImpossible, 'ImageImportImpossible'),
    (exception.CertificateValidationFailed, 'CertificateValidationFailed'),
    (exception.SignatureVerificationError, 'SignatureVerificationError'),
    (exception.ImageUnacceptable, 'ImageUnacceptable'),
    (exception.ImageUploadFailed, 'ImageUnacceptable'),
    (exception.ImageBadRequest, 'ImageBadRequest'),
    (exception.ImageConflict, 'ImageBadRequest'),
    (exception.ImageActionNotSupported, 'ImageBadRequest'),
    (exception.GlanceConnectionFailed, 'GlanceConnectionFailed'),
    (exception.Forbidden, 'Forbidden'),
    (exception.NotFound, 'NotFound'),
    (exception.Invalid, 'Invalid'),
)
#: replacements for classes that Nova 15 does not have
_SUBSTITUTES = {'ImageQuotaExceeded': 'ImageBadRequest',
                'ImageDeleteConflict': 'ImageBadRequest',
                'ImageImportImpossible': 'ImageBadRequest',
                'CertificateValidationFailed': 'SignatureVerificationError'}
#: classes that Nova's callers catch if a call is not about an existing image
_PLAIN = {'ImageNotFound': 'NotFound', 'ImageNotAuthorized': 'Forbidden',
          'ImageBadRequest': 'Invalid'}


def to_nova(error, plain=False, image_id=None):
    """Return Nova's exception for one of ours.

    :param error: a NovaImageException
    :param plain: whether the call is not about an existing image
    :param image_id: ID of the image that Nova has named, if any; an error
        that is found before a request is sent may not know it
    :returns: an exception of nova.exception
    """
    name = next((nova_name for ours, nova_name in _NAMES
                 if isinstance(error, ours)), 'NovaException')
    if not hasattr(nova_exception, name):
        name = _SUBSTITUTES.get(name, name)
    if plain:
        name = _PLAIN.get(name, name)
    why = error.reason or error.message
    kind, facts = _class(name), {
        'image_id': error.image_id or image_id, 'image_href': why,
        'reason': why, 'response': why, 'server': error.endpoint,
        'cert_uuid': getattr(error, 'certificate_id', None)}
    if name in _PLAIN.values() or name == 'NovaException' or (
            _lacks(kind, facts)):
        return kind(why)
    return kind(**facts)


def _lacks(kind, facts):
    """Return whether a class's message has a fact that is unknown."""
    message = getattr(kind, 'msg_fmt', '')
    return any(not value and '%%(%s)' % name in message
               for name, value in facts.items())


def _class(name):
    """Return the class of this name that Nova catches."""
    if name == 'SignatureVerificationError' and (
            not hasattr(nova_exception, name)):
        # Nova 15 has its own class; Nova 34 catches that of cursive.
        from cursive import exception as cursive_exception
        return cursive_exception.SignatureVerificationError
    return getattr(nova_exception, name)


@contextlib.contextmanager
def translated(image_id=None, plain=False):
    """Raise Nova's exceptions instead of ours, with ours as their cause.

    :param image_id: ID of the image that Nova has named, if any
    :param plain: whether the call is not about an existing image
    """
    try:
        yield
    except exception.NovaImageException as error:
        six.raise_from(to_nova(error, plain, image_id), error)
