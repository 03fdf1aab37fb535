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
"""Tests of nova_image.image.glance_v2: listings."""

import copy

import six

from nova_image import exception
from nova_image.image import listing
from nova_image.tests.unit import base
from nova_image.tests.unit.image import glance_v2_case as case
from nova_image.tests.unit import recordings

GLANCE15 = case.GLANCE15
GLANCE33 = case.GLANCE33
ACTIVE = case.ACTIVE
QUEUED = case.QUEUED
ABSENT = case.ABSENT
IMAGES = case.IMAGES


class TestDetail(case.DriverTestCase):
    """detail() sends a request for each page."""

    def _detail(self, *answers, **kwargs):
        self.glance.answers(*answers)
        return self.service.detail(self.context, **kwargs)

    def _pages(self, count, size=1000):
        raw = GLANCE33('show_queued').json
        for start in range(0, count, size):
            page = {'images': [
                dict(raw, id='%d' % number)
                for number in range(start, min(start + size, count))]}
            if start + size < count:
                page['next'] = IMAGES + '?marker=%d&limit=%d' % (
                    start + size - 1, size)
            yield GLANCE33('list_none').saying(page)

    def test_links_to_next_pages_are_followed_unchanged(self):
        for glance in (GLANCE15, GLANCE33):
            del self.glance.calls[:]
            first = glance('list_first')
            images = self._detail(first, glance('list_last'))
            self.assertEqual([ACTIVE, QUEUED, recordings.EMPTY],
                             [image['id'] for image in images])
            self.assert_calls([('GET', IMAGES + '?limit=1000'),
                               ('GET', first.json['next'])])

    def test_a_link_to_another_host_is_requested_from_this_glance(self):
        first = GLANCE33('list_first')
        self._detail(
            first.but(next='http://evil/image' + first.json['next']),
            GLANCE33('list_last'))
        self.assert_calls([('GET', IMAGES + '?limit=1000'),
                           ('GET', first.json['next'])])
        self.assertTrue(self.glance.calls[1].url.startswith(base.ENDPOINT))

    def test_a_property_named_like_a_query_parameter_filters_answers(self):
        page = GLANCE33('list_first').json
        page['images'][0]['limit'] = '2'
        del page['next']
        for value, found in (('2', [ACTIVE]), ('3', [])):
            images = self._detail(GLANCE33('list_first').saying(page),
                                  filters={'property-limit': value})
            self.assertEqual(found, [image['id'] for image in images])
            self.assertEqual(IMAGES + '?limit=1000',
                             self.glance.calls[-1].path)

    def test_an_empty_listing(self):
        self.assertEqual([], self._detail(GLANCE33('list_none')))

    def test_2500_images_in_3_requests(self):
        images = self._detail(*self._pages(2500))
        self.assertEqual(['%d' % number for number in range(2500)],
                         [image['id'] for image in images])
        self.assert_calls([
            ('GET', IMAGES + '?limit=1000'),
            ('GET', IMAGES + '?marker=999&limit=1000'),
            ('GET', IMAGES + '?marker=1999&limit=1000')])

    def test_no_page_is_requested_beyond_the_limit(self):
        page = next(self._pages(2500))
        self.assertEqual(1000, len(self._detail(page, limit=1000)))
        self.assertEqual(0, self.glance.left)

    def test_the_limit_is_sent(self):
        self.assertEqual(3, len(self._detail(*self._pages(3, 3), limit=3)))
        self.assert_calls([('GET', IMAGES + '?limit=3')])

    def test_filters_become_the_query(self):
        self._detail(GLANCE33('list_none'), filters={
            'name': recordings.NAME, 'property-os_type': 'linux',
            'property-property-x': '1', 'status': 'active'})
        self.assert_calls([(
            'GET', IMAGES + '?name=Z%C3%BCrich+%E6%97%A5%E6%9C%AC&'
            'os_type=linux&property-x=1&status=active&limit=1000')])

    def test_the_callers_filters_are_not_modified(self):
        filters = {'is_public': True, 'property-a': '1', 'tag': ['a']}
        before = copy.deepcopy(filters)
        self._detail(GLANCE33('list_none'), filters=filters)
        self.assertEqual(before, filters)

    def test_a_filter_that_cannot_match_sends_no_request(self):
        self.assertEqual([], self._detail(filters={'property-owner': 'x'}))
        self.assert_calls([])

    def test_properties_named_like_arguments_are_filters(self):
        for name in ('version', 'context', 'method', 'image_id', 'data'):
            self._detail(GLANCE33('list_none'), filters={name: 'x'})
            self.assertEqual('%s?%s=x&limit=1000' % (IMAGES, name),
                             self.glance.calls[-1].path)

    def test_is_public_false_leaves_out_public_images(self):
        page = GLANCE33('list_first').json
        page['images'][0]['visibility'] = 'public'
        del page['next']
        images = self._detail(GLANCE33('list_none').saying(page),
                              filters={'is_public': False})
        self.assertEqual([QUEUED], [image['id'] for image in images])

    def test_the_limit_counts_only_matching_images(self):
        page = GLANCE33('list_first').json
        page['images'][0]['visibility'] = 'public'
        images = self._detail(
            GLANCE33('list_first').saying(page), GLANCE33('list_last'),
            filters={'is_public': False}, limit=2)
        self.assertEqual([QUEUED, recordings.EMPTY],
                         [image['id'] for image in images])

    def test_without_keystone_images_of_other_projects_are_left_out(self):
        self.without_keystone(project_id='another')
        page = GLANCE33('list_last')
        self.assertEqual([], self._detail(page))

    def test_an_unknown_marker_is_invalid(self):
        self.glance.answers(GLANCE33('list_marker_400'))
        error = self.assert_raises(exception.Invalid, 'detail', marker=ABSENT)
        self.assertIn(ABSENT, six.text_type(error))

    def _linked(self, ids, link, **fields):
        """Return a page of images with a link to the next page."""
        raw = GLANCE33('show_queued').json
        page = {'images': [dict(raw, id=one, **fields) for one in ids]}
        if link is not None:
            page['next'] = link
        return GLANCE33('list_none').saying(page)

    def test_a_page_that_does_not_continue_the_listing_is_refused(self):
        link = IMAGES + '?marker='
        for pages in (
                [('a', link + 'a'), ('a', link + 'a')],
                [('a', link + 'a'), ('b', link + 'b'), ('a', link + 'a')],
                [('a', link + 'a'), ('b', link + 'a')],
                [('a', link + 'a'), ('b', link + 'a&again=1')],
                [('a', link + 'a'), ('ba', None)], [('aa', None)],
                [('', link + 'a')], [('a', link + 'a'), ('', link + 'b')],
                [('a', IMAGES)], [('a', '/v2/schemas/images?marker=a')],
                [('a', 'http://evil/')], [('a', 'http://[::1' + link + 'a')],
                [('a', 5)], [('a', [link + 'a'])], [([5], None)],
                [([None], None)], [([[]], None)]):
            self.glance.answers(*[self._linked(*page) for page in pages])
            error = self.assert_raises(exception.GlanceBadAnswer, 'detail')
            self.assertIn('list', six.text_type(error))
            self.assertEqual(0, self.glance.left, pages)

    def test_an_endless_listing_ends(self):
        self.patch(listing, 'MAX_PAGES', 5)
        self.glance.answers(*[
            self._linked([str(number)], '%s?marker=%d' % (IMAGES, number))
            for number in range(6)])
        self.assert_raises(exception.GlanceBadAnswer, 'detail')
        self.assertEqual(0, self.glance.left)

    def test_every_page_has_the_whole_query(self):
        self._detail(self._linked('a', IMAGES + '?tag=y&limit=1&marker=a'),
                     self._linked('b', None), filters={'tag': ['x', 'y']})
        query = IMAGES + '?tag=x&tag=y&limit=1000'
        self.assert_calls([('GET', query), ('GET', query + '&marker=a')])

    def test_a_deleted_marker_is_replaced_by_the_image_before_it(self):
        images = self._detail(
            self._linked('abc', IMAGES + '?limit=3&marker=c'),
            GLANCE33('list_marker_400'), self._linked('d', None), page_size=3)
        self.assertEqual('abcd', ''.join(image['id'] for image in images))
        self.assert_calls([('GET', IMAGES + '?limit=3'),
                           ('GET', IMAGES + '?limit=3&marker=c'),
                           ('GET', IMAGES + '?limit=3&marker=b')])

    def test_several_pages_by_a_nullable_field_are_sorted_here(self):
        images = self._detail(
            self._linked('cb', IMAGES + '?marker=b', size=5),
            self._linked('a', IMAGES + '?marker=a', size=0),
            self._linked('b', IMAGES + '?marker=b', size=None),
            self._linked('c', None, size=5),
            sort_key='size', sort_dir='desc', page_size=2)
        self.assertEqual('cab', ''.join(image['id'] for image in images))
        query = IMAGES + '?limit=2&sort_key=%s&sort_dir=desc'
        self.assert_calls([
            ('GET', query % 'size'), ('GET', query % 'created_at'),
            ('GET', query % 'created_at' + '&marker=a'),
            ('GET', query % 'created_at' + '&marker=b')])

    def test_a_marker_without_a_size_is_looked_for_here(self):
        images = self._detail(
            GLANCE33('show_queued').but(id='a', size=None),
            self._linked('cab', None),
            sort_key=['size'], sort_dir=['desc'], limit=2, marker='a')
        self.assertEqual('b', ''.join(image['id'] for image in images))

    def test_a_failed_page_request_is_retried(self):
        images = self._detail(
            GLANCE33('list_first'), recordings.Answer(503),
            GLANCE33('list_last'))
        self.assertEqual(3, len(images))

    def test_invalid_arguments_are_refused_without_a_request(self):
        for kwargs in ({'limit': -1}, {'page_size': 'x'},
                       {'filters': {'protected': 'maybe'}}):
            self.assert_raises(exception.Invalid, 'detail', **kwargs)
        self.assert_calls([])
