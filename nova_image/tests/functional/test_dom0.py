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

"""Images through the plugin for dom0, there and back."""

import io
import tarfile
import typing

from nova_image.tests.fixtures import legacy
from nova_image.tests.functional import base
from nova_image.tests.functional import dom0_case
from nova_image.tests.functional import servers


class WayTest:
    """What a dom0 uploads, another dom0 downloads."""

    def python(self) -> str | None:
        """Return the Python of both."""
        return None

    def test_one_vhd(self: typing.Any) -> None:
        first, second = (self.make_dom0(self.python()) for _ in range(2))
        vhd = first.make_vhd('a', 3000000).read_bytes()
        image = self.new_image()
        sent = self.send(first, image, 'a')
        self.assert_recorded(image, sent)
        self.assertEqual('active', self.raw.image(image)['status'])
        came = self.fetch(second, image, 'other', 'new')
        self.assertEqual({'uuid': 'new'}, came['root'])
        self.assert_recorded(image, came)
        self.assertEqual({'new.vhd': vhd}, second.contents)
        self.assertEqual({'a.vhd': vhd}, first.contents)

    def test_a_chain(self: typing.Any) -> None:
        first, second = (self.make_dom0(self.python()) for _ in range(2))
        for name in ('leaf', 'middle', 'base'):
            first.make_vhd(name)
        before = first.contents
        image = self.new_image()
        self.send(first, image, 'leaf', 'middle', 'base',
                  compression_level=1)
        with tarfile.open(fileobj=io.BytesIO(self.raw.data(image))) as tar:
            self.assertEqual({'.', './0.vhd', './1.vhd', './2.vhd'},
                             set(tar.getnames()))
        came = self.fetch(second, image, 'z', 'y', 'x')
        self.assertEqual({'uuid': 'x'}, came['root'])
        after = second.contents
        self.assertEqual({'x.vhd', 'y.vhd', 'z.vhd'}, set(after))
        for new, old in (('x', 'leaf'), ('y', 'middle'), ('z', 'base')):
            old_data, data = before[old + '.vhd'], after[new + '.vhd']
            self.assertEqual(old_data[:512] + old_data[1024:],
                             data[:512] + data[1024:])
        self.assertEqual(b'./y.vhd', after['x.vhd'][512:1024].strip(b'\0'))
        self.assertEqual(before, first.contents)

    def test_image_must_be_queued(self: typing.Any) -> None:
        image = self.new_image(b'data')
        where = self.make_dom0(self.python())
        where.make_vhd('a')
        said = self.fails('PluginError', self.send, where, image, 'a')
        self.assertIn('not queued, but active', said)
        self.assertEqual(b'data', self.raw.data(image))
        self.assertEqual(['a.vhd'], list(where.contents))

    def test_missing_image(self: typing.Any) -> None:
        where = self.make_dom0(self.python())
        where.make_vhd('a')
        missing = base.new_id()
        said = self.fails('ImageNotFound', self.fetch, where, missing, 'u')
        self.assertIn('404', said)
        self.fails('ImageNotFound', self.send, where, missing, 'a')
        self.assertEqual(['a.vhd'], list(where.contents))


class OnGlance33Test(WayTest, dom0_case.Dom0Test):
    """With v2 of Glance 33, on this Python."""


class Python27OnGlance33Test(OnGlance33Test):
    """With v2 of Glance 33, on Python 2.7."""

    def python(self) -> str | None:
        """Return Python 2.7."""
        return legacy.require_python27()

    def test_version(self) -> None:
        for python in (None, self.python()):
            self.assertEqual('1.0', self.make_dom0(python).call(
                'get_version'))

    def test_unknown_arguments(self) -> None:
        said = self.fails('PluginError', self.dom0.call, 'download_vhd',
                          surprise=1)
        self.assertIn('surprise', said)


class V2OnGlance15Test(WayTest, dom0_case.Dom0Test):
    """With v2 of Glance 15."""

    def glance(self) -> typing.Any:
        """Return Glance 15."""
        return servers.glance15()

    def python(self) -> str | None:
        """Return Python 2.7."""
        return legacy.require_python27()
