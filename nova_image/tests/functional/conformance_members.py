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


"""Sharing images with other projects, with every driver."""

import datetime
import io
import typing

from nova_image import exception
from nova_image.tests.functional import base
from nova_image.tests.functional import conformance_case as case
from nova_image.tests.functional import servers

_KEYS = {'member_id', 'status', 'can_share', 'created_at', 'updated_at'}


class Members(case.DriverCase):
    """ImageDriver.members() and the methods that change them."""

    def setUp(self) -> None:
        """Create another project, with which images are shared."""
        super().setUp()
        self.other = base.new_id()
        self.them = self.make_context(self.other)

    def share(self) -> str:
        """Create an image with data that can have members; return its ID."""
        return self.make(b'data', visibility='shared')['id']

    def reads(self, project: str, image_id: str) -> bool:
        """Return whether a project can read an image and its data."""
        raw = servers.RawGlance(self.url, servers.headers_of(
            project, 'member', 'reader'))
        try:
            raw.image(image_id)
        except AssertionError as error:
            self.assertIn('404', str(error))
            return False
        self.assertEqual(b'data', raw.data(image_id))
        return True

    def assertMember(self, status: str, member: dict[str, typing.Any]
                     ) -> None:
        """Check that the other project is a member.

        :param status: the expected status, if members have one
        """
        self.assertEqual(_KEYS, set(member))
        self.assertEqual(self.other, member['member_id'])
        if not self.members_have_a_status:
            self.assertEqual([None] * 3, [member[name] for name in (
                'status', 'created_at', 'updated_at')])
            return
        self.assertEqual((status, None),
                         (member['status'], member['can_share']))
        for name in ('created_at', 'updated_at'):
            self.assertEqual(datetime.timedelta(0), member[name].utcoffset())

    def test_share_and_stop_sharing(self) -> None:
        image_id = self.share()
        self.assertEqual([], self.driver.members(self.ctx, image_id))
        self.assertIs(False, self.reads(self.other, image_id))
        self.assertMember('pending', self.driver.add_member(
            self.ctx, image_id, self.other))
        self.assertIs(True, self.reads(self.other, image_id))
        for ctx in (self.ctx, self.them, self.root):
            member, = self.driver.members(ctx, image_id)
            self.assertMember('pending', member)
        self.assertIs(True, self.driver.remove_member(
            self.ctx, image_id, self.other))
        self.assertIs(False, self.reads(self.other, image_id))
        self.assertEqual([], self.driver.members(self.ctx, image_id))

    def test_instance_owner_has_access(self) -> None:
        """An administrator makes a snapshot of another project's server."""
        for data in (b'data', io.BytesIO(b'data'), iter([b'da', b'ta'])):
            image = self.make(data, properties={'instance_owner': self.other})
            member, = self.driver.members(self.ctx, image['id'])
            self.assertMember('pending', member)
            self.assertIs(True, self.reads(self.other, image['id']))
            self.assertIs(False, self.reads(base.new_id(), image['id']))

    def test_instance_owner_has_access_to_a_shared_image(self) -> None:
        image = self.make(b'data', visibility='shared', properties={
            'instance_owner': self.other})
        self.assertIs(True, self.reads(self.other, image['id']))

    def test_many_members(self) -> None:
        image_id = self.share()
        expected = sorted(base.new_id() for _ in range(30))
        for project in expected:
            self.driver.add_member(self.ctx, image_id, project)
        self.assertEqual(expected, sorted(
            member['member_id'] for member in
            self.driver.members(self.ctx, image_id)))

    def test_member_status(self) -> None:
        image_id = self.share()
        self.driver.add_member(self.ctx, image_id, self.other)
        if not self.members_have_a_status:
            error = self.assertRaises(
                exception.ImageActionNotSupported,
                self.driver.set_member_status, self.them, image_id,
                self.other, 'accepted')
            self.assertIn('use_glance_v1', str(error))
            return
        for ctx, status, listed in (
                (self.them, 'accepted', 1), (self.root, 'rejected', 0),
                (self.them, 'pending', 0)):
            self.assertMember(status, self.driver.set_member_status(
                ctx, image_id, self.other, status))
            raw = servers.RawGlance(self.url, servers.headers_of(
                self.other, 'member', 'reader'))
            self.assertEqual(listed, len(raw.images()))
            # The status affects only the list, not the access.
            self.assertIs(True, self.reads(self.other, image_id))
        self.check_refused_status_changes(image_id)

    def check_refused_status_changes(self, image_id: str) -> None:
        """Check that only the member sets the status, and only valid ones."""
        change = self.driver.set_member_status
        error = self.assertRaises(exception.ImageNotAuthorized, change,
                                  self.ctx, image_id, self.other, 'accepted')
        self.assertIn('Only the member', str(error))
        error = self.assertRaises(exception.ImageBadRequest, change,
                                  self.them, image_id, self.other, 'maybe')
        self.assertIn('accepted', str(error))

    def test_add_the_same_member_twice(self) -> None:
        image_id = self.share()
        self.driver.add_member(self.ctx, image_id, self.other)
        if self.members_have_a_status:
            error = self.assertRaises(
                exception.ImageConflict, self.driver.add_member, self.ctx,
                image_id, self.other)
            self.assertIn(self.other, str(error))
        else:
            self.driver.add_member(self.ctx, image_id, self.other)
        self.assertEqual(1, len(self.driver.members(self.ctx, image_id)))

    def test_missing_images_and_members(self) -> None:
        image_id, nobody = self.share(), base.new_id()
        for missing, args in ((base.new_id(), (self.other,)),
                              (image_id, (nobody,))):
            error = self.assertRaises(
                exception.NotFound, self.driver.remove_member, self.ctx,
                missing, *args)
            self.assertIn(missing, str(error))
        for operation, args in ((self.driver.members, ()),
                                (self.driver.add_member, (self.other,))):
            self.assertRaises(exception.ImageNotFound, operation, self.ctx,
                              base.new_id(), *args)
        if self.members_have_a_status:
            self.assertRaises(
                exception.NotFound, self.driver.set_member_status, self.them,
                image_id, nobody, 'accepted')

    def test_other_projects_cannot_change_members(self) -> None:
        """An image is not found if not shared, and read-only if shared."""
        image_id, stranger = self.share(), self.make_context(base.new_id())
        for operation, args in ((self.driver.members, ()),
                                (self.driver.add_member, (self.other,))):
            self.assertRaises(exception.ImageNotFound, operation, stranger,
                              image_id, *args)
        self.driver.add_member(self.ctx, image_id, self.other)
        self.assertRaises(exception.ImageNotAuthorized,
                          self.driver.add_member, self.them, image_id,
                          base.new_id())
        self.assertEqual([self.other], self.raw.members(image_id))

    def test_images_that_cannot_have_members(self) -> None:
        image_id = self.make(ctx=self.root, visibility='public')['id']
        operations = [(self.driver.members, ()),
                      (self.driver.add_member, (self.other,)),
                      (self.driver.remove_member, (self.other,))]
        if not self.members_have_a_status:
            # v1 accepts members for any image.
            for operation, args in operations:
                operation(self.root, image_id, *args)
            return
        for operation, args in operations:
            error = self.assertRaises(exception.ImageNotAuthorized,
                                      operation, self.root, image_id, *args)
            self.assertIn('visibility shared', str(error))

    def test_invalid_project_ids(self) -> None:
        image_id = self.share()
        for member in ('', '.', '..', 'a/b', 'ключ', 'a b', None):
            for operation in (self.driver.add_member,
                              self.driver.remove_member):
                self.assertRaises(exception.ImageBadRequest, operation,
                                  self.ctx, image_id, member)
        self.assertEqual([], self.raw.members(image_id))
        self.raw.wipe()
        self.assertRaises(exception.ImageBadRequest, self.make, b'data',
                          properties={'instance_owner': '..'})
        self.assertNothingLeft()

    def test_member_ids_that_need_quoting(self) -> None:
        image_id, odd = self.share(), "a?b#c%20d&e;f'g:h@i"
        self.driver.add_member(self.ctx, image_id, odd)
        self.assertEqual([odd], self.raw.members(image_id))
        self.driver.remove_member(self.ctx, image_id, odd)
        self.assertEqual([], self.raw.members(image_id))
