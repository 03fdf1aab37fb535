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

"""The idle connections to one server.

urllib3 keeps a fixed number of them. When more callers than that are active,
it closes each connection that a call leaves, opens one for the next call, and
logs a warning for each. Here the number follows the highest concurrency of
the last minute: the newest connection is used first, so those at the other
end are the ones that are no longer needed.
"""

import collections

from oslo_utils import timeutils
from six.moves import queue

#: seconds without use after which a connection is closed
MAX_IDLE = 60


class Idle(object):
    """The connections that nobody uses, in place of urllib3's queue.

    It has no lock: the garbage collector can close a stream, which puts its
    connection back, while the same thread is here. The methods of a deque
    are atomic.

    :param maxsize: connections to keep at most; the oldest are closed
    """

    def __init__(self, maxsize=0):
        self._limit = maxsize
        self._kept = collections.deque()

    def get(self, block=False, timeout=None):
        """Return the connection that was used last.

        Connections that were idle for too long are closed.

        :param block: ignored, as is ``timeout``: nothing is waited for
        :raises queue.Empty: if there is none
        """
        self._close_old()
        try:
            return self._kept.pop()[0]
        except IndexError:
            raise queue.Empty

    def put(self, connection, block=False):
        """Keep a connection.

        :param connection: urllib3's, or None, which is ignored: urllib3 fills
            its own queue with it, so that others can wait for their turn
        :param block: ignored
        """
        if connection is None:
            return
        self._kept.append((connection, timeutils.now()))
        self._close_old()

    def qsize(self):
        """Return the number of connections."""
        return len(self._kept)

    def _close_old(self):
        oldest = timeutils.now() - MAX_IDLE
        try:
            while self._is_surplus(self._kept[0][1], oldest, 0):
                connection, since = self._kept.popleft()
                if not self._is_surplus(since, oldest, 1):
                    # Another thread has taken the one that was looked at.
                    self._kept.appendleft((connection, since))
                    return
                connection.close()
        except IndexError:
            pass  # there are no more

    def _is_surplus(self, since, oldest, beside):
        """Return whether a connection should be closed.

        :param beside: 1 if it is no longer among the connections
        """
        return since <= oldest or len(self._kept) + beside > self._limit
