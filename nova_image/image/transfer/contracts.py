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

"""The contracts between the parts of a download.

A DataReader yields an image's data, every Check sees all of it, and a Sink
stores it::

    DataReader --> Check
               `-> Sink
"""

import abc

import six

from nova_image.image import offload


@six.add_metaclass(abc.ABCMeta)
class DataReader(object):
    """Reads the data of one image, from an offset to the end.

    * ``recorded``: nova_image.image.transfer.recorded.Recorded; None until it
      is known
    * ``offset``: position of the next byte that chunks() will yield
    * ``endpoint``: URL of the server that sends the data, None before there
      is one
    * ``resumes``: how often a connection was replaced
    """

    def __init__(self, recorded=None):
        self.recorded = recorded
        self.offset = 0
        self.endpoint = None
        self.resumes = 0

    @abc.abstractmethod
    def open(self):
        """Prepare for chunks().

        :returns: Recorded
        :raises NovaImageException: if the data is not available
        """

    @abc.abstractmethod
    def begin_at(self, offset):
        """Skip data that is there already.

        :param offset: bytes to skip
        """

    @abc.abstractmethod
    def chunks(self):
        """Yield the data in pieces, to the last byte.

        :raises GlanceConnectionFailed: if it is interrupted too often
        :raises ImageCorrupt: if there is more data than was recorded, or the
            data of another image
        """

    @abc.abstractmethod
    def close(self):
        """End chunks() and release its connections."""


@six.add_metaclass(abc.ABCMeta)
class Check(object):
    """Judges the data of one attempt; each attempt needs a new one.

    ``name`` is what the data is verified by, for the log. ``is_light`` is
    whether update() takes hardly any time, so that no thread pays for it.
    """

    name = None
    is_light = False

    @abc.abstractmethod
    def update(self, chunk):
        """Process the next bytes.

        :param chunk: bytes or a memoryview
        """

    @abc.abstractmethod
    def verify(self):
        """Judge the data, all of which was processed.

        :raises ImageUnacceptable: if the data must not be used
        """


@six.add_metaclass(abc.ABCMeta)
class Sink(object):
    """A destination of image data.

    One of publish(), discard() and give_up() ends it.
    """

    def receive(self, download):
        """Store the data of a download, and publish it.

        :param download: nova_image.image.transfer.fetch.Download
        """
        download.fill(self)
        self.publish_aside()

    def publish_aside(self):
        """Call publish() outside of eventlet's hub."""
        call = offload.call_long if self.is_slow() else offload.call
        call(self.publish)

    def is_slow(self):
        """Return whether publish() may take long."""
        return False

    @abc.abstractmethod
    def begin(self, image_id, recorded):
        """Prepare for an attempt.

        :param image_id: ID of the image
        :param recorded: Recorded
        :returns: how many bytes of the image are there already
        :raises InsufficientDiskSpace: if the rest does not fit
        """

    def kept(self):
        """Yield the bytes that begin() has found, in pieces."""
        return iter(())

    @abc.abstractmethod
    def write(self, chunk):
        """Write the next bytes."""

    @abc.abstractmethod
    def restart(self):
        """Remove what was written, for another attempt.

        :returns: whether that was possible
        """

    @abc.abstractmethod
    def publish(self):
        """Make the data available: it is complete and verified."""

    @abc.abstractmethod
    def discard(self):
        """Remove the data as far as possible: it must not be used."""

    @abc.abstractmethod
    def give_up(self):
        """End a download that has failed, and may be resumed later."""
