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
"""Tests of nova_image.image.glance: metadata in headers."""

import copy

import six

from nova_image import exception
from nova_image.tests.unit.image import glance_case as case
from nova_image.tests.unit import recordings

GLANCE15 = case.GLANCE15


class TestHeaders(case.DriverTestCase):
    """Metadata is sent in raw headers, whatever python-glanceclient does."""

    def _sent(self, **image_meta):
        before = copy.deepcopy(image_meta)
        self.glance.answers(case.created)
        self.service.create(self.context, image_meta)
        self.assertEqual(before, image_meta)
        sent = self.sent_meta(len(self.glance.calls) - 1)
        sent.pop('id', None)
        return sent

    def _refused(self, words, **image_meta):
        error = self.assert_raises(exception.ImageBadRequest, 'create',
                                   image_meta)
        self.assertIn(words, six.text_type(error))
        self.assert_calls([])

    def test_text_is_sent_as_raw_utf_8(self):
        text = u'[{"a": "b, 100%25"}] ' + recordings.NAME
        self.assertEqual({'name': text, 'property-x': text},
                         self._sent(name=text, properties={'x': text}))

    def test_none_is_left_out(self):
        self.assertEqual({}, self._sent(
            name=None, min_ram=None, is_public=None, owner=None,
            protected=None, properties=None))

    def test_numbers_and_booleans_become_text(self):
        self.assertEqual(
            {'is_public': 'True', 'min_ram': '5', 'min_disk': '1',
             'protected': 'False', 'owner': 'p'},
            self._sent(is_public='1', min_ram='5', min_disk=1,
                       protected='false', owner='p'))

    def test_fields_that_only_v2_has_are_not_sent(self):
        """An image that was read through v2 can be written through v1."""
        self.assertEqual({'name': 'x'}, self._sent(
            name='x', os_hidden=False, os_hash_algo='sha512', tags=['a'],
            os_hash_value='ab', stores='fast', direct_url='a', locations=[]))

    def test_visibility_becomes_is_public(self):
        for value, expected in (('public', 'True'), ('private', 'False'),
                                ('shared', 'False')):
            self.assertEqual({'is_public': expected},
                             self._sent(visibility=value))
        # as in v2
        self.assertEqual({'is_public': 'False'}, self._sent(
            visibility='private', is_public=True))

    def test_properties_become_headers(self):
        self.assertEqual(
            {'property-a_b': 'True', 'property-c': 'None', 'property-d': '5',
             'property-mappings': '[{"x": 1}]', 'property-e': '',
             'property-block_device_mapping': '[]'},
            self._sent(properties={
                'A-b': True, 'c': None, 'd': 5, 'mappings': [{'x': 1}],
                'e': '', 'block_device_mapping': '[]', 'kernel_id': None,
                'ramdisk_id': 'None'}))

    def test_properties_named_like_base_fields_are_sent(self):
        names = ('owner', 'name', 'status', 'size', 'id', 'checksum',
                 'version', 'context', 'method', 'image_id', 'data')
        self.assertEqual(
            {'property-' + name: 'x' for name in names},
            self._sent(properties={name: 'x' for name in names}))

    def test_property_names_that_v1_cannot_carry_are_refused(self):
        for name in (u'a:b', u'Z\xfcrich', u'', u'a b', u'a\nb'):
            self._refused('does not support', properties={name: 'x'})

    def test_property_names_that_v1_cannot_distinguish_are_refused(self):
        for other in ('A', 'a-'):
            name = 'a' if other == 'A' else 'a_'
            self._refused('cannot distinguish',
                          properties={name: '1', other: '2'})

    def test_values_that_v1_cannot_carry_are_refused(self):
        for value in (u'a\r\nx-image-meta-owner: me', u' a', u'a ', u'a\0'):
            self._refused('name', name=value)
            self._refused('x', properties={'x': value})
        self._refused('location', location=u'rbd://a\nb')
        self._refused('too long', properties={'x': u'\u65e5' * 6000})

    def test_unknown_attributes_are_refused(self):
        self._refused('no image attribute copy_from', copy_from='http://x')

    def test_a_location_is_sent_unchanged(self):
        self.assertEqual({'location': 'http://u:p@h/a%20b'}, self._sent(
            location='http://u:p@h/a%20b'))
