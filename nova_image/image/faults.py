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

"""Turns what came back from Glance into one exception of nova_image.exception.

Knows HTTP and how Glance words its errors, and no API version: Glance 15 and
33 both answer errors as small HTML pages of webob, some as JSON or text.
"""

import re

from glanceclient import exc as client_exc
from keystoneauth1 import exceptions as ksa_exc
import requests
from six.moves import http_client

from nova_image import exception
from nova_image.image import retry

try:
    from html import unescape
except ImportError:  # Python 2.7
    from six.moves import html_parser
    unescape = html_parser.HTMLParser().unescape

#: characters of Glance's words that a message takes at the most
MAX_REASON = 1000
#: what of an error's body is read at the most, in bytes
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


def from_response(response, request, endpoint):
    """Return the exception for an answer that is an error.

    :param response: requests.Response with a status of 300 or more
    :param request: nova_image.image.client.Request that it answers
    :param endpoint: URL that was asked
    """
    if 300 < response.status_code < 400:
        return _redirect(response, request, endpoint)
    kind = _kind(response.status_code, request)
    return kind(reason=_said(response), status=response.status_code,
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
    """Return Glance's own words, as one line."""
    kind = response.headers.get('Content-Type', '')
    try:
        text = next(response.iter_content(MAX_ERROR_BODY), b'')
    except Exception:
        return response.reason  # the status says what matters
    finally:
        response.close()
    text = text.decode('utf-8', 'replace')
    if 'html' in kind:
        text = _without_tags(text)
    text = ' '.join(text.split()).rstrip('.')
    if response.status_code == 300 or not text:
        return response.reason
    return text[:MAX_REASON]


def _without_tags(text):
    text = re.sub(r'(?is)<(head|style|script|h1).*?</\1>', ' ', text)
    text = re.sub(r'(?s)<[^>]*>', ' ', text)
    return unescape(text)


def from_error(error, request, endpoint):
    """Return the exception for a request that got no whole answer.

    :param error: what python-glanceclient, keystoneauth or requests raised
    :returns: an exception of ours; None when the error is not of that kind
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


def bad_answer(response, request, endpoint, why):
    """Return the exception for a success that is not Glance's.

    :param why: what is wrong with it
    """
    response.close()
    return exception.GlanceBadAnswer(
        status=response.status_code, reason=why, **request.facts(endpoint))
