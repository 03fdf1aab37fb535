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


"""Downloads of one image on one host take turns, and share their data.

Each image has a file, which the download whose turn it is locks, and in which
it leaves the path of the data. A download that is stuck, or whose process is
stopped, keeps the lock, but nobody waits for it for long.
"""

import contextlib
import hashlib
import json
import os
import re
import stat
import time

from oslo_log import log as logging
from oslo_utils import timeutils
from oslo_utils import units

from nova_image.image.transfer import limits
from nova_image.image.transfer import locks

LOG = logging.getLogger(__name__)

#: seconds between two signs of progress
_BEAT = 1.0
#: seconds after which the file of a turn is removed
_AGE = 3600
_NAME = re.compile(r'^nova_image-turn-[0-9a-f]{32}$')

#: folders whose locks do not work, as this process has logged
_WARNED = set()


@contextlib.contextmanager
def turn(conf, image_id, recorded, sleep=time.sleep, began=None):
    """Let one download of an image at a time use the network.

    A download waits for the previous one as long as that makes progress, and
    at most for half of its own time. Then it goes ahead without a turn.

    :param recorded: Recorded, or None if it is not known yet
    :param sleep: callable that takes seconds
    :param began: when the download began, as of oslo_utils.timeutils.now()
    :returns: a context manager for a Turn
    """
    number, key, when = None, None, time.time()
    if conf.glance.share_downloads and recorded and recorded.value:
        identity = repr((image_id,) + recorded.identity).encode('utf-8')
        key = hashlib.sha256(identity).hexdigest()[:32]
        number = _wait_for_turn(conf, key, image_id, sleep,
                                limits.Patience(conf, began))
    found = Turn(number, key, when)
    found.beat()
    try:
        yield found
    finally:
        if number is not None:
            locks.release(number)


def _wait_for_turn(conf, key, image_id, sleep, patience):
    """Return the descriptor of a locked file, or None without a turn."""
    path = None
    try:
        path = limits.folder(conf)
        if path is None:
            return None
        locks.remove_unused(path, _NAME, _AGE)
        return _next_turn(os.path.join(path, 'nova_image-turn-%s' % key),
                          image_id, sleep, patience)
    except (IOError, OSError) as error:
        if path not in _WARNED:
            _WARNED.add(path)
            LOG.warning('Downloads are not shared on this host, because the '
                        'locks of [glance] transfer_lock_path do not work: '
                        '%s', limits.reason_of(error))
        return None


def _next_turn(path, image_id, sleep, patience):
    logged = False
    while True:
        number = locks.acquire(path)
        if number is not None:
            return number
        if patience.is_late(0.5) or not patience.sees_progress(path):
            LOG.warning('Another download of image %s on this host does not '
                        'end or makes no progress: this one no longer waits '
                        'for it. Its process has locked %s', image_id, path)
            return None
        if not logged:
            LOG.info('Image %s is being downloaded on this host: waiting for '
                     'its data', image_id)
            logged = True
        sleep(limits.POLL)


class Turn(object):
    """Passes the path of the data on to the next download in line.

    :param number: descriptor of the file for it, which is locked; None for a
        turn that shares nothing
    :param key: what distinguishes the images
    :param began: when the wait began, in seconds since the epoch
    """

    def __init__(self, number, key=None, began=0.0):
        self._number = number
        self._key = key
        self._began = began
        self._beaten = None

    def beat(self):
        """Show those who wait that this download makes progress."""
        now = timeutils.now()
        if self._number is None or (
                self._beaten is not None and now - self._beaten < _BEAT):
            return
        self._beaten = now
        # The first byte of the note again, if there is one. Python 2.7
        # cannot set the times of an open file.
        first = b'{' if os.fstat(self._number).st_size > 1 else b' '
        try:
            self._write(first)
        except (IOError, OSError) as error:
            LOG.debug('The progress cannot be shown: %s', error)

    def _write(self, content):
        os.lseek(self._number, 0, os.SEEK_SET)
        os.write(self._number, content)

    def brought(self):
        """Return the path of a file that another download has finished.

        :returns: None if there is none, it has changed since, or this user
            may not read it
        """
        if self._number is None:
            return None
        try:
            os.lseek(self._number, 0, os.SEEK_SET)
            note = json.loads(os.read(self._number, units.Mi).decode('utf-8'))
            path = note['path']
            if note['key'] == self._key and note['when'] >= self._began and (
                    note['stat'] == _stat(path) and os.access(path, os.R_OK)):
                return path
        except (IOError, OSError, TypeError, ValueError, KeyError,
                RuntimeError) as error:  # whatever somebody has written there
            LOG.debug('Nothing to share: %s', error)
        return None

    def leave_note(self, path):
        """Leave the path of the data for those who wait."""
        if self._number is None:
            return
        try:
            note = json.dumps({
                'key': self._key, 'path': path, 'when': time.time(),
                'stat': _stat(path)})
            os.ftruncate(self._number, 0)
            self._write(note.encode('utf-8'))
        except (IOError, OSError, ValueError) as error:
            # The download is complete: it must not fail.
            LOG.debug('Nothing is shared: %s', error)


def _stat(path):
    """Return what changes when a regular file does."""
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise ValueError('%s is not a regular file' % path)
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime]
