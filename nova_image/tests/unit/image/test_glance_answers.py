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


"""Tests of the v1 driver with answers and properties that make no sense."""

from nova_image import exception
from nova_image.tests.unit.image import glance_case as case
from nova_image.tests.unit import recordings

GLANCE15 = case.GLANCE15
ACTIVE = case.ACTIVE
#: values of the wrong type, or out of range, for any field
WRONG = (-1, 1.5, [1], [None], {'a': 1}, [{}], 10 ** 30)
DEEP = u'[' * 1500


class AnswersTestCase(case.DriverTestCase):
    """Base class: a listing, and one image in JSON and in headers."""

    def setUp(self):
        super(AnswersTestCase, self).setUp()
        self.raw = case.about(
            ACTIVE, GLANCE15('create_201')).json['image']

    def _bad(self, method, *args):
        return self.assert_raises(exception.GlanceBadAnswer, method, *args)

    def _list(self, *images):
        self.glance.answers(recordings.Answer().saying({
            'images': list(images)}), *[
                recordings.Answer().saying({'images': []})] * bool(images))
        found = self.service.detail(self.context)
        self.service.client.knowledge(self.context)._kept.clear()
        return found

    def _show(self, **headers):
        self.glance.answers(GLANCE15('show_active').changed(headers={
            'x-image-meta-' + name: value
            for name, value in headers.items()}))
        return self.service.show(self.context, ACTIVE)


class TestProperties(AnswersTestCase):
    """Properties that hold JSON, which every user can set."""

    def test_json_that_is_too_deep_is_text(self):
        image = self._show(**{'property-mappings': str(DEEP)})
        self.assertEqual(DEEP, image['properties']['mappings'])
        images = self._list(dict(self.raw, properties={'mappings': DEEP}),
                            dict(self.raw, id=u'last'))
        self.assertEqual(DEEP, images[0]['properties']['mappings'])
        self.assertEqual(2, len(images))


class TestListing(AnswersTestCase):
    """One unreadable image does not end a listing."""

    def test_an_image_is_listed_with_what_can_be_read(self):
        [whole] = self._list(self.raw)
        for field in sorted(set(self.raw) & set(whole) - {'id'}):
            for value in WRONG:
                first, second = self._list(
                    dict(self.raw, **{field: value}),
                    dict(self.raw, id=u'last'))
                self.assertEqual(dict(whole, id=u'last'), second)
                self.assertEqual(
                    {name: whole[name] for name in whole if name != field},
                    {name: first[name] for name in first if name != field})

    def test_unreadable_fields_have_defaults(self):
        [image] = self._list(dict(
            self.raw, name=[1], size=u'x', created_at=5, is_public=[1],
            properties=[1]))
        self.assertEqual((None, 0, None, False, {}), (
            image['name'], image['size'], image['created_at'],
            image['is_public'], image['properties']))
        self.assertIn('Image %s is listed with defaults' % ACTIVE,
                      self.warnings()[-1])

    def test_what_is_not_an_image_is_a_bad_answer(self):
        for raw in (None, 5, u'x', [], {}, {'id': 5}):
            self.glance.answers(recordings.Answer().saying(
                {'images': [self.raw, raw]}))
            self.assertIn('is not a list of images',
                          self._bad('detail').reason)


class TestImage(AnswersTestCase):
    """One image with unreadable fields is a bad answer."""

    def test_a_wrong_header_is_a_bad_answer(self):
        for name, values in (
                ('size', ('x', '-1', '1.5', '7, 7', '9' * 5000, '\xb2')),
                ('min_ram', ('x', '-1')),
                ('created_at', ('x', '10000-01-01T00:00:00',
                                '0001-01-01T00:00:00+23:59',
                                '2026-01-01T00:00:00, x'))):
            for value in values:
                error = self.assertRaises(exception.GlanceBadAnswer,
                                          self._show, **{name: value})
                self.assertIn('its %s is not' % name, error.reason)

    def test_a_wrong_header_of_a_download_is_a_bad_answer(self):
        for name, value in (('size', 'x'), ('created_at', 'x')):
            self.glance.answers(GLANCE15('download_200').changed(
                headers={'x-image-meta-' + name: value}))
            self._bad('download', ACTIVE)

    def test_a_wrong_field_of_a_create_is_a_bad_answer(self):
        for field in ('name', 'size', 'created_at', 'owner', 'checksum',
                      'is_public', 'properties'):
            for value in WRONG:
                if field == 'properties' and value == {'a': 1}:
                    continue  # as a property should be
                self.glance.answers(recordings.Answer().saying(
                    {'image': dict(self.raw, **{field: value})}))
                self.assertIn('its %s is' % field, self._bad(
                    'create', case.META).reason)

    def test_a_failed_create_keeps_the_first_error(self):
        raw = dict(self.raw, size=u'x')
        self.glance.answers(
            case.created, lambda call: recordings.Answer().saying({
                'image': dict(raw, id=call.path.rpartition('/')[2])}),
            recordings.Answer(200))
        error = self._bad('create', {'name': 'x'}, case.DATA)
        self.assertIn('its size is not', error.reason)
        self.assertEqual(['POST', 'PUT', 'DELETE'],
                         [call.method for call in self.glance.calls])


class TestMembers(AnswersTestCase):
    """Members with unreadable fields are bad answers."""

    def test_what_is_not_a_member_is_a_bad_answer(self):
        for value in WRONG + (None, u'x', {'member_id': 5},
                              {'member_id': u'q', 'can_share': [1]}):
            self.glance.answers(recordings.Answer().saying(
                {'members': [value]}))
            self._bad('members', ACTIVE)
