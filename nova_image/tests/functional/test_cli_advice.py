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

"""What nova-image advises about proxies, certificates and mistakes."""

import http.server
import socketserver
import ssl
import subprocess
import threading

from nova_image.cmd import codes
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import false_glance
from nova_image.tests.functional import servers

_ID = '71c675ab-d94f-49cd-a114-e12490b328d9'
_HTML = (('Content-Type', 'text/html'),)
_TEXT = (('Content-Type', 'text/plain'),)


def _nginx(title: str, detail: str = '') -> bytes:
    """Return a page of nginx 1.22."""
    return ('<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center>'
            '<h1>%s</h1></center>\r\n<center>%s</center>\r\n<hr><center>nginx'
            '/1.22.1</center>\r\n</body>\r\n</html>\r\n' % (
                title, title, detail)).encode()


def _haproxy(title: str, detail: str) -> bytes:
    """Return a page of HAProxy 2.6."""
    return ('<html><body><h1>%s</h1>\n%s\n</body></html>\n' % (
        title, detail)).encode()


class ProxyTest(cli_case.CommandLineTest):
    """A proxy in front of Glance answers by itself."""

    def setUp(self) -> None:
        """Start the proxy, and use it without Keystone."""
        super().setUp()
        self.proxy = self.useFixture(false_glance.FalseGlance())
        self.variables = {'OS_AUTH_TYPE': 'none',
                          'OS_ENDPOINT': self.proxy.url,
                          'OS_PROJECT_ID': self.project}

    def _truth(self, *args: object) -> false_glance.Answer:
        return false_glance.Answer(body={
            'id': _ID, 'status': 'queued', 'created_at': '2026-01-01T00:00:00',
            'updated_at': '2026-01-01T00:00:00', 'visibility': 'shared',
            'name': 'mine', 'tags': [], 'min_ram': 0, 'min_disk': 0,
            'protected': False, 'owner': 'me'})

    def _line(self, code: int, status: int, body: bytes = b'',
              headers: tuple[tuple[str, str], ...] = _HTML) -> str:
        """Return the line about an answer to all requests."""
        fault = false_glance.Fault(status=status, headers=headers, body=body)
        self.proxy.begin(self._truth, {false_glance.REST: fault})
        return self.error(code, 'show', _ID)

    def test_temporary_answers_are_retried(self) -> None:
        for status, body, headers in (
                (408, _haproxy('408 Request Time-out', 'Too slow'), _HTML),
                (425, b'Too Early', _TEXT),
                (460, b'', ()),
                (499, b'', ()),
                (502, _nginx('502 Bad Gateway'), _HTML),
                (503, b'no healthy upstream', _TEXT),
                (522, b'error code: 522', _TEXT),
                (524, b'<!DOCTYPE html><p>A timeout occurred', _HTML)):
            fault = false_glance.Fault(
                status=status, headers=headers, body=body)
            self.proxy.begin(self._truth, {0: fault})
            self.assertEqual('queued', self.json('show', _ID)['status'])
            self.assertEqual(2, len(self.proxy.calls))

    def test_lasting_answers_are_not_retried(self) -> None:
        for code, status, body, headers, advice in (
                (codes.REFUSED, 400, _nginx(
                    '400 Request Header Or Cookie Too Large',
                    'Request Header Or Cookie Too Large'), _HTML,
                 'large_client_header_buffers'),
                (codes.NO_CONNECTION, 400, _nginx(
                    '400 The plain HTTP request was sent to HTTPS port',
                    'The plain HTTP request was sent to HTTPS port'), _HTML,
                 'https://'),
                (codes.NO_CONNECTION, 400, b'Client sent an HTTP request to '
                 b'an HTTPS server.\n', (), 'https://'),
                (codes.NOT_AUTHORIZED, 400, _nginx(
                    '400 No required SSL certificate was sent',
                    'No required SSL certificate was sent'), _HTML,
                 '--os-cert'),
                (codes.NOT_AUTHORIZED, 403, _haproxy(
                    '403 Forbidden', 'Request forbidden by administrative '
                    'rules.'), _HTML, 'firewall'),
                (codes.NO_CONNECTION, 404, _nginx('404 Not Found'), _HTML,
                 'path'),
                (codes.NO_CONNECTION, 404, b'default backend - 404', _TEXT,
                 'path'),
                (codes.NOT_AUTHORIZED, 407, b'<p>Squid', _HTML, 'no_proxy'),
                (codes.REFUSED, 413, b'Payload Too Large', _TEXT,
                 'not a quota'),
                (codes.NO_CONNECTION, 421, b'<p>Misdirected', _HTML,
                 'host name'),
                (codes.REFUSED, 431, b'', (), 'headers'),
                (codes.REFUSED, 463, b'', (), 'X-Forwarded-For'),
                (codes.NO_CONNECTION, 511, b'<p>Log in', _HTML, 'captive'),
                (codes.NO_CONNECTION, 526, b'<p>Invalid SSL certificate',
                 _HTML, 'certificate'),
                (codes.NO_CONNECTION, 561, b'', (), 'identity provider')):
            line = self._line(code, status, body, headers)
            self.assertIn(advice, line)
            self.assertNotIn('quotas', line)
            self.assertEqual(1, len(self.proxy.calls), line)

    def test_redirect_to_a_login_page(self) -> None:
        line = self._line(codes.NO_CONNECTION, 302, headers=(
            ('Location', 'http://portal.example/login'),))
        self.assertIn('log in to this network', line)
        line = self._line(codes.NO_CONNECTION, 301, headers=(
            ('Location', self.proxy.url.replace('http', 'https')),))
        self.assertIn('Use https://', line)


class TlsTest(cli_case.CommandLineTest):
    """Certificates that are not trusted, and files that are missing."""

    def setUp(self) -> None:
        """Start a server with a certificate of its own."""
        super().setUp()
        self._run('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout',
                  'key', '-out', 'cert', '-days', '1', '-subj', '/CN=other',
                  '-addext', 'subjectAltName=DNS:other')
        self.connections = 0
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / 'cert', self.folder / 'key')
        server = http.server.HTTPServer(
            ('127.0.0.1', 0), http.server.BaseHTTPRequestHandler)
        accept = server.get_request

        def counted() -> object:
            self.connections += 1
            number, address = accept()
            return context.wrap_socket(number, server_side=True), address

        server.get_request = counted  # type: ignore[assignment, method-assign]
        self._serve(server)
        self.port = server.server_address[1]
        self.variables = {
            'OS_AUTH_TYPE': 'none', 'OS_PROJECT_ID': self.project,
            'OS_ENDPOINT': 'https://127.0.0.1:%d' % self.port}

    def _serve(self, server: socketserver.TCPServer) -> None:
        thread = threading.Thread(target=server.serve_forever,
                                  kwargs={'poll_interval': 0.02})
        thread.start()
        self.addCleanup(server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(server.shutdown)

    def _run(self, *argv: str) -> None:
        subprocess.run(['openssl', *argv], cwd=self.folder, check=True,
                       capture_output=True)

    def test_unknown_ca_is_not_retried(self) -> None:
        line = self.error(codes.NO_CONNECTION, 'show', _ID)
        self.assertIn('--os-cacert', line)
        self.assertIn('[glance] cafile', line)
        self.assertEqual(1, self.connections)

    def test_other_host_name_is_not_retried(self) -> None:
        line = self.error(codes.NO_CONNECTION, 'show', _ID, '--os-cacert',
                          'cert')
        self.assertIn('host name', line)
        self.assertEqual(1, self.connections)

    def test_unusable_files(self) -> None:
        (self.folder / 'empty').touch()
        for option, name, code in (
                ('--os-cacert', 'missing', codes.LOCAL_FILE),
                ('--os-cert', 'missing', codes.LOCAL_FILE),
                ('--os-cacert', 'empty', codes.NO_CONNECTION),
                ('--os-cacert', 'key', codes.NO_CONNECTION)):
            line = self.error(code, 'show', _ID, option, name)
            self.assertIn(option, line)

    def test_server_without_tls(self) -> None:
        class Plain(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.request.recv(1)
                self.wfile.write(b'HTTP/1.1 400 Bad Request\r\n\r\n')

        server = socketserver.TCPServer(('127.0.0.1', 0), Plain)
        self._serve(server)
        self.assertIn('use http://', self.error(
            codes.NO_CONNECTION, 'show', _ID, '--os-endpoint',
            'https://127.0.0.1:%d' % server.server_address[1]))


class MistakesTest(cli_case.OnKeystone):
    """What people do wrong, and what they are told."""

    def _but(self, **changes: str | None) -> None:
        """Change credentials; None removes one."""
        self.variables = {name: value for name, value in (
            self.variables | changes).items() if value is not None}

    def test_incomplete_credentials(self) -> None:
        good = self.variables
        url = good['OS_AUTH_URL']
        for changes, advice in (
                ({'OS_PASSWORD': None}, 'OS_PASSWORD'),
                ({'OS_USERNAME': None}, 'OS_USERNAME'),
                ({'OS_USERNAME': None, 'OS_PASSWORD': None},
                 'OS_USERNAME and OS_PASSWORD'),
                ({'OS_AUTH_URL': None}, 'OS_AUTH_URL'),
                ({'OS_AUTH_URL': url.replace('/v3', '/v2.0')}, '/v3'),
                ({'OS_AUTH_URL': url.removeprefix('http://')}, 'http://'),
                ({'OS_TOKEN': 'x'}, 'OS_TOKEN'),
                ({'OS_AUTH_TYPE': 'v3applicationcredential',
                  'OS_APPLICATION_CREDENTIAL_ID': 'x'}, 'secret')):
            self.variables = good
            self._but(**changes)
            self.assertIn(advice, self.error(codes.USAGE, 'list'))

    def test_token_in_an_openrc(self) -> None:
        token = servers.token_of('demo')
        self._but(OS_TOKEN=token, OS_PASSWORD=None)
        self.assertEqual([], self.json('list'))
        self._but(OS_AUTH_TYPE='token', OS_PASSWORD='x')
        self.assertEqual([], self.json('list'))
        self._but(OS_TOKEN='expired', OS_PASSWORD=None)
        self.assertIn('token', self.error(codes.NOT_AUTHORIZED, 'list'))

    def test_no_project(self) -> None:
        self._but(OS_PROJECT_NAME=None, OS_PROJECT_DOMAIN_ID=None)
        self.assertIn('OS_PROJECT_NAME', self.error(
            codes.NO_CONNECTION, 'list'))

    def test_name_of_a_project_as_a_member(self) -> None:
        image = self.create('mine', '--shared', *cli_case.RAW)
        self.assertIn('not the ID', self.error(
            codes.USAGE, 'member-add', image, 'other'))
        self.assertEqual([], self.json('members', image))
        other = servers.keystone().project_id('other')
        self.become('admin')
        self.assertEqual(other, self.json(
            'member-add', image, 'other')['member_id'])
        self.error(codes.NOT_FOUND, 'member-add', image, 'nobody')
        self.become('other')
        self.run_it('member-set', image, 'other', '--accept')
        self.become('admin')
        self.run_it('member-remove', image, 'other')
        self.assertEqual([], self.json('members', image))

    def test_empty_kernel(self) -> None:
        image = self.create('k', *cli_case.RAW, '--property',
                            'kernel_id=' + _ID, '--property', 'a=b')
        self.assertEqual({'a': 'b'}, self.json(
            'set', image, '--property', 'kernel_id=')['properties'])
