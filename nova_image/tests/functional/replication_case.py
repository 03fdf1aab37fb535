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


"""The base class of the tests of the ends of a replication."""

import collections.abc
import hashlib
import typing

from nova_image.replication import ends
from nova_image.replication import record
from nova_image.tests import fixtures
from nova_image.tests.functional import base
from nova_image.tests.functional import replication_matrix

#: larger than a piece, so that a part of it can be held back
DATA = bytes(range(256)) * 8192


def hashes(data: bytes, *names: str) -> dict[str, str]:
    """Return {algorithm: hexadecimal digest} of data."""
    return {name: hashlib.new(name, data).hexdigest() for name in names}


class Data:
    """The data of a source, which is not Glance.

    :param pieces: bytes; exceptions to raise; functions to call
    """

    def __init__(self, *pieces: bytes | Exception
                 | collections.abc.Callable[[], object]) -> None:
        self._pieces = pieces

    def __iter__(self) -> collections.abc.Iterator[bytes]:
        """Yield the data."""
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, bytes):
                yield piece
            else:
                piece()


class EndCase(base.FunctionalTest):
    """A test of one end, on a real server behind a proxy.

    :cvar api: ``v1`` or ``v2``
    :ivar end: the end
    :ivar proxy: the FaultyProxy between the end and the server
    :ivar raw: a plain HTTP client of the server, for v2
    """

    api = 'v2'

    @property
    def server(self) -> fixtures.Service:
        """The server under test."""
        raise NotImplementedError

    def setUp(self) -> None:
        """Make the end, and forget what is known about the server."""
        super().setUp()
        self.raw = self.raw_glance(self.server.url)
        replication_matrix.wipe(self.raw)  # other tests leave images
        self.proxy = self.useFixture(fixtures.FaultyProxy(self.server.url))
        self.waits: list[float] = []
        self.end = self.make_end()

    def make_end(self, **options: typing.Any) -> ends.End:
        """Return an end.

        :param options: options of ``[glance]`` that differ from the defaults
        """
        conf = base.make_conf({
            'api_servers': [self.proxy.url],
            'use_glance_v1': self.api == 'v1', 'max_retry_wait': 0.2,
            **options})
        return ends.load(conf, self.admin())

    def wanted(self, **fields: typing.Any) -> record.Record:
        """Return the record of an active image that is to be created."""
        image_id = fields.pop('id', None) or base.new_id()
        return record.Record(**{
            'id': image_id, 'status': 'active', 'name': 'a disk',
            'owner': self.project, 'disk_format': 'raw',
            'container_format': 'bare', 'size': len(DATA),
            'properties': {record.MARKER: image_id}, **fields})

    def assertAsks(self, expected: list[str],
                   operation: collections.abc.Callable[..., typing.Any],
                   *args: typing.Any) -> typing.Any:
        """Check the requests of an operation, and return its result.

        :param expected: the requests, such as ``['GET /v2/images/ID']``
        """
        with base.recording(self.server) as recorded:
            result = operation(*args)
        self.assertEqual(expected, recorded.calls)
        return result

    def assertSame(self, wanted: record.Record, found: typing.Any) -> None:
        """Check that an image has all fields that are replicated."""
        for name in sorted(self.end.fields):
            self.assertEqual(getattr(wanted, name), getattr(found, name),
                             name)
        self.assertEqual(wanted.size, found.size)

    def assertBytes(self, expected: bytes, found: bytes) -> None:
        """Compare data that is too long for an error message."""
        self.assertEqual(len(expected), len(found))
        if expected != found:
            self.fail('The size is right, but the bytes differ')

    def wait_until_queued(self, image_id: str) -> None:
        """Wait until Glance has given up an upload that was cut."""
        self.wait_for(
            lambda: self.raw.image(image_id)['status'] == 'queued',
            'queued again', 10)
