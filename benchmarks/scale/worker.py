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
from concurrent import futures
import os
import sys
import typing

from keystoneauth1.identity import v3
from keystoneauth1 import session as ks_session

from benchmarks.common import worker
from benchmarks.metadata import contenders as metadata_contenders
from benchmarks.transfer import contenders as transfer_contenders
from benchmarks.transfer import programs


class Worker(worker.Worker):
    """Runs the tasks."""

    def __init__(self, name: str) -> None:
        """Prepare a worker.

        :param name: one of the KINDS of contenders
        """
        super().__init__()
        self._name = name
        self._shows: metadata_contenders.Contender
        self._loads: typing.Any

    def start(self, auth: dict[str, str], image_id: str, path: str
              ) -> dict[str, typing.Any]:
        """Create the clients and warm them up.

        :param auth: the options of keystoneauth's password plugin
        :param image_id: an image with data
        :param path: the destination of its download
        :returns: the idle memory in bytes, and the versions
        """
        def prepare(plugin: v3.Password, session: ks_session.Session) -> None:
            self._loads = transfer_contenders.KINDS[self._name](
                plugin, session, transfer_contenders.Place())
            self._loads.download(image_id, path)
            os.unlink(path)
            if self._name in metadata_contenders.KINDS:
                self._shows = metadata_contenders.KINDS[self._name](
                    plugin, session)
                self._shows.show(image_id)
                self._shows.detail(None)
        facts = self._begin(auth, prepare)
        facts['versions'] |= transfer_contenders.version(self._name)
        return facts

    def listing(self, images: int, times: int) -> dict[str, float]:
        """List all images; return the measures of once.

        :param images: the expected number of images
        :param times: how often to do it
        """
        return self._average(
            lambda: self._shows.detail(None) == images, times)

    def show(self, image_id: str, times: int) -> dict[str, float]:
        """Show an image; return the measures of once.

        :param image_id: the image's ID
        :param times: how often to do it
        """
        return self._average(
            lambda: self._shows.show(image_id) == image_id, times)

    def download(self, image_id: str, path: str) -> dict[str, float]:
        """Download an image to a path, and return the measures."""
        def run() -> bool:
            self._loads.download(image_id, path)
            return True
        measures = self._measure(run)
        if isinstance(self._loads, programs.Program):
            measures |= self._loads.used
        return measures

    def shows(self, image_id: str, threads: int, times: int
              ) -> dict[str, float]:
        """Show an image in parallel; return the measures of once in each.

        :param image_id: the image's ID
        :param threads: the number of threads
        :param times: how often each does it
        """
        def run(number: int) -> bool:
            return all(self._shows.show(image_id) == image_id
                       for _ in range(times))
        return _divided(self._in_parallel(run, threads), times)

    def downloads(self, image_id: str, paths: list[str]) -> dict[str, float]:
        """Download an image to several paths in parallel."""
        def run(number: int) -> bool:
            self._loads.download(image_id, paths[number])
            return True
        return self._in_parallel(run, len(paths))

    def _in_parallel(self, run: collections.abc.Callable[[int], bool],
                     threads: int) -> dict[str, float]:
        def run_all() -> bool:
            with futures.ThreadPoolExecutor(threads) as pool:
                return all(list(pool.map(run, range(threads))))
        return self._measure(run_all)

    def _average(self, run: collections.abc.Callable[[], bool], times: int
                 ) -> dict[str, float]:
        return _divided(self._measure(
            lambda: all([run() for _ in range(times)])), times)


def _divided(measures: dict[str, float], times: int) -> dict[str, float]:
    """Return the measures of one of several times, in which memory is one."""
    return {name: value if name == 'memory' else value / times
            for name, value in measures.items()}


if __name__ == '__main__':
    worker.serve(Worker(sys.argv[1]))
