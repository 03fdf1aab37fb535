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

"""Runs a plan: the driver against a modelled Glance and an adversary."""

import collections.abc
import contextlib
import functools
import typing
import unittest.mock
import uuid

from oslo_config import cfg

from nova_image import conf as nova_image_conf
from nova_image.image import driver as image_driver
from nova_image.image import endpoint
from nova_image.tests.functional.model import calls
from nova_image.tests.functional.model import judge
from nova_image.tests.functional.model import other
from nova_image.tests.functional.model import plans
from nova_image.tests.functional.model import transport
from nova_image.tests.functional.model import world as worlds

#: the most requests of one call; more means that it never ends
MOST = 400

Patch = unittest.mock.patch


class Clock:
    """The time of a plan, which passes only while the driver sleeps."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        """Return the seconds since an arbitrary moment."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.time += seconds


@functools.lru_cache(maxsize=None)
def configuration(name: str, import_uploads: bool) -> cfg.ConfigOpts:
    """Return the options of a driver, ``v1`` or ``v2``."""
    conf = cfg.ConfigOpts()
    nova_image_conf.register_opts(conf)
    conf([], project='nova_image', default_config_files=[],
         default_config_dirs=[])
    for option, value in (
            ('use_glance_v1', name == 'v1'), ('num_retries', 2),
            ('api_servers', ['http://glance:9292']),
            ('import_uploads', import_uploads), ('import_timeout', 300),
            ('import_stall_timeout', 200), ('location_timeout', 100)):
        conf.set_override(option, value, 'glance')
    return conf


@contextlib.contextmanager
def _replaced(clock: Clock) -> collections.abc.Iterator[None]:
    """Replace the time, what is random and what the process has learned."""
    numbers = iter(range(1, 1000))
    with contextlib.ExitStack() as stack:
        for name, value in (
                ('oslo_utils.timeutils.now', clock.now),
                ('random.uniform', lambda low, high: high),
                ('uuid.uuid4', lambda: uuid.UUID(
                    int=0xdddd << 112 | next(numbers))),
                ('nova_image.image.endpoint.HEALTH', endpoint.Health()),
                ('nova_image.image.endpoint._KNOWLEDGE', {})):
            stack.enter_context(Patch(name, value))
        yield


class Run:
    """One run of a plan.

    :param plan: the plan
    :param new_server: makes the server from its world
    :ivar story: a line for each call and request
    :ivar violations: a line for each broken invariant
    """

    def __init__(self, plan: plans.Plan, new_server: collections.abc.Callable[
            [worlds.World], typing.Any]) -> None:
        self.plan = plan
        self.world = plans.world_before(plan.glance)
        self._server = new_server(self.world)
        self.story = [str(plan)]
        self.violations: list[str] = []
        self._is_quiet = plan.glance.work == 'done'

    @property
    def account(self) -> str:
        """What has happened, in order, and what is wrong with it."""
        return '\n'.join(['a plan of the model breaks the rule of undo:'] +
                         self.story + ['!! ' + one for one in self.violations])

    def run(self) -> list[str]:
        """Make all calls; return the violations."""
        clock = Clock()
        with _replaced(clock):
            driver = image_driver.load(
                configuration(self.plan.driver, self.plan.import_uploads),
                log_is_ready=False, sleep=clock.sleep)
            for call, steps in zip(self.plan.calls, self.plan.steps,
                                   strict=True):
                self._call(driver, call, steps)
                if self.violations:
                    break
        return self.violations

    def _call(self, driver: image_driver.ImageDriver, call: plans.Call,
              steps: tuple[plans.Step, ...]) -> None:
        self.world.begin_call()
        adapter = self._adapter(call, {
            (step.reads, step.at): step for step in steps})
        end = judge.End()
        self.story.append('* %s' % call)
        with Patch('requests.Session.get_adapter',
                   lambda session, url: adapter):
            try:
                end.result = calls.make(driver, call)
            except KeyboardInterrupt as error:
                if not adapter.interrupted:
                    raise  # it is a real one
                end.error = error
            except Exception as error:  # the judge decides
                end.error = error
        end.deleted, end.is_quiet = adapter.deleted, self._is_quiet
        self._is_quiet = False  # an earlier call may be in the way
        end.is_corrupt = adapter.is_corrupt
        self.story += adapter.log + ['-> %s' % end]
        self.violations += judge.Judge(
            self.world, self.plan, call, end).violations()

    def _adapter(self, call: plans.Call,
                 steps: dict[tuple[bool, int], plans.Step]
                 ) -> transport.Adapter:
        client = other.OtherClient(self._server, call)

        def fault(reads: bool, number: int) -> str | None:
            if number > MOST:
                raise AssertionError('the call does not end: %s' % call)
            step = steps.get((reads, number))
            self._is_quiet &= step is None
            return step.fault if step else None

        def then(reads: bool, number: int, image_id: str | None) -> str:
            step = steps.get((reads, number))
            what = step.other if step else None
            return client.act(what, image_id or call.image) if what else ''

        return transport.Adapter(self._server, fault, then)
