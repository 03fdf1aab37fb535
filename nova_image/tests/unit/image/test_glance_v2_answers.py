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


"""Tests of the v2 driver with answers and properties that make no sense."""

import io

import six

from nova_image import exception
from nova_image.image.v2 import uploads
from nova_image.tests.unit.image import glance_v2_case as case
from nova_image.tests.unit import recordings

GLANCE33 = case.GLANCE33
ACTIVE = case.ACTIVE
QUEUED = case.QUEUED
DATA = case.DATA
META = case.META
SHOWN = GLANCE33('show_active')
#: values of the wrong type, or out of range, for any field
WRONG = (5, -1, 1.5, True, [], [1], [None], {}, {'a': 1}, [{}], 10 ** 30)
WRONG_TEXT = (u'x', u'9' * 5000, u'\u0663', u'0000-01-01T00:00:00Z',
              u'10000-01-01T00:00:00Z')


def _numbered(item):
    """Return an image with an ID of its own."""
    return dict(item[1], id=u'image-%d' % item[0])


class AnswersTestCase(case.DriverTestCase):
    """Base class: calls with one answer each."""

    def _bad(self, words, method, *args, **kwargs):
        error = self.assert_raises(exception.GlanceBadAnswer, method, *args,
                                   **kwargs)
        self.assertIn(words, error.reason)

    def _list(self, *images, **more):
        self.glance.answers(GLANCE33('list_none').saying(
            dict(more, images=list(images))))
        return self.service.detail(self.context)


class TestProperties(AnswersTestCase):
    """Properties that hold JSON, which every user can set."""

    VALUES = (u'[' * 1500, u'{"a":' * 1500, u'[' * 33 + u']' * 33,
              u'9' * 5000, u'"\\ud800"', u'"%s"' % (u'a' * 70000))

    def test_json_that_is_too_deep_or_too_large_is_shown_as_text(self):
        for name in ('mappings', 'block_device_mapping'):
            for value in self.VALUES:
                self.glance.answers(SHOWN.but(**{name: value}))
                image = self.service.show(self.context, ACTIVE)
                self.assertEqual(value, image['properties'][name])

    def test_json_that_is_too_deep_or_too_large_is_listed_as_text(self):
        raws = [dict(SHOWN.json, mappings=value) for value in self.VALUES]
        images = self._list(SHOWN.json, *map(_numbered, enumerate(raws)))
        self.assertEqual(list(self.VALUES), [
            image['properties']['mappings'] for image in images[1:]])

    def test_an_update_does_not_lose_it(self):
        deep = u'[' * 1500
        self.glance.answers(SHOWN.but(mappings=deep))
        image = self.service.show(self.context, ACTIVE)
        self.glance.answers(SHOWN.but(mappings=deep))
        self.service.update(self.context, ACTIVE,
                            {'properties': image['properties']})
        self.assertEqual(['GET', 'GET'],
                         [call.method for call in self.glance.calls])

    def test_json_of_the_wrong_type_is_left_unchanged(self):
        for value in WRONG:
            self.glance.answers(SHOWN.but(mappings=value))
            image = self.service.show(self.context, ACTIVE)
            self.assertEqual(value, image['properties']['mappings'])


class TestListing(AnswersTestCase):
    """One unreadable image does not end a listing."""

    FIELDS = ('name', 'status', 'size', 'min_disk', 'min_ram', 'disk_format',
              'container_format', 'checksum', 'owner', 'visibility',
              'created_at', 'updated_at')

    def test_an_image_is_listed_with_what_can_be_read(self):
        whole = self._list(SHOWN.json)[0]
        for field in self.FIELDS:
            for value in WRONG:
                raw = dict(SHOWN.json, **{field: value})
                first, second = self._list(raw, dict(SHOWN.json, id=QUEUED))
                self.assertEqual(dict(whole, id=QUEUED), second)
                self.assertEqual(set(whole), set(first))
                same = set(whole) - {field, 'is_public'}
                self.assertEqual({name: whole[name] for name in same},
                                 {name: first[name] for name in same})

    def test_unreadable_fields_have_defaults(self):
        [image] = self._list(dict(
            SHOWN.json, name=[1], status=None, size=-1, min_disk=u'x',
            min_ram=10 ** 30, visibility={}, created_at=u'x',
            updated_at=5))
        self.assertEqual([ACTIVE, None, None, 0, 0, 0, False, None, None], [
            image[name] for name in ('id', 'name', 'status', 'size',
                                     'min_disk', 'min_ram', 'is_public',
                                     'created_at', 'updated_at')])
        [line] = self.warnings()
        self.assertIn('Image %s is listed with defaults: its created_at is '
                      'not a time, ' % ACTIVE, line)

    def test_missing_fields_have_defaults(self):
        [image] = self._list({'id': ACTIVE})
        self.assertEqual((ACTIVE, None, 0, {}), (
            image['id'], image['status'], image['size'],
            image['properties']))

    def test_times_that_do_not_exist_are_none(self):
        for value in WRONG_TEXT:
            self.assertIsNone(self._list(dict(
                SHOWN.json, updated_at=value))[0]['updated_at'])

    def test_only_images_are_translated(self):
        inner = dict(SHOWN.json, id=QUEUED)
        raw = dict(SHOWN.json, custom=inner, lists=[[inner], {'a': inner}])
        first, second = self._list(raw, dict(SHOWN.json, id=u'last'),
                                   other=inner)
        self.assertEqual(inner, first['properties']['custom'])
        self.assertEqual([[inner], {'a': inner}],
                         first['properties']['lists'])
        self.assertEqual(self._list(dict(SHOWN.json, id=u'last')), [second])

    def test_metadata_of_a_location_may_look_like_an_image(self):
        for metadata in (SHOWN.json, {'status': 'x'}, {'status': [],
                                                       'id': 5}):
            raw = dict(SHOWN.json, locations=[
                {'url': 'file:///a', 'metadata': metadata}])
            self.assertEqual(self._list(SHOWN.json), self._list(raw))

    def test_what_is_not_an_image_is_a_bad_answer(self):
        for raw in (None, 5, u'x', [], {}, {'status': 'active'},
                    {'id': 5, 'status': 'active'}):
            self.glance.answers(GLANCE33('list_none').saying(
                {'images': [SHOWN.json, raw]}))
            self._bad('is not a list of images', 'detail')

    def test_an_invalid_link_is_a_bad_answer(self):
        for link, words in ((5, 'is not text'), ([1], 'is not text'),
                            (u'http://[::1/v2/images', 'is not a URL')):
            self.glance.answers(GLANCE33('list_none').saying(
                {'images': [], 'next': link}))
            self._bad(words, 'detail')


class TestImage(AnswersTestCase):
    """One image with unreadable fields is a bad answer."""

    def test_a_wrong_field_is_named(self):
        for field, values in (
                ('size', WRONG[1:] + WRONG_TEXT),
                ('created_at', WRONG + WRONG_TEXT),
                ('name', WRONG), ('status', WRONG), ('owner', WRONG),
                ('visibility', WRONG), ('os_hash_algo', WRONG),
                ('os_hash_value', WRONG), ('stores', WRONG),
                ('os_glance_import_task', WRONG),
                ('tags', (5, u'x', [5], [None], {'a': 1})),
                ('locations', (5, u'x', [5], [{}], [{'url': 5}],
                               [{'url': u'a', 'metadata': [1]}]))):
            for value in values:
                for method, args in (
                        ('show', (ACTIVE, True)), ('download', (ACTIVE,)),
                        ('update', (ACTIVE, {'name': 'x'}))):
                    self.glance.answers(SHOWN.but(**{field: value}))
                    error = self.assert_raises(
                        exception.GlanceBadAnswer, method, *args)
                    self.assertNotIn('x-secret', six.text_type(error))

    def test_a_tag_may_be_empty(self):
        self.glance.answers(SHOWN.but(tags=[u'']))
        image = self.service.show(self.context, ACTIVE)
        self.assertEqual(ACTIVE, image['id'])

    def test_nesting_and_encoding_are_bad_answers(self):
        for content in (b'[' * 100000, b'{"a":' * 100000, b'\xff',
                        b'{"id": "%s", "size": %s}' % (
                            ACTIVE.encode('ascii'), b'9' * 5000)):
            self.glance.answers(recordings.Answer(content=content))
            self._bad('is not JSON', 'show', ACTIVE)

    def test_missing_fields_are_none(self):
        self.glance.answers(recordings.Answer().saying({'id': ACTIVE}))
        image = self.service.show(self.context, ACTIVE, True)
        self.assertEqual((None, 0, None, []), (
            image['status'], image['size'], image['created_at'],
            image['locations']))
        self.glance.answers(recordings.Answer().saying({'id': ACTIVE}))
        self.assert_raises(exception.ImageConflict, 'update', ACTIVE, {},
                           DATA)

    def test_an_image_without_visibility_can_be_updated(self):
        self.glance.answers(SHOWN.without('visibility'))
        self.service.update(self.context, ACTIVE, {'is_public': False},
                            purge_props=False)
        self.assertEqual(1, len(self.glance.calls))

    def test_a_failed_create_keeps_the_first_error(self):
        for field, value in (('size', u'x'), ('created_at', 5),
                             ('os_hash_algo', [u'x'])):
            self.glance.answers(
                case.created, recordings.Answer(204),
                SHOWN.but(**{field: value}), recordings.Answer(204))
            self._bad('its %s is not' % field, 'create', META, DATA)
            self.assertEqual('DELETE', self.glance.calls[-1].method)


class TestRemembered(AnswersTestCase):
    """What a server says once does not break later calls."""

    def _create(self, **recorded):
        self.glance.answers(case.created, recordings.Answer(204),
                            SHOWN.but(**recorded))
        return self.service.create(self.context, META,
                                   io.BytesIO(DATA))

    def _algorithm(self):
        return self.service.client.knowledge(self.context).get(
            uploads.HASH_ALGORITHM)

    def test_an_unknown_hash_algorithm_is_not_remembered(self):
        for value in (u'x', u'shake_128', u'sha\0'):
            self._create(os_hash_algo=value, os_hash_value=u'00',
                         checksum=None)
            self.assertIsNone(self._algorithm())
        self._create()
        self.assertEqual('sha512', self._algorithm())

    def test_a_list_as_hash_algorithm_breaks_no_later_upload(self):
        self.glance.answers(
            case.created, recordings.Answer(204),
            SHOWN.but(os_hash_algo=[u'x']), recordings.Answer(204))
        self._bad('os_hash_algo is not text', 'create', META, DATA)
        self.assertEqual('active', self._create()['status'])

    def test_stores_without_an_id_are_not_remembered(self):
        for stores in (5, u'x', [5], [{}], [{'id': 5}], [{'id': None}]):
            self.glance.answers(recordings.Answer(content=b'{}'),
                                recordings.Answer().saying(
                                    {'stores': stores}))
            self.assert_raises(exception.GlanceBadAnswer, 'import_info')
        self.glance.answers(recordings.load('v2_imports33')('info_stores'))
        self.assertEqual(['fast'], self.service._imports.rules.stores(
            self.context))

    def test_invalid_import_methods_are_bad_answers(self):
        for methods in (5, u'x', [1], {'value': 5}, {'value': [5]},
                        {'value': {'a': 1}}):
            self.glance.answers(recordings.Answer().saying(
                {'import-methods': methods}))
            self.assert_raises(exception.GlanceBadAnswer, 'import_info')

    def test_invalid_limits_are_bad_answers(self):
        for usage in (5, [5], {'image_size_total': 5},
                      {'image_size_total': {'limit': u'x'}},
                      {'image_stage_total': {'limit': 5, 'usage': []}}):
            self.glance.answers(recordings.Answer().saying({'usage': usage}))
            self.assertRaises(
                exception.GlanceBadAnswer,
                self.service._imports.rules.check_size, self.context, 5)

    def test_invalid_formats_of_a_schema_are_bad_answers(self):
        for enum in (5, u'raw', [5], {'a': 1}):
            self.glance.answers(recordings.Answer().saying(
                {'properties': {'disk_format': {'enum': enum}}}))
            self._bad('a value in its JSON is not', 'create',
                      {'name': 'x', 'size': 0})

    def test_invalid_versions_are_bad_answers(self):
        for versions in (5, None, {'id': 5}, [5], [None], [{'id': 5}]):
            self.glance.answers(
                SHOWN.without('locations', 'direct_url'),
                recordings.Answer().saying({'versions': versions}))
            image = self.service.show(self.context, ACTIVE,
                                      include_locations=True)
            self.assertEqual([], image['locations'])

    def test_digits_of_other_scripts_are_no_version(self):
        self.glance.answers(
            SHOWN.without('locations', 'direct_url'),
            recordings.Answer().saying({'versions': [
                {'id': u'v2.\xb2'}, {'id': u'v2.\u0669\u0669'}, {}]}))
        self.service.show(self.context, ACTIVE, include_locations=True)
        self.assertEqual(2, len(self.glance.calls))

    def test_invalid_locations_for_services_are_none(self):
        for locations in ([5], [{}], [{'url': 5}], {'a': 1}):
            self.glance.answers(
                SHOWN.without('locations', 'direct_url'),
                recordings.Answer().saying({'versions': [{'id': 'v2.17'}]}),
                recordings.Answer().saying(locations))
            image = self.service.show(self.context, ACTIVE,
                                      include_locations=True)
            self.assertEqual([], image['locations'])
            self.service = self.driver()
            self.service.client.knowledge(self.context)._kept.clear()


class TestMembers(AnswersTestCase):
    """Members with unreadable fields are bad answers."""

    def test_a_wrong_field_is_a_bad_answer(self):
        raw = {'member_id': u'q', 'image_id': ACTIVE, 'status': u'pending',
               'created_at': u'2026-11-21T02:16:28Z',
               'updated_at': u'2026-11-21T02:16:28Z'}
        for field in ('member_id', 'status', 'created_at', 'updated_at'):
            for value in WRONG:
                wrong = dict(raw, **{field: value})
                self.glance.answers(recordings.Answer().saying(
                    {'members': [raw, wrong]}))
                self.assert_raises(exception.GlanceBadAnswer, 'members',
                                   ACTIVE)
                self.glance.answers(recordings.Answer().saying(wrong))
                self.assert_raises(exception.GlanceBadAnswer, 'add_member',
                                   ACTIVE, u'q')

    def test_what_is_not_a_member_is_a_bad_answer(self):
        for value in WRONG + (None, u'x'):
            self.glance.answers(recordings.Answer().saying(
                {'members': [value]}))
            self.assert_raises(exception.GlanceBadAnswer, 'members', ACTIVE)
