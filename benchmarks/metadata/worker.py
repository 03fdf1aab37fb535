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

import sys

from keystoneauth1.identity import v3
from keystoneauth1 import session as ks_session

from benchmarks.common import worker
from benchmarks.metadata import contenders


class Worker(worker.Worker):
    """Runs the tasks."""

    def __init__(self, name: str) -> None:
        """Prepare a worker.

        :param name: one of contenders.KINDS
        """
        super().__init__()
        self._kind = contenders.KINDS[name]
        self._contender: contenders.Contender

    def start(self, auth: dict[str, str], image_id: str) -> dict[str, object]:
        """Create the client and show one image to warm it up.

        :param auth: the options of keystoneauth's password plugin
        :param image_id: the image's ID
        :returns: the idle memory in bytes, and the versions
        """
        def prepare(plugin: v3.Password, session: ks_session.Session) -> None:
            self._contender = self._kind(plugin, session)
            self._contender.show(image_id)
        return self._begin(auth, prepare)

    def show(self, image_ids: list[str]) -> dict[str, float]:
        """Show images one at a time, and return the measures."""
        def run() -> bool:
            return [self._contender.show(image_id)
                    for image_id in image_ids] == image_ids
        return self._measure(run)

    def detail(self, page_size: int | None, images: int) -> dict[str, float]:
        """List all images, and return the measures.

        :param page_size: the number of images per request; the client's
            default if None
        :param images: the expected number of images
        """
        return self._measure(
            lambda: self._contender.detail(page_size) == images)


if __name__ == '__main__':
    worker.serve(Worker(sys.argv[1]))
