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

"""Nova 15's XenAPI driver with a Glance that has only v1.

This module is removed together with the v1 driver.
"""

import typing

from nova_image.tests.fixtures import nova_process
from nova_image.tests.legacy import clouds
from nova_image.tests.legacy import v1_clouds
from nova_image.tests.legacy import xen_case

_META = 'x-image-meta-'


@nova_process.once
def nova() -> nova_process.NovaProcess:
    """Nova's driver, which stock Nova 15 cannot use with such a Glance."""
    return xen_case.nova(v1_clouds.glance_v1().url, use_v1=True)


class V1Test(xen_case.XenCase):
    """With v1 of Glance 15."""

    data_path = '/v1/images/'
    puts_before_data = 1

    def setUp(self) -> None:
        """Use the shared Nova."""
        super().setUp()
        url = v1_clouds.glance_v1().url
        self.use(nova(), v1_clouds.Images(url, clouds.PROJECT), url)

    def _headers(self, image: str) -> dict[str, str]:
        headers = self.images.http.ask(
            'HEAD', self.images.path(image)).headers
        return {name.lower(): value for name, value in headers.items()}

    def shown(self, image: str) -> dict[str, typing.Any]:
        """Return the fields of an image that must not change."""
        found = self._headers(image)
        return {name: found.get(_META + name) for name in (
            'name', 'owner', 'is_public', 'protected', 'min_disk', 'status',
            'disk_format', 'container_format')}

    def properties(self, image: str) -> dict[str, str]:
        """Return the custom properties of an image."""
        begin = _META + 'property-'
        return {name[len(begin):]: value
                for name, value in self._headers(image).items()
                if name.startswith(begin)}
