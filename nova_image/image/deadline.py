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
"""Deadlines: when a whole call, or a whole download, must be over.

A timeout limits the wait for the next byte, a deadline the time until the
last one. Connections look up the deadline of the thread that uses them
(nova_image.image.connections), so that it also holds for other requests of
the call, such as one for a token.
"""

import contextlib
import socket
import threading

from oslo_utils import timeutils

#: seconds by which a socket may end a wait too early: the time is not up then
_SLACK = 0.01


class Deadline(object):
    """The moment by which something must be over.

    :param seconds: how long it may take; 0 for no limit
    :param option: the name of the option in ``[glance]`` that sets it
    :keyword began: when it began, as of oslo_utils.timeutils.now()
    :keyword pausable: whether the time in which a request is sent does not
        count
    """

    def __init__(self, seconds, option, began=None, pausable=False):
        self.seconds = seconds
        self.option = option
        began = timeutils.now() if began is None else began
        self._end = began + seconds if seconds else None
        self._pausable = pausable
        self._paused = None

    def left(self):
        """Return the seconds that are left; None while there is no limit."""
        if self._end is None or self._paused is not None:
            return None
        return self._end - timeutils.now()

    def is_over(self):
        """Return whether the time is up."""
        left = self.left()
        return left is not None and left <= 0

    def shorten(self, timeout):
        """Return how long to wait for a socket at most.

        :param timeout: seconds, or None
        :returns: seconds, or None
        :raises socket.timeout: if the time is up
        """
        left = self.left()
        if left is None:
            return timeout
        if left <= 0:
            raise socket.timeout('%d seconds have passed' % self.seconds)
        left += _SLACK
        return left if timeout is None else min(left, timeout)

    def pause(self):
        """Stop the clock until resume(), if this deadline is pausable."""
        if self._pausable and self._paused is None:
            self._paused = timeutils.now()

    def resume(self):
        """Let the clock run."""
        if self._paused is not None and self._end is not None:
            self._end += timeutils.now() - self._paused
        self._paused = None


#: the Deadline of whatever has none
NONE = Deadline(0, None)

_local = threading.local()


def current():
    """Return the Deadline of what this thread does."""
    return getattr(_local, 'deadline', NONE)


@contextlib.contextmanager
def applied(deadline):
    """Let a Deadline hold for what this thread does in the meantime."""
    outer = current()
    _local.deadline = deadline
    try:
        yield
    finally:
        _local.deadline = outer
