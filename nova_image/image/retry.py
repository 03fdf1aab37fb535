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

"""When to retry, and how long to wait before.

Full jitter: each delay is drawn between half of its share and the whole, and
the shares double. ``Retry-After`` of the server is the shortest delay.
"""

import email.utils
import random
import re
import time

from oslo_utils import timeutils

#: seconds; the share of the first delay
FIRST_DELAY = 0.5
#: how often the shares double: any limit is reached long before, and a float
#: ends at 2 ** 1024
_DOUBLINGS = 64

_SECONDS = re.compile(r'^\s*-?[0-9]{1,15}(\.[0-9]{0,9})?\s*\Z')


def parse_retry_after(value):
    """Return the seconds that a Retry-After header asks for.

    :param value: seconds or an HTTP date, or None
    :returns: float >= 0, or None if the value cannot be parsed
    """
    if not value:
        return None
    if _SECONDS.match(value):
        return max(0.0, float(value))
    try:
        moment = email.utils.parsedate_tz(value)
        return moment and max(
            0.0, email.utils.mktime_tz(moment) - time.time())
    except (ValueError, OverflowError, TypeError, IndexError):
        return None  # such as the year 99999


class Attempts(object):
    """Counts the attempts of one call and sleeps between them.

    :param num_retries: the maximum number of retries
    :param max_delay: the longest delay, in seconds
    :param deadline: seconds after which no retry begins; 0 for no limit
    :param sleep: callable that takes seconds
    """

    def __init__(self, num_retries, max_delay, deadline, sleep=time.sleep):
        self.number = 1
        self.total = 1 + num_retries
        self._max_delay = max_delay
        self._deadline = deadline
        self._sleep = sleep
        self._began = timeutils.now()

    def delay(self, retry_after=None):
        """Return how long to wait before the next attempt.

        :param retry_after: seconds that the server asked for, or None
        :returns: seconds, or None if there must not be another attempt
        """
        doublings = min(self.number - 1, _DOUBLINGS)
        share = min(FIRST_DELAY * 2 ** doublings, self._max_delay)
        jitter = random.uniform(0.5, 1.0)  # nosec B311
        delay = max(share * jitter, retry_after or 0.0)
        late = timeutils.now() - self._began + delay > self._deadline > 0
        if self.number >= self.total or delay > self._max_delay or late:
            return None
        return delay

    def repeat_after(self, delay):
        """Sleep, and count the next attempt.

        :param delay: seconds
        """
        self._sleep(delay)
        self.number += 1
