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

"""An image's data by several connections at a time, in its order.

Each part has a Reader that resumes by itself. Parts are requested ahead of
their turn and kept in memory until then, so that hashing and all the rest see
one stream. This helps if a single connection is slow: over a long distance,
or behind a proxy that limits each connection.
"""

import collections

from concurrent import futures
from oslo_log import log as logging
from oslo_utils import units

from nova_image.image.transfer import contracts
from nova_image.image.transfer import reader

LOG = logging.getLogger(__name__)

#: size of a part in bytes; each connection has one in memory
PART = 4 * units.Mi


class ParallelReader(contracts.DataReader):
    """Reads by several connections at a time. See DataReader.

    :param make: callable that returns a reader.Reader for a part, or for all
        of the data if it is None
    :param recorded: Recorded, with the size
    :param connections: how many connections to use at a time
    """

    def __init__(self, make, recorded, connections):
        super(ParallelReader, self).__init__(recorded)
        self._make = make
        self._connections = connections
        self._begun = []
        self._whole = None

    def open(self):
        """Return what was recorded; nothing is requested yet."""
        return self.recorded

    def begin_at(self, offset):
        """Skip data that is there already. See DataReader."""
        self.offset = offset

    def close(self):
        """End chunks() and release its connections."""
        for part in self._begun:
            part.abort()
        if self._whole is not None:
            self._whole.close()

    def chunks(self):
        """Yield the data in pieces. See DataReader."""
        try:
            for chunk in self._in_parts():
                yield chunk
        except reader.NoRanges:
            LOG.info('The store returns no parts of images: one connection '
                     'is used')
            whole = self._whole = self._make(None)
            whole.begin_at(self.offset)
            for chunk in whole.chunks():
                self._count(whole, chunk)
                yield chunk
            self.resumes += whole.resumes

    def _in_parts(self):
        starts = iter(range(self.offset, self.recorded.size, PART))
        pool = futures.ThreadPoolExecutor(self._connections)
        coming = collections.deque()
        try:
            for start in starts:
                coming.append(self._ask(pool, start))
                if len(coming) == self._connections:
                    for chunk in self._first_of(coming):
                        yield chunk
            while coming:
                for chunk in self._first_of(coming):
                    yield chunk
        finally:
            self.close()
            pool.shutdown()

    def _ask(self, pool, start):
        part = self._make((start, min(start + PART, self.recorded.size)))
        self._begun.append(part)
        return part, pool.submit(_read, part)

    def _first_of(self, coming):
        """Wait for the first of the parts, and yield its pieces."""
        part, future = coming.popleft()
        for chunk in future.result():
            self._count(part, chunk)
            yield chunk
        self._begun.remove(part)
        self.resumes += part.resumes

    def _count(self, part, chunk):
        self.offset += len(chunk)
        self.endpoint = part.endpoint


def _read(part):
    """Return all pieces of a part, and release its connection."""
    try:
        return list(part.chunks())
    finally:
        part.close()
