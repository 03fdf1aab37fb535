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

"""Measures the contender that its argument names."""

import collections.abc
import os
import sys
import typing

from keystoneauth1.identity import v3
from keystoneauth1 import session as ks_session

from benchmarks.common import worker
from benchmarks.transfer import contenders
from benchmarks.transfer import programs


class Worker(worker.Worker):
    """Runs the tasks."""

    def __init__(self, name: str) -> None:
        """Prepare a worker.

        :param name: one of contenders.KINDS
        """
        super().__init__()
        self._name = name
        self._contender: contenders.Contender

    def start(self, auth: dict[str, str], place: dict[str, str],
              warm: list[dict[str, typing.Any]]) -> dict[str, typing.Any]:
        """Create the client and warm it up.

        :param auth: the options of keystoneauth's password plugin
        :param place: the fields of contenders.Place
        :param warm: the tasks to warm up with
        :returns: the idle memory in bytes, and the versions
        """
        def prepare(plugin: v3.Password, session: ks_session.Session) -> None:
            self._contender = contenders.KINDS[self._name](
                plugin, session, contenders.Place(**place))
            for task in warm:
                self._warm(**task)
        facts = self._begin(auth, prepare)
        facts['versions'] |= contenders.version(self._name)
        return facts

    def _warm(self, task: str, path: str, **arguments: str) -> None:
        getattr(self, task)(path=path, **arguments)
        if task == 'download':
            os.unlink(path)  # some programs do not replace files

    def download(self, image_id: str, path: str) -> dict[str, typing.Any]:
        """Download an image to a path, and return the measures."""
        return self._measures(
            lambda: self._contender.download(image_id, path))[0]

    def upload(self, path: str) -> dict[str, typing.Any]:
        """Upload a file; return the measures and the image's ID."""
        measures, image_id = self._measures(
            lambda: self._contender.upload(path))
        return measures | {'image_id': image_id}

    def _measures(self, run: collections.abc.Callable[[], typing.Any]
                  ) -> tuple[dict[str, typing.Any], typing.Any]:
        """Return the measures of a function, and its result."""
        results: list[typing.Any] = []

        def succeed() -> bool:
            results.append(run())
            return True
        measures = self._measure(succeed)
        if isinstance(self._contender, programs.Program):
            measures |= self._contender.used
        return measures, results[0]


if __name__ == '__main__':
    worker.serve(Worker(sys.argv[1]))
