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

"""What callers see differently of one image, through v1 and through v2.

Pure functions. Images are dicts in the format of ImageDriver. Facts were seen
on Glance 15.0.2, which is the last but one that serves v1.
"""

from __future__ import annotations

import collections
import collections.abc
import re
import typing

Image = dict[str, typing.Any]

#: the fields of the callers' format that both APIs have, but ``id``
FIELDS = ('name', 'status', 'size', 'min_disk', 'min_ram', 'disk_format',
          'container_format', 'checksum', 'owner', 'is_public', 'created_at',
          'updated_at', 'deleted', 'deleted_at')
#: fields of v2, whose names v2 does not show as properties
RESERVED = frozenset((
    'checksum', 'container_format', 'created_at', 'deleted', 'deleted_at',
    'direct_url', 'disk_format', 'file', 'id', 'location', 'locations',
    'min_disk', 'min_ram', 'name', 'os_hash_algo', 'os_hash_value',
    'os_hidden', 'owner', 'protected', 'schema', 'self', 'size', 'status',
    'stores', 'tags', 'updated_at', 'virtual_size', 'visibility'))
_RESERVED_PREFIX = 'os_glance_'
#: the longest line of headers that HTTP clients read, less a name
_LONGEST_HEADER = 65000
#: a name that HTTP can have in the name of a header (RFC 7230, token)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_CONTROL = re.compile('[\x00-\x1f\x7f]')


class Kind(typing.NamedTuple):
    """A kind of difference.

    :ivar documented: whether it is an incompatibility by design, whose
        anchor in the documentation is ``incompatibility-ID``
    :ivar title: what callers see
    :ivar advice: what to do about it
    """

    documented: bool
    title: str
    advice: str


KINDS = {
    'unreadable-v2': Kind(
        False, 'v2 cannot read the image',
        'Repair the image in v1, or in the database: its users lose it.'),
    'unreadable-v1': Kind(
        False, 'v1 cannot read the image',
        'Nothing: through v2 its users can read it.'),
    'only-v1': Kind(
        False, 'only v1 lists the image',
        'Find out why v2 hides it: the users of v1 lose it.'),
    'only-v2': Kind(
        False, 'only v2 lists the image',
        'Expect it to appear to the users of v1.'),
    'field': Kind(
        False, 'a field has another value',
        'Compare nova-image show with both --os-image-api-version.'),
    'property-value': Kind(
        False, 'a property has another value',
        'Compare nova-image show with both --os-image-api-version.'),
    'property-only-v1': Kind(
        False, 'only v1 shows a property',
        'Set the property again through v2, if something needs it.'),
    'property-only-v2': Kind(
        False, 'only v2 shows a property',
        'Check that no program misreads the image because of it.'),
    'reserved-names': Kind(
        True, 'v2 hides a property named like a field',
        'Give it another name through v1, if something needs it.'),
    'property-names': Kind(
        True, 'v1 shows the name of a property in lower case',
        'Check that programs look for the name as v2 shows it.'),
    'clashing-names': Kind(
        True, 'v1 shows one of several names that differ in case',
        'Remove one of the two through v2.'),
    'empty-properties': Kind(
        True, 'only v2 shows a property without a value',
        'Remove it through v2, unless something needs it.'),
    'white-space': Kind(
        True, 'v1 changes blanks and control characters',
        'Remove them through v2, unless something needs them.'),
    'header-names': Kind(
        True, 'v1 damages the name of a property',
        'Nothing: v2 shows what is stored, and v1 may lose more than it.'),
    'members': Kind(
        True, 'v1 lists the image before a member accepts it',
        'nova-image-status upgrade check --fix accepts pending members.'),
}


class Difference(typing.NamedTuple):
    """One difference between the two APIs.

    :ivar kind: key of KINDS
    :ivar image_id: ID of the image
    :ivar operation: ``list`` or ``show``
    :ivar name: the field, the property or the project; empty for the image
    :ivar v1: its value through v1, or why it cannot be read
    :ivar v2: the same through v2
    """

    kind: str
    image_id: str
    operation: str
    name: str = ''
    v1: typing.Any = None
    v2: typing.Any = None


Differences = collections.abc.Iterator[Difference]


def is_reserved(name: str) -> bool:
    """Return whether v2 uses the name of a property itself."""
    return name in RESERVED or name.startswith(_RESERVED_PREFIX)


def needs_show(image: Image) -> bool:
    """Return whether only showing an image tells what callers see of it.

    v2 lists an image with a property whose name is not ASCII, but answers
    500 if it shows the image. v1 shows an image in headers, of which not
    even the number is certain for the names and values that match here.

    :param image: as v2 lists it
    """
    texts = [image['name'], *image['properties'].values()]
    return has_odd_names(image) or any(
        isinstance(text, str) and (
            _CONTROL.search(text) is not None or
            len(text.encode(errors='replace')) > _LONGEST_HEADER)
        for text in texts)


def has_odd_names(image: Image) -> bool:
    """Return whether a property's name does not fit into a header's."""
    return not all(map(_TOKEN.fullmatch, image['properties']))


def of_listings(first: Image, second: Image) -> Differences:
    """Yield the differences of an image in the two listings.

    :param first: the image as v1 lists it
    :param second: the image as v2 lists it
    """
    yield from _of_fields(first, second, 'list')
    ours, theirs = first['properties'], second['properties']
    for name in sorted({*ours, *theirs}):
        if ours.get(name) == theirs.get(name):
            continue
        kind = 'property-value'
        if name not in theirs:
            kind = ('reserved-names' if is_reserved(name) else
                    'property-only-v1')
        elif name not in ours:
            kind = ('empty-properties' if theirs[name] == '' else
                    'property-only-v2')
        yield Difference(kind, first['id'], 'list', name, ours.get(name),
                         theirs.get(name))


def expected_of_show(first: Image, second: Image) -> Differences:
    """Yield what will differ if both APIs show an image that they list.

    Only for an image for which needs_show() is false.

    :param first: the image as v1 lists it
    :param second: the image as v2 lists it
    """
    known = {(one.kind, one.name) for one in of_listings(first, second)}
    for one in of_shows(_as_shown(first, second), second):
        if (one.kind, one.name) not in known:
            yield one


def of_shows(first: Image, second: Image) -> Differences:
    """Yield the differences of an image that both APIs show.

    :param first: the image as v1 shows it
    :param second: the image as v2 shows it
    """
    for one in _of_shows(first, second):
        if has_odd_names(second) and one.kind != 'reserved-names':
            one = one._replace(kind='header-names')
        yield one


def _of_shows(first: Image, second: Image) -> Differences:
    yield from _of_fields(first, second, 'show')
    ours, left = first['properties'], {*first['properties']}
    clashing = _clashing(second)
    for name, value in sorted(second['properties'].items()):
        lower = name.lower()
        left.discard(lower)
        kind = None
        if lower in clashing and (name, value) != (lower, ours.get(lower)):
            kind = 'clashing-names'
        elif lower not in ours:
            kind = 'empty-properties' if value == '' else 'property-only-v2'
        elif ours[lower] != value:
            kind = ('white-space' if _is_damaged(ours[lower], value) else
                    'property-value')
        elif lower != name:
            kind = 'property-names'
        if kind:
            yield Difference(kind, first['id'], 'show', name,
                             ours.get(lower), value)
    for name in sorted(left):
        yield Difference(
            'reserved-names' if is_reserved(name) else 'property-only-v1',
            first['id'], 'show', name, ours[name])


def _of_fields(first: Image, second: Image, operation: str) -> Differences:
    for name in FIELDS:
        ours, theirs = first[name], second[name]
        if ours == theirs:
            continue
        kind = 'white-space' if operation == 'show' and _is_damaged(
            ours, theirs) else 'field'
        yield Difference(kind, first['id'], operation, name, ours, theirs)


def _is_damaged(ours: typing.Any, theirs: typing.Any) -> bool:
    """Return whether a header may have changed a value that v2 shows."""
    if not isinstance(theirs, str):
        return False
    return _strip(ours) == _strip(theirs) or (
        _CONTROL.search(theirs) is not None)


def _strip(value: typing.Any) -> typing.Any:
    return value.strip(' ') if isinstance(value, str) else value


def _clashing(image: Image) -> set[str]:
    """Return names in lower case that several properties have."""
    count = collections.Counter(map(str.lower, image['properties']))
    return {name for name, number in count.items() if number > 1}


def _as_shown(first: Image, second: Image) -> Image:
    """Return an image that both APIs list as v1 will show it."""
    ours = first['properties']
    properties = {name.lower(): _strip(value)
                  for name, value in second['properties'].items()
                  if value != '' or name in ours}
    properties.update((name, value) for name, value in ours.items()
                      if is_reserved(name))
    return dict(second, name=_strip(second['name']), properties=properties)
