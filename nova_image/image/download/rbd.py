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


"""Direct downloads from ``rbd:`` URLs: images that Glance stores in Ceph."""

import collections
import contextlib
import functools
import os

from oslo_utils import units
from six.moves import range

from nova_image import exception
from nova_image.image import ceph
from nova_image.image import download
from nova_image.image import sizes
from nova_image.image.transfer import native
from nova_image.image.transfer import sparse

#: the number of concurrent reads of CHUNK bytes: 3 MiB of memory here and
#: another 3 MiB in librados. Four reads of 2 MiB are not faster and need 45
#: MiB rather than 25, because memory freed in one thread is not reused in the
#: next (seen on 16.2).
WINDOW = 3
#: bytes for which librbd is asked at once where it has data: the answer has
#: an item for each object, which Glance creates with 8 MiB
SPAN = 64 * units.Gi

# Each thread of the connection would keep memory for what it has once read.
# One thread for librados' callbacks (librados_thread_count) is too few: in
# one callback librbd may wait for the next one, forever (seen on 16.2 with a
# snapshot to unprotect after a pool was deleted).
_LEAN = {'ms_async_op_threads': '1'}


class RbdHandler(download.Handler):
    """Reads snapshots of RBD images."""

    #: seconds that a storage daemon may take to answer
    patience = ceph.PATIENCE

    @classmethod
    def enabled(cls, conf):
        """Return whether the operator has enabled it."""
        return conf.glance.enable_rbd_download

    def copy(self, url, output, check):
        """Copy the snapshot at a URL. See Handler."""
        native.run(functools.partial(self._copy, url), output, check)

    def _copy(self, url, number, check):
        snapshot = _snapshot_of(url)
        rados, rbd = _bindings(url)
        try:
            with self._opened(rados, rbd, snapshot) as image:
                _Copy(image, number, check).run()
        except (rados.Error, rbd.Error) as error:
            raise _unavailable(url, '%s' % error)

    @contextlib.contextmanager
    def _opened(self, rados, rbd, snapshot):
        with ceph.connected(rados, self.conf, self.patience,
                            _LEAN) as cluster:
            _require_same(snapshot.fsid, ceph.fsid(cluster))
            with contextlib.closing(
                    cluster.open_ioctx(snapshot.pool)) as pool:
                with contextlib.closing(rbd.Image(
                        pool, snapshot.image, snapshot=snapshot.snapshot,
                        read_only=True)) as image:
                    yield image


def _snapshot_of(url):
    """Return the ceph.Snapshot that a URL names.

    :raises ImageDownloadUnavailable: if it does not name one
    """
    snapshot = ceph.parse_url(url)
    if snapshot is None:
        raise _unavailable(
            url, 'it does not have the form rbd://FSID/POOL/IMAGE/SNAPSHOT')
    return snapshot


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
        """Copy the image."""
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
            for position in range(begin, end, sizes.CHUNK):
                self._begin(_Read(self._image, position,
                                  min(sizes.CHUNK, end - position)))
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
    """Yield extents, with adjacent and overlapping ones merged."""
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
    """A part of the image without data."""

    def __init__(self, size):
        self._size = size

    def finish(self, number, check):
        """Pass its zeros to the check."""
        sparse.put_hole(self._size, check)

    def abandon(self):
        """Do nothing: there is nothing to wait for."""


class _Read(object):
    """A read in progress. librbd answers in its own thread."""

    def __init__(self, image, offset, size):
        self._offset = offset
        self._size = size
        self._data = None
        self._completion = image.aio_read(offset, size, self._answer)

    def _answer(self, completion, data):
        self._data = data
        self._status = completion.get_return_value()

    def finish(self, number, check):
        """Wait for the bytes, write them and pass them to the check."""
        self._wait()
        data, self._data = self._data, None
        if self._status != self._size:
            raise exception.ImageDownloadUnavailable(
                action='direct download', reason=(
                    'reading %d bytes at %d of the RBD image returned %d' % (
                        self._size, self._offset, self._status)))
        sparse.put(number, self._offset, data, check)

    def _wait(self):
        # They refer to each other: without this reference the memory of the
        # bytes is freed now, not at the next garbage collection.
        completion, self._completion = self._completion, None
        if completion is not None:
            completion.wait_for_complete_and_cb()

    def abandon(self):
        """Wait, because librbd will still write to its memory."""
        self._wait()
