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


"""Tests of the fixture Ceph: it starts, checks keys, leaves nothing behind."""

import os
import pathlib

from nova_image.tests import fixtures
from nova_image.tests.fixtures import ceph as ceph_fixture
from nova_image.tests.fixtures import processes
from nova_image.tests.functional import base
from nova_image.tests.functional import test_fixtures


class CephTest(test_fixtures.ServiceTest):
    """Ceph, and the permissions of its users."""

    def test_permissions_of_users(self) -> None:
        with fixtures.Ceph() as ceph:
            self.assertEqual(list(ceph_fixture.POOLS),
                             ceph.ceph('osd', 'pool', 'ls').split())
            ceph.rbd('create', '--size', '10', '--id', 'nova', 'vms/disk')
            ceph.rbd('create', '--size', '10', '--id', 'glance',
                     'images/image')
            ceph.rbd('info', '--id', 'nova', 'images/image')
            for user, name in (('nova', 'images/mine'),
                               ('glance', 'vms/mine')):
                self.assertRaises(
                    processes.ProcessFailed, ceph.rbd, 'create', '--size',
                    '10', '--id', user, name)
            self.assertEqual(0o600, ceph.keyring.stat().st_mode & 0o777)

    def test_restart_keeps_its_images(self) -> None:
        with fixtures.Ceph() as ceph:
            ceph.rbd('create', '--size', '10', 'images/image')
            leaders = test_fixtures.groups(ceph.pids)
            ceph.stop()
            self.assertEqual([], test_fixtures.running(leaders))
            ceph.start()
            self.assertEqual('image', ceph.rbd('ls', 'images').strip())
            leaders = test_fixtures.groups(ceph.pids)
            folder = ceph.folder
        self.assertEqual([], test_fixtures.running(leaders))
        self.assertFalse(os.path.exists(folder))

    def test_dies_with_its_starter(self) -> None:
        self.assertDiesWithItsStarter('Ceph()')


class BindingsTest(base.FunctionalTest):
    """Debian's Python bindings of Ceph, in this process."""

    def test_bindings_can_be_imported(self) -> None:
        bindings = self.useFixture(fixtures.CephBindings())
        for module in (bindings.rados, bindings.rbd):
            self.assertIn('Error', dir(module))

    def test_another_python_is_skipped_with_a_reason(self) -> None:
        warnings: list[str] = []
        self.patch(ceph_fixture.debian, 'warn_skipped', warnings.append)
        folder = pathlib.Path(self.useFixture(base.folder()).path)
        error = self.assertRaises(
            fixtures.NoCephBindings, ceph_fixture.link_bindings, folder,
            '3.99.1')
        self.assertIn('this is Python 3.99.1, and Debian has rados.cpython-',
                      str(error))
        self.assertEqual([str(error)], warnings)
        self.assertEqual([], os.listdir(folder))
