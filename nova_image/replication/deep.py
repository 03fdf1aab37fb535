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

"""Compares the data of an image and its replica, byte by byte.

Both are read at the same time and hashed. That shows damage in a store, which
the hashes that the Glances remember do not.
"""

from __future__ import annotations

import collections.abc
import concurrent.futures
import dataclasses
import hashlib

from nova_image.replication import copying
from nova_image.replication import ends
from nova_image.replication import record as records
from nova_image.replication import results
from nova_image.replication import targets

Result = results.Result

_HASH = 'sha512'


def compare(source: ends.Source, task: targets.Task,
            check: collections.abc.Callable[[int], None]
            ) -> results.Outcome:
    """Return whether the data at both ends is the same.

    :param source: the source
    :param task: the plan for an image that is the same as far as the records
        tell
    :param check: called with the size of each piece; raises copying.Stopped
        to end the comparison
    """
    outcome = targets.outcome(task, Result.SAME)
    image, replica = task.decision.source, task.decision.target
    assert replica is not None  # nosec B101
    with concurrent.futures.ThreadPoolExecutor(
            2, 'replication-deep') as pool:
        ours = pool.submit(_hash, source, image, check)
        theirs = pool.submit(_hash, task.target.end, replica, check)
        for error in (ours.exception(), theirs.exception()):
            if isinstance(error, copying.Stopped):
                return dataclasses.replace(
                    outcome, result=Result.LEFT, reason=str(error))
        problems = [
            'the data at the %s cannot be read: %s' % (
                name, copying.refusal(error))
            for name, error in (('source', ours.exception()),
                                ('target', theirs.exception()))
            if isinstance(error, Exception)]
    if problems:
        return dataclasses.replace(outcome, result=Result.FAILED,
                                   reason='; '.join(problems))
    if ours.result() != theirs.result():
        return dataclasses.replace(outcome, result=Result.CONFLICT,
                                   reason='the data that was read differs')
    return dataclasses.replace(outcome, verified=results.Verified.BOTH)


def _hash(end: ends.Source, image: records.Record,
          check: collections.abc.Callable[[int], None]) -> str:
    """Return the hash of the data of an image."""
    hasher = hashlib.new(_HASH, usedforsecurity=False)
    for piece in copying.Data(end, image, check):
        hasher.update(piece)
    return hasher.hexdigest()
