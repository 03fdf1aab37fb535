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
greenthreads, so such calls go to eventlet's native threads. Nothing here
imports eventlet into a host that does not use it.
"""

import sys
import threading

from six.moves import queue

#: the most pieces that wait for a check; this bounds a transfer's memory
_WAITING = 4


def on_eventlet():
    """Return whether this process does its I/O on eventlet."""
    patcher = sys.modules.get('eventlet.patcher')
    return patcher is not None and bool(patcher.is_monkey_patched('socket'))


def call(function, *args):
    """Call a function that blocks, and return its result."""
    if not on_eventlet():
        return function(*args)
    from eventlet import tpool
    return tpool.execute(function, *args)


def beside(check):
    """Return a feeder of a check, which works in parallel to the caller.

    :param check: has ``update(chunk)``, which is called with all chunks in
        order, on one thread that is not the caller's
    """
    return _Blocking(check) if on_eventlet() else _Thread(check)


class _Blocking(object):
    """A feeder for greenthreads: not parallel, but the hub is not blocked."""

    def __init__(self, check):
        self._check = check

    def update(self, chunk):
        """Pass bytes to the check."""
        call(self._check.update, chunk)

    def finish(self):
        """Do nothing: the check has all bytes already."""

    def close(self):
        """Do nothing: there is no thread."""


class _Thread(object):
    """A feeder with a thread: hashing releases the interpreter's lock."""

    def __init__(self, check):
        self._check = check
        self._queue = queue.Queue(_WAITING)
        self._error = None
        self._thread = threading.Thread(target=self._work,
                                        name='nova_image check')
        self._thread.daemon = True
        self._thread.start()

    def _work(self):
        while True:
            chunk = self._queue.get()
            if chunk is None:
                return
            if self._error is None:
                self._take(chunk)

    def _take(self, chunk):
        try:
            self._check.update(chunk)
        except BaseException as error:
            self._error = error  # raised on the caller's thread

    def update(self, chunk):
        """Pass bytes to the check; wait if it is far behind.

        :raises: what the check has raised for earlier bytes
        """
        if self._error is not None:
            raise self._error
        self._queue.put(chunk)

    def finish(self):
        """Wait until the check has all bytes; raise what it has raised."""
        self.close()
        if self._error is not None:
            raise self._error

    def close(self):
        """End the thread. Must be called, more than once does no harm."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
