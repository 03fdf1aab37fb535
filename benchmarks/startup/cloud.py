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


"""The cloud of the benchmark, and what its programs must show of it."""

import dataclasses
import re
import typing

import yaml

from benchmarks.common import cloud
from nova_image.tests import fixtures
from nova_image.tests.fixtures import base
from nova_image.tests.fixtures import keystone
from nova_image.tests.fixtures import paths

_NAMES = ('debian-13', 'fedora-44')


@dataclasses.dataclass(frozen=True)
class Expected:
    """What the output of an operation must contain."""

    patterns: tuple[re.Pattern[bytes], ...]

    def is_in(self, output: bytes) -> bool:
        """Return whether the output contains all of it."""
        return all(pattern.search(output) for pattern in self.patterns)


def _literally(*texts: str) -> Expected:
    return Expected(tuple(re.compile(re.escape(text.encode()))
                          for text in texts))


class Cloud(base.Fixture):
    """Keystone, and a Glance with two images of the user ``demo``.

    :ivar services: the cloud.Cloud
    :ivar environments: operation -> variables of its programs
    :ivar expected: operation -> Expected
    :ivar image_id: the ID of the image to show
    """

    def __init__(self, keep: bool = False) -> None:
        """Describe a cloud; it starts when the fixture is set up.

        :param keep: whether to keep the services' folders
        """
        super().__init__()
        self.services = cloud.Cloud(keep, workers=1)
        self.image_id = ''
        self.environments: dict[str, dict[str, str]] = {}
        self.expected: dict[str, Expected] = {}

    def _setUp(self) -> None:
        self.useFixture(self.services)
        images = [self._create(name) for name in _NAMES]
        shown = images[0]
        self.image_id = shown['id']
        listed = _literally(*(image[key] for image in images
                              for key in ('id', 'name')))
        fields = _literally(*(str(shown[key]) for key in (
            'id', 'name', 'status', 'disk_format', 'container_format',
            'checksum', 'owner', 'created_at', 'size')), 'linux')
        self.expected = {
            'version': Expected((re.compile(rb'\d+\.\d+'),)),
            'help': _literally('usage: '),
            'list': listed, 'list-cloud': listed,
            'show': fields, 'show-cloud': fields}
        self.environments = self._environments()

    def _create(self, name: str) -> dict[str, typing.Any]:
        """Create an image with data; return it as Glance does."""
        images = self.services.glance.url + '/v2/images'
        session = self.services.keystone.session('demo')
        image = session.post(images, json={
            'name': name, 'disk_format': 'raw', 'container_format': 'bare',
            'os_type': 'linux'}).json()
        url = '%s/%s' % (images, image['id'])
        session.put(url + '/file', data=name.encode() * 1000, headers={
            'Content-Type': 'application/octet-stream'})
        return session.get(url).json()

    def _environments(self) -> dict[str, dict[str, str]]:
        auth = self.services.keystone.auth_options('demo')
        variables = {'OS_' + name.upper(): value
                     for name, value in auth.items()}
        variables['OS_REGION_NAME'] = keystone.REGION
        folder = self.useFixture(fixtures.RunFolder('startup')).path
        clouds = folder / 'clouds.yaml'
        paths.write_private(clouds, yaml.safe_dump({'clouds': {
            'benchmark': {'auth': auth, 'region_name': keystone.REGION}}}))
        named = {'OS_CLOUD': 'benchmark',
                 'OS_CLIENT_CONFIG_FILE': str(clouds)}
        return {'version': {}, 'help': {},
                'list': variables, 'show': variables,
                'list-cloud': named, 'show-cloud': named}
