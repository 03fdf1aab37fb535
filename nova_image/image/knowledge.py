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

"""What has been learned about a Glance, and for how long it is believed.

Nova creates a service object for every call, so knowledge is kept for the
process. It expires, because a Glance can be upgraded or reconfigured while
this process runs.
"""

import collections

from oslo_log import log as logging
from oslo_utils import timeutils

from nova_image import exception

LOG = logging.getLogger(__name__)

#: seconds for which a value is believed
MAX_AGE = 600
#: the most characters of an invalid value in the log
_SHOWN = 100


class Fact(collections.namedtuple('Fact', 'name is_valid')):
    """Something that can be known about a Glance.

    * ``name``: text for the log, unique in the process
    * ``is_valid``: callable that returns whether a value can be remembered;
      an answer of one server must not break later calls
    """

    __slots__ = ()


class Knowledge(object):
    """The facts about one Glance: all endpoints that serve one cloud."""

    def __init__(self):
        self._kept = {}

    def get(self, fact, default=None):
        """Return the value of a fact.

        :param fact: Fact
        :param default: value to return if it is unknown or too old
        """
        value, since = self._kept.get(fact, (None, None))
        fresh = since is not None and timeutils.now() - since <= MAX_AGE
        return value if fresh else default

    def remember(self, fact, value):
        """Remember the value of a fact from now on, if it is valid.

        :param fact: Fact
        """
        if fact.is_valid(value):
            self._kept[fact] = value, timeutils.now()
        else:
            LOG.debug('Ignoring %(value)s as the %(name)s of Glance', {
                'value': exception.redact(repr(value))[:_SHOWN],
                'name': fact.name})

    def forget(self, fact):
        """Forget a fact that has turned out to be wrong."""
        self._kept.pop(fact, None)

    def find(self, fact, ask, suits=None):
        """Return the value of a fact, asking Glance if it is not known.

        :param fact: Fact
        :param ask: callable that returns the value from Glance
        :param suits: callable that returns whether a value is good enough;
            a remembered one that is not is asked for again
        """
        value = self.get(fact)
        if value is None or suits is not None and not suits(value):
            value = ask()
            self.remember(fact, value)
        return value
