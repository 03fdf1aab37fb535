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


"""Small servers in the test's process: a web store and a broken Glance."""

import collections.abc
import contextlib
import http.server
import socket
import threading

import fixtures as lib_fixtures


class WebStore(lib_fixtures.Fixture):
    """A web server with one file, for images whose data is outside Glance.

    :ivar host: the address and port
    """

    def __init__(self, data: bytes) -> None:
        """Create the fixture.

        :param data: the content of the file
        """
        super().__init__()
        self.data = data
        self.host = ''

    @property
    def url(self) -> str:
        """The URL of the file."""
        return 'http://%s/image.raw' % self.host

    def _setUp(self) -> None:
        data = self.data

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header('Content-Length', str(len(data)))
                self.end_headers()
                if self.command == 'GET':
                    self.wfile.write(data)

            do_HEAD = do_GET

            def log_message(self, *args: object) -> None:
                pass

        self.host = '127.0.0.1:%d' % serve(self, Handler)


class WebStores(lib_fixtures.Fixture):
    """A web server with several files."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}
        self.host = ''

    def add(self, data: bytes) -> str:
        """Add a file, and return its URL.

        :param data: its content
        """
        path = '/%d.raw' % len(self.files)
        self.files[path] = data
        return 'http://%s%s' % (self.host, path)

    def _setUp(self) -> None:
        files = self.files

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                data = files[self.path]
                self.send_response(200)
                self.send_header('Content-Length', str(len(data)))
                self.end_headers()
                if self.command == 'GET':
                    self.wfile.write(data)

            do_HEAD = do_GET

            def log_message(self, *args: object) -> None:
                pass

        self.host = '127.0.0.1:%d' % serve(self, Handler)


def serve(fixture: lib_fixtures.Fixture,
          handler: type[http.server.BaseHTTPRequestHandler]) -> int:
    """Start a web server on 127.0.0.1, which ends with a fixture.

    :returns: its port
    """
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(
        target=server.serve_forever, kwargs={'poll_interval': 0.02})
    thread.start()
    fixture.addCleanup(server.server_close)
    fixture.addCleanup(thread.join)
    fixture.addCleanup(server.shutdown)
    return server.server_port


#: what a scripted server does, given a connection and a request's method
Script = collections.abc.Callable[[socket.socket, str], None]


def saying(*pieces: bytes) -> Script:
    """Return a script that sends bytes and closes the connection."""
    def play(connection: socket.socket, method: str) -> None:
        for piece in pieces:
            connection.sendall(piece)

    return play


def answering(status: str, body: bytes = b'', *headers: str) -> Script:
    """Return a script that sends an HTTP response.

    :param status: such as ``200 OK``
    :param body: the body of the response
    :param headers: lines besides Content-Length and Connection
    """
    lines = ['HTTP/1.1 ' + status, 'Content-Length: %d' % len(body),
             'Connection: close', *headers, '', '']
    return saying('\r\n'.join(lines).encode() + body)


def by_method(**scripts: Script) -> Script:
    """Return a script that runs a different script for each HTTP method."""
    def play(connection: socket.socket, method: str) -> None:
        scripts[method](connection, method)

    return play


class BrokenGlance(lib_fixtures.Fixture):
    """An endpoint that answers every request with a script.

    :ivar url: its URL
    :ivar asked: the first line of every request
    :ivar freed: set this event to end the scripts that wait for it
    """

    def __init__(self, script: Script | None = None) -> None:
        """Create the fixture.

        :param script: how it answers; it never answers if None
        """
        super().__init__()
        self.url = ''
        self.asked: list[str] = []
        self.freed = threading.Event()
        self._script = script or self._never_answer

    def _never_answer(self, connection: socket.socket, method: str) -> None:
        self.freed.wait(60)

    def _setUp(self) -> None:
        listener = socket.create_server(('127.0.0.1', 0))
        self.url = 'http://127.0.0.1:%d' % listener.getsockname()[1]
        thread = threading.Thread(target=self._serve, args=(listener,))
        thread.start()
        self.addCleanup(thread.join)
        # Closing the socket does not wake accept(); shutting it down does.
        self.addCleanup(listener.shutdown, socket.SHUT_RDWR)
        self.addCleanup(self.freed.set)

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                listener.close()
                return
            with connection, contextlib.suppress(OSError):
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(30)
        with connection.makefile('rb') as stream:
            first = stream.readline()
            if not first:
                return
            self.asked.append(first.decode().rpartition(' ')[0])
            _read_rest(stream)
            self._script(connection, self.asked[-1].partition(' ')[0])


def _read_rest(stream) -> None:  # type: ignore[no-untyped-def]
    """Read headers and body, so that closing does not send a reset."""
    size, chunked = 0, False
    for line in iter(stream.readline, b'\r\n'):
        name, _, value = line.decode('latin-1').lower().partition(':')
        size = int(value) if name == 'content-length' else size
        chunked = chunked or (name, value.strip()) == (
            'transfer-encoding', 'chunked')
    stream.read(size)
    while chunked and (count := int(stream.readline() or b'0', 16)):
        stream.read(count + 2)
    if chunked:
        stream.readline()
