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

"""The listings of both APIs, page by page, image by image.

A listing fails as a whole if Glance cannot show one of its images: v2 of
Glance 15.0.2 answers 400 to a page with an image whose min_ram is negative.
The other API tells which image it is, and the listing continues after it.
"""

from __future__ import annotations

import collections
import collections.abc
import datetime
import typing

from nova_image import exception
from nova_image.image import driver as drivers
from nova_image.image import retry
from nova_image.status import threads

Image = dict[str, typing.Any]

PAGE = 1000
#: what Glance answers if an overload, a restart or a proxy is the reason
_TEMPORARY = (None, 429, 502, 503, 504)
#: errors that no other page would avoid
_GENERAL = (exception.Forbidden, exception.GlanceVersionNotServed,
            exception.GlanceNotTrusted, exception.GlanceEndpointUnknown)
#: how many images may be tried as the one that cannot be listed
_SUSPECTS = 20
#: how many of the last images may be tried as markers, if they are deleted
_MARKERS = 10

Call = collections.abc.Callable[[], typing.Any]


def is_general(error: exception.NovaImageException) -> bool:
    """Return whether an error is not about the images of a request."""
    return isinstance(error, _GENERAL) or (
        type(error) is exception.GlanceConnectionFailed)


class Api:
    """One API of a cloud, read without side effects.

    :ivar name: ``v1`` or ``v2``
    """

    def __init__(self, name: str, driver: drivers.ImageDriver,
                 context: typing.Any, retries: int = 3,
                 max_wait: float = 30) -> None:
        """Describe the API.

        :param driver: its driver, which must not retry itself: it would
            repeat what cannot succeed
        :param context: the caller's context
        :param retries: how often to repeat a request after a temporary error
        :param max_wait: the longest wait before it, in seconds
        """
        self.name = name
        self._driver = driver
        self._context = context
        self._waits = retries, max_wait, 0

    def page(self, marker: str | None, limit: int, **options: typing.Any
             ) -> list[Image]:
        """Return the images after a marker, the oldest first."""
        return self._ask(lambda: self._driver.detail(
            self._context, marker=marker, limit=limit, page_size=limit,
            sort_key='created_at', sort_dir='asc', **options))

    def members(self, image_id: str) -> list[dict[str, typing.Any]]:
        """Return the members of an image."""
        return self._ask(lambda: self._driver.members(
            self._context, image_id))

    def try_to_show(self, image_id: str) -> Image | Exception:
        """Return one image, or why it cannot be read.

        :raises exception.NovaImageException: if no image can be read
        """
        found = self._shown(image_id)
        if isinstance(found, exception.NovaImageException) and is_general(
                found):
            # Glance 15.0.2 sends longer headers than a client reads.
            self.page(None, 1)
            return self._shown(image_id)
        return found

    def _shown(self, image_id: str) -> Image | Exception:
        try:
            return self._ask(lambda: self._driver.show(
                self._context, image_id), _TEMPORARY[1:])
        except exception.NovaImageException as error:
            return error

    def _ask(self, call: Call, repeated: collections.abc.Container[
            int | None] = _TEMPORARY) -> typing.Any:
        """Make a request, and repeat it after some errors.

        :param repeated: the statuses of these errors
        """
        attempts = retry.Attempts(*self._waits)
        while True:
            try:
                return call()
            except exception.GlanceConnectionFailed as error:
                if isinstance(error, _GENERAL) or (
                        error.status not in repeated):
                    raise
                delay = attempts.delay(error.retry_after)
                if delay is None:
                    raise
            attempts.repeat_after(delay)


class Found(typing.NamedTuple):
    """An image in both listings, or in one of them.

    A listing that could not contain it has an exception in its place; None
    means that it lacks the image.
    """

    id: str
    v1: Image | Exception | None
    v2: Image | Exception | None


class _Listing:
    """The listing of one API, which is read step by step.

    :ivar ended: whether there are no more images
    :ivar error: why the next image cannot be listed, or None
    :ivar waiting: ID -> (number, image) of the images that the other listing
        has not had yet, in their order
    :ivar arrived: number of the last image that has been in waiting
    :ivar passed: number of the last image that the other listing has had, too
    """

    def __init__(self, api: Api, options: dict[str, bool]) -> None:
        self.api = api
        self.ended = False
        self.error: exception.NovaImageException | None = None
        self.waiting: dict[str, tuple[int, Image]] = {}
        self.arrived = 0
        self.passed = 0
        self.count = 0
        self._options = options
        self._limit = PAGE
        self._markers: collections.deque[str] = collections.deque(
            maxlen=_MARKERS)

    def read(self) -> list[Image]:
        """Return the next images.

        :raises exception.NovaImageException: if the next one cannot be listed
        """
        while True:
            marker = self._markers[-1] if self._markers else None
            try:
                page = self.api.page(marker, self._limit, **self._options)
            except exception.NovaImageException as error:
                if is_general(error):
                    raise
                if self._limit == 1 and not self._step_back(error):
                    raise
                self._limit = max(1, self._limit // 2)
                continue
            self.ended = len(page) < self._limit
            self._limit = min(PAGE, self._limit * 2)
            self._markers.extend(image['id'] for image in page)
            self.count += len(page)
            return page

    def _step_back(self, error: exception.NovaImageException) -> bool:
        """Forget a marker that has been deleted; return whether it was."""
        if len(self._markers) < 2 or not isinstance(
                self.api.try_to_show(self._markers[-1]), exception.NotFound):
            return False
        self._markers.pop()
        return True

    def skip(self, image_id: str) -> None:
        """Continue after an image that cannot be listed."""
        self._markers.append(image_id)
        self.error = None
        self.count += 1

    def ahead(self) -> list[str]:
        """Return the images that the other listing should have next."""
        return [image_id for image_id, (number, _) in self.waiting.items()
                if number > self.passed]


class Pairs:
    """Both listings, as pairs of images.

    Both APIs read one database, so images arrive in the same order, and
    only those are in memory that one of the two has not had yet.
    """

    def __init__(self, v1: Api, v2: Api, **options: bool) -> None:
        """Describe the listings.

        :param options: for ImageDriver.detail of v2
        """
        self._listings = (_Listing(v1, {}), _Listing(v2, options))

    @property
    def counts(self) -> tuple[int, int]:
        """How many images each listing has had so far."""
        return self._listings[0].count, self._listings[1].count

    def __iter__(self) -> collections.abc.Iterator[Found]:
        """Yield each image once.

        :raises exception.NovaImageException: if an image cannot be listed by
            either API
        """
        with threads.Pool(2) as pool:
            while not all(one.ended for one in self._listings):
                yield from self._round(pool)
                for side in (0, 1):
                    if self._listings[1 - side].ended:
                        yield from self._left(side)

    def _round(self, pool: threads.Pool
               ) -> collections.abc.Iterator[Found]:
        """Read a page of each listing that is not ahead of the other."""
        reading = self._next_sides()
        pages = [pool.submit(self._listings[side].read) for side in reading]
        for side, future in zip(reading, pages):
            try:
                page = future.result()
            except exception.NovaImageException as error:
                if is_general(error):
                    raise
                self._listings[side].error = error
            else:
                for image in page:
                    yield from self._arrived(side, image)
        for side, one in enumerate(self._listings):
            if one.error is not None:
                yield from self._culprit(side)

    def _next_sides(self) -> list[int]:
        """Return the listings to read now.

        :raises exception.NovaImageException: if none can be read
        """
        sides = [side for side, one in enumerate(self._listings)
                 if not one.ended and one.error is None]
        if not sides:
            raise next(one.error for one in self._listings if one.error)
        ahead = [len(self._listings[side].ahead()) for side in sides]
        return [side for side, number in zip(sides, ahead)
                if number <= max(PAGE, min(ahead))]

    def _arrived(self, side: int, image: Image
                 ) -> collections.abc.Iterator[Found]:
        """Yield the pair that an image completes."""
        own, other = self._listings[side], self._listings[1 - side]
        number, partner = other.waiting.pop(image['id'], (0, None))
        if partner is None:
            own.arrived += 1
            own.waiting[image['id']] = (own.arrived, image)
            return
        other.passed = max(other.passed, number)
        yield _found(image['id'], side, image, partner)

    def _culprit(self, side: int) -> collections.abc.Iterator[Found]:
        """Yield and skip the image that a listing cannot contain.

        It may not have arrived yet.
        """
        own, other = self._listings[side], self._listings[1 - side]
        for image_id in other.ahead()[:_SUSPECTS]:
            reason = own.api.try_to_show(image_id)
            if isinstance(reason, (dict, exception.NotFound)):
                continue
            own.skip(image_id)
            number, image = other.waiting.pop(image_id)
            other.passed = number
            yield _found(image_id, side, reason, image)
            return

    def _left(self, side: int) -> collections.abc.Iterator[Found]:
        """Yield the images that the other listing lacks."""
        waiting = self._listings[side].waiting
        for image_id in list(waiting):
            yield _found(image_id, side, waiting.pop(image_id)[1], None)


def _found(image_id: str, side: int, own: Image | Exception | None,
           other: Image | None) -> Found:
    """Return what a listing and the other one have."""
    return Found(image_id, *((own, other) if side == 0 else (other, own)))


def is_newer(image: Image, moment: datetime.datetime) -> bool:
    """Return whether an image was created, or changed, after a moment."""
    return any(image[name] is not None and image[name] > moment
               for name in ('created_at', 'updated_at'))
