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

"""The virt drivers of Nova 15 through v2, with a Glance that has only v2."""

from nova_image.tests.fixtures import legacy
from nova_image.tests.fixtures import nova_process
from nova_image.tests.fixtures import nova_virtualenv
from nova_image.tests.functional import virt_case as v2_case
from nova_image.tests.functional import virt_page
from nova_image.tests.legacy import clouds
from nova_image.tests.legacy import raw
from nova_image.tests.legacy import virt_case


@nova_process.once
def nova() -> nova_process.NovaProcess:
    """Nova's drivers, with v2 of Glance 15."""
    return virt_case.nova(clouds.glance_v2().url)


class V2Test(v2_case.V2Case, virt_case.Nova15Case):
    """``[glance] use_glance_v1 = False``."""

    def setUp(self) -> None:
        """Use the shared Nova."""
        super().setUp()
        self.nova = nova()
        self.images = raw.V2(clouds.glance_v2().url, clouds.PROJECT)


class PageTest(virt_page.PageTest):
    """The page of virt drivers names all calls of Nova 15."""

    def test_all_calls(self) -> None:
        """A row for a call that Nova does not have is noticed, too."""
        self.check(nova_virtualenv.legacy_virt_drivers(
            legacy.require_python27()), '15')
