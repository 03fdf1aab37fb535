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

"""Destinations of a download: a path, or a file object of the caller.

A path never has anything but a complete, verified image: the bytes go to a
temporary file beside it, which is flushed to disk and renamed after the
checks, or removed.
"""

import errno
import os
import stat

from oslo_log import log as logging

from nova_image import exception
from nova_image.image.transfer import contracts
from nova_image.image.transfer import file_sink
from nova_image.image.transfer import paths

LOG = logging.getLogger(__name__)

# A flag of open() that Python 2.7 does not name.
_O_CLOEXEC = getattr(os, 'O_CLOEXEC', 0o2000000)


def open_sink(data=None, path=None, **options):
    """Return the Sink for a file object or a path.

    :param data: a writable binary file object, or None
    :param path: path of the file to create; ignored if there is ``data``
    :param options: for file_sink.FileSink
    :raises ImageUnacceptable: if ``data`` is closed
    :raises EnvironmentError: if the path cannot be written to, or belongs to
        somebody else in a folder that everybody may write to
    """
    if data is not None:
        return ObjectSink(data)
    path = _resolved(paths.text_of(path), options.get('replace', True))
    number = paths.descriptor_of(path)
    if number is not None and number >= 0:
        return DeviceSink(os.dup(number))
    if _is_special(path):
        return DeviceSink(_opened(path))
    if number is not None:
        path = os.readlink(path)  # a file that another process has open
    return file_sink.FileSink(path, **options)


def _resolved(path, replace):
    """Return the path to write to, of which all parts may be trusted."""
    if '\0' in path:
        raise exception.ImageUnacceptable(
            'The image cannot be written',
            reason='the path has a null character')
    if not replace and paths.status_of(path) is not None:
        raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), path)
    path = paths.resolve(path)
    paths.require_trusted(path)
    return path


def _is_special(path):
    """Return whether there is anything but a regular file."""
    if paths.descriptor_of(path) is not None:
        return not stat.S_ISREG(os.stat(path).st_mode)
    status = paths.status_of(path)
    return status is not None and not stat.S_ISREG(status.st_mode)


def _opened(path):
    """Return the descriptor of anything but a regular file."""
    # No link any more, unless somebody has put one there since, and no new
    # file. The link below /proc that stands for an open file is followed.
    flags = os.O_WRONLY | _O_CLOEXEC
    if paths.descriptor_of(path) is None:
        flags |= os.O_NOFOLLOW
    return os.open(path, flags)


class ObjectSink(contracts.Sink):
    """A file object, to which the bytes are written as they arrive.

    The caller must not use them if the download raises an exception.
    """

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

    def begin(self, image_id, recorded):
        """Return 0: nothing of the image is there yet."""
        return 0

    def restart(self):
        """Return to the original position of the stream.

        :returns: whether that was possible
        """
        if self._start is None:
            return False
        try:
            self._stream.seek(self._start)
            self._stream.truncate()
        except (AttributeError, IOError, OSError, ValueError):
            return False  # it has a position but cannot be rewound
        return True

    def write(self, chunk):
        """Write bytes."""
        self._stream.write(chunk)

    def publish(self):
        """Flush the stream; the caller closes it."""
        flush = getattr(self._stream, 'flush', None)
        if flush is not None:
            flush()

    def discard(self):
        """Leave the stream to its owner."""

    def give_up(self):
        """Leave the stream to its owner: it cannot be resumed."""
        self.discard()


class DeviceSink(ObjectSink):
    """Anything but a regular file at a path: a FIFO, a block device, a pipe.

    :param number: its descriptor, which the sink closes
    """

    def __init__(self, number):
        super(DeviceSink, self).__init__(os.fdopen(number, 'wb'))

    def restart(self):
        """Return False: what was written to a pipe cannot be removed."""
        return False

    def is_slow(self):
        """Return True: nobody knows how much a device has to write."""
        return True

    def publish(self):
        """Flush to the device, if it is one, and close."""
        self._stream.flush()
        if stat.S_ISBLK(os.fstat(self._stream.fileno()).st_mode):
            os.fsync(self._stream.fileno())
        self._stream.close()

    def discard(self):
        """Close the device."""
        file_sink.close_quietly(self._stream)
