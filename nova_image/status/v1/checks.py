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

"""The checks of what only the Images API v1 shows."""

from __future__ import annotations

import collections.abc
import typing

from nova_image.status import checks
from nova_image.status import facts

Code = checks.Code

#: names of fields of v2 that Nova and users read
_READ = frozenset((
    'checksum', 'container_format', 'disk_format', 'id', 'min_disk',
    'min_ram', 'name', 'owner', 'protected', 'size', 'status', 'visibility'))
#: the other names of fields of v2 (seen on Glance 15.0.2 and 33.0.0)
_OTHERS = frozenset((
    'created_at', 'direct_url', 'file', 'locations', 'schema', 'self', 'tags',
    'updated_at', 'virtual_size'))


class HiddenProperties(checks.ImageCheck):
    """Properties that v2 does not show."""

    name = 'hidden-properties'
    title = 'Properties that v2 hides'
    result = 'failure if Nova or users read the field; otherwise warning'
    of = 'have properties with the names of fields of v2'
    why = ('v2 shows the field of that name, and never the property. Callers '
           'that rely on the property see another value.')
    advice = ('Copy the property to another name, and remove it through v1, '
              'while there is v1.')
    cost = 'the listing through v1'
    half = 'v1'

    def look(self, image: facts.Image) -> None:
        """Judge the names of the properties."""
        names = sorted(name for name in image.properties
                       if name.lower() in _READ | _OTHERS)
        if names:
            self.find(image.id, ', '.join(names),
                      Code.FAILURE if _READ.intersection(
                          name.lower() for name in names) else Code.WARNING)


class PrivateMembers(checks.ImageCheck):
    """Members of images that are not shared.

    v2 answers 403 to the question for the members of a private image
    (15.0.2), so v1 is asked.
    """

    name = 'private-members'
    title = 'Private images with members'
    result = 'failure'
    of = 'are private, but have members'
    why = ('v2 shows a private image to its owner only. Its members cannot '
           'use it before its visibility is shared.')
    advice = ('--fix makes the images shared and accepts them for the '
              'members. Otherwise remove the members through v1.')
    cost = 'the listing, and 1 through v1 for each private image'
    kinds = frozenset(('members of private',))

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()
        self._knows_private = True

    def begin(self, about: facts.About) -> None:
        """Remember whether the listing tells private images."""
        if 'visibility' not in about.shows:
            self._knows_private = False
            self.skipped = ('%s does not tell private images from shared '
                            'ones; check again when v2 is served, too'
                            % about.title)

    def ask(self, image: facts.Image
            ) -> collections.abc.Iterable[facts.Question]:
        """Ask for the members of private images."""
        if self._knows_private and image.visibility == 'private':
            yield facts.Question('members of private', image.id)

    def hear(self, image: facts.Image, question: facts.Question,
             answer: typing.Any) -> None:
        """Judge whether there are members."""
        if answer:
            self.find(image.id, 'members: %s' % ', '.join(
                one.project for one in answer), Code.FAILURE)
