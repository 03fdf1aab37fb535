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

"""The rules of a replication: what to copy, and what to leave out."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import fnmatch
import typing

from nova_image.replication import ends
from nova_image.replication import record as records

#: properties that belong to one Glance
OWN_PROPERTIES = (records.MARKER, 'os_glance_*')
#: properties that name another image by its ID
REFERENCES = ('kernel_id', 'ramdisk_id', 'base_image_ref')

#: returns why an image is left out, or None
Filter = collections.abc.Callable[[records.Record], typing.Optional[str]]


def references(image: records.Record) -> frozenset[str]:
    """Return the IDs of the images that an image names."""
    return frozenset(image.properties[name] for name in REFERENCES
                     if name in image.properties) - {image.id}


@dataclasses.dataclass(frozen=True)
class Projects:
    """The projects of the target for those of the source.

    :ivar by_id: {ID at the source: ID at the target}
    :ivar everything_to: the project for all images; None to use by_id
    :ivar keep_unknown: whether a project that is not in by_id keeps its ID
    """

    by_id: collections.abc.Mapping[str, str] = dataclasses.field(
        default_factory=dict)
    everything_to: str | None = None
    keep_unknown: bool = True

    def owner(self, project: str | None) -> str | None:
        """Return the owner at the target.

        :param project: ID at the source; None if nobody owns the image
        :raises KeyError: if there is none for this project
        """
        if self.everything_to or project is None:
            return self.everything_to
        return self.member(project)

    def member(self, project: str) -> str:
        """Return the member at the target.

        :param project: ID at the source
        :raises KeyError: if there is none for this project
        """
        if self.keep_unknown:
            return self.by_id.get(project, project)
        return self.by_id[project]


@dataclasses.dataclass(frozen=True)
class Rules:
    """What a replication copies, and how.

    :ivar fit: what the target can hold
    :ivar fields: fields that both ends have
    :ivar readable: statuses of the images whose data the source returns
    :ivar filters: why to leave an image out
    :ivar ignored: patterns of fields and properties that are not copied, as
        for fnmatch
    :ivar projects: the projects of the target
    :ivar ids: {ID at the source: ID at the target}, where they differ
    :ivar restores: whether the source is a dump, from which an original may
        be restored
    :ivar metadata_only: whether to update images but copy no data
    :ivar new_ids: whether a replica gets another ID if the target does not
        accept data for its own any more
    :ivar abandoned_before: an upload that began before is taken to be dead;
        None if any may still run
    """

    fit: collections.abc.Callable[[records.Record], ends.Fit]
    fields: frozenset[str] = ends.FIELDS
    readable: frozenset[str] = frozenset(records.WITH_DATA)
    filters: tuple[Filter, ...] = ()
    ignored: tuple[str, ...] = ()
    projects: Projects = Projects()
    ids: collections.abc.Mapping[str, str] = dataclasses.field(
        default_factory=dict)
    restores: bool = False
    metadata_only: bool = False
    new_ids: bool = False
    abandoned_before: datetime.datetime | None = None

    def ignores(self, name: str) -> bool:
        """Return whether a field or a property is not copied."""
        return any(fnmatch.fnmatchcase(name, pattern)
                   for pattern in self.ignored)

    def is_abandoned(self, image: records.Record) -> bool:
        """Return whether an upload to an image, or an import, has died.

        Glance shows 'saving' during an upload and 'importing' during an
        import, and hardly changes the time of the image. If Glance is killed,
        or its database fails, this remains, and it never accepts data for
        the ID again.
        """
        limit, began = self.abandoned_before, image.updated_at
        return image.status in ('saving', 'importing') and bool(
            limit and began and began < limit)

    def properties(self, image: records.Record) -> dict[str, str]:
        """Return the properties to copy, with the target's IDs in them."""
        found: dict[str, str] = {}
        if self.ignores('properties'):
            return found
        for name, value in image.properties.items():
            if any(fnmatch.fnmatchcase(name, pattern)
                   for pattern in OWN_PROPERTIES) or self.ignores(name):
                continue
            found[name] = self.ids.get(value, value) if (
                name in REFERENCES) else value
        return found
