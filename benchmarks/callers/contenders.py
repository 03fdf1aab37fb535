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

"""The measured clients: one API object for all callers.

Runs in the virtualenv of the peers. The task names the URL of Glance: each
has a context of its own, with that URL in its catalog, and all callers share
the API object.
"""

import collections.abc
import typing

from keystoneauth1.identity import v3
from keystoneauth1 import session as ks_session

from benchmarks.common import clients


class Contender:
    """An API object with the methods of Nova's, and a context for each URL.

    :ivar api: the API object
    """

    def __init__(self, auth: v3.Password,
                 session: ks_session.Session) -> None:
        """Create the API object.

        :param auth: the plugin with the user's credentials
        :param session: a session that uses it
        """
        clients.load_nova()
        self._auth = auth
        self._session = session
        self._contexts: dict[str, typing.Any] = {}
        self.api = self._new_api()

    def _new_api(self) -> typing.Any:
        raise NotImplementedError

    def _context(self, url: str) -> typing.Any:
        if url not in self._contexts:
            self._contexts[url] = clients.nova_context(
                self._auth, self._session, url)
        return self._contexts[url]

    def show(self, url: str, image_id: str) -> str:
        """Get one image, and return the ID in the answer."""
        return self.api.get(self._context(url), image_id)['id']

    def list(self, url: str, limit: int) -> int:
        """List a page of images, as nova-api does; return their number."""
        return len(self.api.get_all(self._context(url), limit=limit))

    def download(self, url: str, image_id: str, path: str) -> None:
        """Download an image to a file."""
        self.api.download(self._context(url), image_id, dest_path=path)

    def stream(self, url: str, image_id: str) -> int:
        """Download an image for a loop, and return its size in bytes."""
        return sum(len(piece) for piece in
                   self.api.download(self._context(url), image_id))


class NovaImage(Contender):
    """nova_image."""

    def _new_api(self) -> typing.Any:
        from nova_image.image import api
        from oslo_config import cfg
        conf = cfg.ConfigOpts()
        conf([], default_config_files=[])
        return api.API(conf)


class Nova(Contender):
    """Nova's own image API. It creates a service object for every call."""

    def _new_api(self) -> typing.Any:
        from nova.image import glance
        return glance.API()


#: Name -> client, in the order of the tables.
KINDS: dict[str, collections.abc.Callable[..., Contender]] = {
    'nova_image': NovaImage,
    'Nova': Nova,
}
