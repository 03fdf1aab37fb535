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

"""Draws plans for a modelled Glance from seeds, and runs them."""

import logging
import os
import typing

import fixtures as lib_fixtures
import testtools

from nova_image.image import driver as image_driver
from nova_image.tests.functional.model import cures as all_cures
from nova_image.tests.functional.model import plans
from nova_image.tests.functional.model import run
from nova_image.tests.functional import transfer_faults

#: the environment variable with the number of plans for each driver
VARIABLE = 'NOVA_IMAGE_PLANS'
DEFAULT = 300
#: the number of plans that find any cure that is taken out
ENOUGH = 5000


class UndoModelTestCase(testtools.TestCase):
    """Base class: a driver and the server that it uses.

    :cvar driver: ``v1`` or ``v2``
    :cvar new_server: the class of the server
    :cvar cures: those of the driver, {name: what takes it out}
    """

    driver = ''
    new_server: typing.Any = None
    cures: dict[str, all_cures.Mutation] = {}

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(lib_fixtures.FakeLogger(level=logging.CRITICAL))
        self.number = int(os.environ.get(VARIABLE) or DEFAULT)

    def check_plans(self) -> None:
        """Run plans; fail with a short one that breaks an invariant."""
        asked = os.environ.get(transfer_faults.VARIABLE)
        for seed in map(int, asked.split(',')) if asked else (
                range(self.number)):
            one = self._run(plans.drawn(self.driver, seed))
            if one.violations:
                self.fail('seed %d: %s' % (seed, self._shortest(one).account))

    def check_teeth(self) -> None:
        """Take each cure out; fail if the plans do not find one."""
        if self.number < ENOUGH:
            self.skipTest('set %s=%d to take the cures out of the drivers' % (
                VARIABLE, ENOUGH))
        found = {name: self.find(cure) for name, cure in self.cures.items()}
        self.assertEqual([], [name for name in found if not found[name]])

    def find(self, cure: all_cures.Mutation) -> str | None:
        """Return how the plans find that a driver lacks a cure, or None.

        A plan counts that breaks an invariant only without the cure.
        """
        kind = type(image_driver.load(run.configuration(self.driver, False),
                                      log_is_ready=False))
        for seed in range(self.number):
            plan = plans.drawn(self.driver, seed)
            with cure(kind):
                found = self._run(plan).violations
            if found and not self._run(plan).violations:
                return 'seed %d: %s' % (seed, '; '.join(found))
        return None

    def _run(self, plan: plans.Plan) -> run.Run:
        one = run.Run(plan, type(self).new_server)
        one.run()
        return one

    def _shortest(self, one: run.Run) -> run.Run:
        """Return a run of a plan that is as short as it gets."""
        for plan in plans.simpler(one.plan):
            other = self._run(plan)
            if other.violations:
                return self._shortest(other)
        return one
