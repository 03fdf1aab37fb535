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


"""The two Glances of a run of chaos, which may be killed at any time."""

import contextlib
import random
import threading
import time
import typing

from nova_image.tests.chaos import images
from nova_image.tests import fixtures
from nova_image.tests.fixtures import exchange
from nova_image.tests.functional import servers


class _Target(fixtures.Glance):
    """A Glance on MariaDB.

    On sqlite, parallel writes fail at times with "database is locked". If
    that ends an upload, its image is saving for ever.
    """

    def _setUp(self) -> None:
        self.use(self.useFixture(fixtures.MariaDB()), self.useFixture(
            fixtures.Virtualenv('glance-chaos', [
                'glance==33.0.0', 'gunicorn==27.0.1', 'PyMySQL==1.1.2'])))
        super()._setUp()


@servers.once
def source_glance() -> fixtures.Glance:
    """A Glance 33 to read from."""
    return fixtures.Glance()


@servers.once
def target_glance() -> fixtures.Glance:
    """A Glance 33 to write to."""
    return _Target()


class Server:
    """A Glance, the proxy in front of it, and its administrator.

    :ivar url: URL of the proxy, with the version of the API
    :ivar raw: a client that does not use the proxy
    :ivar deaths: how often it was killed
    """

    def __init__(self, service: fixtures.Service, proxy: fixtures.FaultyProxy,
                 api: str) -> None:
        self.service = service
        self.proxy = proxy
        self.url = '%s/%s' % (proxy.url, api)
        self.raw = servers.RawGlance(service.url)
        self.deaths = 0
        self._lock = threading.Lock()

    def die(self, seconds: float,
            changes: dict[str, typing.Any] | None = None) -> None:
        """Kill the service and start it again.

        :param seconds: how long it is dead
        :param changes: options that it has then, for a Glance 33
        """
        with self._lock:
            self.deaths += 1
            self.service.kill()
            time.sleep(seconds)
            if isinstance(self.service, fixtures.Glance):
                self.service.restart(changes)
            else:
                self.service.start()

    def open_requests(self) -> list[exchange.Record]:
        """Return the requests that are in progress."""
        return [one for one in self.proxy.requests if one.ended is None]

    def calm(self) -> None:
        """End all faults."""
        self.proxy.clear()
        self.proxy.bandwidth = None
        self.proxy.latency = 0

    def wipe(self) -> None:
        """Delete all images."""
        for image in images.all_of(self.raw):
            with contextlib.suppress(AssertionError):
                self.raw.delete(image['id'])


class World:
    """Everything that disasters may strike.

    :ivar chance: decides everything, from the seed
    :ivar pictures: the images of the source
    :ivar foreign: what the target had before, by ID
    :ivar gone: IDs of images that were deleted at the source
    """

    def __init__(self, source: Server, target: Server, api: str,
                 chance: random.Random) -> None:
        self.source = source
        self.target = target
        self.chance = chance
        self.gone: set[str] = set()
        self.pictures = {one.id: one for one in (
            images.create(source.raw, chance, number, api)
            for number in range(chance.randint(6, 10)))}
        images.create_foreign(target.raw, chance,
                              list(self.pictures.values()))
        self.foreign = images.snapshot(target.raw, [
            one['id'] for one in images.all_of(target.raw)])

    def wipe(self) -> None:
        """Delete all images at both ends."""
        for server in self.source, self.target:
            server.calm()
            server.wipe()
