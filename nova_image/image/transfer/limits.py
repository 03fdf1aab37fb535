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

"""What the transfers of one host share: slots and bandwidth.

Works across threads and processes, by locks on files in one folder of the
host: ``[glance] transfer_lock_path``, or that of oslo.concurrency.
"""

import contextlib
import fcntl
import os
import struct
import time

from oslo_log import log as logging
from oslo_utils import timeutils
from oslo_utils import units

from nova_image import exception
from nova_image.image.transfer import locks

LOG = logging.getLogger(__name__)

#: seconds between two looks for a free slot or turn
POLL = 0.1
#: seconds without progress of a shared download that is not limited by
#: transfer_stall_timeout or timeout
_PATIENCE = 120
#: seconds for which a transfer may be ahead of its bandwidth
_BURST = 0.25
#: the longest pause in which a transfer that ends is not noticed, in seconds
_PAUSE = 1.0
#: when the line was written and its length, in seconds
_LINE = struct.Struct('<dd')


def folder(conf):
    """Return the folder of the locks, or None.

    :param conf: an oslo.config ConfigOpts with ``[glance]``
    :raises OSError: if it does not exist and cannot be created
    """
    path = conf.glance.transfer_lock_path
    if not path and 'oslo_concurrency' in conf:
        path = conf.oslo_concurrency.lock_path
    if path:
        locks.make_folder(path)
    return path or None


def check(conf):
    """Check that there is a folder with locks if a limit is configured.

    :raises DriverLoadError: if there is none, or if its locks do not work
    """
    for name in ('max_concurrent_transfers', 'transfer_bandwidth'):
        if getattr(conf.glance, name):
            _check_for(name, conf)


def _check_for(name, conf):
    try:
        path = folder(conf)
        if path is not None:
            number = locks.acquire(_slot_path(path, 0))
            if number is not None:
                locks.release(number)
            return
        reason = 'none is configured'
    except (IOError, OSError) as error:
        reason = 'it does not work: %s' % reason_of(error)
    raise exception.DriverLoadError(
        reason='[glance] %s requires a folder for locks, and %s' % (
            name, reason), advice=_ADVICE)


_ADVICE = ('Set [glance] transfer_lock_path, or [oslo_concurrency] lock_path, '
           'to a folder that all services of this host share and may write '
           'to, on a file system with locks')


def reason_of(error):
    """Return what an error of the system says, and about which file."""
    parts = (error.filename, error.strerror or error)
    return ': '.join('%s' % part for part in parts if part)


@contextlib.contextmanager
def slot(conf, sleep, began=None, turn=None):
    """Hold one of the host's slots for transfers; wait until one is free.

    :param sleep: callable that takes seconds
    :param began: when the download began, as of oslo_utils.timeutils.now()
    :param turn: Turn of the download, if others wait for it
    :raises NovaImageException: if no slot becomes free before the deadline
        of downloads, or the locks do not work
    """
    limit = conf.glance.max_concurrent_transfers
    if not limit:
        yield
        return
    try:
        path = folder(conf)
        number = _first_free([_slot_path(path, count)
                              for count in range(limit)],
                             Patience(conf, began), sleep, turn)
    except (IOError, OSError) as error:
        raise exception.NovaImageException(
            'The download cannot begin', action='download',
            reason='[glance] max_concurrent_transfers requires locks, and '
                   'they do not work: %s' % reason_of(error), advice=_ADVICE)
    try:
        yield
    finally:
        locks.release(number)


def _slot_path(path, number):
    return os.path.join(path, 'nova_image-transfer-%d' % number)


def _first_free(names, patience, sleep, turn):
    """Return the descriptor of a locked file, one of several."""
    logged = False
    while True:
        for name in names:
            number = locks.acquire(name)
            if number is not None:
                return number
        if patience.is_late():
            raise exception.NovaImageException(
                'The download cannot begin', action='download',
                reason='all %d transfer slots of this host were in use for '
                       '%d seconds' % (len(names), patience.deadline),
                advice='Increase [glance] max_concurrent_transfers or '
                       'download_deadline, and look for stopped processes '
                       'that have locked %s' % names[0])
        if not logged:
            LOG.info('%d transfers are in progress on this host: waiting for '
                     'one to end', len(names))
            logged = True
        if turn is not None:
            turn.beat()  # others see that this is not stuck
        sleep(POLL)


class Patience(object):
    """How long a download waits for another one.

    :param began: when it began, as of oslo_utils.timeutils.now()
    """

    def __init__(self, conf, began):
        options = conf.glance
        self.deadline = options.download_deadline
        self.stall = options.transfer_stall_timeout or (
            options.timeout or _PATIENCE)
        self._began = timeutils.now() if began is None else began
        self._seen = None
        self._since = 0.0

    def is_late(self, share=1.0):
        """Return whether a share of the deadline has passed."""
        limit = self.deadline * share
        return timeutils.now() - self._began > limit > 0

    def sees_progress(self, path):
        """Return whether somebody has written to a file recently.

        The first call only looks: whoever has just locked the file may not
        have written to it yet.
        """
        now, sign, age = timeutils.now(), None, 0.0
        try:
            found = os.stat(path)
            sign = found.st_ino, found.st_mtime
            age = max(0.0, time.time() - found.st_mtime)
        except OSError as error:
            LOG.debug('%s has gone: %s', path, error)
        if sign != self._seen or self._seen is None:
            # Those that come later need not be patient once more.
            self._since = now if self._seen else now - age
            self._seen = sign
            return True
        return now - self._since <= self.stall


class Throttle(object):
    """Keeps the downloads of this host within their bandwidth.

    All of them stand in one line: each books the time that its next bytes
    need, behind the bookings before, and waits for its turn. The line may
    have any length; it becomes shorter by a second each second, whatever
    happens to the clock on the wall.

    :param sleep: callable that takes seconds
    """

    def __init__(self, conf, sleep):
        self._rate = conf.glance.transfer_bandwidth * units.Mi
        self._sleep = sleep
        self._path = self._rate and os.path.join(
            folder(conf), 'nova_image-bandwidth')

    def take(self, count, go_on=None):
        """Wait until the bandwidth allows for more bytes.

        :param count: bytes that are read next; those that were not, negative
        :param go_on: called now and then during the wait; if the result is
            false, or it raises an exception, the bytes are not read
        """
        if not self._rate:
            return
        seconds = count / self._rate
        wait = self._book(seconds) - _BURST if count else 0
        try:
            while wait > 0:
                pause = min(wait, _PAUSE) if go_on else wait
                self._sleep(pause)
                wait -= pause
                if go_on and not go_on():
                    self._book(-seconds)
                    return
        except BaseException:
            self._book(-seconds)
            raise

    def _book(self, seconds):
        """Return how long the line is with these bytes, in seconds."""
        # Written in place: some file systems flush a file that was truncated.
        number = locks.open_file(self._path)
        with os.fdopen(number, 'r+b') as stream:
            fcntl.flock(number, fcntl.LOCK_EX)
            kept = stream.read()
            now = timeutils.now()
            then, line = (_LINE.unpack(kept) if len(kept) == _LINE.size
                          else (now, 0.0))
            if then > now:  # it counts from the start of the host
                then, line = now, 0.0
            line = max(0.0, max(0.0, line - (now - then)) + seconds)
            stream.seek(0)
            stream.write(_LINE.pack(now, line))
            stream.flush()
            return line
