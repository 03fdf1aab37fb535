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


"""Empty images through v2, on servers with different configurations."""

import functools
import typing

from nova_image.image import driver
from nova_image.tests import fixtures
from nova_image.tests.functional import base
from nova_image.tests.functional import empty_images
from nova_image.tests.functional import servers
from nova_image.tests.functional import test_v2

_ADVICE = ['does not match stream data raw', 'set disk_format to raw',
           '[image_format] disk_formats', 'require_image_format_match']


class OwnGlance:
    """The v2 driver on a server that only one test uses."""

    #: options of ``[image_format]``
    settings: dict[str, str]

    @functools.cached_property
    def server(self) -> fixtures.Service:
        """The server."""
        return self.useFixture(fixtures.Glance(
            options={'image_format': self.settings}, workers=1))

    @property
    def url(self) -> str:
        """The URL of the server."""
        return self.server.url

    def make_driver(self, **options: typing.Any) -> driver.ImageDriver:
        """Return the v2 driver, as its entry point names it."""
        return base.make_driver('v2', [self.url], options)


class EmptyImagesOnGlance33Test(test_v2.OnGlance33, empty_images.EmptyImages):
    """Glance 33 inspects uploads, unless they are in a container."""

    expected = {
        (None, None): ('raw', 'bare'), ('raw', None): ('raw', 'bare'),
        ('raw', 'bare'): ('raw', 'bare'), (None, 'ovf'): ('raw', 'ovf'),
        ('qcow2', 'ovf'): ('qcow2', 'ovf'), ('qcow2', 'bare'): _ADVICE,
        ('vmdk', None): _ADVICE}


class ByImportOnGlance33Test(test_v2.OnGlance33, empty_images.EmptyImages):
    """Imports instead of uploads: the same formats and errors."""

    expected = {
        (None, None): ('raw', 'bare'), ('qcow2', 'bare'): _ADVICE[1:]}

    def make_driver(self, **options: typing.Any) -> driver.ImageDriver:
        """Return a v2 driver that uploads by import."""
        return super().make_driver(import_uploads=True, **options)


class NoChecksOnGlance33Test(OwnGlance, empty_images.EmptyImages):
    """Glance 33 that does not check the format."""

    settings = {'require_image_format_match': 'false'}
    expected = {
        (None, None): ('raw', 'bare'), ('qcow2', None): ('qcow2', 'bare'),
        ('vhd', 'bare'): ('vhd', 'bare')}


class VhdOnGlance33Test(OwnGlance, empty_images.EmptyImages):
    """Glance 33 whose only disk format is vhd, and which checks it."""

    settings = {'disk_formats': 'vhd'}
    expected = {
        (None, None): _ADVICE, ('vhd', 'bare'): _ADVICE,
        ('raw', 'bare'): ['400', "'raw' is not one of [None, 'vhd']"],
        ('vhd', 'ovf'): ('vhd', 'ovf'), (None, 'ovf'): ('vhd', 'ovf')}

    def test_new_formats_need_no_restart_of_the_client(self) -> None:
        """The operator follows the advice of the error message."""
        self.test_refused_images_leave_nothing_behind()
        path = self.server.folder / 'glance-api.conf'
        text = path.read_text()
        self.assertIn('disk_formats = vhd', text)
        path.write_text(text.replace('disk_formats = vhd',
                                     'disk_formats = vhd,raw'))
        self.server.stop()
        self.server.start()
        self.assertEmpty(self.snapshot(), ('raw', 'bare'))


class VhdUncheckedOnGlance33Test(OwnGlance, empty_images.EmptyImages):
    """Glance 33 whose only disk format is vhd, and which does not check it."""

    settings = {'disk_formats': 'vhd', 'require_image_format_match': 'false'}
    expected = {
        (None, None): ('vhd', 'bare'), ('vhd', 'bare'): ('vhd', 'bare'),
        ('raw', None): ["'raw' is not one of [None, 'vhd']"]}


class NoBareOnGlance33Test(OwnGlance, empty_images.EmptyImages):
    """Glance 33 that does not offer the container format bare."""

    settings = {'container_formats': 'ovf,docker'}
    expected = {
        (None, None): ('raw', 'ovf'), ('qcow2', None): ('qcow2', 'ovf'),
        (None, 'docker'): ('raw', 'docker'),
        ('raw', 'bare'): ["'bare' is not one of [None, 'ovf', 'docker']"]}


class EmptyImagesOnGlance15Test(test_v2.OnGlance15, empty_images.EmptyImages):
    """v2 of Glance 15, which does not inspect uploads."""

    expected = {
        (None, None): ('raw', 'bare'), (None, 'ovf'): ('raw', 'ovf'),
        ('qcow2', 'bare'): ('qcow2', 'bare'), ('vhd', None): ('vhd', 'bare')}


class VhdOnGlance15Test(OwnGlance, empty_images.EmptyImages):
    """v2 of a Glance 15 whose only disk format is vhd."""

    expected = {
        (None, None): ('vhd', 'bare'), ('vhd', 'bare'): ('vhd', 'bare'),
        ('raw', 'bare'): ["'raw' is not one of [None, 'vhd']"]}

    @property
    def server(self) -> fixtures.Service:
        """Glance 15."""
        return servers.vhd_glance15()
