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

"""Many callers of one driver: none holds a lock while it waits for a server.

One call gets no answer; in the meantime, others get theirs. On threads and on
eventlet.
"""

import contextlib
import datetime
import hashlib
import http.server
import json
import pathlib
import subprocess
import sys
import threading
import typing

import fixtures as lib_fixtures
import testtools

from nova_image.tests.fixtures import nova_virtualenv
from nova_image.tests.fixtures import processes
from nova_image.tests.functional import base
from nova_image.tests.functional import callers_client as client

_CLONE = pathlib.Path(__file__).resolve().parents[3]
_DATA = b'data of an image'
#: the call that waits -> a part of the paths that are not answered
_WAITS = {
    'show': '/v2/images/' + client.SLOW,
    'list': client.SLOW,
    'data': client.SLOW + '/file',
    'import_info': '/v2/info/import',
    'schema': '/v2/schemas/image',
    'token': '/no such path',  # only the second request for a token waits
}
#: seconds for which a token is valid: keystoneauth renews it two minutes
#: before its end
_VALID = 60
_CONFIG = """
[glance]
auth_type = v3password
auth_url = %(url)s/v3
username = a-service
password = a-password
user_domain_id = default
project_name = a-project
project_domain_id = default
"""


def _image(image_id: str) -> dict[str, typing.Any]:
    return {
        'id': image_id, 'name': image_id, 'status': 'active',
        'size': len(_DATA), 'checksum': None, 'os_hash_algo': 'sha512',
        'os_hash_value': hashlib.sha512(_DATA).hexdigest(),
        'min_disk': 0, 'min_ram': 0, 'disk_format': 'raw',
        'container_format': 'bare', 'visibility': 'public', 'tags': [],
        'owner': 'a-project', 'protected': False,
        'created_at': '2026-01-01T00:00:00Z',
        'updated_at': '2026-01-01T00:00:00Z'}


def _token() -> dict[str, typing.Any]:
    now = datetime.datetime.now(datetime.timezone.utc)
    end = now + datetime.timedelta(seconds=_VALID)
    return {'token': {
        'methods': ['password'], 'catalog': [], 'roles': [],
        'user': {'id': 'a', 'name': 'a', 'domain': {'id': 'b', 'name': 'b'}},
        'issued_at': now.strftime('%Y-%m-%dT%H:%M:%S.000000Z'),
        'expires_at': end.strftime('%Y-%m-%dT%H:%M:%S.000000Z')}}


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers, or waits until the test is over."""

    protocol_version = 'HTTP/1.1'
    server: '_Server'

    def do_GET(self) -> None:
        """Answer Glance's requests, and those of the test."""
        path = self.path.partition('?')[0]
        if self.server.waits in self.path:
            self._wait()
        if path == '/waiting':
            self._say(b'%d' % self.server.waiting)
        elif path == '/release':
            self.server.released.set()
            self._say(b'0')
        elif path.endswith('/file'):
            self._say(_DATA)
        elif path.startswith('/v2/images/'):
            self._tell(_image(path.rpartition('/')[2]))
        elif path == '/v2/images':
            self._tell({'images': [_image(client.QUICK)]})
        elif path == '/v2/info/import':
            self._tell({'import-methods': {'value': []}})
        else:
            self._tell({})

    def do_POST(self) -> None:
        """Answer Keystone's request for a token; the second one waits."""
        self.rfile.read(int(self.headers['Content-Length']))
        self.server.tokens += 1
        if self.server.tokens > 1:
            self._wait()
        self._tell(_token(), 201)

    def _wait(self) -> None:
        self.server.waiting += 1
        self.server.released.wait()

    def _tell(self, body: dict[str, typing.Any], status: int = 200) -> None:
        self._say(json.dumps(body).encode(), status, 'application/json')

    def _say(self, body: bytes, status: int = 200,
             kind: str = 'application/octet-stream') -> None:
        self.send_response(status)
        for name, value in (('Content-Length', str(len(body))),
                            ('Content-Type', kind),
                            ('X-Subject-Token', 'a-token')):
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(BrokenPipeError):
            self.wfile.write(body)

    def log_message(self, format: str, *args: typing.Any) -> None:
        """Log nothing."""


class _Server(http.server.ThreadingHTTPServer):
    """Glance and Keystone.

    :ivar waits: part of the path of requests that are not answered
    :ivar waiting: the number of requests that wait
    :ivar tokens: the number of requests for a token
    :ivar released: set to let them be answered
    """

    daemon_threads = True

    def __init__(self, waits: str) -> None:
        super().__init__(('127.0.0.1', 0), _Handler)
        self.waits = waits
        self.waiting = self.tokens = 0
        self.released = threading.Event()


class _Serving(lib_fixtures.Fixture):
    """The server in a thread.

    :ivar url: its URL
    """

    def __init__(self, waits: str) -> None:
        super().__init__()
        self._waits = waits

    def _setUp(self) -> None:
        server = _Server(self._waits)
        self.url = 'http://127.0.0.1:%d' % server.server_port
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.addCleanup(server.released.set)


class CallersTest(testtools.TestCase):
    """Threads."""

    eventlet = False

    def _python(self) -> str | pathlib.Path:
        return sys.executable

    def _order(self, waits: str, path: str) -> dict[str, typing.Any]:
        url = self.useFixture(_Serving(path)).url
        config = pathlib.Path(self.useFixture(base.folder()).path, 'conf')
        is_service = waits == 'token'
        config.write_text(_CONFIG % {'url': url} if is_service else '')
        return {'url': url, 'config': str(config), 'waits': waits,
                'token': None if is_service else 'a-token'}

    def test_no_call_waits_for_another_one(self) -> None:
        done = subprocess.run(
            [self._python(), '-W', 'ignore', '-m', client.__name__,
             *(['--eventlet'] if self.eventlet else [])],
            input=json.dumps([self._order(*one) for one in _WAITS.items()]),
            cwd=_CLONE, env=processes.clean_environment(),
            capture_output=True, text=True, timeout=600, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        expected = {
            'eventlet': self.eventlet, 'before': 'done', 'waiting': 1,
            'show': 'done', 'list': 'done', 'data': 'done', 'slow': 'done'}
        self.assertEqual(
            dict.fromkeys(_WAITS, expected),
            dict(zip(_WAITS, json.loads(done.stdout), strict=True)))


class EventletCallersTest(CallersTest):
    """Greenthreads, with the libraries of Nova."""

    eventlet = True

    def _python(self) -> str | pathlib.Path:
        return self.useFixture(nova_virtualenv.nova()).bin / 'python'
