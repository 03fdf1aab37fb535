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

"""Tests of nova_image.image.listing."""

import datetime
import functools
import random

import testtools

from nova_image import exception
from nova_image.image import listing

BEGIN = datetime.datetime(2026, 1, 1)
KEYS = ('name', 'status', 'container_format', 'disk_format', 'size', 'id',
        'created_at', 'updated_at')


class Answer(object):
    """An answer of Glance, which only has to be called bad."""

    def bad(self, why):
        """Return the exception for an answer that makes no sense."""
        return exception.GlanceBadAnswer(reason=why)


class FakeGlance(object):
    """Images as Glance's database has them, and its pages of them.

    It sorts nulls below all values, but compares them with the marker as if
    they were '' or 0, and a marker's null as '' (Glance 15.0.2 and 33.0.0,
    on sqlite).
    """

    def __init__(self, dice):
        self.images, self.asked = [], 0
        #: called before each page
        self.happening = lambda: None
        for _ in range(dice.randrange(1, 9)):
            created = BEGIN + datetime.timedelta(seconds=dice.randrange(3))
            self.images.append({
                'id': '%08x' % dice.getrandbits(32),
                'name': dice.choice(('a', 'B', '', None)),
                'status': dice.choice(('active', 'queued')),
                'size': dice.choice((None, 0, 0, 5, 7)),
                'disk_format': dice.choice((None, 'raw', 'iso')),
                'container_format': dice.choice((None, 'bare')),
                'created_at': created,
                'updated_at': created + datetime.timedelta(
                    seconds=dice.randrange(2))})

    def sorted(self, keys, directions):
        """Return the images in an order, without pages."""
        default = directions[0] if len(directions) == 1 else 'desc'
        if len(directions) != len(keys):
            directions = [default] * len(keys)
        pairs = [(key, directions[number])
                 for number, key in enumerate(keys)] + [
            (key, default) for key in ('created_at', 'id') if key not in keys]
        images = self.images
        for key, direction in reversed(pairs):
            images = sorted(
                images, reverse=direction == 'desc',
                key=lambda image: (image[key] is not None,
                                   0 if image[key] is None else image[key]))
        return images, pairs

    def pages(self, order, marker, size):
        """Yield the pages of an order, as a driver does."""
        progress = listing.Progress()

        def ask(after, link):
            self.happening()
            images, pairs = self.sorted(order.keys, order.directions)
            after = after or marker
            found = [image for image in images if after is None or
                     self._follows(pairs, image, self.image(after))][:size]
            self.asked += 1
            return progress.page(
                Answer(), [self._seen(image) for image in found],
                found[-1]['id'] if len(found) == size else None,
                nulls=[one['id'] for one in found if one['size'] is None])

        return listing.walk(ask)

    @staticmethod
    def _follows(pairs, image, marker):
        for key, direction in pairs:
            default = 0 if key == 'size' else ''
            value = default if image[key] is None else image[key]
            if key == 'size' and marker[key] is None:
                return direction == 'desc'  # sqlite: numbers are below text
            other = '' if marker[key] is None else marker[key]
            if value != other:
                return (value > other) == (direction == 'asc')
        return False

    def image(self, image_id):
        """Return an image of the database."""
        return next(one for one in self.images if one['id'] == image_id)

    @staticmethod
    def _seen(image):
        return dict(image, size=image['size'] or 0)

    def show(self, image_id):
        """Return an image, as a driver does."""
        image = self.image(image_id)
        return self._seen(image), image['size'] is None


def _has_status(values, image):
    return image['status'] in values


def _change(dice, images):
    image, other = [dice.choice(images) for _ in '12']
    for key in set(KEYS) - {'id', 'created_at'}:
        image[key] = other[key]
    image['updated_at'] += datetime.timedelta(seconds=9)


def _random_order(dice):
    keys = dice.sample(KEYS, dice.choice((0, 1, 1, 2)))
    if 'created_at' in keys[:-1]:
        keys.reverse()  # callers do not see its microseconds
    number = dice.choice((0, 1, len(keys)))
    return keys, [dice.choice(('asc', 'desc')) for _ in range(number)]


class TestListing(testtools.TestCase):
    """Listings are whole and in order, whatever Glance's pages are."""

    def _images(self, glance, order, size=1000, tests=(), **kwargs):
        found = listing.Listing(
            listing.Order(*order), size, glance.pages, glance.show).images(
                tests, **kwargs)
        return [image['id'] for image in found]

    def test_random_listings(self):
        for seed in range(2000):
            dice = random.Random(seed)
            glance, order = FakeGlance(dice), _random_order(dice)
            kept = dice.choice((('active', 'queued'), ('active',)))
            marker = dice.choice([None] + glance.images)
            limit = dice.choice((None, 1, 3))
            expected = glance.sorted(*order)[0]
            if marker:
                expected = expected[expected.index(marker) + 1:]
                marker = marker['id']
            expected = [image['id'] for image in expected
                        if image['status'] in kept][:limit]
            found = self._images(
                glance, order, dice.choice((1, 2, 3, 9)),
                tests=[functools.partial(_has_status, kept)],
                marker=marker, limit=limit)
            self.assertEqual(expected, found, (seed, order, marker, limit))

    def test_listings_page_by_page(self):
        for seed in range(500):
            dice = random.Random(seed)
            glance, order = FakeGlance(dice), _random_order(dice)
            expected = [one['id'] for one in glance.sorted(*order)[0]]
            limit, size = dice.choice((1, 2)), dice.choice((1, 2, 9))
            found = self._images(glance, order, size, limit=limit)
            more = found
            while more:
                self.assertTrue(len(found) <= len(expected), (seed, order))
                more = self._images(glance, order, size, limit=limit,
                                    marker=found[-1])
                found = found + more
            self.assertEqual(expected, found, (seed, order))

    def test_images_change_between_two_pages(self):
        for seed in range(500):
            dice = random.Random(seed)
            glance, order = FakeGlance(dice), _random_order(dice)
            glance.happening = functools.partial(_change, dice, glance.images)
            self.assertEqual(
                sorted(image['id'] for image in glance.images),
                sorted(self._images(glance, order, dice.choice((1, 2, 3)))),
                (seed, order))

    def test_one_page_is_one_request(self):
        glance = FakeGlance(random.Random(1))
        for key in KEYS:
            glance.asked = 0
            self._images(glance, ([key], ['desc']))
            self._images(glance, ([key], ['desc']), limit=1)
            self.assertEqual(2, glance.asked)

    def test_an_unknown_key_is_left_to_glance(self):
        glance = FakeGlance(random.Random(1))
        for image in glance.images:
            image['min_ram'] = len(image['id'])
        self.assertEqual(
            [one['id'] for one in glance.sorted(['min_ram'], ['asc'])[0]],
            self._images(glance, (['min_ram'], ['asc']), 2))

    def test_values_of_strange_types_can_be_sorted(self):
        images = [{'id': str(number), 'name': name} for number, name in
                  enumerate((5, u'a', None, [1], {}, True, BEGIN))]
        order = listing.Order(['name'], ['asc'])
        self.assertEqual('2506314', ''.join(
            image['id'] for image in order.sorted(images, ())))


class TestProgress(testtools.TestCase):
    """Pages that do not continue the listing are bad answers."""

    def _bad(self, why, *pages):
        progress = listing.Progress()
        for ids, marker in pages[:-1]:
            progress.page(Answer(), [{'id': one} for one in ids], marker)
        ids, marker = pages[-1]
        error = self.assertRaises(
            exception.GlanceBadAnswer, progress.page, Answer(),
            [{'id': one} for one in ids], marker)
        self.assertIn(why, error.reason)

    def test_a_repeated_image(self):
        self._bad('repeats image b', ('ab', 'b'), ('bc', 'c'))
        self._bad('repeats image b', ('ab', 'b'), ('cb', None))
        self._bad('repeats image a', ('aa', None))

    def test_a_repeated_marker(self):
        self._bad('after image x again', ('a', 'x'), ('b', 'x'))
        self._bad('after image x again', ('a', 'x'), ('b', 'y'), ('c', 'x'))

    def test_an_empty_page_before_the_last(self):
        self._bad('empty page', ('', 'x'))
        self._bad('empty page', ('a', 'x'), ('', 'y'))

    def test_an_image_without_an_id(self):
        for image_id in (None, 5, ['a'], {}):
            self._bad('has no ID', (['a', image_id], None))

    def test_an_endless_listing(self):
        pages = [([str(number)], str(number))
                 for number in range(listing.MAX_PAGES + 1)]
        self._bad('not ended after 10000 pages', *pages)


class TestWalk(testtools.TestCase):
    """A listing continues if its marker has been deleted."""

    def _walk(self, gone, status=400):
        asked, progress = [], listing.Progress()
        pages = {None: ('abcd', 'd'), 'a': ('efg', 'g'), 'b': ('efg', 'g'),
                 'c': ('efg', 'g'), 'd': ('efg', 'g'), 'g': ('h', None)}

        def ask(marker, link):
            asked.append(marker)
            if marker in list(gone):
                raise exception.NovaImageException(
                    status=status, reason=marker)
            ids, marker = pages[marker]
            return progress.page(Answer(), [{'id': one} for one in ids],
                                 marker, link='a link')

        found = ''.join(image['id'] for page in listing.walk(ask)
                        for image in page.images)
        return found, asked

    def test_nothing_is_deleted(self):
        self.assertEqual(('abcdefgh', [None, 'd', 'g']), self._walk(''))

    def test_the_image_before_a_deleted_one_is_the_marker(self):
        for status in (400, 403, 404):
            self.assertEqual(('abcdefgh', [None, 'd', 'c', 'b', 'g']),
                             self._walk('dc', status))

    def test_another_error_ends_the_listing(self):
        for status in (None, 401, 429, 503):
            self.assertRaises(exception.NovaImageException, self._walk, 'd',
                              status)

    def test_all_markers_are_deleted(self):
        error = self.assertRaises(exception.NovaImageException, self._walk,
                                  'abcd')
        self.assertEqual('a', error.reason)

    def test_a_refused_first_page_is_not_repeated(self):
        self.assertRaises(exception.NovaImageException, self._walk, [None])
