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

"""nova-api's images proxy, which ends with microversion 2.35."""

import typing
import uuid

import requests

from nova_image.tests.gate import plugin

Image = dict[str, typing.Any]


class ProxyTest(plugin.GateTest):
    """Images through Nova, at the first and the last microversion."""

    def setUp(self) -> None:
        """Create clients, and a unique name for images."""
        super().setUp()
        self.oldest = self.cloud.compute(microversion='2.1')
        self.last = self.cloud.compute(microversion='2.35')
        self.name = 'proxied-' + uuid.uuid4().hex

    def _image(self, **attributes: typing.Any) -> str:
        image = self.cloud.upload(
            self.cloud.blank(), user='demo',
            **{'name': self.name, **attributes})
        self.addCleanup(self.remove_image, image)
        return image

    def _ids(self, query: str = '', detail: str = '') -> list[str]:
        """Return the IDs of this test's images that match a query."""
        path = '/images%s?name=%s%s' % (detail, self.name, query)
        return [image['id'] for image in
                self.last.get(path).json()['images']]

    def _ask(self, method: str, path: str, status: int, **kwargs: typing.Any
             ) -> requests.Response:
        """Make a request to nova-api, and check its status."""
        answer = self.oldest.request(path, method, raise_exc=False, **kwargs)
        self.assertEqual(status, answer.status_code, answer.text)
        return answer

    def test_show(self) -> None:
        """Images are listed and shown, with and without details."""
        image = self._image(min_ram=64, min_disk=1, kind='mine')
        for client in self.oldest, self.last:
            shown: Image = client.get('/images/' + image).json()['image']
            self.assertEqual(
                (image, self.name, 'ACTIVE', 64, 1, 100, {'kind': 'mine'}),
                tuple(shown[key] for key in (
                    'id', 'name', 'status', 'minRam', 'minDisk', 'progress',
                    'metadata')))
            listed = client.get('/images?name=' + self.name).json()['images']
            self.assertEqual([(image, self.name)], [
                (item['id'], item['name']) for item in listed])
            self.assertNotIn('metadata', listed[0])
            detail = client.get(
                '/images/detail?name=' + self.name).json()['images']
            self.assertEqual([shown], detail)

    def test_filters(self) -> None:
        """Each filter finds only the matching images."""
        server = str(uuid.uuid4())
        plain = self._image(min_ram=64)
        taken = self._image(min_disk=1, image_type='snapshot',
                            instance_uuid=server)
        both = {plain, taken}
        for query, found in (
                ('', both), ('&status=ACTIVE', both), ('&status=SAVING', []),
                ('&changes-since=2001-01-01T00:00:00Z', both),
                ('&changes-since=2101-01-01T00:00:00Z', []),
                ('&server=' + server, [taken]),
                ('&server=http://127.0.0.1/v2.1/servers/' + server, [taken]),
                ('&type=snapshot', [taken]), ('&minRam=64', [plain]),
                ('&minDisk=1', [taken]), ('&minRam=65', [])):
            for detail in '', '/detail':
                self.assertEqual(set(found), set(self._ids(query, detail)),
                                 detail + query)

    def test_pages(self) -> None:
        """Pages begin after the marker, and respect the limit."""
        images = {self._image() for _ in range(3)}
        found = self._ids()
        self.assertEqual(images, set(found))
        self.assertEqual(found[:2], self._ids('&limit=2'))
        self.assertEqual(found[2:], self._ids('&marker=' + found[1]))
        self.assertEqual(
            found[1:2], self._ids('&limit=1&marker=' + found[0], '/detail'))
        first = self.last.get('/images?limit=1&name=' + self.name).json()
        [following] = [link['href'] for link in first['images_links']
                       if link['rel'] == 'next']
        self.assertIn('marker=' + found[0], following)

    def test_metadata(self) -> None:
        """Metadata is read, added, changed, replaced and removed."""
        path = '/images/%s/metadata' % self._image(kind='mine')

        def kept() -> Image:
            return self._ask('GET', path, 200).json()['metadata']

        self.assertEqual({'kind': 'mine'}, kept())
        self._ask('POST', path, 200, json={'metadata': {'added': 'x'}})
        self.assertEqual({'kind': 'mine', 'added': 'x'}, kept())
        self._ask('PUT', path + '/added', 200, json={'meta': {'added': 'y'}})
        self.assertEqual({'meta': {'added': 'y'}},
                         self._ask('GET', path + '/added', 200).json())
        self._ask('DELETE', path + '/kind', 204)
        self.assertEqual({'added': 'y'}, kept())
        self._ask('PUT', path, 200, json={'metadata': {'other': 'z'}})
        self.assertEqual({'other': 'z'}, kept())
        self._ask('GET', path + '/kind', 404)
        self._ask('DELETE', path + '/kind', 404)

    def test_delete(self) -> None:
        """A deleted image is not found."""
        image = self._image()
        self._ask('DELETE', '/images/' + image, 204)
        self._ask('GET', '/images/' + image, 404)
        self._ask('DELETE', '/images/' + image, 404)
        self.assertEqual([], self._ids())

    def test_missing_images_and_images_of_others(self) -> None:
        """Both are not found."""
        self._ask('GET', '/images/' + str(uuid.uuid4()), 404)
        self._ask('GET', '/images/%s/metadata' % uuid.uuid4(), 404)
        image = self._image()
        other = self.cloud.compute('other', '2.1')
        for method in 'GET', 'DELETE':
            self.assertEqual(404, other.request(
                '/images/' + image, method, raise_exc=False).status_code)
        self.assertEqual([image], self._ids())

    def test_proxy_ends_with_microversion_2_35(self) -> None:
        """The proxy for metadata ends with 2.38."""
        path = '/images/' + self._image()
        for microversion, gone in (
                ('2.36', ['/images', '/images/detail', path]),
                ('2.39', [path + '/metadata'])):
            new = self.cloud.compute(microversion=microversion)
            for one in gone:
                answer = new.get(one, raise_exc=False)
                self.assertEqual(404, answer.status_code, one)
