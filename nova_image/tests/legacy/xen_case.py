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

"""Nova 15's XenAPI driver with our store and our plugin for dom0.

Nova's driver, os-xenapi and the plugin are real; XenAPI is Nova's own fake.
"""

import typing

import testtools

from nova_image.tests import fixtures
from nova_image.tests.fixtures import dom0
from nova_image.tests.fixtures import faults
from nova_image.tests.fixtures import legacy
from nova_image.tests.fixtures import nova_process
from nova_image.tests.fixtures import nova_virtualenv
from nova_image.tests.legacy import clouds
from nova_image.tests.legacy import raw

#: nothing listens there
_NOBODY = 'http://127.0.0.1:9'
_MISSING = '5bd3a9b6-1c2f-4b8e-9d07-000000000000'
_LEVEL = 5


def nova(url: str, use_v1: bool = False) -> nova_process.NovaProcess:
    """Return Nova's XenAPI driver; it is not started yet.

    :param url: the URL of Glance
    :param use_v1: the option ``[glance] use_glance_v1``
    """
    return nova_process.NovaProcess(
        nova_virtualenv.legacy_virt_drivers(legacy.require_python27()),
        {
            'DEFAULT': {'compute_driver': 'xenapi.XenAPIDriver',
                        'use_neutron': 'false', 'firewall_driver':
                        'nova.virt.firewall.NoopFirewallDriver'},
            'api': {'auth_strategy': 'noauth2'},
            'glance': {'api_servers': url, 'use_glance_v1': str(use_v1),
                       'num_retries': '2'},
            'xenserver': {
                'image_upload_handler':
                    'nova_image.virt.xenapi.store.GlanceStore',
                'image_compression_level': str(_LEVEL),
                'connection_url': 'http://127.0.0.1',
                'connection_password': 'x'}})


class XenCase(testtools.TestCase):
    """The tests that all Glances share.

    :cvar data_path: text in the path of an image's data
    :cvar puts_before_data: requests like that for an upload, but before it
    :ivar nova: the process with Nova's driver
    :ivar images: a plain HTTP client of the Glance
    """

    data_path = '/file'
    puts_before_data = 0

    nova: nova_process.NovaProcess
    images: raw.Images
    url: str

    def use(self, nova: nova_process.NovaProcess, images: raw.Images,
            url: str) -> None:
        """Use a Nova, and start its driver on a new dom0.

        :param nova: the process with Nova's driver
        :param images: a client of the Glance
        :param url: its URL
        """
        self.nova, self.images, self.url = nova, images, url
        self.old_dom0 = self.new_dom0(legacy.require_python27())
        self.configure(url)
        self.start(self.old_dom0)

    def configure(self, *urls: str, num_retries: int = 2) -> None:
        """Use these servers of Glance."""
        self.nova.call('options.configure', api_servers=urls,
                       num_retries=num_retries)

    def new_dom0(self, python: str | None = None) -> dom0.Dom0:
        """Return a dom0, on the running Python by default."""
        return self.useFixture(
            dom0.Dom0(python) if python else dom0.Dom0())

    def start(self, where: dom0.Dom0) -> None:
        """Start Nova's driver on a dom0; the plugin's version is asked."""
        self.assertEqual(['get_version'],
                         self.nova.call('xen15.start', **where.program()))

    def new_image(self, **spec: typing.Any) -> str:
        """Return the ID of a new image without data, of this project."""
        made = self.images.create(raw.Spec(**{
            'data': None, 'properties': {'image_type': 'snapshot'}, **spec}))
        self.addCleanup(self.images.delete, made)
        return made

    def shown(self, image: str) -> dict[str, typing.Any]:
        """Return an image: its fields, and its properties."""
        raise NotImplementedError

    def properties(self, image: str) -> dict[str, str]:
        """Return the custom properties of an image."""
        raise NotImplementedError

    def upload(self, image: str, *vhds: str) -> tuple[list[str], list[str]]:
        """Take a snapshot of a server with these VHDs, the leaf first.

        :returns: the plugin's calls, and the server's faults
        """
        calls, seen = self.nova.call('xen15.upload', clouds.PROJECT,
                                     image=image, vhds=vhds)
        return calls, seen

    def download(self, image: str, *uuids: str) -> typing.Any:
        """Download an image into the dom0; return what Nova gets."""
        vdis, self.calls, self.faults = self.nova.call(
            'xen15.download', clouds.PROJECT, image=image, uuids=uuids)
        return vdis

    def fails(self, kind: str, function: str, *args: typing.Any) -> None:
        """Check the exception of Nova that a transfer raises."""
        error = self.assertRaises(nova_process.NovaError,
                                  getattr(self, function), *args)
        self.assertEqual(kind, error.kind, error)

    def test_there_and_back(self) -> None:
        """From a dom0 with Python 2.7 to one with Python 3, and back."""
        new_dom0 = self.new_dom0()
        vhd = self.old_dom0.make_vhd('a', 3000000).read_bytes()
        first, second = (self.new_image(public=True) for _ in range(2))
        before = self.shown(first)
        self.assertEqual((['upload_vhd'], []), self.upload(first, 'a'))
        self.start(new_dom0)
        self.assertEqual({'root': {'uuid': 'b'}}, self.download(first, 'b'))
        self.assertEqual(['download_vhd'], self.calls)
        self.assertEqual({'b.vhd': vhd}, new_dom0.contents)
        self.upload(second, 'b')
        self.start(self.old_dom0)
        self.download(second, 'c')
        self.assertEqual({'a.vhd': vhd, 'c.vhd': vhd},
                         self.old_dom0.contents)
        self.check_record(before, self.shown(first))
        for image in first, second:
            self.assertEqual({
                'image_type': 'snapshot', 'auto_disk_config': 'True',
                'os_type': 'windows',
                'xenapi_image_compression_level': str(_LEVEL)},
                self.properties(image))

    def check_record(self, before: dict[str, typing.Any],
                     after: dict[str, typing.Any]) -> None:
        """Compare an image before and after an upload."""
        self.assertEqual(
            dict(before, status='active', disk_format='vhd',
                 container_format='ovf'),
            {name: after[name] for name in before})

    def test_chain(self) -> None:
        """A chain of VHDs keeps its order."""
        for name in 'leaf', 'middle', 'base':
            self.old_dom0.make_vhd(name)
        image = self.new_image()
        self.upload(image, 'leaf', 'middle', 'base')
        self.assertEqual({'root': {'uuid': 'x'}},
                         self.download(image, 'z', 'y', 'x'))
        contents = self.old_dom0.contents
        for new, old in (('x', 'leaf'), ('y', 'middle'), ('z', 'base')):
            self.assertEqual(contents[old + '.vhd'][1024:],
                             contents[new + '.vhd'][1024:])

    def test_next_server(self) -> None:
        """A server that is down is tried once at most."""
        self.configure(_NOBODY, self.url)
        self.old_dom0.make_vhd('a')
        image = self.new_image()
        for calls, seen in (self.upload(image, 'a'),
                            (self.download(image, 'b'), None)):
            if seen is None:
                calls, seen = self.calls, self.faults
            self.assertLessEqual(len(calls), 2)
            self.assertEqual(['Failure'] * (len(calls) - 1), seen)

    def test_lost_answer(self) -> None:
        """An upload whose answer is lost is a success anyway."""
        for retries in 2, 0:
            self.check_lost_answer(retries)

    def check_lost_answer(self, retries: int) -> None:
        """Lose the answer to an upload.

        :param retries: how often it may be tried again
        """
        proxy = self.useFixture(fixtures.FaultyProxy(self.url))
        proxy.plan(*[None] * self.puts_before_data, faults.LostAnswer(),
                   path=self.data_path, method='PUT')
        self.old_dom0.make_vhd('a')
        image = self.new_image()
        self.configure(proxy.url, num_retries=retries)
        self.assertEqual((['upload_vhd'], ['Failure']),
                         self.upload(image, 'a'))
        self.assertEqual(0, proxy.left)
        self.assertEqual('active', self.shown(image)['status'])

    def test_missing_image(self) -> None:
        """It is not tried again, whoever finds that out."""
        self.fails('ImageNotFound', 'download', _MISSING, 'b')
        self.fails('ImageNotFound', 'upload', _MISSING, 'a')
        self.assertEqual([[], []], self.nova.call('xen15.happened'))
        proxy = self.useFixture(fixtures.FaultyProxy(self.url))
        proxy.plan(faults.Status(404), path=self.data_path, method='GET')
        image = self.new_image(data=b'gone before dom0 asks for it')
        self.configure(proxy.url)
        self.fails('ImageNotFound', 'download', image, 'b')
        self.assertEqual([['download_vhd'], []],
                         self.nova.call('xen15.happened'))
        self.assertEqual({}, self.old_dom0.contents)

    def test_image_with_data(self) -> None:
        """An upload never changes an image that has data."""
        self.old_dom0.make_vhd('a')
        image = self.new_image(data=b'data')
        before = self.shown(image)
        self.fails('ImageBadRequest', 'upload', image, 'a')
        self.assertEqual(before, self.shown(image))
        self.assertEqual([[], []], self.nova.call('xen15.happened'))

    def test_plugin_is_missing(self) -> None:
        """Nova-compute does not start then."""
        where = dict(self.old_dom0.program(), argv=[])
        error = self.assertRaises(nova_process.NovaError, self.nova.call,
                                  'xen15.start', **where)
        self.assertIn('Install the plugin', str(error))


class V2Case(XenCase):
    """What a test through v2 reads."""

    def shown(self, image: str) -> dict[str, typing.Any]:
        """Return the fields of an image that must not change."""
        found = self.images.http.ask('GET', self.images.path(image)).json()
        return {name: found[name] for name in (
            'name', 'owner', 'visibility', 'protected', 'min_disk', 'status',
            'disk_format', 'container_format', 'tags')}

    def properties(self, image: str) -> dict[str, str]:
        """Return the custom properties of an image."""
        found = self.images.http.ask('GET', self.images.path(image)).json()
        return {name: found[name] for name in found
                if '-' in name or name.startswith((
                    'image_', 'auto', 'os_t', 'xenapi'))}
