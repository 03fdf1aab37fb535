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


"""What the tests of direct downloads share: a check and a file to copy to."""

import os

import fixtures
from testtools import matchers

from nova_image.tests.unit import base

MIB = 1024 * 1024


class Check(object):
    """A check that keeps the data of a download.

    :param after: called after each chunk with the number of bytes so far
    :ivar largest: length of the longest chunk
    """

    def __init__(self, after=None):
        self._data = bytearray()
        self._after = after
        self.largest = 0

    def update(self, chunk):
        """Keep a chunk."""
        self.largest = max(self.largest, len(chunk))
        self._data += chunk
        if self._after is not None:
            self._after(len(self._data))

    @property
    def data(self):
        """All bytes so far."""
        return bytes(self._data)


class DownloadTest(base.TestCase):
    """Base class: copies something into a file.

    :ivar folder: path of an empty folder, without symbolic links
    """

    def setUp(self):
        super(DownloadTest, self).setUp()
        self.folder = os.path.realpath(
            self.useFixture(fixtures.TempDir()).path)

    def path(self, *names):
        """Return a path in the folder."""
        return os.path.join(self.folder, *names)

    def write(self, name, data):
        """Make a file in the folder and return its path."""
        with open(self.path(name), 'wb') as stream:
            stream.write(data)
        return self.path(name)

    def copied(self, handler, url, check=None):
        """Copy, and return the data of the file.

        The check must have received the same data.
        """
        check = check or Check()
        with open(self.path('output'), 'w+b') as output:
            handler.copy(url, output, check)
        with open(self.path('output'), 'rb') as output:
            data = output.read()
        self.assertEqual(len(data), len(check.data))
        self.assertTrue(data == check.data, 'the check received other data')
        self.assertThat(check.largest, matchers.LessThan(MIB + 1))
        return data

    def allocated(self):
        """Return how many bytes the copy occupies on disk."""
        return os.stat(self.path('output')).st_blocks * 512

    def open_descriptors(self):
        """Return the names of this process's open files."""
        names = []
        for number in os.listdir('/proc/self/fd'):
            try:
                names.append(os.readlink('/proc/self/fd/' + number))
            except OSError:
                continue  # the descriptor of the listing itself
        return [name for name in names if name.startswith(self.folder)]
