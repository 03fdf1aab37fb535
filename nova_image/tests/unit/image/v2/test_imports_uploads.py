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
"""Tests of nova_image.image.v2.imports: the option import_uploads."""

from nova_image import exception
from nova_image.tests.unit.image.v2 import import_case as case


class TestUpload(case.DriverTestCase):
    """[glance] import_uploads: create() and update() import their data."""

    def setUp(self):
        super(TestUpload, self).setUp()
        self.set(import_uploads=True)

    def test_create_imports_the_data(self):
        self.glance.answers(case.CREATED, *case.STAGING + (
            case.WORKING, case.IMPORTED))
        image = self.service.create(self.context, case.META, case.DATA)
        self.assertEqual(('active', False),
                         (image['status'], 'visibility' in image))
        self.assert_calls(case.STAGING_CALLS + [case.LOOK] * 2)

    def test_update_imports_the_data(self):
        self.glance.answers(case.CREATED.changed(status=200),
                            *case.STAGING + (case.IMPORTED,))
        image = self.service.update(self.context, case.NEW, {}, case.DATA)
        self.assertEqual('active', image['status'])

    def test_a_conversion_is_logged(self):
        self.glance.answers(case.CREATED, *case.STAGING + (
            case.IMPORTED.but(disk_format='qcow2', size=7),))
        image = self.service.create(self.context, case.META, case.DATA)
        self.assertEqual(('qcow2', 7), (image['disk_format'], image['size']))
        self.assertIn('has changed disk_format of', self.log.output)

    def test_a_failed_import_is_an_upload_failure(self):
        self.glance.answers(case.CREATED, *case.STAGING +
                            case.FAILING + (case.DELETED,))
        error = self.assertRaises(exception.ImageUploadFailed,
                                  self.service.create, self.context,
                                  case.META, case.DATA)
        self.assertIn('Task failed', error.reason)

    def test_a_failed_import_of_an_update_is_an_upload_failure(self):
        self.glance.answers(case.CREATED.changed(status=200),
                            *case.STAGING + case.FAILING)
        self.assertRaises(exception.ImageUploadFailed, self.service.update,
                          self.context, case.NEW, {}, case.DATA)

    def test_an_import_beyond_the_deadline_is_an_upload_failure(self):
        self.set(import_timeout=1)
        self.glance.answers(case.CREATED, *case.STAGING +
                            (case.WORKING,) * 12 + (case.DELETED,))
        error = self.assertRaises(exception.ImageUploadFailed,
                                  self.service.create, self.context,
                                  case.META, case.DATA)
        self.assertIn('still importing', error.reason)
