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

"""Parts of an image, read by several connections ahead of their turn.

Each connection has a thread, which reads one part at a time into
memory. A thread whose connection fails ends: a server that limits its
connections gets fewer of them.
"""

import collections
import threading

from oslo_log import log as logging
from oslo_utils import timeutils
from oslo_utils import units
from six.moves import _thread

LOG = logging.getLogger(__name__)

#: bytes of a part. A part takes at least a round trip, in which it uses the
#: window of its connection once.
PART = 3 * units.Mi
#: parts that are kept in addition to those of the connections
AHEAD = 1
#: seconds to wait for the threads whose connections were shut down, and for
#: those that still wait for an answer
_PATIENCE, _SHORT = 5, 1


class Part(object):
    """A part.

    * ``reader``: nova_image.image.transfer.reader.Reader, once it is read
    * ``pieces``: list of bytes, once it is there
    * ``error``: the exception if it could not be read

    :param begin: its first byte
    :param end: the byte behind its last one
    """

    def __init__(self, begin, end):
        self.begin = begin
        self.end = end
        self.reader = None
        self.pieces = None
        self.error = None

    @property
    def is_done(self):
        """Whether it was read, or could not be."""
        return self.pieces is not None or self.error is not None


class Crew(object):
    """The threads, and their parts in order.

    :param make: callable that returns a Reader for a part, (begin, end)
    :param begin: the first byte of the first part
    :param end: the byte behind the last one
    :param count: the number of threads
    """

    def __init__(self, make, begin, end, count):
        self._make = make
        self._next = begin
        self._end = end
        self._changed = threading.Condition()
        self._parts = collections.deque()
        self._waiting = collections.deque()
        self._readers = {}
        self._count = count
        self._is_closed = False
        self._is_enough = False

    def start(self):
        """Start the threads, as many as possible."""
        self._ask()
        for _ in range(self._count):
            thread = threading.Thread(target=self._work,
                                      name='nova_image part')
            thread.daemon = True
            self._readers[thread] = None
            try:
                thread.start()
            except _thread.error as error:
                LOG.debug('No thread can be started: %s', error)
                del self._readers[thread]
                self._retire()

    @property
    def count(self):
        """The number of threads that read."""
        return self._count

    def stop(self):
        """Begin no more parts than there are."""
        self._is_enough = True

    def first(self):
        """Return the next part; None if there is none."""
        return self._parts[0] if self._parts else None

    def wait(self):
        """Wait for the next part, as long as a thread may read it."""
        with self._changed:
            while not (self._parts[0].is_done or self._is_closed or
                       self._parts[0] in self._waiting and not self._count):
                self._changed.wait()

    def drop(self):
        """Go on to the part behind the next one."""
        with self._changed:
            part = self._parts.popleft()
            if part in self._waiting:
                self._waiting.remove(part)
        self._ask()

    def _ask(self):
        """Ask for parts, as many as may be in memory."""
        with self._changed:
            while self._next < self._end and not self._is_enough and (
                    len(self._parts) < self._count + AHEAD):
                part = Part(self._next, min(self._next + PART, self._end))
                self._next = part.end
                self._parts.append(part)
                self._waiting.append(part)
            self._changed.notify_all()

    def _work(self):
        while True:
            part = self._take()
            if part is None:
                return
            self._read(part)
            if part.error is not None:
                self._retire()
                return

    def _take(self):
        """Wait for a part to read; return None if there will be none."""
        with self._changed:
            while not self._is_closed:
                if self._waiting:
                    part = self._waiting.popleft()
                    part.reader = self._make((part.begin, part.end))
                    self._readers[threading.current_thread()] = part.reader
                    return part
                if self._next >= self._end or self._is_enough:
                    return None
                self._changed.wait()

    def _read(self, part):
        pieces = error = None
        try:
            pieces = list(part.reader.chunks())
        except BaseException as problem:
            error = problem  # also of a killed thread: its caller waits for it
        finally:
            part.reader.close()
            with self._changed:
                self._readers[threading.current_thread()] = None
                part.pieces, part.error = pieces, error
                self._changed.notify_all()

    def _retire(self):
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def close(self):
        """End the threads.

        A thread that waits for the beginning of an answer may end later, when
        that comes or does not: its connection cannot be shut down.
        """
        with self._changed:
            self._is_closed = True
            self._waiting.clear()
            busy = dict(self._readers)
            self._changed.notify_all()
        for reader in busy.values():
            if reader is not None:
                reader.abort()
        began = timeutils.now()
        for thread, reader in busy.items():
            waits = reader is not None and reader.endpoint is None
            until = began + (_SHORT if waits else _PATIENCE)
            thread.join(max(0, until - timeutils.now()))
