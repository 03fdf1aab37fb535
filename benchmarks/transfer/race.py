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

"""Lets the contenders transfer the images in turn."""

import os
import typing

from benchmarks.common import race
from benchmarks.transfer import cloud as transfer_cloud
from benchmarks.transfer import files


class Race(race.Race):
    """A race in which every transfer begins in the same state.

    The image's data is in the page cache, the destination of a download does
    not exist, and all earlier writes are on disk.
    """

    def __init__(self, cloud: transfer_cloud.Cloud,
                 starts: dict[str, dict[str, typing.Any]],
                 env: dict[str, str] | None = None,
                 keep: bool = False) -> None:
        """Describe a race.

        :param cloud: the cloud, already set up
        :param starts: contender -> arguments of its worker's ``start``
        :param env: variables to add to the environment of the processes
        :param keep: whether to keep the contenders' logs
        """
        super().__init__('benchmarks.transfer.worker', starts, cloud.glance,
                         keep, env)
        self._cloud = cloud

    def _measure(self, contender: race.Contender,
                 task: dict[str, typing.Any]) -> dict[str, typing.Any]:
        task = dict(task)
        size, direct = task.pop('size'), task.pop('direct')
        self._cloud.path.unlink(missing_ok=True)
        files.read(self._cloud.source(size))
        os.sync()
        mark = self._glance.mark()
        answer = super()._measure(contender, task)
        if direct and self._cloud.glance_sent_data(mark):
            raise race.Broken('%s has requested the data from Glance instead '
                              'of reading it from the store.'
                              % contender.name)
        if task['task'] == 'upload':
            self._cloud.check_upload(answer.pop('image_id'), size)
        else:
            self._check_download(contender, size)
        return answer

    def _check_download(self, contender: race.Contender, size: int) -> None:
        if not files.equal(self._cloud.source(size), self._cloud.path):
            raise race.Broken('The download of %s differs from the image.'
                              % contender.name)
