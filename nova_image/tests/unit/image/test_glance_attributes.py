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
"""Tests of nova_image.image.glance_v2: changes of images."""

import six

from nova_image import exception
from nova_image.tests.unit.image import glance_case as case

GLANCE15 = case.GLANCE15
ACTIVE = case.ACTIVE
PATH = case.path(ACTIVE)
LACKED = ('tags', 'os_hidden', 'os_hash_algo', 'os_hash_value', 'stores')
FURTHER = set(LACKED) | {'visibility', 'protected', 'virtual_size'}


class TestAllFields(case.DriverTestCase):
    """Images with all fields; those that v1 lacks are None."""

    def assert_full(self, image, plain):
        self.assertEqual(FURTHER | set(plain), set(image))
        self.assertFalse(FURTHER & set(plain))
        self.assertEqual(plain, {name: image[name] for name in plain})
        self.assertEqual({None}, {image[name] for name in LACKED})
        self.assertIn(image['protected'], (True, False))

    def test_show(self):
        answer = GLANCE15('show_active')
        for headers, expected in (
                ({}, ('private', False, None)),
                ({'X-Image-Meta-Is_public': 'True',
                  'X-Image-Meta-Protected': 'True',
                  'X-Image-Meta-Virtual_size': '5'}, ('public', True, 5))):
            given = answer.changed(headers=headers)
            self.glance.answers(given, given)
            image = self.service.show(self.context, ACTIVE, all_fields=True)
            self.assertEqual(expected, (
                image['visibility'], image['protected'],
                image['virtual_size']))
            self.assert_full(image, self.service.show(self.context, ACTIVE))

    def test_detail(self):
        self.glance.answers(GLANCE15('list'), GLANCE15('list_none'),
                            GLANCE15('list'), GLANCE15('list_none'))
        images = self.service.detail(self.context, all_fields=True)
        plain = self.service.detail(self.context)
        self.assertTrue(images)
        for number, one in enumerate(images):
            self.assert_full(one, plain[number])

    def test_create_and_update(self):
        for found in (
                self._made(), self._made(all_fields=True), self._changed(),
                self._changed(all_fields=True)):
            self.assertIn(len(FURTHER & set(found)), (0, len(FURTHER)))
        self.assertEqual('private', self._changed(
            all_fields=True)['visibility'])

    def _made(self, **kwargs):
        self.glance.answers(case.created)
        return self.service.create(self.context, {'name': 'a'}, **kwargs)

    def _changed(self, **kwargs):
        self.glance.answers(case.about(ACTIVE, GLANCE15('update_200')))
        return self.service.update(self.context, ACTIVE, {'name': 'a'},
                                   purge_props=False, **kwargs)


class TestRefusals(case.DriverTestCase):
    """What v1 lacks is refused if a caller asks for it by name."""

    def test_tags_and_hidden_images(self):
        for method, args, kwargs in (
                ('create', ({'tags': ['a']},), {'all_fields': True}),
                ('create', ({'os_hidden': True},), {'all_fields': True}),
                ('update', (ACTIVE, {'tags': ['a']}), {'all_fields': True}),
                ('update', (ACTIVE, {}), {'add_tags': ['a']}),
                ('unset', (ACTIVE, ['a'], ['t']), {}),
                ('deactivate', (ACTIVE,), {}),
                ('reactivate', (ACTIVE,), {})):
            error = self.assert_raises(exception.ImageActionNotSupported,
                                       method, *args, **kwargs)
            self.assertIn('v1 has no ', six.text_type(error))
        self.assert_calls([])

    def test_what_means_nothing_is_accepted(self):
        self.glance.answers(case.created)
        self.service.create(self.context, {'tags': [], 'os_hidden': False},
                            all_fields=True)
        self.assertEqual(['id'], list(self.sent_meta()))

    def test_filters(self):
        for filters in ({'os_hidden': True}, {'member_status': 'all'}):
            self.assert_raises(exception.ImageActionNotSupported, 'detail',
                               filters=filters)
        self.glance.answers(GLANCE15('list_none'))
        self.service.detail(self.context, filters={'os_hidden': False})
        self.assert_calls([('GET', '/v1/images/detail?is_public=none'
                                   '&limit=1000')])


class TestUnset(case.DriverTestCase):
    """unset() writes back all other properties, because v1 has no choice."""

    def test_properties(self):
        self.glance.answers(GLANCE15('show_active'),
                            case.about(ACTIVE, GLANCE15('update_200')))
        self.service.unset(self.context, ACTIVE, ['os_type', 'description'])
        self.assert_calls([('HEAD', PATH), ('PUT', PATH)])
        self.assertEqual('True', self.purge(1))
        self.assertEqual(
            {'property-kernel_id', 'property-block_device_mapping'},
            set(self.sent_meta(1)))

    def test_a_missing_property_changes_nothing(self):
        self.glance.answers(GLANCE15('show_active'))
        error = self.assert_raises(exception.NotFound, 'unset', ACTIVE,
                                   ['os_type', 'a', 'b'])
        self.assertIn('no property a and no property b',
                      six.text_type(error))
        self.assert_calls([('HEAD', PATH)])
