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

"""What is sent to Glance and what it answers, whatever the Images API."""

import socket

import six
from six.moves.urllib import parse

from nova_image.image import answers
from nova_image.image import connections
from nova_image.image import faults
from nova_image.image import sizes
from nova_image import redaction

JSON = 'application/json'


class Request(object):
    """One request to Glance; the same for every attempt.

    :param method: HTTP method
    :param path: quoted path that begins with the API version
    :param action: verb for error messages, such as ``'show'``
    :param image_id: ID of the image that it is about, if any
    :keyword query: list of (name, value) for the query string
    :keyword headers: dict of str
    :keyword raw_headers: dict whose text values are sent as UTF-8;
        python-glanceclient 2.12 and later would percent-encode them
    :keyword json: object to send as JSON
    :keyword content_type: media type of ``json``
    :keyword body: nova_image.image.transfer.source.Source to send
    :keyword stream: whether the caller reads the body of the answer
    :keyword repeatable: whether sending it twice has the same effect as once
    :keyword doubt: what may be left or changed if an answer was lost, text
        for the ``left`` of the error
    :keyword deadline: nova_image.image.deadline.Deadline of the whole
        exchange; by default each call has its own, ``request_deadline``
    :keyword errors: {status: exception class} that differ from
        nova_image.image.faults
    :keyword is_checked: whether the sender checks that the caller may see the
        image, by nova_image.image.client.Client.check_seen
    :keyword as_service: whether to send it as the host's own user, if there
        is one
    :keyword judge: called with the exception of each failed attempt; returns
        the exception to handle in its place, and may prepare the request for
        the next attempt

    ``secrets`` are the nova_image.redaction.Secrets that it sends.
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
        self.doubt = options.pop('doubt', None)
        self.deadline = options.pop('deadline', None)
        self.errors = options.pop('errors', {})
        self.is_checked = options.pop('is_checked', False)
        self.as_service = options.pop('as_service', False)
        self.judge = options.pop('judge', _as_it_is)
        self.path = _with_query(path, options.pop('query', None))
        self.secrets = redaction.Secrets(
            self.json, self.headers, self.raw_headers)
        if options:
            raise TypeError('unknown options: %s' % sorted(options))

    def facts(self, endpoint):
        """Return the keyword arguments for an exception about this.

        :param endpoint: URL of the Glance that it was sent to, or None
        """
        return {'action': self.action, 'image_id': self.image_id,
                'endpoint': endpoint, 'secrets': self.secrets}

    def is_cut_by(self, error):
        """Return whether an error is that of reading the data to send.

        The data may come from another Glance, which has failed then.
        """
        return self.body is not None and self.body.failure is error


def _as_it_is(error):
    return error


def _with_query(path, query):
    if not query:
        return path
    return '%s?%s' % (path, parse.urlencode(
        [(name, utf8(value)) for name, value in query]))


def utf8(value):
    """Return the UTF-8 of a value's text."""
    return six.text_type(value).encode('utf-8')


class Answer(object):
    """A successful answer of Glance.

    :param response: requests.Response
    :param request: the Request
    :param endpoint: URL of the Glance that answered
    """

    def __init__(self, response, request, endpoint):
        self._content = None
        self.status = response.status_code
        self.headers = response.headers
        self.endpoint = endpoint
        self._response = response
        self._request = request

    def check_encoding(self):
        """Refuse a body that is compressed: nobody has asked for it.

        A small one can become any size.

        :raises GlanceBadAnswer: if it is
        """
        if faults.is_encoded(self._response):
            raise self.bad('its body is encoded as %s, which was not asked '
                           'for' % self.headers['Content-Encoding'])

    def load(self, limit):
        """Read the body, for json().

        :param limit: the most bytes that it may have
        :raises GlanceBadAnswer: if it has more
        """
        pieces, size = [], 0
        # In large pieces; requests would read 10 KiB at a time.
        for piece in self._response.iter_content(sizes.CHUNK):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise self.bad('its body has more than %d bytes' % limit,
                               'Increase [glance] max_answer_size if Glance '
                               'has that much to say')
        self._content = b''.join(pieces)

    def json(self, object_hook=None, kind=dict):
        """Return the JSON of the body.

        :param object_hook: callable that receives each JSON object, a dict,
            as soon as it is parsed, and returns its replacement
        :param kind: type that the JSON must have: dict or list
        :raises GlanceBadAnswer: if the body is not JSON of this type
        """
        try:
            found = answers.loads(self._content, object_hook)
        except answers.Unreadable as error:
            raise self.bad('its body is not JSON: %s' % error)
        if not isinstance(found, kind):
            raise self.bad('its body is not a JSON %s' % (
                'object' if kind is dict else 'list'))
        return found

    def check_kind(self):
        """Refuse a web page: a success of Glance has none.

        :raises GlanceBadAnswer: such as for a proxy's login page
        """
        kind = self.headers.get('Content-Type', '')
        if self._content and kind.lower().startswith('text/html'):
            raise self.bad('it is a web page')

    def read(self, reader, kind=dict):
        """Return what a function reads from the JSON of the body.

        :param reader: callable that takes the JSON, and raises
            answers.Unreadable if it makes no sense
        :param kind: type that the JSON must have: dict or list
        :raises GlanceBadAnswer: if the body cannot be read
        """
        try:
            return reader(self.json(kind=kind))
        except answers.Unreadable as error:
            why = six.text_type(error)
            raise self.bad(why if why.startswith('it') else
                           'a value in its JSON ' + why)

    def bad(self, why, advice=None):
        """Return the exception for an answer that makes no sense."""
        return faults.bad_answer(
            self._response, self._request, self.endpoint, why, advice)

    def chunks(self, size=None):
        """Yield the body in pieces and close the connection at the end.

        :param size: bytes of a piece; None for sizes.CHUNK
        :raises GlanceConnectionFailed: if the connection fails
        """
        try:
            for chunk in self._pieces(size):
                yield chunk
        except Exception as error:
            faults.raise_ours(error, self._request, self.endpoint)
        finally:
            self._response.close()

    def _pieces(self, size):
        """Yield the body in pieces of a size, after some smaller ones.

        The caller hashes each piece while the next one arrives, so the hash
        begins earlier.

        :param size: bytes; CHUNK if None
        """
        for first in self._first_sizes() if size is None else ():
            piece = next(self._response.iter_content(first), b'')
            if not piece:
                return
            yield piece
        for piece in self._response.iter_content(size or sizes.CHUNK):
            yield piece

    def _first_sizes(self):
        """Return the sizes of the smaller pieces, CHUNK in total.

        There are none for a small body, and none without a Content-Length:
        urllib3 closes the connection if a loop over HTTP's chunks ends early.
        """
        size = self.headers.get('Content-Length', '')
        if not size.isdigit() or int(size) <= 2 * sizes.CHUNK:
            return ()
        return [sizes.CHUNK // part for part in (4, 4, 2)]

    def round_trip(self):
        """Return the seconds of a round trip to the server, at most.

        If the peer is on this host, it is a proxy, or the server is near. The
        time until the answer came is all that is known then.

        :returns: seconds, and whether the kernel has measured them
        """
        try:
            found = connections.round_trip(_socket_of(self._response.raw))
        except (AttributeError, EnvironmentError):
            found = None
        if found is not None:
            return found, True
        return self._response.elapsed.total_seconds(), False

    def abort(self):
        """Make chunks() end soon, in the thread that reads them."""
        try:
            _socket_of(self._response.raw).shutdown(socket.SHUT_RDWR)
        except (AttributeError, EnvironmentError):
            pass  # it is not being read any more

    def close(self):
        """Return the connection to the pool, or close it."""
        self._response.close()


def _socket_of(raw):
    """Return the socket that an answer is read from.

    A connection that the server will close ("Connection: close") gives up its
    socket as soon as the headers are there. Only the file that the body is
    read from has it then.

    :param raw: urllib3.HTTPResponse
    """
    found = getattr(getattr(raw, 'connection', None), 'sock', None)
    if found is None:
        stream = raw._fp.fp  # http.client's
        found = getattr(stream, 'raw', stream)._sock
    return found
