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

"""An image's data over several connections at a time, in its order.

Each part is a Body of its own and goes on by itself when it breaks. Parts are
asked for ahead of their turn and kept in memory until then, so that what
follows, hashing above all, sees one stream. It helps where one connection is
slow: far away, or behind a proxy that limits each.
"""

import collections

from concurrent import futures
from oslo_log import log as logging

from nova_image.image.transfer import body

LOG = logging.getLogger(__name__)

#: bytes of one part; that many for each connection are in memory
PART = 4 * 1024 * 1024


class ParallelBody(object):
    """The data of one image, from an offset to the end.

    Its interface is that of body.Body.

    :param make: makes a body.Body, of the part that it is given or of all
    :param expected: digest.Expected, with the size
    :param connections: how many at a time
    """

    def __init__(self, make, expected, connections):
        self.offset = 0
        self.expected = expected
        self.resumes = 0
        self.endpoint = None
        self._make = make
        self._connections = connections
        self._begun = []
        self._whole = None

    def open(self):
        """Return what was recorded; nothing is asked for yet."""
        return self.expected

    def begin_at(self, offset):
        """Leave out the first bytes: they are there already.

        :param offset: how many
        """
        self.offset = offset

    def close(self):
        """Give all connections up."""
        for part in self._begun:
            part.abort()
        if self._whole is not None:
            self._whole.close()

    def chunks(self):
        """Yield the data in pieces, to the last byte. See body.Body."""
        try:
            for chunk in self._in_parts():
                yield chunk
        except body.NoRanges:
            LOG.info('The store gives no parts of images: one connection is '
                     'used')
            whole = self._whole = self._make(None)
            whole.begin_at(self.offset)
            for chunk in whole.chunks():
                self._count(whole, chunk)
                yield chunk
            self.resumes += whole.resumes

    def _in_parts(self):
        starts = iter(range(self.offset, self.expected.size, PART))
        pool = futures.ThreadPoolExecutor(self._connections)
        coming = collections.deque()
        try:
            for start in starts:
                coming.append(self._ask(pool, start))
                if len(coming) == self._connections:
                    for chunk in self._next(coming):
                        yield chunk
            while coming:
                for chunk in self._next(coming):
                    yield chunk
        finally:
            self.close()
            pool.shutdown()

    def _ask(self, pool, start):
        part = self._make((start, min(start + PART, self.expected.size)))
        self._begun.append(part)
        return part, pool.submit(_read, part)

    def _next(self, coming):
        """Wait for the part whose turn it is, and yield its pieces."""
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
    """Return all pieces of a part; gives its connection back or up."""
    try:
        return list(part.chunks())
    finally:
        part.close()
