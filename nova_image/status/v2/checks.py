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

"""The checks of what only the Images API v2 shows."""

from __future__ import annotations

import collections
import collections.abc
import typing
import urllib.parse

from nova_image.status import checks
from nova_image.status import facts

#: the minor version with the locations API for services
_LOCATIONS_API = (2, 17)


class PendingMembers(checks.ImageCheck):
    """Members that v1 lists an image to, and v2 does not."""

    name = 'pending-members'
    title = 'Members that have not accepted an image'
    of = 'have members that do not see them in their lists'
    why = ('v1 lists a shared image for its members at once. v2 lists it only '
           'for those that have accepted it.')
    advice = '--fix accepts the images for the members.'
    cost = 'the listing, and 1 for each image with the visibility shared'
    half = 'v2'
    kinds = frozenset(('members',))

    def __init__(self) -> None:
        """Begin without members."""
        super().__init__()
        self._projects: collections.Counter[str] = collections.Counter()

    def ask(self, image: facts.Image
            ) -> collections.abc.Iterable[facts.Question]:
        """Ask for the members of shared images."""
        if image.visibility == 'shared':
            yield facts.Question('members', image.id)

    def hear(self, image: facts.Image, question: facts.Question,
             answer: typing.Any) -> None:
        """Judge the statuses of the members."""
        pending = [one.project for one in answer if one.status == 'pending']
        if pending:
            self._projects.update(pending)
            self.find(image.id, 'pending for %s' % ', '.join(pending))

    def found(self) -> str:
        """Return the projects with the most of them, too."""
        most = self._projects.most_common(3)
        return '%s; %s%s):' % (super().found()[:-2], ', '.join(
            '%d for %s' % (number, project) for project, number in most),
            ', ...' if len(self._projects) > len(most) else '')


class Locations(checks.ImageCheck):
    """Locations that Nova's callers may need."""

    name = 'locations'
    title = 'Locations of images'
    of = 'have locations that Nova cannot use, or that show a password'
    why = ('A snapshot of a disk in Ceph becomes an image by its location, '
           'without a copy. If Glance neither shows locations nor has the '
           'locations API (2.17), it is uploaded instead. Locations in Swift '
           'can contain the password of the store.')
    advice = ('Set show_multiple_locations in glance-api.conf, or upgrade '
              'Glance, if disks are in Ceph. Use '
              'swift_store_config_file to keep passwords out of locations.')
    half = 'v2'

    def __init__(self) -> None:
        """Begin without locations."""
        super().__init__()
        self._with_data = self._shown = 0
        self._newest: tuple[int, ...] | None = None

    def begin(self, about: facts.About) -> None:
        """Remember the version."""
        self._newest = about.newest

    def look(self, image: facts.Image) -> None:
        """Judge the locations of an image."""
        if not image.has_data:
            return
        self._with_data += 1
        self._shown += image.locations is not None
        for url in image.locations or ():
            if url.startswith('swift') and _has_password(url):
                self.find(image.id, 'the password of the store is in a '
                          'location in Swift')

    def found(self) -> str:
        """Return what was found."""
        return 'Locations that Nova cannot use, or that show a password:'

    def verdict(self) -> typing.Any:
        """Return the conclusion, when all images were looked at."""
        if self._with_data and not self._shown and (
                self._newest is not None and self._newest < _LOCATIONS_API):
            self.find('Glance', 'shows no locations, and has no locations '
                      'API')
        return super().verdict()


def _has_password(url: str) -> bool:
    try:
        return bool(urllib.parse.urlsplit(url).password)
    except ValueError:
        return False
