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


"""Tests of direct downloads from a real Ceph, with images of a real Glance."""

import collections.abc
import contextlib
import hashlib
import os
import pathlib
import socket
import time
import typing

import testtools

from nova_image import exception
from nova_image.image.download import rbd as rbd_download
from nova_image.image import sizes
from nova_image.image.transfer import sparse
from nova_image.tests import fixtures
from nova_image.tests.functional import base
from nova_image.tests.functional import servers

MIB = 1024 ** 2
GIB = 1024 ** 3
SIZE = 50 * MIB + 12345


@servers.once
def ceph() -> fixtures.Ceph:
    """Ceph, with empty pools."""
    return fixtures.Ceph()


@servers.once
def glance() -> fixtures.Glance:
    """Glance whose store is in ceph()."""
    return ceph().glance()


class Check:
    """Counts and hashes the bytes of a download, like the driver's check."""

    def __init__(self, algorithm: str = 'sha256') -> None:
        """Start with no bytes.

        :param algorithm: a name of hashlib
        """
        self.size = 0
        self._hash = hashlib.new(algorithm)

    def update(self, chunk: bytes | memoryview) -> None:
        """Add a chunk."""
        self.size += len(chunk)
        self._hash.update(chunk)

    @property
    def digest(self) -> tuple[int, str]:
        """The number of bytes and their hash."""
        return self.size, self._hash.hexdigest()


class _NoCheck:
    """Ignores the bytes of a download."""

    def update(self, chunk: bytes | memoryview) -> None:
        """Ignore a chunk."""


class RbdTest(base.FunctionalTest):
    """A handler, and a file to copy to."""

    #: the algorithm that hashes the copies
    algorithm = 'sha256'

    def setUp(self) -> None:
        """Import the bindings of Ceph and start it."""
        super().setUp()
        bindings = self.useFixture(fixtures.CephBindings())
        self.rados, self.rbd = bindings.rados, bindings.rbd
        self.ceph = ceph()
        self.output = pathlib.Path(self.useFixture(base.folder()).path,
                                   'output')

    def handler(self, **options: typing.Any) -> rbd_download.RbdHandler:
        """Return a handler.

        :param options: further options of ``[glance]``
        """
        return rbd_download.RbdHandler(base.make_conf({
            'enable_rbd_download': True, 'rbd_user': self.ceph.user,
            'rbd_ceph_conf': str(self.ceph.conf), **options}))

    def url(self, image: str, snapshot: str = 'snap') -> str:
        """Return the URL of a snapshot in the pool of Glance's images."""
        return '%s/images/%s/%s' % (self.ceph.url, image, snapshot)

    def copied(self, url: str, **options: typing.Any) -> tuple[int, str]:
        """Copy, and return the size and hash of the file.

        The bytes that the check received must be the same.
        """
        check = Check(self.algorithm)
        with open(self.output, 'w+b') as output:
            self.handler(**options).copy(url, output, check)
        found = self.output_digest()
        self.assertEqual(found, check.digest)
        return found

    def output_digest(self) -> tuple[int, str]:
        """Return the size and hash of the copy."""
        with open(self.output, 'rb') as output:
            return (os.path.getsize(self.output),
                    hashlib.file_digest(output, self.algorithm).hexdigest())

    @property
    def allocated(self) -> int:
        """The number of bytes that the copy occupies on disk."""
        return os.stat(self.output).st_blocks * 512

    def assertCopyFails(self, reason: str, url: str,
                        **options: typing.Any) -> float:
        """Check that a copy fails for a reason.

        :returns: how long it took, in seconds
        """
        began = time.monotonic()
        error = self.assertRaises(exception.ImageDownloadUnavailable,
                                  self.copied, url, **options)
        self.assertIn(reason, str(error))
        return time.monotonic() - began

    @contextlib.contextmanager
    def pool(self, name: str = 'images'
             ) -> collections.abc.Iterator[typing.Any]:
        """Open a pool, by default Glance's, as Ceph's administrator."""
        with self.rados.Rados(
                rados_id='admin', conffile=str(self.ceph.conf)) as cluster, (
                cluster.open_ioctx(name)) as pool:
            yield pool

    def make(self, size: int, features: int | None,
             *places: int) -> tuple[str, bytes]:
        """Make an image with 1 MiB of data at some offsets, and a snapshot.

        :param size: the size of the image, in bytes
        :param features: the features of the image; Ceph's default if None
        :param places: the offsets of the data, in bytes
        :returns: the name of the image, and the data
        """
        rbd, name, data = self.rbd, base.new_id(), os.urandom(MIB)
        with self.pool() as pool:
            rbd.RBD().create(pool, name, size, old_format=False,
                             features=features)
            with rbd.Image(pool, name) as image:
                for place in places:
                    image.write(data, place)
                image.create_snap('snap')
        return name, data

    def clone(self, parent: str, features: int, place: int,
              data: bytes) -> str:
        """Make a clone of an image, with its own data, and a snapshot.

        :returns: the name of the clone
        """
        rbd, name = self.rbd, base.new_id()
        with self.pool() as pool:
            with rbd.Image(pool, parent) as image:
                image.protect_snap('snap')
            rbd.RBD().clone(pool, parent, 'snap', pool, name,
                            features=features)
            with rbd.Image(pool, name) as image:
                image.write(data, place)
                image.create_snap('snap')
        return name


def sparse_digest(size: int, data: bytes, *places: int) -> tuple[int, str]:
    """Return the size and hash of zeros with the same data at some offsets."""
    check, position = Check(), 0
    for place in [*places, size]:
        for start in range(position, place, MIB):
            check.update(bytes(min(MIB, place - start)))
        if place < size:
            check.update(data)
        position = place + len(data)
    return check.digest


class GlanceImageTest(RbdTest):
    """Images that Glance has stored."""

    algorithm = 'sha512'

    def test_image_with_data(self) -> None:
        raw = self.raw_glance(glance().url)
        image = raw.create(os.urandom(SIZE))
        self.assertEqual(self.url(image['id']), image['direct_url'])
        self.assertEqual((SIZE, image['os_hash_value']),
                         self.copied(image['direct_url']))

    def test_empty_image(self) -> None:
        raw = self.raw_glance(glance().url)
        url = raw.create(b'')['direct_url']
        self.assertEqual(0, self.copied(url)[0])

    def test_image_of_zeros_occupies_no_space(self) -> None:
        raw = self.raw_glance(glance().url)
        image = raw.create(bytes(SIZE))
        self.assertEqual((SIZE, image['os_hash_value']),
                         self.copied(image['direct_url']))
        self.assertEqual(0, self.allocated)


class SparseTest(RbdTest):
    """Images that consist mostly of holes."""

    def assertSparse(self, size: int, features: int | None) -> None:
        """Check that only the data of a sparse image is written."""
        places = 0, 300 * MIB + 4096, size - MIB
        name, data = self.make(size, features, *places)
        self.assertEqual(sparse_digest(size, data, *places),
                         self.copied(self.url(name)))
        self.assertThat(self.allocated, testtools.matchers.LessThan(8 * MIB))

    def test_image_with_an_object_map(self) -> None:
        self.assertSparse(GIB, None)

    def test_image_without_an_object_map(self) -> None:
        self.assertSparse(GIB, 1)

    def test_size_that_is_not_a_multiple_of_a_block(self) -> None:
        self.assertSparse(500 * MIB + 12345, None)

    def test_four_gib_with_unaligned_data(self) -> None:
        """Only the blocks that contain data are written."""
        places = [n * 64 * MIB + 123 * 4096 for n in range(64)]
        name, data = self.make(4 * GIB, None, *places)
        with open(self.output, 'w+b') as output:
            self.handler().copy(self.url(name), output, _NoCheck())
        # The blocks at both ends of the data are written whole.
        ends = 2 * sizes.BLOCK
        self.assertThat(self.allocated, testtools.matchers.LessThan(
            len(places) * (MIB + ends) + 1))
        with open(self.output, 'rb') as output:
            found = list(sparse.extents(output.fileno(), 4 * GIB))
            for place, (begin, end) in zip(places, found, strict=True):
                self.assertIn(place - begin, range(sizes.BLOCK))
                output.seek(begin)
                self.assertSame(
                    bytes(place - begin) + data + bytes(
                        end - place - MIB), output.read(end - begin))
        self.assertEqual(4 * GIB, os.path.getsize(self.output))

    def assertSame(self, expected: bytes, found: bytes) -> None:
        """Compare data that is too long for an error message."""
        if expected != found:
            self.fail('The bytes differ')

    def test_clones(self) -> None:
        for features in (1, 61):
            size = 100 * MIB
            parent, data = self.make(size, features, 10 * MIB, 50 * MIB)
            name = self.clone(parent, features, 80 * MIB, data)
            self.assertEqual(
                sparse_digest(size, data, 10 * MIB, 50 * MIB, 80 * MIB),
                self.copied(self.url(name)))


class RefusalTest(RbdTest):
    """Images that cannot be copied."""

    def test_missing_image_or_snapshot(self) -> None:
        name, _ = self.make(MIB, None)
        self.assertCopyFails('RBD image not found', self.url(base.new_id()))
        self.assertCopyFails('RBD image not found', self.url(name, 'other'))
        self.assertEqual(MIB, self.copied(self.url(name))[0])

    def test_other_pools(self) -> None:
        name, _ = self.make(MIB, None)
        for pool, reason in (('none', "error opening pool 'none'"),
                             ('vms', 'RBD image not found')):
            self.assertCopyFails(reason, '%s/%s/%s/snap' % (
                self.ceph.url, pool, name))

    def test_other_cluster(self) -> None:
        name, _ = self.make(MIB, None)
        other = base.new_id()
        self.assertCopyFails(
            'in the Ceph cluster %s, and this host is connected to %s' % (
                other, self.ceph.fsid),
            'rbd://%s/images/%s/snap' % (other, name))

    def test_other_user(self) -> None:
        name, _ = self.make(MIB, None)
        self.assertCopyFails('RADOS', self.url(name), rbd_user='nobody')

    def test_missing_configuration_file(self) -> None:
        self.assertCopyFails('conf_read_file', self.url('image'),
                             rbd_ceph_conf='/nowhere/ceph.conf')


class TimeoutTest(RbdTest):
    """Ceph that does not answer."""

    def assertTook(self, seconds: float, least: float) -> None:
        """Check that a time-out came neither too early nor too late."""
        self.assertThat(seconds, testtools.matchers.GreaterThan(least - 0.5))
        self.assertThat(seconds, testtools.matchers.LessThan(least + 3))

    def test_monitor_that_accepts_and_never_answers(self) -> None:
        listener = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(listener.close)
        self.assertTook(self._unreachable(listener.getsockname()[1]), 2)

    def test_monitor_that_refuses_connections(self) -> None:
        port = self.useFixture(fixtures.Port()).number
        self.assertTook(self._unreachable(port), 2)

    def _unreachable(self, port: int) -> float:
        """Copy with a time-out of 2 s; return how many seconds it took."""
        conf = self.output.with_name('ceph.conf')
        conf.write_text(self.ceph.conf.read_text().replace(
            '127.0.0.1:%d' % self.ceph.port, '127.0.0.1:%d' % port))
        return self.assertCopyFails(
            'RADOS', self.url('image'), rbd_ceph_conf=str(conf),
            rbd_connect_timeout=2)

    def test_storage_that_stops_answering(self) -> None:
        own = self.useFixture(fixtures.Ceph())
        self.ceph = own
        name, _ = self.make(200 * MIB, None, *range(0, 200 * MIB, MIB))
        handler, check = self.handler(), _Pausing(own)
        handler.patience = 3
        self.addCleanup(own.resume)
        with open(self.output, 'w+b') as output:
            error = self.assertRaises(
                exception.ImageDownloadUnavailable, handler.copy,
                self.url(name), output, check)
        self.assertIn('returned -110', str(error))
        self.assertTook(time.monotonic() - check.paused, 3)


class _Pausing(Check):
    """Pauses a Ceph when the first bytes arrive."""

    def __init__(self, paused: fixtures.Ceph) -> None:
        super().__init__()
        self._ceph = paused
        self.paused = 0.0

    def update(self, chunk: bytes | memoryview) -> None:
        if not self.paused:
            self._ceph.pause()
            self.paused = time.monotonic()
        super().update(chunk)
