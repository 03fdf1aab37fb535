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


"""Servers that all functional tests of one process share.

Starting a server takes seconds, so each one starts when a test first asks for
it and stops when the process ends. A test that needs its own server, for
example to stop it, uses nova_image.tests.fixtures directly.
"""

import atexit
import collections.abc
import contextlib
import functools
import typing

import requests

from nova_image.tests import fixtures
from nova_image.tests.fixtures import keystone as keystone_fixture
from nova_image.tests.fixtures import processes

Kind = typing.TypeVar('Kind', bound=fixtures.Service)

#: tokens and passwords of this run; none of them may reach a log
SECRETS: set[str] = set()

_services: list[fixtures.Service] = []
_running = contextlib.ExitStack()
atexit.register(_running.close)  # Ctrl-C ends here as well


def once(make: collections.abc.Callable[[], Kind]
         ) -> collections.abc.Callable[[], Kind]:
    """Make a function start its server once and keep it running.

    A failed start is not tried again: each call raises the same error.

    :param make: returns a fixture that is not set up yet
    :returns: a function that returns the running server
    """
    @functools.lru_cache(maxsize=1)
    def started() -> Kind | Exception:
        try:
            server = _running.enter_context(make())
            _services.append(server)
            return server
        except Exception as error:
            return error

    @functools.wraps(make)
    def get() -> Kind:
        found = started()
        if isinstance(found, Exception):
            raise found
        return found

    return get


def logs() -> dict[str, str]:
    """Return the tail of each running server's log, by server."""
    return {'%s at %s' % (server.name, server.url): processes.tail(server.log)
            for server in _services}


@once
def glance33() -> fixtures.Glance:
    """Glance 33: the Images API v2, with identities in headers."""
    return fixtures.Glance(
        stores={'fast': 'file', 'slow': 'file', 'web': 'http'})


@once
def glance15() -> fixtures.LegacyGlance:
    """Glance 15: the Images APIs v1 and v2 over one database."""
    return fixtures.LegacyGlance()


@once
def audited_glance15() -> fixtures.LegacyGlance:
    """Glance 15 like glance15(), without the killed images of other tests.

    Those cannot be removed.
    """
    return fixtures.LegacyGlance()


@once
def vhd_glance15() -> fixtures.LegacyGlance:
    """Glance 15 like glance15(), but vhd is its only disk format."""
    return fixtures.LegacyGlance(
        options={'image_format': {'disk_formats': 'vhd'}})


@once
def keystone() -> keystone_fixture.Keystone:
    """Keystone, whose catalog has secured_glance()."""
    return fixtures.Keystone()


def hide_passwords() -> None:
    """Register the passwords of keystone()'s users as secrets."""
    for user in ('admin', 'demo', 'other', 'glance', 'nova'):
        SECRETS.add(keystone().auth_options(user)['password'])


class _InCatalog(fixtures.Glance):
    """A Glance in its Keystone's catalog."""

    def _setUp(self) -> None:
        super()._setUp()
        assert self.keystone is not None
        self.keystone.add_endpoint('image', 'glance', self.url)


@once
def secured_glance() -> fixtures.Glance:
    """Glance 33 that authenticates its callers with keystone()."""
    hide_passwords()
    return _InCatalog(stores={'fast': 'file', 'slow': 'file', 'web': 'http'},
                      auth='keystone', keystone=keystone())


@once
def swift() -> fixtures.Swift:
    """Swift, whose users are those of keystone()."""
    return fixtures.Swift(keystone())


@once
def tenant_glance() -> fixtures.Glance:
    """Glance 33 that stores images in swift(), in their uploaders' accounts.

    It is not in keystone()'s catalog.
    """
    hide_passwords()
    store = swift()
    glance = fixtures.Glance(
        stores={'swift': 'swift'}, auth='keystone', keystone=keystone(),
        options=store.store('swift'))
    glance.use(None, store.virtualenv)
    return glance


def token_of(user: str) -> str:
    """Return a new token of one of keystone()'s users.

    :param user: the user's name
    """
    token = keystone().session(user).get_token()
    SECRETS.add(token)
    return token


def headers_of(project: str, *roles: str) -> dict[str, str]:
    """Return the headers that identify a caller.

    :param project: the ID of the caller's project
    :param roles: the caller's roles
    """
    return {'X-Identity-Status': 'Confirmed', 'X-User-Id': 'a-user',
            'X-Tenant-Id': project, 'X-Roles': ','.join(roles)}


class RawGlance:
    """A plain HTTP client for v2, with which tests check the results.

    Each request opens its own connection, so no request meets a closed one.
    """

    def __init__(self, url: str,
                 headers: dict[str, str] | None = None) -> None:
        """Create the client.

        :param url: the URL of Glance
        :param headers: the caller's identity; if None, that of an
            administrator of a Glance without Keystone
        """
        self.url = url
        self.headers = headers or headers_of('the-admins', 'admin')

    def ask(self, method: str, path: str, status: int = 200,
            **kwargs: typing.Any) -> requests.Response:
        """Make a request and check its status.

        :param path: the path, starting with ``/v2``
        :param status: the expected status
        :param kwargs: arguments for requests.request
        """
        headers = self.headers | kwargs.pop('headers', {})
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(method, self.url + path, timeout=60,
                                     headers=headers, **kwargs)
        if answer.status_code != status:
            raise AssertionError('%s %s: %s %s' % (
                method, path, answer.status_code, answer.text[:500]))
        return answer

    def images(self, **query: str) -> list[dict[str, typing.Any]]:
        """Return the images of all projects.

        :param query: filters of v2
        """
        found: list[dict[str, typing.Any]] = []
        answer = self.ask('GET', '/v2/images',
                          params={'limit': '1000', **query}).json()
        while True:
            found += answer['images']
            if 'next' not in answer:
                return found
            answer = self.ask('GET', answer['next']).json()

    def image(self, image_id: str) -> dict[str, typing.Any]:
        """Return an image as v2 shows it."""
        return self.ask('GET', '/v2/images/' + image_id).json()

    def find(self, image_id: str) -> list[dict[str, typing.Any]]:
        """Return a list of the image with an ID; empty if it is missing."""
        with contextlib.suppress(AssertionError):
            self.ask('GET', '/v2/images/' + image_id, 404)
            return []
        return [self.image(image_id)]

    def data(self, image_id: str) -> bytes:
        """Return an image's data."""
        return self.ask('GET', '/v2/images/%s/file' % image_id).content

    def members(self, image_id: str) -> list[str]:
        """Return the projects that an image is shared with."""
        answer = self.ask('GET', '/v2/images/%s/members' % image_id).json()
        return [member['member_id'] for member in answer['members']]

    def create(self, data: bytes | None = None,
               **flat: typing.Any) -> dict[str, typing.Any]:
        """Create an image.

        :param data: its data; the image stays queued if None
        :param flat: its attributes, as v2 accepts them
        :returns: the image
        """
        image = {'name': 'an image', 'disk_format': 'raw',
                 'container_format': 'bare'} | flat
        made = self.ask('POST', '/v2/images', 201, json=image).json()
        if data is not None:
            self.ask('PUT', '/v2/images/%s/file' % made['id'], 204,
                     data=data, headers={
                         'Content-Type': 'application/octet-stream'})
        return self.image(made['id'])

    def patch(self, image_id: str, *operations: dict[str, typing.Any]
              ) -> dict[str, typing.Any]:
        """Change an image with JSON Patch operations, and return it."""
        return self.ask(
            'PATCH', '/v2/images/' + image_id, json=list(operations), headers={
                'Content-Type':
                    'application/openstack-images-v2.1-json-patch'}).json()

    def delete(self, image_id: str) -> None:
        """Delete an image, even if it is protected.

        Glance deletes in two transactions. If sqlite is locked at the second
        one, the image stays "deleted", and no request removes it.
        """
        image = self.image(image_id)
        if image['status'] == 'deleted':
            return
        if image['protected']:
            self.patch(image_id, {'op': 'replace', 'path': '/protected',
                                  'value': False})
        self.ask('DELETE', '/v2/images/' + image_id, 204)

    def wipe(self) -> None:
        """Delete all images."""
        for image in self.images():
            self.delete(image['id'])
