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
"""What the tests of nova_image.image.glance share; removed with v1."""

from nova_image.tests.unit import base
from nova_image.tests.unit import recordings

GLANCE15 = recordings.load('v1')
ACTIVE, QUEUED, ABSENT = (recordings.ACTIVE, recordings.QUEUED,
                          recordings.ABSENT)
DATA = recordings.DATA
IMAGES = '/v1/images'
META = {'id': ACTIVE, 'name': recordings.NAME, 'disk_format': 'raw',
        'container_format': 'bare'}


def path(image_id, *rest):
    """Return the path of an image."""
    return '/'.join((IMAGES, image_id) + rest)


def created(call):
    """Answer a POST as Glance does, for the ID that was sent."""
    return about(call.headers['x-image-meta-id'], GLANCE15('create_201'))


def about(image_id, answer):
    """Return an answer with the JSON of another image."""
    if isinstance(image_id, bytes):
        image_id = image_id.decode('ascii')
    return answer.but(image=dict(answer.json['image'], id=image_id))


class DriverTestCase(base.TestCase):
    """Base class: ``service`` is the driver."""

    def setUp(self):
        super(DriverTestCase, self).setUp()
        self.set(use_glance_v1=True)
        self.service = self.driver()

    def assert_raises(self, kind, method, *args, **kwargs):
        """Assert that a call of the driver raises; return the error."""
        return self.assertRaises(kind, getattr(self.service, method),
                                 self.context, *args, **kwargs)

    def sent_meta(self, number=0):
        """Return the metadata of a request, as Glance reads its headers."""
        found = {}
        for name, value in self.glance.calls[number].headers.items():
            if not isinstance(value, bytes):
                value = value.encode('latin-1')  # as http.client does
            if isinstance(name, bytes):
                name = name.decode('ascii')
            if name.startswith('x-image-meta-'):
                found[name[len('x-image-meta-'):]] = value.decode('utf-8')
        return found

    def purge(self, number):
        """Return the header of a request about purging properties, as text."""
        value = self.glance.calls[number].headers[
            'x-glance-registry-purge-props']
        return value.decode('ascii') if isinstance(value, bytes) else value
