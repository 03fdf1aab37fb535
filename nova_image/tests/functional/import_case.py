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

"""The base class of the import tests: a Glance, and the assertions."""

import hashlib
import typing

from nova_image.image import import_result
from nova_image.tests import fixtures
from nova_image.tests.functional import base
from nova_image.tests.functional import servers
from nova_image.tests.functional import web_source

DATA = b'nova_image' * 300000
SHA512 = hashlib.sha512(DATA).hexdigest()
META = {'name': 'imported', 'disk_format': 'raw', 'container_format': 'bare'}
SECRET = 'an-address-is-no-place-for-this'
servers.SECRETS.add(SECRET)


@servers.once
def glance() -> fixtures.Glance:
    """Glance with two working stores, a failing one and a read-only one."""
    return fixtures.Glance(stores={
        'fast': 'file', 'slow': 'file', 'broken': 'file', 'web': 'http'})


class ImportCase(base.FunctionalTest):
    """A Glance and a web source of data."""

    server = staticmethod(glance)

    def setUp(self) -> None:
        """Start the servers that are not running yet."""
        super().setUp()
        self.glance = self.server()
        if 'broken' in self.glance.stores and (
                self.glance.folder / 'broken').is_dir():
            self.glance.break_store('broken')
        self.raw = self.raw_glance(self.glance.url)
        self.driver = self.make_driver()
        self.ctx = self.context()
        self.web = self.useFixture(web_source.WebSource(DATA))

    def make_driver(self, **options: typing.Any) -> typing.Any:
        """Return a driver with further options of ``[glance]``."""
        return base.make_driver('v2', [self.glance.url], options)

    def create(self, method: str, meta: dict[str, typing.Any] | None = None,
               **options: typing.Any) -> typing.Any:
        """Create an image by import; return the result."""
        image, result = self.driver.create_via_import(
            self.ctx, META | (meta or {}), method, **options)
        self.assertEqual(result.cleaned, image is None)
        return result

    def download(self, path: str, **options: typing.Any) -> typing.Any:
        """Create an image by web-download; return the result."""
        return self.create('web-download', uri=self.web.url + path, **options)

    def image(self, data: bytes | None = DATA) -> str:
        """Create an image in Glance's default store; return its ID."""
        return self.raw.create(data, owner=self.project)['id']

    def assertImported(self, result: typing.Any, *stores: str) -> None:
        """Check that an image is stored exactly as it was sent."""
        self.assertIs(import_result.Imported, type(result))
        self.assertEqual(sorted(stores or ['fast']), sorted(result.stores))
        self.assertEqual((len(DATA), ('sha512', SHA512)),
                         (result.size, result.hash))
        self.assertEqual(DATA, self.raw.data(result.image_id))
        self.assertNotIn('os_glance_import_task',
                         self.raw.image(result.image_id))
        self.assertEqual([], self.glance.staged)

    def assertFailed(self, result: typing.Any, *stores: str,
                     images: int = 0) -> None:
        """Check that an import failed and left nothing behind."""
        self.assertIs(import_result.Failed, type(result))
        self.assertEqual(sorted(stores), sorted(result.failed))
        self.assertTrue(result.cleaned)
        self.assertEqual([], self.glance.staged)
        self.assertEqual(images, len(self.raw.images()))

    def assertRefused(self, kind: type[Exception], words: str,
                      *args: typing.Any, **options: typing.Any) -> None:
        """Check that a create is refused before any data is sent."""
        with base.recording(self.glance) as recorded:
            error = self.assertRaises(kind, self.create, *args, **options)
        self.assertIn(words, str(error))
        self.assertEqual([], [call for call in recorded.calls
                              if not call.startswith('GET ')])
