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

"""The virt drivers of Nova 15 through v1, with a Glance that has only v1.

This module is removed together with the v1 driver.
"""

import typing

from nova_image.tests.fixtures import nova_process
from nova_image.tests.legacy import clouds
from nova_image.tests.legacy import v1_clouds
from nova_image.tests.legacy import virt_case

_META = 'x-image-meta-'


@nova_process.once
def nova() -> nova_process.NovaProcess:
    """Nova's drivers, with v1 of Glance 15."""
    return virt_case.nova(v1_clouds.glance_v1().url, use_v1=True)


class V1Test(virt_case.Nova15Case):
    """``[glance] use_glance_v1 = True``."""

    def setUp(self) -> None:
        """Use the shared Nova."""
        super().setUp()
        self.nova = nova()
        self.images = v1_clouds.Images(v1_clouds.glance_v1().url,
                                       clouds.PROJECT)

    def _headers(self, image: str) -> dict[str, str]:
        try:
            answer = self.images.http.ask('HEAD', self.images.path(image))
        except AssertionError:
            return {}
        return {name.lower(): value
                for name, value in answer.headers.items()}

    def exists(self, image: str) -> bool:
        """Return whether an image exists."""
        return self._headers(image).get(_META + 'deleted') == 'False'

    def status(self, image: str) -> str:
        """Return the status of an image."""
        return self._headers(image)[_META + 'status']

    def properties(self, image: str) -> dict[str, typing.Any]:
        """Return the custom properties of an image."""
        begin = _META + 'property-'
        return {name[len(begin):]: value
                for name, value in self._headers(image).items()
                if name.startswith(begin)}

    def test_libvirt_rbd_clone(self) -> None:
        """v1 shows no location, so Nova downloads instead."""
        error = self.assertRaises(
            nova_process.NovaError, self.call, 'libvirt_driver.rbd_clone',
            self.new_image(), where='file://')
        self.assertEqual('ImageUnacceptable', error.kind)

    def test_libvirt_rbd_parent_pool(self) -> None:
        """v1 shows no location, so Nova uploads its snapshots."""
        error = self.assertRaises(
            nova_process.NovaError, self.call,
            'libvirt_driver.rbd_parent_pool', self.new_image())
        self.assertEqual('ImageUnacceptable', error.kind)
