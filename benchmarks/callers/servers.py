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

"""Servers between the callers and Glance, which count.

They run in a thread of the benchmark, which otherwise only waits. Nothing
here judges a request: a relay passes bytes on, and a replay repeats what the
real Glance answered to the same request at the start of the run.
"""

import asyncio
import http.client
import threading
import typing
from urllib import parse

from nova_image.tests.fixtures import base

_HEAD_END = b'\r\n\r\n'
_VERSION = b' HTTP/1.1\r\n'
_TIMEOUT = 60
# They belong to one connection, not to the answer.
_HOP = ('connection', 'keep-alive', 'transfer-encoding', 'content-length')


class Server(base.Fixture):
    """A server on 127.0.0.1 that counts connections and requests.

    :ivar url: its URL
    :ivar connections: the number of connections it has accepted
    """

    def __init__(self, glance_url: str) -> None:
        """Describe a server; it starts when the fixture is set up.

        :param glance_url: the URL of the Glance behind it
        """
        super().__init__()
        self.url = ''
        self.connections = 0
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._glance = parse.urlsplit(glance_url)
        self._loop = asyncio.new_event_loop()

    def mark(self) -> int:
        """Return the number of requests so far."""
        return self._count

    def requests(self, since: int) -> range:
        """Return as many items as there were requests.

        :param since: a mark(); omit the requests before it
        """
        return range(since, self._count)

    def _setUp(self) -> None:
        ready = threading.Event()
        thread = threading.Thread(target=self._serve, args=(ready,))
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self._loop.call_soon_threadsafe, self._loop.stop)
        ready.wait()

    def _serve(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            listener = self._loop.run_until_complete(self._listen())
            self.url = 'http://127.0.0.1:%d' % (
                listener.sockets[0].getsockname()[1])
            ready.set()
            self._loop.run_forever()
            listener.close()
        finally:
            ready.set()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(
            self._connection, '127.0.0.1', 0, backlog=1024)

    def _connection(self) -> asyncio.Protocol:
        self.connections += 1
        return self._protocol()

    def _protocol(self) -> asyncio.Protocol:
        """Return the protocol of a new connection."""
        raise NotImplementedError

    def seen(self, requests: int) -> None:
        """Count requests."""
        self._count += requests

    def spawn(self, work: typing.Coroutine[None, None, None]) -> None:
        """Run a coroutine of a connection."""
        task = self._loop.create_task(work)
        self._tasks.add(task)  # the loop would forget it
        task.add_done_callback(self._tasks.discard)


class Relay(Server):
    """Passes everything on to Glance, one connection for each."""

    def _protocol(self) -> asyncio.Protocol:
        return _Relayed(self, self._loop, str(self._glance.hostname),
                        int(self._glance.port or 80))


class _Relayed(asyncio.Protocol):
    """The connection of a client."""

    def __init__(self, server: Relay, loop: asyncio.AbstractEventLoop,
                 *address: typing.Any) -> None:
        self._server = server
        self._loop = loop
        self._address = address
        self._early: list[bytes] = []
        self._client: asyncio.Transport
        self._upstream: asyncio.Transport | None = None
        self._is_closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._client = typing.cast(asyncio.Transport, transport)
        self._server.spawn(self._connect())

    async def _connect(self) -> None:
        try:
            transport, _ = await self._loop.create_connection(
                lambda: _Back(self._client), *self._address)
        except OSError:
            self._client.close()
            return
        self._upstream = transport
        self._upstream.writelines(self._early)
        if self._is_closed:
            self._upstream.close()

    def data_received(self, data: bytes) -> None:
        self._server.seen(data.count(_VERSION))
        if self._upstream is None:
            self._early.append(data)
        else:
            self._upstream.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_closed = True
        if self._upstream is not None:
            self._upstream.close()


class _Back(asyncio.Protocol):
    """The connection to Glance."""

    def __init__(self, client: asyncio.Transport) -> None:
        self._client = client

    def data_received(self, data: bytes) -> None:
        self._client.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._client.close()


class Replay(Server):
    """Repeats Glance's own answers, recorded when they are first asked for.

    Only requests without a body can be repeated. After stop_recording(),
    Glance is never asked, and a new request breaks its connection.

    :ivar delay: seconds until an answer begins
    """

    def __init__(self, glance_url: str, like: 'Replay | None' = None,
                 delay: float = 0.0) -> None:
        """Describe a server; it starts when the fixture is set up.

        :param glance_url: the URL of the Glance behind it
        :param like: another one, which records for this one
        :param delay: seconds until an answer begins
        """
        super().__init__(glance_url)
        self.delay = delay
        self._answers: dict[bytes, bytes] = like._answers if like else {}
        self._is_recording = like is None

    def stop_recording(self) -> None:
        """Stop asking Glance."""
        self._is_recording = False

    def _protocol(self) -> asyncio.Protocol:
        return _Replayed(self)

    def known(self, request: bytes) -> bytes | None:
        """Return the answer to a request line, or None."""
        return self._answers.get(request)

    async def record(self, request: bytes, head: bytes) -> bytes | None:
        """Return Glance's answer to a new request, or None.

        :param request: the request line
        :param head: the request line and the headers
        """
        if self._is_recording:
            self._answers[request] = await self._loop.run_in_executor(
                None, self._ask, head)
        return self.known(request)

    def _ask(self, head: bytes) -> bytes:
        first, *lines = head.decode('latin-1').split('\r\n')
        method, target, _ = first.split(' ')
        fields = dict(line.split(': ', 1) for line in lines)
        connection = http.client.HTTPConnection(
            self._glance.netloc, timeout=_TIMEOUT)
        connection.request(method, target, headers={
            name: value for name, value in fields.items()
            if name.lower() not in (*_HOP, 'host')})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        said = ['HTTP/1.1 %d %s' % (answer.status, answer.reason)]
        said += ['%s: %s' % (name, value)
                 for name, value in answer.getheaders()
                 if name.lower() not in _HOP]
        said.append('Content-Length: %d' % len(body))
        return '\r\n'.join(said).encode('latin-1') + _HEAD_END + body


class _Replayed(asyncio.Protocol):
    """A connection, on which one request follows the other."""

    def __init__(self, server: Replay) -> None:
        self._server = server
        self._came = b''
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = typing.cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._came += data
        head, end, rest = self._came.partition(_HEAD_END)
        if not end:
            return
        self._came = rest
        self._server.seen(1)
        request = head.partition(b'\r\n')[0]
        answer = self._server.known(request)
        if answer is not None and not self._server.delay:
            self._transport.write(answer)
        else:
            self._server.spawn(self._ask(request, head))

    async def _ask(self, request: bytes, head: bytes) -> None:
        answer = self._server.known(request) or await self._server.record(
            request, head)
        await asyncio.sleep(self._server.delay)
        if answer is None:
            self._transport.abort()
        else:
            self._transport.write(answer)
