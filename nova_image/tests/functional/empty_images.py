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


"""Snapshots of volume-backed servers, as every driver makes them.

Such an image has no data: it is active, its size is 0, and its content is
the property block_device_mapping.
"""

import typing

from nova_image import exception
from nova_image.tests.functional import base
from nova_image.tests.functional import conformance_case as case

#: disk and container format; None if it is not given or not set
Formats = tuple[str | None, str | None]

#: a property as Nova writes it (compute API, snapshot_volume_backed)
MAPPING = [{
    'guest_format': None, 'boot_index': 0, 'no_device': None,
    'snapshot_id': '0c1d8a3e-5f5b-4f6a-8d2a-1b7c9e3f4a60',
    'volume_size': 1, 'device_type': 'disk', 'disk_bus': 'virtio',
    'source_type': 'snapshot', 'device_name': '/dev/vda',
    'delete_on_termination': False, 'destination_type': 'volume',
    'tag': 'größe', 'image_id': None, 'volume_id': None,
    'encrypted': None, 'volume_type': None}]


class EmptyImages(case.DriverCase):
    """Empty images, by the formats that the caller gives."""

    #: the given formats -> the image's formats, or words of the error
    expected: dict[Formats, Formats | list[str]]

    def snapshot(self, formats: Formats = (None, None),
                 **properties: typing.Any) -> case.Image:
        """Make a snapshot as Nova does.

        :param formats: the formats to give
        """
        named = {name: value for name, value in zip(
            ('disk_format', 'container_format'), formats,
            strict=True) if value}
        return self.driver.create(self.ctx, {
            'name': 'snapshot', 'size': 0, 'visibility': 'private',
            'min_ram': 0, 'min_disk': 1, **named, 'properties': {
                'bdm_v2': True, 'root_device_name': '/dev/vda',
                'block_device_mapping': MAPPING, **properties}})

    def assertEmpty(self, image: case.Image, formats: Formats) -> None:
        """Check an empty image with every operation that reads it."""
        self.assertShape(image)
        self.assertEqual(('active', 0, *formats), (
            image['status'], image['size'], image['disk_format'],
            image['container_format']))
        self.assertEqual({
            'bdm_v2': 'True', 'root_device_name': '/dev/vda',
            'block_device_mapping': MAPPING}, image['properties'])
        self.assertEqual(image, self.driver.show(self.ctx, image['id']))
        self.assertEqual([image], self.driver.detail(self.ctx))
        self.assertEqual(b'', b''.join(
            self.driver.download(self.ctx, image['id'])))
        self.assertEqual('active', self.raw.image(image['id'])['status'])

    def test_formats_given_or_chosen(self) -> None:
        for named, expected in self.expected.items():
            if isinstance(expected, list):
                error = self.assertRaises(exception.Invalid, self.snapshot,
                                          named)
                for word in expected:
                    self.assertIn(word, str(error))
            else:
                self.assertEmpty(self.snapshot(named), expected)
            self.raw.wipe()

    def test_refused_images_leave_nothing_behind(self) -> None:
        refused = [('raw', 'nonsense')] + [
            named for named, expected in self.expected.items()
            if isinstance(expected, list)]
        for named in refused:
            self.assertRaises(exception.Invalid, self.snapshot, named)
            self.assertNothingLeft()

    def test_server_owner_may_use_an_administrators_snapshot(self) -> None:
        owner = base.new_id()
        formats = next(named for named, expected in self.expected.items()
                       if not isinstance(expected, list))
        image = self.snapshot(formats, instance_owner=owner)
        self.assertEqual('active', image['status'])
        self.assertEqual([owner], self.raw.members(image['id']))
