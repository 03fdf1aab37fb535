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

"""The cloud of the benchmark, with many images."""

import collections.abc
import datetime
import pathlib
import sqlite3
import uuid

from benchmarks.common import cloud

#: Properties that the publishers of a distribution's image set.
PROPERTIES = {
    'architecture': 'x86_64',
    'hw_disk_bus': 'scsi',
    'hw_firmware_type': 'uefi',
    'hw_machine_type': 'q35',
    'hw_qemu_guest_agent': 'yes',
    'hw_rng_model': 'virtio',
    'hw_scsi_model': 'virtio-scsi',
    'hw_vif_model': 'virtio',
    'os_admin_user': 'debian',
    'os_distro': 'debian',
    'os_type': 'linux',
    'os_version': '13',
}
_OPTIONS = {
    # Glance's defaults; the fixture enables them.
    'DEFAULT': {'show_multiple_locations': 'false',
                'show_image_direct_url': 'false'},
}
_VISIBILITIES = ('private', 'private', 'public', 'shared')
_NEWEST = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
_NAMESPACE = uuid.UUID('8f1c7b7e-52d4-4d3b-9a57-1f7c2f0b6a11')


class Cloud(cloud.Cloud):
    """Keystone and Glance, with images of the user ``demo``.

    The images have no data. They are inserted directly into Glance's
    database, which takes a second for 10 000 images.

    :ivar image_ids: the IDs of the images, newest first
    """

    def __init__(self, images: int, keep: bool = False) -> None:
        """Describe a cloud; it starts when the fixture is set up.

        :param images: the number of images
        :param keep: whether to keep the services' folders
        """
        # Two workers would not be equally fast, which would distort ratios.
        super().__init__(keep, _OPTIONS, workers=1)
        self.image_ids = [str(uuid.uuid5(_NAMESPACE, str(number)))
                          for number in range(images)]

    def _setUp(self) -> None:
        super()._setUp()
        _insert(self.glance.folder / 'database.sqlite', self.image_ids,
                self.keystone.project_id('demo'))


def _insert(database: pathlib.Path, image_ids: list[str],
            owner: str) -> None:
    connection = sqlite3.connect(database)
    with connection:
        for number, image_id in enumerate(image_ids):
            for table, row in _rows(number, image_id, owner):
                connection.execute(
                    'INSERT INTO %s (%s) VALUES (%s)' % (  # nosec: names
                        table, ', '.join(row), ', '.join('?' * len(row))),
                    tuple(row.values()))
    connection.close()


def _rows(number: int, image_id: str, owner: str
          ) -> collections.abc.Iterator[tuple[str, dict[str, object]]]:
    """Yield the rows of one image, each with the name of its table."""
    created = _NEWEST - datetime.timedelta(minutes=number)
    moment = created.strftime('%Y-%m-%d %H:%M:%S.000000')
    times = {'created_at': moment, 'updated_at': moment, 'deleted': 0}
    yield 'images', times | {
        'id': image_id, 'name': 'debian-13-build-%d' % number,
        'size': 330 * 1024 ** 2 + number, 'virtual_size': 3 * 1024 ** 3,
        'status': 'active', 'disk_format': 'qcow2',
        'container_format': 'bare', 'owner': owner,
        'min_disk': 3, 'min_ram': 512, 'protected': 0, 'os_hidden': 0,
        'visibility': _VISIBILITIES[number % len(_VISIBILITIES)],
        'checksum': '%032x' % number, 'os_hash_algo': 'sha512',
        'os_hash_value': '%0128x' % number}
    yield 'image_locations', times | {
        'image_id': image_id, 'value': 'file:///images/%s' % image_id,
        'meta_data': '{"store": "fast"}', 'status': 'active'}
    for name, value in PROPERTIES.items():
        yield 'image_properties', times | {
            'image_id': image_id, 'name': name, 'value': value}
