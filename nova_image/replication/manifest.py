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

"""A Record as JSON, in the manifests of a folder."""

from __future__ import annotations

import collections.abc
import json
import typing

from nova_image import compat
from nova_image.replication import record as records

#: version of the layout of folders and manifests
SCHEMA = 1

_TEXTS = ('id', 'status', 'name', 'owner', 'visibility', 'disk_format',
          'container_format')
_PLAIN = _TEXTS + ('protected', 'hidden', 'min_disk', 'min_ram', 'size')
_TIMES = ('created_at', 'updated_at')
_NEEDED = ('id', 'status', 'visibility')


class NotAManifest(ValueError):
    """A file is not a manifest that this release can read."""


def dumps(image: records.Record) -> str:
    """Return the manifest of an image."""
    found: dict[str, typing.Any] = {
        name: getattr(image, name) for name in _PLAIN}
    found.update((name, value and value.isoformat()) for name, value in (
        (name, getattr(image, name)) for name in _TIMES))
    found['hashes'] = dict(image.hashes)
    found['properties'] = dict(image.properties)
    found['tags'] = sorted(image.tags)
    found['members'] = [{'project': one.project, 'status': one.status}
                        for one in sorted(image.members or ())]
    return json.dumps({'schema': SCHEMA, 'image': found}, indent=2,
                      sort_keys=True, ensure_ascii=False) + '\n'


def loads(text: str) -> records.Record:
    """Return the image of a manifest.

    :raises NotAManifest: if it is not one, or one of a later release
    """
    try:
        found = json.loads(text)
        schema = found['schema']
        if schema != SCHEMA:
            raise NotAManifest(
                'it has the schema version %s, this release reads %d' % (
                    schema, SCHEMA))
        return _image(found['image'])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, NotAManifest):
            raise
        raise NotAManifest('it is not a manifest: %s: %s' % (
            type(error).__name__, error)) from error


def _image(found: collections.abc.Mapping[str, typing.Any]
           ) -> records.Record:
    """Return the image of a checked manifest."""
    for name in _TEXTS:
        if not isinstance(found[name], str) and (
                name in _NEEDED or found[name] is not None):
            raise TypeError('%s is not text' % name)
    fields: dict[str, typing.Any] = {name: found[name] for name in _PLAIN}
    fields.update(
        (name, found[name] and compat.parse_time(found[name]))
        for name in _TIMES)
    return records.Record(
        **fields, hashes=_texts(found['hashes']),
        properties=_texts(found['properties']),
        tags=frozenset(found['tags']),
        members=frozenset(records.Member(one['project'], one['status'])
                          for one in found['members']))


def _texts(found: collections.abc.Mapping[str, str]) -> dict[str, str]:
    for name, value in found.items():
        if not isinstance(value, str):
            raise TypeError('%s is not text' % name)
    return dict(found)
