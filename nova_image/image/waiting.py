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

"""Waits for Glance to finish work that it does after it has answered."""

from oslo_utils import timeutils

#: seconds between two looks: at least, at most, and the share of the time
#: waited so far. Work of n seconds takes 12 looks up to 1.2 s, 40 up to 10 s,
#: 70 up to 120 s, and then one every 10 s.
FIRST_WAIT = 0.1
LONGEST_WAIT = 10.0
SHARE = 12.0


class Wait(object):
    """Looks for a result at growing intervals until a timeout.

    :param sleep: callable that takes seconds
    :param timeout: seconds until the last look; None for no limit
    """

    def __init__(self, sleep, timeout):
        self._sleep = sleep
        self._timeout = timeout
        self._began = timeutils.now()

    def until(self, look):
        """Call a function until it returns a result.

        :param look: callable that returns None as long as there is no result
        :returns: the result; None if there was none before the timeout
        """
        while True:
            found = look()
            left = self._left()
            if found is not None or left is not None and left <= 0:
                return found
            pause = min(max(FIRST_WAIT, self._elapsed() / SHARE),
                        LONGEST_WAIT)
            self._sleep(pause if left is None else min(pause, left))

    def _elapsed(self):
        return timeutils.now() - self._began

    def _left(self):
        """Return the seconds until the timeout; None without one."""
        if self._timeout is None:
            return None
        return round(self._timeout - self._elapsed(), 3)
