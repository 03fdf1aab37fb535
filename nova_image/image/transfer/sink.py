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

"""Where the bytes of a download go: a path, or a file object of the caller.

A path never holds anything but a whole, verified image: the bytes go to a
temporary file beside it, which is flushed to disk and renamed after the
checks, or removed.
"""

import os
import stat

from oslo_log import log as logging

from nova_image import exception
from nova_image.image.transfer import file_sink

LOG = logging.getLogger(__name__)


def open_sink(data=None, path=None, **options):
    """Return the sink for what a caller of download() asked for.

    :param data: a writable binary file object, or None
    :param path: path of the file to make, or None; ``data`` goes before it
    :param options: for file_sink.FileSink
    :raises ImageUnacceptable: when ``data`` is closed
    """
    if data is not None:
        return ObjectSink(data)
    path = os.path.realpath(path)
    if os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode):
        return DeviceSink(path)
    return file_sink.FileSink(path, **options)


class ObjectSink(object):
    """A file object: it gets the bytes as they come.

    The caller must not use them when the download raises.
    """

    path = None

    def __init__(self, stream):
        if getattr(stream, 'closed', False):
            raise exception.ImageUnacceptable(
                'The image cannot be written',
                reason='the file object is closed')
        self._stream = stream
        self._start = self._position()

    def _position(self):
        try:
            return self._stream.tell()
        except (AttributeError, IOError, OSError, ValueError):
            return None  # a pipe or a socket

    def begin(self, image_id, expected):
        """Nothing is there of an image yet.

        :returns: 0
        """
        return 0

    def restart(self):
        """Go back to where the stream stood at first.

        :returns: whether a new attempt can be made
        """
        if self._start is None:
            return False
        try:
            self._stream.seek(self._start)
            self._stream.truncate()
        except (AttributeError, IOError, OSError, ValueError):
            return False  # it tells where it is and cannot go back
        return True

    def write(self, chunk):
        """Write bytes."""
        self._stream.write(chunk)

    def publish(self):
        """Hand the last bytes over to the system; closing is the caller's."""
        flush = getattr(self._stream, 'flush', None)
        if flush is not None:
            flush()

    def discard(self):
        """Leave the stream to its owner."""

    def give_up(self):
        """Do the same: what was written cannot be taken up again."""
        self.discard()


class DeviceSink(ObjectSink):
    """A path that is no regular file: a FIFO, a block device, /dev/null."""

    def __init__(self, path):
        super(DeviceSink, self).__init__(open(path, 'wb'))

    def restart(self):
        """Return False: what a pipe has taken cannot be taken back."""
        return False

    def publish(self):
        """Flush to the device where it is one, and close."""
        self._stream.flush()
        if stat.S_ISBLK(os.fstat(self._stream.fileno()).st_mode):
            os.fsync(self._stream.fileno())
        self._stream.close()

    def discard(self):
        """Close."""
        file_sink.close_quietly(self._stream)
