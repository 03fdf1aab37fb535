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

"""The HTTP session of requests, without the work that it repeats.

For each request, requests looks up the proxy and the CA bundle in the
environment, and the pool of connections; the results are the same for every
request to one server. It also adds the state of its session, which must not
be shared between the many users that a service acts for. Together that is a
third of the client's time for a small request.
"""

import resource

from keystoneauth1 import session as ksa_session
from oslo_utils import units
import requests
from six.moves import http_client
from six.moves.urllib import parse

from nova_image.image import connections
from nova_image.image import sizes

#: the most idle connections to one server that are kept open
POOL_SIZE = 512
#: their share of the files that this process may have open
_SHARE = 4
#: the largest body of an answer of Keystone, in bytes
MAX_BODY = 16 * units.Mi

_NOT_HTTP = (ValueError, LookupError, AttributeError, TypeError,
             http_client.HTTPException)


class HttpSession(requests.Session):
    """Sends nothing but the request, and reads the environment once."""

    def __init__(self):
        super(HttpSession, self).__init__()
        self._settings = {}
        adapter = _Adapter(pool_maxsize=_pool_size())
        for scheme in ('http://', 'https://'):
            self.mount(scheme, adapter)

    def prepare_request(self, request):
        """Return a requests.PreparedRequest without state of the session.

        Nothing is merged into it: no headers or parameters of the session, no
        cookies, which may belong to other users, and nothing from ~/.netrc.
        Without an Accept-Encoding, Glance sends the data as it is stored.
        """
        prepared = requests.PreparedRequest()
        prepared.prepare(
            method=request.method.upper(), url=request.url,
            headers=request.headers, files=request.files, data=request.data,
            json=request.json, params=request.params or None,
            auth=request.auth, cookies=request.cookies, hooks=request.hooks)
        return prepared

    def send(self, request, **kwargs):
        """Send a request, and read the answer unless it is streamed.

        Only answers of Keystone are read here.

        :raises requests.RequestException: if the body is compressed, or
            larger than MAX_BODY
        """
        streamed = kwargs.get('stream')
        response = super(HttpSession, self).send(
            request, **dict(kwargs, stream=True))
        if not streamed:
            response._content = _read(response)
        return response

    def get_redirect_target(self, resp):
        """Follow no redirect.

        requests would parse its target in any case, and may fail.
        """

    def merge_environment_settings(self, url, proxies, *options):
        """Return the settings of one request, in the form of requests.

        :param url: URL of the request
        :param proxies: dict of the caller's own proxies, which are not
            remembered
        :param options: stream, verify, cert
        """
        read = super(HttpSession, self).merge_environment_settings
        if proxies:
            return read(url, proxies, *options)
        key = _server(url) + options
        if key not in self._settings:
            self._settings[key] = read(url, {}, *options)
        return dict(self._settings[key])


def _pool_size():
    """Return how many idle connections to one server are kept open."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if files == resource.RLIM_INFINITY:
        return POOL_SIZE
    return min(POOL_SIZE, files // _SHARE)


class _Response(requests.Response):
    """Reports every failure to read the body as one of requests.

    urllib3 and http.client let some bodies that are not HTTP end in a
    ValueError, such as a chunk of a negative size.
    """

    def iter_content(self, *args, **kwargs):
        """Yield the body in pieces; see requests."""
        pieces = super(_Response, self).iter_content(*args, **kwargs)
        return _only_ours(pieces, self.request)


def _only_ours(pieces, request):
    try:
        for piece in pieces:
            yield piece
    except requests.RequestException:
        raise
    except _NOT_HTTP as error:
        raise requests.exceptions.ChunkedEncodingError(error, request=request)


class _Adapter(ksa_session.TCPKeepAliveAdapter):
    """Uses our connections, and looks up their pool once for a server."""

    def __init__(self, **options):
        self._pools = {}
        super(_Adapter, self).__init__(**options)

    def init_poolmanager(self, *args, **kwargs):
        """Make the pools of connections, as requests asks for it."""
        super(_Adapter, self).init_poolmanager(*args, **kwargs)
        connections.adopt(self.poolmanager)

    def proxy_manager_for(self, proxy, **options):
        """Return the pools of connections through a proxy."""
        manager = super(_Adapter, self).proxy_manager_for(proxy, **options)
        connections.adopt(manager)
        return manager

    def send(self, request, *args, **kwargs):
        """Send a request; see requests.

        :raises requests.RequestException: also for a host name that urllib3
            or the codec of host names refuses, and for files of certificates
            that cannot be read
        """
        try:
            return super(_Adapter, self).send(request, *args, **kwargs)
        except requests.RequestException:
            raise
        except EnvironmentError as error:  # failed connections are above
            raise requests.exceptions.SSLError(
                'TLS: %s' % (error,), request=request)
        except _NOT_HTTP as error:
            raise requests.ConnectionError(error, request=request)

    def build_response(self, req, resp):
        """Return a _Response for the answer of urllib3."""
        response = super(_Adapter, self).build_response(req, resp)
        response.__class__ = _Response
        return response

    def get_connection_with_tls_context(self, request, verify, proxies=None,
                                        cert=None):
        """Return the urllib3 pool of connections for a request.

        requests 2.32 and later call this; earlier ones keep pools themselves.
        """
        key = _server(request.url) + (
            verify, tuple(sorted((proxies or {}).items())), cert)
        pool = self._pools.get(key)
        if pool is None or pool.pool is None:  # None once it is closed
            find = super(_Adapter, self).get_connection_with_tls_context
            pool = self._pools[key] = find(
                request, verify, proxies=proxies, cert=cert)
        return pool


def _read(response):
    """Return the body of an answer, which is not trusted to end."""
    pieces, left = [], MAX_BODY
    encoding = response.headers.get('Content-Encoding', 'identity')
    if encoding.strip().lower() == 'identity':
        for piece in response.iter_content(sizes.CHUNK):
            pieces.append(piece)
            left -= len(piece)
            if left < 0:
                break
        else:
            return b''.join(pieces)
    response.close()
    raise requests.exceptions.ContentDecodingError(
        'the body of the answer is compressed, or has more than %d bytes' %
        MAX_BODY, response=response)


def _server(url):
    """Return the scheme and the network location of a URL."""
    return parse.urlsplit(url)[:2]
