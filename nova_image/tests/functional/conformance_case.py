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


"""The base class of the conformance suite."""

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
#: fields that newer Glances have in addition, through v2
PASSED = {'os_hidden': bool, 'os_hash_algo': str, 'os_hash_value': str,
          'stores': str, 'direct_url': str}
_NEVER_NONE = ('id', 'status', 'size', 'min_disk', 'min_ram', 'is_public',
               'created_at', 'updated_at', 'deleted', 'properties')

#: text that ASCII, ISO-8859-1 and wrong quoting each damage
UNICODE = 'Größe 50%25 +& 名前 Ω'


class DriverCase(base.FunctionalTest):
    """A test of one driver on one server.

    :ivar driver: the driver, with default options
    :ivar ctx: a member's context, in this test's own project
    :ivar root: an administrator's context, in the same project
    :ivar raw: a plain HTTP client of the server
    """

    #: whether property names keep their case and hyphens
    keeps_property_case = True
    #: whether a property whose value is '' is kept
    keeps_empty_properties = True
    #: whether values may have control characters and surrounding white space
    keeps_white_space = True
    #: whether show() returns locations on request
    shows_locations = True
    #: whether an administrator may show() a deleted image
    shows_deleted = False
    #: whether detail() with changes-since lists deleted images
    lists_deleted_since = False
    #: whether detail() supports the filters tag and visibility
    filters_by_tag_and_visibility = True
    #: whether the server can filter by non-ASCII text; Glance 15 answers 500
    #: if its database is sqlite
    filters_by_unicode = True
    #: whether writing is_public False back keeps an image private or
    #: community; otherwise it becomes shared
    tells_private_from_shared = True
    #: whether detail() sorts by several keys
    sorts_by_several_keys = True
    #: whether members accept or reject an image that is shared with them;
    #: otherwise any image may have members, and the same one twice
    members_have_a_status = True
    #: whether an image can be copied to other stores
    copies_between_stores = True
    #: whether data_requests() describes requests for other machines
    describes_data_requests = True
    #: the folder in which the server keeps data, in files named by image ID
    data_folder: pathlib.Path | None = None

    @property
    def url(self) -> str:
        """The URL of a Glance without Keystone: v2, over the same images."""
        raise NotImplementedError

    def make_driver(self, **options: typing.Any) -> driver.ImageDriver:
        """Return the driver under test.

        :param options: options of ``[glance]`` that differ from the defaults
        """
        raise NotImplementedError

    def make_context(self, project: str, admin: bool = False) -> typing.Any:
        """Return a context.

        :param project: the ID of the caller's project
        :param admin: whether the caller is an administrator
        """
        caller = self.admin if admin else self.context
        return caller(project_id=project)

    def setUp(self) -> None:
        """Create the driver and the contexts."""
        super().setUp()
        self.raw = self.raw_glance(self.url)
        self.driver = self.make_driver()
        self.ctx = self.make_context(self.project)
        self.root = self.make_context(self.project, admin=True)

    def make(self, data: typing.Any = None, ctx: typing.Any = None,
             **meta: typing.Any) -> Image:
        """Create an image through the driver.

        :param data: its data
        :param ctx: the caller's context; ``self.ctx`` if None
        :param meta: differences from a raw image without properties
        """
        return self.driver.create(ctx or self.ctx, {
            'name': 'an image', 'disk_format': 'raw',
            'container_format': 'bare', **meta}, data)

    def names(self, ctx: typing.Any = None,
              **kwargs: typing.Any) -> list[str]:
        """Return the names of the images that the driver lists.

        :param ctx: the caller's context; ``self.ctx`` if None
        :param kwargs: arguments of detail()
        :returns: the names, sorted unless ``kwargs`` has a sort key
        """
        found = [image['name'] for image in
                 self.driver.detail(ctx or self.ctx, **kwargs)]
        return found if 'sort_key' in kwargs else sorted(found)

    def assertShape(self, image: Image, locations: bool = False) -> None:
        """Check that an image has the keys and types that callers rely on.

        :param locations: whether it must have ``locations``
        """
        extra = {'locations'} if locations else set()
        self.assertEqual(set(KEYS) | extra, set(image) - set(PASSED))
        self.assertTrue(locations or 'direct_url' not in image)
        for name, kind in (KEYS | PASSED).items():
            value = image.get(name)
            if value is None:
                self.assertNotIn(name, _NEVER_NONE)
            else:
                # Not isinstance: a bool is also an int.
                self.assertIs(kind, type(value), (name, value))
            if isinstance(value, datetime.datetime):
                self.assertEqual(datetime.timedelta(0), value.utcoffset())

    def assertSameBytes(self, expected: bytes, found: bytes) -> None:
        """Compare data that is too long for an error message."""
        self.assertEqual(len(expected), len(found))
        if expected != found:
            self.fail('The length is right, but the bytes differ')

    def assertNothingLeft(self) -> None:
        """Check that no image of any project exists."""
        self.assertEqual([], self.raw.images())
