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

"""The cloud of the benchmarks: Keystone 30 and Glance 33."""

import typing

from nova_image.tests import fixtures
from nova_image.tests.fixtures import base
from nova_image.tests.fixtures import paths

_OPTIONS = {
    # A token is validated once. Every five minutes, the default, would be at
    # the expense of the contender that is measured then.
    'keystone_authtoken': {'token_cache_time': '3600'},
}


class Cloud(base.Fixture):
    """Keystone and Glance, which is in Keystone's catalog.

    :ivar keystone: the fixtures.Keystone
    :ivar glance: the fixtures.Glance
    """

    def __init__(self, keep: bool = False,
                 options: dict[str, dict[str, str]] | None = None,
                 **glance: typing.Any) -> None:
        """Describe a cloud; it starts when the fixture is set up.

        :param keep: whether to keep the services' folders
        :param options: section -> option -> value of glance-api.conf
        :param glance: other arguments of fixtures.Glance
        """
        super().__init__()
        self.keystone = fixtures.Keystone()
        self.glance = fixtures.Glance(
            auth='keystone', keystone=self.keystone,
            options=paths.merge(_OPTIONS, options), **glance)
        for service in (self.keystone, self.glance):
            service.run_folder.keep |= keep

    def _setUp(self) -> None:
        self.useFixture(self.keystone)
        self.useFixture(self.glance)
        self.keystone.add_endpoint('image', 'glance', self.glance.url)
