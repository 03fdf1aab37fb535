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
"""What the tests of nova_image.image.glance_v2 share."""

from nova_image.tests.unit import base
from nova_image.tests.unit import recordings

GLANCE15 = recordings.load('v2_glance15')
GLANCE33 = recordings.load('v2_glance33')
ACTIVE, QUEUED, SHARED, ABSENT = (recordings.ACTIVE, recordings.QUEUED,
                                  recordings.SHARED, recordings.ABSENT)
DATA = recordings.DATA
IMAGES = '/v2/images'
ADD_LOCATION = {'op': 'add', 'path': '/locations/-',
                'value': {'url': 'rbd://a', 'metadata': {}}}
META = {'id': ACTIVE, 'name': recordings.NAME, 'disk_format': 'raw',
        'container_format': 'bare'}


def path(image_id, *rest):
    """Return the path of an image."""
    return '/'.join((IMAGES, image_id) + rest)


def created(call):
    """Answer a POST as Glance does: with what was sent, and more."""
    sent = recordings.Answer(content=call.body).json
    return GLANCE33('show_queued').but(**sent).changed(status=201)


class DriverTestCase(base.TestCase):
    """Base class: ``service`` is the driver."""

    def setUp(self):
        super(DriverTestCase, self).setUp()
        self.service = self.driver()

    def assert_raises(self, kind, method, *args, **kwargs):
        """Assert that a call of the driver raises; return the error."""
        return self.assertRaises(kind, getattr(self.service, method),
                                 self.context, *args, **kwargs)
