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

"""Nova 34 on a Glance that stores images in Swift, by tenant.

What a member does works. What an administrator does with the images of others
depends on whether their data is needed: see doc/source/operator/swift.rst.
"""

import os
import typing

from nova_image.tests import fixtures
from nova_image.tests.fixtures import paths
from nova_image.tests.fixtures import swift as swift_fixture
from nova_image.tests.functional import servers as shared
from nova_image.tests.gate import base
from nova_image.tests.gate import plugin

#: the microversion in which an administrator can fill the image cache
_PRECACHE = '2.81'
#: the size of a segment, in Glance's units
_SEGMENT = 3
#: bytes of an image, which is in two full segments
_SIZE = 2 * _SEGMENT * swift_fixture.SEGMENT_UNIT


class SwiftCloud(fixtures.Cloud):
    """A cloud whose images are in Swift.

    :ivar swift: the Swift
    """

    def _start_glance(self) -> None:
        self.swift = self.useFixture(fixtures.Swift(self.keystone))
        self.glance.stores = {'swift': 'swift'}
        self.glance.options |= self.swift.store('swift', segment=_SEGMENT)
        self.glance.use(self.mariadb, self.swift.virtualenv)
        super()._start_glance()


@shared.once
def swift_cloud() -> fixtures.Cloud:
    """A cloud whose images are in Swift."""
    return SwiftCloud(paths.merge(plugin.OPTIONS, {
        'glance': {'num_retries': '6'}}))


class SwiftTest(plugin.GateTest):
    """Servers and images of the project ``demo``."""

    cloud_of = staticmethod(swift_cloud)

    def setUp(self) -> None:
        """Create an image of the project, with random data."""
        super().setUp()
        self.swift = typing.cast(SwiftCloud, self.cloud).swift
        self.admin = base.Servers(self.cloud.compute('admin'))
        data = os.urandom(_SIZE)
        path = self.cloud.glance.folder / 'random.raw'
        path.write_bytes(data)
        self.image = self.cloud.upload(path, 'demo', disk_format='raw')
        self.addCleanup(self._delete, self.image)

    def _delete(self, image_id: str) -> None:
        self.cloud.images().delete('/images/' + image_id, raise_exc=False)
        self.remove_image(image_id)

    def place(self, image_id: str) -> str:
        """Return the name of the project whose account has an image."""
        image = self.cloud.images('admin').get('/images/' + image_id).json()
        account = image['locations'][0]['url'].split('/')[4]
        return next(name for name in ('demo', 'admin') if account == (
            'AUTH_' + self.cloud.keystone.project_id(name)))

    def refusals(self, mark: int) -> int:
        """Return how many downloads Glance has answered with 500."""
        return sum(one.status == 500 and one.path.endswith('/file')
                   for one in self.cloud.glance.requests(mark))

    def test_a_member(self) -> None:
        """A member boots, takes a snapshot, and boots from it."""
        server = self.boot(self.image)
        mark = self.cloud.glance.mark()
        snapshot = self.snapshot(server)
        self.addCleanup(self._delete, snapshot)
        self.assertEqual('demo', self.place(snapshot))
        # Its last segment is a short one.
        self.assertEqual([500, 204], [
            one.status for one in self.cloud.glance.requests(mark)
            if one.method == 'PUT'])
        self.boot(snapshot)
        self.act_and_wait(server, 'shelve', None, 'SHELVED_OFFLOADED')
        self.act_and_wait(server, 'unshelve')

    def test_snapshots_by_an_administrator(self) -> None:
        """They belong to the administrator's project, and are shared."""
        server = self.boot(self.image)
        snapshot = self.admin.snapshot(server, 'by an administrator')
        self.addCleanup(self.remove_image, snapshot)
        self.assertEqual('admin', self.place(snapshot))
        self.boot(snapshot)

    def test_an_administrator_needs_the_data(self) -> None:
        """Only what is in the host's cache can be used."""
        server = self.boot(self.image)
        self.admin.act(server, 'rebuild', imageRef=self.image)
        self.admin.wait(server)
        self.cached(self.image).unlink()
        mark = self.cloud.glance.mark()
        self.admin.act(server, 'rebuild', imageRef=self.image)
        self.admin.wait(server, 'ERROR')
        self.assertEqual(2, self.refusals(mark))
        self.assertIn("failed: the image's store may be tenant-specific: the "
                      "token's project is not the owner",
                      self.cloud.nova.log('nova-compute'))
        self.act_and_wait(server, 'rebuild', {'imageRef': self.image})
        self.act_and_wait(server, 'shelve', None, 'SHELVED_OFFLOADED')
        mark = self.cloud.glance.mark()
        self.admin.compute.post('/servers/%s/action' % server,
                                json={'unshelve': None})
        self.admin.wait(server, 'SHELVED_OFFLOADED')
        self.assertEqual(2, self.refusals(mark))

    def test_an_administrator_fills_the_cache(self) -> None:
        """It stays empty, and each image is an error in the log."""
        compute = self.cloud.compute('admin', _PRECACHE)
        services = compute.get('/os-services?binary=nova-compute').json()
        aggregate = '/os-aggregates/%d' % compute.post(
            '/os-aggregates', json={'aggregate': {'name': 'all'}}
        ).json()['aggregate']['id']
        host = {'host': services['services'][0]['host']}
        self.addCleanup(compute.delete, aggregate)
        self.addCleanup(compute.post, aggregate + '/action',
                        json={'remove_host': host})
        compute.post(aggregate + '/action', json={'add_host': host})
        mark = self.cloud.glance.mark()
        compute.post(aggregate + '/images', json={
            'cache': [{'id': self.image}]})
        base.wait_for('an error', lambda: '0 cached, 0 existing, 1 errors' in (
            self.cloud.nova.log('nova-conductor')))
        self.assertEqual(2, self.refusals(mark))
        self.assertFalse(self.cached(self.image).exists())
