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

"""Tests of imports that Glance converts, and of killed Glances."""

import gzip
import pathlib
import typing

from nova_image.image import import_result
from nova_image.tests import fixtures
from nova_image.tests.fixtures import debian
from nova_image.tests.fixtures import processes
from nova_image.tests.functional import base
from nova_image.tests.functional import import_case as case
from nova_image.tests.functional import servers
from nova_image.tests.functional import web_source

META = case.META
QCOW2 = META | {'disk_format': 'qcow2'}
MIB = 1024 * 1024
#: MiB; large enough for a store to be observed while it works
LARGE = 128


def qcow2(test: base.FunctionalTest, size: str = '1M') -> bytes:
    """Return an empty disk in the format qcow2.

    :param size: the disk's size, as qemu-img accepts it
    """
    debian.require(['qemu-utils'])
    folder = pathlib.Path(test.useFixture(base.folder()).path)
    path = folder / 'disk.qcow2'
    processes.run(['qemu-img', 'create', '-q', '-f', 'qcow2', str(path), size],
                  folder / 'log', processes.clean_environment())
    return path.read_bytes()


@servers.once
def converting() -> fixtures.Glance:
    """Glance that converts all images to raw and adds a property."""
    debian.require(['qemu-utils'])
    return fixtures.Glance(options=PLUGINS)


PLUGINS = {
    'image_import_opts': {
        'image_import_plugins': '[image_conversion, inject_image_metadata]'},
    'image_conversion': {'output_format': 'raw'},
    'inject_metadata_properties': {'ignore_user_roles': 'admin',
                                   'inject': 'os_checked:yes'}}


@servers.once
def decompressing() -> fixtures.Glance:
    """Glance that decompresses all images."""
    return fixtures.Glance(options={'image_import_opts': {
        'image_import_plugins': '[image_decompression]'}})


class DecompressionTest(case.ImportCase):
    """Compressed data that Glance decompresses; its formats do not change."""

    server = staticmethod(decompressing)

    def test_decompression_is_reported(self) -> None:
        data = bytes(MIB)
        sent = gzip.compress(data)
        result = self.create('glance-direct', data=sent)
        self.assertIs(import_result.Converted, type(result))
        self.assertEqual({'size': (len(sent), MIB)}, result.changes)
        self.assertEqual(data, self.raw.data(result.image_id))

    def test_decompression_of_an_upload(self) -> None:
        driver = self.make_driver(import_uploads=True)
        image = driver.create(self.ctx, META, gzip.compress(bytes(MIB)))
        self.assertEqual(('active', MIB), (image['status'], image['size']))


class ConversionTest(case.ImportCase):
    """Data that Glance converts; the result reports the changes."""

    server = staticmethod(converting)

    def test_conversion_is_reported(self) -> None:
        result = self.create('glance-direct', QCOW2, data=qcow2(self))
        self.assertIs(import_result.Converted, type(result))
        self.assertEqual({'disk_format': ('qcow2', 'raw'),
                          'os_checked': (None, 'yes')}, result.changes)
        self.assertEqual((MIB, 'raw'),
                         (result.size, result.image['disk_format']))
        self.assertEqual(bytes(MIB), self.raw.data(result.image_id))
        self.assertEqual([], self.glance.staged)

    def test_conversion_of_a_web_download(self) -> None:
        self.web.data = qcow2(self)
        result = self.create('web-download', QCOW2,
                             uri=self.web.url + '/whole',
                             os_hash_algo='sha512', os_hash_value='0' * 128)
        self.assertIs(import_result.Converted, type(result))
        self.assertEqual(MIB, result.size)

    def test_added_property_is_reported(self) -> None:
        result = self.create('glance-direct', data=case.DATA)
        self.assertIs(import_result.Converted, type(result))
        self.assertEqual(['os_checked'], list(result.changes))
        self.assertEqual(case.SHA512, result.hash[1])

    def test_data_in_another_format_than_declared(self) -> None:
        self.assertFailed(self.create('glance-direct', QCOW2,
                                      data=case.DATA), 'fast')

    def test_conversion_of_an_upload(self) -> None:
        driver = self.make_driver(import_uploads=True)
        image = driver.create(self.ctx, QCOW2, qcow2(self))
        self.assertEqual(('active', 'raw', MIB, 'yes'), (
            image['status'], image['disk_format'], image['size'],
            image['properties']['os_checked']))
        self.assertIn('has changed disk_format, os_checked', self.log.text)


class KillCase(base.FunctionalTest):
    """A Glance that is killed during an import, which must not succeed."""

    plugins: dict[str, dict[str, str]] = {}

    def setUp(self) -> None:
        """Start a Glance that only this test uses."""
        super().setUp()
        self.glance = self.useFixture(fixtures.Glance(
            stores={'fast': 'file', 'slow': 'file'}, options=self.plugins))
        self.raw = servers.RawGlance(self.glance.url)
        self.killed = False

    def create(self, meta: dict[str, typing.Any], method: str,
               when: typing.Callable[[import_result.Seen], bool],
               again: bool, **options: typing.Any) -> typing.Any:
        """Import, and kill Glance during the import.

        :param when: returns whether to kill it now
        :param again: whether to start it again once it is found missing
        """
        def progress(seen: import_result.Seen) -> None:
            if not self.killed and when(seen):
                self.killed = True
                self.glance.kill()
            elif again and seen.state == 'unknown':
                self.glance.start()

        # An import does not continue after a restart, so a short stall timeout
        # is enough.
        driver = base.make_driver('v2', [self.glance.url], {
            'num_retries': 0, 'import_stall_timeout': 3 if again else 0})
        _, result = driver.create_via_import(
            self.context(), meta, method, progress=progress,
            timeout=60 if again else 3, **options)
        self.assertTrue(self.killed)
        self.assertIs(import_result.TimedOut, type(result))
        self.assertEqual(('stalled', True) if again else ('deadline', False),
                         (result.reason, result.cleaned))
        return result

    def assertGone(self) -> None:
        """Check that neither images nor staged data are left."""
        self.assertEqual([], self.raw.images())
        self.assertEqual([], self.glance.staged)


class KillTest(KillCase):
    """Glance is killed while it downloads or stores data."""

    def download(self, again: bool) -> typing.Any:
        """Kill Glance during a download; return the result."""
        web = self.useFixture(web_source.WebSource(case.DATA))

        def half(seen: import_result.Seen) -> bool:
            return seen.state == 'importing' and web.begun.wait(60)

        return self.create(META, 'web-download', half, again,
                           uri=web.url + '/held')

    def test_glance_that_stays_away(self) -> None:
        result = self.download(again=False)
        self.assertEqual(('unknown', 'importing', ['fast']), (
            result.seen.state, result.seen.status, result.seen.waiting))
        self.glance.start()
        self.raw.wipe()
        self.assertGone()

    def test_glance_that_is_started_again(self) -> None:
        result = self.download(again=True)
        self.assertEqual(('importing', ['fast']),
                         (result.seen.state, result.seen.waiting))
        self.assertGone()

    def test_glance_killed_between_two_stores(self) -> None:
        result = self.create(
            META, 'glance-direct', lambda seen: seen.waiting == ['slow'],
            again=True, data=(bytes(MIB) for _ in range(LARGE)),
            stores=['fast', 'slow'], all_stores_must_succeed=False)
        self.assertEqual(['fast'], result.seen.stores)
        self.assertGone()


class KillConversionTest(KillCase):
    """Glance is killed while a plugin converts the staged data."""

    plugins = PLUGINS

    def test_glance_killed_during_a_conversion(self) -> None:
        """The next start of Glance removes the incomplete output."""
        def converting(seen: import_result.Seen) -> bool:
            if seen.state == 'importing':
                self.wait_for(lambda: any(
                    name.endswith('.raw') for name in self.glance.staged),
                    'converting')
            return seen.state == 'importing'

        self.create(QCOW2, 'glance-direct', converting, again=True,
                    data=qcow2(self, '40G'))
        self.assertEqual([], self.raw.images())
        self.glance.stop()
        self.glance.start()
        self.wait_for(lambda: not self.glance.staged, 'swept')
