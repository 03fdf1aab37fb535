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

"""What functional tests with several workers of a replication share."""

import functools
import pathlib

from nova_image.tests import fixtures
from nova_image.tests.fixtures import virtualenvs
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import replication_matrix
from nova_image.tests.functional import servers


@servers.once
def redis() -> fixtures.Redis:
    """Redis, which a test that stops it starts again."""
    return fixtures.Redis()


@servers.once
def etcd() -> fixtures.Etcd:
    """etcd, which a test that stops it starts again."""
    return fixtures.Etcd()


class _OnMariaDB(fixtures.Glance):
    """Glance 33 on a MariaDB: on sqlite, parallel writers get a 500."""

    def _setUp(self) -> None:
        self.use(mariadb(), self.useFixture(virtualenvs.Virtualenv(
            'glance-mariadb', ['glance==33.0.0', 'gunicorn==27.0.1',
                               'pymysql==1.2.4'])))
        super()._setUp()


@servers.once
def mariadb() -> fixtures.MariaDB:
    """MariaDB, for glance_on_mariadb()."""
    return fixtures.MariaDB()


@servers.once
def glance_on_mariadb() -> fixtures.Glance:
    """Glance 33 that many may write to at once."""
    return _OnMariaDB()


class OnRedis:
    """Workers that meet at Redis."""

    @functools.cached_property
    def service(self) -> fixtures.Service:
        """The coordination service."""
        return redis()

    def find_url(self, lifetime: int) -> str:
        """Return the URL for tooz.

        :param lifetime: seconds for which a lock outlives its worker
        """
        servers.SECRETS.add(redis().password)
        return redis().coordination_url(lifetime)


class OnEtcd:
    """Workers that meet at etcd."""

    @functools.cached_property
    def service(self) -> fixtures.Service:
        """The coordination service."""
        return etcd()

    def find_url(self, lifetime: int) -> str:
        """Return the URL for tooz.

        :param lifetime: seconds for which a lock outlives its worker
        """
        return etcd().coordination_url(lifetime)


class OnFiles:
    """Workers on one machine that meet in a folder."""

    def find_url(self, lifetime: int) -> str:
        """Return the URL for tooz.

        :param lifetime: seconds for which a lock outlives its worker
        """
        return 'file://%s' % (self.folder / 'locks')

    folder: pathlib.Path


class ReplicationTest(cli_case.CommandLineTest):
    """A test that replicates from a Glance 33 to one on MariaDB.

    :ivar source: a plain HTTP client of the source
    :ivar target: the same of the target
    """

    def setUp(self) -> None:
        """Make the clients."""
        super().setUp()
        self.source = self.raw_glance(servers.glance33().url)
        self.target = self.raw_glance(glance_on_mariadb().url)
        # Other tests leave images.
        replication_matrix.wipe(self.source, self.target)

    def replicate(self, *argv: str, to: str | None = None) -> list[str]:
        """Return the arguments of a replication.

        :param to: URL of the target, if it is that of a proxy
        """
        return ['replicate', '--from', self.source.url,
                '--to', to or self.target.url,
                '--journal', str(self.folder / 'journal'), *argv]

    def statuses(self) -> list[str]:
        """Return the statuses of the target's images."""
        return [image['status'] for image in self.target.images()]
