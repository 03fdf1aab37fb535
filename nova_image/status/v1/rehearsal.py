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

"""The rehearsal of the move: each image as callers see it through both APIs.

Reads, and changes nothing. The listings of both APIs show almost everything.
An image is read by its ID if its listing cannot show what callers see.
"""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import datetime
import functools
import typing

from nova_image import exception
from nova_image.image import reasons
from nova_image.status import threads
from nova_image.status.v1 import differences
from nova_image.status.v1 import listings

Image = listings.Image
Difference = differences.Difference

#: how many differences of a kind a Tally keeps
EXAMPLES = 10
#: how far the clocks of Glance and of this machine may differ
_CLOCKS = datetime.timedelta(minutes=5)


@dataclasses.dataclass(frozen=True)
class Options:
    """What to read in addition to the listings.

    :ivar show: whether to read each image by its ID
    :ivar members: whether to read the members of each shared image
    :ivar threads: how many requests to make at a time
    """

    show: bool = False
    members: bool = False
    threads: int = 8


class Count:
    """The images with differences of one kind.

    :ivar images: their number
    :ivar examples: the first differences, of different images
    """

    def __init__(self) -> None:
        """Begin with no image."""
        self.images = 0
        self.examples: list[Difference] = []
        self._last = ''

    def add(self, one: Difference) -> None:
        """Count a difference, unless its image has been counted."""
        if one.image_id == self._last:
            return
        self._last = one.image_id
        self.images += 1
        if self.images <= EXAMPLES:
            self.examples.append(one)


class Tally:
    """The differences so far, in bounded memory.

    :ivar images: how many images were compared
    :ivar different: how many of them differ
    :ivar kinds: Count of each kind
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.images = 0
        self.different = 0
        self.kinds: dict[str, Count] = collections.defaultdict(Count)

    def add(self, found: list[Difference]) -> None:
        """Count the differences of one image."""
        self.images += 1
        self.different += bool(found)
        for one in found:
            self.kinds[one.kind].add(one)

    def count(self, kinds: collections.abc.Iterable[str]) -> int:
        """Return how many images have differences of some kinds."""
        return sum(self.kinds[kind].images for kind in kinds
                   if kind in self.kinds)


class Rehearsal:
    """One rehearsal.

    :ivar pairs: the listings, whose counts show the progress
    """

    def __init__(self, v1: listings.Api, v2: listings.Api,
                 options: Options = Options()) -> None:
        """Describe the rehearsal of two APIs of one cloud."""
        self.pairs = listings.Pairs(v1, v2, all_fields=options.members)
        self._v1, self._v2 = v1, v2
        self._options = options
        self._began = datetime.datetime.now(datetime.timezone.utc) - _CLOCKS

    def run(self) -> collections.abc.Iterator[list[Difference]]:
        """Yield the differences of each image, also if there are none.

        :raises exception.NovaImageException: if no more images can be read
        """
        window: collections.deque[
            threads.Future[list[Difference]]] = collections.deque()
        with threads.Pool(self._options.threads) as pool:
            for found in self.pairs:
                window.append(self._begun(pool, found))
                while window and (window[0].done() or
                                  len(window) > 4 * self._options.threads):
                    yield window.popleft().result()
            while window:
                yield window.popleft().result()

    def _begun(self, pool: threads.Pool, found: listings.Found
               ) -> 'threads.Future[list[Difference]]':
        """Compare an image: at once if that takes no request."""
        if self._takes_requests(found):
            return pool.submit(functools.partial(self._compared, found))
        future: threads.Future[list[Difference]] = threads.Future()
        future.set_result(self._compared(found))
        return future

    def _takes_requests(self, found: listings.Found) -> bool:
        first, second = found.v1, found.v2
        if not (isinstance(first, dict) and isinstance(second, dict)):
            return True
        return (self._options.show or differences.needs_show(second)
                or self._has_members(second)
                or first['updated_at'] != second['updated_at'])

    def _has_members(self, image: Image) -> bool:
        return self._options.members and image.get('visibility') == 'shared'

    def _compared(self, found: listings.Found) -> list[Difference]:
        """Return the differences of an image."""
        first, second = found.v1, found.v2
        if isinstance(first, Exception) or isinstance(second, Exception):
            return [_unreadable(found.id, 'list', first, second)]
        if first is None or second is None:
            return self._of_one_listing(found.id, first, second)
        if first['updated_at'] != second['updated_at'] and listings.is_newer(
                second, self._began):
            return self._shown(found.id)  # it has changed in between
        result = list(differences.of_listings(first, second))
        if self._options.show or differences.needs_show(second):
            result += self._shown(found.id)
        else:
            result += differences.expected_of_show(first, second)
        if self._has_members(second) and not any(
                one.kind == 'unreadable-v2' for one in result):
            result += self._of_members(found.id)
        return result

    def _shown(self, image_id: str) -> list[Difference]:
        """Return the differences of an image that both APIs show."""
        first = self._v1.try_to_show(image_id)
        second = self._v2.try_to_show(image_id)
        if isinstance(first, Exception) or isinstance(second, Exception):
            if isinstance(first, exception.NotFound) and isinstance(
                    second, exception.NotFound):
                return []  # it has been deleted in between
            return [_unreadable(image_id, 'show', first, second)]
        return list(differences.of_shows(first, second))

    def _of_one_listing(self, image_id: str, first: Image | None,
                        second: Image | None) -> list[Difference]:
        """Return the differences of an image that one API does not list."""
        api = self._v2 if second is None else self._v1
        other = self._v1 if second is None else self._v2
        shown = api.try_to_show(image_id)
        if isinstance(shown, dict) and listings.is_newer(shown, self._began):
            return []  # it was created after the end of the listing
        if isinstance(other.try_to_show(image_id), exception.NotFound):
            return []  # it has been deleted in between
        if second is None and self._is_pending(image_id):
            return self._of_members(image_id)
        seen = ('listed', 'shown by its ID only' if isinstance(shown, dict)
                else _reason(shown))
        return [Difference('only-v1' if second is None else 'only-v2',
                           image_id, 'list', '',
                           *(seen if second is None else seen[::-1]))]

    def _is_pending(self, image_id: str) -> bool:
        """Return whether the caller is a member who has not accepted."""
        return bool(self._of_members(image_id))

    def _of_members(self, image_id: str) -> list[Difference]:
        """Return the members to whom v1 lists an image and v2 does not.

        Glance 15.0.2 lists an image through v1 to all its members, also to
        those that have rejected it.
        """
        try:
            members = self._v2.members(image_id)
        except exception.NotFound:
            return []  # it has been deleted in between
        except exception.Forbidden:
            return []  # an image without members, or another's
        except exception.NovaImageException as error:
            if listings.is_general(error):
                raise
            return [_unreadable(image_id, 'members', {}, error)]
        return [Difference('members', image_id, 'list', one['member_id'],
                           'listed', one['status'])
                for one in members if one['status'] != 'accepted']


def _unreadable(image_id: str, operation: str, first: typing.Any,
                second: typing.Any) -> Difference:
    """Return the difference of an image that an API cannot read."""
    failed = 'unreadable-v2' if isinstance(second, Exception) else (
        'unreadable-v1')
    return Difference(failed, image_id, operation, '', _reason(first),
                      _reason(second))


def _reason(found: typing.Any) -> str:
    """Return why an image cannot be read; 'read' if it can."""
    if not isinstance(found, exception.NovaImageException):
        return 'missing' if found is None else 'read'
    text = found.reason or found.message
    if found.status:
        text = '%d %s' % (found.status, text)
    return reasons.brief(text)
