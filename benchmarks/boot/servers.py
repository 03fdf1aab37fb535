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

"""A client of the Compute API that waits for servers by polling."""

import collections.abc
import time
import typing

from keystoneauth1 import adapter

from benchmarks.boot import usage
from benchmarks.common import race

#: Seconds from one poll to the next.
_POLL = 0.05
_TIMEOUT = 600


class Servers:
    """The servers of a project."""

    def __init__(self, compute: adapter.Adapter) -> None:
        """Use a client.

        :param compute: a client with a microversion from 2.37 to 2.44
        """
        self._compute = compute

    def begin(self, image_id: str, name: str, number: int = 1) -> str:
        """Begin to boot servers from an image.

        :param image_id: the ID of the image
        :param name: the name of the servers
        :param number: the number of servers
        :returns: the ID of the first server
        """
        return self._compute.post('/servers', json={'server': {
            'name': name, 'imageRef': image_id, 'flavorRef': '42',
            'networks': 'none', 'min_count': number, 'max_count': number,
        }}).json()['server']['id']

    def act(self, server_id: str, action: str,
            parameters: dict[str, str] | None = None) -> typing.Any:
        """Request an action on a server, and return Nova's answer."""
        return self._compute.post('/servers/%s/action' % server_id,
                                  json={action: parameters})

    def poll(self, server_id: str, status: str = 'ACTIVE') -> bool:
        """Return whether a server has a status and no task.

        :raises race.Broken: if it failed
        """
        server = self._compute.get('/servers/' + server_id).json()['server']
        if server['status'] == 'ERROR':
            raise race.Broken('A server failed: %s' % server.get('fault'))
        return (server['status'] == status
                and server['OS-EXT-STS:task_state'] is None)

    def wait(self, use: usage.Use, server_id: str,
             status: str = 'ACTIVE') -> None:
        """Wait until a server has a status and no task.

        :param use: the operation that is measured
        :param server_id: the ID of the server
        :param status: the status
        :raises race.Broken: if it fails or takes too long
        """
        _wait(use, lambda: self.poll(server_id, status))

    def wait_for_all(self, use: usage.Use, name: str, number: int) -> None:
        """Wait until servers are active.

        :param use: the operation that is measured
        :param name: the name of the servers
        :param number: the number of servers
        :raises race.Broken: if one fails or it takes too long
        """
        def poll() -> bool:
            if self._ids(name, 'ERROR'):
                raise race.Broken('A server failed.')
            return len(self._ids(name, 'ACTIVE')) == number

        _wait(use, poll, 2)

    def _ids(self, name: str, status: str | None = None) -> list[str]:
        query = '/servers?name=' + name
        if status:
            query += '&status=' + status
        return [server['id'] for server in
                self._compute.get(query).json()['servers']]

    def delete(self, name: str) -> None:
        """Delete the servers with a name, and wait until they are gone."""
        for server_id in self._ids(name):
            self._compute.delete('/servers/' + server_id)
        _wait(usage.Use(), lambda: not self._ids(name))


def _wait(use: usage.Use, poll: collections.abc.Callable[[], bool],
          requests: int = 1) -> None:
    """Poll until a condition holds, and count the polls.

    :param requests: the number of requests of a poll
    """
    deadline = time.monotonic() + _TIMEOUT
    while True:
        began = time.monotonic()
        use.polls += requests
        if poll():
            return
        if began > deadline:
            raise race.Broken('An operation took longer than %d s.'
                              % _TIMEOUT)
        time.sleep(max(0.0, began + _POLL * requests - time.monotonic()))
