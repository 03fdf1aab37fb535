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

What Glance denies to one caller says nothing about the others. Such a value is
remembered for that caller: ``of``, the result of
nova_image.image.identity.Identity.sender.
"""

import collections

from oslo_log import log as logging
from oslo_utils import timeutils

from nova_image import exception

LOG = logging.getLogger(__name__)

#: seconds for which a value is believed
MAX_AGE = 600
#: values that are remembered for one Glance; each caller may add some
MAX_KEPT = 1000
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
        self._kept = collections.OrderedDict()

    def get(self, fact, default=None, of=None, max_age=MAX_AGE):
        """Return the value of a fact.

        :param fact: Fact
        :param default: value to return if it is unknown or too old
        :param of: a caller; a value for this caller is preferred
        :param max_age: seconds for which it is believed; None for any time,
            where it does no harm if it has become wrong
        """
        for key in ((fact, of), (fact, None)):
            value, since = self._kept.get(key, (None, None))
            if since is not None and (
                    max_age is None or timeutils.now() - since <= max_age):
                return value
        return default

    def remember(self, fact, value, of=None):
        """Remember the value of a fact from now on, if it is valid.

        :param fact: Fact
        :param of: the only caller that it is remembered for; None for all
        """
        if fact.is_valid(value):
            self._kept.pop((fact, of), None)  # the newest is the last one
            self._kept[fact, of] = value, timeutils.now()
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        else:
            LOG.debug('Ignoring %(value)s as the %(name)s of Glance', {
                'value': exception.redact(repr(value))[:_SHOWN],
                'name': fact.name})

    def forget(self, fact):
        """Forget a fact that has turned out to be wrong."""
        self._kept.pop((fact, None), None)

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
