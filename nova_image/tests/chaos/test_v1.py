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


"""Chaos between a Glance with the Images API v1 and one with v2."""

from nova_image.tests.chaos import case
from nova_image.tests import fixtures
from nova_image.tests.functional import servers


@servers.once
def source_glance() -> fixtures.LegacyGlance:
    """A Glance 15 to read from."""
    return fixtures.LegacyGlance()


@case.with_seeds
class ChaosV1Test(case.ChaosTest):
    """From Glance 15 to Glance 33."""

    api = 'v1'

    def source_glance(self) -> fixtures.Service:
        """Return the Glance to read from."""
        return source_glance()
