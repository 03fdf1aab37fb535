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

"""Tokens that calls share, whose renewal does not hold up the others.

A plugin of keystoneauth has one lock. The call that fetches a token holds it
until Keystone answers, and all others wait for it: those whose token is good
for another two minutes, and those whose own deadline ends earlier.
"""

import time

from keystoneauth1 import exceptions
from keystoneauth1.identity import base
import six

from nova_image.image import deadline as deadlines

#: seconds for which a token must be valid if it is used during its renewal
ENOUGH = 20
#: seconds between two looks at whether another call has a token
_PAUSE = 0.05


def patient(plugin):
    """Return an auth plugin whose callers do not wait for each other.

    :param plugin: an auth plugin that many calls share, or None; one that
        does not fetch tokens in the usual way is returned as it is
    """
    kind = type(plugin)
    usual = six.get_unbound_function(base.BaseIdentityPlugin.get_access)
    if isinstance(plugin, base.BaseIdentityPlugin) and (
            six.get_unbound_function(kind.get_access) is usual):
        plugin.__class__ = type(kind.__name__, (_Patient, kind), {
            '__module__': kind.__module__})
    return plugin


class _Patient(object):
    """What a plugin does in addition."""

    def get_access(self, session, **kwargs):
        """Return a valid token; one call at a time fetches a new one.

        :raises keystoneauth1.exceptions.ConnectTimeout: if another call is
            still fetching it when the deadline of this one ends
        """
        own = deadlines.current()
        while not self._lock.acquire(False):
            found = self.auth_ref
            if found is not None and not found.will_expire_soon(ENOUGH):
                return found
            if own.is_over():
                raise exceptions.ConnectTimeout(
                    'Keystone has not answered another request for the token')
            time.sleep(_PAUSE)
        try:
            found = self.auth_ref
            if self._needs_reauthenticate():
                found = self.auth_ref = self.get_auth_ref(session)
            return found
        finally:
            self._lock.release()
