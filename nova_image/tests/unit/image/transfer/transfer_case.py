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

"""What the tests of downloads share, such as interrupted answers."""

import hashlib
import logging
import os
import re
import socket

import fixtures
from oslo_utils import timeutils

from nova_image.image import messages
from nova_image.image.transfer import reader
from nova_image.image.transfer import recorded
from nova_image.tests.unit import base
from nova_image.tests.unit import recordings

DATA = recordings.DATA
SIZE = len(DATA)
MD5 = hashlib.md5(DATA).hexdigest()
RECORDED = recorded.Recorded(SIZE, 'md5', MD5, stores='fast')
PATH = '/v2/images/ID/file'
#: the size in bytes of the pieces of an answer in these tests
PIECE = 10

GLANCE33 = recordings.load('v2_glance33')
WHOLE = GLANCE33('download_200')
#: Glance's answer to a range if the store has no ranges (rbd, swift, s3)
NO_RANGE = GLANCE33('list_400')
BAD_RANGE = NO_RANGE.changed(status=416)


def wrong():
    """Return an answer with other bytes of the right size."""
    return WHOLE.changed(content=DATA[::-1])


def breaking(answer, size):
    """Return an interrupted copy of an answer.

    :param size: how many bytes arrive before
    """
    return answer.changed(content=base.BrokenBody(
        answer.content[:size], socket.error('reset by peer')))


def broken(size=40):
    """Return an interrupted answer to a request for all data."""
    return breaking(WHOLE, size)


def rest(call):
    """Answer a request for a range, as Glance with a file store does."""
    first = first_of(call)
    return GLANCE33('download_206').changed(
        content=DATA[first:], headers={
            'Content-Range': 'bytes %d-%d/%d' % (first, SIZE - 1, SIZE)})


def broken_rest(size):
    """Return a callable that answers a range and is interrupted."""
    return lambda call: breaking(rest(call), size)


def first_of(call):
    """Return the first byte that a request asks for, or None for all."""
    value = call.headers.get('range')
    return value and int(re.match(r'^bytes=(\d+)-$', value).group(1))


class TransferCase(base.TestCase):
    """Base class: a request for data, which arrives in small pieces.

    :ivar now: the time in seconds after stop_clock()
    """

    def setUp(self):
        super(TransferCase, self).setUp()
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.sizes.CHUNK', PIECE))
        self.folder = self.useFixture(fixtures.TempDir()).path
        self.path = os.path.join(self.folder, 'image')
        self.request = messages.Request('GET', PATH, 'download', 'ID',
                                        stream=True)

    def origin(self, record_of):
        """Return the reader.Origin of the data, with a new client."""
        return reader.Origin(self.client(), self.context, self.request,
                             record_of, timeutils.now())

    def stop_clock(self):
        """Let only the test advance the time."""
        self.now = 1000.0
        self.useFixture(fixtures.MonkeyPatch(
            'oslo_utils.timeutils.now', lambda: self.now))

    def use_servers(self, *names):
        """Configure several servers."""
        self.set(api_servers=['http://%s:9292' % name for name in names])

    def read(self):
        """Return the data at the path."""
        with open(self.path, 'rb') as stream:
            return stream.read()

    def assert_ranges(self, *expected):
        """Assert the first byte that each request asks for, None for all."""
        self.assertEqual(list(expected),
                         [first_of(call) for call in self.glance.calls])
        self.assert_calls([('GET', PATH)] * len(expected))


class Records(logging.Handler):
    """Keeps the records of a logger.

    :ivar records: list of logging.LogRecord
    """

    def __init__(self):
        super(Records, self).__init__()
        self.records = []

    def emit(self, record):
        """Keep a record."""
        self.records.append(record)
