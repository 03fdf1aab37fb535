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

"""Tests of nova_image.image.messages: how bodies are read."""

import io
import os
import socket

import requests
import urllib3

from nova_image import exception
from nova_image.image import messages
from nova_image.tests.unit import base

KIB = 1024
MIB = 1024 ** 2
DATA = os.urandom(3 * MIB + 5)


class _Cut(io.BytesIO):
    """A body whose connection fails at its end."""

    def read(self, *args):
        data = io.BytesIO.read(self, *args)
        if not data:
            raise socket.error('cut')
        return data


class TestPieces(base.TestCase):
    """The pieces of a body, by Answer.chunks()."""

    def _answer(self, data, kind=io.BytesIO, **headers):
        response = requests.Response()
        response.status_code = 200
        response.headers.update(headers)
        response.raw = urllib3.HTTPResponse(
            kind(data), headers=headers, preload_content=False,
            enforce_content_length=False)
        self.raw = response.raw
        return messages.Answer(response, messages.Request(
            'GET', '/v2/images/ID/file', 'download', 'ID'), base.ENDPOINT)

    def _sizes(self, data, **headers):
        """Return the sizes of the pieces of a body in KiB, rounded up."""
        pieces = list(self._answer(data, **headers).chunks())
        self.assertEqual(data, b''.join(pieces))
        self.assertTrue(self.raw.closed)
        return [-(-len(piece) // KIB) for piece in pieces]

    def test_a_large_body_begins_with_small_pieces(self):
        self.assertEqual(
            [256, 256, 512, 1024, 1024, 1],
            self._sizes(DATA, **{'Content-Length': '%d' % len(DATA)}))

    def test_a_small_body_has_no_small_pieces(self):
        data = DATA[:2 * MIB]
        self.assertEqual([1024, 1024], self._sizes(
            data, **{'Content-Length': '%d' % len(data)}))

    def test_a_body_without_a_size_has_no_small_pieces(self):
        for headers in ({}, {'Content-Length': 'many'},
                        {'Content-Length': ''}):
            self.assertEqual([1024, 1024, 1024, 1],
                             self._sizes(DATA, **headers))

    def test_a_body_may_end_early(self):
        for size in (0, 1, 256 * KIB, 300 * KIB, MIB, MIB + 1):
            self._sizes(DATA[:size], **{'Content-Length': '%d' % len(DATA)})

    def test_an_error_in_a_small_piece_is_ours(self):
        for size in (0, 256 * KIB, MIB):
            answer = self._answer(DATA[:size], _Cut, **{
                'Content-Length': '%d' % len(DATA)})
            self.assertRaises(exception.GlanceConnectionFailed, list,
                              answer.chunks())
            self.assertTrue(self.raw.closed)

    def test_the_caller_may_stop_after_a_small_piece(self):
        answer = self._answer(DATA, **{'Content-Length': '%d' % len(DATA)})
        pieces = answer.chunks()
        next(pieces)
        pieces.close()
        self.assertTrue(self.raw.closed)
