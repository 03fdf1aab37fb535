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
"""Tests of nova_image.image.glance: listings."""

import copy

import six

from nova_image import exception
from nova_image.image import listing
from nova_image.tests.unit.image import glance_case as case
from nova_image.tests.unit import recordings

GLANCE15 = case.GLANCE15
ACTIVE = case.ACTIVE
QUEUED = case.QUEUED
IMAGES = case.IMAGES


class TestDetail(case.DriverTestCase):
    """detail() sends a request for each page."""

    def _detail(self, *answers, **kwargs):
        self.glance.answers(*answers)
        return self.service.detail(self.context, **kwargs)

    def _query(self, **filters):
        before = copy.deepcopy(filters)
        self._detail(GLANCE15('list_none'), filters=filters)
        self.assertEqual(before, filters)
        return self.glance.calls[-1].path.split('/detail?')[1].replace(
            '&limit=1000', '')

    def _pages(self, count, size=1000):
        raw = GLANCE15('list').json['images'][1]
        for start in range(0, count, size):
            yield GLANCE15('list').saying({'images': [
                dict(raw, id='%d' % number)
                for number in range(start, min(start + size, count))]})

    def test_images_equal_those_of_show(self):
        images = self._detail(GLANCE15('list'), GLANCE15('list_none'))
        self.glance.answers(GLANCE15('show_active'), GLANCE15('show_empty'))
        self.assertEqual(
            [self.service.show(self.context, image_id)
             for image_id in (ACTIVE, recordings.EMPTY)],
            [images[0], images[3]])

    def test_2500_images_in_3_requests(self):
        images = self._detail(*self._pages(2500))
        self.assertEqual(['%d' % number for number in range(2500)],
                         [image['id'] for image in images])
        query = IMAGES + '/detail?is_public=none&limit=1000'
        self.assert_calls([('GET', query), ('GET', query + '&marker=999'),
                           ('GET', query + '&marker=1999')])

    def test_a_smaller_page_size_of_glance_is_remembered(self):
        images = self._detail(*self._pages(60, 25))
        self.assertEqual(60, len(images))
        self.assertEqual(3, len(self.glance.calls))
        # the size of a page is remembered
        self.assertEqual(10, len(self._detail(*self._pages(10, 25))))
        self.assertEqual(4, len(self.glance.calls))

    def test_limit_marker_and_sorting_are_sent(self):
        images = self._detail(*self._pages(5, 5), limit=5, marker='ID',
                              sort_key='status', sort_dir=['asc'])
        self.assertEqual(5, len(images))
        self.assert_calls([(
            'GET', IMAGES + '/detail?is_public=none&sort_key=status&'
            'sort_dir=asc&limit=5&marker=ID')])

    def _page(self, ids, **fields):
        raw = GLANCE15('list').json['images'][1]
        return GLANCE15('list').saying(
            {'images': [dict(raw, id=one, **fields) for one in ids]})

    def test_a_page_that_does_not_continue_the_listing_is_refused(self):
        for pages in (['a', 'a'], ['a', 'b', 'a'], ['aa'], [[None]], [[5]],
                      [[[]]], ['ab', 'ab'], ['ab', 'cb']):
            self.glance.answers(*map(self._page, pages))
            error = self.assert_raises(exception.GlanceBadAnswer, 'detail')
            self.assertIn('list', six.text_type(error))
            self.assertEqual(0, self.glance.left, pages)

    def test_an_endless_listing_ends(self):
        self.patch(listing, 'MAX_PAGES', 5)
        self.glance.answers(*map(self._page, 'abcdef'))
        self.assert_raises(exception.GlanceBadAnswer, 'detail')
        self.assertEqual(0, self.glance.left)

    def test_a_deleted_marker_is_replaced_by_the_image_before_it(self):
        images = self._detail(self._page('abc'), GLANCE15('list_400'),
                              self._page('d'), page_size=3)
        self.assertEqual('abcd', ''.join(image['id'] for image in images))
        query = IMAGES + '/detail?is_public=none&limit=3'
        self.assert_calls([('GET', query), ('GET', query + '&marker=c'),
                           ('GET', query + '&marker=b')])

    def test_several_pages_by_a_nullable_field_are_sorted_here(self):
        images = self._detail(
            self._page('cb', size=5), self._page('a', size=0),
            self._page('b', size=None), self._page('c', size=5),
            self._page(''), sort_key='size', sort_dir='desc', page_size=1)
        self.assertEqual('cab', ''.join(image['id'] for image in images))
        query = (IMAGES + '/detail?is_public=none&sort_key=created_at&'
                 'sort_dir=desc&limit=1')
        self.assert_calls([
            ('GET', query.replace('created_at', 'size')), ('GET', query),
            ('GET', query + '&marker=a'), ('GET', query + '&marker=b'),
            ('GET', query + '&marker=c')])

    def test_values_with_a_colon_are_sent_unchanged(self):
        self.assertEqual('is_public=none&name=eq%3Aubuntu%3A22.04',
                         self._query(name='ubuntu:22.04'))
        self.assertEqual('is_public=none&property-a=b%3Ac',
                         self._query(**{'property-a': 'b:c'}))

    def test_two_sort_keys_are_not_supported(self):
        self.assert_raises(exception.ImageActionNotSupported, 'detail',
                           sort_key=['name', 'id'])

    def test_is_public_is_translated(self):
        for value, expected in (
                (None, 'none'), ('none', 'none'), ('None', 'none'),
                (True, 'True'), ('true', 'True'), ('1', 'True'),
                (False, 'False'), ('0', 'False')):
            self.assertEqual('is_public=' + expected,
                             self._query(is_public=value))
        self.assertEqual('is_public=none', self._query())
        self.assert_raises(exception.ImageBadRequest, 'detail',
                           filters={'is_public': 'nonsense'})

    def test_property_filters_keep_their_prefix(self):
        self.assertEqual(
            'is_public=none&property-os_type=x&property-property-x=1',
            self._query(**{'property-os_type': 'x',
                           'property-property-x': '1'}))

    def test_unknown_filters_are_sent_as_properties(self):
        for name in ('os_type', 'version', 'context', 'method', 'image_id',
                     'data'):
            self.assertEqual('is_public=none&property-%s=x' % name,
                             self._query(**{name: 'x'}))

    def test_filter_values_are_normalized(self):
        self.assertEqual(
            'is_public=none&changes-since=2026-11-21T02%3A16%3A28Z&'
            'min_ram=5&name=Z%C3%BCrich+%E6%97%A5%E6%9C%AC&protected=True',
            self._query(**{'changes-since': '2026-11-21T02:16:28.5',
                           'name': recordings.NAME, 'protected': '1',
                           'min_ram': '5'}))

    def test_filters_that_v1_lacks_are_applied_to_its_answers(self):
        for name, value in (('id', QUEUED), ('owner', 'a-project'),
                            ('checksum', 'none')):
            images = self._detail(GLANCE15('list'), GLANCE15('list_none'),
                                  filters={name: value})
            self.assertEqual({value} if images else set(),
                             {image[name] for image in images})
        images = self._detail(GLANCE15('list'), GLANCE15('list_none'),
                              filters={'is_public': True})
        self.assertEqual([], images)

    def test_long_filters_are_applied_to_its_answers(self):
        for name, field in (('name', 'name'), ('property-a', None),
                            ('a', None)):
            for text in (u'x' * 2000, u'a:' * 1000):
                raw = GLANCE15('list').json['images'][1]
                found = self._detail(GLANCE15('list').saying({'images': [
                    dict(raw, **{field: text} if field else {
                        'properties': {'a': text}}),
                    dict(raw, id='other', properties={})]}),
                    GLANCE15('list_none'), filters={name: text})
                self.assertEqual([raw['id']], [one['id'] for one in found])
                self.assertEqual(IMAGES + '/detail?is_public=none&limit=1000',
                                 self.glance.calls[-1].path.partition(
                                     '&marker')[0])

    def test_unsupported_and_invalid_filters_are_refused(self):
        for name in ('tag', 'tags', 'visibility'):
            error = self.assert_raises(
                exception.ImageActionNotSupported, 'detail',
                filters={name: 'x'})
            self.assertIn('v1', six.text_type(error))
        for filters in ({'size_min': -1}, {'protected': 'maybe'},
                        {'changes-since': 'yesterday'}, {'name': ['a']}):
            self.assert_raises(exception.Invalid, 'detail', filters=filters)
        self.assert_calls([])

    def test_a_refusal_of_glance_is_invalid(self):
        self.glance.answers(GLANCE15('list_400'))
        error = self.assert_raises(exception.Invalid, 'detail')
        self.assertIn('Bad value', six.text_type(error))

    def test_without_keystone_images_of_other_projects_are_left_out(self):
        self.without_keystone(project_id='another')
        self.assertEqual([], self._detail(GLANCE15('list'),
                                          GLANCE15('list_none')))
