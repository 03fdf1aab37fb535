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


"""Direct downloads that bypass Glance, and the fallback to Glance."""

import errno
import os
import pathlib
import typing
import unittest.mock

from nova_image import exception
from nova_image.tests import fixtures
from nova_image.tests.fixtures import faults
from nova_image.tests.functional import base
from nova_image.tests.functional import servers
from nova_image.tests.functional import test_download_rbd as rbd

_DATA = os.urandom(3 * 1024 * 1024 + 5)


class DirectCase(base.FunctionalTest):
    """An image, a proxy in front of its Glance, and a driver."""

    def use(self, glance: fixtures.Glance) -> None:
        """Create an image in a Glance, and a proxy in front of it."""
        self.raw = self.raw_glance(glance.url)
        self.proxy = self.useFixture(fixtures.FaultyProxy(glance.url))
        self.image = self.raw.create(_DATA, visibility='public')['id']
        self.path = pathlib.Path(self.useFixture(base.folder()).path, 'image')

    def download(self, **options: typing.Any) -> list[str | None]:
        """Download and check the image.

        :param options: options of ``[glance]``
        :returns: the ranges of the requests for data to Glance
        """
        driver = base.make_driver('v2', [self.proxy.url], options,
                                  sleep=lambda seconds: None)
        driver.download(base.Context(), self.image, dst_path=str(self.path))
        self.assertEqual(_DATA, self.path.read_bytes())
        self.assertEqual([self.path], list(self.path.parent.iterdir()))
        return [request.range for request in self.proxy.requests
                if request.path.endswith('/file')]


class FileTest(DirectCase):
    """A file store that is mounted on this host."""

    def setUp(self) -> None:
        """Use Glance 33."""
        super().setUp()
        self.glance = servers.glance33()
        self.use(self.glance)

    def test_copy_requests_no_data_from_glance(self) -> None:
        self.assertEqual([], self.download(
            direct_file_roots=[str(self.glance.folder)]))

    def test_image_outside_the_folders_comes_from_glance(self) -> None:
        """A warning gives the reason."""
        self.assertEqual([None], self.download(
            direct_file_roots=[str(self.path.parent)]))
        self.assertIn('is not in a folder', self.log.text)

    def test_failed_copy_keeps_an_earlier_partial_download(self) -> None:
        options = {'keep_partial_downloads': True, 'download_retries': 0}
        self.proxy.plan(faults.Reset(2 * 1024 * 1024))
        self.assertRaises(exception.GlanceConnectionFailed, self.download,
                          **options)
        stored = self.glance.folder / 'fast' / self.image
        self.proxy.clear()
        with unittest.mock.patch('os.copy_file_range', side_effect=OSError(
                errno.EIO, 'a bad disk')) as copying:
            self.assertEqual(['bytes=%d-' % (2 * 1024 * 1024)], self.download(
                direct_file_roots=[str(stored.parent)], **options))
        copying.assert_called()

    def test_damaged_copy_is_not_published(self) -> None:
        stored = self.glance.folder / 'fast' / self.image
        with open(stored, 'r+b') as stream:
            stream.write(b'damage')
        self.assertRaises(
            exception.ImageCorrupt, self.download, num_retries=0,
            direct_file_roots=[str(self.glance.folder)])
        self.assertEqual([], list(self.path.parent.iterdir()))


class RbdTest(DirectCase):
    """A store in Ceph."""

    def setUp(self) -> None:
        """Use a Glance on Ceph."""
        super().setUp()
        self.useFixture(fixtures.CephBindings())
        self.ceph = rbd.ceph()
        self.use(rbd.glance())
        self.options = {'enable_rbd_download': True,
                        'rbd_user': self.ceph.user,
                        'rbd_ceph_conf': str(self.ceph.conf)}

    def test_copy_requests_no_data_from_glance(self) -> None:
        self.assertEqual([], self.download(**self.options))

    def test_image_comes_from_glance_without_the_cluster(self) -> None:
        """A warning gives the reason."""
        self.options['rbd_ceph_conf'] = '/no/such/file'
        self.assertEqual([None], self.download(**self.options))
        self.assertIn('could not be copied from rbd://', self.log.text)

    def test_glance_on_ceph_refuses_ranges(self) -> None:
        """A resumed download starts over, and later ones ask for no range."""
        self.proxy.plan(faults.Reset(2 * 1024 * 1024))
        asked = self.download()
        self.assertEqual([None, 'bytes=%d-' % (2 * 1024 * 1024), None], asked)
        self.proxy.clear()
        self.proxy.plan(faults.Reset(1024 * 1024))
        self.path.unlink()
        self.assertEqual([None, None], self.download())
