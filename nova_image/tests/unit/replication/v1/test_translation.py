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

"""Images between records and the answers of the Images API v1."""

import datetime

import fixtures
import six

from nova_image import exception
from nova_image.image import answers
from nova_image.tests.unit.image import glance_case
from nova_image.tests.unit import recordings
from nova_image.tests.unit.replication import case

if six.PY3:
    from nova_image.replication import record
    from nova_image.replication.v1 import translation

ACTIVE = recordings.ACTIVE


class TestFromGlance(case.TestCase):
    """Images of v1 as records."""

    def listed(self, **fields):
        """Return an image of the recorded listing, with other fields."""
        raw = glance_case.GLANCE15('list').json['images'][0]
        return translation.listed(dict(raw, **fields))

    def headers(self):
        """Return the recorded headers as an HTTP library does."""
        return {name: value.encode('utf-8').decode('latin-1') for name, value
                in glance_case.GLANCE15('show_active').headers.items()}

    def test_headers(self):
        moment = datetime.datetime(2026, 11, 21, 2, 16, 28, 677847,
                                   tzinfo=datetime.timezone.utc)
        self.assertEqual(record.Record(
            id=ACTIVE, status='active', name=recordings.NAME,
            owner='a-project', visibility=record.NOT_PUBLIC, min_disk=1,
            min_ram=512, disk_format='raw', container_format='bare', size=100,
            hashes={'md5': '7a08b07e84641703e5f2c836aa59a170'}, properties={
                'block_device_mapping':
                    '[{"device_name": "/dev/vda", "boot_index": 0}]',
                'description': recordings.NAME, 'os_type': 'linux',
                'kernel_id': recordings.KERNEL},
            created_at=moment, updated_at=moment),
            translation.from_headers(self.headers(), ACTIVE))

    def test_queued_and_deleted(self):
        for name, status in (('queued', 'queued'), ('deleted', 'deleted')):
            headers = glance_case.GLANCE15('show_' + name).headers
            found = translation.from_headers(headers, recordings.QUEUED)
            self.assertEqual((status, None, {}),
                             (found.status, found.size, found.hashes))

    def test_an_image_that_is_being_deleted_is_deleted(self):
        self.assertEqual('deleted', self.listed(
            status='pending_delete', deleted=True).status)

    def test_headers_that_end_early(self):
        for name in ('Status', 'Protected', 'Id'):
            headers = self.headers()
            del headers['X-Image-Meta-' + name]
            self.assertRaises(answers.Unreadable, translation.from_headers,
                              headers, ACTIVE)

    def test_another_image(self):
        raw = glance_case.GLANCE15('create_201').json['image']
        self.assertRaises(answers.Unreadable, translation.from_json, raw,
                          recordings.QUEUED)
        self.assertEqual(ACTIVE, translation.from_json(
            raw, ACTIVE.upper()).id)

    def test_listed_visibility_and_nulls(self):
        found = self.listed(is_public=True, name=None, checksum=None,
                            properties={'a': '1', 'b': None})
        self.assertEqual(('public', None, {}, {'a': '1', 'b': ''}), (
            found.visibility, found.name, found.hashes, found.properties))

    def test_one_that_cannot_be_read_is_reported(self):
        log = self.useFixture(fixtures.FakeLogger())
        for fields in ({'status': None}, {'size': -1}, {'size': 'x'},
                       {'is_public': 1}, {'properties': []},
                       {'properties': {'a': 1}}, {'created_at': 'x'}):
            found = self.listed(**fields)
            self.assertEqual(translation.UNREADABLE, found.status)
            self.assertFalse(found.has_data)
            self.assertIn(found.id, log.output)

    def test_a_page_without_ids(self):
        for found in ({}, {'images': [{}]}, {'images': [{'id': 5}]},
                      {'images': ['x']}):
            self.assertRaises(answers.Unreadable, translation.page, found)


class TestToGlance(case.TestCase):
    """Fields as headers."""

    def test_fields(self):
        self.assertEqual({
            'x-image-meta-name': u'\xe9', 'x-image-meta-owner': '',
            'x-image-meta-is_public': 'False', 'x-image-meta-min_ram': '0',
            'x-image-meta-protected': 'True',
            'x-image-meta-property-a_b': '1'}, translation.to_headers({
                'name': u'\xe9', 'owner': None, 'visibility': 'shared',
                'min_ram': 0, 'protected': True, 'disk_format': None,
                'properties': {'A-b': '1'}}))

    def test_fields_that_v1_lacks(self):
        for name in ('tags', 'hidden', 'members', 'status'):
            self.assertRaises(exception.ImageActionNotSupported,
                              translation.to_headers, {name: 'x'})

    def test_values_that_cannot_be_sent(self):
        for fields in ({'name': 'a\nb'}, {'owner': ' a'},
                       {'properties': {'a': 'x\ny'}},
                       {'properties': {'a:b': 'x'}},
                       {'properties': {'a': '1', 'A': '2'}}):
            self.assertRaises(exception.ImageBadRequest,
                              translation.to_headers, fields)
