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

"""What the tests of the plugin for dom0 share: requests, and images.

The plugin runs as a process, on this Python and on Python 2.7. It is called
with requests as the drivers describe them.
"""

import gzip
import io
import tarfile
import typing

from nova_image.tests import fixtures
from nova_image.tests.fixtures import dom0
from nova_image.tests.functional import base
from nova_image.tests.functional import servers

Request = dict[str, typing.Any]

#: seconds
TIMEOUT = 30


def archive(**files: bytes) -> bytes:
    """Return an image with these files.

    :param files: the data of each file; ``a_vhd`` is the file ``a.vhd``
    """
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode='w') as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name.replace('_', '.').lstrip('n'))
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return gzip.compress(made.getvalue(), 1)


def linked(vhd: bytes, target: str) -> bytes:
    """Return an image with a VHD and a symbolic link."""
    return _with(vhd, 'link.vhd', type=tarfile.SYMTYPE, linkname=target)


def outside(vhd: bytes) -> bytes:
    """Return an image with a VHD and a file outside of its folder."""
    return _with(vhd, '../mine.vhd', size=0)


def _with(vhd: bytes, name: str, **fields: typing.Any) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode='w') as tar:
        first, second = tarfile.TarInfo('0.vhd'), tarfile.TarInfo(name)
        first.size = len(vhd)
        tar.addfile(first, io.BytesIO(vhd))
        for field, value in fields.items():
            setattr(second, field, value)
        tar.addfile(second)
    return gzip.compress(made.getvalue(), 1)


def unpacked(image: bytes) -> dict[str, bytes]:
    """Return the files of an image.

    :raises Exception: if it is not whole
    """
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(image))) as tar:
        found = {one.name: tar.extractfile(one) for one in tar.getmembers()
                 if one.isfile()}
        return {name: file.read() for name, file in found.items() if file}


def download_v2(url: str, image: str) -> Request:
    """Return the request for an image's data through v2."""
    return {'url': '%s/v2/images/%s/file' % (url, image)}


def upload_v2(url: str, image: str) -> Request:
    """Return the request for an upload through v2."""
    return {
        'url': '%s/v2/images/%s/file' % (url, image), 'method': 'PUT',
        'headers': {'Content-Type': 'application/octet-stream'},
        'expects': [204], 'hash': 'sha512',
        'check': {'url': '%s/v2/images/%s' % (url, image), 'method': 'GET',
                  'header': None, 'field': 'status', 'expects': 'queued'}}


class Dom0Test(base.FunctionalTest):
    """A Glance, and a dom0.

    :cvar download: returns the request for the data of an image
    :cvar upload: returns the request for an upload
    :ivar dom0: a dom0 with Python 2.7, if there is one
    """

    download = staticmethod(download_v2)
    upload = staticmethod(upload_v2)

    def setUp(self) -> None:
        """Find the Glance."""
        super().setUp()
        self.server = self.glance()
        self.raw = self.raw_glance(self.server.url)
        self.dom0 = self.make_dom0(fixtures.find_python27())

    def glance(self) -> fixtures.Service:
        """Return the Glance to test against."""
        return servers.glance33()

    def make_dom0(self, python: str | None = None) -> dom0.Dom0:
        """Return a new dom0.

        :param python: its interpreter; the running one if None
        """
        return self.useFixture(
            dom0.Dom0(python) if python else dom0.Dom0())

    def request(self, action: str, image: str, url: str | None = None
                ) -> Request:
        """Return a request of the caller in this test.

        :param action: ``download`` or ``upload``
        :param url: that of Glance, or of a proxy
        """
        made: Request = getattr(self, action)(url or self.server.url, image)
        identity = servers.headers_of(self.project, 'member', 'reader')
        for one in (made, made.get('check', {})):
            one['headers'] = one.get('headers', {}) | identity | {
                'X-Auth-Token': None}
            one.update(insecure=False, timeout=TIMEOUT)
        if not made.get('check'):
            made.pop('check', None)
        return made

    def new_image(self, data: bytes | None = None) -> str:
        """Return the ID of a new image of VHDs."""
        return self.raw.create(
            data, owner=self.project, disk_format='vhd',
            container_format='ovf')['id']

    def checksum(self, image: str) -> dict[str, typing.Any]:
        """Return what nova-compute knows about an image's data."""
        for shown in self.raw.find(image):
            return {'md5': shown['checksum'], 'size': shown['size'],
                    'algorithm': shown.get('os_hash_algo'),
                    'value': shown.get('os_hash_value')}
        return {'md5': None, 'size': None}

    def assert_recorded(self, image: str, moved: dict[str, typing.Any]
                        ) -> None:
        """Compare an answer of the plugin with what Glance recorded."""
        known = self.checksum(image)
        self.assertEqual((known['md5'], known['size']),
                         (moved['md5'], moved['size']))
        if known['algorithm']:
            self.assertEqual(known['value'],
                             moved['hashes'][known['algorithm']])

    def fetch(self, where: dom0.Dom0, image: str, *uuids: str,
              url: str | None = None, **more: typing.Any) -> typing.Any:
        """Download an image into a dom0.

        :param uuids: for the VHDs, the base first
        """
        return where.call('download_vhd', **{
            'request': self.request('download', image, url),
            'uuid_stack': list(uuids), 'sr_path': str(where.sr),
            'checksum': self.checksum(image)} | more)

    def send(self, where: dom0.Dom0, image: str, *uuids: str,
             url: str | None = None, **more: typing.Any) -> typing.Any:
        """Upload VHDs of a dom0, the leaf first."""
        return where.call('upload_vhd', **{
            'request': self.request('upload', image, url),
            'vdi_uuids': list(uuids), 'sr_path': str(where.sr),
            'compression_level': None} | more)

    def fails(self, kind: str, call: typing.Any, *args: typing.Any,
              **kwargs: typing.Any) -> str:
        """Check the class of the error of a call, and return its text."""
        error = self.assertRaises(dom0.PluginFailure, call, *args, **kwargs)
        self.assertEqual((4, 'XENAPI_PLUGIN_FAILURE', kind), (
            len(error.details), error.details[0], error.details[2]),
            error.details)
        return error.details[3]
