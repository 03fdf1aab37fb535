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
"""What the tests of nova_image.image.transfer.file_sink share."""

import hashlib
import os
import subprocess
import sys
import time

import fixtures
import testtools

from nova_image.image.transfer import file_sink
from nova_image.image.transfer import recorded

DATA = b'0123456789'
RECORDED = recorded.Recorded(len(DATA), 'md5', hashlib.md5(DATA).hexdigest())
BLOCK = 64 * 1024
DAY = 86400

#: locks a file, prints "locked", and holds the lock until its input ends
_HOLDER = """
import fcntl, sys
stream = open(sys.argv[1], 'r+b')
fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
sys.stdout.write('locked')
sys.stdout.flush()
sys.stdin.read()
"""


class FileSinkCase(testtools.TestCase):
    """Base class: a folder."""

    def setUp(self):
        super(FileSinkCase, self).setUp()
        self.folder = self.useFixture(fixtures.TempDir()).path
        self.path = os.path.join(self.folder, 'image')

    def sink(self, keep=False, path=None, **options):
        """Return a sink, which is discarded after the test."""
        opened = file_sink.FileSink(path or self.path, keep, **options)
        self.addCleanup(opened.discard)
        return opened

    def read(self, path=None):
        """Return the data at the path."""
        with open(path or self.path, 'rb') as stream:
            return stream.read()

    def write(self, content, path=None):
        """Write a file at the path."""
        with open(path or self.path, 'wb') as stream:
            stream.write(content)

    def partials(self):
        """Return the paths of the files beside the image."""
        return [os.path.join(self.folder, name)
                for name in sorted(os.listdir(self.folder))
                if name != 'image']

    def hold(self, path):
        """Let another process lock a file.

        A real one: flock() does not exclude the process that has the lock
        through the same open file.

        :returns: a callable that unlocks it
        """
        process = subprocess.Popen(
            [sys.executable, '-c', _HOLDER, path], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)

        def unlock():
            process.stdin.close()
            process.wait()
        self.addCleanup(process.stdout.close)
        self.addCleanup(unlock)
        self.assertEqual(b'locked', process.stdout.read(6))
        return unlock

    def leave(self, content=DATA[:4], record=RECORDED, image_id='ID',
              path=None):
        """Leave a partial file, as a killed process does.

        :returns: its path
        """
        before = set(self.partials())
        killed = file_sink.FileSink(path or self.path, keep=True)
        killed.begin(image_id, record)
        (left,) = set(self.partials()) - before
        killed.restart()
        killed.write(content)
        killed.stream.close()
        return left

    def make_old(self, path, seconds=DAY + 60):
        """Set the time of a file's last change."""
        then = time.time() - seconds
        os.utime(path, (then, then))
