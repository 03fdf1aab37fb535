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

"""Tests of nova_image.image.client: one call, its retries and its answer."""

import email.utils
import io
import socket
import time
import traceback

import mock
import requests
import six

from nova_image import exception
from nova_image.image import identity
from nova_image.image import messages
from nova_image.image import outcome
from nova_image.image.transfer import source
from nova_image.tests.unit import base
from nova_image.tests.unit import recordings

PATH = '/v2/images/ID'
FILE = PATH + '/file'
OK = recordings.Answer(content=b'{"a": 1}')
NO_CONTENT = recordings.Answer(204)
BUSY = recordings.Answer(503)
#: of more than one piece for every python-glanceclient
BODY = b'0123456789abcdef' * 65536 * 3


class ClientTestCase(base.TestCase):
    """Base class: makes calls."""

    def get(self, **options):
        """Make a call that returns JSON."""
        return self.client().json(self.context, messages.Request(
            'GET', PATH, 'show', 'ID', **options))

    def put(self, data, settle=None):
        """Make a call that sends data."""
        return self.client().call(self.context, messages.Request(
            'PUT', FILE, 'upload', 'ID', body=source.open_source(data)),
            settle=settle)

    def bodies(self):
        """Return the body of each request."""
        return [call.body for call in self.glance.calls]


class TestRequest(ClientTestCase):
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

    def test_unknown_options_are_a_type_error(self):
        self.assertRaises(TypeError, messages.Request, 'GET', '/', 'show',
                          jsn={})


def _text(header):
    return header.decode('ascii') if isinstance(header, bytes) else header


class TestTokens(ClientTestCase):
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


class TestRetries(ClientTestCase):
    """What is retried, how often, and after which wait."""

    def test_a_success_needs_no_retry(self):
        self.glance.answers(OK)
        self.assertEqual({'a': 1}, self.get())
        self.assertEqual([], self.waits)
        self.assert_calls([('GET', PATH)])

    def test_temporary_errors_are_retried(self):
        for status in (429, 500, 502, 503, 504):
            self.glance.answers(recordings.Answer(status), OK)
            self.assertEqual({'a': 1}, self.get())
        self.assert_calls([('GET', PATH)] * 10)
        self.assertEqual(5, len(self.waits))

    def test_permanent_errors_are_not_retried(self):
        for status in (300, 400, 401, 403, 404, 409, 413, 501, 505):
            self.glance.answers(recordings.Answer(status))
            self.assertRaises(exception.NovaImageException, self.get)
        self.assert_calls([('GET', PATH)] * 9)
        self.assertEqual([], self.waits)

    def test_connection_errors_are_retried(self):
        self.glance.answers(
            base.Lost(), base.Lost(requests.Timeout('slow')),
            base.Lost(requests.exceptions.SSLError('bad')), OK)
        self.assertEqual({'a': 1}, self.get())

    def test_an_interrupted_answer_is_retried(self):
        self.glance.answers(recordings.Answer(content=base.BrokenBody(
            b'{"a"', socket.error('reset'))), OK)
        self.assertEqual({'a': 1}, self.get())

    def test_num_retries_limits_the_retries(self):
        for retries in (0, 1, 3):
            self.set(num_retries=retries)
            self.glance.answers(*[BUSY] * (1 + retries))
            error = self.assertRaises(exception.GlanceServerError, self.get)
            self.assertEqual(503, error.status)
        self.assert_calls([('GET', PATH)] * 7)
        self.assertEqual(4, len(self.waits))

    def test_waits_grow_within_their_jitter(self):
        self.glance.answers(*[BUSY] * 4)
        self.assertRaises(exception.GlanceServerError, self.get)
        self.assertEqual(3, len(self.waits))
        for number, share in enumerate((0.5, 1.0, 2.0)):
            self.assertTrue(share / 2 <= self.waits[number] <= share,
                            self.waits)

    def test_retry_after_in_seconds_is_respected(self):
        self.glance.answers(
            recordings.Answer(429, {'Retry-After': '7'}), OK)
        self.get()
        self.assertEqual([7.0], self.waits)

    def test_retry_after_as_a_date_is_respected(self):
        moment = email.utils.formatdate(time.time() + 20, usegmt=True)
        self.glance.answers(
            recordings.Answer(503, {'Retry-After': moment}), OK)
        self.get()
        self.assertTrue(18 <= self.waits[0] <= 20, self.waits)

    def test_a_retry_after_beyond_the_longest_wait_is_not_waited_for(self):
        self.glance.answers(
            recordings.Answer(503, {'Retry-After': '86400'}))
        error = self.assertRaises(exception.GlanceServerError, self.get)
        self.assertEqual(86400.0, error.retry_after)
        self.assertEqual([], self.waits)

    def test_no_retry_begins_after_the_deadline(self):
        self.set(request_deadline=10)
        self.glance.answers(recordings.Answer(503, {'Retry-After': '11'}))
        self.assertRaises(exception.GlanceServerError, self.get)
        self.assertEqual([], self.waits)

    def test_an_unrepeatable_request_is_not_retried(self):
        for answer in (recordings.Answer(500), recordings.Answer(502),
                       recordings.Answer(504), base.Lost()):
            self.glance.answers(answer)
            self.assertRaises(exception.GlanceConnectionFailed, self.get,
                              repeatable=False)
        self.assertEqual([], self.waits)

    def test_an_unprocessed_request_is_retried_even_if_unrepeatable(self):
        for status in (429, 503):
            self.glance.answers(recordings.Answer(status), OK)
            self.get(repeatable=False)
        self.assertEqual(2, len(self.waits))

    def test_each_failed_attempt_logs_one_line(self):
        self.glance.answers(BUSY, base.Lost(), OK)
        self.get()
        one, two = self.warnings()
        self.assertIn('Attempt 1 of 4 failed', one)
        self.assertIn('answered 503', one)
        self.assertIn('Attempt 2 of 4 failed', two)
        self.assertNotIn('Traceback', self.log.output)

    def test_the_last_attempt_logs_no_line(self):
        self.set(num_retries=0)
        self.glance.answers(BUSY)
        self.assertRaises(exception.GlanceServerError, self.get)
        self.assertEqual([], self.warnings())

    def test_the_error_names_the_server(self):
        self.set(num_retries=0)
        self.glance.answers(base.Lost())
        error = self.assertRaises(exception.GlanceConnectionFailed, self.get)
        for words in ('image ID', 'show', base.ENDPOINT, 'reset'):
            self.assertIn(words, six.text_type(error))

    def test_the_token_is_not_logged(self):
        self.set(debug=True, num_retries=1)
        self.glance.answers(base.Lost(requests.ConnectionError(
            'X-Auth-Token: a-secret-token')), BUSY)
        error = self.assertRaises(exception.GlanceServerError, self.get)
        self.assertNotIn('a-secret-token', self.log.output)
        self.assertNotIn('a-secret-token', six.text_type(error))

    def test_unrelated_errors_are_raised_unchanged(self):
        self.glance.answers(base.Lost(KeyError('a bug')))
        self.assertRaises(KeyError, self.get)
        self.assert_calls([('GET', PATH)])


class TestServers(ClientTestCase):
    """Which server a retry asks."""

    def setUp(self):
        super(TestServers, self).setUp()
        self.set(api_servers=['http://one', 'http://two'])

    def _hosts(self):
        return [call.url.split('/')[2] for call in self.glance.calls]

    def test_a_retry_asks_the_next_server(self):
        self.glance.answers(BUSY, OK)
        self.get()
        self.assertEqual({'one', 'two'}, set(self._hosts()))

    def test_a_failed_server_rests(self):
        self.glance.answers(base.Lost(), *[OK] * 6)
        self.get()
        failed = self._hosts()[0]
        for _ in range(5):
            self.get()
        self.assertNotIn(failed, self._hosts()[1:])

    def test_a_server_that_refuses_a_request_does_not_rest(self):
        client = self.client()
        self.glance.answers(recordings.Answer(404), OK)
        request = messages.Request('GET', PATH, 'show', 'ID')
        self.assertRaises(exception.ImageNotFound, client.call, self.context,
                          request)
        client.call(self.context, request)
        self.assertEqual({'one', 'two'}, set(self._hosts()))


class TestBodies(ClientTestCase):
    """Data is sent completely or not at all."""

    def test_a_file_is_sent_completely(self):
        self.glance.answers(NO_CONTENT)
        self.put(io.BytesIO(BODY))
        self.assertEqual([BODY], self.bodies())

    def test_partly_sent_data_is_rewound(self):
        for data in (BODY, io.BytesIO(BODY), [BODY[:5], BODY[5:]]):
            del self.glance.calls[:]
            self.glance.answers(base.Lost(pieces=1),
                                BUSY.changed(pieces=2), NO_CONTENT)
            self.put(data)
            first, second, third = self.bodies()
            self.assertTrue(0 < len(first) < len(BODY))
            self.assertGreater(len(second), 0)
            self.assertEqual(BODY, third)

    def test_a_partly_sent_generator_is_not_retried(self):
        self.glance.answers(base.Lost(pieces=1))
        error = self.assertRaises(
            exception.GlanceConnectionFailed, self.put,
            (piece for piece in (BODY, BODY)))
        self.assertIn('cannot be read again', six.text_type(error))
        self.assert_calls([('PUT', FILE)])
        self.assertEqual([], self.warnings())

    def test_a_generator_is_retried_before_its_first_byte(self):
        self.glance.answers(base.Lost(pieces=0), NO_CONTENT)
        self.put(piece for piece in (b'a', b'b'))
        self.assertEqual([b'', b'ab'], self.bodies())

    def test_an_error_of_a_generator_is_raised_unchanged(self):
        for error in (ValueError('mine'), IOError('mine'),
                      requests.ConnectionError('mine'),
                      exception.GlanceConnectionFailed('mine')):
            def pieces():
                yield b'a'
                raise error  # noqa: B023
            self.glance.answers(NO_CONTENT)
            self.assertIs(error, self.assertRaises(
                type(error), self.put, pieces()))
        self.assert_calls([('PUT', FILE)] * 4)
        self.assertEqual([], self.waits)

    def test_an_error_of_a_file_is_raised_unchanged(self):
        stream = mock.Mock(spec=['read', 'tell', 'seek'], closed=False)
        stream.tell.return_value = 0
        stream.read.side_effect = [b'a', IOError('bad sector')]
        self.glance.answers(NO_CONTENT)
        error = self.assertRaises(IOError, self.put, stream)
        self.assertEqual('bad sector', str(error))
        self.assertEqual(2, stream.read.call_count)

    def test_redirects_are_not_followed(self):
        self.glance.answers(recordings.Answer(
            307, {'Location': 'http://elsewhere/'}))
        self.assertRaises(exception.GlanceBadAnswer, self.put, BODY)
        self.assert_calls([('PUT', FILE)])

    def test_all_data_is_sent_again_with_a_renewed_token(self):
        plugin = self.with_renewable_token()
        self.glance.answers(recordings.Answer(401), NO_CONTENT)
        self.put(io.BytesIO(BODY))
        self.assertEqual([BODY, BODY], self.bodies())
        plugin.invalidate.assert_called_once_with()

    def test_a_generator_is_not_sent_again_with_a_renewed_token(self):
        self.with_renewable_token()
        self.glance.answers(recordings.Answer(401))
        self.assertRaises(exception.ImageNotAuthorized, self.put,
                          (piece for piece in (b'a', b'b')))
        self.assertEqual([b'ab'], self.bodies())

    def test_a_token_that_cannot_be_renewed_is_not_retried(self):
        self.glance.answers(recordings.Answer(401))
        self.assertRaises(exception.ImageNotAuthorized, self.put, BODY)
        self.assert_calls([('PUT', FILE)])

    def test_the_token_is_also_renewed_for_requests_without_data(self):
        plugin = self.with_renewable_token()
        self.glance.answers(recordings.Answer(401), OK)
        self.assertEqual({'a': 1}, self.get())
        plugin.invalidate.assert_called_once_with()


class TestSettling(ClientTestCase):
    """The meaning of a refused retry after an answer was lost."""

    CONFLICT = recordings.Answer(409)

    def _settle(self, result, *answers):
        """Send data; return the answer and the errors that were settled."""
        settle = mock.Mock(return_value=result)
        self.glance.answers(*answers)
        found = self.put(BODY, settle)
        return found, [call[0][0] for call in settle.call_args_list]

    def _fail(self, kind, result, *answers):
        settle = mock.Mock(return_value=result)
        self.glance.answers(*answers)
        return self.assertRaises(kind, self.put, BODY, settle), settle

    def test_a_refused_first_attempt_is_not_settled(self):
        _, settle = self._fail(exception.ImageConflict, outcome.Found(),
                               self.CONFLICT)
        settle.assert_not_called()

    def test_the_result_of_a_lost_answer_is_returned(self):
        for lost in (base.Lost(), recordings.Answer(500),
                     recordings.Answer(502), recordings.Answer(504)):
            found, errors = self._settle(outcome.Found('found'), lost,
                                         self.CONFLICT)
            self.assertEqual('found', found)
            self.assertEqual([exception.ImageConflict], list(
                map(type, errors)))

    def test_a_request_that_was_not_processed_is_not_lost(self):
        for refused in (recordings.Answer(429), recordings.Answer(503)):
            _, settle = self._fail(exception.ImageConflict, outcome.Found(),
                                   refused, self.CONFLICT)
            settle.assert_not_called()

    def test_a_lost_answer_is_remembered_across_retries(self):
        found, _ = self._settle(outcome.Found('found'), base.Lost(), BUSY,
                                self.CONFLICT)
        self.assertEqual('found', found)

    def test_errors_that_can_be_retried_are_not_settled(self):
        _, errors = self._settle(outcome.Found(), base.Lost(), BUSY,
                                 NO_CONTENT)
        self.assertEqual([], errors)

    def test_a_failed_outcome_raises_the_error_of_the_retry(self):
        error, settle = self._fail(
            exception.ImageConflict, outcome.Failed(), base.Lost(),
            self.CONFLICT)
        self.assertIs(settle.call_args[0][0], error)

    def test_a_failed_outcome_may_have_its_own_error(self):
        mine = exception.ImageUploadFailed()
        error, _ = self._fail(exception.ImageUploadFailed,
                              outcome.Failed(mine), base.Lost(),
                              self.CONFLICT)
        self.assertIs(mine, error)

    def test_the_outcome_try_again_retries(self):
        settle = mock.Mock(return_value=outcome.TryAgain())
        self.glance.answers(base.Lost(), self.CONFLICT, self.CONFLICT,
                            NO_CONTENT)
        self.put(BODY, settle)
        self.assertEqual(2, settle.call_count)
        self.assertEqual([BODY] * 4, self.bodies())
        self.assertEqual(3, len(self.waits))

    def test_num_retries_also_limits_try_again(self):
        self.set(num_retries=2)
        self._fail(exception.ImageConflict, outcome.TryAgain(), base.Lost(),
                   self.CONFLICT, self.CONFLICT)

    def test_try_again_does_not_change_the_error(self):
        error, _ = self._fail(exception.ImageConflict, outcome.TryAgain(),
                              base.Lost(), *[self.CONFLICT] * 3)
        self.assertFalse(error.retriable)

    def test_an_exception_of_settle_is_raised(self):
        self.glance.answers(base.Lost(), self.CONFLICT)
        self.assertRaises(KeyError, self.put, BODY,
                          mock.Mock(side_effect=KeyError))


class TestAnswers(ClientTestCase):
    """Successful answers that are unusable."""

    def _assert_bad(self, content, words, kind='application/json'):
        self.glance.answers(recordings.Answer(
            200, {'Content-Type': kind}, content))
        error = self.assertRaises(exception.GlanceBadAnswer, self.get)
        for part in words, 'show', base.ENDPOINT, 'answered 200':
            self.assertIn(part, six.text_type(error))
        self.assertFalse(error.retriable)

    def test_a_login_page_is_a_bad_answer(self):
        self._assert_bad(b'<html>Log in</html>', 'not JSON', 'text/html')

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
        # which returns the connection to the pool
        body = io.BytesIO(b'{}')
        self.glance.answers(recordings.Answer(content=body))
        self.put(b'data')
        self.assertTrue(body.closed or body.tell() == 2)


class TestSeenBy(ClientTestCase):
    """Who decides whether a caller may see an image."""

    IMAGE = {'owner': 'another', 'is_public': False, 'properties': {}}

    def test_glance_decides_if_there_is_a_token(self):
        self.assertTrue(self.client().seen_by(self.context)(self.IMAGE))

    def test_glance_decides_if_the_service_has_credentials(self):
        self.without_keystone()
        service = identity.Identity(self.conf)
        service.configured_auth = lambda: identity.ContextToken('other')
        client = self.client(identity=service)
        self.assertTrue(client.seen_by(self.context)(self.IMAGE))

    def test_the_owner_decides_without_keystone(self):
        self.without_keystone()
        seen = self.client().seen_by(self.context)
        self.assertFalse(seen(self.IMAGE))
        self.assertTrue(seen(dict(self.IMAGE, owner='a-project')))


class TestUnknownEndpoint(ClientTestCase):
    """Nothing configures where Glance is."""

    def test_a_missing_endpoint_is_reported_without_retries(self):
        self.set(api_servers=None)
        error = self.assertRaises(exception.GlanceEndpointUnknown, self.get)
        self.assertIn('api_servers', six.text_type(error))
        self.assertEqual([], self.waits)


class TestPinned(ClientTestCase):
    """A client of one server."""

    def test_a_pinned_client_asks_one_server_and_still_retries(self):
        self.glance.answers(OK)
        pinned = self.client().pinned_to('http://other')
        pinned.json(self.context, messages.Request('GET', PATH, 'show'))
        self.assertEqual('http://other' + PATH, self.glance.calls[0].url)
        self.glance.answers(BUSY, OK)
        pinned.json(self.context, messages.Request('GET', PATH, 'show'))
        self.assertEqual(1, len(self.waits))
