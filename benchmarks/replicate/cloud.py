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


"""The Glances of the benchmark: a source, and a target of each version."""

import collections.abc
import http.client
import json
import os
import typing
import urllib.parse
import uuid

from benchmarks.common import race
from nova_image.tests import fixtures
from nova_image.tests.fixtures import base
from nova_image.tests.fixtures import legacy
from nova_image.tests.fixtures import services
from nova_image.tests.fixtures import virtualenvs

_ADMIN = {'X-Identity-Status': 'Confirmed', 'X-User-Id': 'admin',
          'X-Tenant-Id': 'operators', 'X-Roles': 'admin'}
_TABLES = ('images', 'image_locations', 'image_members', 'image_properties',
           'image_tags')
#: ID -> status, size in bytes, MD5.
Images = dict[str, tuple[str, int, str]]


def _legacy_virtualenv() -> virtualenvs.Virtualenv:
    """Return the virtualenv of Glance 15, with a driver for MariaDB."""
    return virtualenvs.Virtualenv(
        'glance15-mariadb', ['glance==15.0.2', 'pymysql==0.10.1'],
        legacy.require_python27(), legacy.CONSTRAINTS)


def _current_virtualenv() -> virtualenvs.Virtualenv:
    """Return the virtualenv of Glance 33, with a driver for MariaDB."""
    return virtualenvs.Virtualenv(
        'glance33-mariadb', ['glance==33.0.0', 'gunicorn==27.0.1',
                             'pymysql==1.2.4'])


class Legacy(fixtures.LegacyGlance):
    """A Glance 15 whose database is in MariaDB, without authentication.

    glance-replicator sends no identity but a token, so all callers are
    administrators.
    """

    def __init__(self, name: str) -> None:
        """Describe a Glance; it starts when the fixture is set up.

        :param name: the name of its database
        """
        self.name = name
        super().__init__()

    def _common(self, program: str, port: int) -> services.Sections:
        common = super()._common(program, port)
        return common | {'database': self._database_options()}

    def _pipelines(self) -> services.Sections:
        return super()._pipelines() | {'filter:context': {
            'paste.filter_factory': 'glance.api.middleware.context:'
            'UnauthenticatedContextMiddleware.factory'}}

    def listed(self) -> Images:
        """Return all images."""
        return _images(self.url, '/v1/images/detail?is_public=None&limit=1000')


class Current(fixtures.Glance):
    """A Glance 33 whose database is in MariaDB."""

    name = 'glance_target'

    def listed(self) -> Images:
        """Return all images."""
        return _images(self.url, '/v2/images?visibility=all&limit=1000')


class Cloud(base.Fixture):
    """A source with images, and two targets.

    :ivar source: a Glance 15
    :ivar legacy: a Glance 15 as a target
    :ivar current: a Glance 33 as a target
    :ivar images: the images of the source
    """

    def __init__(self, sizes: collections.abc.Sequence[int],
                 keep: bool = False) -> None:
        """Describe the Glances; they start when the fixture is set up.

        :param sizes: the sizes of the source's images in bytes
        :param keep: whether to keep the services' folders
        """
        super().__init__()
        self._sizes = sizes
        self._mariadb = fixtures.MariaDB()
        self.source = Legacy('glance_source')
        self.legacy = Legacy('glance_legacy')
        self.current = Current()
        self.images: Images = {}
        for service in (self._mariadb, *self.glances):
            service.run_folder.keep |= keep

    @property
    def glances(self) -> tuple[Legacy | Current, ...]:
        """All Glances, the source first."""
        return self.source, self.legacy, self.current

    def _setUp(self) -> None:
        old = self.useFixture(_legacy_virtualenv())
        new = self.useFixture(_current_virtualenv())
        self.useFixture(self._mariadb)
        for glance in self.glances:
            glance.use(self._mariadb, new if glance is self.current else old)
            self.useFixture(glance)
        self.addCleanup(self._remove_data)
        race.say('Uploading %d images' % len(self._sizes))
        for number, size in enumerate(self._sizes):
            self._upload('image %d' % number, size)
        self.images = self.source.listed()

    def _upload(self, name: str, size: int) -> None:
        _request(self.source.url, '/v1/images', 'POST', _random(size), {
            'x-image-meta-id': str(uuid.uuid4()),
            'x-image-meta-name': name, 'x-image-meta-owner': 'operators',
            'x-image-meta-disk_format': 'raw',
            'x-image-meta-container_format': 'bare',
            'x-image-meta-property-kind': 'benchmark',
            'Content-Type': 'application/octet-stream',
            'Content-Length': str(size), **_ADMIN})

    def empty(self, target: Legacy | Current) -> None:
        """Remove all traces of images from a target.

        Glance never accepts the ID of a deleted image again, so this does
        not ask Glance.
        """
        self._mariadb.execute(''.join(
            ['SET FOREIGN_KEY_CHECKS=0;'] + [
                'TRUNCATE %s.%s;' % (target.name, table)
                for table in _TABLES]))
        self._remove_files(target)

    @staticmethod
    def _remove_files(glance: Legacy | Current) -> None:
        folder = (glance.images if isinstance(glance, Legacy)
                  else glance.folder / next(iter(glance.stores)))
        if folder.exists():
            for path in folder.iterdir():
                path.unlink()

    def _remove_data(self) -> None:
        """Remove the large files, even if the services' folders are kept."""
        for glance in self.glances:
            self._remove_files(glance)

    def settle(self) -> None:
        """Write earlier data to disk, and read the source's into memory."""
        for path in self.source.images.iterdir():
            with open(path, 'rb') as stream:
                while stream.read(1024 ** 2):
                    pass
        os.sync()
        for glance in self.glances:
            glance.clear_requests()

    def requests(self) -> list[str]:
        """Return the methods of all requests since settle()."""
        return [request.method for glance in self.glances
                for request in glance.requests()]


def _random(size: int) -> collections.abc.Iterator[bytes]:
    while size > 0:
        yield os.urandom(min(size, 1024 ** 2))
        size -= 1024 ** 2


def _images(url: str, path: str) -> Images:
    return {image['id']: (image['status'], image['size'], image['checksum'])
            for image in _request(url, path, 'GET', None, _ADMIN)['images']}


def _request(url: str, path: str, method: str, body: typing.Any,
             headers: dict[str, str]) -> typing.Any:
    """Return the JSON of an answer.

    :raises race.Broken: if it is an error
    """
    connection = http.client.HTTPConnection(
        urllib.parse.urlsplit(url).netloc)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    if answer.status not in (200, 201):
        raise race.Broken('%s %s: %d %s' % (
            method, path, answer.status, text.decode(errors='replace')))
    return json.loads(text)
