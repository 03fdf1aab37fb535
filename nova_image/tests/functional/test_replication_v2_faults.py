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


"""Faults of the end of a replication for v2, on Glance 15 and 33."""

from nova_image.tests.functional import replication_v2_faults
from nova_image.tests.functional import test_replication_v2 as usual


class FaultsOnGlance33Test(usual.OnGlance33, replication_v2_faults.Faults):
    """Faults on Glance 33."""


class FaultsOnGlance15Test(usual.OnGlance15, replication_v2_faults.Faults):
    """Faults on Glance 15."""
