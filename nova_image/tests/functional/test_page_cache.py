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

"""What a download leaves in the page cache of the host."""

import ctypes
import math
import mmap
import os
import pathlib
import typing

from nova_image.image.transfer import page_cache
from nova_image.tests.fixtures import paths
from nova_image.tests.functional import base
from nova_image.tests.functional import servers

_MIB = 1024 * 1024
_DATA = os.urandom(_MIB) * 40


class PageCacheTest(base.FunctionalTest):
    """An image of 40 MiB that the options classify as small or large."""

    def setUp(self) -> None:
        """Create the image, and a folder below .cache, which is on disk."""
        super().setUp()
        self.glance = servers.glance33()
        self.image = self.raw_glance(self.glance.url).create(
            _DATA, visibility='public')['id']
        self.folder = self.useFixture(paths.RunFolder('page-cache')).path
        if _file_system(self.folder) in ('tmpfs', 'ramfs', 'overlay'):
            self.skipTest('%s is not on a disk: all of it is always in the '
                          'page cache' % self.folder)
        self.most = 0

    def _download(self, **options: typing.Any) -> int:
        """Download; return how many bytes of the file are then cached."""
        driver = base.make_driver('v2', [self.glance.url], options)
        path = self.folder / 'image'
        driver.download(base.Context(), self.image, dst_path=str(path),
                        progress=self._look)
        self.assertEqual(len(_DATA), path.stat().st_size)
        cached = _cached(path)
        self.assertEqual(_DATA, path.read_bytes())
        return cached

    def _look(self, *_: typing.Any) -> None:
        """Record the maximum that is cached during the download."""
        for path in self.folder.iterdir():
            self.most = max(self.most, _cached(path))

    def test_large_download_leaves_nothing_cached(self) -> None:
        """It caches at most two windows and the newest piece."""
        self.assertEqual(0, self._download(page_cache_limit=39))
        self.assertLessEqual(self.most, 2 * page_cache.WINDOW + _MIB)
        self.assertGreater(self.most, 0)

    def test_large_direct_copy_leaves_nothing_cached(self) -> None:
        self.assertEqual(0, self._download(
            page_cache_limit=39, direct_file_roots=[str(self.glance.folder)]))

    def test_small_download_stays_cached(self) -> None:
        """The next reader finds it in the cache."""
        self.assertEqual(len(_DATA), self._download(page_cache_limit=40))


def _file_system(path: pathlib.Path) -> str:
    """Return the type of the file system of a path."""
    mounts = [line.split() for line in
              pathlib.Path('/proc/mounts').read_text().splitlines()]
    return max((len(mount[1]), mount[2]) for mount in mounts
               if path.is_relative_to(mount[1]))[1]


def _cached(path: pathlib.Path) -> int:
    """Return how many bytes of a file are in the page cache: mincore(2)."""
    size = path.stat().st_size
    if not size:
        return 0
    pages = (ctypes.c_ubyte * math.ceil(size / mmap.PAGESIZE))()
    with open(path, 'r+b') as stream, mmap.mmap(
            stream.fileno(), size) as mapped:
        anchor = ctypes.c_char.from_buffer(mapped)
        failed = ctypes.CDLL(None).mincore(
            ctypes.c_void_p(ctypes.addressof(anchor)),
            ctypes.c_size_t(size), pages)
        del anchor  # otherwise the mapping could not be closed
    assert not failed
    return sum(page & 1 for page in pages) * mmap.PAGESIZE
