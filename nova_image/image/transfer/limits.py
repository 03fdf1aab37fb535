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

"""What the transfers of one host share: slots, bandwidth and downloads.

Works across threads and processes, by locks on files in one folder of the
host: ``[glance] transfer_lock_path``, or that of oslo.concurrency.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import struct
import time

from oslo_concurrency import lockutils
from oslo_log import log as logging
from oslo_utils import units

from nova_image import exception

LOG = logging.getLogger(__name__)

#: seconds between two looks for a free slot
POLL = 0.1
#: seconds for which a transfer may be ahead of its bandwidth
_BURST = 0.25
_MOMENT = struct.Struct('<d')


def folder(conf):
    """Return the folder of the locks, or None.

    :param conf: an oslo.config ConfigOpts with ``[glance]``
    """
    path = conf.glance.transfer_lock_path
    if not path and 'oslo_concurrency' in conf:
        path = conf.oslo_concurrency.lock_path
    if path and not os.path.isdir(path):
        os.makedirs(path)
    return path or None


def check(conf):
    """Check that there is a folder for locks if a limit is configured.

    :raises DriverLoadError: if there is none
    """
    for name in ('max_concurrent_transfers', 'transfer_bandwidth'):
        if getattr(conf.glance, name) and folder(conf) is None:
            raise exception.DriverLoadError(
                reason='[glance] %s requires a folder for locks, and none is '
                       'configured' % name,
                advice='Set [glance] transfer_lock_path, or [oslo_concurrency]'
                       ' lock_path, to a folder that all services of this '
                       'host share')


@contextlib.contextmanager
def slot(conf, sleep):
    """Hold one of the host's slots for transfers; wait until one is free.

    :param sleep: callable that takes seconds
    """
    limit = conf.glance.max_concurrent_transfers
    if not limit:
        yield
        return
    names = [os.path.join(folder(conf), 'nova_image-transfer-%d' % number)
             for number in range(limit)]
    with _first_free(names, sleep):
        yield


def _first_free(names, sleep):
    """Return an open and locked file, one of several."""
    logged = False
    while True:
        for name in names:
            stream = open(name, 'ab')
            try:
                fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
                return stream
            except (IOError, OSError):
                stream.close()
        if not logged:
            LOG.info('%d transfers are in progress on this host: waiting for '
                     'one to end', len(names))
            logged = True
        sleep(POLL)


class Throttle(object):
    """Keeps the downloads of this host within their bandwidth.

    :param sleep: callable that takes seconds
    """

    def __init__(self, conf, sleep):
        self._rate = conf.glance.transfer_bandwidth * units.Mi
        self._sleep = sleep
        self._path = self._rate and os.path.join(
            folder(conf), 'nova_image-bandwidth')

    def take(self, count):
        """Wait until the bandwidth allows for more bytes.

        :param count: bytes that have arrived
        """
        if not self._rate:
            return
        now = time.time()
        wait = self._book(now, count / self._rate) - now - _BURST
        if wait > 0:
            self._sleep(wait)

    def _book(self, now, seconds):
        """Return when the line will be free after these bytes."""
        with open(self._path, 'a+b') as stream:
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX)
            stream.seek(0)
            kept = stream.read(_MOMENT.size)
            free = _MOMENT.unpack(kept)[0] if kept else now
            # A clock that was set back must not stop all transfers.
            free = now if free - now > 60 + seconds else max(free, now)
            stream.truncate(0)
            stream.write(_MOMENT.pack(free + seconds))
            stream.flush()
            return free + seconds


@contextlib.contextmanager
def turn(conf, image_id, recorded):
    """Let one download of an image at a time use the network.

    :param recorded: Recorded, or None if it is not known yet
    :returns: a context manager for a Turn
    """
    path = conf.glance.share_downloads and folder(conf)
    if not path or recorded is None or not recorded.value:
        yield Turn(None)
        return
    identity = repr((image_id,) + recorded.identity).encode('utf-8')
    key = hashlib.sha256(identity).hexdigest()
    # This bounds the number of lock files; two images that collide take
    # turns.
    name = 'download-%s' % key[:4]
    began = time.time()
    with lockutils.lock(name, lock_file_prefix='nova_image-', external=True,
                        lock_path=path):
        yield Turn(os.path.join(path, 'nova_image-%s.json' % name), key,
                   began)


class Turn(object):
    """Passes the path of the data on to the next download in line.

    :param note: path of the note for it; None for a turn that shares nothing
    :param key: what distinguishes the images
    :param began: when the wait began, in seconds since the epoch
    """

    def __init__(self, note, key=None, began=0.0):
        self._note = note
        self._key = key
        self._began = began

    def brought(self):
        """Return the path of a file that another download has finished.

        :returns: None if there is none, or it has changed since
        """
        try:
            with open(self._note or '') as stream:
                note = json.load(stream)
            if note['key'] == self._key and note['when'] >= self._began and (
                    note['stat'] == _stat(note['path'])):
                return note['path']
        except (IOError, OSError, ValueError, KeyError) as error:
            LOG.debug('Nothing to share: %s', error)
        return None

    def leave_note(self, path):
        """Leave the path of the data for those who wait."""
        if self._note is None:
            return
        new = '%s.%d' % (self._note, os.getpid())
        with open(new, 'w') as stream:
            json.dump({'key': self._key, 'path': path, 'when': time.time(),
                       'stat': _stat(path)}, stream)
        os.rename(new, self._note)


def _stat(path):
    found = os.stat(path)
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime]
