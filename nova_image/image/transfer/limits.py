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

"""What the transfers of one host share: turns, bandwidth and what they bring.

All of it works across threads and processes, by locks on files in one folder
of the host: ``[glance] transfer_lock_path``, else oslo.concurrency's.
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

from nova_image import exception

LOG = logging.getLogger(__name__)

#: seconds between two looks for a free place
POLL = 0.1
#: seconds for which a transfer may be ahead of its bandwidth
_BURST = 0.25
_MIB = 1024 * 1024
_MOMENT = struct.Struct('<d')


def folder(conf):
    """Return the folder of the locks, or None where there is none.

    :param conf: an oslo.config ConfigOpts with ``[glance]``
    """
    path = conf.glance.transfer_lock_path
    if not path and 'oslo_concurrency' in conf:
        path = conf.oslo_concurrency.lock_path
    if path and not os.path.isdir(path):
        os.makedirs(path)
    return path or None


def check(conf):
    """Raise where limits are wanted and there is no folder for locks.

    :raises DriverLoadError: in that case
    """
    for name in ('max_concurrent_transfers', 'transfer_bandwidth'):
        if getattr(conf.glance, name) and folder(conf) is None:
            raise exception.DriverLoadError(
                reason='[glance] %s is set, and there is no folder for the '
                       'locks that it takes' % name,
                advice='Set [glance] transfer_lock_path, or [oslo_concurrency]'
                       ' lock_path, to a folder that all services of this '
                       'host share')


@contextlib.contextmanager
def place(conf, sleep):
    """Hold one of the host's places for transfers; wait until one is free.

    :param sleep: takes seconds
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
    said = False
    while True:
        for name in names:
            stream = open(name, 'ab')
            try:
                fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
                return stream
            except (IOError, OSError):
                stream.close()
        if not said:
            LOG.info('%d transfers are under way on this host: waiting for '
                     'one to end', len(names))
            said = True
        sleep(POLL)


class Throttle(object):
    """Keeps the downloads of this host within their bandwidth.

    :param sleep: takes seconds
    """

    def __init__(self, conf, sleep):
        self._rate = conf.glance.transfer_bandwidth * _MIB
        self._sleep = sleep
        self._path = self._rate and os.path.join(
            folder(conf), 'nova_image-bandwidth')

    def take(self, count):
        """Wait until so many bytes more may have arrived.

        :param count: bytes
        """
        if not self._rate:
            return
        now = time.time()
        wait = self._book(now, count / self._rate) - now - _BURST
        if wait > 0:
            self._sleep(wait)

    def _book(self, now, seconds):
        """Return when the line is free again after these bytes."""
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
def turn(conf, image_id, expected):
    """Let one download of an image at a time go to the network.

    :param expected: digest.Expected, or None where it is not known yet
    :returns: a Turn
    """
    path = conf.glance.share_downloads and folder(conf)
    if not path or expected is None or not expected.value:
        yield Turn(None)
        return
    identity = repr((image_id,) + expected.identity).encode('utf-8')
    key = hashlib.sha256(identity).hexdigest()
    # So many lock files at the most; two images that meet take turns.
    name = 'download-%s' % key[:4]
    began = time.time()
    with lockutils.lock(name, lock_file_prefix='nova_image-', external=True,
                        lock_path=path):
        yield Turn(os.path.join(path, 'nova_image-%s.json' % name), key,
                   began)


class Turn(object):
    """Tells the next in line where the data is, and finds what it was told.

    :param note: path of the note; None for a turn that shares nothing
    :param key: what tells the images apart
    :param began: when the waiting began, seconds since the epoch
    """

    def __init__(self, note, key=None, began=0.0):
        self._note = note
        self._key = key
        self._began = began

    def brought(self):
        """Return the path of a file that another has brought meanwhile.

        :returns: None where there is none, or where it was changed since
        """
        try:
            with open(self._note or '') as stream:
                said = json.load(stream)
            if said['key'] == self._key and said['when'] >= self._began and (
                    said['stat'] == _stat(said['path'])):
                return said['path']
        except (IOError, OSError, ValueError, KeyError) as error:
            LOG.debug('Nothing to share: %s', error)
        return None

    def leave_note(self, path):
        """Tell who waits where the data is now."""
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
