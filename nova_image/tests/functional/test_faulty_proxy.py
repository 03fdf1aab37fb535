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


"""The proxy that injects faults: each fault as a plain client sees it."""

import gc
import http.client
import http.server
import socket
import threading
import time

import requests
import testtools

from nova_image.tests import fixtures
from nova_image.tests.fixtures import faults
from nova_image.tests.functional import faulty_proxy_case as case

DATA = case.DATA


class PassingTest(case.ProxyTest):
    """Without a plan, the proxy passes everything through."""

    def test_get(self) -> None:
        answer = self.get()
        self.assertEqual((200, DATA), (answer.status_code, answer.content))
        self.assertEqual('None ' + self.proxy.url[len('http://'):],
                         answer.headers['Seen'])
        record = self.last()
        self.assertEqual(('GET', '/file', None, None, False, 200, len(DATA)), (
            record.method, record.path, record.range, record.fault,
            record.struck, record.status, record.sent))

    def test_range(self) -> None:
        answer = self.get(Range='bytes=10-19')
        self.assertEqual((206, DATA[10:20]),
                         (answer.status_code, answer.content))
        self.assertEqual('bytes=10-19', self.last().range)

    def test_connection_is_kept_open(self) -> None:
        for path in ('/file', '/chunked', '/file?again'):
            self.assertEqual(DATA, self.get(path).content)
            self.assertEqual(b'', self.session.head(
                self.proxy.url + path).content)
        self.proxy.wait_idle()
        self.assertEqual(1, self.proxy.open_connections)
        self.session.close()
        self.assertEqual(0, self.proxy.open_connections)

    def test_two_connections(self) -> None:
        clients = [self.open(), self.open()]
        for client in clients:
            client.sendall(b'GET /file HTTP/1.1\r\n\r\n')
            self.assertEqual(b'HTTP', client.recv(4))
        self.assertEqual(2, self.proxy.open_connections)
        clients[0].close()
        self.assertEqual(1, self.proxy.open_connections)

    def test_response_that_ends_with_the_connection(self) -> None:
        head, body, how = self.seen(b'GET /open HTTP/1.1\r\n\r\n')
        self.assertEqual((DATA, 'end'), (body, how))
        self.assertIn(b'Connection: close', head)

    def test_client_that_asks_to_close_the_connection(self) -> None:
        for request in (b'GET /file HTTP/1.0\r\n\r\n',
                        b'GET /file HTTP/1.1\r\nConnection: close\r\n\r\n'):
            head, body, how = self.seen(request)
            self.assertEqual((DATA, 'end'), (body, how))
            self.assertIn(b'Connection: close', head)

    def test_uploads(self) -> None:
        pieces = iter([b'a' * 300000, b'b', b'c' * 70000])
        self.assertEqual(204, self.put(pieces).status_code)
        self.assertEqual(370001, self.last().received)
        self.assertEqual(204, self.put(DATA).status_code)
        self.assertEqual(len(DATA), self.last().received)
        self.assertEqual(
            [(b'a' * 300000 + b'b' + b'c' * 70000, True), (DATA, True)],
            self.web.uploads)

    def test_upload_that_waits_for_continue(self) -> None:
        client = self.open()
        client.sendall(b'PUT /file HTTP/1.1\r\nContent-Length: 3\r\n'
                       b'Expect: 100-continue\r\n\r\n')
        self.assertEqual(b'HTTP/1.1 100 ', client.recv(65536)[:13])
        client.sendall(b'abc')
        self.assertEqual(b'HTTP/1.1 204 ', client.recv(65536)[:13])
        self.assertEqual([(b'abc', True)], self.web.uploads)

    def test_upload_that_is_refused_before_it_is_read(self) -> None:
        body = bytes(16 * 1024 * 1024)
        self.assertEqual(409, self.put(body, '/early').status_code)
        self.assertEqual(len(body), self.last().received)

    def test_server_that_refuses_connections(self) -> None:
        with fixtures.FaultyProxy('http://127.0.0.1:1') as proxy:
            self.assertRaises(requests.ConnectionError, self.session.get,
                              proxy.url + '/file', timeout=10)
            proxy.wait_idle()
            self.assertIsNone(proxy.requests[0].status)

    def test_latency_and_bandwidth(self) -> None:
        self.proxy.latency = 0.05
        began = time.monotonic()
        self.get()
        self.assertGreater(time.monotonic() - began, 0.05)
        self.proxy.latency, self.proxy.bandwidth = 0, len(DATA) * 10
        for transfer in (self.get, lambda: self.put(DATA)):
            began = time.monotonic()
            transfer()
            self.assertGreater(time.monotonic() - began, 0.08)
        self.assertEqual([(DATA, True)], self.web.uploads)


class FaultTest(case.ProxyTest):
    """Each test injects a fault, and the next request passes."""

    def tearDown(self) -> None:
        """Check that the proxy still works."""
        self.assertEqual(0, self.proxy.left)
        self.assertEqual(DATA, self.get().content)
        self.session.close()
        gc.collect()  # lets urllib3 close what the exceptions referenced
        self.proxy.wait_idle()
        self.assertEqual(0, self.proxy.open_connections)
        super().tearDown()

    def assert_cut(self, fault: faults.Fault, how: str, size: int) -> None:
        self.proxy.plan(fault)
        head, body, seen = self.seen()
        self.assertEqual(how, seen)
        self.assertTrue(head.startswith(b'HTTP/1.1 200 '), head)
        self.assertEqual(DATA[:size], body)
        record = self.last()
        self.assertEqual((fault, True, 200, size), (
            record.fault, record.struck, record.status, record.sent))

    def test_reset(self) -> None:
        for size in (0, 1, 5000, len(DATA) - 1, len(DATA)):
            self.assert_cut(faults.Reset(size), 'reset', size)

    def test_end(self) -> None:
        for size in (0, 5000, len(DATA) - 1):
            self.assert_cut(faults.End(size), 'end', size)

    def test_interrupted_chunks(self) -> None:
        self.proxy.plan(faults.End(0), faults.End(100), path='/chunked')
        for size in (0, 100):
            client = http.client.HTTPConnection(
                self.proxy.url[len('http://'):], timeout=10)
            self.addCleanup(client.close)
            client.request('GET', '/chunked')
            error = self.assertRaises(http.client.IncompleteRead,
                                      client.getresponse().read)
            self.assertEqual(DATA[:size], error.partial)
            client.close()

    def test_place_beyond_the_end_of_the_body(self) -> None:
        self.proxy.plan(faults.Reset(len(DATA) + 1),
                        faults.Corrupt(len(DATA)))
        for _ in range(2):
            self.assertEqual(DATA, self.get().content)
            self.assertFalse(self.last().struck)

    def test_corrupt_byte(self) -> None:
        places = (0, 1, 40000, len(DATA) - 1)
        self.proxy.plan(*map(faults.Corrupt, places))
        for place in places:
            wrong = bytearray(DATA)
            wrong[place] ^= 0xff
            self.assertEqual(bytes(wrong), self.get().content)
            self.assertTrue(self.last().struck)

    def test_content_length_that_is_too_long(self) -> None:
        self.proxy.plan(faults.Length(7))
        head, body, how = self.seen()
        self.assertIn(b'Content-Length: %d' % (len(DATA) + 7), head)
        self.assertEqual((DATA, 'end', True), (body, how, self.last().struck))

    def test_content_length_that_is_too_short(self) -> None:
        self.proxy.plan(faults.Length(-7), faults.Length(-7))
        head, body, how = self.seen()
        self.assertIn(b'Content-Length: %d' % (len(DATA) - 7), head)
        self.assertEqual((DATA, 'end'), (body, how))
        self.assertEqual(DATA[:-7], self.get().content)

    def test_wrong_content_range(self) -> None:
        self.proxy.plan(faults.ContentRange(start=1),
                        faults.ContentRange(end=-2, total=3),
                        faults.ContentRange(missing=True))
        for wanted in ('bytes 11-19/65536', 'bytes 10-17/65539', None):
            answer = self.get(Range='bytes=10-19')
            self.assertEqual((206, wanted, DATA[10:20]), (
                answer.status_code, answer.headers.get('Content-Range'),
                answer.content))
            self.assertTrue(self.last().struck)

    def test_range_faults_need_a_range_request(self) -> None:
        self.proxy.plan(faults.ContentRange(start=1), faults.Whole())
        for _ in range(2):
            self.assertEqual(DATA, self.get().content)
            self.assertFalse(self.last().struck)

    def test_whole_body_instead_of_a_range(self) -> None:
        self.proxy.plan(faults.Whole())
        answer = self.get(Range='bytes=10-19')
        self.assertEqual((200, DATA), (answer.status_code, answer.content))
        self.assertTrue(self.last().struck)
        self.assertEqual('bytes=10-19', self.last().range)

    def test_status(self) -> None:
        codes = (400, 416, 429, 500, 502, 503, 504)
        self.proxy.plan(*map(faults.Status, codes))
        for code in codes:
            answer = self.get()
            self.assertEqual(code, answer.status_code)
            self.assertNotIn('Retry-After', answer.headers)
            self.assertNotIn('Seen', answer.headers)
        self.proxy.wait_idle()
        self.assertEqual(1, self.proxy.open_connections)

    def test_status_with_headers(self) -> None:
        self.proxy.plan(faults.Status(503, 7), faults.Status(
            416, headers=(('Content-Range', 'bytes */9'),)))
        self.assertEqual('7', self.get().headers['Retry-After'])
        self.assertEqual('bytes */9', self.get().headers['Content-Range'])

    def test_status_of_an_upload(self) -> None:
        self.proxy.plan(faults.Status(503), faults.Status(413))
        self.assertEqual(503, self.put(bytes(10 ** 6)).status_code)
        self.assertEqual(413, self.put(iter([b'a', b'b'])).status_code)
        self.assertEqual([], self.web.uploads)
        self.assertEqual(2, self.last().received)

    def test_stall(self) -> None:
        self.proxy.plan(faults.Stall(500, 0.1))
        began = time.monotonic()
        self.assertEqual(DATA, self.get().content)
        self.assertGreater(time.monotonic() - began, 0.1)
        self.assertTrue(self.last().struck)

    def test_stall_until_the_client_gives_up(self) -> None:
        self.proxy.plan(faults.Stall(500))
        client, came = self.open(), b''
        client.sendall(b'GET /file HTTP/1.1\r\n\r\n')
        while not came.endswith(DATA[:500]):
            came += client.recv(65536)
        client.settimeout(0.05)
        self.assertRaises(socket.timeout, client.recv, 1)
        self.assertRaises(TimeoutError, self.proxy.wait_idle, 0)
        client.close()
        self.assertEqual(500, self.last().sent)

    def test_truncated_upload(self) -> None:
        sizes = (0, 1, 100000, 300000)
        self.proxy.plan(*map(faults.TruncatedUpload, sizes * 2))
        for body in (bytes(10 ** 6), [bytes(400000), bytes(600000)]):
            for size in sizes:
                self.assertRaises(requests.ConnectionError, self.put,
                                  body if isinstance(body, bytes)
                                  else iter(body))
                self.assertEqual(size, self.last().received)
                self.assertTrue(self.last().struck)
        self.wait_for_uploads(8)
        # The server's threads may end in a different order.
        self.assertEqual(
            sorted((size, False) for size in sizes * 2),
            sorted((len(body), whole) for body, whole in self.web.uploads))

    def wait_for_uploads(self, count: int) -> None:
        end = time.monotonic() + 10
        while len(self.web.uploads) < count and time.monotonic() < end:
            time.sleep(0.005)

    def test_lost_answer(self) -> None:
        self.proxy.plan(faults.LostAnswer(), method='PUT')
        self.assertRaises(requests.ConnectionError, self.put, DATA)
        record = self.last()
        self.assertEqual((None, 0, len(DATA), True), (
            record.status, record.sent, record.received, record.struck))
        self.assertEqual([(DATA, True)], self.web.uploads)

    def test_slow(self) -> None:
        self.proxy.plan(faults.Slow(latency=0.06),
                        faults.Slow(bandwidth=len(DATA) * 10))
        for _ in range(2):
            began = time.monotonic()
            self.assertEqual(DATA, self.get().content)
            self.assertGreater(time.monotonic() - began, 0.06)


class PlanTest(case.ProxyTest):
    """Which request gets which fault."""

    def codes(self, *paths: str) -> list[int]:
        return [self.get(path).status_code for path in paths]

    def test_faults_strike_in_order(self) -> None:
        self.proxy.plan(faults.Status(500), None, faults.Status(503))
        self.assertEqual(3, self.proxy.left)
        self.assertEqual([500, 200, 200, 503, 200],
                         self.codes('/file', '/file', '/other', '/file',
                                    '/file'))
        self.assertEqual(0, self.proxy.left)
        self.assertEqual([True, False, False, True, False], [
            record.struck for record in self.proxy.requests])

    def test_plan_for_one_method(self) -> None:
        self.proxy.plan(faults.Status(500), method='PUT')
        self.assertEqual([200], self.codes('/file'))
        self.assertEqual(500, self.put(b'').status_code)

    def test_two_plans_for_different_paths(self) -> None:
        self.proxy.plan(faults.Status(500), path='/a')
        self.proxy.plan(faults.Status(501), path='/')
        self.assertEqual([501, 500, 200], self.codes('/b', '/a', '/a'))

    def test_clear_removes_plans_and_records(self) -> None:
        self.proxy.plan(faults.Status(500), faults.Status(500))
        self.assertEqual([500], self.codes('/file'))
        self.proxy.clear()
        self.assertEqual((0, []), (self.proxy.left, self.proxy.requests))
        self.assertEqual([200], self.codes('/file'))


class CleanUpTest(testtools.TestCase):
    """The proxy cleans up, even with requests in progress."""

    def test_no_threads_or_connections_are_left(self) -> None:
        web = self.useFixture(case.Web()).server
        with fixtures.FaultyProxy(
                'http://127.0.0.1:%d' % web.server_port) as proxy:
            port = int(proxy.url.rpartition(':')[2])
            proxy.plan(faults.Stall(10), faults.Slow(latency=60))
            clients = [socket.create_connection(('127.0.0.1', port), 10)
                       for _ in range(3)]
            for client in clients:
                self.addCleanup(client.close)
            clients[0].sendall(b'GET /file HTTP/1.1\r\n\r\n')
            self.assertEqual(b'HTTP', clients[0].recv(4))
            clients[1].sendall(b'GET /file HTTP/1.1\r\n\r\n')
            while proxy.left or proxy.open_connections < 3:
                time.sleep(0.002)
        self.assertEqual([], [one for one in threading.enumerate()
                              if one.name.startswith('faulty-proxy')])
        for client in clients[1:]:
            self.assertEqual(b'', client.recv(1))
        self.assertRaises(ConnectionRefusedError, socket.create_connection,
                          ('127.0.0.1', port))

    def test_error_of_the_proxy_is_raised(self) -> None:
        proxy = fixtures.FaultyProxy('http://127.0.0.1:1')
        proxy.setUp()
        proxy.note(ValueError('a mistake'))
        self.assertRaises(ValueError, proxy.cleanUp)
