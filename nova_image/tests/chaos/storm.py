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

"""The disasters of a run: which, when, and how many of them struck."""

import collections
import collections.abc
import random
import threading
import time

from nova_image.tests.chaos import disasters
from nova_image.tests.chaos import world
from nova_image.tests.fixtures import faults

#: seconds in which disasters happen
_WINDOW = 4.0
#: Glance's answer to an upload that exceeds a quota
_TOO_LARGE = 413
#: seconds until the first request that creates an image
_DEADLINE = 120
#: seconds for which a target out of quota waits for an upload to refuse
_PATIENCE = 15
#: kinds of planned faults -> what they are called in the summary
_FAULTS = {
    faults.Reset: 'download cut', faults.End: 'download cut',
    faults.TruncatedUpload: 'upload cut', faults.LostAnswer: 'answer lost',
    faults.Corrupt: 'data spoilt'}

Disaster = collections.abc.Callable[[disasters.Chaos], None]


class Storm(threading.Thread):
    """Makes the disasters of a seed happen.

    The seed decides the first disaster, so that each kind has its turn.

    :param run: the run
    :param seed: its seed
    :ivar plan: (second, disaster) in their order
    :ivar over: is set when the last one is over
    """

    def __init__(self, run: disasters.Chaos, seed: int,
                 chance: random.Random) -> None:
        super().__init__(name='chaos-storm', daemon=True)
        self._run = run
        self._errors: list[Exception] = []
        self.over = threading.Event()
        kinds = [disasters.ALL[seed % len(disasters.ALL)]] + [
            chance.choice(disasters.ALL) for _ in range(chance.randint(0, 4))]
        self.plan: list[tuple[float, Disaster]] = sorted(
            ((round(chance.uniform(0, _WINDOW if number else _WINDOW / 2), 2),
              what) for number, what in enumerate(kinds)),
            key=lambda one: one[0])

    @property
    def names(self) -> list[str]:
        """The disasters and their moments, for people."""
        return ['%s at %s s' % (what.__name__, at) for at, what in self.plan]

    def finish(self) -> None:
        """Wait for the end.

        :raises Exception: if a disaster could not be made to happen
        """
        self.join()
        if self._errors:
            raise self._errors[0]

    def run(self) -> None:
        """Make the disasters happen once an image is created."""
        scene = self._run.scene
        self._wait_for_writes()
        began = time.monotonic()
        try:
            for at, what in self.plan:
                time.sleep(max(0, began + at - time.monotonic()))
                what(self._run)
            time.sleep(max(0, began + _WINDOW - time.monotonic()))
            if any(what is disasters.fill_quota for _, what in self.plan):
                self._wait(self._has_refused, _PATIENCE)
                scene.target.die(0)
        except Exception as error:
            self._errors.append(error)
        finally:
            self.over.set()
            for server in scene.source, scene.target:
                for name, count in _strikes(server).items():
                    self._run.note(name, count)
                server.calm()

    def _wait_for_writes(self) -> None:
        """Wait until the first command creates an image."""
        target = self._run.scene.target
        self._wait(lambda: any(request.method == 'POST'
                               for request in target.proxy.requests),
                   _DEADLINE)

    def _has_refused(self) -> bool:
        """Return whether the target has refused an upload."""
        return any(request.status == _TOO_LARGE
                   for request in self._run.scene.target.proxy.requests)

    @staticmethod
    def _wait(done: collections.abc.Callable[[], bool],
              seconds: float) -> None:
        """Wait until something has happened, or not longer than that."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not done():
            time.sleep(0.02)


def _strikes(server: world.Server) -> collections.Counter[str]:
    """Count the faults that struck, and the refusals of a full target."""
    found: collections.Counter[str] = collections.Counter()
    for record in server.proxy.requests:
        fault = record.fault
        if record.status == _TOO_LARGE:
            found['upload refused for lack of quota'] += 1
        elif not record.struck or fault is None:
            continue
        elif isinstance(fault, faults.Status):
            found['answered %d' % fault.code] += 1
        else:
            found[_FAULTS[type(fault)]] += 1
    return found
