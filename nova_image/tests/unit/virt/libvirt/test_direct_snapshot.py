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

"""Tests of nova_image.virt.libvirt.direct_snapshot with a fake Ceph."""

import types

import fixtures
import mock
from oslo_config import cfg
import six
import testtools

from nova_image import conf as nova_image_conf
from nova_image import exception
from nova_image.virt.libvirt import direct_snapshot

FSID = 'e7a5ca4c-3d3c-4d3a-8f8c-1a0a6a3a0d0e'
DISK = 'vms/disk'
URL = 'rbd://%s/images/%%s/snap' % FSID
STEPS = ['create_snap', 'protect_snap', 'clone', 'flatten', 'unprotect_snap',
         'remove_snap', 'create_snap', 'protect_snap']


class Error(Exception):
    """rbd.Error."""


class NotFound(Error):
    """rbd.ImageNotFound."""


class Exists(Error):
    """rbd.ImageExists."""


class Refused(Error):
    """rbd.PermissionError."""


class Image(object):
    """An open RBD image.

    :ivar parent: (pool, image, snapshot) or None
    :ivar snapshots: name -> whether it is protected
    """

    def __init__(self, ceph, parent=None):
        self.ceph, self.parent, self.snapshots = ceph, parent, {}

    def parent_info(self):
        """Return (pool, image, snapshot) of the parent."""
        if self.parent is None:
            raise NotFound('no parent')
        return self.parent

    def create_snap(self, name):
        """Create a snapshot."""
        self.ceph.step('create_snap')
        self.snapshots[name] = False

    def protect_snap(self, name):
        """Protect a snapshot."""
        self.ceph.step('protect_snap')
        self.snapshots[name] = True

    def unprotect_snap(self, name):
        """Unprotect a snapshot, unless it has clones."""
        self.ceph.step('unprotect_snap')
        [own] = [key for key, image in self.ceph.images.items()
                 if image is self]
        if own + (name,) in [image.parent
                             for image in self.ceph.images.values()]:
            raise Error('busy')
        self.snapshots[name] = False

    def remove_snap(self, name):
        """Remove a snapshot, unless it is protected."""
        self.ceph.step('remove_snap')
        if self.snapshots[name]:
            raise Error('protected')
        del self.snapshots[name]

    def is_protected_snap(self, name):
        """Return whether a snapshot is protected."""
        return self.snapshots[name]

    def list_snaps(self):
        """Return the snapshots."""
        return [{'name': name} for name in self.snapshots]

    def flatten(self):
        """Detach the image from its parent."""
        self.ceph.step('flatten')
        self.parent = None

    def close(self):
        """Close the image."""


class Ceph(fixtures.Fixture):
    """A cluster with a disk, and fakes of Ceph's Python modules.

    :ivar images: (pool, name) -> Image
    :ivar steps: names of the calls that changed something
    :ivar failures: step -> exception that it raises once
    """

    def _setUp(self):
        self.steps, self.failures = [], {}
        self.disk = Image(self, ('images', 'base', 'snap'))
        self.images = {('vms', 'disk'): self.disk}
        rados = types.ModuleType('rados')
        rados.Error = type('RadosError', (Exception,), {})
        rados.Rados = self._connect
        rbd = types.ModuleType('rbd')
        rbd.Error, rbd.ImageNotFound = Error, NotFound
        rbd.ImageExists, rbd.PermissionError = Exists, Refused
        rbd.Image, rbd.RBD = self._open, lambda: self
        patch = mock.patch.dict('sys.modules', rados=rados, rbd=rbd)
        patch.start()
        self.addCleanup(patch.stop)

    def _connect(self, **options):
        connection = mock.Mock(conf_get=lambda name: '0')
        connection.get_fsid.return_value = FSID
        connection.open_ioctx = lambda name: mock.Mock(pool=name)
        return connection

    def _open(self, pool, name):
        if (pool.pool, name) not in self.images:
            raise NotFound('no %s' % name)
        return self.images[pool.pool, name]

    def step(self, name):
        """Record a step, and fail if a failure is set for it."""
        self.steps.append(name)
        if name in self.failures:
            raise self.failures.pop(name)

    def clone(self, old, image, snapshot, new, name):
        """Create a clone."""
        if (new.pool, name) in self.images:
            raise Exists('%s exists' % name)
        self.images[new.pool, name] = Image(
            self, (old.pool, image, snapshot))
        self.step('clone')

    def remove(self, pool, name):
        """Remove an image, unless it has snapshots."""
        self.step('remove')
        if self.images[pool.pool, name].snapshots:
            raise Error('has snapshots')
        del self.images[pool.pool, name]


class TakeTest(testtools.TestCase):
    """The calls to Ceph and to the API, and the cleanup."""

    def setUp(self):
        super(TakeTest, self).setUp()
        self.ceph = self.useFixture(Ceph())
        self.log = self.useFixture(fixtures.FakeLogger())
        conf = cfg.ConfigOpts()
        conf([], project='nova_image', default_config_files=[],
             default_config_dirs=[])
        nova_image_conf.register_opts(conf)
        self.api = mock.Mock(spec=['conf', 'create', 'get', 'update'],
                             conf=conf)

    def take(self, image_id='ID', **options):
        """Take a snapshot."""
        return direct_snapshot.take('CONTEXT', DISK, image_id,
                                    {'name': 'taken'}, api=self.api,
                                    **options)

    def assert_nothing_left(self):
        """Assert that Ceph is in its initial state."""
        self.assertEqual([('vms', 'disk')], list(self.ceph.images))
        self.assertEqual({}, self.ceph.disk.snapshots)

    def assert_refused(self, kind, *args, **kwargs):
        """Assert that a snapshot fails and leaves nothing behind."""
        error = self.assertRaises(kind, self.take, *args, **kwargs)
        self.assert_nothing_left()
        return error

    def test_steps(self):
        self.assertIs(self.api.update.return_value, self.take())
        self.assertEqual(sorted(STEPS), sorted(self.ceph.steps))
        self.assertLess(self.ceph.steps.index('flatten'),
                        self.ceph.steps.index('unprotect_snap'))
        self.api.update.assert_called_once_with('CONTEXT', 'ID', {
            'name': 'taken', 'location': URL % 'ID', 'disk_format': 'raw',
            'container_format': 'bare'}, purge_props=False)
        made = self.ceph.images['images', 'ID']
        self.assertEqual((None, {'snap': True}),
                         (made.parent, made.snapshots))
        self.assertEqual({}, self.ceph.disk.snapshots)

    def test_new_image(self):
        self.assertIs(self.api.create.return_value, self.take(None))
        info = self.api.create.call_args[0][1]
        self.assertEqual(URL % info['id'], info['location'])
        self.assertIn(('images', info['id']), self.ceph.images)

    def test_failure_of_each_step(self):
        for step in ('create_snap', 'protect_snap', 'clone', 'flatten'):
            self.ceph.failures[step] = Error('broken')
            error = self.assert_refused(exception.ImageUnacceptable)
            self.assertIn('broken', six.text_type(error))
        self.api.update.assert_not_called()

    def test_failure_after_the_clone(self):
        def flatten():
            self.ceph.failures['protect_snap'] = Error('broken')

        with mock.patch.object(Image, 'flatten', lambda image: flatten()):
            self.assert_refused(exception.ImageUnacceptable)

    def test_missing_permission(self):
        self.ceph.failures['clone'] = Refused('no')
        self.assert_refused(exception.Forbidden)

    def test_location_refused(self):
        for error in (exception.ImageLocationRefused(), exception.Forbidden(),
                      exception.ImageNotFound(), ValueError()):
            self.api.update.side_effect = error
            self.assertIs(error, self.assert_refused(type(error)))

    def test_location_that_may_be_that_of_an_image(self):
        for error in (exception.ImageLocationRefused(in_doubt=True),
                      KeyboardInterrupt()):
            self.ceph.images.pop(('images', 'ID'), None)
            self.api.update.side_effect = error
            self.assertRaises(type(error), self.take)
            self.assertIn(('images', 'ID'), self.ceph.images)

    def test_name_in_use(self):
        theirs = self.ceph.images['images', 'ID'] = Image(self.ceph)
        self.assertRaises(exception.ImageUnacceptable, self.take)
        self.assertIs(theirs, self.ceph.images.pop(('images', 'ID')))
        self.assert_nothing_left()

    def test_clone_that_cannot_be_removed(self):
        """The first error is raised."""
        error = self.api.update.side_effect = exception.Forbidden()
        self.ceph.failures['remove'] = Error('Ceph is down')
        self.assertIs(error, self.assertRaises(type(error), self.take))
        self.assertIn('RBD image images/ID could not be removed: Ceph is '
                      'down', self.log.output)

    def test_snapshot_that_cannot_be_removed(self):
        """The image is still usable."""
        self.ceph.failures['remove_snap'] = Error('Ceph is down')
        self.take()
        self.assertIn('could not be removed: Ceph is down', self.log.output)

    def test_disk_without_parent(self):
        self.ceph.disk.parent = None
        self.api.get.return_value = {'locations': [
            {'url': 'http://elsewhere/image'},
            {'url': 'rbd://other/theirs/base/snap'},
            {'url': 'rbd://%s/im%%20ages/base/snap' % FSID}]}
        self.take(base_image_id='BASE')
        self.api.get.assert_called_once_with('CONTEXT', 'BASE',
                                             include_locations=True)
        self.assertIn(('im ages', 'ID'), self.ceph.images)
        self.assertIn('/im%20ages/ID/',
                      self.api.update.call_args[0][2]['location'])

    def test_unknown_pool(self):
        self.ceph.disk.parent = None
        self.assert_refused(exception.ImageUnacceptable)
        self.api.get.return_value = {'locations': []}
        self.assert_refused(exception.ImageUnacceptable,
                            base_image_id='BASE')

    def test_missing_bindings(self):
        with mock.patch.dict('sys.modules', rados=None):
            error = self.assert_refused(exception.ImageUnacceptable)
        self.assertIn('python3-rbd', six.text_type(error))

    @mock.patch('nova_image.image.api.API')
    def test_new_api_by_default(self, api):
        api.return_value = self.api
        direct_snapshot.take('CONTEXT', DISK, 'ID', {})
        api.assert_called_once_with()
