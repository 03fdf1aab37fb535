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

"""Images between records and the headers and JSON of the Images API v1."""

from __future__ import annotations

import collections.abc
import typing

from oslo_log import log as logging
from oslo_utils import strutils

from nova_image import exception
from nova_image.image import answers
from nova_image.image import glance
from nova_image.replication import record as records
from nova_image.replication.v1 import limits

LOG = logging.getLogger(__name__)

Raw = dict[str, typing.Any]

#: status of an image that cannot be understood; never copied, always reported
UNREADABLE = 'unreadable'

_META = 'x-image-meta-'
#: fields that are in the headers of every image
_ALWAYS = ('status', 'min_disk', 'min_ram', 'is_public', 'protected',
           'deleted', 'created_at', 'updated_at')
_TEXTS = ('name', 'owner', 'disk_format', 'container_format')
_NUMBERS = ('min_disk', 'min_ram')


def _number(value: typing.Any) -> int:
    """Return the number in JSON or in a header; 0 for none."""
    read = answers.header_number if isinstance(value, str) else answers.number
    return read(value) or 0


def _truth(value: typing.Any) -> bool:
    """Return the bool in JSON or in a header; False for none."""
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, str):
        return bool(strutils.bool_from_string(value))
    raise answers.Unreadable('is neither true nor false')


def _properties(value: typing.Any) -> dict[str, str]:
    """Return custom properties; v1 lists one that it has set to '' as null."""
    return {name: answers.text(text) or ''
            for name, text in answers.mapping(value).items()}


_READERS: dict[str, collections.abc.Callable[[typing.Any], typing.Any]] = {
    **dict.fromkeys((*_TEXTS, 'checksum'), answers.text),
    **dict.fromkeys((*_NUMBERS, 'size'), _number),
    **dict.fromkeys(('is_public', 'protected', 'deleted'), _truth),
    **dict.fromkeys(('created_at', 'updated_at'), answers.moment),
    'id': answers.name, 'status': answers.name, 'properties': _properties}


def page(found: Raw) -> tuple[list[Raw], list[str]]:
    """Return the images of a page, for GlanceImageService.pages().

    :raises Unreadable: if it is not a list of images
    """
    return answers.page(found, 'images', _with_id), []


def _with_id(raw: Raw) -> Raw:
    answers.name(raw.get('id'))
    return raw


def listed(raw: Raw) -> records.Record:
    """Return an image of a listing.

    One that makes no sense must neither end the listing nor be missing in
    the report: its status is UNREADABLE.
    """
    try:
        return from_json(raw, raw['id'])
    except answers.Unreadable as error:
        LOG.warning('Image %(id)s cannot be read: %(error)s', {
            'id': exception.redact(raw['id']), 'error': error})
        return records.Record(id=raw['id'], status=UNREADABLE,
                              problem='it cannot be read: %s' % error)


def from_json(raw: Raw, image_id: str) -> records.Record:
    """Return the image in the JSON of an answer.

    :param image_id: the ID that it must have
    :raises Unreadable: if it is not this image
    """
    found, wrong = answers.fields(raw, _READERS)
    if wrong:
        raise answers.Unreadable(answers.one_line(wrong))
    if found['id'].lower() != image_id.lower():
        raise answers.Unreadable('it describes image %s' % found['id'])
    status = 'deleted' if found['deleted'] else found['status']
    return records.Record(
        id=found['id'], status=status, protected=found['protected'],
        visibility='public' if found['is_public'] else records.NOT_PUBLIC,
        size=found['size'] if status in records.WITH_DATA else None,
        hashes={'md5': found['checksum']} if found['checksum'] else {},
        properties=found['properties'], created_at=found['created_at'],
        updated_at=found['updated_at'],
        **{name: found[name] for name in (*_TEXTS, *_NUMBERS)})


def from_headers(headers: collections.abc.Mapping[str, str],
                 image_id: str) -> records.Record:
    """Return the image in the headers of an answer.

    They end early if v2 has stored a property with a line break.

    :param image_id: the ID that it must have
    :raises Unreadable: if they are not complete
    """
    raw = glance.from_headers(headers)
    missing = [name for name in _ALWAYS if name not in raw]
    if missing:
        raise answers.Unreadable('it lacks the headers %s' % (
            ', '.join(missing)))
    return from_json(raw, image_id)


def in_headers(image: records.Record) -> records.Record:
    """Return what the headers of an image show of it, for comparisons.

    They lack more than this of some images, which then look different.
    """
    return image.but(
        members=None, hashes={name: value for name, value in
                              image.hashes.items() if name == 'md5'},
        visibility='public' if image.visibility == 'public'
        else records.NOT_PUBLIC,
        properties={name.lower(): value.strip() for name, value in
                    image.properties.items() if value})


def to_headers(fields: collections.abc.Mapping[str, typing.Any]
               ) -> dict[str, str]:
    """Return the headers that give an image these fields.

    :param fields: {name in nova_image.replication.ends.FIELDS: value}
    :raises ImageActionNotSupported: if v1 lacks one of them
    :raises ImageBadRequest: if v1 cannot hold a value
    """
    headers = {}
    for name, value in fields.items():
        if name == 'properties':
            headers.update(_property_headers(value))
        elif name == 'visibility':
            headers[_META + 'is_public'] = str(value == 'public')
        elif name == 'protected' or name in _NUMBERS:
            headers[_META + name] = str(value)
        elif name not in _TEXTS:
            raise exception.ImageActionNotSupported(
                reason='images have no %s in the Images API v1' % name)
        elif value or 'format' not in name:  # no header can remove a format
            headers[_META + name] = value or ''
    for header, value in headers.items():
        _check(header, limits.problem_of_value(header, value))
    return headers


def _property_headers(properties: records.Properties) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in properties.items():
        header = limits.PROPERTY + limits.stored_name(name)
        _check(name, limits.problem_of_name(name) or (
            'v1 cannot distinguish it from another one'
            if header in headers else None))
        headers[header] = value
    return headers


def _check(what: str, problem: str | None) -> None:
    if problem:
        raise exception.ImageBadRequest(reason='%s: %s' % (what, problem))
