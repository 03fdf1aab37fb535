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

"""What the tests of the proxy share: a server, the proxy and a client."""

import collections.abc
import http.server
import socket
import threading

import fixtures as lib_fixtures
import requests
import testtools

from nova_image.tests import fixtures

DATA = bytes(range(256)) * 256


class _Handler(http.server.BaseHTTPRequestHandler):
    """Serves DATA or a range of it, and accepts uploads."""

    protocol_version = 'HTTP/1.1'
    server: '_Server'

    def do_GET(self) -> None:
        wanted = self.headers['Range']
        first, last = 0, len(DATA) - 1
        if wanted:
            first, last = map(int, wanted[len('bytes='):].split('-'))
        self.send_response(206 if wanted else 200)
        self.send_header('Seen', '%s %s' % (wanted, self.headers['Host']))
        if wanted:
            self.send_header('Content-Range', 'bytes %d-%d/%d' % (
                first, last, len(DATA)))
        self._send(DATA[first:last + 1])

    do_HEAD = do_GET

    def _send(self, body: bytes) -> None:
        if '/chunked' in self.path:
            self.send_header('Transfer-Encoding', 'chunked')
            body = b'5\r\n%s\r\n%x;a=b\r\n%s\r\n0\r\nLast: 1\r\n\r\n' % (
                body[:5], len(body) - 5, body[5:])
        elif '/open' not in self.path:
            self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def do_PUT(self) -> None:
        if '/early' not in self.path:
            self.server.uploads.append(self._upload())
        self.send_response(409 if '/early' in self.path else 204)
        self.end_headers()
        self.close_connection = True

    def _upload(self) -> tuple[bytes, bool]:
        """Return the received part of the body, and whether it is complete."""
        size = self.headers['Content-Length']
        if size is not None:
            body = self.rfile.read(int(size))
            return body, len(body) == int(size)
        body = b''
        while count := int(self.rfile.readline() or b'-1', 16):
            if count < 0:
                return body, False
            body += self.rfile.read(count)
            self.rfile.readline()
        return body, self.rfile.readline() == b'\r\n'

    def log_message(self, *args: object) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(('127.0.0.1', 0), _Handler)
        self.uploads: list[tuple[bytes, bool]] = []


class Web(lib_fixtures.Fixture):
    """The server.

    :ivar server: what it has received is in ``server.uploads``
    """

    def _setUp(self) -> None:
        self.server = _Server()
        thread = threading.Thread(target=self.server.serve_forever,
                                  kwargs={'poll_interval': 0.01})
        thread.start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(self.server.shutdown)


class ProxyTest(testtools.TestCase):
    """A server, the proxy in front of it, and a client with keep-alive."""

    def setUp(self) -> None:
        super().setUp()
        self.web = self.useFixture(Web()).server
        self.proxy = self.useFixture(fixtures.FaultyProxy(
            'http://127.0.0.1:%d' % self.web.server_port))
        self.session = requests.Session()
        self.session.trust_env = False
        self.addCleanup(self.session.close)

    def get(self, path: str = '/file', **headers: str) -> requests.Response:
        """Read a path through the proxy."""
        return self.session.get(self.proxy.url + path, headers=headers,
                                timeout=10)

    def put(self, body: bytes | collections.abc.Iterator[bytes],
            path: str = '/file', **headers: str) -> requests.Response:
        """Send a body through the proxy."""
        return self.session.put(self.proxy.url + path, data=body,
                                headers=headers, timeout=10)

    def open(self) -> socket.socket:
        """Return a new connection to the proxy."""
        port = int(self.proxy.url.rpartition(':')[2])
        client = socket.create_connection(('127.0.0.1', port), timeout=10)
        self.addCleanup(client.close)
        return client

    def seen(self, request: bytes = b'GET /file HTTP/1.1\r\n\r\n'
             ) -> tuple[bytes, bytes, str]:
        """Send a request and read until the connection ends.

        :returns: the head, the body, and ``end`` or ``reset``
        """
        client, came, how = self.open(), b'', 'end'
        client.sendall(request)
        try:
            while piece := client.recv(65536):
                came += piece
        except ConnectionResetError:
            how = 'reset'
        head, _, body = came.partition(b'\r\n\r\n')
        return head, body, how

    def last(self) -> fixtures.exchange.Record:
        """Return the record of the last request, once all have ended."""
        self.proxy.wait_idle()
        return self.proxy.requests[-1]
