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

"""The life of an image, through nova_image.image.api.API.

Each step prints what it does, how long it takes and the requests that Glance
answers.
"""

import collections.abc
import filecmp
import pathlib
import secrets
import time
import typing

import requests

from demo import deployment
from nova_image.tests import fixtures

_MIB = 1024 * 1024
_SIZE = 16 * _MIB


class Reporter:
    """Numbers and times the steps, and prints their requests."""

    def __init__(self, deployed: deployment.Deployment) -> None:
        """Start with step 1."""
        self._glance = deployed.glance
        self._number = 0

    def step(self, what: str, act: collections.abc.Callable[..., typing.Any],
             *args: typing.Any, **kwargs: typing.Any) -> typing.Any:
        """Run and print one step.

        :param what: what the step does
        :param act: the function to call with the other arguments
        :returns: its result
        """
        self._number += 1
        mark = self._glance.mark()
        began = time.monotonic()
        result = act(*args, **kwargs)
        print('%2d. %-54s %6.3f s' % (
            self._number, what, time.monotonic() - began))
        for request in self._glance.requests(mark):
            print('      %-6s %s -> %s' % request)
        return result

    @staticmethod
    def note(text: str) -> None:
        """Print a result of the step."""
        print('      = %s\n' % text, flush=True)


def run(deployed: deployment.Deployment, folder: pathlib.Path) -> bool:
    """Run all steps.

    :param deployed: the services and the caller
    :param folder: an empty folder for files
    :returns: whether the downloaded data equals the uploaded data, and no
        image is left
    """
    reporter = Reporter(deployed)
    images, caller = deployed.api, deployed.caller
    disk = folder / 'disk.raw'
    disk.write_bytes(secrets.token_bytes(_SIZE))

    with disk.open('rb') as data:
        image = reporter.step(
            'create an image from a file of 16 MiB', images.create, caller,
            {'name': 'demo disk', 'disk_format': 'raw', 'is_public': False,
             'container_format': 'bare', 'min_disk': 1, 'properties': {
                 'os_type': 'linux', 'mappings': [
                     {'virtual': 'ami', 'device': 'vda'}]}}, data)
    reporter.note('%(id)s is %(status)s, %(size)d bytes, md5 %(checksum)s'
                  % image)

    found = reporter.step(
        "list the active images with os_type 'linux'", images.get_all, caller,
        filters={'status': 'active', 'property-os_type': 'linux'},
        sort_key='name', sort_dir='asc')
    reporter.note('found: %s' % ', '.join(one['name'] for one in found))

    _change(reporter, deployed, image['id'])
    _make_empty(reporter, deployed)
    same = _fetch(reporter, deployed, image['id'], disk, folder / 'copy.raw')

    if deployed.start_nova:
        nova = _start(deployed.start_nova)
        _ask_nova(reporter, nova, caller, image['id'])

    reporter.step('delete it', images.delete, caller, image['id'])
    left = images.get_all(caller)
    reporter.note('%d images are left' % len(left))
    return same and not left


def _change(reporter: Reporter, deployed: deployment.Deployment,
            image_id: str) -> None:
    images, caller = deployed.api, deployed.caller
    image = reporter.step('show it', images.get, caller, image_id)
    reporter.note('properties %s' % image['properties'])

    image = reporter.step(
        'update it: a new name, one more property', images.update, caller,
        image_id, {'name': 'golden disk',
                   'properties': {'hw_disk_bus': 'virtio'}})
    reporter.note('%(name)r with properties %(properties)s' % image)

    image = reporter.step(
        'update it, purging all properties except one', images.update, caller,
        image_id, {'properties': {'os_type': 'linux'}}, purge_props=True)
    reporter.note('properties %s' % image['properties'])


def _make_empty(reporter: Reporter, deployed: deployment.Deployment) -> None:
    images, caller = deployed.api, deployed.caller
    empty = reporter.step(
        'create an image of size 0, as volume snapshots have', images.create,
        caller, {'name': 'volume snapshot', 'size': 0, 'is_public': False,
                 'properties': {'block_device_mapping': [
                     {'boot_index': 0, 'snapshot_id': 'a-snapshot'}]}})
    reporter.note('%(status)s, %(size)d bytes, %(properties)s' % empty)
    reporter.step('delete it', images.delete, caller, empty['id'])
    reporter.note('gone')


def _start(start: collections.abc.Callable[[], fixtures.NovaApi]
           ) -> fixtures.NovaApi:
    began = time.monotonic()
    nova = start()
    print('nova-api 34.0.0 with nova_image at %s (started in %.1f s)\n' % (
        nova.url, time.monotonic() - began), flush=True)
    return nova


def _ask_nova(reporter: Reporter, nova: fixtures.NovaApi,
              caller: deployment.Caller, image_id: str) -> None:
    """Show the image through nova-api, which uses nova_image."""
    url = '%s/images/%s' % (nova.url, image_id)
    answer = reporter.step(
        "GET /v2.1/images/ID of nova-api: Nova's images proxy", requests.get,
        url, headers={'X-Auth-Token': caller.auth_token}, timeout=60)
    image = answer.json()['image']
    reporter.note('%d: %s, metadata %s' % (
        answer.status_code, image['status'], image['metadata']))
    log = nova.api.log.read_text()
    line = next(line for line in log.splitlines()
                if 'serves the images of' in line)
    reporter.note("nova-api's log: %s" % line.partition('] ')[2])


def _fetch(reporter: Reporter, deployed: deployment.Deployment, image_id: str,
           disk: pathlib.Path, copy: pathlib.Path) -> bool:
    reporter.step('download the disk to a file, verified',
                  deployed.api.download, deployed.caller, image_id,
                  dest_path=str(copy))
    same = filecmp.cmp(disk, copy, shallow=False)
    reporter.note('the copy is %s to the original; files in the folder: %s'
                  % ('equal' if same else 'NOT EQUAL', ', '.join(sorted(
                      path.name for path in copy.parent.iterdir()))))
    return same
