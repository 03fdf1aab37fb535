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

"""Lets the contenders download the same image in turn."""

import dataclasses
import os
import typing

from benchmarks.common import race
from benchmarks.common import results
from benchmarks.sparse import cloud as sparse_cloud
from benchmarks.transfer import contenders

#: Operation -> its contenders in the order of the tables. The ratios are
#: relative to the second one.
NAMES = {
    'sparse': (results.OURS, 'rbd export-diff', 'rbd export'),
    'sparse-hashed': (results.OURS, 'rbd sha512sum', 'rbd openssl'),
}
_DIFF = 'rbd export-diff'


class Race(race.Race):
    """A race in which every download begins in the same state.

    The file does not exist, and all earlier writes are on disk.
    """

    def __init__(self, cloud: sparse_cloud.Cloud, operation: str, keep: bool,
                 env: dict[str, str]) -> None:
        """Describe a race.

        :param cloud: the cloud, already set up
        :param operation: the operation, a key of NAMES
        :param keep: whether to keep the contenders' logs
        :param env: variables to add to the environment of the processes
        """
        place = contenders.Place(config=str(cloud.config),
                                 ceph=str(cloud.ceph.conf))
        warm = {'task': 'download', 'image_id': cloud.images['warm'],
                'path': str(cloud.path)}
        start = {'auth': cloud.keystone.auth_options('demo'),
                 'place': dataclasses.asdict(place), 'warm': [warm]}
        super().__init__('benchmarks.sparse.worker',
                         dict.fromkeys(NAMES[operation], start), cloud.glance,
                         keep, env)
        self._cloud = cloud

    def _measure(self, contender: race.Contender,
                 task: dict[str, typing.Any]) -> dict[str, typing.Any]:
        self._cloud.path.unlink(missing_ok=True)
        os.sync()
        answer = super()._measure(contender, task)
        if contender.name != _DIFF:  # its file is not an image
            # rbd export also writes the zeros of objects with data.
            self._cloud.check(holes=contender.name in (
                results.OURS, 'rbd sha512sum'))
        return answer
