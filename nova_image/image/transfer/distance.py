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

"""Whether several connections would be faster than one: what is measured.

A connection has at most a window of bytes in flight, so it moves a window in
each round trip, however fast the link is. Far away that is slow: 3 MiB in 50
ms are 60 MiB per second. Several connections have several windows.
"""

import collections

from oslo_utils import timeutils
from oslo_utils import units

from nova_image.image import knowledge

#: seconds of a round trip from which a window may limit a connection. Nearer
#: servers are as fast as one processor hashes the data.
FAR = 0.02
#: bytes in flight up to which a window may be the limit: Linux keeps at most
#: 4 MiB to send again (the default maximum of net.ipv4.tcp_wmem), and
#: announces half of the 6 MiB of tcp_rmem
WINDOW = 4 * units.Mi
#: bytes of the pieces that are measured, and the round trips that the first
#: one of a new connection takes: 14, 43 and 102 KiB arrive before
PIECE, FIRST = 128 * units.Ki, 3
#: bytes that must be left: new connections take ten round trips until they
#: are fast, and one connection moves this much in that time
WORTH = 32 * units.Mi
#: bytes of the smallest image whose connection is measured: it may be the one
#: that has started slowly
MEASURED = 8 * units.Mi
#: how many times as fast several connections must be
GAIN = 1.2
#: round trips over which a rate is measured; the bytes of one come at once
_ROUNDS = 8
#: round trips after which a window may be known to be the limit
_LEAST = 3
#: the most bytes that arrive at once if a connection starts slowly, twice what
#: Linux sends (10 segments, and 20 in the next round trip); they double in
#: each round trip, at most so often
_START = 64 * units.Ki
_DOUBLINGS = 64
#: the share of the time in which the network must be waited for
_WAITING = 0.5
#: characters of a URL that names a fact
_SHOWN = 200


def _is_true(value):
    return value is True


def _is_time(value):
    return isinstance(value, float) and value >= 0


#: whether several connections were not faster than one, lately
NO_GAIN = knowledge.Fact('lack of a gain by several connections', _is_true)


def learn(known, answer):
    """Return the seconds of a round trip to a server, at most.

    They are the least of those that were measured lately: the server may need
    time for an answer.

    :param known: nova_image.image.knowledge.Knowledge
    :param answer: nova_image.image.messages.Answer of the server
    :returns: seconds, and whether they are those of a network: the kernel has
        measured them, or a connection has started slowly
    """
    fact = knowledge.Fact(
        'round trip to %s' % answer.endpoint[:_SHOWN], _is_time)
    found, is_exact = answer.round_trip()
    is_exact = is_exact or bool(known.get(_far(answer.endpoint)))
    best = known.get(fact)
    if best is None or found < best:
        known.remember(fact, found)
        best = found
    return best, is_exact


def learn_far(known, endpoint):
    """Remember that a server is far away: a connection has started slowly.

    The next connection may be warm, and not start slowly again.

    :param known: nova_image.image.knowledge.Knowledge
    :param endpoint: URL of the server
    """
    known.remember(_far(endpoint), True)


def _far(endpoint):
    return knowledge.Fact('distance of %s' % endpoint[:_SHOWN], _is_true)


class Flow(object):
    """The bytes of one connection: how fast they come, and why.

    ``best`` is the highest rate so far, in bytes per second. ``is_exact`` may
    be set later.

    :param round_trip: seconds
    :param is_exact: whether they are those of a network. Otherwise a busy
        server nearby looks like one far away. Only a network starts slowly.
    """

    def __init__(self, round_trip, is_exact=True):
        self._round_trip = round_trip
        self.is_exact = is_exact
        self.restart()

    def restart(self):
        """Forget what was measured: the connection is a new one."""
        self._began = timeutils.now()
        self._waited = 0.0
        self._is_slow_start = True
        self._size = 0
        self._marks = collections.deque([(self._began, 0)])
        self.best = 0.0

    def timed(self, chunks):
        """Yield the pieces of an iterable, and measure the waits for them."""
        chunks = iter(chunks)
        while True:
            began = timeutils.now()
            chunk = next(chunks, None)
            if chunk is None:
                return
            now = timeutils.now()
            self._waited += now - began
            self._count(now, len(chunk))
            yield chunk

    def _count(self, now, size):
        if not self.is_exact and not self._size:
            # An answer takes a round trip, and the time of the server.
            self._round_trip = max(1e-6, min(
                self._round_trip, (now - self._began) / FIRST))
        self._size += size
        rounds = (now - self._began) / self._round_trip
        if rounds < _DOUBLINGS and self._size > _START * 2 ** rounds:
            self._is_slow_start = False
        marks, since = self._marks, now - _ROUNDS * self._round_trip
        marks.append((now, self._size))
        while marks[1][0] <= since:
            marks.popleft()
        then, before = marks[0]
        if then <= since and now > then:
            self.best = max(self.best, (self._size - before) / (now - then))

    @property
    def rate(self):
        """The bytes per second from the beginning."""
        return self._size / max(self._marks[-1][0] - self._began, 1e-6)

    def is_limited(self):
        """Return whether the window may be what limits the rate.

        Otherwise it is the server, the link, or the reader of the data.
        """
        seconds = self._marks[-1][0] - self._began
        least = _LEAST if self.is_exact else _LEAST + 1
        return (self._round_trip >= FAR and
                (self.is_exact or self._is_slow_start) and
                seconds >= least * self._round_trip and
                self._waited >= _WAITING * seconds and
                self.rate * self._round_trip <= WINDOW)


class Trial(object):
    """Whether several connections are faster than one was.

    A single part that is late holds up the others, so a second measurement
    must confirm that there is no gain.

    :param best: bytes per second of the one
    :param skipped: bytes that do not count: while connections are new
    :param measured: bytes of a measurement
    """

    def __init__(self, best, skipped, measured):
        self._best = best
        self._next = skipped
        self._measured = measured
        self._size = 0
        self._began = None
        self._left = 2

    def count(self, size):
        """Count bytes, and judge once.

        :returns: whether there is no gain; None until that is known, and
            afterwards
        """
        self._size += size
        if self._size < self._next or not self._left:
            return None
        now, began = timeutils.now(), self._began
        self._began, self._next = now, self._size + self._measured
        if began is None:
            return None
        self._left -= 1
        rate = self._measured / max(now - began, 1e-6)
        if rate >= GAIN * self._best:
            self._left = 0
            return False
        return None if self._left else True
