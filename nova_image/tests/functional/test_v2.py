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


"""The v2 driver on real servers: Glance 15 and Glance 33."""

import pathlib
import typing

from nova_image.image import driver
from nova_image.tests import fixtures
from nova_image.tests.functional import base
from nova_image.tests.functional import conformance
from nova_image.tests.functional import servers


class OnGlance33:
    """The v2 driver on Glance 33."""

    @property
    def server(self) -> fixtures.Service:
        """Glance 33."""
        return servers.glance33()

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.server.url

    @property
    def data_folder(self) -> pathlib.Path:
        """The folder of Glance 33's default store."""
        return servers.glance33().folder / 'fast'

    def make_driver(self, **options: typing.Any) -> driver.ImageDriver:
        """Return the v2 driver, as its entry point names it."""
        return base.make_driver('v2', [self.url], options)


class OnGlance15:
    """The v2 driver on Glance 15, which has only one store."""

    filters_by_unicode = False
    copies_between_stores = False

    @property
    def server(self) -> fixtures.Service:
        """Glance 15."""
        return servers.glance15()

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.server.url

    @property
    def data_folder(self) -> pathlib.Path:
        """The folder in which Glance 15 keeps its images' data."""
        return servers.glance15().images

    def make_driver(self, **options: typing.Any) -> driver.ImageDriver:
        """Return the v2 driver, as its entry point names it."""
        return base.make_driver('v2', [self.url], options)


class V2OnGlance33Test(OnGlance33, conformance.DriverConformance):
    """The whole contract, on Glance 33."""


class V2OnGlance15Test(OnGlance15, conformance.DriverConformance):
    """The whole contract, on Glance 15."""
