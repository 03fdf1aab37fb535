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
"""Deadlines on real connections: plain and TLS, on threads and on eventlet.

The server sends a byte now and then. No timeout ends that, only a deadline.
"""

import collections.abc
import contextlib
import json
import pathlib
import socket
import ssl
import threading
import time
import typing

from cryptography.hazmat.primitives import serialization
import fixtures as lib_fixtures
import testtools

from nova_image.tests import certificates
from nova_image.tests.fixtures import nova_virtualenv
from nova_image.tests.functional import base
from nova_image.tests.functional import transfer_client
from nova_image.tests.functional import transfer_process

_ID = '71c675ab-d94f-49cd-a114-e12490b328d9'
_SLOW_HEAD = '71c675ab-d94f-49cd-a114-e12490b328da'
_PACE = 0.1
#: the deadlines in these tests, and seconds that may pass until they hold
_DEADLINE = 1
_SOON = 30


def _record() -> bytes:
    body = json.dumps({
        'id': _ID, 'name': 'slow', 'status': 'active', 'size': 10 ** 6,
        'checksum': None, 'min_disk': 0, 'min_ram': 0, 'disk_format': 'raw',
        'container_format': 'bare', 'visibility': 'public', 'tags': [],
        'owner': 'a-project', 'protected': False,
        'created_at': '2026-01-01T00:00:00Z',
        'updated_at': '2026-01-01T00:00:00Z'}).encode()
    return b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s' % (
        len(body), body)


class _DrippingGlance(lib_fixtures.Fixture):
    """Answers with an image's record, or drips.

    :ivar url: its URL
    """

    def __init__(self, folder: pathlib.Path | None = None) -> None:
        """Create the fixture.

        :param folder: a folder for its key; without one, it does not use TLS
        """
        super().__init__()
        self.url = ''
        self._context = folder and _tls(folder)
        self._ended = threading.Event()

    def _setUp(self) -> None:
        listener = socket.create_server(('127.0.0.1', 0))
        self.url = '%s://127.0.0.1:%d' % (
            'https' if self._context else 'http', listener.getsockname()[1])
        thread = threading.Thread(target=self._accept, args=(listener,))
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(listener.shutdown, socket.SHUT_RDWR)
        self.addCleanup(self._ended.set)

    def _accept(self, listener: socket.socket) -> None:
        threads = []
        with listener, contextlib.suppress(OSError):
            while True:
                threads.append(threading.Thread(
                    target=self._serve, args=(listener.accept()[0],)))
                threads[-1].start()
        for thread in threads:
            thread.join()

    def _serve(self, accepted: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.enter_context(accepted)
            if self._context:
                accepted = stack.enter_context(
                    self._context.wrap_socket(accepted, server_side=True))
            lines = stack.enter_context(accepted.makefile('rb'))
            while first := lines.readline():
                while lines.readline().strip():
                    pass
                self._answer(accepted, first.split()[1].decode())

    def _answer(self, connection: socket.socket, path: str) -> None:
        if path == '/v2/images/' + _ID:
            connection.sendall(_record())
            return
        connection.sendall(b'HTTP/1.1 200 OK\r\n')
        if path.endswith('/file'):
            connection.sendall(b'Content-Length: 1000000\r\n\r\n')
        while not self._ended.wait(_PACE):
            connection.sendall(b'x')


def _tls(folder: pathlib.Path) -> ssl.SSLContext:
    signer = certificates.Signer('glance')
    path = folder / 'glance.pem'
    path.write_bytes(signer.pem + signer.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


class DeadlineTest(testtools.TestCase):
    """Threads."""

    def setUp(self) -> None:
        """Make a folder for the destination."""
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(base.folder()).path)
        self.perform: collections.abc.Callable[
            [transfer_client.Order], transfer_client.Report] = (
                transfer_client.perform)

    def _report(self, url: str, action: str, image: str
                ) -> transfer_client.Report:
        options: dict[str, typing.Any] = {
            'download_deadline': _DEADLINE, 'request_deadline': _DEADLINE,
            'insecure': True}
        began = time.monotonic()
        report = self.perform({
            'options': options, 'url': url, 'action': action, 'image': image,
            'to': 'file', 'path': str(self.folder / 'image')})
        self.assertLess(time.monotonic() - began, _SOON)
        return report

    def _check(self, url: str) -> None:
        for image, option in ((_ID, 'download_deadline'),
                              (_SLOW_HEAD, 'request_deadline')):
            report = self._report(url, 'download', image)
            self.assertEqual('GlanceConnectionFailed', report['error'],
                             report)
            self.assertIn('[glance] ' + option, report['text'])

    def test_plain_connection(self) -> None:
        self._check(self.useFixture(_DrippingGlance()).url)

    def test_tls(self) -> None:
        self._check(self.useFixture(_DrippingGlance(self.folder)).url)


class EventletDeadlineTest(DeadlineTest):
    """Greenthreads, with the libraries of Nova."""

    def setUp(self) -> None:
        """Start a process that eventlet has monkey-patched."""
        super().setUp()
        python = self.useFixture(nova_virtualenv.nova()).bin / 'python'
        self.perform = self.useFixture(
            transfer_process.Client(python, '--eventlet')).perform
