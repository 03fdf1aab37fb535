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

"""The base class of the tests of nova-image-replicator."""

import sys
import typing

from nova_image.tests import fixtures
from nova_image.tests.functional import base
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import servers

DATA = bytes(range(256)) * 40
_RUN = ('import sys; from nova_image.cmd import main; '
        'sys.exit(main.replicator())')


class ReplicatorTest(cli_case.CommandLineTest):
    """A test that runs nova-image-replicator between two servers."""

    # The script may not be installed, if this clone was updated.
    program = (sys.executable, '-c', _RUN)

    def image(self, server: fixtures.Service, data: bytes | None = DATA,
              **fields: typing.Any) -> str:
        """Create an image by v2, and return its ID."""
        image = {'id': base.new_id(), 'owner': self.project, **fields}
        return str(self.raw_glance(server.url).create(data, **image)['id'])

    def assertHasData(self, raw: servers.RawGlance, image_id: str) -> None:
        """Check that an image has DATA, without showing it."""
        same = raw.data(image_id) == DATA
        self.assertTrue(same, 'the data differs')


def name_of(server: fixtures.Service) -> str:
    """Return HOST:PORT of a server."""
    return server.url.partition('://')[2]
