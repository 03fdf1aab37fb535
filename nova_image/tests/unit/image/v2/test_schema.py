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

"""Tests of nova_image.image.v2.schema: read once for all callers."""

from nova_image import exception
from nova_image.image.v2 import schema
from nova_image.tests.unit import base
from nova_image.tests.unit import recordings

REQUEST = ('GET', '/v2/schemas/image')


class TestSchema(base.TestCase):
    """The schemas of several Glances."""

    def setUp(self):
        super(TestSchema, self).setUp()
        self.api_client = self.client()

    def _find(self, *answers):
        self.glance.answers(*answers)
        return schema.find(self.api_client, self.context)

    def test_formats_are_read_from_a_recorded_schema(self):
        found = self._find(recordings.load('v2_glance33')('schema'))
        self.assertIn('qcow2', found.disk_format)
        self.assertIn('bare', found.container_format)
        self.assertNotIn(None, found.disk_format)

    def test_glance_33_validates_locations(self):
        found = self._find(recordings.load('v2_locations33')('schema_200'))
        self.assertTrue(found.validates_locations)

    def test_glance_15_does_not_validate_locations(self):
        found = self._find(recordings.load('v2_glance15')('schema'))
        self.assertFalse(found.validates_locations)

    def test_rules_of_properties_are_read(self):
        for name, hides in (('v2_glance15', False),
                            ('v2_locations33', True)):
            self.api_client.knowledge(self.context).forget(
                schema.IMAGE_SCHEMA)
            found = self._find(recordings.load(name)('schema_200'))
            self.assertEqual(255, found.properties['name']['maxLength'])
            self.assertEqual(hides, 'os_hidden' in found.properties)
            self.assertTrue(found.allows_others)

    def test_a_schema_may_allow_no_other_properties(self):
        found = self._find(recordings.Answer(
            content=b'{"additionalProperties": false,'
                    b' "properties": {"a": 5, "b": {}}}'))
        self.assertEqual({'b': {}}, found.properties)
        self.assertFalse(found.allows_others)

    def test_the_schema_is_read_once(self):
        first = self._find(recordings.load('v2_glance33')('schema'))
        self.assertIs(first, self._find())
        self.assert_calls([REQUEST])

    def test_missing_parts_of_a_schema_are_empty(self):
        for content in (b'{}', b'{"properties": []}',
                        b'{"properties": {"disk_format": {"enum": null}}}',
                        b'{"properties": {"locations": {"items": 1}}}'):
            self.api_client.knowledge(self.context).forget(schema.IMAGE_SCHEMA)
            found = self._find(recordings.Answer(content=content))
            self.assertEqual(([], [], False), found[:3])

    def test_a_schema_that_cannot_be_read_is_empty(self):
        for status in (403, 404):
            self.api_client.knowledge(self.context).forget(schema.IMAGE_SCHEMA)
            self.assertEqual(([], [], False, {}, True), self._find(
                recordings.Answer(status)))

    def test_another_error_is_raised(self):
        self.set(num_retries=0)
        self.glance.answers(recordings.Answer(500))
        self.assertRaises(exception.GlanceServerError, schema.find,
                          self.api_client, self.context)
