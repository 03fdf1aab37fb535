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

from nova_image.tests.chaos import images
from nova_image.tests.chaos import storm
from nova_image.tests.chaos import tool
from nova_image.tests.chaos import watcher
from nova_image.tests.chaos import world
from nova_image.tests import fixtures
from nova_image.tests.fixtures import paths
from nova_image.tests.functional import servers
from nova_image.tests.functional import worker_case

_RUNS = int(os.environ.get('NOVA_IMAGE_CHAOS', '50'))
_ONLY = os.environ.get('NOVA_IMAGE_SEED')
#: one seed of so many reads from v1
_V1 = 5
#: one seed of so many has workers that share the work
_WORKERS = 3
#: seconds for which the lock of a worker outlives it
_LIFETIME = 3
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
    :ivar workers: whether the commands share the work
    """

    def __init__(self, case: ChaosTest, seed: int) -> None:
        self.workers = seed % _WORKERS == 0
        self.facts: dict[str, typing.Any] = {
            'seed': seed, 'passed': False, 'workers': self.workers,
            'struck': {}}
        self._case = case
        self._began = time.monotonic()
        self._chance = random.Random('tools %d' % seed)
        self._folder = pathlib.Path(
            case.useFixture(lib_fixtures.TempDir()).path)
        self._tools: list[tool.Tool] = []
        self._lock = threading.Lock()
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

    def note(self, what: str, count: int = 1) -> None:
        """Count something that has happened."""
        struck = self.facts['struck']
        if count:
            struck[what] = struck.get(what, 0) + count

    def kill_tools(self, most: int | None = None) -> int:
        """Kill running commands; return their number.

        :param most: how many to kill; all if None
        """
        with self._lock:
            found = [one for one in self._tools if one.running]
            self._chance.shuffle(found)
            for one in found[:most]:
                one.kill()
            return len(found[:most])

    def start_another(self) -> None:
        """Start a second command."""
        self._start(2)

    def _start(self, place: int, *options: str) -> tool.Tool:
        """Start a command.

        :param place: number of the machine of a worker
        """
        with self._lock:
            one = tool.Tool(
                self.scene, self._folder, len(self._tools), '--transfers',
                str(self._chance.randint(1, 4)), *options,
                **self._of_worker(place) if self.workers else {})
            self._tools.append(one)
            return one

    def _of_worker(self, place: int) -> dict[str, str]:
        home = self._folder / ('machine-%d' % place)
        home.mkdir(exist_ok=True)
        return {'home': home.name, 'coordination_url':
                worker_case.OnRedis().find_url(_LIFETIME)}

    @property
    def _places(self) -> range:
        """The machines on which a command is started."""
        return range(2 if self.workers else 1)

    def _rage(self) -> None:
        """Replicate again and again while disasters happen."""
        chance = self.scene.chance
        self.scene.target.proxy.bandwidth = chance.choice(
            (300_000, 1_000_000, 3_000_000))
        weather = storm.Storm(self, self.facts['seed'], chance)
        self.facts['disasters'] = weather.names
        weather.start()
        try:
            running: dict[int, tool.Tool] = {}
            while not weather.over.is_set():
                for place in self._places:
                    if place not in running or not running[place].running:
                        running[place] = self._start(place)
                time.sleep(0.02)
        finally:
            weather.finish()
        if self._chance.random() < 0.5:
            self.note('worker killed' if self.workers else 'command killed',
                      self.kill_tools())
        for one in self._tools:
            one.wait(_DEADLINE)

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
            started = [self._start(place, *options)
                       for place in self._places]
            for one in started:
                self._case.assertIn(one.wait(_DEADLINE), (0, 15), one.errors)
            outcomes = started[0].outcomes
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
        one = self._start(0)
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
