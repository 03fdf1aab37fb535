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


"""What the parts of the conformance suite stand on."""

import datetime
import pathlib
import typing

from nova_image.image import driver
from nova_image.tests.functional import base

Image = dict[str, typing.Any]

KEYS = {
    'id': str, 'name': str, 'status': str, 'size': int, 'min_disk': int,
    'min_ram': int, 'disk_format': str, 'container_format': str,
    'checksum': str, 'owner': str, 'is_public': bool,
    'created_at': datetime.datetime, 'updated_at': datetime.datetime,
    'deleted': bool, 'deleted_at': datetime.datetime, 'properties': dict}
_NEVER_NONE = ('id', 'status', 'size', 'min_disk', 'min_ram', 'is_public',
               'created_at', 'updated_at', 'deleted', 'properties')

#: text that ASCII, ISO-8859-1 and careless quoting each spoil
UNICODE = 'Größe 50%25 +& 名前 Ω'


class DriverCase(base.FunctionalTest):
    """A test of one driver on one server.

    :ivar driver: the driver, with the options of ``options``
    :ivar ctx: a member's context, of a project of this test's own
    :ivar raw: the server by plain HTTP
    """

    #: whether names of properties come back as they were written
    keeps_property_case = True
    #: whether a property whose value is '' is there when it is read
    keeps_empty_properties = True
    #: whether values may have control characters and white space around them
    keeps_white_space = True
    #: whether show() has locations when it is asked for them
    shows_locations = True
    #: whether an administrator may show() an image that was deleted
    shows_deleted = False
    #: whether detail() has deleted images since a time
    lists_deleted_since = False
    #: whether detail() takes the filters tag and visibility
    filters_by_tag_and_visibility = True
    #: whether the server can filter by text that is not ASCII; Glance 15
    #: answers 500 where its database is sqlite
    filters_by_unicode = True
    #: whether an image that is not public stays private, or community, when
    #: is_public False is written back; it becomes shared if not
    tells_private_from_shared = True
    #: whether detail() sorts by several keys
    sorts_by_several_keys = True
    #: whether projects that an image is shared with accept or reject it;
    #: where they do not, any image takes members, and twice the same one
    members_have_a_status = True
    #: whether an image can be copied to other stores
    copies_between_stores = True
    #: where the server keeps data in files named by the images' ids
    data_folder: pathlib.Path | None = None

    @property
    def url(self) -> str:
        """Where a Glance without Keystone serves v2 over the same images."""
        raise NotImplementedError

    def make_driver(self, **options: typing.Any) -> driver.ImageDriver:
        """Return the driver under test.

        :param options: options of ``[glance]`` that are not the default
        """
        raise NotImplementedError

    def make_context(self, project: str, admin: bool = False) -> typing.Any:
        """Return a context.

        :param project: the id of the caller's project
        :param admin: whether the caller is an administrator
        """
        caller = self.admin if admin else self.context
        return caller(project_id=project)

    def setUp(self) -> None:
        """Make the driver."""
        super().setUp()
        self.raw = self.clean(self.url)
        self.driver = self.make_driver()
        self.ctx = self.make_context(self.project)
        self.root = self.make_context(self.project, admin=True)

    def make(self, data: typing.Any = None, ctx: typing.Any = None,
             **meta: typing.Any) -> Image:
        """Create an image by the driver.

        :param data: its data
        :param ctx: who creates it; ``self.ctx`` if None
        :param meta: what is to differ from a raw image without properties
        """
        return self.driver.create(ctx or self.ctx, {
            'name': 'an image', 'disk_format': 'raw',
            'container_format': 'bare', **meta}, data)

    def names(self, ctx: typing.Any = None,
              **kwargs: typing.Any) -> list[str]:
        """Return the names of the images that the driver lists.

        :param ctx: who asks; ``self.ctx`` if None
        :param kwargs: those of detail(), by name if they do not sort
        """
        found = [image['name'] for image in
                 self.driver.detail(ctx or self.ctx, **kwargs)]
        return found if 'sort_key' in kwargs else sorted(found)

    def assertShape(self, image: Image, locations: bool = False) -> None:
        """Check that an image has the keys and types that callers count on.

        :param locations: whether it is to have ``locations``
        """
        extra = {'locations'} if locations else set()
        self.assertEqual(set(KEYS) | extra, set(image))
        for name, kind in KEYS.items():
            value = image[name]
            if value is None:
                self.assertNotIn(name, _NEVER_NONE)
            else:
                # A bool is an int, for isinstance.
                self.assertIs(kind, type(value), (name, value))
            if isinstance(value, datetime.datetime):
                self.assertEqual(datetime.timedelta(0), value.utcoffset())

    def assertSameBytes(self, expected: bytes, found: bytes) -> None:
        """Check data, which is too much to show."""
        self.assertEqual(len(expected), len(found))
        if expected != found:
            self.fail('other bytes, of the same number')

    def assertNothingLeft(self) -> None:
        """Check that no image is there, of nobody."""
        self.assertEqual([], self.raw.images())
