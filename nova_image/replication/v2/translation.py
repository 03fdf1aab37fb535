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

"""Images between records and the JSON of the Images API v2: pure functions."""

from __future__ import annotations

import collections.abc
import typing

from nova_image.image import answers
from nova_image.image.v2 import fields as v2_fields
from nova_image.image.v2 import translation
from nova_image.replication import record as records

Raw = dict[str, typing.Any]

#: status of an image that cannot be understood; never copied, always reported
UNREADABLE = 'unreadable'

#: fields that have the same name and the same values in both
_SAME = ('name', 'owner', 'visibility', 'protected', 'min_disk', 'min_ram',
         'disk_format', 'container_format')
#: fields of a record -> their names in v2
_NAMES = {'hidden': 'os_hidden'}


def to_record(raw: Raw) -> records.Record:
    """Return an image, without its members.

    A custom property that an older Glance lets users call os_hidden is text.
    Glance shows an owner '' as null, except in the answer to its creation.

    :param raw: the image as nova_image.image.v2.fields returns it
    """
    return records.Record(
        id=raw['id'], status=raw['status'] or UNREADABLE,
        name=raw.get('name'), owner=raw.get('owner') or None,
        visibility=raw.get('visibility') or 'private',
        protected=raw.get('protected') is True,
        hidden=raw.get('os_hidden') is True,
        min_disk=raw.get('min_disk') or 0, min_ram=raw.get('min_ram') or 0,
        disk_format=raw.get('disk_format'),
        container_format=raw.get('container_format'),
        size=raw['size'] if raw['status'] in records.WITH_DATA else None,
        hashes=_hashes(raw), tags=frozenset(raw.get('tags') or ()),
        properties={name: value for name, value in raw.items()
                    if translation.is_custom(name) and
                    isinstance(value, str)},
        created_at=answers.moment(raw.get('created_at')),
        updated_at=answers.moment(raw.get('updated_at')))


def listed(raw: Raw) -> records.Record:
    """Return an image of a listing.

    One that makes no sense must neither end the listing nor be missing in
    the report: its status is UNREADABLE.

    :param raw: the JSON of the image, which has an ID
    """
    try:
        return to_record(v2_fields.image(raw, raw['id']))
    except answers.Unreadable as error:
        return records.Record(id=raw['id'], status=UNREADABLE,
                              problem='it cannot be read: %s' % error)


def _hashes(raw: Raw) -> dict[str, str]:
    found = {'md5': raw.get('checksum')}
    if raw.get('os_hash_algo'):
        found[raw['os_hash_algo'].lower()] = raw.get('os_hash_value')
    return {name: value for name, value in found.items() if value}


def to_create(image: records.Record) -> Raw:
    """Return what to send for a new image that only its owner can see.

    Without an owner, Glance makes it the caller's.
    """
    return {
        **image.properties, 'id': image.id,
        'visibility': 'shared' if image.visibility == 'shared' else 'private',
        'tags': sorted(image.tags), 'min_disk': image.min_disk,
        'min_ram': image.min_ram, **{
            name: getattr(image, name)
            for name in ('name', 'owner', 'disk_format', 'container_format')
            if getattr(image, name) is not None}}


def operations(image: records.Record,
               fields: collections.abc.Mapping[str, typing.Any]) -> list[Raw]:
    """Return the JSON Patch operations that give an image its fields.

    :param image: the image as it is
    :param fields: {name: value}; properties and tags as a whole
    """
    found = []
    for name, value in sorted(fields.items()):
        if name == 'properties':
            found += _of_properties(image.properties, value)
        elif name == 'tags':
            if image.tags != frozenset(value):
                found.append(_operation('replace', name, sorted(value)))
        elif name not in (*_SAME, *_NAMES):
            raise ValueError('v2 cannot change %s' % name)
        elif getattr(image, name) != value:
            found.append(_operation('replace', _NAMES.get(name, name), value))
    return found


def _of_properties(now: records.Properties,
                   then: records.Properties) -> list[Raw]:
    found = [_operation('remove', name) for name in sorted(now)
             if name not in then]
    for name, value in sorted(then.items()):
        if name not in now:
            found.append(_operation('add', name, value))
        elif now[name] != value:
            found.append(_operation('replace', name, value))
    return found


def _operation(kind: str, name: str, *value: typing.Any) -> Raw:
    path = '/' + name.replace('~', '~0').replace('/', '~1')
    return {'op': kind, 'path': path, **({'value': value[0]} if value else {})}
