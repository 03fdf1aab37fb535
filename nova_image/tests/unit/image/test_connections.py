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
"""Tests of nova_image.image.connections: deadlines, and heads of answers."""

import errno
import socket
import ssl
import struct

import mock
import requests
import six
import testtools

from nova_image import exception
from nova_image.image import connections
from nova_image.image import deadline
from nova_image.image import endpoint
from nova_image.image.transfer import reader as readers
from nova_image.image.transfer import recorded
from nova_image.image.transfer import source
from nova_image.tests.unit import base
from nova_image.tests.unit.image import wire_case
from nova_image.tests.unit import recordings

#: a deadline in seconds that is much shorter than the option timeout
SHORT = 0.3
HEAD = b'HTTP/1.1 200 OK\r\n'
LONG = HEAD + b'Content-Length: 1000000\r\n\r\n'


class TestDeadline(wire_case.WireCase):
    """A call ends at its deadline, whatever the server does until then."""

    def _assert_ends(self, script, **options):
        self.serve(script)
        error = self.assertRaises(exception.GlanceConnectionFailed, self.call,
                                  seconds=SHORT, **options)
        self.assertIn('no complete answer within', six.text_type(error))
        self.assertIn('request_deadline', six.text_type(error))
        self.assertFalse(error.retriable)

    def test_a_server_that_sends_nothing(self):
        self._assert_ends(wire_case.dripping(b'', b''))

    def test_a_status_line_that_drips(self):
        self._assert_ends(wire_case.dripping(b'HTTP/1.1 200 '))

    def test_a_header_that_drips(self):
        self._assert_ends(wire_case.dripping(HEAD + b'X-Name: '))

    def test_headers_that_drip(self):
        self._assert_ends(wire_case.dripping(HEAD, b'X-Name: x\r\n'))

    def test_a_body_that_drips(self):
        self._assert_ends(wire_case.dripping(LONG))
        self._assert_ends(wire_case.dripping(LONG), method='POST',
                          json={'a': 1})

    def test_a_chunked_body_that_drips(self):
        chunked = HEAD + b'Transfer-Encoding: chunked\r\n\r\n'
        self._assert_ends(wire_case.dripping(chunked, b'1\r\nx\r\n'))
        self._assert_ends(wire_case.dripping(chunked, b'0'))
        self._assert_ends(wire_case.dripping(chunked + b'0\r\n', b'a: b\r\n'))

    def test_a_body_without_length_that_drips(self):
        self._assert_ends(wire_case.dripping(HEAD + b'\r\n'))

    def test_interim_answers_that_drip(self):
        for status in (b'100', b'102', b'103'):
            self._assert_ends(wire_case.dripping(
                b'', b'HTTP/1.1 ' + status + b' X\r\nA: b\r\n\r\n'))

    def test_the_body_of_an_error_that_drips(self):
        self.serve(wire_case.dripping(
            b'HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\n\r\n'))
        error = self.assertRaises(exception.ImageNotFound, self.call,
                                  seconds=SHORT)
        self.assertEqual('Not Found', error.reason)

    def test_the_option_applies_to_every_call(self):
        self.set(request_deadline=1)
        self.serve(wire_case.dripping(LONG))
        error = self.assertRaises(exception.GlanceConnectionFailed, self.call)
        self.assertIn('within 1 seconds', six.text_type(error))

    def test_retries_share_the_deadline(self):
        self.set(num_retries=3)
        self.serve(lambda peer: peer.request(), wire_case.dripping(LONG))
        self.assertRaises(exception.GlanceConnectionFailed, self.call,
                          seconds=SHORT)
        self.assertEqual(1, len(self.waits))

    def test_no_connection_is_made_when_the_time_is_up(self):
        self.assertRaises(exception.GlanceConnectionFailed, self.call,
                          seconds=-1)
        self.assertEqual([], self.peers)

    def test_the_next_call_on_the_connection_has_its_own_time(self):
        def script(peer):
            peer.request()
            peer.say(wire_case.OK)
            peer.request()
            peer.say(HEAD)
            peer._ended.wait(2 * SHORT)
            peer.say(b'Content-Length: 8\r\n\r\n{"a": 1}')
        self.serve(script)
        self.call(seconds=SHORT)
        self.assertEqual({'a': 1}, self.call().json())
        self.assertEqual(1, len(self.peers))

    def test_a_request_that_nobody_reads(self):
        def script(peer):
            peer._ended.wait(wire_case.SOON)
        self._assert_ends(script, method='POST', json=['x' * 2 ** 22])

    def test_a_deadline_leaves_other_threads_alone(self):
        with deadline.applied(deadline.Deadline(5, 'a')):
            self.assertEqual(5, deadline.current().seconds)
        self.assertIs(deadline.NONE, deadline.current())


class TestUploads(wire_case.WireCase):
    """An upload may take any time, if it moves."""

    def _upload(self, size=2 ** 21):
        return self.call('PUT', seconds=SHORT, body=source.open_source(
            six.BytesIO(b'x' * size)))

    def test_a_slow_upload_is_not_cut(self):
        def script(peer):
            peer.head()
            for _ in range(20):
                peer._ended.wait(2 * SHORT / 20)
                peer.read(2 ** 21 // 20)
            peer.read(2 ** 21 % 20)
            peer.say(wire_case.OK)
        self.serve(script)
        self.assertEqual({'a': 1}, self._upload().json())

    def test_the_answer_to_an_upload_has_a_deadline(self):
        def script(peer):
            peer.request()
            peer.say(HEAD)
            peer.drip(b'x')
        self.serve(script)
        error = self.assertRaises(exception.GlanceConnectionFailed,
                                  self._upload)
        self.assertIn('no complete answer within', six.text_type(error))

    def test_an_upload_that_does_not_move_is_cut(self):
        self.set(timeout=1)
        self.serve(lambda peer: peer._ended.wait(wire_case.SOON))
        error = self.assertRaises(exception.GlanceConnectionFailed,
                                  self._upload, 2 ** 23)
        self.assertNotIn('no complete answer', six.text_type(error))

    def test_data_of_unknown_length_arrives(self):
        found = []

        def script(peer):
            peer.head()
            while not b''.join(found).endswith(b'\r\n0\r\n\r\n'):
                found.append(peer.read(1))
            peer.say(wire_case.OK)
        self.serve(script)
        self.call('PUT', body=source.open_source(iter([b'some', b'data'])))
        self.assertEqual(b'8\r\nsomedata\r\n0\r\n\r\n',
                         b''.join(found).replace(b'4\r\nsome\r\n4\r\ndata',
                                                 b'8\r\nsomedata'))


class TestDownloads(wire_case.WireCase):
    """[glance] download_deadline limits a download of whatever speed."""

    def _reader(self, seconds=SHORT):
        self.set(download_deadline=10, transfer_stall_timeout=5,
                 download_retries=5)
        request = self.request(stream=True)
        record = recorded.Recorded(1000000, 'md5', 'abc')
        origin = readers.Origin(
            self.client(), self.context, request, lambda answer: record,
            deadline.timeutils.now() - 10 + seconds)
        return readers.Reader(origin, record)

    def _assert_ends(self, *scripts):
        self.serve(*scripts)
        reader = self._reader()
        error = self.assertRaises(exception.GlanceConnectionFailed, list,
                                  reader.chunks())
        self.assertIn('download_deadline', six.text_type(error))
        self.assertFalse(error.retriable)

    def test_data_that_drips(self):
        self._assert_ends(wire_case.dripping(LONG))

    def test_a_head_that_drips(self):
        self._assert_ends(wire_case.dripping(HEAD))

    def test_data_that_drips_after_an_interruption(self):
        self._assert_ends(
            wire_case.saying(HEAD + b'Content-Length: 9\r\n\r\nabc'),
            wire_case.dripping(LONG))


class TestHeads(wire_case.WireCase):
    """What the head of an answer may be."""

    def _answer(self, *lines, **options):
        self.serve(wire_case.saying(b'\r\n'.join(
            (HEAD.strip(),) + lines + (b'', options.get('body', b'')))))
        return self.call()

    def _properties(self, count):
        return [b'X-Image-Meta-Property-%s: value %s' % (number, number)
                for number in [b'%d' % n for n in range(count)]]

    def test_many_headers(self):
        lines = self._properties(2000) + [b'Content-Length: 8']
        answer = self._answer(*lines, body=b'{"a": 1}')
        self.assertEqual({'a': 1}, answer.json())
        self.assertEqual(2001, len(answer.headers))
        for number in (0, 89, 90, 91, 1999):
            self.assertEqual('value %d' % number, answer.headers[
                'x-image-meta-property-%d' % number])

    def test_headers_beyond_the_hundredth_are_complete(self):
        lines = self._properties(120) + [
            b'X-Twice: one', b'X-Twice: two', b'X-Long: one', b'  two',
            b'X-Name: Z\xc3\xbcrich', b'no header', b'Content-Length: 0']
        headers = self._answer(*lines).headers
        self.assertEqual('one, two', headers['X-Twice'])
        self.assertEqual('one two', headers['X-Long'])
        self.assertEqual(recordings._as_received(u'Z\xfcrich'),
                         headers['X-Name'])

    def test_the_head_after_interim_answers_counts(self):
        interim = b'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'
        self.serve(wire_case.saying(interim * 2 + wire_case.OK, wire_case.OK))
        for _ in range(2):
            answer = self.call()
            self.assertEqual({'a': 1}, answer.json())
            self.assertNotIn('Link', answer.headers)
        self.assertEqual(1, len(self.peers))

    def _assert_unreadable(self, begin):
        def script(peer):
            peer.request()
            peer.say(begin)
            while True:
                peer.say(b''.join(b'X-%d: x\r\n' % n for n in range(100)))
        self.serve(script)
        error = self.assertRaises(exception.GlanceBadAnswer, self.call)
        self.assertIn('cannot be read', six.text_type(error))
        self.assertFalse(error.retriable)
        self.assertTrue(endpoint.HEALTH.is_good(base.ENDPOINT))

    def test_endless_headers(self):
        self._assert_unreadable(HEAD)

    def test_endless_interim_answers(self):
        def script(peer):
            peer.request()
            while True:
                peer.say(b'HTTP/1.1 100 Continue\r\n\r\n' * 100)
        self.serve(script)
        self.assertRaises(exception.GlanceBadAnswer, self.call)

    def test_a_line_that_is_too_long(self):
        self._assert_unreadable(HEAD + b'X-Long: ' + b'x' * 70000 + b'\r\n')

    def test_a_switch_of_protocols(self):
        self._assert_unreadable(b'HTTP/1.1 101 Switching\r\n\r\n')

    def test_something_else_than_http_makes_a_server_rest(self):
        self.serve(wire_case.saying(b'SSH-2.0-OpenSSH_9.2\r\n\r\n'))
        error = self.assertRaises(exception.GlanceConnectionFailed, self.call)
        self.assertTrue(error.retriable)
        self.assertFalse(endpoint.HEALTH.is_good(base.ENDPOINT))

    def test_an_endless_line_in_a_body(self):
        def script(peer):
            peer.request()
            peer.say(HEAD + b'Transfer-Encoding: chunked\r\n\r\n')
            while True:
                peer.say(b'x' * 65536)
        self.serve(script)
        self.assertRaises(exception.GlanceConnectionFailed, self.call)

    def test_cookies_are_not_parsed(self):
        answer = self._answer(b'Set-Cookie: a=b; expires=' + b' ' * 60000,
                              b'Content-Length: 0')
        self.assertNotIn('Set-Cookie', answer.headers)


class TestErrors(base.TestCase):
    """Errors of TLS while an answer is read."""

    def _raised(self, error):
        """Return what a read raises if the socket raises an error."""
        clock = connections._Clock(deadline.NONE, 5)
        receive = mock.Mock(side_effect=error)
        found = self.assertRaises(EnvironmentError, clock.receive,
                                  mock.Mock(), receive)
        self.assertNotIsInstance(found, ssl.SSLError)
        return found

    def test_a_timeout_of_tls_is_a_timeout(self):
        self.assertIsInstance(self._raised(ssl.SSLError('timed out')),
                              socket.timeout)

    def test_other_errors_of_tls_are_lost_connections(self):
        found = self._raised(ssl.SSLError(1, 'bad record mac'))
        self.assertNotIsInstance(found, socket.timeout)
        self.assertEqual(errno.ECONNRESET, found.errno)


class TestPools(base.TestCase):
    """The connections of all pools are ours."""

    def test_pools_of_a_session(self):
        adapter = self.client()._identity.session(
            base.ENDPOINT).session.adapters['https://']
        managers = [adapter.poolmanager,
                    adapter.proxy_manager_for('http://proxy:1')]
        managers.append(adapter.proxy_manager_for('http://proxy:1'))
        for manager in managers:
            for scheme in ('http', 'https'):
                pool = manager.connection_from_host('one', 1, scheme)
                kinds = pool.ConnectionCls.__mro__
                self.assertEqual(1, kinds.count(connections._Connection))

    def test_other_sessions_are_left_alone(self):
        pool = requests.Session().adapters[
            'http://'].poolmanager.connection_from_host('one', 1, 'http')
        self.assertFalse(issubclass(pool.ConnectionCls,
                                    connections._Connection))

    def test_a_wait_for_a_socket_is_the_shorter_time(self):
        limited = deadline.Deadline(10, 'a', began=deadline.timeutils.now())
        self.assertEqual(3, limited.shorten(3))
        self.assertTrue(9 < limited.shorten(None) < 10.1)
        self.assertTrue(9 < limited.shorten(60) < 10.1)
        self.assertIsNone(deadline.NONE.shorten(None))
        over = deadline.Deadline(10, 'a', began=deadline.timeutils.now() - 10)
        self.assertRaises(socket.timeout, over.shorten, 3)


class _Socket(object):
    """A socket whose round trip takes 42 ms."""

    def __init__(self, peer, host='192.0.2.1', rtt=42000):
        self._peer = peer
        self._host = host
        self._rtt = rtt

    def getpeername(self):
        """Return the address of the peer."""
        return self._peer, 9292

    def getsockname(self):
        """Return the address of this host."""
        return self._host, 40000

    def getsockopt(self, level, name, size):
        """Return the beginning of a struct tcp_info."""
        return b'\xff' * 68 + struct.pack('=I', self._rtt)


@testtools.skipUnless(hasattr(socket, 'TCP_INFO'), 'no TCP_INFO')
class TestRoundTrip(base.TestCase):
    """What the kernel knows of the distance."""

    def test_of_another_host(self):
        for peer in ('192.0.2.2', '2001:db8::1'):
            self.assertEqual(0.042, connections.round_trip(_Socket(peer)))

    def test_of_this_host(self):
        for peer in ('127.0.0.1', '127.1.2.3', '::1', '192.0.2.1'):
            self.assertIsNone(connections.round_trip(_Socket(peer)))

    def test_one_that_is_not_known(self):
        self.assertIsNone(connections.round_trip(
            _Socket('192.0.2.2', rtt=0)))

    def test_of_a_real_socket(self):
        listener = socket.socket()
        self.addCleanup(listener.close)
        listener.bind(('127.0.0.1', 0))
        listener.listen(1)
        client = socket.create_connection(listener.getsockname())
        self.addCleanup(client.close)
        found = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 72)
        microseconds = struct.unpack('=68xI', found)[0]
        self.assertTrue(0 < microseconds < 10000000, microseconds)
