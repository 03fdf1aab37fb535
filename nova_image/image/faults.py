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
from nova_image.image import connections
from nova_image.image import proxies
from nova_image.image import reasons
from nova_image.image import retry
from nova_image.image import tls
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
#: the elements of a page that say nothing, or only repeat the status
_SKIPPED = re.compile('(?i)<(head|style|script|h1)')
_ENDS = {name: re.compile('(?i)</%s>' % name)
         for name in ('head', 'style', 'script', 'h1')}
_NO_SCOPE = ('A token without a project has no catalog: set project_name, '
             'which is OS_PROJECT_NAME in the environment')
_RETRIABLE = frozenset((429, 500, 502, 503, 504))

_NO_CONNECTION = (client_exc.CommunicationError, client_exc.InvalidEndpoint,
                  ksa_exc.ConnectionError, requests.RequestException,
                  http_client.HTTPException)
_NO_IDENTITY = (ksa_exc.AuthorizationFailure, ksa_exc.HTTPClientError,
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
    page, is_html = _page(response)
    said = _said(response, page, is_html)
    facts = {'retriable': retriable}
    kind, more = proxies.facts_of(
        response, page, is_html, said, request) or (
            _kind(response.status_code, request), {})
    facts.update(more, **request.facts(endpoint))
    # Half a secret could not be recognised.
    reason = exception.redact(said, request.secrets)[:MAX_REASON]
    return kind(reason=reason, status=response.status_code,
                retry_after=retry.parse_retry_after(
                    response.headers.get('Retry-After')), **facts)


def _redirect(response, request, endpoint):
    response.close()
    location = response.headers.get('Location')
    return exception.GlanceBadAnswer(
        status=response.status_code, reason='it redirects to %s' % location,
        advice=proxies.redirect_advice(location, endpoint),
        **request.facts(endpoint))


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


def _said(response, page, is_html):
    """Return Glance's own words on one line."""
    text = _without_tags(page) if is_html else page
    text = ' '.join(text.split()).rstrip('.')
    if response.status_code == 300 or not text:
        return response.reason
    return _without_schema(text)


def _without_schema(text):
    """Return what a value lacks, and its name, without the JSON schema.

    Glance 15 and 33 repeat the whole schema after these words.
    """
    text, mark, rest = text.partition(' Failed validating ')
    name = rest.rpartition('On instance[')[2].partition(']')[0]
    if not mark or not name or name == rest:
        return text + mark + rest
    return '%s (%s)' % (text, name.lstrip('u').strip('\'"'))


def _page(response):
    """Return the beginning of an error's body, and whether it is HTML."""
    kind = response.headers.get('Content-Type', '')
    try:
        if is_encoded(response):
            return '', False
        page = next(response.iter_content(MAX_ERROR_BODY), b'')
    except Exception:
        return '', False  # the status says enough
    finally:
        response.close()
    return page.decode('utf-8', 'replace'), 'html' in kind


def _without_tags(page):
    """Return the text of an HTML page.

    In one pass. Regular expressions that do this look for the end of each
    tag, and of each element to skip, up to the end of the page.
    """
    texts, endless = [], set()
    start, position = page.find('<'), 0
    while start >= 0:
        behind = _behind_tag(page, start, endless)
        if not behind:
            break  # no tag ends any more
        texts.append(page[position:start])
        start, position = page.find('<', behind), behind
    texts.append(page[position:])
    try:
        return unescape(' '.join(texts))
    except (ValueError, OverflowError):  # an entity with a huge number
        return ' '.join(texts)


def _behind_tag(page, start, endless):
    """Return the position behind a tag, or behind an element to skip.

    :param start: position of the tag
    :param endless: set of the elements that are known not to end any more
    :returns: 0 if the tag does not end
    """
    tag = _SKIPPED.match(page, start)
    name = tag and tag.group(1).lower()
    if name and name not in endless:
        end = _ENDS[name].search(page, start)
        if end:
            return end.end()
        endless.add(name)
    return page.find('>', start) + 1


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
        return exception.GlanceEndpointUnknown(
            reason=six.text_type(error).rstrip('.'), advice=_NO_SCOPE if
            isinstance(error, ksa_exc.EmptyCatalog) else None, **facts)
    if _is_unreadable(error):
        return exception.GlanceBadAnswer(
            'The answer of Glance cannot be read', reason=error, advice=(
                'See if a proxy in front of Glance alters its answers'),
            **facts)
    if tls.is_untrusted(error):
        return exception.GlanceNotTrusted(
            reason=error, advice=tls.advice(error), **facts)
    if proxies.is_final(error):
        return exception.GlanceConnectionFailed(
            'The proxy made no connection', reason=error, retriable=False,
            advice=proxies.LOGIN, **facts)
    if _is_unsendable(error):
        return exception.Invalid(
            'The request cannot be sent', reason=error, **facts)
    if isinstance(error, _NO_CONNECTION):
        return exception.GlanceConnectionFailed(
            reason=reasons.brief(error, endpoint), **facts)
    if isinstance(error, ksa_exc.ClientException):  # an answer of Keystone
        return exception.GlanceConnectionFailed(
            'Keystone could not serve the request', reason=error,
            retriable=isinstance(error, ksa_exc.HttpServerError),
            advice="Try again later, and see Keystone's log for the cause",
            **facts)
    return None


def _is_unreadable(error):
    """Return whether the head of an answer cannot be read."""
    refused = _refused_header(error)
    return isinstance(error, connections.UnreadableHead) or (
        # urllib3 has refused the header of an answer.
        refused is not None and isinstance(refused.args[0], Exception))


def _is_unsendable(error):
    """Return whether requests has refused a header, such as a token."""
    return _refused_header(error) is not None


def _refused_header(error):
    cause = getattr(error, 'original', error)  # keystoneauth wraps it
    found = isinstance(cause, requests.exceptions.InvalidHeader)
    return cause if found and cause.args else None


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


def bad_answer(response, request, endpoint, why, advice=None):
    """Return the exception for a success that does not come from Glance.

    :param why: what is wrong with the answer
    :param advice: what to do about it, if it is special
    """
    response.close()
    why = u' '.join(six.text_type(why).split())[:MAX_REASON]
    return exception.GlanceBadAnswer(
        status=response.status_code, reason=why, advice=advice,
        **request.facts(endpoint))


def is_encoded(response):
    """Return whether a body is compressed, though nobody asked for it."""
    encoding = response.headers.get('Content-Encoding', '')
    return encoding.strip().lower() not in ('', 'identity')
