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

"""Tests of nova_image.image.v2.translation: images of v2 and of callers."""

import copy
import datetime
import json

from oslo_utils import timeutils
import six
import testtools

from nova_image import exception
from nova_image.image.v2 import translation
from nova_image.tests.unit import recordings

GLANCES = [recordings.load('v2_glance15'), recordings.load('v2_glance33')]
BASE_NAMES = (
    'owner', 'created_at', 'updated_at', 'name', 'status', 'visibility',
    'tags', 'file', 'schema', 'locations', 'direct_url', 'size', 'checksum',
    'id', 'min_ram', 'min_disk', 'protected', 'virtual_size',
    'container_format', 'disk_format', 'self')
KEYS = {'id', 'name', 'status', 'size', 'min_disk', 'min_ram', 'disk_format',
        'container_format', 'checksum', 'owner', 'is_public', 'created_at',
        'updated_at', 'deleted', 'deleted_at', 'properties'}
#: fields that Glance 33 has in addition
PASSED = {'os_hidden', 'os_hash_algo', 'os_hash_value', 'stores'}


class TestFromGlance(testtools.TestCase):
    """Images in the format of callers."""

    def _images(self, name, **kwargs):
        for glance in GLANCES:
            yield translation.from_glance(glance(name).json, **kwargs)

    def test_an_active_image_is_translated(self):
        moment = datetime.datetime(2026, 11, 21, 2, 16, 28)
        for image in self._images('show_active'):
            for name in ('created_at', 'updated_at'):
                value = image.pop(name)
                self.assertEqual(datetime.timedelta(0), value.utcoffset())
                self.assertEqual(moment, value.replace(tzinfo=None))
            for name in PASSED:
                image.pop(name, None)
            self.assertEqual({
                'id': recordings.ACTIVE, 'name': recordings.NAME,
                'status': 'active', 'size': 100, 'min_disk': 1,
                'min_ram': 512, 'disk_format': 'raw',
                'container_format': 'bare',
                'checksum': '7a08b07e84641703e5f2c836aa59a170',
                'owner': 'a-project', 'is_public': False, 'deleted': False,
                'deleted_at': None, 'properties': {
                    'os_type': 'linux', 'hw:numa_nodes': '2', 'empty': '',
                    'kernel_id': recordings.KERNEL,
                    'description': recordings.NAME,
                    'block_device_mapping': [
                        {'device_name': '/dev/vda', 'boot_index': 0}]}},
                image)

    def test_fields_of_newer_glances_are_passed_through(self):
        old, new = self._images('show_active')
        self.assertEqual(KEYS, set(old))
        self.assertEqual(KEYS | PASSED, set(new))
        raw = GLANCES[1]('show_active').json
        self.assertEqual(False, new['os_hidden'])
        for name in PASSED:
            self.assertEqual(raw[name], new[name])

    def test_a_listing_passes_the_same_fields(self):
        for glance in GLANCES:
            raw = glance('show_active').json
            self.assertEqual(translation.from_glance(raw), json.loads(
                json.dumps(raw), object_hook=translation.Listing().hook))

    def test_a_queued_image_has_all_fields(self):
        for image in self._images('show_queued'):
            self.assertEqual(KEYS, set(image) - PASSED)
            self.assertEqual(
                ('queued', 0, 0, 0, None, {}),
                (image['status'], image['size'], image['min_disk'],
                 image['min_ram'], image['checksum'], image['properties']))

    def test_only_the_visibility_public_is_public(self):
        raw = GLANCES[1]('show_active').json
        for visibility in ('private', 'shared', 'community', None):
            self.assertIs(False, translation.from_glance(
                dict(raw, visibility=visibility))['is_public'])
        self.assertIs(True, translation.from_glance(
            dict(raw, visibility='public'))['is_public'])

    def test_shared_and_community_images_are_not_public(self):
        for name in ('show_shared', 'show_community'):
            for image in self._images(name):
                self.assertIs(False, image['is_public'])

    def test_times_in_all_forms_are_aware(self):
        for text in ('2026-11-21T02:16:28Z', '2026-11-21T02:16:28',
                     '2026-11-21T04:16:28+02:00'):
            value = translation.from_glance({'created_at': text})
            self.assertEqual(
                '2026-11-21 02:16:28',
                str(timeutils.normalize_time(value['created_at'])))
            self.assertIsNotNone(value['created_at'].tzinfo)

    def test_fields_of_glance_are_not_properties(self):
        raw = dict(os_glance_importing_to_stores='slow', os_hidden=False,
                   stores='fast', os_hash_algo='sha512', real='1')
        self.assertEqual({'real': '1'},
                         translation.from_glance(raw)['properties'])

    def test_a_listing_shares_equal_values(self):
        listing = translation.Listing()
        raw = GLANCES[1]('show_active').json
        texts = json.dumps(raw), json.dumps(dict(raw, id='another'))
        first, second = [json.loads(text, object_hook=listing.hook)
                         for text in texts]
        self.assertEqual(translation.from_glance(raw), first)
        self.assertEqual(dict(first, id='another'), second)
        for name in ('owner', 'status', 'disk_format', 'container_format',
                     'os_hash_algo', 'stores'):
            self.assertIs(first[name], second[name])
        self.assertIs(first['properties']['hw:numa_nodes'],
                      second['properties']['hw:numa_nodes'])
        self.assertIs(first['created_at'], first['updated_at'])

    def test_other_objects_in_a_listing_are_left_unchanged(self):
        listing = translation.Listing()
        image = GLANCES[1]('show_active').json
        for raw in ({'images': []}, {'url': 'file:///a', 'metadata': {}},
                    {'status': []}, dict(image, size='x'),
                    dict(image, created_at=5), dict(image, min_ram=-1)):
            self.assertIs(raw, listing.hook(raw))
        self.assertTrue(listing.is_complete([]))

    def test_a_listing_is_complete_if_the_hook_has_read_its_images(self):
        listing = translation.Listing()
        raw = json.loads(json.dumps(GLANCES[1]('show_active').json))
        images = [listing.hook(raw), listing.hook(raw)]
        self.assertTrue(listing.is_complete(images))
        for other in (images[:1], images + images[:1], images[::-1],
                      [images[0], raw], None, {}):
            self.assertFalse(listing.is_complete(other))

    def test_properties_without_a_value_are_left_out(self):
        self.assertEqual({'b': ''}, translation.from_glance(
            {'a': None, 'b': ''})['properties'])

    def test_invalid_json_stays_text(self):
        for text in ('[{', 'not json', ''):
            for name in ('mappings', 'block_device_mapping'):
                self.assertEqual({name: text}, translation.from_glance(
                    {name: text})['properties'])

    def test_json_of_other_properties_stays_text(self):
        self.assertEqual({'other': '[1]'}, translation.from_glance(
            {'other': '[1]'})['properties'])


class TestLocations(testtools.TestCase):
    """The locations of an image's data."""

    def _locations(self, **raw):
        return translation.from_glance(raw, True)['locations']

    def test_locations_are_left_out_unless_asked_for(self):
        self.assertNotIn('locations', translation.from_glance(
            {'locations': [{'url': 'a'}]}))

    def test_direct_url_is_passed_with_the_locations(self):
        for glance in GLANCES:
            raw = glance('show_active').json
            self.assertNotIn('direct_url', translation.from_glance(raw))
            self.assertEqual(raw['direct_url'], translation.from_glance(
                raw, True)['direct_url'])
            self.assertNotIn('direct_url', translation.from_glance(
                glance('show_queued').json, True))

    def test_direct_url_is_not_repeated(self):
        for glance in GLANCES:
            raw = glance('show_active').json
            found = translation.from_glance(raw, True)['locations']
            self.assertEqual(raw['locations'], found)
            self.assertEqual([raw['direct_url']],
                             [location['url'] for location in found])

    def test_direct_url_is_added(self):
        self.assertEqual(
            [{'url': 'a', 'metadata': {'x': 1}},
             {'url': 'b', 'metadata': {}}],
            self._locations(locations=[{'url': 'a', 'metadata': {'x': 1}}],
                            direct_url='b'))

    def test_locations_may_be_empty(self):
        for raw in ({}, {'locations': []}, {'locations': None}):
            self.assertEqual([], self._locations(**raw))


class TestRecordOf(testtools.TestCase):
    """The recorded size and hash of an image."""

    def _record(self, raw):
        found = translation.record_of(raw)
        return found.size, found.algorithm, found.value

    def test_os_hash_value_is_preferred_to_the_checksum(self):
        old, new = [glance('show_active').json for glance in GLANCES]
        self.assertEqual((100, 'md5', old['checksum']), self._record(old))
        self.assertEqual((100, 'sha512', new['os_hash_value']),
                         self._record(new))

    def test_missing_values_are_none(self):
        for raw in ({}, {'os_hash_value': None, 'checksum': None}):
            self.assertEqual((None, None, None), self._record(raw))


class TestToGlance(testtools.TestCase):
    """Metadata that callers pass."""

    def _assert_sent(self, expected, **image_meta):
        before = copy.deepcopy(image_meta)
        self.assertEqual(expected, translation.to_glance(image_meta))
        self.assertEqual(before, image_meta)

    def _assert_refused(self, words, **image_meta):
        error = self.assertRaises(exception.ImageBadRequest,
                                  translation.to_glance, image_meta)
        self.assertIn(words, six.text_type(error))

    def test_tags_that_glance_would_refuse_and_keep(self):
        for tag in (u'\U0001f600', u'a\U00010000'):
            self.assertRaises(exception.ImageBadRequest,
                              translation.to_glance, {'tags': ['a', tag]})
        tags = [u'\uffff', u'', u'\u00e9']
        self.assertEqual({'tags': tags}, translation.to_glance(
            {'tags': tags}))

    def test_numbers_and_booleans_are_converted(self):
        self._assert_sent(
            {'min_ram': 512, 'min_disk': 1, 'protected': True},
            min_ram='512', min_disk=1, protected='True')
        self._assert_sent({'protected': False}, protected='0')

    def test_invalid_numbers_and_booleans_are_refused(self):
        self._assert_refused('min_ram', min_ram='much')
        self._assert_refused('min_disk', min_disk=-1)
        self._assert_refused('protected', protected='maybe')
        self._assert_refused('is_public', is_public='maybe')

    def test_none_is_left_out(self):
        self._assert_sent({}, name=None, min_ram=None, protected=None,
                          is_public=None, owner=None, properties=None)

    def test_is_public_becomes_visibility(self):
        for value in (True, 'true', '1'):
            self._assert_sent({'visibility': 'public'}, is_public=value)
        for value in (False, 'False', '0'):
            self._assert_sent({'visibility': 'private'}, is_public=value)
        self._assert_sent({'visibility': 'community'},
                          visibility='community')

    def test_visibility_takes_precedence_over_is_public(self):
        self._assert_sent({'visibility': 'shared'}, visibility='shared',
                          is_public=False)
        self._assert_sent({'visibility': 'shared'}, is_public=False,
                          visibility='shared')

    def test_fields_that_glance_sets_are_not_sent(self):
        self._assert_sent(
            {'name': 'x'}, name='x', status='active', size=5, checksum='abc',
            created_at='now', updated_at='now', deleted=False,
            deleted_at=None, locations=[], direct_url='a', location='b')

    def test_an_image_can_be_sent_as_it_was_read(self):
        for glance in GLANCES:
            image = translation.from_glance(glance('show_active').json, True)
            sent = translation.to_glance(image)
            self.assertEqual(
                set(), set(sent) & (PASSED - {'os_hidden'} | {'direct_url'}))
            self.assertEqual(image.get('os_hidden'), sent.get('os_hidden'))
            self.assertNotIn('os_hidden', translation.to_create(image))
            self.assertEqual(recordings.NAME, sent['name'])
            self.assertEqual(recordings.NAME, sent['description'])
            self.assertNotIn('status', sent)

    def test_unknown_attributes_are_refused(self):
        self._assert_refused('no image attribute copy_from',
                             copy_from='http://somewhere')

    def test_properties_are_text(self):
        self._assert_sent(
            {'a': u'5', 'b': u'True', 'c': u'None', 'd': u'[1]',
             'e': recordings.NAME, 'f': recordings.NAME, 'g': u''},
            properties={'a': 5, 'b': True, 'c': None, 'd': [1],
                        'e': recordings.NAME, 'g': '',
                        'f': recordings.NAME.encode('utf-8')})

    def test_json_properties_are_encoded(self):
        self._assert_sent(
            {'mappings': u'[{"a": 1}]', 'block_device_mapping': u'[]'},
            properties={'mappings': [{'a': 1}],
                        'block_device_mapping': u'[]'})

    def test_names_of_properties_are_kept(self):
        names = ('hw:numa_nodes', 'Upper-Case', 'a/b', 'a~b', 'x.y',
                 'version', 'context', 'method', 'image_id', 'data', 'args',
                 'kwargs', 'purge_props')
        self._assert_sent({name: u'1' for name in names},
                          properties={name: '1' for name in names})

    def test_names_of_base_fields_are_refused(self):
        for name in BASE_NAMES + ('os_hash_value', 'os_hidden', 'stores',
                                  'os_glance_failed_import', 'deleted'):
            self._assert_refused(name, properties={name: 'x'})

    def test_property_names_that_break_glance_15_are_refused(self):
        for name in (u'', u'Z\xfcrich', u'a\nb', u'\u65e5'):
            self._assert_refused('ASCII', properties={name: 'x'})

    def test_an_unset_kernel_is_left_out(self):
        for value in (None, '', 'None', 'none'):
            self._assert_sent({'os_type': u'linux'}, properties={
                'kernel_id': value, 'ramdisk_id': value,
                'os_type': 'linux'})
        self._assert_sent({'kernel_id': recordings.KERNEL},
                          properties={'kernel_id': recordings.KERNEL})
