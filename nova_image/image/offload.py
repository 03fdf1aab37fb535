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

"""Runs blocking work on its own threads, and outside of eventlet's hub.

If the host runs on eventlet, a long call in C (hashing, fsync) stops all its
greenthreads, so such calls go to native threads. Nothing here imports eventlet
into a host that does not use it.
"""

import collections
import importlib
import os
import sys

from oslo_log import log as logging
from oslo_utils import units
import six
from six.moves import _thread

LOG = logging.getLogger(__name__)

#: the most bytes that a check is behind: what beside() adds to the memory of
#: a transfer. A single larger piece is accepted, too.
BEHIND = 4 * units.Mi
#: bytes up to which starting a thread costs more than it saves
SMALL = units.Mi
#: the most threads of checks, and of long calls. More transfers check on their
#: callers' threads, and more calls use eventlet's. No processor is idle by
#: then, and each check may be BEHIND.
MOST = 64
_NAME = 'nova_image check'
_LONG_NAME = 'nova_image call'


def on_eventlet():
    """Return whether this process does its I/O on eventlet."""
    patcher = sys.modules.get('eventlet.patcher')
    return patcher is not None and bool(patcher.is_monkey_patched('socket'))


def _may_block():
    """Return whether there are no greenthreads on this thread.

    The threads of call_long() have none. They must not wait for one of
    eventlet's either: it would wake up the hub of another thread.
    """
    return not on_eventlet() or (
        _native('threading').current_thread().name == _LONG_NAME)


def call(function, *args):
    """Call a function that blocks for a moment, and return its result."""
    if _may_block():
        return function(*args)
    from eventlet import tpool
    return tpool.execute(function, *args)


def call_long(function, *args):
    """Call a function that may block for long, and return its result.

    On eventlet it gets a thread of its own. Those of eventlet are few, 20 by
    default, and the host needs them: nova-compute calls libvirt on them.
    """
    if _may_block():
        return function(*args)
    return _LongCall(function, args).result()


def behind(size=None):
    """Return how many bytes a check may be behind.

    On two processors, a fast transfer gets more of them than the hash until it
    is done. Then the hash works on what it is behind, and one processor idles:
    that must be a small part of the whole.

    :param size: how many bytes there are, None if that is not known
    """
    if size is None:
        return BEHIND
    return min(BEHIND, max(2 * SMALL, size // 8))


def beside(check, size=None):
    """Return a feeder of a check, which works in parallel to the caller.

    :param check: has ``update(chunk)``, which is called with all chunks in
        order, one call at a time. With a true ``is_light``, it gets no thread.
    :param size: how many bytes will follow, None if that is not known
    """
    return Feeder(check, size)


class _LongCall(object):
    """A call on a native thread, which a greenthread waits for.

    If the greenthread is killed, the call continues without it.
    """

    def __init__(self, function, args):
        self._function = function
        self._args = args
        self._value = self._error = None

    def result(self):
        """Make the call; return or raise what it returns or raises."""
        from eventlet import hubs
        ended, end = os.pipe()
        try:
            if not self._starts(end):
                os.close(end)
                return call(self._function, *self._args)
            hubs.trampoline(ended, read=True)
        finally:
            os.close(ended)
        error, self._error = self._error, None  # it would refer to itself
        if error is not None:
            six.reraise(*error)
        return self._value

    def _starts(self, end):
        """Start the thread, if another one is possible."""
        if _running(_LONG_NAME) >= MOST:
            return False
        thread = _native('threading').Thread(
            target=self._work, args=(end,), name=_LONG_NAME)
        thread.daemon = True
        try:
            thread.start()
        except _thread.error as error:
            LOG.debug('No thread can be started: %s', error)
            return False
        return True

    def _work(self, end):
        try:
            self._value = self._function(*self._args)
        except BaseException:
            self._error = sys.exc_info()
        try:
            # Closing is not enough: a child process may have inherited it.
            # Eventlet's own write() would wait for a hub of this thread.
            _native('os').write(end, b'.')
        except OSError:
            pass  # the greenthread was killed
        finally:
            os.close(end)


class Feeder(object):
    """Passes bytes to a check, on a thread of its own if that pays.

    It does not for the few bytes of a small image. It does on a single
    processor, which hashes while the disk or the network is waited for: a
    copy of 512 MiB took 0.93 s with a thread and 1.02 s without.

    :param check: see beside()
    :param size: see beside()
    """

    def __init__(self, check, size=None):
        self._check = check
        self._size = size
        self._seen = 0
        self._thread = None
        #: whether there will be no thread
        self._is_alone = getattr(check, 'is_light', False)

    def update(self, chunk):
        """Pass bytes to the check; wait if it is far behind.

        :param chunk: bytes, or any buffer. One that may change afterwards is
            copied.
        :raises: what the check has raised for these bytes or earlier ones
        """
        self._seen += len(chunk)
        if self._thread is not None:
            self._thread.put(_constant(chunk))
        elif not self._starts(chunk):
            self._check.update(chunk)

    def _starts(self, chunk):
        """Start a thread with its first bytes, if it pays.

        :returns: whether it was started
        """
        if self._is_alone or max(self._seen, self._size or 0) <= SMALL:
            return False
        if _running(_NAME) >= MOST:
            self._is_alone = True
            return False
        # Known before it runs: close() must find it, whatever interrupts this.
        self._thread = _Thread(self._check, behind(self._size))
        # It finds them when it begins, while this waits for its beginning.
        self._thread.put(_constant(chunk))
        try:
            self._thread.start()
        except _thread.error as error:
            LOG.debug('No thread can be started: %s', error)
            self._thread, self._is_alone = None, True
        return not self._is_alone

    def finish(self):
        """Wait until the check has all bytes; raise what it has raised."""
        if self._thread is not None:
            self._thread.finish()

    def close(self):
        """End the thread. Must be called, more than once does no harm.

        Bytes that the check does not have yet are dropped.
        """
        if self._thread is not None:
            self._thread.close()


class _Thread(object):
    """A native thread that passes bytes to a check.

    Hashing releases the interpreter's lock. The methods may be called by
    greenthreads, and by other native threads.

    :param limit: the most bytes that the check may be behind
    """

    def __init__(self, check, limit):
        native = _native('threading')
        self._check = check
        self._limit = limit
        self._changed = native.Condition()
        self._chunks = collections.deque()
        self._behind = 0  # bytes that the check does not have yet
        self._is_over = False
        self._error = None
        self._thread = native.Thread(target=self._work,
                                     name=_NAME)
        self._thread.daemon = True

    def start(self):
        """Start the thread."""
        self._thread.start()

    def put(self, chunk):
        """Pass bytes that do not change; wait if the check is far behind.

        :raises: what the check has raised for earlier bytes
        """
        if not self._accepts(chunk):
            call(self._wait_until_behind, self._limit // 2)
            self._accepts(chunk, in_any_case=True)
        if self._error is not None:
            raise self._error

    def _accepts(self, chunk, in_any_case=False):
        """Append bytes for the check, or refuse them: they are too many."""
        with self._changed:
            total = self._behind + len(chunk)
            if self._behind and total > self._limit and not in_any_case:
                return False
            if not self._is_over:
                self._behind = total
                self._chunks.append(chunk)
                self._changed.notify_all()
            return True

    def _wait_until_behind(self, count):
        """Wait until the check is at most ``count`` bytes behind."""
        with self._changed:
            while self._behind > count and not self._is_over:
                self._changed.wait()

    def _work(self):
        chunk = self._next()
        while chunk is not None:
            try:
                self._check.update(chunk)
            except BaseException as error:
                self._error = error  # raised on the caller's thread
                self._end()
            chunk = self._next(len(chunk))

    def _next(self, done=0):
        """Wait for bytes; return None if no more will follow.

        :param done: how many bytes the check has taken
        """
        with self._changed:
            self._behind -= done
            if done:
                self._changed.notify_all()
            while not self._chunks and not self._is_over:
                self._changed.wait()
            return self._chunks.popleft() if self._chunks else None

    def _end(self):
        with self._changed:
            self._is_over = True
            self._chunks.clear()
            self._changed.notify_all()

    def finish(self):
        """Wait until the check has all bytes; raise what it has raised."""
        call(self._wait_until_behind, 0)
        self.close()
        if self._error is not None:
            raise self._error

    def close(self):
        """End the thread as soon as the check has the bytes it is at."""
        self._end()
        if self._thread.ident is not None:
            # Not by call(): the caller may be the hub of eventlet, which
            # finalizes a dropped stream. This takes as long as one piece.
            self._thread.join()


def _running(name):
    """Return the number of threads of checks, or of long calls.

    :param name: their name
    """
    return sum(thread.name == name
               for thread in _native('threading').enumerate())


def _native(name):
    """Return a module of the standard library, as it is without eventlet."""
    if not on_eventlet():
        return importlib.import_module(name)
    from eventlet import patcher
    return patcher.original(name)


def _constant(chunk):
    """Return a buffer as it is if it cannot change, otherwise a copy."""
    if isinstance(chunk, bytes):
        return chunk
    view = memoryview(chunk)
    if view.readonly and isinstance(getattr(view, 'obj', b''), bytes):
        return chunk  # Python 2.7 does not tell what it is a view of
    return view.tobytes()
