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

"""What the unit tests of imports share: answers and a clock."""

import fixtures

from nova_image.image.v2 import import_rules
from nova_image.image.v2 import schema
from nova_image.tests.unit import base
from nova_image.tests.unit import recordings

GLANCE33 = recordings.load('v2_glance33')
IMPORTS = recordings.load('v2_imports33')
NEW = u'aaaaaaaa-0000-4000-8000-000000000008'
IMAGES = '/v2/images'
IMAGE = IMAGES + '/' + NEW
TASK = u'cccccccc-0000-4000-8000-000000000001'
REQUEST = 'req-dddddddd-0000-4000-8000-000000000001'
DATA = recordings.DATA
META = {'id': NEW, 'name': recordings.NAME, 'disk_format': 'raw',
        'container_format': 'bare'}


def recorded(name):
    """Return a recorded answer, with the ID of the test's image."""
    answer = IMPORTS(name)
    return answer.but(id=NEW) if 'id' in answer.json else answer


CREATED = recorded('create_201')
ACCEPTED = IMPORTS('import_202')
STAGED = recorded('show_staged')
WORKING = recorded('show_working')
IMPORTED = recorded('show_imported')
FAILED = recorded('show_failed')
FAILURE = recorded('tasks_failed')
SUCCESS = recorded('tasks_imported')
PROCESSING = recorded('tasks_working')
DELETED = GLANCE33('delete_204')

#: the answers while data is staged and its import begins
STAGING = (recordings.Answer(204), STAGED, ACCEPTED)
#: the answers while a failure is found
FAILING = (WORKING, FAILED, FAILURE)

METHODS = ('GET', '/v2/info/import')
STORES = ('GET', '/v2/info/stores')
USAGE = ('GET', '/v2/info/usage')
SCHEMA = ('GET', '/v2/schemas/image')
CREATE = ('POST', IMAGES)
STAGE = ('PUT', IMAGE + '/stage')
IMPORT = ('POST', IMAGE + '/import')
LOOK = ('GET', IMAGE)
TASKS = ('GET', IMAGE + '/tasks')
DELETE = ('DELETE', IMAGE)

#: the requests that create an image, stage its data and begin to import it
STAGING_CALLS = [CREATE, STAGE, LOOK, IMPORT]


class ImportTestCase(base.TestCase):
    """Base class: a driver, and a clock that the waits move.

    :ivar elapsed: seconds that have passed in addition to the waits
    """

    def setUp(self):
        super(ImportTestCase, self).setUp()
        self.service = self.driver()
        self.elapsed = 1024.0
        self.useFixture(fixtures.MonkeyPatch(
            'oslo_utils.timeutils.now',
            lambda: self.elapsed + sum(self.waits)))

    def know(self, methods=('glance-direct', 'web-download', 'copy-image',
                            'glance-download'), stores=None):
        """Remember what this Glance can import.

        :param methods: names of the import methods
        :param stores: list of dicts; by default two writable stores and a
            read-only one
        """
        known = self.service.client.knowledge(self.context)
        known.remember(import_rules.METHODS, list(methods))
        known.remember(import_rules.STORES, [
            {'id': 'fast', 'default': True}, {'id': 'slow'},
            {'id': 'web', 'read-only': True}] if stores is None else stores)
        known.remember(import_rules.UNLIMITED, True)
        known.remember(schema.IMAGE_SCHEMA, schema.Schema(
            ['raw', 'qcow2'], ['bare'], True))


class DriverTestCase(ImportTestCase):
    """Base class: a Glance with known methods, and calls of the driver."""

    def setUp(self):
        super(DriverTestCase, self).setUp()
        self.know()

    def create(self, method, *answers, **options):
        """Create an image via import; return the result."""
        self.glance.answers(CREATED, *answers)
        image, result = self.service.create_via_import(
            self.context, META, method, **options)
        self.assertEqual(image is not None, result.succeeded)
        return result

    def download(self, *answers, **options):
        """Create an image via web-download; return the result."""
        return self.create('web-download', ACCEPTED, *answers,
                           uri='https://example.org/image', **options)

    def import_into(self, method, before, *answers, **options):
        """Import into an image; return the result.

        :param before: the answer that shows the image
        """
        self.glance.answers(before, *answers)
        return self.service.import_image(self.context, NEW, method,
                                         **options)
