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

"""The plugin for dom0 against servers that do what Glance seldom does.

The server is a function with a socket in the test's process.
"""

import collections.abc
import contextlib
import datetime
import hashlib
import os
import pathlib
import signal
import socket
import ssl
import threading
import typing

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography import x509
import fixtures as lib_fixtures
import testtools

from nova_image.tests import certificates
from nova_image.tests import fixtures
from nova_image.tests.fixtures import dom0
from nova_image.tests.functional import dom0_case

Talk = collections.abc.Callable[[socket.socket], object]

_END = b'0\r\n\r\n'
_VHD = dom0.vhd(3000000)


class Server(lib_fixtures.Fixture):
    """Talks to each client that connects.

    :ivar port: its port
    :ivar heard: what each client has sent
    """

    def __init__(self, talk: Talk, tls: ssl.SSLContext | None = None) -> None:
        """Create the fixture.

        :param talk: called with each connection
        :param tls: what HTTPS needs; HTTP if None
        """
        super().__init__()
        self.port: int
        self.heard: list[bytes] = []
        self._talk, self._tls = talk, tls
        self._threads: list[threading.Thread] = []

    def _setUp(self) -> None:
        listener = socket.create_server(('127.0.0.1', 0))
        self.port = listener.getsockname()[1]
        thread = threading.Thread(target=self._accept, args=(listener,))
        thread.start()
        self.addCleanup(listener.close)
        self.addCleanup(thread.join)
        self.addCleanup(listener.shutdown, socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                client.settimeout(30)
                with contextlib.suppress(OSError), self._secured(
                        client) as secured:
                    self._talk(secured)

    def _secured(self, client: socket.socket) -> socket.socket:
        if self._tls is None:
            return client
        return self._tls.wrap_socket(client, server_side=True)

    def head(self, client: socket.socket) -> bytes:
        """Return the head of a request, and perhaps more."""
        return self.until(client, b'\r\n\r\n')

    def until(self, client: socket.socket, end: bytes | None = None) -> bytes:
        """Return what a client sends, up to an end, or to all there is."""
        came = b''
        with contextlib.suppress(ConnectionResetError):
            while end is None or end not in came:
                piece = client.recv(65536)
                if not piece:
                    break
                came += piece
        self.heard.append(came)
        return came


def answer(data: bytes, *headers: str, status: str = '200 OK') -> bytes:
    """Return an HTTP answer."""
    return ('HTTP/1.1 %s\r\n%s\r\n' % (status, ''.join(
        header + '\r\n' for header in headers))).encode() + data


class _Case(testtools.TestCase):
    """A dom0 of each Python, and a server."""

    def setUp(self) -> None:
        """Make the dom0s."""
        super().setUp()
        found = {None, fixtures.find_python27()}
        self.dom0s = [self.useFixture(
            dom0.Dom0(python) if python else dom0.Dom0()) for python in found]
        self.image = dom0_case.archive(n0_vhd=_VHD)

    def serve(self, talk: Talk, **options: typing.Any) -> Server:
        """Start a server."""
        self.server = self.useFixture(Server(talk, **options))
        return self.server

    def url(self, scheme: str = 'http') -> str:
        """Return a URL of the server."""
        return '%s://localhost:%d/image' % (scheme, self.server.port)

    def download(self, where: dom0.Dom0, *uuids: str, url: str | None = None,
                 insecure: bool = False, md5: str | None = None,
                 trouble: dom0.Trouble | None = None) -> typing.Any:
        """Download an image."""
        return dom0.result(self.begin(where, *uuids, url=url, md5=md5,
                                      insecure=insecure, trouble=trouble))

    def begin(self, where: dom0.Dom0, *uuids: str, url: str | None = None,
              insecure: bool = False, md5: str | None = None,
              trouble: dom0.Trouble | None = None) -> typing.Any:
        """Begin to download an image."""
        return where.start(
            'download_vhd', trouble, request={
                'url': url or self.url(), 'headers': {}, 'timeout': 20,
                'insecure': insecure},
            uuid_stack=list(uuids), sr_path=str(where.sr),
            checksum={'md5': md5, 'size': None})

    def upload(self, where: dom0.Dom0, **more: typing.Any) -> typing.Any:
        """Upload the VHD a."""
        return where.call('upload_vhd', request={
            'url': self.url(), 'headers': {'X-Auth-Token': 'secret-token'},
            'method': 'PUT', 'expects': [204], 'timeout': 20,
            'insecure': False}, vdi_uuids=['a'], sr_path=str(where.sr),
            compression_level=None, **more)

    def fails(self, kind: str, call: typing.Any, *args: typing.Any,
              **kwargs: typing.Any) -> str:
        """Check the class of the error of a call, and return its text."""
        error = self.assertRaises(dom0.PluginFailure, call, *args, **kwargs)
        self.assertEqual(kind, error.details[2], error.details)
        return error.details[3]


class DownloadTest(_Case):
    """Downloads."""

    def test_no_length_and_no_checksum(self) -> None:
        """The archive itself is whole or not."""
        data, cut = self.image, self.image[:-2000]
        answers = [answer(one) for _ in self.dom0s for one in (data, cut)]
        self.serve(lambda client: (self.server.head(client),
                                   client.sendall(answers.pop(0))))
        for where in self.dom0s:
            self.assertEqual({'uuid': 'u'},
                             self.download(where, 'u')['root'])
            self.fails('PluginError', self.download, where, 'v')
            self.assertEqual({'u.vhd': _VHD}, where.contents)

    def test_other_size(self) -> None:
        """A good archive is not this image if its size is another one."""
        self.serve(lambda client: (self.server.head(client),
                                   client.sendall(answer(self.image))))
        for size in (-1, 1):
            self.fails('RetryableError', self.dom0s[0].call, 'download_vhd',
                       request={'url': self.url(), 'headers': {}},
                       uuid_stack=['u'], sr_path=str(self.dom0s[0].sr),
                       checksum={'size': len(self.image) + size})
        self.assertEqual({}, self.dom0s[0].contents)

    def test_hash_of_the_algorithm_of_glance(self) -> None:
        """It is compared before anything enters the storage repository."""
        self.serve(lambda client: (self.server.head(client),
                                   client.sendall(answer(self.image))))
        value = hashlib.sha512(self.image).hexdigest()
        for where in self.dom0s:
            def fetch(algorithm: str, value: str) -> typing.Any:
                return where.call(  # noqa: B023
                    'download_vhd', request={'url': self.url(), 'headers': {}},
                    uuid_stack=['u'],
                    sr_path=str(where.sr),  # noqa: B023
                    checksum={'algorithm': algorithm, 'value': value})

            self.fails('RetryableError', fetch, 'sha512', value[::-1])
            self.assertEqual({}, where.contents)
            found = fetch('sha512', value.upper())
            self.assertEqual(value, found['hashes']['sha512'])
            for vhd in where.contents:
                (where.sr / vhd).unlink()
            found = fetch('of the future', 'ab')
            self.assertEqual({'md5': hashlib.md5(self.image).hexdigest()},
                             found['hashes'])

    def test_chunks(self) -> None:
        """A body in chunks that ends without the last one is not whole."""
        chunk = b'%x\r\n%s\r\n' % (len(self.image), self.image)
        head = answer(b'', 'Transfer-Encoding: chunked')
        answers = [head + one for _ in self.dom0s for one in (
            chunk + _END, chunk, chunk[:-9999], chunk + b'what\r\n')]
        self.serve(lambda client: (self.server.head(client),
                                   client.sendall(answers.pop(0))))
        for where in self.dom0s:
            self.download(where, 'u')
            for _ in range(3):
                self.fails('RetryableError', self.download, where, 'v')
            self.assertEqual({'u.vhd': _VHD}, where.contents)

    def test_no_http(self) -> None:
        for said in (b'', b'what\r\n\r\n', b'\x16\x03\x01' * 10):
            self.serve(lambda client, said=said: (
                self.server.head(client), client.sendall(said)))
            for where in self.dom0s:
                self.fails('RetryableError', self.download, where, 'v')

    def test_a_byte_now_and_then(self) -> None:
        """It comes before the timeout of a socket, but never ends."""
        head = answer(b'', 'Content-Length: %d' % len(self.image))
        for start in (head, b'HTTP/1.1 200 OK\r\nX: '):
            done = threading.Event()

            def talk(client: socket.socket, start: bytes = start,
                     done: threading.Event = done) -> None:
                self.server.head(client)
                client.sendall(start)
                while not done.wait(0.1):
                    client.sendall(b'x')

            for where in self.dom0s:
                self.serve(talk)
                request = {'url': self.url(), 'headers': {}, 'timeout': 0.9}
                self.fails('RetryableError', where.call, 'download_vhd',
                           request=request, uuid_stack=['u'],
                           sr_path=str(where.sr), checksum={})
                self.assertEqual({}, where.contents)
            done.set()

    def test_nobody_listens(self) -> None:
        with socket.create_server(('127.0.0.1', 0)) as closed:
            port = closed.getsockname()[1]
        for where in self.dom0s:
            said = self.fails('RetryableError', self.download, where, 'v',
                              url='http://127.0.0.1:%d/' % port)
            self.assertIn('127.0.0.1:%d' % port, said)

    def test_redirect_is_not_followed(self) -> None:
        self.serve(lambda client: (self.server.head(client), client.sendall(
            answer(b'', 'Location: http://elsewhere', 'Content-Length: 0',
                   status='302 Found'))))
        self.fails('PluginError', self.download, self.dom0s[0], 'v')

    def test_etag_of_another_image(self) -> None:
        """It is noticed before the data, if Glance knows the MD5."""
        self.serve(lambda client: (self.server.head(client), client.sendall(
            answer(self.image, 'ETag: "%s"' % ('0' * 32)))))
        self.fails('RetryableError', self.download, self.dom0s[0], 'v')
        said = self.fails('RetryableError', self.download, self.dom0s[0],
                          'v', md5='1' * 32)
        self.assertIn('0' * 32 + ' instead of ' + '1' * 32, said)

    def test_leftovers_of_a_killed_call(self) -> None:
        def talk(client: socket.socket) -> None:
            self.server.head(client)
            client.sendall(answer(self.image[:2000000],
                                  'Content-Length: %d' % len(self.image)))
            client.recv(1)

        self.serve(talk)
        for where in self.dom0s:
            process = self.begin(where, 'u')
            with process:
                while not [one for folder in where.sr.iterdir()
                           for one in folder.iterdir() if one.stat().st_size]:
                    self.assertIsNone(process.poll())
                process.send_signal(signal.SIGKILL)
                process.communicate()
            left, = where.sr.iterdir()
        self.serve(lambda client: (self.server.head(client),
                                   client.sendall(answer(self.image))))
        for where in self.dom0s:
            left, = where.sr.iterdir()
            self.download(where, 'u')  # another host may be at work there
            self.assertEqual({left.name, 'u.vhd'}, set(where.contents))
            then = left.stat().st_mtime - 7 * 60 * 60
            os.utime(left, (then, then))
            self.download(where, 'v')
            self.assertEqual({'u.vhd', 'v.vhd'}, set(where.contents))


class UploadTest(_Case):
    """Uploads."""

    def setUp(self) -> None:
        """Make a VHD."""
        super().setUp()
        for where in self.dom0s:
            where.make_vhd('a', 12000000)

    def test_early_answers(self) -> None:
        """Glance refuses before it has all, and may close at once."""
        for waits in (True, False):
            for status, kind in (('413 Too Large', 'PluginError'),
                                 ('503 Busy', 'RetryableError'),
                                 ('404 Gone', 'ImageNotFound'),
                                 ('204 No Content', 'RetryableError')):
                def talk(client: socket.socket, status: str = status,
                         waits: bool = waits) -> None:
                    self.server.head(client)
                    client.sendall(answer(b'', 'Content-Length: 0',
                                          status=status))
                    if waits:
                        client.shutdown(socket.SHUT_WR)
                        self.server.until(client)

                self.serve(talk)
                where = self.dom0s[waits]
                said = self.fails(kind, self.upload, where)
                if waits:
                    self.assertIn(status[:3], said)
                    self.assertNotIn(_END, self.server.heard[-1][-5:])

    def test_no_end_after_an_error(self) -> None:
        """The body of an upload that failed in dom0 has no end."""
        done = threading.Event()

        def talk(client: socket.socket) -> None:
            self.server.until(client)
            done.set()

        self.serve(talk)
        for where in self.dom0s:
            for action in ('kill', 'end-parent'):
                done.clear()
                self.fails('RetryableError', self.upload, where,
                           trouble=dom0.Trouble(8000000, action))
                self.assertTrue(done.wait(30))
                heard = self.server.heard[-1]
                self.assertIn(b'\r\n\r\n', heard)
                self.assertNotEqual(_END, heard[-5:])
                self.assertEqual(['a.vhd'], list(where.contents))

    def test_silence_after_the_end(self) -> None:
        def talk(client: socket.socket) -> None:
            self.server.until(client, _END)
            client.close()

        self.serve(talk)
        for where in self.dom0s:
            said = self.fails('RetryableError', self.upload, where)
            self.assertNotIn('secret-token', said)
            self.assertIn(b'secret-token', self.server.heard[-1])


class HttpsTest(_Case):
    """HTTPS: certificates are verified, unless this is forbidden."""

    def setUp(self) -> None:
        """Make a certificate."""
        super().setUp()
        signer = certificates.Signer('localhost')
        now = datetime.datetime.now(datetime.UTC)
        certificate = x509.CertificateBuilder().subject_name(
            signer.name).issuer_name(signer.name).public_key(
            signer.key.public_key()).serial_number(1).not_valid_before(
            now - datetime.timedelta(days=1)).not_valid_after(
            now + datetime.timedelta(days=1)).add_extension(
            x509.SubjectAlternativeName([x509.DNSName('localhost')]),
            False).sign(signer.key, hashes.SHA256())
        folder = pathlib.Path(self.useFixture(lib_fixtures.TempDir()).path)
        pem = serialization.Encoding.PEM
        self.certificate, key = folder / 'certificate', folder / 'key'
        self.certificate.write_bytes(certificate.public_bytes(pem))
        key.write_bytes(signer.key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.certificate, key)
        self.serve(self.talk, tls=tls)

    def talk(self, client: socket.socket) -> None:
        """Send the image, or accept one."""
        if self.server.head(client).startswith(b'GET'):
            client.sendall(answer(self.image, 'Content-Length: %d' % len(
                self.image)))
        else:
            self.server.until(client, _END)
            client.sendall(answer(b'', status='204 Done'))

    def trust(self, path: pathlib.Path) -> None:
        """Make the dom0s trust a certificate."""
        self.useFixture(lib_fixtures.EnvironmentVariable(
            'SSL_CERT_FILE', str(path)))

    def test_unknown_certificate(self) -> None:
        for where in self.dom0s:
            said = self.fails('PluginError', self.download, where, 'u',
                              url=self.url('https'))
            self.assertIn('certificate verify failed', said.lower())
            self.assertEqual({}, where.contents)

    def test_other_host(self) -> None:
        self.trust(self.certificate)
        for where in self.dom0s:
            said = self.fails(
                'PluginError', self.download, where, 'u',
                url=self.url('https').replace('localhost', '127.0.0.1'))
            self.assertIn('127.0.0.1', said)

    def test_known_certificate(self) -> None:
        self.trust(self.certificate)
        for where in self.dom0s:
            self.download(where, 'u', url=self.url('https'))
            self.assertEqual({'u.vhd': _VHD}, where.contents)
            where.make_vhd('a')
            self.patch(self, 'url', lambda: 'https://localhost:%d/i' % (
                self.server.port))
            self.upload(where)
            self.patch(self, 'url', _Case.url.__get__(self))

    def test_without_verification(self) -> None:
        for where in self.dom0s:
            self.download(where, 'u', url=self.url('https'), insecure=True)
            self.assertEqual({'u.vhd': _VHD}, where.contents)
