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

"""Nova's virt drivers with our image drivers, without their hypervisors."""

import io
import os
import pathlib
import random
import struct
import tarfile
import typing

import testtools

from nova_image.tests.fixtures import nova_process
from nova_image.tests.functional import base
from nova_image.tests.functional import loopback
from nova_image.tests.legacy import clouds
from nova_image.tests.legacy import raw

#: more than one piece of a transfer
DATA = random.Random(0).randbytes(3000000)
#: what Glance takes for a disk of VMware that may be uploaded in a stream
VMDK = b''.join((
    struct.pack('<4sIIQQQQIQQ', b'KDMV', 1, 0, 4000, 128, 1, 20, 512, 0, 0
                ).ljust(512, b'\0'),
    b'# Disk DescriptorFile\nversion=1\ncreateType="streamOptimized"\n'
    b'RDONLY 4000 SPARSE "disk.vmdk"\n'.ljust(20 * 512, b'\0'), DATA))
_OVF = b'''<ovf:Envelope xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
<ovf:References><ovf:File ovf:href="disk.vmdk" ovf:id="f"/></ovf:References>
<ovf:DiskSection><ovf:Disk ovf:fileRef="f"/></ovf:DiskSection>
</ovf:Envelope>'''


class VirtCase(testtools.TestCase):
    """Base class: a Nova, a Glance and a folder.

    :ivar nova: the process with Nova's drivers
    :ivar images: a plain HTTP client of the Glance
    :ivar path: of a file with data, or one that does not exist
    """

    nova: nova_process.NovaProcess
    images: raw.Images

    def setUp(self) -> None:
        """Create the folder."""
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(base.folder()).path)
        self.path = self.folder / 'disk'

    def new_image(self, data: bytes | None = DATA, **spec: typing.Any
                  ) -> str:
        """Return the ID of a new image."""
        made = self.images.create(raw.Spec(
            data=data, properties={'os_type': 'linux'}, **spec))
        self.addCleanup(self._delete, made)
        return made

    def _delete(self, image: str) -> None:
        if self.exists(image):
            self.images.delete(image)

    def exists(self, image: str) -> bool:
        """Return whether an image exists."""
        raise NotImplementedError

    def status(self, image: str) -> str:
        """Return the status of an image."""
        raise NotImplementedError

    def call(self, function: str, image: str, **kwargs: typing.Any
             ) -> typing.Any:
        """Call a function about an image."""
        return self.nova.call(function, clouds.PROJECT, image=image, **kwargs)

    def check_data(self, found: bytes, expected: bytes = DATA) -> None:
        """Compare data, without showing it."""
        self.assertTrue(found == expected, '%d bytes instead of %d' % (
            len(found), len(expected)))

    def check_download(self, function: str, data: bytes = DATA,
                       expected: bytes = DATA) -> typing.Any:
        """Check what a function writes to a file; return its value.

        :param data: of the image
        """
        value = self.call(function, self.new_image(data),
                          path=str(self.path))
        self.check_data(self.path.read_bytes(), expected)
        self.path.unlink()
        return value

    def check_upload(self, function: str, data: bytes = DATA,
                     **kwargs: typing.Any) -> str:
        """Check that a function uploads a file; return the image's ID."""
        self.path.write_bytes(data)
        image = self.new_image(None)
        self.call(function, image, path=str(self.path), **kwargs)
        self.check_data(self.images.data(image), data)
        self.assertEqual('active', self.status(image))
        return image


class SharedTests:
    """The drivers that both Nova 15 and Nova 34 have."""

    def test_vmware_file(self: typing.Any) -> None:
        """``images.fetch_image`` of VMware: an iterator."""
        self.check_download('vmware.fetch_image')

    def test_vmware_stream_optimized(self: typing.Any) -> None:
        """``images.fetch_image_stream_optimized``: an iterator."""
        self.assertEqual(4096, self.check_download(
            'vmware.fetch_stream_optimized'))

    def test_vmware_ova(self: typing.Any) -> None:
        """``images.fetch_image_ova``: an archive from an iterator."""
        ova = io.BytesIO()
        with tarfile.open(fileobj=ova, mode='w') as tar:
            for name, data in (('a.ovf', _OVF), ('disk.vmdk.0', DATA)):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
        self.assertEqual(4096, self.check_download(
            'vmware.fetch_ova', ova.getvalue()))

    def test_vmware_snapshot(self: typing.Any) -> None:
        """``images.upload_image_stream_optimized``: from a handle."""
        image = self.check_upload('vmware.upload', VMDK)
        self.assertEqual('streamOptimized', self.properties(image)[
            'vmware_disktype'])

    def test_vmware_location(self: typing.Any) -> None:
        """``images.get_vsphere_location``: there is none in a file store."""
        self.assertIsNone(self.call('vmware.location', self.new_image()))

    def test_libvirt_fetch(self: typing.Any) -> None:
        """``utils.fetch_image``: flat files, qcow2, Ceph without clones."""
        self.check_download('libvirt_driver.fetch_image')

    def test_libvirt_fetch_raw(self: typing.Any) -> None:
        """``utils.fetch_raw_image``: kernels and ramdisks."""
        self.check_download('libvirt_driver.fetch_raw_image')

    def test_libvirt_lvm(self: typing.Any) -> None:
        """``Lvm.create_image``."""
        self.check_download('libvirt_driver.lvm')
        self.check_data((self.folder / 'disk.volume').read_bytes())

    def test_libvirt_ploop(self: typing.Any) -> None:
        """``Ploop.create_image``."""
        self.assertEqual('raw', self.check_download('libvirt_driver.ploop'))

    def test_libvirt_snapshot(self: typing.Any) -> None:
        """``LibvirtDriver.snapshot``: an upload from a file."""
        image = self.check_upload('libvirt_driver.snapshot')
        self.assertEqual('snapshot',
                         self.properties(image)['image_location'])

    def test_libvirt_snapshot_by_location(self: typing.Any) -> None:
        """``LibvirtDriver.snapshot``: the URL of data in a store."""
        store = self.useFixture(loopback.WebStore(DATA))
        self.path.write_bytes(b'not this')
        image = self.new_image(None)
        self.call('libvirt_driver.snapshot', image, path=str(self.path),
                  location=store.url)
        self.check_data(self.images.data(image))

    def test_libvirt_rbd_clone(self: typing.Any) -> None:
        """``Rbd.clone``: the locations of an image."""
        image = self.new_image()
        cloned = self.call('libvirt_driver.rbd_clone', image, where='file://')
        self.assertEqual([image], [os.path.basename(url) for url in cloned])

    def test_libvirt_rbd_parent_pool(self: typing.Any) -> None:
        """``Rbd._get_parent_pool``: the locations of the base image."""
        image = self.new_image()
        self.assertIn(image, self.call('libvirt_driver.rbd_parent_pool',
                                       image))


class V2Case(VirtCase):
    """What a test through v2 reads."""

    def _raw(self, image: str) -> dict[str, typing.Any]:
        found = self.images.http.find(image)
        return dict(found[0]) if found else {}

    def exists(self, image: str) -> bool:
        """Return whether an image exists."""
        return bool(self._raw(image))

    def status(self, image: str) -> str:
        """Return the status of an image."""
        return str(self._raw(image)['status'])

    def properties(self, image: str) -> dict[str, typing.Any]:
        """Return the custom properties of an image, and more."""
        return self._raw(image)
