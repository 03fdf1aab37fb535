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


"""Downloads from a Glance 33 that is near, and from one far away."""

import hashlib
import pathlib
import random

import fixtures as lib_fixtures

from nova_image.image import endpoint
from nova_image.tests import fixtures
from nova_image.tests.fixtures import distance as distances
from nova_image.tests.fixtures import records
from nova_image.tests.functional import base
from nova_image.tests.functional import servers

_MIB = 1024 ** 2
# A small window takes little time until it is the limit.
_FAR = distances.Distance(0.03, 10e9 / 8, 256 * 1024)


class DistantTest(base.FunctionalTest):
    """How many requests a download of 48 MiB makes."""

    def setUp(self) -> None:
        super().setUp()
        self.server = servers.glance33()
        piece = random.Random(1).randbytes(_MIB)
        self.data = b''.join(piece[place:] + piece[:place]
                             for place in range(48))
        self.image = self.raw_glance(self.server.url).create(
            self.data, visibility='public')['id']
        self.path = pathlib.Path(self.useFixture(
            base.folder()).path) / 'image'
        endpoint._KNOWLEDGE.clear()
        self.addCleanup(endpoint._KNOWLEDGE.clear)

    def _download(self, url: str, **options: int) -> list[records.Request]:
        """Download, and return the requests for data."""
        mark = self.server.mark()
        base.make_driver('v2', [url], options=options).download(
            self.context(), self.image, dst_path=str(self.path))
        self.assertEqual(hashlib.sha256(self.data).digest(),
                         hashlib.sha256(self.path.read_bytes()).digest())
        self.path.unlink()
        return [one for one in self.server.requests(mark)
                if one.path.endswith('/file')]

    def test_near(self) -> None:
        self.assertEqual(1, len(self._download(self.server.url)))

    def test_far(self) -> None:
        """Parts are used, also if a busy machine makes the reader slow."""
        self.useFixture(lib_fixtures.MonkeyPatch(
            'nova_image.image.transfer.distance._WAITING', 0))
        proxy = self.useFixture(fixtures.DistantProxy(self.server.url, _FAR))
        self.assertLess(4, len(self._download(proxy.url)))
        endpoint._KNOWLEDGE.clear()
        self.assertEqual(1, len(self._download(
            proxy.url, download_connections=1)))
