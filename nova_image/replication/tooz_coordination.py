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

"""Several workers, on one machine or many, by tooz.

The members of a group divide the images among them, and each image has a lock
with a lifetime, which a heartbeat renews. The images of a worker that dies
are taken over when its locks have ended. A worker that cannot renew a lock
ends its upload before another one can have the lock. Should both ever work on
one image, Glance refuses the second create, and the second upload.

redis and etcd know groups and locks. With the ``file`` driver, there are only
locks: its groups fail when a member has died. ZooKeeper ends a lock with the
session of its worker, of which tooz says nothing: a worker that stood still
would believe for ever that it has its locks. So they are looked up as often
as those of the others are renewed.
"""

from __future__ import annotations

import collections.abc
import contextlib
import logging
import os
import socket
import threading
import time
import typing
import urllib.parse
import uuid

from tooz import coordination as tooz
from tooz import partitioner

from nova_image import redaction
from nova_image.replication import coordination
from nova_image.replication import copying

LOG = logging.getLogger(__name__)

#: part of the lifetime of a lock after which it counts as lost
_SAFE = 0.8
#: seconds that the service may take to accept a connection, and for which a
#: request for a lock is repeated
_PATIENCE = 5.0
_PAUSE = 0.5
#: scheme of a URL with one host -> its default port
_PORTS = {'redis': 6379, 'rediss': 6379, 'etcd3+http': 2379,
          'etcd3+https': 2379}
#: schemes of ZooKeeper
_SESSIONS = ('zookeeper', 'kazoo')
#: a clock that also counts the time for which the machine was suspended
_CLOCK = getattr(time, 'CLOCK_BOOTTIME', time.CLOCK_MONOTONIC)


def _now() -> float:
    return time.clock_gettime(_CLOCK)


def _reason(error: BaseException) -> str:
    """Return what is wrong with the service; etcd's errors have no text."""
    text = getattr(error, 'strerror', None) or str(error)
    return redaction.redact(text) or type(error).__name__


class _Held(coordination.Lock):
    """A lock that this worker holds.

    :param lock: tooz's
    :param lifetime: seconds; None if it ends only with the process
    :param has_session: whether it ends with a session, which tooz renews
    """

    def __init__(self, lock: typing.Any, lifetime: float | None,
                 has_session: bool = False) -> None:
        self.lock = lock
        self._lifetime = lifetime
        self._has_session = has_session
        self._renewed = _now()
        self._lost: str | None = None

    def renew(self) -> None:
        """Renew the lock, from the thread of the heartbeat."""
        began = _now()
        if self._lifetime is None or self._is_over(began):
            return
        try:
            # The lock of a file has neither, and ends with the process.
            if not (self.lock.is_still_owner() if self._has_session
                    else self.lock.heartbeat()):
                self._lost = 'the lock of the image is gone'
        except Exception as error:
            # There is time for another attempt.
            LOG.warning('A lock was not renewed: %s', _reason(error))
        else:
            self._renewed = began

    def _is_over(self, now: float) -> bool:
        return self._lifetime is not None and (
            now - self._renewed > self._lifetime * _SAFE)

    def check(self) -> None:
        """Do nothing while the lock is held.

        :raises copying.Stopped: if another worker may have it now
        """
        if not self._lost and self._is_over(_now()):
            self._lost = 'the lock of the image could not be renewed in time'
        if self._lost or not self.lock.acquired:
            raise copying.Stopped(self._lost or 'the lock of the image is '
                                  'gone')


class Workers(coordination.Coordinator):
    """This worker among others.

    :param url: of the coordination service, as tooz reads it
    :param group: name of the replication; workers with the same one share it
    :raises copying.Stopped: if the service cannot be reached
    """

    def __init__(self, url: str, group: str) -> None:
        self._url = url
        self._has_sessions = urllib.parse.urlsplit(url).scheme in _SESSIONS
        self._group = 'nova_image-replication-%s' % group
        self._held: set[_Held] = set()
        self._guard = threading.Lock()
        self._ring_guard = threading.Lock()
        self._end = threading.Event()
        self._ring: partitioner.Partitioner | None = None
        member = '%s-%d-%s' % (socket.gethostname(), os.getpid(),
                               uuid.uuid4().hex[:8])
        try:
            _probe(url)
            self._tooz = tooz.get_coordinator(url, member.encode())
            self._tooz.start()
            _fail_at_once(self._tooz)
            if not url.startswith('file:'):
                self._ring = self._tooz.join_partitioned_group(
                    self._group.encode())
        except Exception as error:
            raise self._unusable(error) from error
        self._lifetime = self._lifetime_of_locks()
        self._heart = threading.Thread(
            target=self._beat, name='replication-heartbeat', daemon=True)
        self._heart.start()

    def _unusable(self, error: Exception) -> copying.Stopped:
        return copying.Stopped(
            'the coordination service %s cannot be used: %s' % (
                redaction.redact(self._url), _reason(error)))

    def _lifetime_of_locks(self) -> float | None:
        """Return the seconds after which a lock ends by itself."""
        if self._has_sessions:
            return float(getattr(self._tooz, 'timeout'))
        found = getattr(self._tooz, 'lock_timeout', None)
        return float(found) if found and self._tooz.requires_beating else None

    def close(self) -> None:
        """Leave the group."""
        self._end.set()
        self._heart.join(_PATIENCE)
        with contextlib.suppress(Exception):
            if self._ring is not None:
                self._ring.stop()
            self._tooz.stop()

    def _beat(self) -> None:
        """Renew membership and locks: the body of a thread."""
        pause = (self._lifetime or 3.0) / 3
        while not self._end.wait(pause):
            with self._guard:
                held = list(self._held)
            for one in held:
                one.renew()
            try:
                self._tooz.heartbeat()
                if self._ring is not None:
                    with self._ring_guard:
                        self._tooz.run_watchers()
            except Exception as error:
                LOG.warning('The membership of this worker was not renewed: '
                            '%s', _reason(error))

    def is_mine(self, image_id: str) -> bool:
        """Return whether this worker is the first to try an image."""
        if self._ring is None:
            return True
        with self._ring_guard:
            return self._ring.belongs_to_self(image_id)

    @contextlib.contextmanager
    def lock(self, image_id: str
             ) -> collections.abc.Iterator[coordination.Lock | None]:
        """Lock an image, without waiting; see Coordinator."""
        lock = self._tooz.get_lock(
            ('%s-%s' % (self._group, image_id)).encode())
        held = self._acquire(lock)
        if held is None:
            yield None
            return
        with self._guard:
            self._held.add(held)
        try:
            yield held
        finally:
            with self._guard:
                self._held.discard(held)
            with contextlib.suppress(Exception):
                lock.release()

    def _acquire(self, lock: typing.Any) -> _Held | None:
        """Acquire a lock, or return None if another worker has it.

        :raises copying.Stopped: if the service does not answer for a while
        """
        deadline = _now() + _PATIENCE
        while True:
            # Its time begins before.
            held = _Held(lock, self._lifetime, self._has_sessions)
            try:
                return held if lock.acquire(blocking=False) else None
            except Exception as error:
                if _now() > deadline or self._end.wait(_PAUSE):
                    raise self._unusable(error) from error


def _probe(url: str) -> None:
    """Connect once: the driver for redis tries for a minute.

    :raises OSError: if the service cannot be reached
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme in _PORTS and parts.hostname:
        socket.create_connection(
            (parts.hostname, parts.port or _PORTS[parts.scheme]),
            _PATIENCE).close()


def _fail_at_once(driver: typing.Any) -> None:
    """Keep redis' client from repeating requests: tooz does it, too.

    Together, a request to a service that is down takes a minute.
    """
    client: typing.Any = getattr(driver, '_client', None)
    if hasattr(client, 'set_retry'):
        from redis import backoff
        from redis import retry
        client.set_retry(retry.Retry(backoff.NoBackoff(), 1))
