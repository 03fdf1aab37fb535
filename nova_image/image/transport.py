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

"""Requests on the wire: python-glanceclient's client on a session.

Its session client is used on a keystoneauth session; its v1 and v2 models are
not.
"""

from glanceclient.common import http
import six

from nova_image.image import messages


class _SessionClient(http.SessionClient):
    """python-glanceclient's, but it returns the response as it is.

    Its own handler turns an error into an exception that has lost the
    headers (Retry-After), fails on errors without a content type, and parses
    JSON twice. It also has the whole answer to a request with JSON read,
    whatever its size.
    """

    def _handle_response(self, response):
        return response, None

    def _set_common_request_kwargs(self, headers, kwargs):
        data = super(_SessionClient, self)._set_common_request_kwargs(
            headers, kwargs)
        kwargs['stream'] = True
        return data

    @staticmethod
    def _chunk_body(body):
        return _Upload(body)


class _Upload(object):
    """A request body in large pieces, with its length if it is known.

    python-glanceclient would send pieces of 64 KiB, and never the length.

    :param source: nova_image.image.transfer.source.Source
    """

    def __init__(self, source):
        self._source = source
        if six.PY2:  # its httplib sends only objects that can be read
            self.read = source.read

    @property
    def len(self):
        """The length in bytes, under the name that requests looks for.

        Without one, requests sends the body in chunks.
        """
        return self._source.total if self._source.is_announced else None

    def __iter__(self):
        return iter(self._source.read, b'')


def opened(session, auth, endpoint, raw_headers):
    """Return python-glanceclient's session client for one request.

    Additional headers are not percent-encoded by python-glanceclient 2.12
    and later. Glance does not decode them: v1 would store its metadata
    encoded, and two roles would become one with a strange name.
    """
    return _SessionClient(
        session, auth=auth, endpoint_override=endpoint.replace('%', '%%'),
        user_agent='nova_image', additional_headers={
            name: _on_the_wire(value) for name, value in raw_headers.items()})


def _on_the_wire(text):
    """Return a str that HTTP libraries send as the text's UTF-8.

    Those of Python 3 encode a str as ISO-8859-1, and keystoneauth decodes
    bytes as ASCII; those of Python 2 send a str as it is.
    """
    sent = messages.utf8(text)
    return sent if six.PY2 else sent.decode('latin-1')
