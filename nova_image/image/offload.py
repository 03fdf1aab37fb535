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

"""Work that blocks: on threads of its own, and off eventlet's hub.

Where the host runs on eventlet, a call that takes long in C (hashing, fsync)
stops all its greenthreads; there it goes to one of eventlet's native threads.
Nothing here imports eventlet into a host that does without.
"""

import sys
import threading

from six.moves import queue

#: pieces that may wait for a check; bounds the memory of a transfer
_WAITING = 4


def on_eventlet():
    """Tell whether this process runs its input and output on eventlet."""
    patcher = sys.modules.get('eventlet.patcher')
    return patcher is not None and bool(patcher.is_monkey_patched('socket'))


def call(function, *args):
    """Call a function that blocks; return or raise what it does."""
    if not on_eventlet():
        return function(*args)
    from eventlet import tpool
    return tpool.execute(function, *args)


def beside(check):
    """Return a feeder of a check: its work does not hold up the caller's.

    :param check: has ``update(chunk)``, called with all chunks in order on
        one thread that is not the caller's
    """
    return _Blocking(check) if on_eventlet() else _Thread(check)


class _Blocking(object):
    """Greenthreads have no parallel work; the hub at least goes on."""

    def __init__(self, check):
        self._check = check

    def update(self, chunk):
        """Hand bytes to the check."""
        call(self._check.update, chunk)

    def finish(self):
        """All was handed over already."""

    def close(self):
        """There is nothing to give up."""


class _Thread(object):
    """Hashing releases the interpreter's lock: it costs no time beside."""

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
            self._error = error  # raised where the caller is

    def update(self, chunk):
        """Hand bytes to the check; waits when it is far behind.

        :raises: what the check raised for earlier ones
        """
        if self._error is not None:
            raise self._error
        self._queue.put(chunk)

    def finish(self):
        """Wait until the check has all bytes; raises what it raised."""
        self.close()
        if self._error is not None:
            raise self._error

    def close(self):
        """End the thread; to be called in any case, again does no harm."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
