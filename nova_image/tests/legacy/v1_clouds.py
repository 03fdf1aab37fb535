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

"""The services that only the tests of v1 use.

This module is removed together with the v1 driver.
"""

from nova_image.tests import fixtures
from nova_image.tests.functional import servers as shared
from nova_image.tests.legacy import clouds
from nova_image.tests.legacy import raw

_OCTETS = {'Content-Type': 'application/octet-stream'}


class Images(raw.Images):
    """Images through v1: metadata in headers."""

    api = 'v1'
    deleted = 200

    def create(self, spec: raw.Spec) -> str:
        """Create an image and return its ID."""
        fields = spec.fields() | {'is_public': spec.public} | {
            'property-' + name: value
            for name, value in spec.properties.items()}
        headers = {'x-image-meta-' + name: str(value).encode()
                   for name, value in fields.items()}
        return self.http.ask(
            'POST', '/v1/images', 201, data=spec.data,
            headers=headers | _OCTETS).json()['image']['id']

    def data(self, image_id: str) -> bytes:
        """Return an image's data."""
        return self.http.ask('GET', self.path(image_id)).content


@shared.once
def glance_v1() -> fixtures.LegacyGlance:
    """A Glance that serves only v1, with the images of clouds.glance_v2()."""
    return fixtures.LegacyGlance(apis=('v1',), data_of=clouds.glance_v2(),
                                 options=clouds.FORMATS)


@shared.once
def nova_v1() -> fixtures.LegacyNova:
    """A Nova with nova_image's driver for v1."""
    return clouds.with_nova_image(glance_v1(), 'true')


def by_v1() -> clouds.Cloud:
    """Return the cloud that has only v1."""
    return clouds.Cloud('v1', 'GlanceImageService', nova_v1(),
                        Images(glance_v1().url, clouds.PROJECT))
