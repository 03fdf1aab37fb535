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

"""The simulation: workers that list, plan, and copy what is theirs.

The ring is tooz's and the order is that of nova_image's own schedule. The
requests of a replica are those of nova_image's end for v2, in its order.
"""

import collections.abc
import inspect
import random
import typing

from benchmarks.fleet import setups
from benchmarks.fleet import simulated
from nova_image.replication import schedule

_SAFE = 0.8
_BATCH = 1000


class Worker:
    """A worker of the fleet.

    :ivar lost: when it was lost; None if it is not
    :ivar at_work: numbers of the images that it transfers
    """

    def __init__(self, setup: setups.Setup, name: str,
                 hashing: float) -> None:
        self.name = name
        self.network = simulated.Link(setup.worker_network)
        self.hashing = simulated.Link(hashing * setup.worker_cores)
        self.lost: float | None = None
        self.loss: setups.Loss | None = None
        self.at_work: set[int] = set()
        self.processes: list[simulated.Process] = []
        self.jobs = schedule.Schedule(())
        self.left = self.busy = 0
        self.began = 0.0
        #: the images of others, and whether they are being looked up
        self.others: list[int] = []
        self.is_listing = False
        self.runs = 0

    @property
    def in_group(self) -> bool:
        """Whether others see it."""
        return self.loss is None


class Simulation:
    """One simulation.

    :param setup: what to simulate
    :param found: the figures of a real Glance
    """

    def __init__(self, setup: setups.Setup,
                 found: dict[str, typing.Any]) -> None:
        self.setup = setup
        self.result = setups.Result()
        self.clock = simulated.Clock()
        self.locks = simulated.Locks(setup.lifetime)
        self._chance = random.Random(setup.seed)
        self.images = setups.Images(setup, self._chance)
        self._hashing(found)
        self.workers = [Worker(setup, 'worker-%d' % number, self._worker_rate)
                        for number in range(setup.workers)]
        self._at_work: dict[int, list[Worker]] = {}
        self._orphans: dict[int, float] = {}
        self._losses = sorted(setup.losses, key=lambda one: one.when)
        self._members: list[Worker] = []
        self._owners: list[int] = []

    def _hashing(self, found: dict[str, typing.Any]) -> None:
        """Make the Glances, and find out how fast data is processed.

        A worker verifies what it downloads, and computes two hashes of what
        it sends to each target.
        """
        setup, hashes, data = self.setup, found['hashes'], found['data']
        one = 1 / hashes['sha512']
        sent = one + 1 / hashes['md5']
        self._worker_rate = 1 / (one + setup.targets * sent)
        costs = setups.costs(found)

        def glance(speed: float, rate: float) -> simulated.Glance:
            return simulated.Glance(
                costs, max(int(setup.cores * speed), 1),
                setup.network * speed, rate, setup.failures, self._chance)

        self.source = glance(1, data['download_per_cpu'])
        self.targets = [glance(
            1 / setup.slow if number == setup.targets - 1 else 1,
            data['upload_per_cpu']) for number in range(setup.targets)]
        self._stream = min(1 / sent, data['upload_per_cpu'])

    def run(self) -> setups.Result:
        """Run the simulation, and return what was found."""
        for worker in self.workers:
            self._begin(worker)
        self.clock.run()
        result = self.result
        end = result.copied or result.planned
        result.requests = {
            name: dict(glance.requests) for name, glance in self._glances()}
        result.requests['locks'] = {'all': self.locks.requests}
        result.used = {name: {
            'processors': glance.busy / end / glance.cores +
            glance.hashing.busy / end,
            'network': glance.network.busy / end}
            for name, glance in self._glances()}
        result.used['worker'] = {
            'processors': max(one.hashing.busy for one in self.workers) / end,
            'network': max(one.network.busy for one in self.workers) / end}
        return result

    def _glances(self) -> collections.abc.Iterator[
            tuple[str, simulated.Glance]]:
        yield 'source', self.source
        for number, target in enumerate(self.targets, 1):
            yield 'target %d' % number, target

    def _begin(self, worker: Worker) -> None:
        """Begin a run of a worker."""
        worker.began = self.clock.now
        worker.others = []
        worker.runs += 1
        self.result.runs += 1
        self._start(worker, self._run(worker))

    def _start(self, worker: Worker, process: simulated.Process) -> None:
        worker.processes = [one for one in worker.processes
                            if inspect.getgeneratorstate(one) !=
                            inspect.GEN_CLOSED]
        worker.processes.append(process)
        self.clock.start(process)

    def _run(self, worker: Worker) -> simulated.Process:
        """List and plan; then start the threads that transfer."""
        yield from self._plan(worker)
        if worker.runs == 1:
            self.result.planned = self.clock.now
        jobs = [schedule.Job(image, None)  # type: ignore[arg-type]
                for image in self._mine(worker)]
        worker.jobs, worker.left = schedule.Schedule(jobs), len(jobs)
        if not self._is_pending():
            return
        worker.busy = self.setup.transfers
        for _ in range(self.setup.transfers):
            self._start(worker, self._transfer(worker))

    def _plan(self, worker: Worker) -> simulated.Process:
        """List the ends, a page of each in turn, and look up members."""
        setup = self.setup
        present = self.images.state.count(self.images.DONE)
        for number, target in enumerate(self.targets):
            source = 0 if setup.once and number else setup.pages
            full = -(-present // 1000) + 1
            for page in range(max(source, full)):
                when = self.clock.now
                if page < source:
                    when = self.source.ask(when, 'list')
                if page < full:
                    when = target.ask(when, 'list')
                yield when + 1000 * setup.planning
                if setup.present and not setup.compared and (
                        page < full - 1):
                    yield self._look_up_members(target)

    def _look_up_members(self, target: simulated.Glance) -> float:
        """Return when the members of a page of images are known."""
        setup = self.setup
        share = 1 / setup.workers if setup.own_members else 1
        count = round(1000 * setup.shared * share)
        when = self.source.ask_many(self.clock.now, 'members', count,
                                    setup.checkers)
        return target.ask_many(when, 'members', count, setup.checkers)

    def _mine(self, worker: Worker) -> list[setups.Image]:
        """Return the images that a worker is the first to try."""
        members = [one for one in self.workers if one.in_group]
        if members != self._members:
            self._members = members
            self._owners = self.images.owners(
                [one.name for one in members], self.setup.partitions)
        if worker not in members:
            return []
        place = members.index(worker)
        state = self.images.state
        return [image for image in self.images.all
                if self._owners[image.number] == place and
                state[image.number] == self.images.WAITING]

    def _is_pending(self) -> bool:
        return self.images.WAITING in self.images.state

    def _transfer(self, worker: Worker) -> simulated.Process:
        """Transfer images until none is left: a thread."""
        while worker.left:
            job = worker.jobs.next()
            if job is None:
                break
            worker.left -= 1
            yield from self._locked(worker, typing.cast(
                setups.Image, job.image))
            worker.jobs.done(job, True)
        yield from self._others(worker)
        worker.busy -= 1
        if not worker.busy and self._is_pending() and worker.loss is None:
            yield max(worker.began + self.setup.every, self.clock.now)
            self._begin(worker)

    def _find_others(self, worker: Worker) -> simulated.Process:
        """Find the images of others, in the order in which to try them."""
        images = self.images
        if not self.setup.refresh:
            worker.others = images.order[::-1]
            return
        for target in self.targets:
            present = images.state.count(images.DONE)
            for _ in range(-(-present // 1000) + 1):
                yield (target.ask(self.clock.now, 'list') +
                       1000 * self.setup.planning)
        worker.others = [number for number in reversed(images.order)
                         if images.state[number] == images.WAITING]

    def _others(self, worker: Worker) -> simulated.Process:
        """Try the images of the others, one by one."""
        if not worker.is_listing and not worker.others:
            worker.is_listing = True
            yield from self._find_others(worker)
            worker.is_listing = False
        while worker.is_listing:
            yield self.clock.now + 1
        images, others = self.images, worker.others
        while others:
            done, chosen = 0, None
            while others and done < _BATCH and chosen is None:
                number = others.pop()
                if images.state[number] != images.WAITING:
                    done += 1
                elif number not in worker.at_work:
                    chosen = images.all[number]
            if done:
                self.locks.requests += 2 * done
                when = max(target.ask_many(self.clock.now, 'show', done)
                           for target in self.targets)
                yield when + 2 * done * self.setup.lock_time
            if chosen is not None:
                yield from self._locked(worker, chosen)

    def _locked(self, worker: Worker,
                image: setups.Image) -> simulated.Process:
        """Transfer one image, if no other worker does."""
        number = image.number
        yield self.clock.now + self.setup.lock_time
        if worker.loss is not None or not self.locks.acquire(
                self.clock.now, number, worker):
            return
        if self.images.state[number] == self.images.DONE:
            yield max(target.ask(self.clock.now, 'show')
                      for target in self.targets)
            self.locks.release(number, worker)
            return
        self._enter(worker, number)
        try:
            yield from self._copy(worker, image)
        except simulated.Failed as error:
            self.result.failed += 1
            yield error.when
        self._leave(worker, number)
        self.locks.release(number, worker)
        while self._losses and self.result.size >= (
                self._losses[0].when * self.images.size):
            self._lose(self._losses.pop(0))

    def _enter(self, worker: Worker, number: int) -> None:
        self.result.begun += 1
        others = self._at_work.setdefault(number, [])
        self.result.both += bool(others)
        others.append(worker)
        worker.at_work.add(number)
        if number in self._orphans:
            self.result.taken_over.append(
                self.clock.now - self._orphans.pop(number))

    def _leave(self, worker: Worker, number: int) -> None:
        if number not in worker.at_work:
            return
        worker.at_work.remove(number)
        self._at_work[number].remove(worker)
        if not self._at_work[number]:
            del self._at_work[number]

    def _copy(self, worker: Worker,
              image: setups.Image) -> simulated.Process:
        """Make the requests of one image, to all targets at a time."""
        yield self._ask_all('missing')
        yield self._ask_all('create')
        yield self.source.ask(
            self.source.ask(self.clock.now, 'show'), 'download')
        left = image.size
        while left:
            piece = min(left, self.setup.piece)
            yield self._pass_on(worker, piece)
            if worker.lost is not None and self._is_cut(worker):
                self.result.cut += 1
                return
            left -= piece
        yield self._ask_all('upload')
        yield self._ask_all('show')
        now = self.clock.now
        when = max(self.source.ask(now, 'show') for _ in self.targets)
        if self._chance.random() < self.setup.shared:
            when = max(self.source.ask(when, 'members')
                       for _ in self.targets)
            when = max(target.ask(when, 'members') for target in self.targets)
        yield when
        if self._chance.random() < self.setup.visible:
            yield self._ask_all('change')
        self._done(worker, image)

    def _ask_all(self, kind: str) -> float:
        """Return when all targets have answered."""
        now = self.clock.now
        return max([target.ask(now, kind) for target in self.targets])

    def _pass_on(self, worker: Worker, size: int) -> float:
        """Return when a piece has arrived everywhere: no target is ahead."""
        now = self.clock.now
        ends = [now + size / self._stream,
                self.source.network.book(now, size),
                worker.network.book(now, size * len(self.targets)),
                worker.hashing.book(now, size)]
        for target in self.targets:
            ends.append(target.network.book(now, size))
            ends.append(target.hashing.book(now, size))
        return max(ends)

    def _is_cut(self, worker: Worker) -> bool:
        """Return whether a worker without locks ends its transfers now."""
        assert worker.loss is not None and worker.lost is not None
        return not worker.loss.careless and (
            self.clock.now > worker.lost + self.setup.lifetime * (
                _SAFE - 1 / 3))

    def _done(self, worker: Worker, image: setups.Image) -> None:
        """Count a copy."""
        if self.images.state[image.number] == self.images.DONE:
            return
        self.images.state[image.number] = self.images.DONE
        result = self.result
        result.copied = self.clock.now
        result.size += image.size
        result.done_at.append((self.clock.now, result.size))
        result.shares[worker.name] = result.shares.get(worker.name, 0) + 1

    def _lose(self, loss: setups.Loss) -> None:
        """Lose the last workers that are left."""
        self.result.lost_at.append(self.clock.now)
        left = [one for one in self.workers if one.loss is None]
        for worker in left[-loss.count:]:
            worker.loss, worker.lost = loss, self.clock.now
            self.locks.abandon(worker, self.clock.now - self._chance.uniform(
                0, self.setup.lifetime / 3))
            for number in worker.at_work:
                self._orphans[number] = self.clock.now
            if not loss.alive:
                self._kill(worker)

    def _kill(self, worker: Worker) -> None:
        """End a worker at once; Glance drops what it was sending."""
        for process in worker.processes:
            self.clock.end(process)
        self.result.cut += len(worker.at_work)
        for number in list(worker.at_work):
            self._leave(worker, number)
