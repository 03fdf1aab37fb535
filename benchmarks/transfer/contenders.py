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

Runs in the virtualenv of the peers. Each client of Keystone gets a token by
password, once. Each keeps its client, session and connection if it can. When
a download returns, the file is on disk.
"""

import collections.abc
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import typing
import uuid

from keystoneauth1.identity import v3
from keystoneauth1 import session as ks_session

from benchmarks.common import clients
from benchmarks.transfer import programs

#: The attributes of an upload; its data is random, and has no format.
_IMAGE: dict[str, typing.Any] = {
    'name': 'upload', 'disk_format': 'raw', 'container_format': 'bare'}


@dataclasses.dataclass(frozen=True)
class Place:
    """The environment of a contender.

    ``url`` is Glance's URL if it is not that of the catalog, ``config`` a
    configuration file of the contender, ``store`` the folder with Glance's
    data, and ``ceph`` the configuration of a Ceph with that data.
    """

    url: str | None = None
    config: str | None = None
    store: str | None = None
    ceph: str | None = None


class Contender(typing.Protocol):
    """A client that can download an image and upload a file."""

    def __init__(self, auth: v3.Password, session: ks_session.Session,
                 place: Place) -> None:
        """Create the client.

        :param auth: the plugin with the user's credentials
        :param session: a session that uses it
        :param place: the environment
        """

    def download(self, image_id: str, path: str) -> None:
        """Write an image's data to a new file, and flush it to disk.

        :param image_id: the image's ID
        :param path: the file
        """

    def upload(self, path: str) -> str:
        """Create an image from a file; some contenders cannot.

        :param path: the file
        :returns: the image's ID
        """


class NovaImage:
    """nova_image, called as in Nova, with Nova's own kind of context.

    It verifies the hash, calls fsync and publishes the file by rename.
    """

    def __init__(self, auth: v3.Password, session: ks_session.Session,
                 place: Place) -> None:
        """Create nova_image's API object, which is reused."""
        from nova_image.image import api
        from oslo_config import cfg
        clients.load_nova()
        conf = cfg.ConfigOpts()
        conf([], default_config_files=[place.config] if place.config else [])
        self._context = clients.nova_context(auth, session, place.url)
        self._api = api.API(conf)

    def download(self, image_id: str, path: str) -> None:
        """Download an image."""
        self._api.download(self._context, image_id, dest_path=path)

    def upload(self, path: str) -> str:
        """Create an image from a file."""
        with open(path, 'rb') as stream:
            return self._api.create(self._context, _IMAGE, data=stream)['id']


class Nova:
    """Nova's own image code, with one service object.

    It verifies the hash with glanceclient, writes the file in place and calls
    fsync. For rbd it runs rbd export, which neither verifies nor syncs.
    """

    def __init__(self, auth: v3.Password, session: ks_session.Session,
                 place: Place) -> None:
        """Create Nova's service object, which is reused."""
        from nova.image import glance
        clients.load_nova(place.config)
        self._context = clients.nova_context(auth, session, place.url)
        self._service = glance.GlanceImageServiceV2()

    def download(self, image_id: str, path: str) -> None:
        """Download an image."""
        self._service.download(self._context, image_id, dst_path=path)
        programs.sync(path)  # only has an effect after rbd export

    def upload(self, path: str) -> str:
        """Create an image from a file."""
        with open(path, 'rb') as stream:
            return self._service.create(
                self._context, _IMAGE, data=stream)['id']


class GlanceClient:
    """python-glanceclient's v2 client; verifies the hash."""

    def __init__(self, auth: v3.Password, session: ks_session.Session,
                 place: Place) -> None:
        """Create the client, which is reused."""
        import glanceclient
        self._images = glanceclient.Client(
            '2', session=session, endpoint_override=place.url).images

    def download(self, image_id: str, path: str) -> None:
        """Download an image and call fsync."""
        with open(path, 'wb') as stream:
            for chunk in self._images.data(image_id):
                stream.write(chunk)
            stream.flush()
            os.fsync(stream.fileno())

    def upload(self, path: str) -> str:
        """Create an image and upload a file."""
        image_id = self._images.create(**_IMAGE)['id']
        with open(path, 'rb') as stream:
            self._images.upload(image_id, stream)
        return image_id


class OpenStackSDK:
    """openstacksdk's image proxy; verifies the hash."""

    def __init__(self, auth: v3.Password, session: ks_session.Session,
                 place: Place) -> None:
        """Create the connection, which is reused."""
        import openstack
        override: dict[str, typing.Any] = (
            {'image_endpoint_override': place.url} if place.url else {})
        self._image = openstack.connection.Connection(
            session=session, **override).image

    def download(self, image_id: str, path: str) -> None:
        """Download an image and call fsync.

        Like its command line, with ``stream``: otherwise the whole image
        would be in memory.
        """
        self._image.download_image(image_id, output=path, stream=True)
        programs.sync(path)

    def upload(self, path: str) -> str:
        """Create an image from a file, without a check for duplicates."""
        return self._image.create_image(
            filename=path, allow_duplicates=True, **_IMAGE).id


class Curl(programs.Program):
    """curl; verifies nothing."""

    def __init__(self, auth: v3.Password, session: ks_session.Session,
                 place: Place) -> None:
        """Find Glance, which also gets the token."""
        super().__init__()
        self._session = session
        self._url = (place.url or clients.image_url(session)) + '/v2/images'

    def download(self, image_id: str, path: str) -> None:
        """Download an image and call fsync."""
        self._run({'output': path, 'url': self._file(image_id)})
        self.sync(path)

    def upload(self, path: str) -> str:
        """Create an image from a file, with two requests of one process."""
        image_id = str(uuid.uuid4())
        kind = 'Content-Type: application/'
        self._run({'header': kind + 'json', 'url': self._url,
                   'data': json.dumps(_IMAGE | {'id': image_id})},
                  {'header': kind + 'octet-stream', 'upload-file': path,
                   'url': self._file(image_id)})
        return image_id

    def _file(self, image_id: str) -> str:
        return '%s/%s/file' % (self._url, image_id)

    def _run(self, *requests: dict[str, str]) -> None:
        """Make requests in sequence on one connection.

        :param requests: the options of curl for each request
        """
        # By standard input: all users of the machine can see arguments.
        token = json.dumps('X-Auth-Token: %s' % self._session.get_token())
        self.run(['curl', '--disable', '--config', '-'], 'next\n'.join(
            'fail\nno-progress-meter\nheader = %s\n%s\n' % (token, '\n'.join(
                '%s = %s' % (name, json.dumps(value))
                for name, value in request.items())) for request in requests))


class Cp(programs.Program):
    """cp from the folder with Glance's data; verifies nothing."""

    def __init__(self, auth: v3.Password, session: ks_session.Session,
                 place: Place) -> None:
        """Keep the path of the folder."""
        super().__init__()
        assert place.store
        self._store = pathlib.Path(place.store)

    def download(self, image_id: str, path: str) -> None:
        """Copy an image's data and call fsync."""
        self.run(['cp', str(self._store / image_id), path])
        self.sync(path)


class RbdExport(programs.Program):
    """rbd export of Glance's snapshot; verifies nothing."""

    command = 'export'

    def __init__(self, auth: v3.Password, session: ks_session.Session,
                 place: Place) -> None:
        """Keep the path of Ceph's configuration."""
        super().__init__()
        assert place.ceph
        self._conf = place.ceph

    def download(self, image_id: str, path: str) -> None:
        """Export an image's data and call fsync."""
        self.run(['rbd', '--conf', self._conf, '--id', 'nova', self.command,
                  '--no-progress', 'images/%s@snap' % image_id, path])
        self.sync(path)


class RbdExportDiff(RbdExport):
    """rbd export-diff, which writes only the data, in its own format."""

    command = 'export-diff'


#: Name -> client.
KINDS: dict[str, collections.abc.Callable[..., typing.Any]] = {
    'nova_image': NovaImage,
    'Nova': Nova,
    'glanceclient': GlanceClient,
    'openstacksdk': OpenStackSDK,
    'curl': Curl,
    'cp': Cp,
    'rbd export': RbdExport,
    'rbd export-diff': RbdExportDiff,
}


def version(name: str) -> dict[str, str]:
    """Return the version of a program.

    :param name: one of KINDS
    :returns: name -> version; empty for Python packages
    """
    if not issubclass(typing.cast(type, KINDS[name]), programs.Program):
        return {}
    answer = subprocess.run([name.split()[0], '--version'],
                            capture_output=True, text=True, check=True)
    found = re.search(r'\d+(\.\d+)+', answer.stdout)
    return {name.split()[0]: found.group() if found else 'unknown'}
