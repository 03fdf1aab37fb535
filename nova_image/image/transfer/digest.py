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

"""Compares the bytes that arrived with what Glance recorded."""

from nova_image import exception
from nova_image.image import hashing
from nova_image.image.transfer import contracts
from nova_image.metrics import hook


class Digest(contracts.Check):
    """Counts and hashes the bytes of one attempt.

    :param recorded: nova_image.image.transfer.recorded.Recorded
    :param facts: keyword arguments for the exceptions

    ``name`` is the algorithm, or ``'size'`` if no hash was recorded.
    """

    def __init__(self, recorded, **facts):
        self.name = recorded.algorithm or 'size'
        self._recorded = recorded
        self._facts = facts
        self._hasher = self._new_hasher()
        self.is_light = self._hasher is None
        self._seen = 0

    def _new_hasher(self):
        if not self._recorded.algorithm:
            return None
        try:
            hasher = hashing.new(self._recorded.algorithm)
        except (TypeError, ValueError):
            hasher = None
        if hasher is None or not hasher.digest_size:  # shake has any size
            raise exception.ImageUnacceptable(
                reason='its hash algorithm %s is not available on this host'
                       % self._recorded.algorithm, **self._facts)
        return hasher

    def update(self, chunk):
        """Process the next bytes."""
        self._seen += len(chunk)
        if self._hasher is not None:
            self._hasher.update(chunk)

    def verify(self):
        """Compare with what was recorded.

        :raises ImageCorrupt: if size or hash differ
        """
        recorded = self._recorded
        if recorded.size is not None and self._seen != recorded.size:
            raise exception.ImageCorrupt(
                reason='%d bytes arrived of %d' % (
                    self._seen, recorded.size), **self._facts)
        if self._hasher and self._hasher.hexdigest() != recorded.value:
            raise exception.ImageCorrupt(
                reason='the %s of the data is not the recorded one' % (
                    recorded.algorithm), **self._facts)


class Checks(contracts.Check):
    """Several checks as one.

    :param checks: list of Check, in the order in which they are verified

    ``names`` lists what they verify by.
    """

    def __init__(self, checks):
        self._checks = checks
        self.names = [check.name for check in checks]
        self.is_light = all(check.is_light for check in checks)

    def update(self, chunk):
        """Process the next bytes."""
        for check in self._checks:
            check.update(chunk)

    def verify(self):
        """Raise the exception of the first check that fails."""
        for check in self._checks:
            is_good = False
            try:
                check.verify()
                is_good = True
            finally:
                hook.METRICS.verified(check.name, is_good)
