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

"""Unit tests of nova_image.status.v1.listings."""

import fixtures
import six

from nova_image import exception
from nova_image.tests.unit.status import case
from nova_image.tests.unit.status.v1 import fakes

if six.PY3:
    from nova_image.status.v1 import listings


class TestPairs(case.TestCase):
    """Two listings of drivers in memory."""

    def setUp(self):
        """Make the pages short, and two drivers with the same images."""
        super(TestPairs, self).setUp()
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.status.v1.listings.PAGE', 8))
        images = [fakes.image('%03d' % number) for number in range(50)]
        self.first = fakes.FakeDriver(*images)
        self.second = fakes.FakeDriver(*images)
        self.ids = [one['id'] for one in images]

    def pairs(self):
        """Return what both listings have, sorted by ID."""
        self.walk = listings.Pairs(*fakes.apis(self.first, self.second))
        return sorted(self.walk, key=lambda found: found.id)

    def assertWhole(self, found):
        """Check that each image was there once."""
        self.assertEqual(self.ids, [one.id for one in found])

    def test_equal_listings(self):
        found = self.pairs()
        self.assertWhole(found)
        for one in found:
            self.assertIsInstance(one.v1, dict)
            self.assertIsInstance(one.v2, dict)
        self.assertEqual(['detail'] * 7, self.first.calls)
        self.assertEqual((50, 50), self.walk.counts)

    def test_no_images(self):
        self.first.images, self.second.images = [], []
        self.assertEqual([], self.pairs())

    def test_a_full_last_page(self):
        del self.first.images[16:], self.second.images[16:]
        self.assertEqual(16, len(self.pairs()))

    def test_each_listing_lacks_images(self):
        del self.first.images[3], self.first.images[30:45]
        del self.second.images[10:25]
        found = self.pairs()
        self.assertWhole(found)
        self.assertEqual(
            ['003'] + self.ids[31:46],
            [one.id for one in found if one.v1 is None])
        self.assertEqual(self.ids[10:25],
                         [one.id for one in found if one.v2 is None])

    def test_only_one_listing_has_images(self):
        self.second.images = []
        self.assertEqual(50, sum(one.v2 is None for one in self.pairs()))

    def test_nothing_in_common(self):
        del self.first.images[:25], self.second.images[25:]
        self.assertWhole(self.pairs())

    def test_images_that_break_a_page_of_v2(self):
        for broken in ({'000'}, {'049'}, {'007', '008'},
                       set(self.ids[20:40]), set(self.ids)):
            self.second.broken = broken
            found = self.pairs()
            self.assertWhole(found)
            self.assertEqual(broken, {one.id for one in found
                                      if isinstance(one.v2, Exception)})
            self.assertTrue(all(isinstance(one.v1, dict) for one in found))

    def test_images_that_break_a_page_of_v1(self):
        self.first.broken = {'011', '012'}
        self.first.error = exception.Invalid(status=400)
        found = self.pairs()
        self.assertWhole(found)
        self.assertEqual({'011', '012'}, {
            one.id for one in found if isinstance(one.v1, Exception)})

    def test_different_images_break_both(self):
        self.first.broken, self.second.broken = {'011'}, {'030'}
        self.assertWhole(self.pairs())

    def test_broken_image_among_unlisted_ones(self):
        self.second.broken = {'020'}
        self.second.unlisted = set(self.ids[5:19])
        found = self.pairs()
        self.assertWhole(found)
        self.assertIsInstance(found[20].v2, Exception)
        self.assertEqual(14, sum(one.v2 is None for one in found))

    def test_one_image_breaks_both(self):
        self.first.broken = self.second.broken = {'030'}
        self.assertRaises(exception.GlanceServerError, self.pairs)

    def test_no_answer_is_not_a_broken_image(self):
        def fail(page):
            if page == 3:
                raise exception.GlanceConnectionFailed

        self.second.before = fail
        self.assertWhole(self.pairs())  # one retry
        self.second.calls.clear()
        self.second.before = lambda page: (
            fail(3) if page > 3 else None)
        self.assertRaises(exception.GlanceConnectionFailed, self.pairs)
        self.assertEqual(0, self.second.calls.count('show'))

    def test_denied_at_once(self):
        self.first.broken, self.first.error = {'000'}, exception.Forbidden()
        self.assertRaises(exception.Forbidden, self.pairs)
        self.assertEqual(['detail'], self.first.calls)

    def test_marker_is_deleted_in_between(self):
        def delete(page):
            if page == 3:
                self.second.images = [one for one in self.second.images
                                      if one['id'] != '015']

        self.second.before = delete
        self.assertWhole(self.pairs())

    def test_bounded_memory(self):
        self.second.broken = set(self.ids[10:])
        longest = []
        walk = listings.Pairs(*fakes.apis(self.first, self.second))
        for _ in walk:
            longest.append(len(walk._listings[0].waiting))
        self.assertLessEqual(max(longest), 2 * listings.PAGE)
