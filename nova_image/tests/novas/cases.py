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

"""The tests that each release of Nova runs with each of its Glances."""

import contextlib
import os
import pathlib
import re
import subprocess
import typing
import unittest

import requests
import testtools

from nova_image.tests.fixtures import nova_compute
from nova_image.tests.fixtures import nova_process
from nova_image.tests.fixtures import nova_release_api
from nova_image.tests.fixtures import nova_releases
from nova_image.tests.fixtures import nova_virtualenv
from nova_image.tests.fixtures import paths
from nova_image.tests.fixtures import processes
from nova_image.tests.fixtures import services
from nova_image.tests.functional import base
from nova_image.tests.legacy import raw
from nova_image.tests.novas import record
from nova_image.tests.novas import targets

DATA = os.urandom(1024 * 1024)
#: what enables nova_image in nova.conf
_ENABLED: services.Sections = {
    'DEFAULT': {'config_source': 'nova_image'},
    'nova_image': {'driver': 'nova_image'}}
_PROPERTIES = {'os_type': 'linux'}


class NovaCase(testtools.TestCase):
    """One program of one release of Nova, started in one way.

    All tests of a class share the program. The result is recorded when the
    last one has ended.

    :cvar release: the release of Nova
    :cvar start: how the program starts
    :cvar target: the Glance
    """

    release: nova_releases.Release
    start: nova_releases.Start
    target: targets.Target
    virtualenv: nova_virtualenv.NovaVirtualenv
    _stack: contextlib.ExitStack
    _result: str

    @classmethod
    def setUpClass(cls) -> None:
        """Start the program."""
        super().setUpClass()
        cls._result = record.PASSED
        with contextlib.ExitStack() as stack:
            cls.virtualenv = stack.enter_context(cls.release.virtualenv())
            try:
                cls.begin(stack)
            except unittest.SkipTest:
                raise
            except Exception:
                cls._record(record.FAILED)
                raise
            cls._stack = stack.pop_all()

    @classmethod
    def begin(cls, stack: contextlib.ExitStack) -> None:
        """Start the program.

        :param stack: stops it in the end
        """
        raise NotImplementedError

    @classmethod
    def tearDownClass(cls) -> None:
        """Stop the program, and record the result."""
        cls._stack.close()
        cls._record(cls._result)
        super().tearDownClass()

    @classmethod
    def _record(cls, result: str) -> None:
        record.write(nova_releases.key(cls.release, cls.start, cls.target.api),
                     result, cls.virtualenv)

    @classmethod
    def sections(cls) -> services.Sections:
        """Return the program's configuration."""
        found = cls.target.sections()
        if cls.start.way_in == nova_releases.CONFIG_DRIVER:
            found = paths.merge(found, _ENABLED)
        return paths.merge(found, {'DEFAULT': {'transport_url': 'fake:///'}})

    def setUp(self) -> None:
        """Note if the test fails."""
        super().setUp()
        self.addOnException(self._failed)
        self.images = self.target.images()

    @classmethod
    def _failed(cls, exc_info: typing.Any) -> None:
        if not issubclass(exc_info[0], unittest.SkipTest):
            cls._result = record.FAILED

    def new_image(self) -> str:
        """Return the ID of a new image of the user."""
        made = self.images.create(raw.Spec(
            name='an image', data=DATA, properties=_PROPERTIES))
        self.addCleanup(self._remove, made)
        return made

    def _remove(self, image: str) -> None:
        with contextlib.suppress(AssertionError):  # it is gone
            self.images.delete(image)

    def check_announced(self, log: str) -> None:
        """Check the line that names the driver.

        :param log: the log of the program
        """
        self.assertEqual(1, len(re.findall(
            r'nova_image \S+: the driver %s serves the images of \S+, Nova %s'
            % (self.target.driver, re.escape(self.release.version)), log)))


class ApiCase(NovaCase):
    """The images proxy of nova-api."""

    api: nova_release_api.Application | nova_release_api.Command

    @classmethod
    def begin(cls, stack: contextlib.ExitStack) -> None:
        """Start nova-api."""
        cls.api = stack.enter_context(nova_release_api.api(
            cls.virtualenv, cls.start, cls.sections()))

    def ask(self, method: str, path: str, status: int = 200,
            microversion: str = '2.35', **kwargs: typing.Any
            ) -> requests.Response:
        """Make a request to nova-api, and check its status."""
        answer = self.target.client(self.api.url, microversion).request(
            path, method, raise_exc=False, **kwargs)
        self.assertEqual(status, answer.status_code, answer.text)
        return answer

    def test_driver_is_named(self) -> None:
        """One line in the log names the driver."""
        log = self.api.log.read_text(errors='replace')
        self.check_announced(log)
        if self.start.application:  # the command always runs with eventlet
            self.assertIn('Patched by eventlet: %s' % (
                self.start.threading == nova_releases.EVENTLET), log)

    def test_images_are_listed_and_shown(self) -> None:
        """With and without details, at the first and last microversion."""
        image = self.new_image()
        for microversion in '2.1', '2.35':
            shown = self.ask('GET', '/images/' + image,
                             microversion=microversion).json()['image']
            self.assertEqual(
                (image, 'an image', 'ACTIVE', _PROPERTIES),
                tuple(shown[name] for name in (
                    'id', 'name', 'status', 'metadata')))
            for path, expected in (
                    ('/images', 'an image'), ('/images/detail', shown)):
                found = {one['id']: one for one in self.ask(
                    'GET', path, microversion=microversion).json()['images']}
                self.assertEqual(expected, found[image]['name'] if
                                 path == '/images' else found[image])

    def test_metadata(self) -> None:
        """Metadata is read, added, changed and removed."""
        path = '/images/%s/metadata' % self.new_image()
        self.ask('POST', path, json={'metadata': {'added': 'x'}})
        self.ask('PUT', path + '/added', json={'meta': {'added': 'y'}})
        self.ask('DELETE', path + '/os_type', 204)
        self.assertEqual({'added': 'y'},
                         self.ask('GET', path).json()['metadata'])

    def test_delete(self) -> None:
        """A deleted image is not found."""
        path = '/images/' + self.new_image()
        self.ask('DELETE', path, 204)
        self.ask('GET', path, 404)

    def test_proxy_ends_with_microversion_2_35(self) -> None:
        """A later microversion does not have it."""
        self.ask('GET', '/images', 404, '2.36')


class ComputeCase(NovaCase):
    """The images of nova-compute."""

    compute: nova_compute.NovaCompute

    @classmethod
    def begin(cls, stack: contextlib.ExitStack) -> None:
        """Start nova-compute."""
        cls.compute = stack.enter_context(nova_compute.NovaCompute(
            cls.virtualenv, cls.start, paths.merge(cls.sections(), {
                'DEFAULT': {'compute_driver': 'libvirt.LibvirtDriver'},
                # Damaged data is requested again, after a wait.
                'glance': {'num_retries': '1'}})))

    def setUp(self) -> None:
        """Create a folder."""
        super().setUp()
        self.path = pathlib.Path(
            self.useFixture(base.folder()).path) / 'disk'

    def call(self, function: str, **kwargs: typing.Any) -> typing.Any:
        """Call a function of compute_calls.py as the user."""
        return self.compute.call_as(
            self.target.context(), 'compute_calls.' + function, **kwargs)

    def check_data(self, found: bytes) -> None:
        """Compare data with that of the images, without showing it."""
        self.assertTrue(found == DATA, '%d bytes instead of %d' % (
            len(found), len(DATA)))

    def test_driver_serves_nova(self) -> None:
        """The process has the driver and the threading of the table."""
        self.assertEqual(
            {'driver': self.target.driver,
             'service': 'nova_image.host.service',
             'patched': self.start.threading == nova_releases.EVENTLET},
            self.call('host'))
        self.check_announced(self.compute.log)

    def test_image_is_shown(self) -> None:
        """As a dictionary, and as Nova's object."""
        image = self.new_image()
        self.assertEqual(
            {'id': image, 'name': 'an image', 'size': len(DATA),
             'status': 'active', 'disk_format': 'raw', 'os_type': 'linux'},
            self.call('show', image=image))

    def test_download(self) -> None:
        """The file has the data of the image."""
        self.call('fetch', image=self.new_image(), path=str(self.path))
        self.check_data(self.path.read_bytes())

    def test_damaged_data_is_not_used(self) -> None:
        """Data that does not match what Glance recorded."""
        image = self.new_image()
        with self.target.stored(image).open('r+b') as stored:
            stored.write(b'other data')
        error = self.assertRaises(nova_process.NovaError, self.call, 'fetch',
                                  image=image, path=str(self.path))
        self.assertIn('of the data is not the recorded one', str(error))
        self.assertFalse(self.path.exists())

    def test_snapshot(self) -> None:
        """A snapshot is created, uploaded, and deleted again."""
        self.path.write_bytes(DATA)
        image = self.call('create', name='a snapshot')
        self.addCleanup(self._remove, image)
        self.call('snapshot', image=image, path=str(self.path))
        shown = self.call('show', image=image)
        self.assertEqual(('a snapshot', 'active', len(DATA)), tuple(
            shown[name] for name in ('name', 'status', 'size')))
        self.check_data(self.images.data(image))
        self.call('delete', image=image)
        error = self.assertRaises(nova_process.NovaError, self.call, 'show',
                                  image=image)
        self.assertEqual('ImageNotFound', error.kind)


class ConfiguredComputeCase(ComputeCase):
    """The images of nova-compute, whose own command loads nova_image."""

    def test_check(self) -> None:
        """``nova-image-run --check`` predicts the driver."""
        programs = self.virtualenv.bin
        done = subprocess.run(
            [programs / 'nova-image-run', '--check', programs / 'nova-compute',
             '--config-file', self.compute.folder / 'nova.conf'],
            env=processes.clean_environment(
                {**self.virtualenv.bytecode, **self.start.env}),
            capture_output=True, text=True, check=False)
        self.assertEqual((0, 'nova-compute runs with the driver %s of'
                          % self.target.driver),
                         (done.returncode, done.stdout.rpartition(
                             ' nova_image ')[0]), done.stderr)


def classes(target: targets.Target, module: str) -> dict[str, type[NovaCase]]:
    """Return the test classes of the releases that use a Glance.

    :param target: the Glance
    :param module: the name of the module for the classes
    :returns: name -> class
    """
    made = {}
    for release in nova_releases.RELEASES:
        if (release.glance != target.glance or
                target.api not in release.apis):
            continue
        for start in release.starts:
            case = _case(start)
            name = 'Nova%d%s%s%s%sTest' % (
                release.number,
                start.program.rpartition('nova-')[2].title().replace(' ', ''),
                start.threading.title(),
                'Launched' if start.way_in == nova_releases.LAUNCHER else '',
                target.api.upper())
            made[name] = type(name, (case,), {
                'release': release, 'start': start, 'target': target,
                '__module__': module, '__doc__': case.__doc__})
    return made


def _case(start: nova_releases.Start) -> type[NovaCase]:
    if start.program != nova_releases.COMPUTE:
        return ApiCase
    if start.way_in == nova_releases.LAUNCHER:
        return ComputeCase
    return ConfiguredComputeCase
