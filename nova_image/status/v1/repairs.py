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

"""What can be mended only through the Images API v1.

v2 accepts only UUIDs in kernel_id and ramdisk_id, so it could not restore any
other value.
"""

from __future__ import annotations

import typing

from nova_image import exception
from nova_image.image import glance
from nova_image.image import messages
from nova_image.status import facts
from nova_image.status import fixes

if typing.TYPE_CHECKING:
    from nova_image.status.v1 import half as halves

REFERENCE = 'reference'
_NAMES = ('kernel_id', 'ramdisk_id')
_PROPERTY = 'x-image-meta-property-'


def of(half: 'halves.HalfV1') -> dict[str, fixes.Repair]:
    """Return all of them, in the order in which they are made."""
    return {REFERENCE: Reference(half)}


class Reference(fixes.Repair):
    """Unsets a kernel_id or ramdisk_id that is the text "None"."""

    class Planner(fixes.Planner):
        """Plans it."""

        name = 'values'
        half = 'v1'

        def look(self, image: facts.Image) -> None:
            """Plan one change of each property."""
            self.changes += [
                fixes.Change(REFERENCE, image.id, name, 'None', '')
                for name in _NAMES if image.properties.get(name) == 'None']

    def __init__(self, half: 'halves.HalfV1') -> None:
        """Remember the half."""
        self._half = half

    def planner(self) -> fixes.Planner:
        """Return a new planner."""
        return self.Planner()

    def read(self, change: fixes.Change) -> fixes.Value:
        """Return the property; v1 shows one that is '' as missing."""
        found = self._half.find(change.image_id)
        if found is None:
            raise exception.ImageNotFound(image_id=change.image_id)
        return found['properties'].get(change.part) or ''

    def write(self, change: fixes.Change, value: fixes.Value) -> None:
        """Change the property, and no other one."""
        self._half.client.call(self._half.context, messages.Request(
            'PUT', glance.path(change.image_id), 'update', change.image_id,
            raw_headers={_PROPERTY + change.part: value,
                         'x-glance-registry-purge-props': 'False'},
            doubt='image %s with changed %s' % (
                change.image_id, change.part)))
