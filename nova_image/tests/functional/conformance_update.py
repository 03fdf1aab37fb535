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


"""Changing and deleting images, with every driver."""

import copy
import typing

from nova_image import exception
from nova_image.tests.functional import base
from nova_image.tests.functional import conformance_case as case
from nova_image.tests.functional import conformance_show as show
from nova_image.tests.functional import loopback

#: attributes that a server changes by itself
_VOLATILE = ('updated_at',)
_KERNEL = '71c675ab-d94f-49cd-a114-e12490b328d9'


class Update(case.DriverCase):
    """ImageDriver.update(), delete() and image_import_copy()."""

    def update(self, image: case.Image, meta: case.Image,
               *args: typing.Any, **kwargs: typing.Any) -> case.Image:
        """Update an image; check the result, and that ``meta`` is unchanged.

        :param image: the image before the update
        :param meta: the changes
        """
        before = copy.deepcopy(meta)
        updated = self.driver.update(self.ctx, image['id'], meta, *args,
                                     **kwargs)
        self.assertEqual(before, meta)
        self.assertShape(updated)
        self.assertEqual(self.driver.show(self.ctx, image['id']), updated)
        return updated

    def test_update_metadata(self) -> None:
        image = self.make(b'abc')
        updated = self.update(image, {
            'name': case.UNICODE, 'min_ram': '32', 'min_disk': 7,
            'properties': {'os_type': case.UNICODE}})
        changed = {'name': case.UNICODE, 'min_ram': 32, 'min_disk': 7,
                   'properties': {'os_type': case.UNICODE}}
        self.assertEqual(_stable(dict(image, **changed)), _stable(updated))

    def test_empty_kernel_is_removed(self) -> None:
        image = self.make(properties={'kernel_id': _KERNEL, 'a': 'b'})
        for purge in (False, True):
            meta: case.Image = {'properties': {'kernel_id': _KERNEL}}
            self.update(image, meta, purge_props=False)
            updated = self.update(
                image, {'properties': {'kernel_id': '', 'a': 'b'}},
                purge_props=purge)
            self.assertEqual({'a': 'b'}, updated['properties'])

    def test_formats_of_a_queued_image(self) -> None:
        image = self.driver.create(self.ctx, {'name': 'no formats'})
        updated = self.update(image, {
            'disk_format': 'raw', 'container_format': 'bare'})
        self.assertEqual(('raw', 'bare'), (
            updated['disk_format'], updated['container_format']))

    def test_purge_of_properties(self) -> None:
        for kwargs, expected in (
                ({}, {'b': '3', 'c': '4'}),
                ({'purge_props': True}, {'b': '3', 'c': '4'}),
                ({'purge_props': False}, {'a': '1', 'b': '3', 'c': '4'})):
            image = self.make(properties={'a': '1', 'b': '2'})
            updated = self.update(
                image, {'properties': {'b': '3', 'c': '4'}}, **kwargs)
            self.assertEqual(expected, updated['properties'])

    def test_purge_of_all_properties(self) -> None:
        for meta in ({}, {'properties': {}}, {'name': 'x'}):
            image = self.make(properties={'a': '1'})
            self.assertEqual({}, self.update(image, meta)['properties'])
            image = self.make(properties={'a': '1'})
            self.assertEqual({'a': '1'}, self.update(
                image, meta, purge_props=False)['properties'])

    def test_attributes_that_are_not_given_stay(self) -> None:
        image = self.make(b'abc', properties={'a': '1'}, protected=True,
                          min_ram=5)
        member = base.new_id()
        self._share(image['id'], member)
        before = self.raw.image(image['id'])
        self.update(image, {'name': 'x'}, purge_props=False)
        self.assertRawSame(dict(before, name='x'), image['id'])
        self.assertEqual([member], self.raw.members(image['id']))

    def _share(self, image_id: str, member: str) -> None:
        self.raw.patch(image_id, {'op': 'replace', 'path': '/visibility',
                                  'value': 'shared'})
        self.raw.ask('POST', '/v2/images/%s/members' % image_id,
                     json={'member': member})

    def assertRawSame(self, before: case.Image, image_id: str) -> None:
        """Check that an image in Glance is unchanged."""
        self.assertEqual(_stable(before), _stable(self.raw.image(image_id)))

    def test_writing_a_shown_image_back_changes_nothing(self) -> None:
        for purge in (True, False):
            for visibility in ('private', 'shared', 'public', 'community'):
                self._round_trip(purge, visibility)

    def _round_trip(self, purge: bool, visibility: str) -> None:
        image = self.driver.create(self.root, {
            'name': case.UNICODE, 'disk_format': 'raw', 'min_ram': 5,
            'container_format': 'bare', 'protected': True,
            'properties': {'os_type': case.UNICODE, 'mappings': show.DEVICES,
                           'kernel_id': base.new_id()}}, b'abc')
        self.raw.patch(image['id'], {'op': 'replace', 'path': '/visibility',
                                     'value': visibility})
        before = self.raw.image(image['id'])
        if visibility != 'public' and not self.tells_private_from_shared:
            before['visibility'] = 'shared'
        shown = self.driver.show(self.root, image['id'],
                                 include_locations=True)
        self.driver.update(self.root, image['id'], shown, purge_props=purge)
        self.assertRawSame(before, image['id'])

    def test_owner_stays_when_an_administrator_updates(self) -> None:
        image = self.make(b'abc')
        stranger = self.make_context(base.new_id(), admin=True)
        shown = self.driver.show(stranger, image['id'])
        updated = self.driver.update(stranger, image['id'],
                                     dict(shown, name='x'))
        self.assertEqual(_stable(dict(image, name='x')), _stable(updated))

    def test_update_is_public(self) -> None:
        image = self.make(b'abc', ctx=self.root)
        for public in (True, 'False', 'true', False):
            updated = self.driver.update(self.root, image['id'],
                                         {'is_public': public})
            self.assertIs(str(public).lower() == 'true',
                          updated['is_public'])

    def test_data_with_metadata(self) -> None:
        image = self.make(properties={'a': '1'})
        updated = self.update(image, {'name': 'full', 'properties': {
            'b': '2'}}, b'some data')
        self.assertEqual(
            ('full', 'active', 9, {'b': '2'}), tuple(
                updated[name] for name in (
                    'name', 'status', 'size', 'properties')))
        self.assertEqual(b'some data', self.raw.data(image['id']))

    def test_data_without_metadata(self) -> None:
        image = self.make(properties={'a': '1'})
        updated = self.update(image, {}, iter([b'some ', b'data']),
                              purge_props=False)
        self.assertEqual(('active', 9, {'a': '1'}), (
            updated['status'], updated['size'], updated['properties']))

    def test_data_for_an_active_image_is_refused(self) -> None:
        image = self.make(b'first')
        self.assertRaises(exception.ImageConflict, self.driver.update,
                          self.ctx, image['id'], {}, b'second')
        self.assertEqual(b'first', self.raw.data(image['id']))

    def test_update_location(self) -> None:
        store = self.useFixture(loopback.WebStore(b'elsewhere'))
        image = self.make(properties={'a': '1'})
        updated = self.update(image, {'location': store.url, 'name': 'x'},
                              purge_props=False)
        self.assertEqual(('x', 'active', 9, {'a': '1'}), tuple(
            updated[name] for name in (
                'name', 'status', 'size', 'properties')))
        self.assertEqual(b'elsewhere', self.raw.data(image['id']))

    def test_images_that_cannot_be_changed(self) -> None:
        gone = self.make()['id']
        self.driver.delete(self.ctx, gone)
        theirs = self.make(ctx=self.make_context(base.new_id()))['id']
        for image_id in (base.new_id(), '', 'ä', gone, theirs):
            error = self.assertRaises(
                (exception.ImageNotFound, exception.ImageNotAuthorized),
                self.driver.update, self.ctx, image_id, {'name': 'x'})
            self.assertIn(image_id, str(error))
        self.assertEqual('an image', self.raw.image(theirs)['name'])

    def test_update_with_unknown_attribute(self) -> None:
        image = self.make()
        error = self.assertRaises(
            exception.ImageBadRequest, self.driver.update, self.ctx,
            image['id'], {'nmae': 'x'})
        self.assertIn('nmae', str(error))

    def test_delete(self) -> None:
        for data in (None, b'data'):
            image_id = self.make(data)['id']
            self.assertIs(True, self.driver.delete(self.ctx, image_id))
            error = self.assertRaises(exception.ImageNotFound,
                                      self.driver.delete, self.ctx, image_id)
            self.assertIn(image_id, str(error))
        self.assertNothingLeft()

    def test_data_and_members_of_a_deleted_image(self) -> None:
        """They are not found, even if v1 shows the image to the caller."""
        image_id = self.make(b'abc')['id']
        self.driver.delete(self.ctx, image_id)
        for ctx in (self.ctx, self.root):
            for operation, args in (
                    (self.driver.download, ()),
                    (self.driver.update, ({'name': 'x'}, b'data')),
                    (self.driver.update, ({}, b'data', False)),
                    (self.driver.delete, ()), (self.driver.members, ()),
                    (self.driver.add_member, (base.new_id(),))):
                error = self.assertRaises(exception.ImageNotFound, operation,
                                          ctx, image_id, *args)
                self.assertIn(image_id, str(error))

    def test_delete_of_a_protected_image(self) -> None:
        image = self.make(protected=True)
        error = self.assertRaises(exception.ImageNotAuthorized,
                                  self.driver.delete, self.ctx, image['id'])
        self.assertIn('protected', str(error))
        self.update(image, {'protected': False})
        self.assertIs(True, self.driver.delete(self.ctx, image['id']))

    def test_delete_of_images_that_cannot_be_seen(self) -> None:
        theirs = self.make(ctx=self.make_context(base.new_id()))['id']
        for image_id in (base.new_id(), '', '..', 'ä', theirs):
            error = self.assertRaises(
                (exception.ImageNotFound, exception.ImageNotAuthorized),
                self.driver.delete, self.ctx, image_id)
            self.assertIn(image_id, str(error))
        self.raw.image(theirs)

    def test_copy_between_stores(self) -> None:
        image = self.make(b'abc')
        if not self.copies_between_stores:
            error = self.assertRaises(
                exception.NovaImageException, self.driver.image_import_copy,
                self.ctx, image['id'], ['slow'])
            self.assertIn(image['id'], str(error))
            return
        self.driver.image_import_copy(self.root, image['id'], ['slow'])
        # Glance 33 still works after the last store, and answers a delete
        # with 500 until it releases the image at the very end. A request for
        # the tasks makes Glance write, and sqlite may then refuse the write
        # of the import task itself.
        self.wait_for(lambda: 'os_glance_import_task' not in self.raw.image(
            image['id']), 'copied')
        tasks = self.raw.ask('GET', '/v2/images/%s/tasks' % image['id'])
        self.assertEqual(['success'], [
            task['status'] for task in tasks.json()['tasks']])
        stores = self.raw.image(image['id'])['stores']
        self.assertEqual({'fast', 'slow'}, set(stores.split(',')))


def _stable(image: case.Image) -> case.Image:
    """Return an image without attributes that a server changes by itself."""
    return {name: value for name, value in image.items()
            if name not in _VOLATILE}
