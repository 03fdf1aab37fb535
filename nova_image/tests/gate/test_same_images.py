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

"""Nova's callers get the same images as from Nova's own image code."""

import json
import typing

import testtools

from nova_image.tests.fixtures import nova_virtualenv
from nova_image.tests.fixtures import paths
from nova_image.tests.fixtures import processes
from nova_image.tests.functional import servers as shared
from nova_image.tests.gate import base

_CODE = ('import sys; from nova_image.tests.gate import same_images; '
         'same_images.main(*sys.argv[1:])')
_TIMEOUT = 120
#: fields of v2's base schema in Glance 33 that Nova 34 passes on
_NEW_FIELDS = {'os_hidden', 'os_hash_algo', 'os_hash_value'}
_KERNEL = '0c5f5ea5-6d2b-4f35-9c0e-0a3d7e9c1b42'

Image = dict[str, typing.Any]
#: call -> the images that it returns
Answers = dict[str, list[Image]]


class SameImagesTest(testtools.TestCase):
    """Both read one Glance 33, with the tokens of two users."""

    def setUp(self) -> None:
        """Create images of all kinds."""
        super().setUp()
        self.virtualenv = self.useFixture(nova_virtualenv.nova())
        self.glance = shared.secured_glance()
        self.keystone = shared.keystone()
        self.raw = shared.RawGlance(
            self.glance.url, {'X-Auth-Token': shared.token_of('demo')})
        self.root = shared.RawGlance(
            self.glance.url, {'X-Auth-Token': shared.token_of('admin')})
        self.addCleanup(self.root.wipe)
        self.images = self._make_images()

    def _make_images(self) -> dict[str, str]:
        """Return the IDs of images, by kind."""
        made = {
            'plain': self.raw.create(b'data', name='plain'),
            'full': self.raw.create(
                b'data', name='full', min_disk=1, min_ram=64, tags=['a', 'b'],
                os_type='linux', kernel_id=_KERNEL, empty='',
                mappings='[{"virtual": "ami", "device": "vda"}]',
                block_device_mapping='[]', **{'hw:numa': '1'}),
            'queued': self.raw.create(name='queued', os_type='x'),
            'hidden': self.raw.create(b'data', os_hidden=True),
            'shared': self.raw.create(b'data', visibility='shared'),
            'copied': self.raw.create(b'data', name='copied')}
        made['bare'] = self.raw.ask('POST', '/v2/images', 201, json={}).json()
        found = {kind: image['id'] for kind, image in made.items()}
        self._share(found['shared'])
        self._copy(found['copied'])
        return found

    def _share(self, image_id: str) -> None:
        path = '/v2/images/%s/members' % image_id
        member = self.keystone.project_id('other')
        self.raw.ask('POST', path, json={'member': member})
        self.raw.ask('PUT', '%s/%s' % (path, member), json={
            'status': 'accepted'}, headers={
                'X-Auth-Token': shared.token_of('other')})

    def _copy(self, image_id: str) -> None:
        self.root.ask('POST', '/v2/images/%s/import' % image_id, 202, json={
            'method': {'name': 'copy-image'}, 'stores': ['slow']})
        base.wait_for('the image is in both stores', lambda: (
            'slow' in self.raw.image(image_id)['stores']))

    def _caller(self, user: str) -> Image:
        return {'auth_token': shared.token_of(user),
                'user_id': self.keystone.user_id(user),
                'project_id': self.keystone.project_id(user),
                'roles': ['member', 'reader'], 'is_admin': False}

    def _read(self) -> dict[str, Answers]:
        folder = paths.RunFolder('same-images')
        self.useFixture(folder)
        (folder.path / 'settings').write_text(json.dumps({
            'url': self.glance.url,
            'callers': {user: self._caller(user)
                        for user in ('demo', 'other')},
            'images': {'demo': list(self.images.values()),
                       'other': [self.images['shared']]}}))
        processes.run(
            [self.virtualenv.bin / 'python', '-c', _CODE,
             folder.path / 'settings', folder.path / 'results'],
            folder.path / 'log', processes.clean_environment(
                {'PYTHONDONTWRITEBYTECODE': '1'}), _TIMEOUT, folder.path)
        return json.loads((folder.path / 'results').read_text())

    def _check_kinds(self, answers: Answers) -> None:
        """Check that the images have what the comparison is about."""
        found = {image['id']: image
                 for image in answers['demo shows, locations True']}
        for kind, image_id in self.images.items():
            image = found[image_id]
            self.assertLessEqual(_NEW_FIELDS, set(image), kind)
            self.assertIs(kind == 'hidden', image['os_hidden'])
            data = kind not in ('queued', 'bare')
            self.assertEqual((data, data), (
                'stores' in image, 'direct_url' in image), kind)
        self.assertEqual({'fast', 'slow'}, set(
            found[self.images['copied']]['stores'].split(',')))
        self.assertEqual(
            [self.images['shared']],
            [image['id'] for image in answers['other lists']])

    def test_images_are_the_same(self) -> None:
        """The keys of each image, its values and its properties."""
        answers = self._read()
        stock, ours = answers['stock'], answers['ours']
        self._check_kinds(stock)
        self.assertEqual(set(stock), set(ours))
        for call, images in stock.items():
            self.assertEqual(
                [(image['id'], sorted(image)) for image in images],
                [(image['id'], sorted(image)) for image in ours[call]], call)
            self.assertEqual(list(map(_comparable, images)),
                             list(map(_comparable, ours[call])), call)


def _comparable(image: Image) -> Image:
    """Return an image without the documented differences.

    nova_image does not return the properties with which Glance records its
    imports, nor those without a value, and no location twice.
    """
    changed = dict(image, properties={
        name: value for name, value in image['properties'].items()
        if value is not None and not name.startswith('os_glance_')})
    if 'locations' in image:
        changed['locations'] = sorted(
            {location['url'] for location in image['locations']})
    return changed
