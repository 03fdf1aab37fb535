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

"""Tests of images between records and the JSON of v2."""

import six

from nova_image.tests.unit import recordings
from nova_image.tests.unit.replication import case

if six.PY3:
    from nova_image.replication import ends
    from nova_image.replication import record
    from nova_image.replication.v2 import translation

GLANCE15 = recordings.load('v2_glance15')
GLANCE33 = recordings.load('v2_glance33')
GLANCES = (GLANCE15, GLANCE33)


class TestToRecord(case.TestCase):
    """Records of what real Glances have answered."""

    def test_an_active_image(self):
        for glance in GLANCES:
            raw = glance('show_active').json
            found = translation.to_record(raw)
            self.assertEqual(
                (recordings.ACTIVE, 'active', recordings.NAME, 100, 1, 512),
                (found.id, found.status, found.name, found.size,
                 found.min_disk, found.min_ram))
            self.assertEqual(raw['checksum'], found.hashes['md5'])
            self.assertEqual(recordings.NAME,
                             found.properties['description'])
            for name in ('tags', 'self', 'file', 'locations', 'stores',
                         'os_hash_algo', 'virtual_size'):
                self.assertNotIn(name, found.properties)
            self.assertEqual(0, found.updated_at.utcoffset().seconds)
            self.assertIsNone(found.members)
        self.assertEqual(raw['os_hash_value'], found.hashes['sha512'])

    def test_a_queued_image_has_no_size(self):
        for glance in GLANCES:
            raw = glance('show_queued').json
            for size in (None, 0):
                found = translation.to_record(dict(raw, size=size))
                self.assertEqual(('queued', None, {}), (
                    found.status, found.size, found.hashes))

    def test_an_empty_image_has_a_size(self):
        raw = dict(GLANCE33('show_active').json, size=0)
        self.assertEqual(0, translation.to_record(raw).size)

    def test_other_values(self):
        found = translation.to_record(dict(
            GLANCE33('show_active').json, owner='', tags=['b', 'a', ''],
            os_hidden=True, protected=True, kernel_id=None, a='1', A='2',
            os_hash_algo='SHA256', os_hash_value='ab',
            os_glance_import_task='x'))
        self.assertIsNone(found.owner)
        self.assertEqual(frozenset(('a', 'b', '')), found.tags)
        self.assertEqual((True, True), (found.hidden, found.protected))
        self.assertEqual('ab', found.hashes['sha256'])
        self.assertNotIn('kernel_id', found.properties)
        self.assertNotIn('os_glance_import_task', found.properties)
        self.assertEqual(('1', '2'), (found.properties['a'],
                                      found.properties['A']))

    def test_a_property_of_glance_15_does_not_hide_an_image(self):
        raw = dict(GLANCE15('show_active').json, os_hidden='true')
        self.assertFalse(translation.to_record(raw).hidden)

    def test_an_image_that_makes_no_sense_is_listed(self):
        for changes in ({'tags': 'a'}, {'size': 'x'}, {'status': None}):
            raw = dict(GLANCE33('show_active').json, **changes)
            found = translation.listed(raw)
            self.assertEqual((raw['id'], translation.UNREADABLE),
                             (found.id, found.status))
            self.assertFalse(found.has_data)


class TestToCreate(case.TestCase):
    """What is sent for a new image."""

    def test_nobody_else_sees_a_new_image(self):
        for visibility, sent in (
                ('public', 'private'), ('community', 'private'),
                ('private', 'private'), ('shared', 'shared')):
            found = translation.to_create(case.image(
                visibility=visibility, protected=True, hidden=True))
            self.assertEqual(sent, found['visibility'])
            self.assertNotIn('protected', found)
            self.assertNotIn('os_hidden', found)

    def test_all_other_fields_are_sent(self):
        image = case.image(tags=frozenset('ba'), min_disk=1, min_ram=2,
                           properties={'a': '1', record.MARKER: 'B'})
        self.assertEqual({
            'id': 'A', 'name': 'disk', 'owner': 'me',
            'visibility': 'private', 'tags': ['a', 'b'], 'min_disk': 1,
            'min_ram': 2, 'disk_format': 'raw', 'container_format': 'bare',
            'a': '1', record.MARKER: 'B'}, translation.to_create(image))

    def test_what_is_none_is_not_sent(self):
        found = translation.to_create(case.image(
            owner=None, name=None, disk_format=None, container_format=None))
        for name in ('owner', 'name', 'disk_format', 'container_format'):
            self.assertNotIn(name, found)

    def test_what_was_created_is_recognised(self):
        sent = translation.to_create(case.image(
            tags=frozenset('ba'), properties={'a': '1'}))
        raw = dict(GLANCE33('show_queued').json)
        for name in translation.to_record(raw).properties:
            del raw[name]
        raw.update(sent, tags=['b', 'a'])
        self.assertEqual(sent, translation.to_create(
            translation.to_record(raw)))


class TestOperations(case.TestCase):
    """The JSON Patch of a change."""

    def _operations(self, fields, **image):
        return translation.operations(case.image(**image), fields)

    def test_each_field(self):
        fields = {'name': None, 'owner': None, 'visibility': 'public',
                  'protected': True, 'hidden': True, 'min_disk': 1,
                  'min_ram': 1, 'disk_format': 'iso',
                  'container_format': 'ovf'}
        names = dict({name: name for name in fields}, hidden='os_hidden')
        self.assertEqual(
            [{'op': 'replace', 'path': '/' + names[name], 'value': value}
             for name, value in sorted(fields.items())],
            self._operations(fields))
        self.assertEqual(ends.FIELDS, set(fields) | {
            'tags', 'properties', 'members', 'status'})

    def test_what_is_equal_is_not_sent(self):
        self.assertEqual([], self._operations({
            'name': 'disk', 'tags': frozenset('ab'), 'hidden': False,
            'properties': {'a': '1'}}, tags=frozenset('ba'),
            properties={'a': '1'}))

    def test_tags_as_a_whole(self):
        self.assertEqual(
            [{'op': 'replace', 'path': '/tags', 'value': ['a', 'c']}],
            self._operations({'tags': frozenset('ca')},
                             tags=frozenset('ab')))

    def test_properties(self):
        self.assertEqual([
            {'op': 'remove', 'path': '/b~1~0'},
            {'op': 'replace', 'path': '/a', 'value': '2'},
            {'op': 'add', 'path': '/mappings', 'value': '[]'},
        ], self._operations(
            {'properties': {'a': '2', 'mappings': '[]', 'd': ''}},
            properties={'a': '1', 'b/~': '1', 'd': ''}))

    def test_equivalent_json_is_another_text(self):
        self.assertEqual(1, len(self._operations(
            {'properties': {'mappings': '[ ]'}},
            properties={'mappings': '[]'})))

    def test_members_and_status_are_not_fields_of_a_patch(self):
        for name in ('members', 'status', 'size'):
            self.assertRaises(ValueError, self._operations, {name: None})
