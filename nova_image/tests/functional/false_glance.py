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


"""A Glance in the test's process that may answer anything.

For each request there is a right answer, and a fault that a test may put in
its place: another status, other headers, a body with a wrong value in any
place, or bytes that are not HTTP. A request whose answer has a status of 300
or more has no effect.
"""

import collections.abc
import dataclasses
import json
import socketserver
import threading
import typing

import fixtures as lib_fixtures

#: a JSON value
Json = typing.Any

#: stands for the numbers of all other requests
REST = -1

_RAW = 'raw-json-%d-'


@dataclasses.dataclass(frozen=True)
class Raw:
    """Text to put into JSON as it is, such as ``NaN``."""

    text: str

    def __repr__(self) -> str:
        """Return the text, without its middle."""
        return 'Raw(%s)' % (self.text if len(self.text) < 40 else '%s...%d' % (
            self.text[:20], len(self.text)))


@dataclasses.dataclass
class Answer:
    """The status, the headers and the body of an answer."""

    status: int = 200
    headers: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    body: Json = None

    def encode(self, method: str) -> bytes:
        """Return the bytes to send.

        :param method: that of the request
        """
        body, headers = self.body, list(self.headers)
        if not isinstance(body, bytes):
            body = b'' if body is None else dump(body)
            headers.append(('Content-Type', 'application/json'))
        names = {name.lower() for name, _ in headers}
        if not names & {'content-length', 'transfer-encoding'} and (
                self.status not in (204, 304)):
            headers.append(('Content-Length', str(len(body))))
        head = 'HTTP/1.1 %d Said\r\n%s\r\n' % (self.status, ''.join(
            '%s: %s\r\n' % field for field in headers))
        bare = method == 'HEAD' or self.status in (204, 304)
        return head.encode('latin-1', 'replace') + (b'' if bare else body)


def dump(value: Json) -> bytes:
    """Return JSON, with the text of each Raw in its place."""
    raws: list[str] = []

    def keep(raw: Json) -> str:
        raws.append(raw.text)
        return _RAW % (len(raws) - 1)

    text = json.dumps(value, default=keep)
    for number, raw in enumerate(raws):
        text = text.replace('"%s"' % (_RAW % number), raw)
    return text.encode('utf-8', 'surrogatepass')


def places(value: Json) -> list[tuple[Json, Json]]:
    """Return (container, key) for all values inside a JSON value."""
    keys: list[Json] = []
    if isinstance(value, (dict, list)):
        keys = list(value) if isinstance(value, dict) else list(
            range(len(value)))
    return [(value, key) for key in keys] + [
        place for key in keys for place in places(value[key])]


@dataclasses.dataclass(frozen=True)
class Fault:
    """What is wrong with an answer; the right one if all is None.

    :ivar status: another status
    :ivar headers: further headers
    :ivar edits: (number of a place in the JSON, or of a header if there is
        none, the value to put there); a place is removed for ``...``
    :ivar body: another body
    :ivar cut: the number of bytes after which the connection ends
    :ivar wire: other bytes instead of the answer, before the connection ends
    """

    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    edits: tuple[tuple[int, Json], ...] = ()
    body: bytes | None = None
    cut: int | None = None
    wire: bytes | None = None

    @property
    def has_no_effect(self) -> bool:
        """Whether the request is refused."""
        return (self.status or 200) >= 300

    @property
    def closes(self) -> bool:
        """Whether the connection ends after the answer."""
        return self != Fault()

    def apply(self, answer: Answer, method: str) -> bytes:
        """Return the bytes to send instead of an answer."""
        if self.wire is not None:
            return self.wire
        for number, value in self.edits:
            _edit(answer, number, value)
        if self.status is not None:
            answer.status = self.status
        if self.body is not None:
            answer.body = self.body
        answer.headers += self.headers
        return answer.encode(method)[:self.cut]


def _edit(answer: Answer, number: int, value: Json) -> None:
    found = places(answer.body)
    if found:
        container, key = found[number % len(found)]
        if value is ...:
            del container[key]
        else:
            container[key] = value
    elif answer.headers:
        place = number % len(answer.headers)
        name, _ = answer.headers.pop(place)
        if value is not ...:
            said = value.text if isinstance(value, Raw) else str(value)
            answer.headers.insert(place, (name, said.replace(
                '\r', '').replace('\n', '')[:30000]))


#: returns the right answer to (method, path, headers, body, whether to take
#: effect)
Truth = collections.abc.Callable[
    [str, str, dict[str, str], bytes, bool], Answer]


class FalseGlance(lib_fixtures.Fixture):
    """The server.

    :ivar url: its URL
    :ivar truth: Truth
    :ivar faults: {number of a request, or REST for all others: Fault}
    :ivar calls: the requests since begin(), as ``'GET /v2/images'``
    """

    def __init__(self) -> None:
        """Create the fixture."""
        super().__init__()
        self.url = ''
        self.truth: Truth
        self.faults: dict[int, Fault] = {}
        self.calls: list[str] = []
        self._lock = threading.Lock()

    def begin(self, truth: Truth, faults: dict[int, Fault]) -> None:
        """Begin a new example."""
        self.truth, self.faults, self.calls = truth, faults, []

    def _setUp(self) -> None:
        handler = type('Handler', (_Handler,), {'glance': self})
        server = _Server(('127.0.0.1', 0), handler)
        thread = threading.Thread(target=server.serve_forever,
                                  kwargs={'poll_interval': 0.02})
        thread.start()
        self.url = 'http://127.0.0.1:%d' % server.server_address[1]
        self.addCleanup(server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(server.shutdown)

    def answer(self, method: str, path: str, headers: dict[str, str],
               body: bytes) -> tuple[bytes, bool]:
        """Return what to send, and whether the connection ends then."""
        with self._lock:
            fault = self.faults.get(
                len(self.calls), self.faults.get(REST, Fault()))
            self.calls.append('%s %s' % (method, path))
            right = self.truth(method, path, headers, body,
                               not fault.has_no_effect)
            return fault.apply(right, method), fault.closes


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Do not print what a client that went away causes."""


class _Handler(socketserver.StreamRequestHandler):
    """Answers the requests of one connection."""

    glance: FalseGlance
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answer until either side closes."""
        while line := self.rfile.readline():
            method, path = line.decode('latin-1').split(' ')[:2]
            headers: dict[str, str] = {}
            while said := self.rfile.readline().decode('latin-1').strip():
                name, _, value = said.partition(':')
                headers[name.lower()] = value.strip()
            sent, closes = self.glance.answer(method, path, headers,
                                              self._body(headers))
            self.wfile.write(sent)
            if closes:
                return

    def _body(self, headers: dict[str, str]) -> bytes:
        if 'chunked' not in headers.get('transfer-encoding', ''):
            return self.rfile.read(int(headers.get('content-length', 0)))
        body = b''
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body
