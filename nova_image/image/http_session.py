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

"""HTTP as requests does it, without what it does anew for each request.

What requests finds out for a request holds for every other one to the same
server: which proxy and which CA bundle the environment names, and which pool
of connections these lead to. It also adds what its session has gathered, of
which a client on behalf of many users wants nothing. Together that is a third
of the time that a client spends on a small request.
"""

from keystoneauth1 import session as ksa_session
import requests
from six.moves.urllib import parse

#: connections kept open to one Glance; more are opened and closed as needed
POOL_SIZE = 64


class HttpSession(requests.Session):
    """Sends what is asked for, and reads the environment once per server."""

    def __init__(self):
        super(HttpSession, self).__init__()
        self._settings = {}
        adapter = _Adapter(pool_maxsize=POOL_SIZE)
        for scheme in ('http://', 'https://'):
            self.mount(scheme, adapter)

    def prepare_request(self, request):
        """Return a requests.PreparedRequest of what is asked for alone.

        Nothing is merged into it: no headers or parameters of the session, no
        cookies, which would be those of other users, and nothing of ~/.netrc.
        Without a word on encodings the answer comes as it is stored.
        """
        prepared = requests.PreparedRequest()
        prepared.prepare(
            method=request.method.upper(), url=request.url,
            headers=request.headers, files=request.files, data=request.data,
            json=request.json, params=request.params or None,
            auth=request.auth, cookies=request.cookies, hooks=request.hooks)
        return prepared

    def merge_environment_settings(self, url, proxies, *options):
        """Return the settings of one request, as requests has them.

        :param url: what is asked for
        :param proxies: dict of the caller's own, which are not remembered
        :param options: stream, verify, cert
        """
        read = super(HttpSession, self).merge_environment_settings
        if proxies:
            return read(url, proxies, *options)
        key = _server(url) + options
        if key not in self._settings:
            self._settings[key] = read(url, {}, *options)
        return dict(self._settings[key])


class _Adapter(ksa_session.TCPKeepAliveAdapter):
    """Looks for the connections to a server once."""

    def __init__(self, **options):
        self._pools = {}
        super(_Adapter, self).__init__(**options)

    def get_connection_with_tls_context(self, request, verify, proxies=None,
                                        cert=None):
        """Return the urllib3 pool of connections for a request.

        requests 2.32 and later ask for it here; those before keep pools by
        themselves.
        """
        key = _server(request.url) + (
            verify, tuple(sorted((proxies or {}).items())), cert)
        pool = self._pools.get(key)
        if pool is None or pool.pool is None:  # the latter when it is closed
            find = super(_Adapter, self).get_connection_with_tls_context
            pool = self._pools[key] = find(
                request, verify, proxies=proxies, cert=cert)
        return pool


def _server(url):
    """Return the scheme and the network location of a URL."""
    return parse.urlsplit(url)[:2]
