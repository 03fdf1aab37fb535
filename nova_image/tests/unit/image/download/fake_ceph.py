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


"""A Ceph without servers: fake modules ``rados`` and ``rbd``.

They behave as the modules of Ceph 16.2 were seen to do, as far as the handler
uses them: threads answer the reads, in any order.
"""

import threading
import types

import fixtures
import mock

FSID = '6d7e0b5c-0f4b-4c61-8f0a-7f6f3f1a5b5e'
OBJECT = 8 * 1024 * 1024


class Error(Exception):
    """The base of the exceptions of both modules."""


class Image(object):
    """A snapshot.

    :ivar extents: what diff_iterate() reports: (offset, length, exists)
    :ivar answers: offset -> return value of a read there, if not its length
    :ivar most_pending: the largest number of reads at the same time
    """

    def __init__(self, data, extents=None):
        self.data = data
        self.extents = [(0, len(data), True)] if extents is None else extents
        self.answers = {}
        self.most_pending = self.pending = self.opened = 0
        self.requested = []
        self.lock = threading.Lock()
        self.hold = None

    def size(self):
        """Return the number of bytes."""
        return len(self.data)

    def diff_iterate(self, offset, length, from_snapshot, iterate_cb,
                     include_parent=True, whole_object=False):
        """Report where the image has objects."""
        assert include_parent and whole_object and from_snapshot is None
        if offset >= len(self.data):
            raise Error('[errno 22] RBD invalid argument')
        for start, size, exists in self.extents:
            if offset <= start < offset + length:
                iterate_cb(start, size, exists)

    def aio_read(self, offset, length, oncomplete):
        """Begin a read."""
        with self.lock:
            self.pending += 1
            self.most_pending = max(self.most_pending, self.pending)
            self.requested.append((offset, length))
        return Completion(self, offset, length, oncomplete)

    def close(self):
        """Close; no read may be pending."""
        assert not self.pending
        self.opened -= 1


class Completion(object):
    """A read that a thread answers."""

    def __init__(self, image, offset, length, oncomplete):
        self._image = image
        self._status = image.answers.get(offset, length)
        self._range = slice(offset, offset + max(self._status, 0))
        self._oncomplete = oncomplete
        self._error = None
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def _answer(self):
        if self._image.hold is not None:
            self._image.hold(self._range.start)
        data = self._image.data[self._range] if self._status >= 0 else None
        try:
            self._oncomplete(self, data)
        except Exception as error:
            self._error = error
        with self._image.lock:
            self._image.pending -= 1

    def get_return_value(self):
        """Return the number of bytes, or a negative error number."""
        return self._status

    def wait_for_complete_and_cb(self):
        """Wait, and raise the error of the callback."""
        self._thread.join()
        if self._error is not None:
            raise self._error


class Cluster(fixtures.Fixture):
    """A cluster, and the modules that reach it.

    :ivar images: (pool, image, snapshot) -> Image
    :ivar connections: keyword arguments of each rados.Rados
    :ivar options: the options of its configuration file
    :ivar unknown: options that it lacks
    :ivar open: how many of its handles are open
    :ivar failure: text of the error that connect() raises, if any
    """

    def __init__(self):
        super(Cluster, self).__init__()
        self.images, self.connections, self.options = {}, [], {}
        self.open, self.unknown = 0, []
        self.failure = None

    def _setUp(self):
        rados, rbd = types.ModuleType('rados'), types.ModuleType('rbd')
        rados.Error = type('Error', (Error,), {})
        rados.Rados = lambda **options: _Connection(self, rados, options)
        rbd.Error = Error
        rbd.Image = self._image
        patch = mock.patch.dict('sys.modules', rados=rados, rbd=rbd)
        patch.start()
        self.addCleanup(patch.stop)

    def _image(self, pool, name, snapshot=None, read_only=False):
        assert read_only
        try:
            image = self.images[pool.name, name, snapshot]
        except KeyError:
            raise Error('[errno 2] RBD image not found')
        image.opened += 1
        return image


class _Connection(object):
    """A handle of the cluster."""

    def __init__(self, cluster, rados, options):
        self._cluster = cluster
        self._rados = rados
        self._options = dict(cluster.options, **options.pop('conf'))
        cluster.connections.append(options)
        cluster.open += 1

    def conf_get(self, name):
        """Return the text of an option."""
        return self._options.get(name, '0')

    def conf_set(self, name, value):
        """Set an option."""
        if name in self._cluster.unknown:
            raise self._rados.Error('[errno 2] error calling conf_set')
        self._options[name] = value

    def connect(self):
        """Connect."""
        self._cluster.connections[-1]['conf'] = self._options
        if self._cluster.failure:
            raise self._rados.Error(self._cluster.failure)

    def get_fsid(self):
        """Return the id of the cluster."""
        return FSID

    def open_ioctx(self, name):
        """Open a pool."""
        pools = [pool for pool, _, _ in self._cluster.images]
        if name not in pools:
            raise self._rados.Error('[errno 2] RADOS object not found')
        self._cluster.open += 1
        return _Pool(self._cluster, name)

    def shutdown(self):
        """Disconnect."""
        self._cluster.open -= 1


class _Pool(object):

    def __init__(self, cluster, name):
        self._cluster = cluster
        self.name = name

    def close(self):
        """Close."""
        self._cluster.open -= 1
