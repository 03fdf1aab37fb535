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

"""The clients that are measured, each as those who use it have it.

Runs in the virtualenv of the peers. All of them get a token of Keystone by
password, once, and the address of Glance from Keystone's catalog; all keep
their client, session and connection from call to call.
"""

import collections.abc
import typing

from keystoneauth1.identity import v3
from keystoneauth1 import session as ks_session

from benchmarks.common import clients


class Contender(typing.Protocol):
    """A client that can show an image and list all of them."""

    def __init__(self, auth: v3.Password, session: ks_session.Session,
                 ) -> None:
        """Make the client.

        :param auth: what gets the user's tokens
        :param session: a session that uses it
        """

    def show(self, image_id: str) -> str:
        """Get one image.

        :param image_id: its ID
        :returns: the ID that the answer has
        """

    def detail(self, page_size: int | None) -> int:
        """List all images, into memory.

        :param page_size: how many to ask for in one request; None for what
            the client does when nobody says
        :returns: how many images came
        """


class NovaImage:
    """This project, called within Nova: with Nova's own kind of context."""

    def __init__(self, auth: v3.Password,
                 session: ks_session.Session) -> None:
        """Make nova_image's API, which is kept."""
        from nova_image.image import api
        from oslo_config import cfg
        clients.load_nova()
        conf = cfg.ConfigOpts()
        conf([], default_config_files=[])
        self._context = clients.nova_context(auth, session)
        self._api = api.API(conf)

    def show(self, image_id: str) -> str:
        """Get one image."""
        return self._api.get(self._context, image_id)['id']

    def detail(self, page_size: int | None) -> int:
        """List all images."""
        return len(self._api.get_all(self._context, **_given(
            page_size=page_size)))


class Nova:
    """Nova's own image API, as Nova's services call it.

    It makes a service object for every call, which asks the catalog anew.
    """

    def __init__(self, auth: v3.Password,
                 session: ks_session.Session) -> None:
        """Make the API object."""
        from nova.image import glance
        clients.load_nova()
        self._context = clients.nova_context(auth, session)
        self._api = glance.API()

    def show(self, image_id: str) -> str:
        """Get one image."""
        return self._api.get(self._context, image_id)['id']

    def detail(self, page_size: int | None) -> int:
        """List all images."""
        return len(self._api.get_all(self._context, **_given(
            page_size=page_size)))


class GlanceClient:
    """python-glanceclient's v2 client."""

    def __init__(self, auth: v3.Password,
                 session: ks_session.Session) -> None:
        """Make the client, which is kept."""
        import glanceclient
        self._client = glanceclient.Client('2', session=session)

    def show(self, image_id: str) -> str:
        """Get one image."""
        return self._client.images.get(image_id)['id']

    def detail(self, page_size: int | None) -> int:
        """List all images."""
        return len(list(self._client.images.list(**_given(
            page_size=page_size))))


class OpenStackSDK:
    """openstacksdk's image proxy."""

    def __init__(self, auth: v3.Password,
                 session: ks_session.Session) -> None:
        """Make the connection, which is kept."""
        import openstack
        self._image = openstack.connection.Connection(session=session).image

    def show(self, image_id: str) -> str:
        """Get one image."""
        return self._image.get_image(image_id).id

    def detail(self, page_size: int | None) -> int:
        """List all images."""
        return len(list(self._image.images(**_given(limit=page_size))))


def _given(**arguments: int | None) -> dict[str, typing.Any]:
    return {name: value for name, value in arguments.items()
            if value is not None}


#: Name -> client, in the order of the tables.
KINDS: dict[str, collections.abc.Callable[..., Contender]] = {
    'nova_image': NovaImage,
    'Nova': Nova,
    'glanceclient': GlanceClient,
    'openstacksdk': OpenStackSDK,
}
