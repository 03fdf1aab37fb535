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

"""What can be mended through the Images API v2."""

from __future__ import annotations

import collections.abc
import typing

from nova_image import exception
from nova_image.image.v2 import empty_images
from nova_image.image.v2 import records
from nova_image.status import facts
from nova_image.status import fixes

if typing.TYPE_CHECKING:
    from nova_image.status.v2 import half as halves

VISIBILITY = 'visibility'
MEMBER = 'member'
FORMATS = 'formats'


def of(half: 'halves.HalfV2') -> dict[str, fixes.Repair]:
    """Return all of them, in the order in which they are made."""
    return {VISIBILITY: Visibility(half), MEMBER: Membership(half),
            FORMATS: ImageFormats(half)}


class _Repair(fixes.Repair):
    """A repair through v2."""

    def __init__(self, half: 'halves.HalfV2') -> None:
        """Remember the half."""
        self._half = half

    def _image(self, change: fixes.Change) -> dict[str, typing.Any]:
        found = self._half.find(change.image_id)
        if found is None:
            raise exception.ImageNotFound(image_id=change.image_id)
        return found

    def _replace(self, change: fixes.Change,
                 fields: collections.abc.Mapping[str, fixes.Value]) -> None:
        """Replace fields that differ."""
        def operations(image: dict[str, typing.Any]
                       ) -> list[dict[str, typing.Any]]:
            return [{'op': 'replace', 'path': '/' + name, 'value': value}
                    for name, value in fields.items()
                    if image.get(name) != value]

        records.Records(self._half.client).patch(
            self._half.context, change.image_id,
            operations(self._image(change)), operations)


class Visibility(_Repair):
    """Makes private images with members shared, and accepts the members."""

    class Planner(fixes.Planner):
        """Plans it."""

        name = 'private-members'
        half = 'v2'
        kinds = frozenset(('members of private',))

        def ask(self, image: facts.Image
                ) -> collections.abc.Iterable[facts.Question]:
            """Ask for the members of private images."""
            if image.visibility == 'private':
                yield facts.Question('members of private', image.id)

        def hear(self, image: facts.Image, question: facts.Question,
                 answer: typing.Any) -> None:
            """Plan one change of the image, and one of each member."""
            if not answer:
                return
            self.changes.append(fixes.Change(
                VISIBILITY, image.id, 'visibility', 'private', 'shared'))
            # v2 shows their status only afterwards.
            self.changes += [fixes.Change(
                MEMBER, image.id, 'member ' + one.project, 'pending',
                'accepted') for one in answer]

    def planner(self) -> fixes.Planner:
        """Return a new planner."""
        return self.Planner()

    def read(self, change: fixes.Change) -> fixes.Value:
        """Return the visibility."""
        return self._image(change)['visibility']

    def write(self, change: fixes.Change, value: fixes.Value) -> None:
        """Change the visibility."""
        self._replace(change, {'visibility': value})


class Membership(_Repair):
    """Accepts images for their members."""

    class Planner(fixes.Planner):
        """Plans it."""

        name = 'pending-members'
        half = 'v2'
        kinds = frozenset(('members',))

        def ask(self, image: facts.Image
                ) -> collections.abc.Iterable[facts.Question]:
            """Ask for the members of shared images."""
            if image.visibility == 'shared':
                yield facts.Question('members', image.id)

        def hear(self, image: facts.Image, question: facts.Question,
                 answer: typing.Any) -> None:
            """Plan one change of each pending member."""
            self.changes += [fixes.Change(
                MEMBER, image.id, 'member ' + one.project, 'pending',
                'accepted') for one in answer if one.status == 'pending']

    def planner(self) -> fixes.Planner:
        """Return a new planner."""
        return self.Planner()

    def read(self, change: fixes.Change) -> fixes.Value:
        """Return the status of the member."""
        project = change.part.partition(' ')[2]
        for one in self._half.members(change.image_id):
            if one.project == project:
                return one.status
        raise exception.NotFound(
            'The member is gone', image_id=change.image_id)

    def write(self, change: fixes.Change, value: fixes.Value) -> None:
        """Change the status of the member."""
        self._half.driver.set_member_status(
            self._half.context, change.image_id,
            change.part.partition(' ')[2], value)


class ImageFormats(_Repair):
    """Gives queued images the formats that they lack."""

    class Planner(fixes.Planner):
        """Plans it."""

        name = 'formats'
        half = 'v2'

        def begin(self, about: facts.About) -> None:
            """Remember the formats."""
            self._accepted = about.formats

        def look(self, image: facts.Image) -> None:
            """Plan one change of each format."""
            if image.status != 'queued':
                return
            for part, value, accepted in (
                    ('disk_format', image.disk_format, self._accepted.disk),
                    ('container_format', image.container_format,
                     self._accepted.container)):
                if value is None:
                    self.changes.append(fixes.Change(
                        FORMATS, image.id, part, None, _best(
                            empty_images.PREFERRED[part], accepted)))

    def planner(self) -> fixes.Planner:
        """Return a new planner."""
        return self.Planner()

    def read(self, change: fixes.Change) -> fixes.Value:
        """Return the format."""
        return self._image(change).get(change.part)

    def write(self, change: fixes.Change, value: fixes.Value) -> None:
        """Change the format."""
        self._replace(change, {change.part: value})


def _best(best: tuple[str, ...], accepted: tuple[str, ...]) -> str:
    """Return the best format that a Glance accepts."""
    return next((one for one in best if not accepted or one in accepted),
                (*accepted, *best)[0])
