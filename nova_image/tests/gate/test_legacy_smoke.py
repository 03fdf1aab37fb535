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


"""Nova 15 on a Glance 15: as it comes, and with nova_image by v1.

Nova 15 itself has lost the option that chooses v1: as it comes it asks v2.
"""

import typing

import requests
import testtools

from nova_image.tests import fixtures
from nova_image.tests.functional import servers as shared
from nova_image.tests.gate import base

_DATA = b'the disk of a server' * 1000
_PROJECT = 'demo'
_HEADERS = {'X-Identity-Status': 'Confirmed', 'X-User-Id': 'demo',
            'X-Tenant-Id': _PROJECT, 'X-Roles': 'member'}


@shared.once
def stock_nova() -> fixtures.LegacyNova:
    """A Nova 15 that has its own image code, for v2."""
    return fixtures.LegacyNova(shared.glance15())


@shared.once
def nova_by_v1() -> fixtures.LegacyNova:
    """A Nova 15 that has nova_image's driver for v1."""
    return fixtures.LegacyNova(shared.glance15(), fixtures.NovaSettings(
        options={'glance': {'use_glance_v1': 'true'}},
        launcher=['nova-image-run']))


class LegacySmokeTest(testtools.TestCase):
    """Servers are booted from images, and images are made of servers."""

    def _ask(self, method: str, path: str,
             **kwargs: typing.Any) -> requests.Response:
        """Ask Glance something, as the project of the servers."""
        headers = _HEADERS | kwargs.pop('headers', {})
        answer = requests.request(
            method, shared.glance15().url + path, headers=headers,
            timeout=60, **kwargs)
        answer.raise_for_status()
        return answer

    def _image(self) -> str:
        image = self._ask('POST', '/v2/images', json={
            'name': 'an image', 'disk_format': 'raw',
            'container_format': 'bare'}).json()['id']
        self._ask('PUT', '/v2/images/%s/file' % image, data=_DATA,
                  headers={'Content-Type': 'application/octet-stream'})
        return image

    def _check(self, nova: fixtures.LegacyNova, version: str) -> None:
        servers = base.Servers(nova.client(project=_PROJECT))
        image = self._image()
        mark = nova.glance.mark()
        server = servers.boot(image)
        self.assertEqual(_DATA, nova.disk(server).read_bytes())
        snapshot = servers.snapshot(server, 'a snapshot', kind='mine')
        asked = nova.glance.requests(mark)
        shown = self._ask('GET', '/v2/images/' + snapshot).json()
        self.assertEqual(('active', 'a snapshot', 'mine'), (
            shown['status'], shown['name'], shown['kind']))
        self.assertEqual(_DATA, self._ask(
            'GET', '/v2/images/%s/file' % snapshot).content)
        self.assertEqual({version}, {
            request.path.split('/')[1] for request in asked})
        servers.delete(server)
        self.assertFalse(nova.disk(server).exists())

    def test_stock(self) -> None:
        """As it comes, by v2 and by nothing else."""
        self._check(stock_nova(), 'v2')

    def test_v1(self) -> None:
        """With nova_image by v1, and by nothing else."""
        self._check(nova_by_v1(), 'v1')
