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

"""Measures the contender that its argument names, with many callers.

Nova's own switch decides what a thread is: with
OS_NOVA_DISABLE_EVENTLET_PATCHING=false, all of them are greenthreads.
"""

from nova import monkey_patch

monkey_patch.patch()  # before anything else is imported

import functools  # noqa: E402
import itertools  # noqa: E402
import os  # noqa: E402
import pathlib  # noqa: E402
import statistics  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
import typing  # noqa: E402

from keystoneauth1.identity import v3  # noqa: E402
from keystoneauth1 import session as ks_session  # noqa: E402

from benchmarks.callers import contenders  # noqa: E402
from benchmarks.common import worker  # noqa: E402

#: Makes the call of a number, and returns whether its result is right.
Call = typing.Callable[[int], bool]


class Callers:
    """Threads that make calls until there are no more.

    :ivar seconds: how long each call took
    """

    def __init__(self, number: int, calls: int, call: Call) -> None:
        """Prepare the threads.

        :param number: the number of threads
        :param calls: the number of calls of all of them together
        :param call: makes a call
        """
        self.seconds: list[float] = []
        self._errors: list[BaseException] = []
        self._left = itertools.count()
        self._calls = calls
        self._call = call
        self._threads = [threading.Thread(target=self._work)
                         for _ in range(min(number, calls))]

    def run(self) -> bool:
        """Make all calls, and return whether their results are right."""
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]
        return len(self.seconds) == self._calls

    def _work(self) -> None:
        try:
            for number in self._left:
                if number >= self._calls or self._errors:
                    return
                began = time.perf_counter()
                right = self._call(number)
                self.seconds.append(time.perf_counter() - began)
                if not right:
                    raise ValueError('Call %d has a wrong result.' % number)
        except BaseException as error:
            self._errors.append(error)


class Worker(worker.Worker):
    """Runs the tasks."""

    def __init__(self, name: str) -> None:
        """Prepare a worker.

        :param name: one of contenders.KINDS
        """
        super().__init__()
        self._kind = contenders.KINDS[name]
        self._contender: contenders.Contender
        self._urls: dict[str, str] = {}
        self._image_ids: list[str] = []
        self._data_ids: list[str] = []
        self._folder: pathlib.Path
        self._size = 0

    def start(self, auth: dict[str, str], urls: dict[str, str],
              image_ids: list[str], data_ids: list[str], folder: str,
              size: int) -> dict[str, object]:
        """Create the client, and make each of its requests once.

        :param auth: the options of keystoneauth's password plugin
        :param urls: name -> URL of the servers
        :param image_ids: the IDs of the images to show, as many as a list
            has
        :param data_ids: the IDs of the images to download
        :param folder: the folder for downloads
        :param size: the size of the images with data
        :returns: the idle memory in bytes, and the versions
        """
        self._urls, self._folder, self._size = urls, pathlib.Path(
            folder), size
        self._image_ids, self._data_ids = image_ids, data_ids

        def prepare(plugin: v3.Password, session: ks_session.Session) -> None:
            self._contender = self._kind(plugin, session)
            for name in ('glance', 'replay'):
                for call, count in (
                        (self._show, len(image_ids)), (self._list, 1),
                        (self._download, len(data_ids)),
                        (self._stream, len(data_ids))):
                    if not Callers(1, count, functools.partial(
                            call, name)).run():
                        raise ValueError('A call has a wrong result.')
        return self._begin(auth, prepare)

    def _show(self, server: str, number: int) -> bool:
        image_id = self._image_ids[number % len(self._image_ids)]
        return self._contender.show(self._urls[server], image_id) == image_id

    def _list(self, server: str, number: int) -> bool:
        expected = len(self._image_ids)
        return self._contender.list(self._urls[server], expected) == expected

    def _data_id(self, number: int) -> str:
        return self._data_ids[number % len(self._data_ids)]

    def _download(self, server: str, number: int) -> bool:
        path = self._folder / ('%d-%d' % (os.getpid(), number))
        self._contender.download(self._urls[server], self._data_id(number),
                                 str(path))
        size = path.stat().st_size
        path.unlink()
        return size == self._size

    def _stream(self, server: str, number: int) -> bool:
        return self._contender.stream(
            self._urls[server], self._data_id(number)) == self._size

    def show(self, **task: typing.Any) -> dict[str, float]:
        """Show images, and return the measures."""
        return self._many(self._show, **task)

    def list(self, **task: typing.Any) -> dict[str, float]:
        """List images, and return the measures."""
        return self._many(self._list, **task)

    def download(self, **task: typing.Any) -> dict[str, float]:
        """Download images to files, and return the measures."""
        return self._many(self._download, **task)

    def stream(self, **task: typing.Any) -> dict[str, float]:
        """Read the data of images, and return the measures."""
        return self._many(self._stream, **task)

    def burst(self, server: str, callers: int, calls: int
              ) -> dict[str, float]:
        """Show images at the same moment, again and again."""
        seconds: list[float] = []

        def run() -> bool:
            for begin in range(0, calls, callers):
                made = Callers(callers, min(callers, calls - begin),
                               functools.partial(self._show, server))
                if not made.run():
                    return False
                seconds.extend(made.seconds)
            return True
        return self._measure(run) | _shares(seconds)

    def _many(self, call: typing.Callable[[str, int], bool], server: str,
              callers: int, calls: int) -> dict[str, float]:
        """Make calls without a pause, and return the measures."""
        made = Callers(callers, calls, functools.partial(call, server))
        return self._measure(made.run) | _shares(made.seconds)


def _shares(seconds: list[float]) -> dict[str, float]:
    """Return the seconds that half and 99 % of the calls do not exceed."""
    shares = statistics.quantiles(seconds, n=100, method='inclusive')
    return {'p50': shares[49], 'p99': shares[98]}


if __name__ == '__main__':
    worker.serve(Worker(sys.argv[1]))
