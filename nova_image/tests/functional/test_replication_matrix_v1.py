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

"""Any images from and to v1, on real servers. Removed with the v1 driver."""

import typing

from nova_image.tests import fixtures
from nova_image.tests.functional import replication_images as images
from nova_image.tests.functional import replication_matrix as matrix
from nova_image.tests.functional import servers


@servers.once
def other_glance15() -> fixtures.LegacyGlance:
    """Return a Glance 15 that images are written to."""
    return fixtures.LegacyGlance()


class FromV1ToV2Test(matrix.Matrix):
    """From the v1 of Glance 15 to Glance 33.

    v1 lists no community images of others, and returns no data of an image
    that is deactivated.
    """

    apis = 'v1', 'v2'
    modern = False
    unlisted: tuple[str, ...] = ('community',)
    listings = ['GET /v1/images/detail'] * 2, ['GET /v2/images'] * 2

    @property
    def places(self) -> tuple[fixtures.Service, fixtures.Service]:
        """The source and the target."""
        return servers.glance15(), matrix.glance_on_mariadb()

    def shown(self, name: str, raw: images.Raw, image: images.Image
              ) -> typing.Any:
        """Return a field in a form that both ends have.

        To v1, an image without members is both private and shared, and one
        of the community is not public.
        """
        found = super().shown(name, raw, image)
        if (name, found, self.apis[0]) == ('visibility', 'community', 'v1'):
            return 'private'
        if name == 'visibility' and not image.members:
            return found.replace('shared', 'private')
        return found

    def check_members(self, image: images.Image, copy: images.Raw) -> None:
        """Check the members, whose statuses v1 does not have."""
        if image.members:
            self.assertEqual(set(image.members), set(self.members(copy)))


class FromV1ToV1Test(FromV1ToV2Test):
    """From Glance 15 to Glance 15."""

    apis = 'v1', 'v1'
    listings = ['GET /v1/images/detail'] * 2, ['GET /v1/images/detail'] * 2

    @property
    def places(self) -> tuple[fixtures.Service, fixtures.Service]:
        """The source and the target."""
        return servers.glance15(), other_glance15()


class FromV2ToV1Test(FromV1ToV2Test):
    """From Glance 33 to Glance 15: what v1 can hold."""

    apis = 'v2', 'v1'
    modern = True
    unlisted = ()
    listings = ['GET /v2/images'] * 2, ['GET /v1/images/detail'] * 2

    @property
    def places(self) -> tuple[fixtures.Service, fixtures.Service]:
        """The source and the target."""
        return servers.glance33(), other_glance15()
