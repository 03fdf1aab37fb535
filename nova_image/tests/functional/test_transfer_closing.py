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


"""Closing a download whose connections are all in use."""

import collections.abc
import hashlib
import http.server
import json
import threading

import fixtures as lib_fixtures

from nova_image.tests.functional import base
from nova_image.tests.functional import loopback

_PART = 64 * 1024
_DATA = bytes(range(256)) * (4 * _PART // 256)


class _Server(lib_fixtures.Fixture):
    """A Glance that begins to send an image and its parts, and then waits.

    :ivar url: its URL
    :ivar waiting: how many parts it has begun to send
    """

    def __init__(self, image_id: str, connection: str) -> None:
        """Create the fixture.

        :param image_id: the ID of the image
        :param connection: what it says about its connections: ``close`` or
            ``keep-alive``
        """
        super().__init__()
        self.record = json.dumps({
            'id': image_id, 'name': 'x', 'status': 'active',
            'size': len(_DATA), 'disk_format': 'raw', 'min_disk': 0,
            'container_format': 'bare', 'min_ram': 0, 'checksum': None,
            'os_hash_algo': 'sha512', 'visibility': 'public', 'tags': [],
            'os_hash_value': hashlib.sha512(_DATA).hexdigest(),
            'created_at': '2026-01-01T00:00:00Z', 'protected': False,
            'updated_at': '2026-01-01T00:00:00Z', 'owner': 'p'}).encode()
        self.connection = connection
        self.waiting = 0
        self.freed = threading.Event()

    def _setUp(self) -> None:
        self.url = 'http://127.0.0.1:%d' % loopback.serve(
            self, _handler_of(self))
        self.addCleanup(self.freed.set)


def _handler_of(fixture: _Server) -> type[
        http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def do_GET(self) -> None:
            asked = self.headers.get('Range')
            if not self.path.endswith('/file'):
                self._answer(200, fixture.record, len(fixture.record))
                return
            if asked is None:
                self._answer(200, _DATA[:_PART], len(_DATA))
            else:
                first, last = map(int, asked.partition('=')[2].split('-'))
                self.send_range = 'bytes %d-%d/%d' % (first, last, len(_DATA))
                self._answer(206, _DATA[first:first + 10], last + 1 - first)
                fixture.waiting += 1
            fixture.freed.wait(60)
            self.close_connection = True

        def _answer(self, status: int, body: bytes, size: int) -> None:
            self.send_response(status)
            self.send_header('Content-Length', str(size))
            self.send_header('Connection', fixture.connection)
            if status == 206:
                self.send_header('Content-Range', self.send_range)
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, *args: object) -> None:
            pass

    return Handler


class ClosingTest(base.FunctionalTest):
    """A download over several connections is closed before its end."""

    def _close_early(self, connection: str) -> None:
        for name, value in (
                ('parallel.GAP', _PART), ('parts.PART', _PART),
                ('distance.PIECE', _PART), ('distance.FAR', 0),
                ('distance.WORTH', 0), ('distance.MEASURED', 0),
                ('distance.Flow.is_limited', lambda flow: True)):
            self.useFixture(lib_fixtures.MonkeyPatch(
                'nova_image.image.transfer.' + name, value))
        image_id = base.new_id()
        server = self.useFixture(_Server(image_id, connection))
        driver = base.make_driver('v2', [server.url], options={
            'download_connections': 3, 'transfer_stall_timeout': 600,
            'timeout': 600})
        chunks = driver.download(self.context(), image_id)
        assert isinstance(chunks, collections.abc.Iterator)
        self.assertEqual(_DATA[:_PART], next(chunks))
        self.wait_for(lambda: server.waiting >= 2, 'reading two more parts')
        thread = threading.Thread(
            target=chunks.close)  # type: ignore[attr-defined]
        thread.start()
        thread.join(20)
        ended = not thread.is_alive()
        server.freed.set()
        thread.join()
        self.assertTrue(ended, 'close() waits for data')

    def test_connections_that_the_server_keeps_open(self) -> None:
        self._close_early('keep-alive')

    def test_connections_that_the_server_will_close(self) -> None:
        self._close_early('close')
