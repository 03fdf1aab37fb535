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
"""Tests of nova_image.image.client: what the body of an answer may be."""

import zlib

import fixtures
from keystoneauth1 import exceptions as ksa_exc
import six

from nova_image import exception
from nova_image.image import endpoint
from nova_image.image.transfer import source
from nova_image.tests.unit import base
from nova_image.tests.unit.image import client_case
from nova_image.tests.unit.image import wire_case
from nova_image.tests.unit import recordings

MIB = 2 ** 20
HEAD = b'HTTP/1.1 200 OK\r\n'


def packed(body):
    """Return a body as gzip."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()


class TestSize(wire_case.WireCase):
    """An answer does not fill the memory."""

    def setUp(self):
        super(TestSize, self).setUp()
        self.set(max_answer_size=1)
        self.sent = 0

    def _endless(self, head):
        def script(peer):
            peer.request()
            peer.say(head)
            while True:
                peer.say(b' ' * MIB)
                self.sent += 1
        return script

    def _assert_refused(self, script, **options):
        self.serve(script)
        error = self.assertRaises(exception.GlanceBadAnswer, self.call,
                                  **options)
        self.assertIn('max_answer_size', six.text_type(error))
        self.assertLess(self.sent, 10)
        self.assertTrue(endpoint.HEALTH.is_good(base.ENDPOINT))

    def test_an_endless_body(self):
        self._assert_refused(self._endless(HEAD + b'\r\n'))

    def test_an_endless_body_in_answer_to_json(self):
        self._assert_refused(self._endless(HEAD + b'\r\n'), method='POST',
                             json={'a': 1})

    def test_an_endless_body_in_answer_to_data(self):
        self._assert_refused(
            self._endless(HEAD + b'\r\n'), method='PUT',
            body=source.open_source(six.BytesIO(b'data')))

    def test_a_long_body(self):
        self._assert_refused(self._endless(
            HEAD + b'Content-Length: 99999999999\r\n\r\n'))

    def test_an_endless_body_in_chunks(self):
        def script(peer):
            peer.request()
            peer.say(HEAD + b'Transfer-Encoding: chunked\r\n\r\n')
            while True:
                peer.say(b'100000\r\n' + b' ' * MIB + b'\r\n')
                self.sent += 1
        self._assert_refused(script)

    def test_an_endless_body_of_an_error(self):
        self.serve(self._endless(b'HTTP/1.1 404 Not Found\r\n\r\n'))
        error = self.assertRaises(exception.ImageNotFound, self.call)
        self.assertLess(len(six.text_type(error)), 2000)
        self.assertLess(self.sent, 10)

    def test_a_body_within_the_limit(self):
        body = b'{"a": "%s"}' % (b'x' * (MIB - 9))
        self.serve(wire_case.saying(
            HEAD + b'Content-Length: %d\r\n\r\n' % len(body) + body))
        self.assertEqual(MIB - 9, len(self.call().json()['a']))


class TestEncoding(wire_case.WireCase):
    """A body that is compressed is refused: nobody has asked for it."""

    def test_no_encoding_is_asked_for(self):
        heads = []

        def script(peer):
            heads.append(peer.request().lower())
            peer.say(wire_case.OK)
        self.serve(script)
        self.call()
        self.assertIn(b'accept-encoding: identity\r\n', heads[0])

    def _assert_refused(self, encoding, body, **options):
        self.serve(wire_case.saying(
            HEAD + b'Content-Encoding: %s\r\nContent-Length: %d\r\n\r\n' % (
                encoding, len(body)) + body))
        error = self.assertRaises(exception.GlanceBadAnswer, self.call,
                                  **options)
        self.assertIn('was not asked for', six.text_type(error))

    def test_gzip_is_refused(self):
        body = packed(b'{"a": 1}')
        self._assert_refused(b'gzip', body)
        self._assert_refused(b'x-gzip', body)
        self._assert_refused(b'identity, gzip', body)
        self._assert_refused(b'deflate', zlib.compress(b'{"a": 1}'))
        self._assert_refused(b'gzip', body, stream=True)
        self._assert_refused(b'gzip', body, method='POST', json={'a': 1})

    def test_gzip_that_becomes_huge_is_refused(self):
        self._assert_refused(b'gzip', packed(b' ' * 64 * MIB), method='POST',
                             json={'a': 1})

    def test_identity_is_accepted(self):
        self.serve(wire_case.saying(wire_case.OK.replace(
            b'OK\r\n', b'OK\r\nContent-Encoding: identity\r\n')))
        self.assertEqual({'a': 1}, self.call().json())


class TestKeystone(wire_case.WireCase):
    """Answers to requests of the session itself, such as Keystone's."""

    def _get(self):
        session = self.one_client()._identity.session(base.ENDPOINT)
        return session.get(base.ENDPOINT, authenticated=False)

    def test_an_answer_is_read(self):
        self.serve(wire_case.saying(wire_case.OK, wire_case.OK))
        for _ in range(2):
            answer = self._get()
            self.assertEqual(({'a': 1}, wire_case.OK[-8:]),
                             (answer.json(), answer.content))
        self.assertEqual(1, len(self.peers))

    def test_an_endless_body_is_refused(self):
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.http_session.MAX_BODY', 1000))

        def script(peer):
            peer.request()
            peer.say(HEAD + b'\r\n')
            while True:
                peer.say(b' ' * MIB)
        self.serve(script)
        self.assertRaises(ksa_exc.UnknownConnectionError, self._get)

    def test_gzip_is_refused(self):
        self.serve(wire_case.saying(HEAD + b'Content-Encoding: gzip\r\n'
                                    b'Content-Length: 9\r\n\r\n123456789'))
        self.assertRaises(ksa_exc.UnknownConnectionError, self._get)


class TestHealth(client_case.ClientTestCase):
    """What makes a server rest for all callers."""

    def _is_good_after(self, answer):
        self.set(num_retries=0)
        endpoint.HEALTH.answered(base.ENDPOINT)
        self.glance.answers(answer)
        self.assertRaises(exception.NovaImageException, self.get)
        return endpoint.HEALTH.is_good(base.ENDPOINT)

    def test_one_answer_without_sense_does_not(self):
        for answer in (recordings.Answer(content=b'{'),
                       recordings.Answer(content=b'[]'),
                       recordings.Answer(400), recordings.Answer(404)):
            self.assertTrue(self._is_good_after(answer))

    def test_errors_of_the_server_do(self):
        for answer in (base.Lost(), recordings.Answer(500),
                       recordings.Answer(503), recordings.Answer(599),
                       recordings.Answer(302, {'Location': 'http://a'})):
            self.assertFalse(self._is_good_after(answer))

    def test_a_token_that_cannot_be_sent_does_not(self):
        self.context.auth_token = 'a\nb'
        self.assertRaises(exception.Invalid, self.get)
        self.assertTrue(endpoint.HEALTH.is_good(base.ENDPOINT))
