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
"""Tests of nova_image.image.client: retries, and the servers that they ask."""

import email.utils
import socket
import time

import requests
import six

from nova_image import exception
from nova_image.image import messages
from nova_image.tests.unit import base
from nova_image.tests.unit.image import client_case as case
from nova_image.tests.unit import recordings

PATH = case.PATH
OK = case.OK
BUSY = case.BUSY


class TestRetries(case.ClientTestCase):
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


class TestServers(case.ClientTestCase):
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
