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

"""The virt drivers of Nova 34 with our image drivers."""

import pathlib

from nova_image.tests.fixtures import nova_process
from nova_image.tests.fixtures import nova_virtualenv
from nova_image.tests.functional import base
from nova_image.tests.functional import servers
from nova_image.tests.functional import virt_case
from nova_image.tests.functional import virt_page
from nova_image.tests.legacy import clouds
from nova_image.tests.legacy import raw


@nova_process.once
def nova() -> nova_process.NovaProcess:
    """Nova's drivers with Glance 33."""
    return nova_process.NovaProcess(nova_virtualenv.virt_drivers(), {
        'DEFAULT': {'compute_driver': 'libvirt.LibvirtDriver'},
        'glance': {'api_servers': servers.glance33().url}})


class VirtDriversOnGlance33Test(virt_case.SharedTests, virt_case.V2Case):
    """Nova 34, Glance 33."""

    def setUp(self) -> None:
        """Use the shared Nova."""
        super().setUp()
        self.nova = nova()
        self.images = raw.V2(servers.glance33().url, clouds.PROJECT)

    def test_libvirt_fetch_asks_for_the_image_once(self) -> None:
        """``images.fetch_to_raw`` shows what it has just downloaded.

        Another request of Nova sees how the image is then.
        """
        image = self.new_image()
        for _ in range(2):
            with base.recording(servers.glance33()) as recorded:
                self.call('libvirt_driver.fetch_image', image,
                          path=str(self.path))
            self.assertEqual(['GET /v2/images/ID', 'GET /v2/images/ID/file'],
                             recorded.calls)
            self.check_data(self.path.read_bytes())
            self.path.unlink()

    def test_libvirt_copy_to_store(self) -> None:
        """``Rbd.copy_to_store``: a copy by Glance, and its end.

        By default, Glance only lets administrators copy.
        """
        image = self.new_image(public=True)
        (location,) = self.call('nova34.copy_to_store', image, store='slow',
                                admin=True)
        self.assertIn('/slow/' + image, location)
        self.assertEqual({'fast', 'slow'}, set(
            self.properties(image)['stores'].split(',')))

    def test_libvirt_cache_image(self) -> None:
        """``LibvirtDriver.cache_image``."""
        path = pathlib.Path(self.call('nova34.cache_image',
                                      self.new_image()))
        self.check_data(path.read_bytes())

    def test_libvirt_rescue(self) -> None:
        """What ``LibvirtDriver.rescue`` reads of the server's image."""
        image = self.new_image()
        for function in 'rescue', 'rescue_from_volume':
            self.assertEqual([image, 'raw', 'linux'],
                             self.call('nova34.' + function, image))

    def test_zvm_import(self) -> None:
        """``ZVMDriver._import_spawn_image``."""
        image = self.new_image()
        self.call('nova34.zvm_import', image, folder=str(self.folder))
        self.check_data((self.folder / image).read_bytes())

    def test_zvm_snapshot(self) -> None:
        """``ZVMDriver.snapshot``: from a file that is open as text."""
        image = self.check_upload('nova34.zvm_snapshot',
                                  folder=str(self.folder))
        self.assertEqual('zvm', self.properties(image)['hypervisor_type'])

    def test_zvm_snapshot_that_fails(self) -> None:
        """``ZVMDriver.snapshot`` deletes the image."""
        self.path.write_bytes(b'')
        for fails in 'guest_capture', 'image_export':
            image = self.new_image(None)
            self.assertRaises(
                nova_process.NovaError, self.call, 'nova34.zvm_snapshot',
                image, path=str(self.path), folder=str(self.folder),
                fails=fails)
            self.assertFalse(self.exists(image))
        image = self.new_image(b'data, so that the upload fails')
        self.assertRaises(
            nova_process.NovaError, self.call, 'nova34.zvm_snapshot', image,
            path=str(self.path), folder=str(self.folder))
        self.assertFalse(self.exists(image))


class PageTest(virt_page.PageTest):
    """The page of virt drivers names all calls of Nova 34."""

    def test_all_calls(self) -> None:
        """A new call is noticed, and so is one that has gone."""
        self.check(nova_virtualenv.virt_drivers(), '34')
