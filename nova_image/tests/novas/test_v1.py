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

"""Nova 15 with the Images API v1.

This module is removed together with the v1 driver.
"""

from nova_image.tests import fixtures
from nova_image.tests.fixtures import paths
from nova_image.tests.fixtures import services
from nova_image.tests.legacy import clouds
from nova_image.tests.legacy import raw
from nova_image.tests.legacy import v1_clouds
from nova_image.tests.novas import cases
from nova_image.tests.novas import targets


class _Glance15V1(targets.Glance15):
    """Glance 15 that serves only v1."""

    api = 'v1'
    driver = 'GlanceImageService'

    def service(self) -> fixtures.LegacyGlance:
        """Return the Glance."""
        return v1_clouds.glance_v1()

    def images(self) -> raw.Images:
        """Return a plain HTTP client."""
        return v1_clouds.Images(self.service().url, clouds.PROJECT)

    def sections(self) -> services.Sections:
        """Return the part of nova.conf that depends on this Glance."""
        return paths.merge(super().sections(),
                           {'glance': {'use_glance_v1': 'true'}})


globals().update(cases.classes(_Glance15V1(), __name__))
