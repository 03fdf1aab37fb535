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

"""When to try again, and how long to wait before.

Full jitter: each wait is drawn between half of its share and the whole, and
the shares double. ``Retry-After`` of the server is honoured as the least wait.
"""

import email.utils
import random
import time

from oslo_utils import timeutils

#: seconds; the share of the first wait
FIRST_WAIT = 0.5


def parse_retry_after(value):
    """Return the seconds that a Retry-After header asks for.

    :param value: seconds or an HTTP date, or None
    :returns: float >= 0, or None where it says nothing that can be read
    """
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        moment = email.utils.parsedate_tz(value)
    if moment is None:
        return None
    return max(0.0, email.utils.mktime_tz(moment) - time.time())


class Attempts(object):
    """Counts the attempts of one call and waits between them.

    :param num_retries: how many repeats at most
    :param max_wait: seconds that one wait may take at the longest
    :param deadline: seconds after which no repeat is begun; 0 for no limit
    :param sleep: takes seconds; a test puts its own
    """

    def __init__(self, num_retries, max_wait, deadline, sleep=time.sleep):
        self.number = 1
        self.total = 1 + num_retries
        self._max_wait = max_wait
        self._deadline = deadline
        self._sleep = sleep
        self._began = timeutils.now()

    def wait_for(self, retry_after=None):
        """Return how long to wait before the next attempt.

        :param retry_after: seconds that the server asked for, or None
        :returns: seconds, or None when there is to be no next attempt
        """
        share = min(FIRST_WAIT * 2 ** (self.number - 1), self._max_wait)
        jitter = random.uniform(0.5, 1.0)  # nosec B311
        wait = max(share * jitter, retry_after or 0.0)
        late = timeutils.now() - self._began + wait > self._deadline > 0
        if self.number >= self.total or wait > self._max_wait or late:
            return None
        return wait

    def next(self, wait):
        """Wait, and count the next attempt.

        :param wait: seconds
        """
        self._sleep(wait)
        self.number += 1
