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

"""Listings of several pages: whole, each image once, in the asked order.

Glance sorts nulls below all values, but finds the page after a marker as if
nulls were '' or 0 (_paginate_query in glance/db/sqlalchemy/api.py). Sorted by
a field that can be null, pages therefore lack images, repeat them or never
end. Sorted by a field that can change, they do so if it changes between two
requests. Glance adds created_at and id to every order (_image_get_all in the
same file), so an order by only these two is unique and does not change. Seen
on Glance 15.0.2 and 33.0.0.

Knows no Images API version.
"""

import collections
import datetime

import six

from nova_image import exception

#: the most pages of a listing, so that every listing ends
MAX_PAGES = 10000
#: how many of the last images may be tried as markers if the last ones have
#: been deleted since
_MARKERS = 10
#: what Glance answers if the marker is gone
_NO_MARKER = (400, 403, 404)

#: how much of a server's text an error quotes
_QUOTED = 100
_TEXTS = {str, six.text_type}

#: the fields that Glance sorts by
_SORT_KEYS = frozenset(('name', 'status', 'container_format', 'disk_format',
                        'size', 'id', 'created_at', 'updated_at'))
#: those that no other image shares or that never change
_STABLE = frozenset(('id', 'created_at'))
#: those that can be null
_NULLABLE = frozenset(('name', 'container_format', 'disk_format', 'size'))


class Page(collections.namedtuple(
        'Page', 'images marker link is_certain nulls')):
    """One page of a listing.

    * ``images``: list of images in the callers' format
    * ``marker``: ID after which the next page begins; None if this page is
      the last one
    * ``link``: path of the next page, if Glance names it
    * ``is_certain``: whether more images are likely on the next page;
      otherwise it is worth asking whether it is empty
    * ``nulls``: list of the IDs of images whose size is null; callers see 0
    """

    __slots__ = ()


class Order(object):
    """The order of a listing.

    :param keys: list of field names; Glance's default if empty
    :param directions: list of ``'asc'`` or ``'desc'``: one for each key, one
        for all, or none for ``'desc'``; Glance refuses any other number
    """

    def __init__(self, keys, directions):
        self.keys, self.directions = list(keys), list(directions)
        default = directions[0] if len(directions) == 1 else 'desc'
        each = self.directions if len(directions) == len(keys) else (
            [default] * len(keys))
        self._sorting = [(key, each[number])
                         for number, key in enumerate(self.keys)]
        # Glance adds these to the keys, with this direction.
        given = dict(reversed(self._sorting))
        self._ties = [(key, given.get(key, default))
                      for key in ('created_at', 'id')]
        if 'id' in self.keys:  # nothing is left to sort after it
            del self._sorting[self.keys.index('id') + 1:]
        if self._sorting[-2:] == self._ties:
            del self._sorting[-1]

    @property
    def is_stable(self):
        """Whether Glance's own pages are right.

        They are also used for a key that only a later Glance may accept.
        """
        keys = set(self.keys)
        return keys <= _STABLE or not keys <= _SORT_KEYS

    @property
    def has_nulls(self):
        """Whether images may lack a field of this order."""
        return not self.is_stable and not _NULLABLE.isdisjoint(self.keys)

    @property
    def ties(self):
        """The stable Order of images whose fields are equal in this one."""
        directions = [direction for _, direction in self._ties]
        if len(set(directions)) == 1:
            return Order(['created_at'], directions[:1])
        return Order(['created_at', 'id'], directions)

    def is_marked_by(self, image):
        """Return whether Glance finds the page after an image."""
        return not self.has_nulls or all(
            image[key] for key in _NULLABLE.intersection(self.keys))

    def sorted(self, images, nulls):
        """Return images in this order; equal ones keep theirs.

        Nulls are below all values, as in sqlite and MySQL. Text is compared
        by code points.

        :param nulls: IDs of images whose size is null
        """
        for key, direction in reversed(self._sorting):
            images = sorted(images, key=_comparable(key, nulls),
                            reverse=direction == 'desc')
        return images

    def follows(self, image, other, nulls):
        """Return whether an image comes after another; None if equal.

        :param nulls: IDs of images whose size is null
        """
        for key, direction in self._sorting:
            value_of = _comparable(key, nulls)
            one, two = value_of(image), value_of(other)
            if one != two:
                return (one > two) == (direction == 'asc')
        return None


def _comparable(key, nulls):
    """Return a function that returns what to compare of an image.

    It also orders values of types that Glance does not return.
    """
    def value_of(image):
        value = image[key]
        if value is None or key == 'size' and image['id'] in nulls:
            return 0, 0
        if isinstance(value, six.integer_types):
            return 1, value
        if isinstance(value, datetime.datetime):
            return 2, value
        return 3, six.text_type(value)
    return value_of


class Progress(object):
    """The pages of one listing so far: each must bring it nearer to its end.

    A proxy, a cache or another service than Glance may repeat a page.
    """

    def __init__(self):
        self._images, self._markers = set(), set()
        self._pages = 0

    @property
    def begun(self):
        """Whether there was a page."""
        return self._pages > 0

    def page(self, answer, images, marker, **details):
        """Return a Page, if it continues the listing.

        :param answer: nova_image.image.messages.Answer, for the error
        :param images: list of images in the callers' format
        :param marker: ID after which the next page begins, or None
        :param details: ``link``, ``is_certain`` and ``nulls`` of the Page
        :raises GlanceBadAnswer: if it repeats what was there before
        """
        ids = [image['id'] for image in images]
        if not set(map(type, ids)) <= _TEXTS:
            raise answer.bad('an image in the list has no ID')
        fresh = set(ids)
        if len(fresh) < len(ids) or not fresh.isdisjoint(self._images):
            raise answer.bad('the list repeats image %s'
                             % self._repeated(ids)[:_QUOTED])
        if marker is not None:
            self._check_marker(answer, images, marker)
        self._pages += 1
        self._images |= fresh
        self._markers.add(marker)
        return Page(images, marker, **dict(
            {'link': None, 'is_certain': True, 'nulls': []}, **details))

    def _repeated(self, ids):
        return next(one for one in ids
                    if one in self._images or ids.count(one) > 1)

    def _check_marker(self, answer, images, marker):
        if not images:
            raise answer.bad('the list continues after an empty page')
        if marker in self._markers:
            raise answer.bad('the list continues after image %s again'
                             % marker[:_QUOTED])
        if self._pages >= MAX_PAGES:
            raise answer.bad('the list has not ended after %d pages'
                             % MAX_PAGES)


def walk(ask):
    """Yield each Page of a listing.

    :param ask: callable(marker, link) that returns the Page after a marker,
        by the link to it if that is not None; the first if both are None
    """
    page, listed = ask(None, None), []
    while True:
        yield page
        if page.marker is None:
            return
        listed = (listed + [image['id'] for image in
                            page.images[-_MARKERS:]])[-_MARKERS:]
        page = _following(ask, page, listed)


def _following(ask, page, listed):
    """Return the page after another one, whose images may be gone by now.

    Glance answers 400 if the marker has been deleted since, and 403 if the
    caller may not see it any more: then the page begins after the image
    before it.
    """
    markers = [(page.marker, page.link)] + [
        (image_id, None) for image_id in reversed(listed)
        if image_id != page.marker]
    for marker, link in markers[:-1]:
        try:
            return ask(marker, link)
        except exception.NovaImageException as error:
            if error.status not in _NO_MARKER:
                raise
    return ask(*markers[-1])


class Listing(object):
    """The images that one call of ImageDriver.detail() lists.

    :param order: Order
    :param page_size: how many images to request at once
    :param pages: callable(order, marker, size) that yields each Page
    :param show: callable(image_id) that returns one image, and whether its
        size is null
    """

    def __init__(self, order, page_size, pages, show):
        self._order = order
        self._page_size = page_size
        self._pages = pages
        self._show = show

    def images(self, tests, marker=None, limit=None):
        """Return the images.

        :param tests: callables that each return whether to list an image
        :param marker: ID of the image after which the list begins
        :param limit: the maximum number of images, or None
        """
        found = self._sorted_by_glance(tests, marker, limit)
        if found is None:
            # Another first page may be the only one.
            again = bool(marker or limit and limit < self._page_size)
            images, nulls = self._all(again)
            found = _passing(tests, self._after(marker, images, nulls))
        return found[:limit]

    def _sorted_by_glance(self, tests, marker, limit):
        """Return the images; None if Glance's pages may be wrong.

        Its first page is always right, unless the marker lacks a field.
        """
        if marker and not self._is_marker(marker):
            return None
        found = []
        for page in self._pages(self._order, marker, min(
                self._page_size, limit or self._page_size)):
            found += _passing(tests, page.images)
            if page.marker is None or limit and len(found) >= limit:
                break
            if not self._order.is_stable and (
                    page.is_certain
                    or not self._order.is_marked_by(page.images[-1])):
                return None
        return found

    def _is_marker(self, image_id):
        if not self._order.has_nulls:
            return True
        try:
            return self._order.is_marked_by(self._show(image_id)[0])
        except exception.NotFound:
            return True  # Glance explains what is wrong with it

    def _all(self, again):
        """Return all images in the asked order, and the IDs without a size.

        :param again: whether to ask Glance for this order first
        """
        if again:
            page = next(iter(self._pages(self._order, None, self._page_size)))
            if page.marker is None:
                return page.images, frozenset(page.nulls)
        images, nulls = [], []
        for page in self._pages(self._order.ties, None, self._page_size):
            images += page.images
            nulls += page.nulls
        nulls = frozenset(nulls)
        return self._order.sorted(images, nulls), nulls

    def _after(self, marker, images, nulls):
        """Return the images after a marker, which they may lack."""
        if not marker:
            return images
        ids = [image['id'] for image in images]
        if marker in ids:
            return images[ids.index(marker) + 1:]
        # The filters leave it out.
        other, is_null = self._show(marker)
        if is_null:
            nulls |= {other['id']}
        later = {image['id'] for page in self._pages(
            self._order.ties, marker, self._page_size)
            for image in page.images}

        def follows(image):
            found = self._order.follows(image, other, nulls)
            return image['id'] in later if found is None else found

        return [image for image in images if follows(image)]


def _passing(tests, images):
    for test in tests:
        images = [image for image in images if test(image)]
    return images
