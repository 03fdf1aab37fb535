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

"""A web server in the test's process, with chosen kinds of failures."""

import collections.abc
import http.server
import threading
import typing

import fixtures as lib_fixtures

#: seconds; how long a held response waits at most
_MAX_HOLD = 60


class WebSource(lib_fixtures.Fixture):
    """Serves data for imports.

    The response depends on the path: ``/whole``, ``/short`` (less data than
    declared), ``/missing`` (404), ``/moved`` (redirects to ``/whole``),
    ``/astray`` (redirects to a forbidden address), ``/held`` (half of the
    data, and the rest after release()).

    :ivar url: the URL, without a path
    :ivar begun: this event is set when a client has half of ``/held``
    """

    def __init__(self, data: bytes) -> None:
        """Create the fixture.

        :param data: the data to serve
        """
        super().__init__()
        self.data = data
        self.begun = threading.Event()
        self._released = threading.Event()
        self.url = ''

    def release(self) -> None:
        """Send the rest of ``/held`` to its clients."""
        self._released.set()

    def _setUp(self) -> None:
        handler = type('Handler', (_Handler,), {'source': self})
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
        thread = threading.Thread(target=server.serve_forever,
                                  kwargs={'poll_interval': 0.01})
        thread.start()
        self.url = 'http://127.0.0.1:%d' % server.server_port
        self.addCleanup(server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(server.shutdown)
        self.addCleanup(self.release)

    def held(self) -> collections.abc.Iterator[bytes]:
        """Yield the data in two halves."""
        half = len(self.data) // 2
        yield self.data[:half]
        self.begun.set()
        self._released.wait(_MAX_HOLD)
        yield self.data[half:]


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers one request."""

    source: WebSource

    def do_GET(self) -> None:
        """Answer according to the path."""
        name = self.path.strip('/').partition('?')[0]
        getattr(self, '_' + name)()

    def _head(self, status: int, length: int = 0, **headers: str) -> None:
        self.send_response(status)
        self.send_header('Content-Length', str(length))
        for header, value in headers.items():
            self.send_header(header, value)
        self.end_headers()

    def _send(self, pieces: collections.abc.Iterable[bytes]) -> None:
        self._head(200, len(self.source.data))
        try:
            for piece in pieces:
                self.wfile.write(piece)
        except OSError:
            self.close_connection = True  # the client was killed

    def _whole(self) -> None:
        self._send([self.source.data])

    def _held(self) -> None:
        self._send(self.source.held())

    def _short(self) -> None:
        self._send([self.source.data[:-1000]])
        self.close_connection = True

    def _missing(self) -> None:
        self._head(404)

    def _moved(self) -> None:
        self._head(302, Location='/whole')

    def _astray(self) -> None:
        self._head(302, Location='http://10.0.0.1/whole')

    def log_message(self, *args: typing.Any) -> None:
        """Log nothing."""
