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

"""One call to Glance: session, endpoint, retries, and errors as exceptions.

Knows no API version: the drivers say what to send and read what comes back.
Requests go through python-glanceclient's session client on a keystoneauth
session; its v1 and v2 models are not used.
"""

import functools
import socket
import time

from glanceclient.common import http
from oslo_log import log as logging
from oslo_serialization import jsonutils
import six
from six.moves.urllib import parse

from nova_image import exception
from nova_image.image import endpoint as endpoints
from nova_image.image import faults
from nova_image.image import identity as identities
from nova_image.image import retry

LOG = logging.getLogger(__name__)

#: bytes; the size of the pieces that a download comes in
CHUNK = 1024 * 1024
JSON = 'application/json'


class Request(object):
    """What to ask of Glance; the same for every attempt.

    :param method: HTTP method
    :param path: with the API version and without the host, already quoted
    :param action: what is done, for messages: ``'show'``
    :param image_id: the image that it is about, if any
    :keyword query: list of (name, value) for the query string
    :keyword headers: dict of str
    :keyword raw_headers: dict whose text values are sent as UTF-8, while
        python-glanceclient 2.12 and later would percent-encode them
    :keyword json: what to send as JSON
    :keyword content_type: media type of ``json``
    :keyword body: nova_image.image.transfer.source.Source to send
    :keyword stream: whether the answer's body is read by the caller
    :keyword repeatable: whether doing it twice is as good as once
    :keyword errors: {status: exception class} where it differs from
        nova_image.image.faults
    :keyword as_service: whether the host's own user asks, if it has one
    """

    def __init__(self, method, path, action, image_id=None, **options):
        self.method = method
        self.action = action
        self.image_id = image_id
        self.headers = options.pop('headers', {})
        self.raw_headers = options.pop('raw_headers', {})
        self.json = options.pop('json', None)
        self.content_type = options.pop('content_type', JSON)
        self.body = options.pop('body', None)
        self.stream = options.pop('stream', False)
        self.repeatable = options.pop('repeatable', True)
        self.errors = options.pop('errors', {})
        self.as_service = options.pop('as_service', False)
        self.path = _with_query(path, options.pop('query', None))
        if options:
            raise TypeError('unknown options: %s' % sorted(options))

    def facts(self, endpoint):
        """Return the keyword arguments for an exception about this."""
        return {'action': self.action, 'image_id': self.image_id,
                'endpoint': endpoint}


def _with_query(path, query):
    if not query:
        return path
    return '%s?%s' % (path, parse.urlencode(
        [(name, _utf8(value)) for name, value in query]))


def _utf8(value):
    return six.text_type(value).encode('utf-8')


class _SessionClient(http.SessionClient):
    """python-glanceclient's, but the answer comes back as it is.

    Its own handler turns an error into an exception that has lost the
    headers (Retry-After), fails on errors without a content type, and reads
    JSON twice.
    """

    def _handle_response(self, response):
        return response, None

    @staticmethod
    def _chunk_body(body):
        return _Upload(body)


class _Upload(object):
    """A body in large pieces, its length told where it is known.

    python-glanceclient would send pieces of 64 KiB, and never the length.

    :param source: nova_image.image.transfer.source.Source
    """

    def __init__(self, source):
        self._source = source
        if six.PY2:  # whose httplib sends nothing that cannot be read
            self.read = source.read

    @property
    def len(self):
        """The length, by the name that requests looks for."""
        return self._source.total

    def __iter__(self):
        return iter(self._source.read, b'')


class Client(object):
    """Makes calls for one service object.

    :param conf: an oslo.config ConfigOpts with ``[glance]``
    :keyword identity: nova_image.image.identity.Identity or the host's own
    :keyword pinned: URL of the only Glance to ask
    :keyword sleep: takes seconds; a test puts its own

    ``conf``, ``sleep`` and ``endpoints`` are for who goes on with an answer.
    """

    def __init__(self, conf, identity=None, pinned=None, sleep=time.sleep):
        self.conf = conf
        self._identity = identity or identities.Identity(conf)
        self.sleep = sleep
        self.endpoints = endpoints.Endpoints(conf, self._identity, pinned)

    def pinned_to(self, url):
        """Return a client that asks only the Glance at ``url``."""
        return Client(self.conf, self._identity, url, self.sleep)

    def seen_by(self, context):
        """Return a test of whether a caller may see an image.

        :returns: a callable that takes an image in the callers' format
        """
        if self._identity.auth(context) is not None:
            return _any  # Glance has checked
        return functools.partial(identities.may_see, context)

    def json(self, context, request, settle=None, once=False):
        """Make a call and return its JSON object.

        See call() for the parameters and the errors.
        """
        return self.call(context, request, _json_object, settle, once)

    def call(self, context, request, consume=None, settle=None, once=False):
        """Make a call, again where that is safe, until it is answered.

        :param context: the caller's context
        :param request: Request
        :param consume: called with an Answer within the attempt, so that a
            body which breaks is retried as the request is
        :param settle: called with the error of a repeat when an earlier
            attempt's answer was lost; returns what that answer would have
            been, or raises, what is retriable where it only takes time
        :param once: whether to leave all repeats to the caller
        :returns: what ``consume`` returns, else the Answer
        :raises NovaImageException: one of its kinds
        """
        attempts = retry.Attempts(
            0 if once else self.conf.glance.num_retries,
            self.conf.glance.max_retry_wait,
            self.conf.glance.request_deadline, self.sleep)
        while True:
            try:
                try:
                    return self._attempt(context, request, consume)
                except exception.NovaImageException as error:
                    if not settle or attempts.number == 1 or error.retriable:
                        raise
                    return settle(error)
            except exception.NovaImageException as error:
                self._prepare_next(attempts, request, error)

    def _prepare_next(self, attempts, request, error):
        """Wait for the next attempt, or raise the error for good."""
        wait = None
        if error.retriable and _may_repeat(request, error):
            wait = attempts.wait_for(error.retry_after)
        if wait is None:
            raise error
        if request.body is not None and not request.body.restart():
            error.advice = ('The data had been read in part and cannot be '
                            'read again: hand in a file that can be rewound, '
                            'or try anew')
            raise error
        LOG.warning('Attempt %(number)d of %(total)d failed, next in '
                    '%(wait).1f s. %(error)s', {
                        'number': attempts.number, 'total': attempts.total,
                        'wait': wait, 'error': error})
        attempts.next(wait)

    def _attempt(self, context, request, consume):
        endpoint = None
        try:
            endpoint = self.endpoints.next(context)
            answer = self._send(context, request, endpoint)
            return consume(answer) if consume else answer
        except exception.GlanceConnectionFailed:
            endpoints.HEALTH.failed(endpoint)
            raise
        except Exception as error:
            if request.body is not None and request.body.failure is not None:
                raise request.body.failure
            ours = faults.from_error(error, request, endpoint)
            if ours is None:
                raise
            if isinstance(ours, exception.GlanceConnectionFailed):
                endpoints.HEALTH.failed(endpoint)
            six.raise_from(ours, _cause(error))

    def _send(self, context, request, endpoint):
        began = time.time()
        auth = request.as_service and self._identity.service_auth()
        auth = auth or self._identity.auth(context)
        session = self._identity.session(endpoint)
        raw = dict(request.raw_headers)
        if auth is None:
            raw.update(self._identity.headers(context))
        response, _ = _transport(session, auth, endpoint, raw).request(
            request.path, request.method,
            **self._arguments(context, request, auth))
        if LOG.isEnabledFor(logging.DEBUG):
            LOG.debug('%(method)s %(endpoint)s%(path)s: %(status)s in '
                      '%(seconds).3f s', {
                          'method': request.method,
                          'endpoint': exception.redact(endpoint),
                          'path': request.path,
                          'status': response.status_code,
                          'seconds': time.time() - began})
        if response.status_code >= 300:
            error = faults.from_response(response, request, endpoint)
            if response.status_code == 401 and request.body and auth:
                error.retriable = session.invalidate(auth)
            raise error
        endpoints.HEALTH.answered(endpoint)
        # Reading it whole gives the connection back.
        content = None if request.stream else _read(response)
        return Answer(response, request, endpoint, content)

    def _arguments(self, context, request, auth):
        """Return what a request is sent with, for the session client."""
        headers = dict(request.headers)
        if getattr(context, 'global_id', None):
            headers['X-OpenStack-Request-ID'] = context.global_id
        # keystoneauth's own log of headers and bodies is off: locations in
        # them carry credentials.
        # Redirects are errors: keystoneauth would take the token to any host.
        arguments = {'headers': headers, 'log': False, 'redirect': False,
                     'authenticated': auth is not None}
        if request.stream:
            stall = self.conf.glance.transfer_stall_timeout
            if stall:
                arguments['timeout'] = stall
        if request.body is not None:
            # That would send a body again that has been read already.
            arguments.update(data=request.body, allow_reauth=False)
        if request.json is not None:
            headers['Content-Type'] = request.content_type
            arguments['data'] = jsonutils.dumps(request.json)
        return arguments


def _cause(error):
    """Return an error to show as the cause; None when it tells secrets."""
    text = six.text_type(error)
    return error if exception.redact(text) == text else None


def _transport(session, auth, endpoint, raw_headers):
    """Return a client for one request.

    What is given as additional headers passes by the percent-encoding of
    python-glanceclient 2.12 and later, which Glance does not undo: v1's
    metadata would be stored so, and two roles would be one of a strange name.
    """
    return _SessionClient(
        session, auth=auth, endpoint_override=endpoint.replace('%', '%%'),
        user_agent='nova_image', additional_headers={
            name: _on_the_wire(value) for name, value in raw_headers.items()})


def _on_the_wire(text):
    """Return a str that HTTP libraries send as the text's UTF-8.

    Those of Python 3 encode a str as ISO-8859-1, and keystoneauth takes bytes
    for ASCII; those of Python 2 send a str as it is.
    """
    sent = _utf8(text)
    return sent if six.PY2 else sent.decode('latin-1')


def _may_repeat(request, error):
    """Tell whether a failed request may be sent again.

    What is not repeatable may be when the server says that it did not take
    it.
    """
    return request.repeatable or error.status in (429, 503)


class Answer(object):
    """A success of Glance.

    :param response: requests.Response
    :param request: the Request
    :param endpoint: URL that was asked
    :param content: the body, bytes; None where the caller is to read it
    """

    def __init__(self, response, request, endpoint, content=None):
        self._content = content
        self.status = response.status_code
        self.headers = response.headers
        self.endpoint = endpoint
        self._response = response
        self._request = request

    def json(self, object_hook=None, kind=dict):
        """Return the body, a JSON object, or list if that is the ``kind``.

        :param object_hook: takes each JSON object as soon as it is read, a
            dict, and returns what to have in its place
        :raises GlanceBadAnswer: when it is not
        """
        try:
            found = jsonutils.loads(self._content, object_hook=object_hook)
        except ValueError as error:
            raise self.bad('its body is no JSON: %s' % error)
        if not isinstance(found, kind):
            raise self.bad('its body is no JSON %s' % (
                'object' if kind is dict else 'list'))
        return found

    def bad(self, why):
        """Return the exception for an answer that makes no sense."""
        return faults.bad_answer(
            self._response, self._request, self.endpoint, why)

    def chunks(self):
        """Yield the body in pieces and close the connection at the end.

        :raises GlanceConnectionFailed: when it breaks
        """
        try:
            for chunk in self._response.iter_content(CHUNK):
                yield chunk
        except Exception as error:
            ours = faults.from_error(error, self._request, self.endpoint)
            if ours is None:
                raise
            six.raise_from(ours, _cause(error))
        finally:
            self._response.close()

    def abort(self):
        """Wake up the thread that reads chunks(): there will be no more."""
        connection = getattr(self._response.raw, 'connection', None)
        try:
            connection.sock.shutdown(socket.SHUT_RDWR)
        except (AttributeError, EnvironmentError):
            pass  # nobody reads it any more

    def close(self):
        """Give the connection back or up."""
        self._response.close()


def _any(image):
    return True


def _read(response):
    """Return a body; in large pieces, where requests would read 10 KiB."""
    return b''.join(response.iter_content(CHUNK))


def _json_object(answer):
    return answer.json()
