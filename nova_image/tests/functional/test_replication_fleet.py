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

"""The simulation of large fleets: what must hold for its figures to count."""

import dataclasses
import random
import typing

import testtools

from benchmarks.fleet import fleet
from benchmarks.fleet import setups
from benchmarks.fleet import simulated

_GIB = setups.GIB


class FleetTest(testtools.TestCase):
    """Small fleets."""

    def simulate(self, **options: typing.Any) -> fleet.Simulation:
        """Run a simulation of 300 images and 5 workers."""
        simulation = fleet.Simulation(setups.Setup(**{
            'images': 300, 'workers': 5, 'lifetime': 6.0, **options}),
            setups.figures())
        simulation.run()
        return simulation

    def check_all_copied(self, simulation: fleet.Simulation) -> None:
        """Check that each image was copied, and counted once."""
        result, images = simulation.result, simulation.images
        self.assertEqual({images.DONE}, set(images.state))
        self.assertEqual(len(images.all), len(result.done_at))
        self.assertEqual(sum(image.size for image in images.all),
                         result.size)
        self.assertEqual(len(images.all), sum(result.shares.values()))
        self.assertEqual(len(images.all) + result.cut + result.failed,
                         result.begun)

    def test_all_images_once(self) -> None:
        for options in ({}, {'refresh': True}, {'workers': 1}):
            simulation = self.simulate(**options)
            self.check_all_copied(simulation)
            self.assertEqual(0, simulation.result.cut)
            self.assertEqual(0, simulation.result.both)
            for number in range(1, 4):
                requests = simulation.result.requests['target %d' % number]
                self.assertGreaterEqual(requests['create'], 300)

    def test_same_seed_same_result(self) -> None:
        one, same, other = (dataclasses.asdict(self.simulate(
            seed=seed, losses=(setups.Loss(2),)).result)
            for seed in (1, 1, 2))
        self.assertEqual(one, same)
        self.assertNotEqual(one['done_at'], other['done_at'])

    def test_killed_workers(self) -> None:
        for refresh in (False, True):
            simulation = self.simulate(losses=(setups.Loss(2),),
                                       refresh=refresh)
            self.check_all_copied(simulation)
            self.assertGreater(simulation.result.cut, 0)
            self.assertLessEqual(simulation.result.cut, 2 * 4)
            self.assertEqual(simulation.result.cut,
                             len(simulation.result.taken_over))
            # A lock has been renewed within the third of its lifetime.
            self.assertGreaterEqual(min(simulation.result.taken_over), 4.0)
            self.assertEqual(0, simulation.result.both)

    def lose_the_locks(self, careless: bool) -> fleet.Simulation:
        """Let five of ten workers lose their locks, but not their lives."""
        loss = setups.Loss(5, when=0.1, alive=True, careless=careless)
        return self.simulate(losses=(loss,), median=20 * _GIB, images=40,
                             workers=10)

    def test_workers_without_locks_end_in_time(self) -> None:
        simulation = self.lose_the_locks(careless=False)
        self.check_all_copied(simulation)
        self.assertGreater(simulation.result.cut, 0)
        self.assertEqual(0, simulation.result.both)

    def test_two_at_work_are_noticed(self) -> None:
        # Ours are never careless: it is the simulation that is tested here.
        simulation = self.lose_the_locks(careless=True)
        self.assertGreater(simulation.result.both, 0)

    def test_failures_are_made_good(self) -> None:
        simulation = self.simulate(failures=0.2)
        self.check_all_copied(simulation)
        self.assertGreater(simulation.result.failed, 0)
        self.assertGreater(simulation.source.failed, 0)

    def test_nothing_to_do(self) -> None:
        result = self.simulate(present=True, compared=True,
                               failures=0.0).result
        self.assertEqual(0, result.begun)
        # One page and the empty one, of each end, for each target.
        self.assertEqual(5 * 3 * (2 + 2), result.total)

    def test_a_slow_target_slows_all(self) -> None:
        quick, slow = (self.simulate(
            workers=10, cores=4, slow=factor).result for factor in (1, 4))
        self.assertGreater(slow.copied, 3 * quick.copied)
        self.assertLess(slow.copied, 5 * quick.copied)

    def test_links_are_never_faster_than_they_are(self) -> None:
        setup = {'workers': 20, 'images': 2000, 'network': 1e9}
        result = self.simulate(**setup).result
        self.assertLess(result.size / result.copied, 1e9)
        self.assertGreater(result.size / result.copied, 0.8e9)


class ServicesTest(testtools.TestCase):
    """The parts of the simulation."""

    def test_requests_queue(self) -> None:
        cost = simulated.Cost((2.0, 2.0))
        glance = simulated.Glance({'show': cost}, 2, 1.0, 1.0, 0.0,
                                  random.Random(1))
        self.assertEqual([2, 2, 4, 4, 6], [
            glance.ask(0, 'show') for _ in range(5)])
        self.assertEqual(12, glance.ask(10, 'show'))
        self.assertEqual(15, glance.ask_many(11, 'show', 4, 2) - 1)

    def test_mean_of_a_cost(self) -> None:
        for kind, figures in setups.figures()['requests'].items():
            cost = simulated.Cost.measured(figures)
            table = cost.table()
            for mean in (cost.mean, sum(table) / len(table)):
                self.assertTrue(0.9 < mean / figures['cpu'] < 1.1, kind)

    def test_locks_end(self) -> None:
        locks = simulated.Locks(30)
        self.assertTrue(locks.acquire(0, 1, 'a'))
        self.assertFalse(locks.acquire(1000, 1, 'b'))
        locks.abandon('a', 1000)
        self.assertFalse(locks.acquire(1029, 1, 'b'))
        self.assertTrue(locks.acquire(1031, 1, 'b'))
        locks.release(1, 'a')
        self.assertFalse(locks.acquire(1032, 1, 'c'))
