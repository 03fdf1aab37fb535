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

"""Nova 15's XenAPI driver through v2, with Glance 15 and Glance 33."""

from nova_image.tests.fixtures import nova_process
from nova_image.tests.functional import servers
from nova_image.tests.legacy import clouds
from nova_image.tests.legacy import raw
from nova_image.tests.legacy import xen_case


@nova_process.once
def nova_on_glance15() -> nova_process.NovaProcess:
    """Nova's driver with a Glance 15 that has only v2."""
    return xen_case.nova(clouds.glance_v2().url)


@nova_process.once
def nova_on_glance33() -> nova_process.NovaProcess:
    """Nova's driver with Glance 33."""
    return xen_case.nova(servers.glance33().url)


class OnGlance15Test(xen_case.V2Case):
    """With v2 of Glance 15."""

    def setUp(self) -> None:
        """Use the shared Nova."""
        super().setUp()
        url = clouds.glance_v2().url
        self.use(nova_on_glance15(), raw.V2(url, clouds.PROJECT), url)


class XenOnGlance33Test(xen_case.V2Case):
    """With Glance 33."""

    def setUp(self) -> None:
        """Use the shared Nova."""
        super().setUp()
        url = servers.glance33().url
        self.use(nova_on_glance33(), raw.V2(url, clouds.PROJECT), url)
