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

"""Lets the contenders take snapshots of the same disk in turn."""

import os
import typing

from benchmarks.common import race
from benchmarks.snapshot import cloud as snapshot_cloud
from benchmarks.snapshot import contenders


class Race(race.Race):
    """A race in which each turn has a new image, which is then checked."""

    def __init__(self, cloud: snapshot_cloud.Cloud, keep: bool,
                 env: dict[str, str]) -> None:
        """Describe a race.

        :param cloud: the cloud, already set up
        :param keep: whether to keep the contenders' logs
        :param env: variables to add to the environment of the processes
        """
        start = {'auth': cloud.keystone.auth_options('demo'),
                 'image_id': cloud.image, 'config': str(cloud.config)}
        super().__init__('benchmarks.snapshot.worker',
                         dict.fromkeys(contenders.KINDS, start),
                         cloud.glance, keep, env)
        self._cloud = cloud

    def _measure(self, contender: race.Contender,
                 task: dict[str, typing.Any]) -> dict[str, typing.Any]:
        image = self._cloud.queued()
        os.sync()
        answer = super()._measure(contender, task | {'image_id': image})
        self._cloud.check(image)
        return answer
