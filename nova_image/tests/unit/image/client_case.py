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
"""What the tests of nova_image.image.client share."""

from nova_image.image import messages
from nova_image.image.transfer import source
from nova_image.tests.unit import base
from nova_image.tests.unit import recordings

PATH = '/v2/images/ID'
FILE = PATH + '/file'
OK = recordings.Answer(content=b'{"a": 1}')
NO_CONTENT = recordings.Answer(204)
BUSY = recordings.Answer(503)

#: longer than one piece of any version of python-glanceclient
BODY = b'0123456789abcdef' * 65536 * 3


class ClientTestCase(base.TestCase):
    """Base class: makes calls."""

    def get(self, **options):
        """Make a call that returns JSON."""
        return self.client().json(self.context, messages.Request(
            'GET', PATH, 'show', 'ID', **options))

    def put(self, data, settle=None, **options):
        """Make a call that sends data."""
        return self.client().call(self.context, messages.Request(
            'PUT', FILE, 'upload', 'ID', body=source.open_source(data),
            **options),
            settle=settle)

    def bodies(self):
        """Return the body of each request."""
        return [call.body for call in self.glance.calls]
