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


"""Listings of several pages through the v2 driver, on real servers."""

import pathlib
import sqlite3

from nova_image.tests.functional import base
from nova_image.tests.functional import listings
from nova_image.tests.functional import servers
from nova_image.tests.functional import test_v2


class V2Listings(listings.Listings):
    """Listings of several pages, which Glance links to each other."""

    def test_every_page_has_all_tags(self) -> None:
        # Glance's link to the next page has only the last tag.
        for tags in (['x', 'y'], ['y'], ['x']) * 2:
            self.raw.create(owner=self.project, tags=tags)
        filters = {'tag': ['x', 'y']}
        with base.recording(self.server) as recorded:
            images = self.driver.detail(self.ctx, filters=filters,
                                        page_size=1)
        self.assertEqual(2, len(images))
        self.assertEqual(3, len(recorded.calls))

    def test_an_image_is_hidden_between_two_pages(self) -> None:
        expected = self.ids()
        gone: list[str] = []
        with self.removing_markers(gone, self._hide):
            self.assertEqual(expected, self.ids(page_size=3))
        self.assertNotEqual([], gone)

    def _hide(self, image_id: str) -> None:
        """Give an image to another project."""
        with sqlite3.connect(self.database, timeout=30) as connection:
            connection.execute('update images set owner = ? where id = ?',
                               (base.new_id(), image_id))
        connection.close()


class ListingsOnGlance33Test(test_v2.OnGlance33, V2Listings):
    """The v2 driver on Glance 33."""

    @property
    def database(self) -> pathlib.Path:
        """Its sqlite database."""
        return self.server.folder / 'database.sqlite'


class ListingsOnGlance15Test(test_v2.OnGlance15, V2Listings):
    """The v2 driver on Glance 15."""

    @property
    def database(self) -> pathlib.Path:
        """Its sqlite database."""
        return servers.glance15().database
