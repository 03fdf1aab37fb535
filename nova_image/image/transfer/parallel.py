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

"""An image's data by one connection, or by several if they are faster.

The first connection reads all of the data. If its window limits it, other
connections read parts ahead of it (parts.py). It is closed when it reaches a
part that has arrived. So a download from a near server is one request, and
data keeps arriving if the store has no ranges or the server refuses more
connections. The sink and the checks see one stream.
"""

import collections

from oslo_log import log as logging
from oslo_utils import units

from nova_image import exception
from nova_image.image.transfer import contracts
from nova_image.image.transfer import distance
from nova_image.image.transfer import parts
from nova_image.image.transfer import reader as readers

LOG = logging.getLogger(__name__)

#: errors of a part that another attempt would not change
_FINAL = (readers.NoRanges, exception.ImageUnacceptable)

#: bytes that the first connection reads while the others become fast
GAP = 8 * units.Mi
#: how often other connections are opened for one download
_TRIES = 3


class ParallelReader(contracts.DataReader):
    """Reads by as many connections as are of use. See DataReader.

    :param origin: nova_image.image.transfer.reader.Origin
    :param recorded: Recorded, with the size
    :param most: how many connections to use at most
    """

    def __init__(self, origin, recorded, most):
        super(ParallelReader, self).__init__(recorded)
        self._origin = origin
        self._most = most
        self._tries = _TRIES
        self._head = readers.Reader(origin, recorded)
        self._head_resumes = 0  # those that were counted
        self._is_open = False
        self._flow = None
        self._crew = None
        self._is_closed = False

    def open(self):
        """Connect. See DataReader."""
        if not self._is_open:
            self._head.open()
            self._is_open = True
            self._note(self._head)
            self._measure()
        return self.recorded

    def begin_at(self, offset):
        """Skip data that is there already. See DataReader."""
        self.offset = offset
        self._head.begin_at(offset)

    def close(self):
        """End chunks() and release its connections."""
        self._is_closed = True
        self._head.close()
        if self._crew is not None:
            self._crew.close()

    def chunks(self):
        """Yield the data in pieces. See DataReader."""
        try:
            self.open()
            while True:
                for chunk in self._by_one():
                    yield chunk
                if self._is_whole():
                    return
                for chunk in self._by_crew():
                    yield chunk
                if self._is_whole():
                    return
                self._begin_again()
        finally:
            self.close()

    def _is_whole(self):
        return self._is_closed or self.offset == self.recorded.size

    def _begin_again(self):
        """Read the rest by one connection, at first."""
        self._head = self._resuming()
        self._head_resumes = 0
        self._flow = None
        self._head.begin_at(self.offset)

    def _resuming(self, part=None):
        """Return a Reader that tries as often as one that was interrupted."""
        found = readers.Reader(self._origin, self.recorded, part)
        found.endpoint = self.endpoint
        return found

    def _by_one(self):
        """Yield what one connection reads, until the others are ahead."""
        head = self._head
        chunks = head.chunks()
        if self._flow is not None:
            chunks = self._flow.timed(chunks)
        for chunk in chunks:
            self._note(head)
            self.offset = head.offset
            if self._crew is None:
                self._grow()
            yield chunk
            if self._crew is not None and self._is_overtaken():
                head.close()
                return
        self._note(head)

    def _note(self, head):
        self.endpoint = head.endpoint
        if head.resumes > self._head_resumes:
            self.resumes += head.resumes - self._head_resumes
            self._head_resumes = head.resumes
            if self._flow is not None:
                self._flow.restart()

    def _measure(self):
        """Measure the first connection if others might be faster."""
        known = self._knowledge()
        stores = self.recorded.stores
        round_trip, is_exact = distance.learn(known, self._head.answer)
        if round_trip >= distance.FAR and not (
                known.get(distance.NO_GAIN) or
                known.get(readers.without_ranges(stores))):
            self._flow = distance.Flow(round_trip, is_exact)
            self._head.piece = distance.PIECE

    def _knowledge(self):
        return self._origin.client.knowledge(self._origin.context)

    def _grow(self):
        """Open other connections if they might be faster."""
        if self._flow is None or not self._tries or (
                not self._flow.is_limited()):
            return
        if not self._flow.is_exact:
            distance.learn_far(self._knowledge(), self.endpoint)
            self._flow.is_exact = True
        begin, end = self.offset + GAP, self.recorded.size
        limit = self._origin.client.conf.glance.transfer_bandwidth * units.Mi
        if end - self.offset >= distance.WORTH and not (
                0 < limit < 2 * self._flow.rate):
            self._tries -= 1
            self._crew = parts.Crew(self._eager, begin, end, self._most)
            self._crew.start()

    def _eager(self, part):
        return readers.Reader(self._origin, self.recorded, part, eager=True)

    def _is_overtaken(self):
        """Return whether the others have the next bytes."""
        part = self._crew.first()
        while part is not None and part.end <= self.offset:
            self._crew.drop()
            part = self._crew.first()
        if part is None:
            return False
        if isinstance(part.error, readers.NoRanges) or (
                part.pieces is None and self._crew.count < 1):
            self._dismiss(part.error or 'no other one can be opened')
            return False
        return part.pieces is not None and part.begin <= self.offset

    def _dismiss(self, reason):
        """Go on by one connection."""
        _log_one(reason)
        self._crew.close()
        self._crew = self._flow = None

    def _by_crew(self):
        """Yield what the other connections read, as long as they do."""
        crew = self._crew
        trial = distance.Trial(self._flow.best, crew.count * parts.PART,
                               2 * crew.count * parts.PART)
        LOG.debug('%d connections are used from byte %d on', crew.count,
                  self.offset)
        try:
            while crew.first() is not None and not self._is_closed:
                for chunk in self._next_part():
                    yield chunk
                    if trial.count(len(chunk)):
                        self._learn_no_gain()
                crew.drop()
                if crew.count < 1:
                    crew.stop()
        except readers.NoRanges as error:
            self._tries = 0
            _log_one(error)
        crew.close()
        self._crew = None

    def _next_part(self):
        """Yield the next part: what was read, or what is read now."""
        self._crew.wait()
        part = self._crew.first()
        if isinstance(part.error, _FINAL):
            raise part.error
        if part.pieces is None:
            return self._again(part)
        self._count(part.reader)
        return self._pieces(part)

    def _pieces(self, part):
        place, pieces = part.begin, collections.deque(part.pieces)
        part.pieces = []
        while pieces:
            piece = pieces.popleft()
            place += len(piece)
            piece = piece[max(0, len(piece) - (place - self.offset)):]
            if piece:
                self.offset = place
                yield piece

    def _again(self, part):
        """Read a part that a thread could not read, with retries."""
        LOG.info('%d connections are used from now on: %s',
                 max(1, self._crew.count), part.error or 'no threads')
        reader = self._head = self._resuming((self.offset, part.end))
        for chunk in reader.chunks():
            self.offset = reader.offset
            yield chunk
        self._count(reader)
        reader.close()

    def _count(self, reader):
        self.endpoint = reader.endpoint
        self.resumes += reader.resumes

    def _learn_no_gain(self):
        LOG.info('One connection is as fast as %d: the others are closed',
                 self._crew.count)
        self._knowledge().remember(distance.NO_GAIN, True)
        self._tries = 0
        self._crew.stop()


def _log_one(reason):
    """Log why a download continues by one connection."""
    if isinstance(reason, readers.NoRanges):
        LOG.info('The store returns no parts of images: one connection is '
                 'used')
    else:
        LOG.info('One connection is used: %s', reason)
