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

"""The story: an image's life through nova_image.image.api.API.

Every step says what it does, the requests that Glance saw and how long it
took.
"""

import collections.abc
import filecmp
import pathlib
import secrets
import time
import typing

import requests

from demo import cast

_MIB = 1024 * 1024
_SIZE = 16 * _MIB


class Teller:
    """Numbers the steps, times them and shows their requests."""

    def __init__(self, stage: cast.Stage) -> None:
        """Begin at step 1."""
        self._glance = stage.glance
        self._number = 0

    def step(self, what: str, act: collections.abc.Callable[..., typing.Any],
             *args: typing.Any, **kwargs: typing.Any) -> typing.Any:
        """Do one step, show it, and return what it gave."""
        self._number += 1
        mark = self._glance.mark()
        began = time.monotonic()
        found = act(*args, **kwargs)
        print('%2d. %-54s %6.3f s' % (
            self._number, what, time.monotonic() - began))
        for request in self._glance.requests(mark):
            print('      %-6s %s -> %s' % request)
        return found

    @staticmethod
    def note(text: str) -> None:
        """Say what came of it."""
        print('      = %s\n' % text, flush=True)


def tell(stage: cast.Stage, folder: pathlib.Path) -> bool:
    """Tell the story and return whether the bytes came back as they went.

    :param stage: the services and the caller
    :param folder: an empty folder for files
    """
    teller, images, caller = Teller(stage), stage.api, stage.caller
    disk = folder / 'disk.raw'
    disk.write_bytes(secrets.token_bytes(_SIZE))

    with disk.open('rb') as data:
        image = teller.step(
            'create an image from a file of 16 MiB', images.create, caller,
            {'name': 'demo disk', 'disk_format': 'raw', 'is_public': False,
             'container_format': 'bare', 'min_disk': 1, 'properties': {
                 'os_type': 'linux', 'mappings': [
                     {'virtual': 'ami', 'device': 'vda'}]}}, data)
    teller.note('%(id)s is %(status)s, %(size)d bytes, md5 %(checksum)s'
                % image)

    found = teller.step(
        "list the active ones with os_type 'linux'", images.get_all, caller,
        filters={'status': 'active', 'property-os_type': 'linux'},
        sort_key='name', sort_dir='asc')
    teller.note('found: %s' % ', '.join(one['name'] for one in found))

    _change(teller, stage, image['id'])
    _make_empty(teller, stage)
    same = _fetch(teller, stage, image['id'], disk, folder / 'copy.raw')

    if stage.nova:
        _ask_nova(teller, stage, image['id'])

    teller.step('delete it', images.delete, caller, image['id'])
    left = images.get_all(caller)
    teller.note('%d images are left' % len(left))
    return same and not left


def _change(teller: Teller, stage: cast.Stage, image_id: str) -> None:
    images, caller = stage.api, stage.caller
    image = teller.step('show it', images.get, caller, image_id)
    teller.note('properties %s' % image['properties'])

    image = teller.step(
        'update it: a new name, one more property', images.update, caller,
        image_id, {'name': 'golden disk',
                   'properties': {'hw_disk_bus': 'virtio'}})
    teller.note('%(name)r with properties %(properties)s' % image)

    image = teller.step(
        'update it, purging all properties but one', images.update, caller,
        image_id, {'properties': {'os_type': 'linux'}}, purge_props=True)
    teller.note('properties %s' % image['properties'])


def _make_empty(teller: Teller, stage: cast.Stage) -> None:
    images, caller = stage.api, stage.caller
    empty = teller.step(
        'create an image of size 0, as a volume snapshot has', images.create,
        caller, {'name': 'volume snapshot', 'size': 0, 'is_public': False,
                 'properties': {'block_device_mapping': [
                     {'boot_index': 0, 'snapshot_id': 'a-snapshot'}]}})
    teller.note('%(status)s, %(size)d bytes, %(properties)s' % empty)
    teller.step('delete it', images.delete, caller, empty['id'])
    teller.note('gone')


def _ask_nova(teller: Teller, stage: cast.Stage, image_id: str) -> None:
    """Have nova-api, which has loaded nova_image, show the image."""
    url = '%s/images/%s' % (stage.nova.url, image_id)
    answer = teller.step(
        "GET /v2.1/images/ID of nova-api: Nova's images proxy", requests.get,
        url, headers={'X-Auth-Token': stage.caller.auth_token}, timeout=60)
    image = answer.json()['image']
    teller.note('%d: %s, metadata %s' % (
        answer.status_code, image['status'], image['metadata']))
    log = stage.nova.api.log.read_text()
    line = next(line for line in log.splitlines()
                if 'serves the images of' in line)
    teller.note("nova-api's log: %s" % line.partition('] ')[2])


def _fetch(teller: Teller, stage: cast.Stage, image_id: str,
           disk: pathlib.Path, copy: pathlib.Path) -> bool:
    teller.step('download the disk to a file, verified', stage.api.download,
                stage.caller, image_id, dest_path=str(copy))
    same = filecmp.cmp(disk, copy, shallow=False)
    teller.note('the copy is %s to what was sent; beside it in the folder: %s'
                % ('equal' if same else 'NOT EQUAL', ', '.join(sorted(
                    path.name for path in copy.parent.iterdir()))))
    return same
