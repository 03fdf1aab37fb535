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


"""Showing one image, with every driver."""

import json

from nova_image import exception
from nova_image.tests.functional import base
from nova_image.tests.functional import conformance_case as case
from nova_image.tests.functional import loopback

DEVICES = [{'device_name': '/dev/vda', 'boot_index': 0, 'no_device': None}]


class Show(case.DriverCase):
    """ImageDriver.show()."""

    def test_show_of_an_active_image(self) -> None:
        made = self.make(b'abc', min_ram=64, min_disk=2)
        image = self.driver.show(self.ctx, made['id'])
        self.assertShape(image)
        self.assertEqual(made, image)
        self.assertEqual(
            ('an image', 'active', 3, 2, 64, 'raw', 'bare',
             '900150983cd24fb0d6963f7d28e17f72', self.project, False, False,
             None, {}),
            tuple(image[name] for name in (
                'name', 'status', 'size', 'min_disk', 'min_ram',
                'disk_format', 'container_format', 'checksum', 'owner',
                'is_public', 'deleted', 'deleted_at', 'properties')))

    def test_show_of_an_image_without_metadata(self) -> None:
        made = self.driver.create(self.ctx, {})
        image = self.driver.show(self.ctx, made['id'])
        self.assertShape(image)
        self.assertEqual(made, image)
        self.assertEqual(
            (None, 'queued', 0, 0, 0, None, None, None),
            tuple(image[name] for name in (
                'name', 'status', 'size', 'min_disk', 'min_ram',
                'disk_format', 'container_format', 'checksum')))

    def test_show_of_images_created_through_v2(self) -> None:
        raw = self.raw.create(name=case.UNICODE, owner=self.project,
                              tags=['a'], os_type=case.UNICODE, number='1')
        image = self.driver.show(self.ctx, raw['id'])
        self.assertShape(image)
        self.assertEqual(case.UNICODE, image['name'])
        self.assertEqual({'os_type': case.UNICODE, 'number': '1'},
                         image['properties'])

    def test_visibility_is_read_as_is_public(self) -> None:
        for visibility in ('private', 'shared', 'community', 'public'):
            raw = self.raw.create(owner=self.project, visibility=visibility)
            image = self.driver.show(self.ctx, raw['id'])
            self.assertIs(visibility == 'public', image['is_public'])

    def test_json_properties_are_decoded(self) -> None:
        raw = self.raw.create(
            owner=self.project, mappings='not JSON',
            block_device_mapping=json.dumps(DEVICES), other='[1]')
        expected = {'mappings': 'not JSON', 'other': '[1]',
                    'block_device_mapping': DEVICES}
        image = self.driver.show(self.ctx, raw['id'])
        self.assertEqual(expected, image['properties'])
        image, = self.driver.detail(self.ctx)
        self.assertEqual(expected, image['properties'])

    def test_json_that_is_too_deep_stays_text(self) -> None:
        deep = {'mappings': '[' * 1500, 'block_device_mapping': '{"a":' * 900}
        raw = self.raw.create(owner=self.project, **deep)
        image = self.driver.show(self.ctx, raw['id'])
        self.assertEqual(deep, image['properties'])
        made = self.make(name='another')
        self.assertEqual({raw['id']: deep, made['id']: {}}, {
            one['id']: one['properties']
            for one in self.driver.detail(self.ctx)})
        # A caller that writes back what it has read changes nothing.
        self.driver.update(self.ctx, raw['id'],
                           {'properties': image['properties']})
        self.assertEqual(deep['mappings'], self.raw.image(
            raw['id'])['mappings'])

    def test_locations(self) -> None:
        made = self.make(b'abc')
        image = self.driver.show(self.ctx, made['id'],
                                 include_locations=True)
        self.assertShape(image, locations=True)
        if not self.shows_locations:
            self.assertEqual([], image['locations'])
            return
        raw = self.raw.image(made['id'])
        # The direct URL is one of the locations, and is listed only once.
        self.assertEqual([raw['direct_url']],
                         [place['url'] for place in image['locations']])
        for place in image['locations']:
            self.assertEqual({'url', 'metadata'}, set(place))
            self.assertIsInstance(place['metadata'], dict)

    def test_several_locations(self) -> None:
        first = self.useFixture(loopback.WebStore(b'abc')).url
        second = self.useFixture(loopback.WebStore(b'abc')).url
        made = self.make(location=first)
        self.raw.patch(made['id'], {
            'op': 'add', 'path': '/locations/-',
            'value': {'url': second, 'metadata': {}}})
        image = self.driver.show(self.ctx, made['id'],
                                 include_locations=True)
        self.assertEqual(
            [first, second] if self.shows_locations else [],
            [place['url'] for place in image['locations']])

    def test_locations_of_a_queued_image(self) -> None:
        image = self.driver.show(self.ctx, self.make()['id'],
                                 include_locations=True)
        self.assertEqual([], image['locations'])

    def test_deleted_image(self) -> None:
        image_id = self.make(b'abc')['id']
        self.driver.delete(self.ctx, image_id)
        self.assertRaises(exception.ImageNotFound,
                          self.driver.show, self.ctx, image_id)
        self.assertRaises(exception.ImageNotFound, self.driver.show,
                          self.root, image_id, show_deleted=False)
        if not self.shows_deleted:
            self.assertRaises(exception.ImageNotFound,
                              self.driver.show, self.root, image_id)
            return
        image = self.driver.show(self.root, image_id)
        self.assertShape(image)
        self.assertEqual((True, 'deleted'),
                         (image['deleted'], image['status']))
        self.assertIsNotNone(image['deleted_at'])

    def test_show_of_images_that_cannot_be_seen(self) -> None:
        other = self.make_context(base.new_id())
        theirs = self.make(ctx=other)['id']
        public = self.make(ctx=self.root, is_public=True)['id']
        for image_id in (base.new_id(), theirs, '', '.', '..', 'no id',
                         'a/b', '../images', 'ä', '%2e%2e', '?', '#'):
            error = self.assertRaises(
                exception.ImageNotFound, self.driver.show, self.ctx, image_id)
            self.assertIn(image_id, str(error))
        self.driver.show(self.root, theirs)
        self.driver.show(other, public)

    def test_no_id_is_a_word_of_the_api(self) -> None:
        """Servers decode a quoted slash, and ignore white space."""
        image_id = self.make(b'abc')['id']
        for wrong in ('detail', 'members', image_id + '/',
                      image_id + '/members', image_id + '/file',
                      image_id + '\n', ' ' + image_id):
            for operation, args in (
                    (self.driver.show, ()), (self.driver.download, ()),
                    (self.driver.update, ({'name': 'changed'},)),
                    (self.driver.delete, ()), (self.driver.members, ()),
                    (self.driver.add_member, (base.new_id(),))):
                self.assertRaises(exception.ImageNotFound, operation,
                                  self.ctx, wrong, *args)
        self.assertEqual('an image',
                         self.driver.show(self.ctx, image_id)['name'])

    def test_error_names_image_action_and_endpoint(self) -> None:
        image_id = base.new_id()
        error = self.assertRaises(
            exception.ImageNotFound, self.driver.show, self.ctx, image_id)
        self.assertEqual((404, 'show', image_id, self.url), (
            error.status, error.action, error.image_id, error.endpoint))
        for word in (image_id, 'show', self.url, '404', 'Check the ID'):
            self.assertIn(word, str(error))
