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

"""Which images to replicate: the filters of rules.Rules.

A filter returns why it leaves an image out, or None.
"""

from __future__ import annotations

import collections.abc
import datetime
import fnmatch

from nova_image.replication import record as records
from nova_image.replication import rules

Filter = rules.Filter
_Texts = collections.abc.Collection[str]


def by_id(ids: _Texts) -> Filter:
    """Keep the images with these IDs."""
    wanted = {one.lower() for one in ids}
    return lambda image: None if image.id.lower() in wanted else (
        'its ID is not one of those that were asked for')


def by_name(patterns: _Texts) -> Filter:
    """Keep the images whose name matches one of these patterns.

    :param patterns: as for fnmatch
    """
    return lambda image: None if _matches(image.name or '', patterns) else (
        'its name does not match')


def by_owner(projects: _Texts) -> Filter:
    """Keep the images of these projects, by their IDs."""
    return lambda image: None if image.owner in projects else (
        'it belongs to another project')


def by_visibility(wanted: _Texts) -> Filter:
    """Keep the images with one of these visibilities.

    An API that only tells public images from others has the others if any of
    the wanted visibilities is not public.
    """
    def find(image: records.Record) -> str | None:
        fits = image.visibility in wanted or (
            image.visibility == records.NOT_PUBLIC and
            bool(set(wanted) - {'public'}))
        return None if fits else 'its visibility is %s' % image.visibility
    return find


def by_property(name: str, value: str | None = None) -> Filter:
    """Keep the images with a property.

    :param value: its value; None for any
    """
    def find(image: records.Record) -> str | None:
        found = image.properties.get(name)
        fits = found is not None and value in (None, found)
        return None if fits else 'it lacks the property %s%s' % (
            name, '' if value is None else '=' + value)
    return find


def without_property(name: str, value: str | None = None) -> Filter:
    """Leave out the images with a property.

    :param value: its value; None for any
    """
    keep = by_property(name, value)
    return lambda image: None if keep(image) else (
        'it has the property %s%s' % (name, '' if value is None
                                      else '=' + value))


def by_tag(tag: str) -> Filter:
    """Keep the images with a tag."""
    return lambda image: None if tag in image.tags else (
        'it lacks the tag %s' % tag)


def by_size(least: int | None = None, most: int | None = None) -> Filter:
    """Keep the images of a size.

    :param least: number of bytes; None for any
    :param most: number of bytes; None for any
    """
    def find(image: records.Record) -> str | None:
        size = image.size or 0
        if least is not None and size < least:
            return 'it is smaller than %d bytes' % least
        if most is not None and size > most:
            return 'it is larger than %d bytes' % most
        return None
    return find


def since(moment: datetime.datetime) -> Filter:
    """Keep the images that were changed at a time or later.

    :param moment: with a zone
    """
    return lambda image: None if image.updated_at is None or (
        image.updated_at >= moment) else (
            'it has not changed since %s' % moment.isoformat())


def _matches(text: str, patterns: _Texts) -> bool:
    return any(fnmatch.fnmatchcase(text, pattern) for pattern in patterns)
