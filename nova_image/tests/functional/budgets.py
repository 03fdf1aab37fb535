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


"""The exact requests that each operation may make, for every driver.

The numbers are a promise to operators: each request is a round trip that
delays the start of a server.
"""

import datetime
import io
import pathlib
import sqlite3
import typing

import fixtures as lib_fixtures

from nova_image.tests import fixtures
from nova_image.tests.functional import base
from nova_image.tests.functional import conformance_case as case

#: enough images for three pages of Glance's maximum size
MANY = 2500


def insert_images(database: pathlib.Path, owner: str, count: int) -> None:
    """Insert queued images into a Glance's sqlite database.

    :param owner: the ID of the project that owns them
    """
    begin = datetime.datetime(2020, 1, 1)
    rows = []
    for number in range(count):
        moment = begin + datetime.timedelta(seconds=number)
        rows.append((base.new_id(), 'image %d' % number, 'queued',
                     moment.isoformat(' ') + '.000000', 0, owner, 0, 0, 0,
                     'private'))
    with _opened(database) as connection:
        connection.executemany(
            'insert into images (id, name, status, created_at, deleted, '
            'owner, min_disk, min_ram, protected, visibility, updated_at) '
            'values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
            [row + (row[3],) for row in rows])
    connection.close()


def remove_images(database: pathlib.Path, owner: str) -> None:
    """Delete a project's images from a Glance's sqlite database."""
    with _opened(database) as connection:
        connection.execute('delete from images where owner = ?', (owner,))
    connection.close()


def _opened(database: pathlib.Path) -> sqlite3.Connection:
    return sqlite3.connect(database, timeout=30)


class Budgets(case.DriverCase):
    """The requests of each operation, in order."""

    show: list[str]
    detail: str
    create: list[str]
    member: list[str]
    members: list[str]
    member_status: list[str]
    member_removal: list[str]
    upload: list[str]
    empty: list[str]
    empty_first: list[str]
    update: list[str]
    update_nothing: list[str]
    update_with_data: list[str]
    delete: list[str]
    download: list[str]

    @property
    def server(self) -> fixtures.Service:
        """The server under test."""
        raise NotImplementedError

    @property
    def database(self) -> pathlib.Path:
        """The server's sqlite database."""
        raise NotImplementedError

    def setUp(self) -> None:
        """Forget what this process knows about the server."""
        super().setUp()
        self.useFixture(lib_fixtures.MonkeyPatch(
            'nova_image.image.endpoint._KNOWLEDGE', {}))

    def assertAsks(self, expected: list[str],
                   operation: typing.Any, *args: typing.Any,
                   **kwargs: typing.Any) -> typing.Any:
        """Check the requests of an operation, and return its result.

        :param expected: the requests, such as ``['GET /v2/images/ID']``
        """
        with base.recording(self.server) as recorded:
            result = operation(*args, **kwargs)
        self.assertEqual(expected, recorded.calls)
        return result

    def test_show(self) -> None:
        image_id = self.make(b'abc')['id']
        for kwargs in ({}, {'include_locations': True}):
            self.assertAsks(self.show, self.driver.show, self.ctx, image_id,
                            **kwargs)

    def test_detail_of_several_pages(self) -> None:
        self.addCleanup(remove_images, self.database, self.project)
        insert_images(self.database, self.project, MANY)
        for _ in range(2):
            images = self.assertAsks([self.detail] * 3, self.driver.detail,
                                     self.ctx)
            self.assertEqual(MANY, len({image['id'] for image in images}))
        images = self.assertAsks([self.detail], self.driver.detail, self.ctx,
                                 limit=700)
        self.assertEqual(700, len(images))

    def test_create(self) -> None:
        self.assertAsks(self.create, self.make)
        self.assertAsks(self.create + self.upload, self.make, b'abc')
        self.assertAsks(self.create + self.member, self.make,
                        properties={'instance_owner': base.new_id()})
        self.assertAsks(
            self.create + self.member + self.upload, self.make,
            io.BytesIO(b'abc'), properties={'instance_owner': base.new_id()})

    def test_members(self) -> None:
        image_id = self.make(visibility='shared')['id']
        args = (self.ctx, image_id, base.new_id())
        self.assertAsks(self.member, self.driver.add_member, *args)
        self.assertAsks(self.members, self.driver.members, *args[:2])
        if self.member_status:
            self.assertAsks(self.member_status, self.driver.set_member_status,
                            self.root, *args[1:], 'accepted')
        self.assertAsks(self.member_removal, self.driver.remove_member, *args)

    def test_empty_image(self) -> None:
        raw = {'size': 0, 'disk_format': 'raw', 'container_format': 'bare'}
        self.assertAsks(self.empty, self.driver.create, self.ctx, raw)
        self.assertAsks(self.empty_first, self.driver.create, self.ctx,
                        {'size': 0})
        self.assertAsks(self.empty, self.driver.create, self.ctx,
                        {'size': 0})
        # Another driver object of the same process knows the formats too.
        self.assertAsks(self.empty, self.make_driver().create, self.ctx,
                        {'size': 0})

    def test_update(self) -> None:
        image = self.make(properties={'a': '1', 'b': '2'})
        self.assertAsks(self.update, self.driver.update, self.ctx,
                        image['id'], {'name': 'x', 'properties': {'c': '3'}})
        self.assertAsks(self.update, self.driver.update, self.ctx,
                        image['id'], {'properties': {'d': '4'}},
                        purge_props=False)
        self.assertAsks(self.update_nothing, self.driver.update, self.ctx,
                        image['id'], {'name': 'x'}, purge_props=False)
        self.assertAsks(self.update_with_data, self.driver.update, self.ctx,
                        image['id'], {'name': 'y'}, b'data')

    def test_delete(self) -> None:
        for data in (None, b'abc'):
            image_id = self.make(data)['id']
            self.assertAsks(self.delete, self.driver.delete, self.ctx,
                            image_id)

    def test_download(self) -> None:
        image_id = self.make(b'abc')['id']
        self.assertAsks(self.download, self.driver.download, self.ctx,
                        image_id, io.BytesIO())
        path = self.useFixture(base.folder()).join('image')
        self.assertAsks(self.download, self.driver.download, self.ctx,
                        image_id, dst_path=path)
        self.assertAsks(self.download, lambda: list(
            self.driver.download(self.ctx, image_id)))
        self.assertAsks(self.download, self.driver.fetch, self.ctx, image_id,
                        dst_path=path)
