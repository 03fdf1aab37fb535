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


"""Helpers of the gate tests: servers, as a client of Nova sees them."""

import collections.abc
import time
import typing

from keystoneauth1 import adapter

_POLL = 0.1

Server = dict[str, typing.Any]


class TookTooLong(AssertionError):
    """A condition did not hold in time."""


def wait_for(what: str, is_so: collections.abc.Callable[[], bool],
             timeout: float = 60, poll: float = _POLL) -> None:
    """Wait until a condition holds.

    :param what: the condition, for the error message
    :param is_so: returns whether it holds
    :param timeout: how long to wait, in seconds
    :param poll: the time between two checks, in seconds
    :raises TookTooLong: if it does not hold in time
    """
    deadline = time.monotonic() + timeout
    while not is_so():
        if time.monotonic() > deadline:
            raise TookTooLong('%s: not after %d s' % (what, timeout))
        time.sleep(poll)


class Servers:
    """A project's servers in the Compute API."""

    def __init__(self, compute: adapter.Adapter) -> None:
        """Use a client.

        :param compute: a client with a microversion from 2.37 to 2.44
        """
        self.compute = compute

    def show(self, server_id: str) -> Server:
        """Return a server."""
        return self.compute.get('/servers/' + server_id).json()['server']

    def boot(self, image_id: str, flavor: str = '42',
             **attributes: typing.Any) -> str:
        """Create a server and wait until it is active.

        :param image_id: the ID of the image
        :param flavor: the ID of the flavor
        :param attributes: further attributes of the server
        :returns: the server's ID
        :raises AssertionError: if it fails or takes too long
        """
        made = self.compute.post('/servers', json={'server': {
            'name': 'a server', 'imageRef': image_id, 'flavorRef': flavor,
            'networks': 'none', **attributes}}).json()['server']['id']
        self.wait(made)
        return made

    def wait(self, server_id: str, status: str = 'ACTIVE') -> Server:
        """Wait until a server has a status and no task is in progress.

        :param server_id: the ID of the server
        :param status: the status
        :returns: the server
        :raises AssertionError: if it fails or takes too long
        """
        def is_so() -> bool:
            server = self.show(server_id)
            if server['status'] == 'ERROR' != status:
                raise AssertionError(server.get('fault') or server)
            return (server['status'] == status
                    and server['OS-EXT-STS:task_state'] is None)

        wait_for('server %s %s' % (server_id, status), is_so)
        return self.show(server_id)

    def act(self, server_id: str, action: str,
            **parameters: typing.Any) -> typing.Any:
        """Request an action on a server.

        :param server_id: the ID of the server
        :param action: the name of the action
        :param parameters: the parameters of the action
        :returns: Nova's response
        """
        return self.compute.post('/servers/%s/action' % server_id,
                                 json={action: parameters})

    def snapshot(self, server_id: str, name: str,
                 **metadata: str) -> str:
        """Take a snapshot of a server, and wait until it is complete.

        :param server_id: the ID of the server
        :param name: the name of the image
        :param metadata: the metadata of the image
        :returns: the ID of the image
        """
        answer = self.act(server_id, 'createImage', name=name,
                          metadata=metadata)
        self.wait(server_id)
        return answer.headers['Location'].rpartition('/')[2]

    def delete(self, server_id: str) -> None:
        """Delete a server, and wait until it is gone."""
        self.compute.delete('/servers/' + server_id)
        wait_for('server %s gone' % server_id, lambda: self.compute.get(
            '/servers/' + server_id, raise_exc=False).status_code == 404)
