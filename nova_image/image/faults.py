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

"""Turns any failed request into one exception of nova_image.exception.

Knows HTTP and the form of Glance's errors, but no API version: Glance 15 and
33 both answer errors as small HTML pages of webob, some as JSON or text.
"""

import re

from glanceclient import exc as client_exc
from keystoneauth1 import exceptions as ksa_exc
import requests
import six
from six.moves import http_client

from nova_image import exception
from nova_image.image import retry
from nova_image import redaction

try:
    from html import unescape
except ImportError:  # Python 2.7
    from six.moves import html_parser
    unescape = html_parser.HTMLParser().unescape

#: the most characters of Glance's own words in a message
MAX_REASON = 1000
#: the most that is read of an error's body, in bytes
MAX_ERROR_BODY = 64 * 1024

#: status -> (for a request about one image, for any other)
_BY_STATUS = {
    300: (exception.GlanceVersionNotServed, exception.GlanceVersionNotServed),
    400: (exception.ImageBadRequest, exception.Invalid),
    401: (exception.ImageNotAuthorized, exception.Forbidden),
    403: (exception.ImageNotAuthorized, exception.Forbidden),
    404: (exception.ImageNotFound, exception.NotFound),
    409: (exception.ImageConflict, exception.ImageConflict),
    413: (exception.ImageQuotaExceeded, exception.ImageQuotaExceeded),
    415: (exception.ImageBadRequest, exception.Invalid),
    501: (exception.ImageActionNotSupported,
          exception.ImageActionNotSupported),
}
_RETRIABLE = frozenset((429, 500, 502, 503, 504))

_NO_CONNECTION = (client_exc.CommunicationError, client_exc.InvalidEndpoint,
                  ksa_exc.ConnectionError, requests.RequestException,
                  http_client.HTTPException)
_NO_IDENTITY = (ksa_exc.AuthorizationFailure, ksa_exc.Unauthorized,
                ksa_exc.MissingAuthPlugin)


def from_response(response, request, endpoint, retriable=None):
    """Return the exception for an answer that is an error.

    :param response: requests.Response with a status of 300 or more
    :param request: nova_image.image.messages.Request that it answers
    :param endpoint: URL of the Glance that was asked
    :param retriable: whether to retry; None for what the status suggests
    """
    if 300 < response.status_code < 400:
        return _redirect(response, request, endpoint)
    kind = _kind(response.status_code, request)
    # Half a secret could not be recognised.
    reason = exception.redact(_said(response), request.secrets)[:MAX_REASON]
    return kind(reason=reason, status=response.status_code,
                retriable=retriable,
                retry_after=retry.parse_retry_after(
                    response.headers.get('Retry-After')),
                **request.facts(endpoint))


def _redirect(response, request, endpoint):
    response.close()
    return exception.GlanceBadAnswer(
        status=response.status_code, reason='it redirects to %s' % (
            response.headers.get('Location')),
        advice='Set the endpoint to where Glance really is: a token is not '
               'sent after a redirect', **request.facts(endpoint))


def _kind(status, request):
    special = request.errors.get(status)
    if special is not None:
        return special
    if status in _RETRIABLE:
        return exception.GlanceServerError
    if status in _BY_STATUS:
        about_image, general = _BY_STATUS[status]
        return about_image if request.image_id else general
    return exception.ImageBadRequest if 400 <= status < 500 else (
        exception.GlanceBadAnswer)


def _said(response):
    """Return Glance's own words on one line."""
    kind = response.headers.get('Content-Type', '')
    try:
        text = next(response.iter_content(MAX_ERROR_BODY), b'')
    except Exception:
        return response.reason  # the status says enough
    finally:
        response.close()
    text = text.decode('utf-8', 'replace')
    if 'html' in kind:
        text = _without_tags(text)
    text = ' '.join(text.split()).rstrip('.')
    if response.status_code == 300 or not text:
        return response.reason
    return text


def _without_tags(text):
    text = re.sub(r'(?is)<(head|style|script|h1).*?</\1>', ' ', text)
    text = re.sub(r'(?s)<[^>]*>', ' ', text)
    return unescape(text)


def from_error(error, request, endpoint):
    """Return the exception for a request without a complete answer.

    :param error: exception of python-glanceclient, keystoneauth or requests
    :returns: an exception of ours; None for an error of any other library
    """
    facts = request.facts(endpoint)
    if isinstance(error, _NO_IDENTITY):
        return exception.Forbidden(
            'Not authorized by Keystone', reason=error, advice=(
                'Check the token, or the credentials in [glance]'), **facts)
    if isinstance(error, ksa_exc.CatalogException):
        return exception.GlanceEndpointUnknown(reason=error, **facts)
    if isinstance(error, _NO_CONNECTION):
        return exception.GlanceConnectionFailed(reason=error, **facts)
    return None


def raise_ours(error, request, endpoint):
    """Raise the exception for an error; the error itself if there is none.

    :param error: the exception that is being handled
    """
    ours = from_error(error, request, endpoint)
    if ours is None:
        raise error
    six.raise_from(ours, _cause(error, request.secrets))


def _cause(error, secrets):
    """Return an error to show as the cause; None if it contains secrets.

    A traceback also shows what has caused the cause.
    """
    seen = []
    while error is not None and error not in seen:
        seen.append(error)
        text = redaction.to_text(error)
        if exception.redact(text, secrets) != text:
            return None
        error = getattr(error, '__cause__', None) or getattr(
            error, '__context__', None)
    return seen[0]


def bad_answer(response, request, endpoint, why):
    """Return the exception for a success that does not come from Glance.

    :param why: what is wrong with the answer
    """
    response.close()
    return exception.GlanceBadAnswer(
        status=response.status_code, reason=why, **request.facts(endpoint))
