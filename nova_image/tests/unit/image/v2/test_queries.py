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

"""Tests of nova_image.image.v2.queries: the queries of listings."""

import copy

import testtools

from nova_image import exception
from nova_image.image.v2 import queries
from nova_image.tests.unit.image.v2 import test_translation


class TestQuery(testtools.TestCase):
    """Filters of v1 become a query of v2."""

    def _query(self, **filters):
        before = copy.deepcopy(filters)
        query, _ = queries.to_query(filters)
        self.assertEqual(before, filters)
        return query

    def _property(self, name):
        query, _ = queries.to_query({name: 'x'})
        return query

    def test_only_the_prefix_property_is_removed(self):
        for name in ('os_type', 'property-x', 'property', 'pro', 'yes-no',
                     'architecture'):
            self.assertEqual([(name, 'x')],
                             self._property('property-' + name))

    def test_a_property_named_like_a_base_field_matches_nothing(self):
        for name in test_translation.BASE_NAMES:
            self.assertIsNone(self._property('property-' + name))

    def test_is_public_true_filters_by_visibility(self):
        for value in (True, 'true', 'True', '1'):
            self.assertEqual([('visibility', 'public')],
                             self._query(is_public=value))

    def test_is_public_false_is_applied_to_the_answers(self):
        for value in (False, 'false', '0'):
            query, matches = queries.to_query({'is_public': value})
            self.assertEqual([], query)
            self.assertTrue(matches({'is_public': False}))
            self.assertFalse(matches({'is_public': True}))

    def test_is_public_none_does_not_filter(self):
        for value in (None, 'none', 'None'):
            query, matches = queries.to_query({'is_public': value})
            self.assertEqual([], query)
            self.assertTrue(matches({'is_public': True}))
            self.assertTrue(matches({'is_public': False}))

    def test_invalid_filters_are_refused(self):
        for filters in ({'is_public': 'nonsense'}, {'protected': 'maybe'},
                        {'changes-since': 'yesterday'}, {'size_min': -1},
                        {'name': ['a', 'b']}, {'name': None},
                        {'property-x': {}}, {'tag': [None]}):
            self.assertRaises(exception.Invalid, queries.to_query,
                              filters)

    def test_changes_since_filters_by_updated_at(self):
        self.assertEqual(
            [('updated_at', 'gte:2026-11-21T02:16:28Z')],
            self._query(**{'changes-since': '2026-11-21T02:16:28'}))

    def test_protected_is_translated(self):
        for value, expected in ((True, 'true'), ('1', 'true'),
                                ('True', 'true'), (False, 'false'),
                                ('no', 'false')):
            self.assertEqual([('protected', expected)],
                             self._query(protected=value))

    def test_each_tag_is_a_parameter(self):
        self.assertEqual([('tag', 'a'), ('tag', 'b')],
                         self._query(tag=['a', 'b']))
        self.assertEqual([('tag', 'a')], self._query(tags='a'))

    def test_numbers_are_converted_and_text_is_kept(self):
        self.assertEqual(
            [('min_ram', 5), ('name', u'\u65e5'), ('size_max', 7),
             ('status', 'active')],
            self._query(name=u'\u65e5', size_max='7', min_ram=5,
                        status='active'))

    def test_the_query_of_a_page(self):
        for kwargs, limit, expected in (
                ({}, None, [('limit', 1000)]),
                ({}, 5, [('limit', 5)]), ({}, 5000, [('limit', 1000)]),
                ({'page_size': '10'}, 50, [('limit', 10)]),
                ({'marker': 'ID', 'sort_key': ['name', 'id'],
                  'sort_dir': 'asc'}, None,
                 [('limit', 1000), ('marker', 'ID'), ('sort_key', 'name'),
                  ('sort_key', 'id'), ('sort_dir', 'asc')])):
            self.assertEqual(expected, queries.page_query(kwargs, limit))

    def test_limits_are_converted_or_refused(self):
        for value, expected in ((None, None), (0, None), ('5', 5), (5, 5)):
            self.assertEqual(expected, queries.limit_of({'limit': value}))
        for value in (-1, 'many', '', ' 5', 1.5, float('nan'), 2 ** 63):
            self.assertRaises(exception.ImageBadRequest,
                              queries.limit_of, {'limit': value})

    def test_the_next_page_is_on_the_same_server(self):
        for link in ('/v2/images?marker=a', 'http://evil/v2/images?marker=a',
                     '/image/v2/images?marker=a',
                     u'/v2/images?marker=a#part'):
            self.assertEqual(('a', '/v2/images?marker=a'),
                             queries.next_page({'next': link}))
        for page in ({}, {'next': None}, {'next': ''}):
            self.assertEqual((None, None), queries.next_page(page))

    def test_a_link_that_is_not_to_a_page_is_refused(self):
        for link in ('http://evil/', 'http://evil', '/v2/images/ID?marker=a',
                     '/v2/schemas/images?marker=a', '/v2/images/../x?marker=a',
                     '/v1/images?marker=a', '/v2/images', '/v2/images?a=b',
                     '/v2/images?marker=', '/v2/images?marker=a&marker=b',
                     'http://[::1/v2/images?marker=a', '/v2/images ?marker=a',
                     u'/v2/images?marker=\xe9', '/v2/images?marker=a\n',
                     5, 0, True, ['/v2/images?marker=a'], {'marker': 'a'}):
            error = self.assertRaises(ValueError, queries.next_page,
                                      {'next': link})
            self.assertIsInstance(error, ValueError)

    def test_a_link_may_lack_parts_of_the_query(self):
        query = [('tag', 'a'), ('tag', 'b'), ('limit', 1), ('name', '')]
        for link, expected in (
                ('tag=a&limit=1&tag=b&name=&marker=c', True),
                ('tag=b&limit=1&name=&marker=c', False),
                ('tag=a&tag=b&name=&marker=c', False), ('marker=c', False)):
            self.assertEqual(expected, queries.is_complete(
                '/v2/images?' + link, query), link)

    def test_the_query_of_the_page_after_a_marker(self):
        query = [('marker', 'a'), ('limit', 5)]
        self.assertEqual(query, queries.after(None, query))
        self.assertEqual([('limit', 5), ('marker', 'b')],
                         queries.after('b', query))

    def test_a_property_whose_name_glance_takes_filters_the_answers(self):
        for name in ('limit', 'tag', 'save', 'ram_max', 'size_min', '_max',
                     'properties', '__table__', '_x', 'changes-since',
                     u'na\xefve', 'a\n'):
            query, matches = queries.to_query({'property-' + name: '5'})
            self.assertEqual([], query)
            self.assertTrue(matches({'properties': {name: '5'}}))
            self.assertFalse(matches({'properties': {name: '6'}}))
            self.assertFalse(matches({'properties': {}}))

    def test_a_filter_without_the_prefix_may_be_a_property(self):
        for name in ('save', 'ram_max', '_x'):
            query, matches = queries.to_query({name: '5'})
            self.assertEqual([], query)
            self.assertFalse(matches({'properties': {}}))
        for name in ('min_ram_max', 'created_at', 'member_status', 'os_type'):
            self.assertEqual([(name, '5')], self._query(**{name: '5'}))

    def test_text_that_is_too_long_filters_the_answers(self):
        for text in (u'\u65e5' * 400, 'x' * 2000, ':' * 2000):
            query, matches = queries.to_query({
                'name': text, 'property-a': text})
            self.assertEqual([], query)
            self.assertTrue(matches({
                'name': text, 'properties': {'a': text}}))
            self.assertFalse(matches({
                'name': text, 'properties': {'a': 'b'}}))
            self.assertFalse(matches({
                'name': 'b', 'properties': {'a': text}}))

    def test_hidden_images_are_listed_by_a_boolean(self):
        self.assertEqual([('os_hidden', 'true')],
                         self._query(os_hidden=True))

    def test_a_name_with_a_colon_needs_the_operator_eq(self):
        for name in ('ubuntu:22.04', 'in:a,b', 'eq:a'):
            query, _ = queries.to_query({'name': name})
            self.assertEqual([('name', 'eq:' + name)], query)
        query, _ = queries.to_query({'property-a': 'b:c'})
        self.assertEqual([('a', 'b:c')], query)
