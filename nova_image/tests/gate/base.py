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


"""What gate tests have in common: servers, as a client of Nova sees them."""

import collections.abc
import time
import typing

from keystoneauth1 import adapter

_POLL = 0.1

Server = dict[str, typing.Any]


class TookTooLong(AssertionError):
    """What was waited for did not come to pass."""


def wait_for(what: str, is_so: collections.abc.Callable[[], bool],
             timeout: float = 60, poll: float = _POLL) -> None:
    """Wait until something is so.

    :param what: what messages call it
    :param is_so: tells whether it is so
    :param timeout: how long to wait, in seconds
    :param poll: how often to look, in seconds
    :raises TookTooLong: it was not so in time
    """
    deadline = time.monotonic() + timeout
    while not is_so():
        if time.monotonic() > deadline:
            raise TookTooLong('%s: not after %d s' % (what, timeout))
        time.sleep(poll)


class Servers:
    """A project's servers, by the Compute API."""

    def __init__(self, compute: adapter.Adapter) -> None:
        """Prepare.

        :param compute: a client that asks for microversion 2.37 to 2.44
        """
        self.compute = compute

    def show(self, server_id: str) -> Server:
        """Return a server."""
        return self.compute.get('/servers/' + server_id).json()['server']

    def boot(self, image_id: str, flavor: str = '42',
             **attributes: typing.Any) -> str:
        """Create a server and wait until it is active.

        :param image_id: the image to boot
        :param flavor: the flavor's id
        :param attributes: more of the server's attributes
        :returns: the server's id
        :raises AssertionError: it ended in another state, or took too long
        """
        made = self.compute.post('/servers', json={'server': {
            'name': 'a server', 'imageRef': image_id, 'flavorRef': flavor,
            'networks': 'none', **attributes}}).json()['server']['id']
        self.wait(made)
        return made

    def wait(self, server_id: str, status: str = 'ACTIVE') -> Server:
        """Wait until a server is in a state, and nothing is done to it.

        :param server_id: the server
        :param status: the state
        :returns: the server
        :raises AssertionError: it ended in another state, or took too long
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
        """Have something done to a server.

        :param server_id: the server
        :param action: the action's name
        :param parameters: the action's parameters
        :returns: Nova's answer
        """
        return self.compute.post('/servers/%s/action' % server_id,
                                 json={action: parameters})

    def snapshot(self, server_id: str, name: str,
                 **metadata: str) -> str:
        """Make an image of a server, and wait until that is done.

        :param server_id: the server
        :param name: the image's name
        :param metadata: the image's metadata
        :returns: the image's id
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
