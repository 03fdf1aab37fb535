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

"""Any images from v2 to v2, on real servers."""

from nova_image.tests import fixtures
from nova_image.tests.functional import replication_matrix as matrix
from nova_image.tests.functional import servers


class MatrixOnGlance33Test(matrix.Matrix):
    """From Glance 33 to Glance 33."""

    @property
    def places(self) -> tuple[fixtures.Service, fixtures.Service]:
        """The source and the target."""
        return servers.glance33(), matrix.glance_on_mariadb()


class MatrixFromGlance15Test(matrix.Matrix):
    """From the v2 of Glance 15 to Glance 33."""

    modern = False
    # The first run has learned that visibility=all is refused.
    listings = ['GET /v2/images'] * 2, ['GET /v2/images'] * 2

    @property
    def places(self) -> tuple[fixtures.Service, fixtures.Service]:
        """The source and the target."""
        return servers.glance15(), matrix.glance_on_mariadb()
