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

"""The measured clients, each used as its users do.

Runs in the virtualenv of the peers. Each client gets a token by password from
Keystone, once, and the URL of Glance from the catalog. Each keeps its client,
session and connection from call to call.
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
        """Create the client.

        :param auth: the plugin with the user's credentials
        :param session: a session that uses it
        """

    def show(self, image_id: str) -> str:
        """Get one image.

        :param image_id: the image's ID
        :returns: the ID in the answer
        """

    def detail(self, page_size: int | None) -> int:
        """List all images and keep them in memory.

        :param page_size: the number of images per request; the client's
            default if None
        :returns: the number of images
        """


class NovaImage:
    """nova_image, called as in Nova, with Nova's own kind of context."""

    def __init__(self, auth: v3.Password,
                 session: ks_session.Session) -> None:
        """Create nova_image's API object, which is reused."""
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

    It creates a service object for every call, which reads the catalog again.
    """

    def __init__(self, auth: v3.Password,
                 session: ks_session.Session) -> None:
        """Create the API object, which is reused."""
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
        """Create the client, which is reused."""
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
        """Create the connection, which is reused."""
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
