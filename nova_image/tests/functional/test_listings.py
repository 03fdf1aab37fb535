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

from nova_image.tests.functional import listings
from nova_image.tests.functional import servers
from nova_image.tests.functional import test_v2


class ListingsOnGlance33Test(test_v2.OnGlance33, listings.LinkedListings):
    """The v2 driver on Glance 33."""

    @property
    def database(self) -> pathlib.Path:
        """Its sqlite database."""
        return self.server.folder / 'database.sqlite'


class ListingsOnGlance15Test(test_v2.OnGlance15, listings.LinkedListings):
    """The v2 driver on Glance 15."""

    @property
    def database(self) -> pathlib.Path:
        """Its sqlite database."""
        return servers.glance15().database
