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

"""Tests of the servers of ./run_benchmarks.sh callers: what they count."""

import http.client
import http.server
import threading
import typing
import urllib.error
import urllib.request

import testtools

from benchmarks.callers import operations
from benchmarks.callers import servers
from benchmarks.common import results


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers with the path and the number of the request."""

    protocol_version = 'HTTP/1.1'
    count = 0

    def do_GET(self) -> None:
        """Answer a request."""
        type(self).count += 1
        body = b'%s %d' % (self.path.encode(), self.count)
        self.send_response(200)
        self.send_header('X-Name', self.headers.get('X-Name', ''))
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: typing.Any) -> None:
        """Log nothing."""


class ServersTest(testtools.TestCase):
    """A relay and a replay."""

    def setUp(self) -> None:
        """Start a server behind them."""
        super().setUp()
        _Handler.count = 0
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), _Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.url = 'http://127.0.0.1:%d' % server.server_port

    def _get(self, server: servers.Server, path: str) -> tuple[str, str]:
        with urllib.request.urlopen(urllib.request.Request(
                server.url + path, headers={'X-Name': 'a'})) as answer:
            return answer.read().decode(), answer.headers['X-Name']

    def test_relay_passes_on_and_counts(self) -> None:
        relay = self.useFixture(servers.Relay(self.url))
        mark = relay.mark()
        self.assertEqual([('/a 1', 'a'), ('/a 2', 'a')],
                         [self._get(relay, '/a') for _ in range(2)])
        connection = http.client.HTTPConnection(
            relay.url.removeprefix('http://'))
        for _ in range(3):
            connection.request('GET', '/b')
            connection.getresponse().read()
        connection.close()
        self.assertEqual((5, 3), (len(relay.requests(mark)),
                                  relay.connections))

    def test_replay_repeats_the_first_answer(self) -> None:
        replay = self.useFixture(servers.Replay(self.url))
        slow = self.useFixture(servers.Replay(self.url, replay, 0.01))
        self.assertEqual([('/a 1', 'a'), ('/b 2', 'a'), ('/a 1', 'a')],
                         [self._get(replay, path)
                          for path in ('/a', '/b', '/a')])
        replay.stop_recording()
        self.assertEqual(('/b 2', 'a'), self._get(replay, '/b'))
        self.assertEqual(('/b 2', 'a'), self._get(slow, '/b'))
        self.assertEqual((4, 1), (replay.mark(), slow.mark()))
        for server in (replay, slow):
            self.assertRaises((urllib.error.URLError, ConnectionError),
                              self._get, server, '/c')
        self.assertEqual(2, _Handler.count)


class OperationsTest(testtools.TestCase):
    """The operations and budgets of both kinds of callers."""

    def test_each_operation_has_budgets(self) -> None:
        tasks = [task for mode in operations.MODES
                 for task in operations.operations(mode, 5, 100, '1 MiB')]
        names = [task.name for task in tasks]
        self.assertIn('threads-show-glance', names)
        self.assertIn('green-burst-slow', names)
        self.assertNotIn('threads-burst-slow', names)
        self.assertEqual(len(names), len(set(names)))
        found = {task.name: {name: [
            {'wall': wall, 'p50': 1, 'p99': 2, 'cpu': 1, 'requests': 1,
             'memory': 1, 'connections': 1}]
            for name, wall in (('nova_image', 1), ('Nova', 2))}
            for task in tasks}
        made = results.Results(tasks, found, operations.budgets(tasks),
                               operations.MEASURES)
        self.assertEqual({True}, {one['met'] for one in made.budgets()})
        self.assertEqual(2 * len(names), len(made.budgets()))
        self.assertIn('a call, p99', made.table())
