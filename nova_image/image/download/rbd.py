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


"""Direct downloads from ``rbd:`` URLs: images that Glance keeps in Ceph."""

import collections
import contextlib
import functools
import os

from six.moves import range

from nova_image import exception
from nova_image.image import ceph
from nova_image.image import download
from nova_image.image.transfer import native
from nova_image.image.transfer import sparse

#: bytes of one read
CHUNK = 1024 * 1024
#: reads that are under way at once: 3 MiB of memory here and as much in
#: librados. With four of 2 MiB nothing is faster, and 45 MiB are needed rather
#: than 25: what is freed in one thread is not what the next one takes (seen on
#: 16.2).
WINDOW = 3
#: bytes for which librbd is asked at once where it has data: the answer has
#: an item for each object, of 8 MiB as Glance makes them
SPAN = 64 * 1024 ** 3

# Each thread of the connection would keep some memory of its own for what it
# has once read. One for librados' callbacks (librados_thread_count) is too
# few: in one librbd may wait for the next, for ever (seen on 16.2 with a
# snapshot to unprotect after a pool was deleted).
_LEAN = {'ms_async_op_threads': '1'}


class RbdHandler(download.Handler):
    """Reads snapshots of RBD images."""

    #: seconds that a storage daemon may take for an answer
    patience = ceph.PATIENCE

    @classmethod
    def enabled(cls, conf):
        """Return whether the operator switched it on."""
        return conf.glance.enable_rbd_download

    def copy(self, url, output, check):
        """Copy the snapshot that a URL names. See Handler."""
        native.run(functools.partial(self._copy, url), output, check)

    def _copy(self, url, number, check):
        place = _place(url)
        rados, rbd = _bindings(url)
        try:
            with self._opened(rados, rbd, place) as image:
                _Copy(image, number, check).run()
        except (rados.Error, rbd.Error) as error:
            raise _unavailable(url, '%s' % error)

    @contextlib.contextmanager
    def _opened(self, rados, rbd, place):
        with ceph.connected(rados, self.conf, self.patience,
                            _LEAN) as cluster:
            _require_same(place.fsid, ceph.fsid(cluster))
            with contextlib.closing(
                    cluster.open_ioctx(place.pool)) as pool:
                with contextlib.closing(rbd.Image(
                        pool, place.image, snapshot=place.snapshot,
                        read_only=True)) as image:
                    yield image


def _place(url):
    """Return the place of a URL.

    :raises ImageDownloadUnavailable: for one that names no snapshot
    """
    place = ceph.parse_url(url)
    if place is None:
        raise _unavailable(
            url, 'it does not have the form rbd://FSID/POOL/IMAGE/SNAPSHOT')
    return place


def _bindings(url):
    """Return the modules rados and rbd."""
    try:
        return ceph.bindings()
    except ImportError as error:
        raise _unavailable(url, (
            "Ceph's bindings for this Python cannot be imported: %s" % error),
            'Install them (python3-rados and python3-rbd on Debian), or '
            'unset [glance] enable_rbd_download')


def _require_same(fsid, found):
    if found != fsid:
        raise exception.ImageDownloadUnavailable(
            action='direct download', reason=(
                'the image is in the Ceph cluster %s, and this host is '
                'connected to %s' % (fsid, found)))


def _unavailable(url, reason, advice=None):
    return exception.ImageDownloadUnavailable(
        action='direct download', endpoint=url, reason=reason, advice=advice)


class _Copy(object):
    """Copies an open image, several reads ahead of what is written.

    :param image: rbd.Image
    :param number: file descriptor of an empty file
    """

    def __init__(self, image, number, check):
        self._image = image
        self._number = number
        self._check = check
        self._ahead = collections.deque()

    def run(self):
        """Copy."""
        size = self._image.size()
        os.ftruncate(self._number, size)
        try:
            self._copy(size)
        finally:
            for begun in self._ahead:
                begun.abandon()

    def _copy(self, size):
        position = 0
        for begin, end in self._extents(size):
            self._begin(_Hole(begin - position))
            for position in range(begin, end, CHUNK):
                self._begin(_Read(self._image, position,
                                  min(CHUNK, end - position)))
            position = end
        self._begin(_Hole(size - position))
        while self._ahead:
            self._finish()

    def _begin(self, step):
        self._ahead.append(step)
        if len(self._ahead) >= WINDOW:
            self._finish()

    def _finish(self):
        self._ahead[0].finish(self._number, self._check)
        self._ahead.popleft()

    def _extents(self, size):
        """Yield where the image, or its parent, has objects.

        As (begin, end), in order.
        """
        for start in range(0, size, SPAN):
            length, found = min(SPAN, size - start), []

            def note(offset, length, exists, found=found):
                if exists:
                    found.append((offset, min(offset + length, size)))

            self._image.diff_iterate(start, length, None, note,
                                     include_parent=True, whole_object=True)
            for extent in _merged(sorted(found)):
                yield extent


def _merged(extents):
    """Yield extents, those that touch or overlap as one."""
    last = None
    for begin, end in extents:
        if last is None:
            last = begin, end
        elif begin <= last[1]:
            last = last[0], max(end, last[1])
        else:
            yield last
            last = begin, end
    if last is not None:
        yield last


class _Hole(object):
    """A part of the image that holds nothing."""

    def __init__(self, size):
        self._size = size

    def finish(self, number, check):
        """Hand its zeros to the check."""
        sparse.put_hole(self._size, check)

    def abandon(self):
        """Do nothing: there is nothing to wait for."""


class _Read(object):
    """A read that is under way. librbd answers in a thread of its own."""

    def __init__(self, image, offset, size):
        self._offset = offset
        self._size = size
        self._data = None
        self._completion = image.aio_read(offset, size, self._answer)

    def _answer(self, completion, data):
        self._data = data
        self._status = completion.get_return_value()

    def finish(self, number, check):
        """Wait for the bytes, write them and hand them to the check."""
        self._wait()
        data, self._data = self._data, None
        if self._status != self._size:
            raise exception.ImageDownloadUnavailable(
                action='direct download', reason=(
                    'reading %d bytes at %d of the RBD image gave %d' % (
                        self._size, self._offset, self._status)))
        sparse.put(number, self._offset, data, check)

    def _wait(self):
        # Without it the memory of the bytes goes now and not when the
        # garbage is collected: they refer to each other.
        completion, self._completion = self._completion, None
        if completion is not None:
            completion.wait_for_complete_and_cb()

    def abandon(self):
        """Wait, for librbd is still to write to its memory."""
        self._wait()
