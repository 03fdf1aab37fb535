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

"""Images for rehearsals, inserted directly into the database of Glance 15.

The API could not create all of them, and would take minutes for 10 000.
Removed with the Images API v1.
"""

import collections.abc
import datetime
import pathlib
import sqlite3
import typing
import uuid

PARTNERS = ('a-partner', 'another-partner')
OWNER = 'the-owner'
_NAMESPACE = uuid.UUID('c1b7a52e-3b1d-4f1e-9d5c-0e6f5a7b8c9d')
_NEWEST = datetime.datetime(2026, 1, 1)
_PROPERTIES: dict[str, str | None] = {
    'architecture': 'x86_64', 'hw_disk_bus': 'scsi', 'hw_vif_model': 'virtio',
    'hw_machine_type': 'q35', 'hw_rng_model': 'virtio', 'os_type': 'linux',
    'os_distro': 'debian', 'os_version': '13', 'base_image_ref': 'x',
    'image_type': 'snapshot', 'instance_uuid': 'y', 'user_id': 'z'}


class Odd(typing.NamedTuple):
    """An image that differs.

    :ivar kinds: the kinds of its differences
    :ivar properties: its custom properties
    :ivar columns: its columns that are not as usual
    :ivar members: project -> status
    """

    kinds: frozenset[str]
    properties: dict[str, str | None]
    columns: dict[str, typing.Any]
    members: dict[str, str]


def _odd(*kinds: str, columns: dict[str, typing.Any] | None = None,
         members: dict[str, str] | None = None,
         properties: dict[str, str | None] | None = None) -> Odd:
    return Odd(frozenset(kinds), properties or {}, columns or {},
               members or {})


#: name -> Odd
ODD = {
    'its name is not ASCII': _odd('unreadable-v2', properties={
        '\u540d\u524d': 'x'}),
    'negative memory': _odd('unreadable-v2', columns={'min_ram': -1}),
    'too long for a header': _odd('unreadable-v1', properties={
        'comment': 'x' * 70000}),
    'named like a field': _odd('reserved-names', properties={
        'status': 'good', 'tags': 'a,b'}),
    'upper case': _odd('property-names', properties={'OS_Type': 'linux'}),
    'differ only in case': _odd('clashing-names', properties={
        'Role': 'web', 'role': 'database'}),
    'without a value': _odd('empty-properties', properties={'comment': None}),
    'blanks': _odd('white-space', properties={'comment': ' two  words '}),
    'two lines': _odd('unreadable-v1', properties={'comment': 'one\ntwo'}),
    'blanks in its name': _odd('white-space', columns={'name': ' a name '}),
    'a colon': _odd('header-names', properties={'a:b': 'x'}),
    'a blank': _odd('header-names', properties={'a b': 'x'}),
    'not accepted': _odd('members', members={
        PARTNERS[0]: 'pending', PARTNERS[1]: 'rejected'}),
    'accepted': _odd(members={PARTNERS[0]: 'accepted'}),
}


def image_id(name: str | int) -> str:
    """Return the ID of an image.

    :param name: key of ODD, or the number of a usual image
    """
    return str(uuid.uuid5(_NAMESPACE, str(name)))


def insert(database: pathlib.Path, usual: int,
           odd: collections.abc.Iterable[str] = tuple(ODD)) -> None:
    """Insert images, the odd ones evenly among the usual ones.

    :param usual: number of usual images
    :param odd: keys of ODD
    """
    names: list[str | int] = list(range(usual))
    for number, odd_name in enumerate(odd):
        names.insert((number + 1) * usual // (len(ODD) + 1) + number,
                     odd_name)
    connection = sqlite3.connect(database, timeout=30)
    with connection:
        for number, name in enumerate(names):
            for table, row in _rows(number, name):
                connection.execute(
                    'INSERT INTO %s (%s) VALUES (%s)' % (  # nosec: names
                        table, ', '.join(row), ', '.join('?' * len(row))),
                    tuple(row.values()))
    connection.close()


def clear(database: pathlib.Path) -> None:
    """Delete all images."""
    connection = sqlite3.connect(database, timeout=30)
    with connection:
        for table in ('image_properties', 'image_members', 'image_tags',
                      'image_locations', 'images'):
            connection.execute('DELETE FROM ' + table)  # nosec: names
    connection.close()


def _rows(number: int, name: str | int
          ) -> collections.abc.Iterator[tuple[str, dict[str, typing.Any]]]:
    """Yield the rows of one image, each with the name of its table."""
    created = _NEWEST - datetime.timedelta(minutes=number)
    moment = created.strftime('%Y-%m-%d %H:%M:%S.000000')
    times = {'created_at': moment, 'updated_at': moment, 'deleted': 0}
    odd = ODD.get(str(name)) if isinstance(name, str) else None
    own = {'image_id': image_id(name), **times}
    yield 'images', {
        'id': image_id(name), 'name': 'image %s' % name, 'size': number,
        'status': 'active', 'disk_format': 'qcow2', 'owner': OWNER,
        'container_format': 'bare', 'checksum': '%032x' % number,
        'min_disk': 3, 'min_ram': 512, 'protected': 0,
        'visibility': 'public' if number % 3 else 'shared', **times,
        **({'visibility': 'shared'} if odd and odd.members else {}),
        **(odd.columns if odd else {})}
    properties = odd.properties if odd else _PROPERTIES
    for key, value in properties.items():
        yield 'image_properties', {'name': key, 'value': value, **own}
    for member, status in (odd.members if odd else {}).items():
        yield 'image_members', {'member': member, 'status': status,
                                'can_share': 0, **own}
