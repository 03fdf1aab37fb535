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

"""An unchanged Nova 15, the basis of the other tests of this package.

Nova 15 no longer has the option that selects v1, so it uses v2.
"""

from nova_image.tests.legacy import cases
from nova_image.tests.legacy import clouds
from nova_image.tests.legacy import raw


class StockTest(cases.BootTest):
    """Nova uses its own image code, although nova_image is installed."""

    def test_boot(self) -> None:
        """A server boots, and its snapshot has its data."""
        nova = clouds.stock_nova()
        self.check_boot(nova, raw.V2(nova.glance.url, clouds.PROJECT))
        for program in cases.PROGRAMS:
            self.assertNotIn('nova_image.host', nova.log(program))
