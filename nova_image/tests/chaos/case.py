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


"""A run of chaos: disasters during a replication, then clean runs."""

import collections.abc
import contextlib
import hashlib
import json
import os
import pathlib
import random
import threading
import time
import typing

import fixtures as lib_fixtures
import testtools
from testtools import content
from testtools import content_type

from nova_image.tests.chaos import disasters
from nova_image.tests.chaos import images
from nova_image.tests.chaos import tool
from nova_image.tests.chaos import watcher
from nova_image.tests.chaos import world
from nova_image.tests import fixtures
from nova_image.tests.fixtures import paths
from nova_image.tests.functional import servers

_RUNS = int(os.environ.get('NOVA_IMAGE_CHAOS', '50'))
_ONLY = os.environ.get('NOVA_IMAGE_SEED')
#: one seed of so many reads from v1
_V1 = 5
#: seconds in which disasters happen
_WINDOW = 4.0
#: seconds that a run may take
_DEADLINE = 120
_CLEAN_RUNS = 3
_ENDED = ('same', 'copied', 'updated')


def seeds(api: str) -> list[int]:
    """Return the seeds of the runs that read from v1, or from v2."""
    wanted = range(_RUNS) if _ONLY is None else [int(_ONLY)]
    return [seed for seed in wanted
            if (seed % _V1 == _V1 - 1) == (api == 'v1')]


def with_seeds(case: type['ChaosTest']) -> type['ChaosTest']:
    """Give a class a test for each of its seeds."""
    for seed in seeds(case.api):
        def test(self: 'ChaosTest', seed: int = seed) -> None:
            self.check_seed(seed)
        setattr(case, 'test_seed_%03d' % seed, test)
    return case


class ChaosTest(testtools.TestCase):
    """Runs of chaos.

    :cvar api: the API of the source
    """

    api = 'v2'

    def source_glance(self) -> fixtures.Service:
        """Return the Glance to read from."""
        raise NotImplementedError

    def setUp(self) -> None:
        """Show the logs of the servers if a test fails."""
        super().setUp()
        self.addOnException(self._show_logs)

    def _show_logs(self, exc_info: typing.Any) -> None:
        for name, text in servers.logs().items():
            self.addDetail(name, content.text_content(text))

    def check_seed(self, seed: int) -> None:
        """Do the run of a seed, and check everything about it."""
        Run(self, seed).check()


class Run:
    """The run of one seed.

    :ivar scene: the images and the servers
    :ivar facts: what has happened, for people
    """

    def __init__(self, case: ChaosTest, seed: int) -> None:
        self.facts: dict[str, typing.Any] = {'seed': seed,
                                             'passed': False}
        self._case = case
        self._began = time.monotonic()
        self._chance = random.Random('tools %d' % seed)
        self._folder = pathlib.Path(
            case.useFixture(lib_fixtures.TempDir()).path)
        self._tools: list[tool.Tool] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._errors: list[Exception] = []
        self.scene = world.World(
            self._server(case.source_glance(), case.api),
            self._server(world.target_glance(), 'v2'), case.api,
            random.Random(seed))
        case.addCleanup(self.scene.wipe)
        case.addCleanup(self._write_facts)
        case.addCleanup(self.kill_tools)
        case.addOnException(self._note_problem)
        case.addDetail('facts', content.Content(
            content_type.UTF8_TEXT,
            lambda: [json.dumps(self.facts, indent=1).encode()]))

    def _server(self, service: fixtures.Service, api: str) -> world.Server:
        return world.Server(service, self._case.useFixture(
            fixtures.FaultyProxy(service.url)), api)

    def check(self) -> None:
        """Do the run, and check everything about it."""
        eye = watcher.Watcher(self.scene)
        eye.start()
        try:
            self._lap('set-up')
            self._rage()
            self._read_the_source()
            self._lap('chaos')
            outcomes = self._clean_up()
            self._lap('clean')
        finally:
            eye.finish()
        self.facts.update(looks=eye.looks, downloads=eye.downloads)
        self._case.assertEqual([], eye.problems[:5])
        self._check_foreign()
        self._check_equal(outcomes)
        self._check_replicas(outcomes)
        self._check_nothing_to_do()
        self.facts['passed'] = True

    def _note_problem(self, exc_info: typing.Any) -> None:
        self.facts.setdefault('problem', str(exc_info[1]))

    def _write_facts(self) -> None:
        self._lap('all')
        with open(paths.below('chaos') / 'figures.jsonl', 'a') as stream:
            stream.write(json.dumps(self.facts) + '\n')

    def _lap(self, name: str) -> None:
        self.facts[name + ' s'] = round(time.monotonic() - self._began, 1)

    # What happens.

    def kill_tools(self) -> None:
        """Kill all commands that are running."""
        with self._lock:
            for one in self._tools:
                if one.running:
                    one.kill()
                    self.facts['killed'] = self.facts.get('killed', 0) + 1

    def start_another(self) -> None:
        """Start a second command."""
        self._start()

    def _start(self, *options: str) -> tool.Tool:
        with self._lock:
            one = tool.Tool(
                self.scene, self._folder, len(self._tools), '--transfers',
                str(self._chance.randint(1, 4)), *options)
            self._tools.append(one)
            return one

    def _rage(self) -> None:
        """Replicate again and again while disasters happen."""
        chance = self.scene.chance
        self.scene.target.proxy.bandwidth = chance.choice(
            (300_000, 1_000_000, 3_000_000))
        plan = sorted(
            (round(chance.uniform(0, _WINDOW), 2), number,
             chance.choice(disasters.ALL))
            for number in range(chance.randint(1, 5)))
        self.facts['disasters'] = [
            '%s at %s s' % (what.__name__, at) for at, _, what in plan]
        thread = threading.Thread(
            target=self._strike, args=([(at, what) for at, _, what in plan],))
        thread.start()
        try:
            while not self._over.is_set():
                one = self._start()
                while one.running and not self._over.is_set():
                    time.sleep(0.02)
        finally:
            thread.join()
        if self._errors:
            raise self._errors[0]
        if self._chance.random() < 0.5:
            self.kill_tools()
        for one in self._tools:
            one.wait(_DEADLINE)

    def _strike(self, plan: collections.abc.Sequence[tuple[
            float, collections.abc.Callable[..., None]]]) -> None:
        """Make the disasters happen: the body of a thread."""
        self._wait_for_writes()
        began = time.monotonic()
        try:
            for at, what in plan:
                time.sleep(max(0, began + at - time.monotonic()))
                what(self)
            time.sleep(max(0, began + _WINDOW - time.monotonic()))
            if any(what is disasters.fill_quota for _, what in plan):
                self.scene.target.die(0)
        except Exception as error:
            self._errors.append(error)
        finally:
            self._over.set()
            for server in self.scene.source, self.scene.target:
                server.calm()

    def _wait_for_writes(self) -> None:
        """Wait until the first command creates an image."""
        end = time.monotonic() + _DEADLINE
        while time.monotonic() < end and not any(
                request.method == 'POST'
                for request in self.scene.target.proxy.requests):
            time.sleep(0.02)

    def _read_the_source(self) -> None:
        """Find out what disasters have made of the source."""
        for picture in self.scene.pictures.values():
            found = self.scene.source.raw.find(picture.id)
            if found:
                picture.raw = found[0]
            else:
                self.scene.gone.add(picture.id)

    def _clean_up(self) -> dict[str, dict[str, typing.Any]]:
        """Replicate until everything is equal; return the last outcomes.

        Glance never accepts data for the IDs of uploads that were in progress
        when it was killed, so they get new ones after the first run.
        """
        options: tuple[str, ...] = ()
        outcomes: dict[str, dict[str, typing.Any]] = {}
        self.facts['unfinished'] = []
        for number in range(_CLEAN_RUNS):
            self.facts['clean_runs'] = number + 1
            one = self._start(*options)
            code = one.wait(_DEADLINE)
            outcomes = one.outcomes
            self._case.assertIn(code, (0, 15), one.errors)
            left = self._unfinished(outcomes)
            if not left:
                break
            self.facts['unfinished'].append(left)
            if self.scene.target.deaths:
                options = '--new-id', '--abandoned-after', '1s'
            time.sleep(1)
        return outcomes

    def _unfinished(self, outcomes: dict[str, dict[str, typing.Any]]
                    ) -> list[str]:
        """Return why images are not equal yet; each must have a reason."""
        left = []
        for image_id, picture in self.scene.pictures.items():
            if picture.clashes or image_id in self.scene.gone:
                continue
            outcome = outcomes[image_id]
            if outcome['result'] not in _ENDED and not self._is_named(
                    picture, outcome):
                self._case.assertTrue(outcome['reason'], outcome)
                left.append('%s: %s' % (outcome['result'],
                                        outcome['reason']))
        return left

    def _is_named(self, picture: images.Image,
                  outcome: dict[str, typing.Any]) -> bool:
        """Return whether nothing can be done about an image.

        v1 does not return the data of deactivated images.
        """
        return bool(self._case.api == 'v1' and outcome['reason'] and
                    picture.raw['status'] == 'deactivated' and
                    outcome['result'] == 'skipped')

    # What is checked.

    def _check_foreign(self) -> None:
        """Check that images of others are as they were."""
        self._case.assertEqual(self.scene.foreign, images.snapshot(
            self.scene.target.raw, self.scene.foreign))

    def _check_equal(self, outcomes: dict[str, dict[str, typing.Any]]
                     ) -> None:
        """Check that each image has an equal replica, or that it is named."""
        target = self.scene.target.raw
        for image_id, picture in self.scene.pictures.items():
            if image_id in self.scene.gone:
                continue
            outcome = outcomes[image_id]
            if picture.clashes:
                self._case.assertEqual('conflict', outcome['result'])
                self._case.assertTrue(outcome['reason'])
                continue
            if self._is_named(picture, outcome):
                continue
            self._case.assertIn(outcome['result'], _ENDED, outcome)
            picture.statuses = {picture.raw['status']}
            found = target.image(outcome['target_image'])
            members = images.members_of(target, found['id']) if (
                found['visibility'] == 'shared') else {}
            self._case.assertEqual([], picture.differences(found) +
                                   picture.member_differences(members))

    def _check_replicas(self, outcomes: dict[str, dict[str, typing.Any]]
                        ) -> None:
        """Check the data of all replicas, and that none is left over."""
        target = self.scene.target.raw
        named = {one['target_image'] for one in outcomes.values()}
        for raw in images.all_of(target):
            picture = self.scene.pictures.get(raw.get(images.MARKER) or '')
            if picture is None:
                continue
            if raw['status'] in ('active', 'deactivated'):
                self._case.assertEqual(
                    hashlib.sha256(picture.data).hexdigest(),
                    hashlib.sha256(target.data(raw['id'])).hexdigest())
            if picture.id not in self.scene.gone:
                self._case.assertIn(raw['id'], named, raw)
            if raw['id'] != picture.id:
                self.facts['new_ids'] = self.facts.get('new_ids', 0) + 1

    def _check_nothing_to_do(self) -> None:
        """Check that another run changes nothing."""
        self.scene.target.proxy.clear()
        one = self._start()
        one.wait(_DEADLINE)
        self._case.assertEqual([], [
            '%s %s' % (request.method, request.path)
            for request in self.scene.target.proxy.requests
            if request.method != 'GET'], one.outcomes)
        for image_id, outcome in one.outcomes.items():
            with contextlib.suppress(KeyError):
                if not self.scene.pictures[image_id].clashes:
                    self._case.assertIn(outcome['result'],
                                        ('same', 'skipped'))
