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
"""Tests of nova_image.image.client: requests that send data."""

import io

import mock
import requests
import six

from nova_image import exception
from nova_image.image import endpoint
from nova_image.tests.unit import base
from nova_image.tests.unit.image import client_case as case
from nova_image.tests.unit import recordings

FILE = case.FILE
OK = case.OK
NO_CONTENT = case.NO_CONTENT
BUSY = case.BUSY
BODY = case.BODY


class TestBodies(case.ClientTestCase):
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
        self.assertTrue(endpoint.HEALTH.is_good(base.ENDPOINT))

    def test_an_error_of_a_generator_leaves_no_doubt(self):
        mine = exception.GlanceConnectionFailed('mine')

        def pieces():
            yield b'a'
            raise mine

        self.glance.answers(NO_CONTENT)
        self.assertIs(mine, self.assertRaises(
            exception.GlanceConnectionFailed, self.put, pieces(),
            doubt='an image'))

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
