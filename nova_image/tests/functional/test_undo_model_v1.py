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

"""The rule of undo on a modelled Glance with an adversary, with v1."""

from nova_image.tests.functional.model import cures
from nova_image.tests.functional.model import server_v1
from nova_image.tests.functional import undo_model_case


class UndoModelV1Test(undo_model_case.UndoModelTestCase):
    """Plans with v1."""

    driver = 'v1'
    new_server = server_v1.Server
    cures = cures.BOTH

    def test_no_plan_breaks_the_rule_of_undo(self) -> None:
        self.check_plans()

    def test_the_plans_find_every_cure_that_is_taken_out(self) -> None:
        self.check_teeth()
