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

"""The test cases that both versions of the Images API share."""

import datetime
import typing

import requests
import testtools

from nova_image.tests import fixtures
from nova_image.tests.gate import base
from nova_image.tests.legacy import clouds
from nova_image.tests.legacy import raw

DATA = b'the disk of a server' * 1000
#: the Nova services that handle images
PROGRAMS = 'nova-api', 'nova-conductor', 'nova-compute'
_SERVER = '5bd3a9b6-1c2f-4b8e-9d07-2f6c0a4f9a11'


class BootTest(testtools.TestCase):
    """Servers boot from images, and snapshots are taken of servers."""

    def check_boot(self, nova: fixtures.LegacyNova,
                   images: raw.Images) -> None:
        """Boot a server, take a snapshot of it, delete the server.

        :param nova: the Nova
        :param images: the images in its Glance
        """
        servers = base.Servers(nova.client(project=clouds.PROJECT))
        image = images.create(raw.Spec(data=DATA))
        mark = nova.glance.mark()
        server = servers.boot(image)
        self.assertEqual(DATA, nova.disk(server).read_bytes())
        snapshot = servers.snapshot(server, 'a snapshot', kind='mine')
        asked = nova.glance.requests(mark)
        self.assertEqual({images.api}, {
            request.path.split('/')[1] for request in asked})
        shown = nova.client(microversion='2.35').get(
            '/images/' + snapshot).json()['image']
        self.assertEqual(
            ('ACTIVE', 'a snapshot', 'mine', 'snapshot', server),
            (shown['status'], shown['name'], shown['metadata']['kind'],
             shown['metadata']['image_type'], shown['server']['id']))
        self.assertEqual(DATA, images.data(snapshot))
        servers.delete(server)
        self.assertFalse(nova.disk(server).exists())
        for made in image, snapshot:
            images.delete(made)


class CloudCase(BootTest):
    """A cloud with nova_image and one version of the Images API."""

    cloud: clouds.Cloud

    def use(self, cloud: clouds.Cloud) -> None:
        """Use a cloud, and check its requests when the test ends."""
        self.cloud = cloud
        self.proxy = cloud.nova.client(microversion='2.35')
        self.addCleanup(self._check_version)

    def _check_version(self) -> None:
        """Check that no request was for the missing version."""
        asked = self.cloud.nova.glance.requests()
        self.assertEqual({self.cloud.api}, {
            request.path.split('/')[1] for request in asked})
        self.assertNotIn(300, {request.status for request in asked})

    def create(self, **spec: typing.Any) -> str:
        """Create an image for this test.

        :param spec: arguments of raw.Spec
        """
        made = self.cloud.images.create(raw.Spec(**spec))
        self.addCleanup(self.proxy.delete, '/images/' + made,
                        raise_exc=False)
        return made

    def ask(self, method: str, path: str, status: int = 200,
            **kwargs: typing.Any) -> requests.Response:
        """Make a request to nova-api's images proxy, and check its status."""
        answer = self.proxy.request('/images' + path, method,
                                    raise_exc=False, **kwargs)
        self.assertEqual(status, answer.status_code, answer.text)
        return answer

    def found(self, query: str) -> set[str]:
        """Return the IDs of the images that the proxy lists."""
        return {image['id'] for image in self.ask(
            'GET', '/detail?' + query).json()['images']}

    def test_services_log_the_driver(self) -> None:
        """Each service that handles images logs which driver it uses."""
        for program in PROGRAMS:
            lines = [line for line in
                     self.cloud.nova.log(program).splitlines()
                     if ' INFO nova_image.host.bridge ' in line]
            self.assertEqual(1, len(lines), program)
            self.assertIn('the driver %s serves the images of %s, Nova '
                          '15.1.5' % (self.cloud.driver, program), lines[0])

    def test_boot(self) -> None:
        """A server boots, and its snapshot has its data."""
        self.check_boot(self.cloud.nova, self.cloud.images)

    def test_list_and_show(self) -> None:
        """The proxy lists an image, with and without details."""
        made = self.create(name='shown', properties={'os_type': 'linux'},
                           min_disk=2, min_ram=256)
        short = self.ask('GET', '?name=shown').json()['images']
        self.assertEqual([{'id', 'name', 'links'}], list(map(set, short)))
        long = self.ask('GET', '/detail?name=shown').json()['images']
        shown = self.ask('GET', '/' + made).json()['image']
        self.assertEqual([shown], long)
        self.assertEqual(
            (made, 'shown', 'ACTIVE', 100, 2, 256, {'os_type': 'linux'}),
            tuple(shown[name] for name in (
                'id', 'name', 'status', 'progress', 'minDisk', 'minRam',
                'metadata')))

    def test_filters(self) -> None:
        """Each filter of the proxy finds only the matching images."""
        before = (datetime.datetime.now(datetime.timezone.utc)
                  - datetime.timedelta(minutes=5))
        snapshot = self.create(name='of a server', min_disk=7, properties={
            'image_type': 'snapshot', 'instance_uuid': _SERVER})
        big = self.create(name='big', min_ram=777)
        queued = self.create(name='empty', data=None)
        mine = {snapshot, big, queued}
        for query, wanted in (
                ('name=big', {big}),
                ('status=ACTIVE', {snapshot, big}),
                ('status=queued', {queued}),
                ('server=' + _SERVER, {snapshot}),
                ('server=http://127.0.0.1/v2.1/servers/' + _SERVER,
                 {snapshot}),
                ('type=snapshot', {snapshot}),
                ('property-image_type=snapshot', {snapshot}),
                ('minDisk=7', {snapshot}),
                ('minRam=777', {big}),
                ('changes-since=' + before.strftime('%Y-%m-%dT%H:%M:%SZ'),
                 mine),
                ('changes-since=2999-01-01T00:00:00Z', set()),
                ('unknown=filter', mine)):
            self.assertEqual(wanted, self.found(query) & mine, query)

    def test_limit(self) -> None:
        """Pages of one image, linked to each other, contain all images."""
        mine = [self.create(name='paged') for _ in range(3)]
        found, query = [], '?name=paged&limit=1'
        while query:
            page = self.ask('GET', query).json()
            found += [image['id'] for image in page['images']]
            links = page.get('images_links')
            query = links and '?' + links[0]['href'].partition('?')[2]
        self.assertEqual(sorted(mine), sorted(found))

    def test_metadata(self) -> None:
        """Metadata is added, read, replaced and removed."""
        path = '/%s/metadata' % self.create(properties={'first': '1'})

        def check(**wanted: str) -> None:
            self.assertEqual({'metadata': wanted},
                             self.ask('GET', path).json())

        check(first='1')
        self.ask('POST', path, json={'metadata': {'second': '2'}})
        check(first='1', second='2')
        self.ask('PUT', path + '/first', json={'meta': {'first': '\xfc'}})
        check(first='\xfc', second='2')
        self.assertEqual({'meta': {'second': '2'}},
                         self.ask('GET', path + '/second').json())
        self.ask('PUT', path, json={'metadata': {'third': '3'}})
        check(third='3')
        self.ask('DELETE', path + '/third', 204)
        check()
        self.ask('GET', path + '/third', 404)
        self.ask('DELETE', path + '/third', 404)

    def test_delete(self) -> None:
        """A deleted image is not found."""
        path = '/' + self.create(name='deleted')
        self.ask('DELETE', path, 204)
        self.ask('GET', path, 404)
        self.ask('DELETE', path, 404)
        self.assertEqual(set(), self.found('name=deleted'))
