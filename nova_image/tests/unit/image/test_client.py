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
"""Tests of nova_image.image.client: the request and the answer of one call."""

import io
import traceback

import fixtures
import mock
import requests
import six

from nova_image import exception
from nova_image.image import identity
from nova_image.image import messages
from nova_image.tests.unit import base
from nova_image.tests.unit.image import client_case as case
from nova_image.tests.unit import recordings

PATH = case.PATH
OK = case.OK
BUSY = case.BUSY


class TestRequest(case.ClientTestCase):
    """The request that is sent."""

    def _send(self, method='GET', **options):
        self.glance.answers(OK)
        self.client().call(self.context, messages.Request(
            method, '/v2/images', 'list', **options))
        return self.glance.calls[-1]

    def test_the_query_is_encoded(self):
        call = self._send(query=[('name', recordings.NAME), ('limit', 5),
                                 ('tag', 'a b'), ('tag', '&')])
        self.assertEqual(
            '/v2/images?name=Z%C3%BCrich+%E6%97%A5%E6%9C%AC&limit=5&'
            'tag=a+b&tag=%26', call.path)

    def test_an_empty_query_adds_nothing(self):
        self.assertEqual('/v2/images', self._send(query=[]).path)

    def test_the_path_of_an_endpoint_is_kept(self):
        self.set(api_servers=['http://cloud/image/v2', ])
        self.assertEqual('http://cloud/image/v2/images', self._send().url)

    def test_a_percent_sign_in_an_endpoint_is_kept(self):
        self.set(api_servers=['http://cloud/a%20b'])
        self.assertEqual('http://cloud/a%20b/v2/images', self._send().url)

    def test_json_is_sent_with_its_content_type(self):
        call = self._send('POST', json={'name': recordings.NAME})
        self.assertEqual({'name': recordings.NAME}, self.sent_json(0))
        self.assertEqual('application/json', _text(
            call.headers['content-type']))

    def test_the_content_type_can_be_chosen(self):
        call = self._send('PATCH', json=[], content_type='application/x')
        self.assertEqual('application/x', _text(call.headers['content-type']))
        self.assertEqual([], self.sent_json(0))

    def test_raw_headers_are_utf_8_on_the_wire(self):
        value = u'[{"a": "b, c%20"}] ' + recordings.NAME
        sent = self._send(raw_headers={'x-meta': value}).headers['x-meta']
        if not isinstance(sent, bytes):
            sent = sent.encode('latin-1')  # as http.client does
        self.assertEqual(value, sent.decode('utf-8'))

    def test_a_request_can_be_followed(self):
        """keystoneauth adds the headers of osprofiler, if there is a trace."""
        trace = {'X-Trace-Info': 'position', 'X-Trace-HMAC': 'signature'}
        self.useFixture(fixtures.MonkeyPatch(
            'keystoneauth1.session.osprofiler_web',
            mock.Mock(get_trace_id_headers=lambda: trace)))
        self.context.global_id = 'req-of-the-caller'
        sent = {name: _text(value) for name, value in
                self._send().headers.items()}
        self.assertEqual(
            ('req-of-the-caller', 'position', 'signature'),
            (sent['x-openstack-request-id'], sent['x-trace-info'],
             sent['x-trace-hmac']))

    def test_unknown_options_are_a_type_error(self):
        self.assertRaises(TypeError, messages.Request, 'GET', '/', 'show',
                          jsn={})


def _text(header):
    return header.decode('ascii') if isinstance(header, bytes) else header


class TestTokens(case.ClientTestCase):
    """Tokens and credentials reach no other host and no message."""

    def test_redirects_are_not_followed(self):
        for status in (301, 302, 303, 305, 307, 308):
            self.glance.answers(recordings.Answer(
                status, {'Location': 'http://user:pa55@elsewhere/'}))
            error = self.assertRaises(exception.GlanceBadAnswer, self.get)
            self.assertIn('redirects to http://***@elsewhere/',
                          six.text_type(error))
        self.assert_calls([('GET', PATH)] * 6)
        self.assertEqual([], self.waits)

    def test_a_traceback_shows_no_credentials(self):
        self.set(num_retries=0)
        self.glance.answers(base.Lost(requests.ConnectionError(
            'http://user:pa55@glance is gone')))
        error = self.assertRaises(exception.GlanceConnectionFailed, self.get)
        shown = ''.join(traceback.format_exception(
            type(error), error, None))
        self.assertIn('is gone', shown)
        self.assertNotIn('pa55', shown)

    def test_credentials_in_an_endpoint_are_not_shown(self):
        self.set(api_servers=['http://user:pa55@glance:9292'], debug=True)
        self.glance.answers(recordings.Answer(404))
        error = self.assertRaises(exception.ImageNotFound, self.get)
        self.assertNotIn('pa55', six.text_type(error))
        ours = [line for line in self.log.output.splitlines()
                if ' nova_image.' in line]
        self.assertEqual(1, len(ours))
        self.assertNotIn('pa55', ours[0])


class TestAnswers(case.ClientTestCase):
    """Successful answers that are unusable."""

    def _assert_bad(self, content, words, kind='application/json'):
        self.glance.answers(recordings.Answer(
            200, {'Content-Type': kind}, content))
        error = self.assertRaises(exception.GlanceBadAnswer, self.get)
        for part in words, 'show', base.ENDPOINT, 'answered 200':
            self.assertIn(part, six.text_type(error))
        self.assertFalse(error.retriable)

    def test_a_login_page_is_a_bad_answer(self):
        self._assert_bad(b'<html>Log in</html>', 'web page', 'text/html')

    def test_an_empty_body_is_a_bad_answer(self):
        self._assert_bad(b'', 'not JSON')

    def test_truncated_json_is_a_bad_answer(self):
        self._assert_bad(b'{"images": [', 'not JSON')

    def test_invalid_utf_8_is_a_bad_answer(self):
        self._assert_bad(b'\xff\xfe{', 'not JSON')

    def test_json_other_than_an_object_is_a_bad_answer(self):
        for content in (b'[]', b'[{"id": 1}]', b'"text"', b'null', b'5'):
            self._assert_bad(content, 'not a JSON object')

    def test_bad_answers_are_not_retried(self):
        self._assert_bad(b'', 'not JSON')
        self.assert_calls([('GET', PATH)])
        self.assertEqual([], self.waits)

    def test_the_answer_to_an_upload_is_read(self):
        # reading it returns the connection to the pool
        body = io.BytesIO(b'{}')
        self.glance.answers(recordings.Answer(content=body))
        self.put(b'data')
        self.assertTrue(body.closed or body.tell() == 2)


class TestSeenBy(case.ClientTestCase):
    """Who decides whether a caller may see an image."""

    IMAGE = {'owner': 'another', 'is_public': False, 'properties': {}}

    def test_glance_decides_if_there_is_a_token(self):
        self.assertTrue(self.client().seen_by(self.context)(self.IMAGE))

    def test_the_service_decides_for_its_own_work(self):
        self.without_keystone()
        service = identity.Identity(self.conf)
        service.configured_auth = lambda: identity.ContextToken('other')
        client = self.client(identity=service)
        for is_admin in (True, False):
            self.context.is_admin = is_admin
            self.assertIs(is_admin,
                          client.seen_by(self.context)(self.IMAGE))
        self.assertTrue(client.seen_by(self.context)(
            dict(self.IMAGE, owner='a-project')))

    def test_the_owner_decides_without_keystone(self):
        self.without_keystone()
        seen = self.client().seen_by(self.context)
        self.assertFalse(seen(self.IMAGE))
        self.assertTrue(seen(dict(self.IMAGE, owner='a-project')))


class TestUnknownEndpoint(case.ClientTestCase):
    """Neither an option nor a catalog names a Glance."""

    def test_a_missing_endpoint_is_reported_without_retries(self):
        self.set(api_servers=None)
        error = self.assertRaises(exception.GlanceEndpointUnknown, self.get)
        self.assertIn('api_servers', six.text_type(error))
        self.assertEqual([], self.waits)


class TestPinned(case.ClientTestCase):
    """A client of one server."""

    def test_a_pinned_client_asks_one_server_and_still_retries(self):
        self.glance.answers(OK)
        pinned = self.client().pinned_to('http://other')
        pinned.json(self.context, messages.Request('GET', PATH, 'show'))
        self.assertEqual('http://other' + PATH, self.glance.calls[0].url)
        self.glance.answers(BUSY, OK)
        pinned.json(self.context, messages.Request('GET', PATH, 'show'))
        self.assertEqual(1, len(self.waits))
