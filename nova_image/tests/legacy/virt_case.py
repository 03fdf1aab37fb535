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

"""The virt drivers that only Nova 15 has, and the Nova for all of them."""

import gzip
import io
import tarfile

from nova_image.tests.fixtures import legacy
from nova_image.tests.fixtures import nova_process
from nova_image.tests.fixtures import nova_virtualenv
from nova_image.tests.functional import virt_case


def nova(url: str, use_v1: bool = False) -> nova_process.NovaProcess:
    """Return Nova's virt drivers; they are not started yet.

    :param url: the URL of Glance
    :param use_v1: the option ``[glance] use_glance_v1``
    """
    return nova_process.NovaProcess(
        nova_virtualenv.legacy_virt_drivers(legacy.require_python27()), {
            'DEFAULT': {'compute_driver': 'libvirt.LibvirtDriver',
                        'use_neutron': 'false'},
            'api': {'auth_strategy': 'noauth2'},
            'glance': {'api_servers': url, 'use_glance_v1': str(use_v1)}})


class Nova15Case(virt_case.SharedTests, virt_case.VirtCase):
    """Hyper-V, and the disks of XenAPI that pass Nova."""

    def test_hyperv_snapshot(self) -> None:
        """``SnapshotOps._save_glance_image``: from a file."""
        self.check_upload('nova15.hyperv_snapshot')

    def test_hyperv_cache(self) -> None:
        """``ImageCache.get_cached_image`` and ``get_image_details``."""
        image = self.new_image(name='for hyperv')
        path, name = self.call('nova15.hyperv_cache', image,
                               folder=str(self.folder))
        self.assertEqual((str(self.folder / image) + '.vhd', 'for hyperv'),
                         (path, name))
        self.check_data((self.folder / (image + '.vhd')).read_bytes())

    def test_xenapi_raw_disk(self) -> None:
        """``vm_utils._fetch_disk_image``: into an open file."""
        self.check_download('nova15.xenapi_fetch_disk')

    def test_xenapi_tgz(self) -> None:
        """``VdiThroughDevStore``: from a pipe, and back from an iterator."""
        self.path.write_bytes(virt_case.DATA)
        image = self.new_image(None)
        self.call('nova15.xenapi_upload_tgz', image, path=str(self.path))
        archive = io.BytesIO(gzip.decompress(self.images.data(image)))
        with tarfile.open(fileobj=archive) as tar:
            member = tar.extractfile('disk.raw')
            assert member is not None
            self.check_data(member.read())
        self.path.unlink()
        self.call('nova15.xenapi_fetch_disk', image, path=str(self.path))
        self.check_data(self.path.read_bytes())
