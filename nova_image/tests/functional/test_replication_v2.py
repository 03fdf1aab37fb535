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


"""The end of a replication for v2, on real servers: Glance 15 and 33."""

from nova_image.replication import ends
from nova_image.replication import record
from nova_image.tests import fixtures
from nova_image.tests.functional import replication_v2
from nova_image.tests.functional import servers


class OnGlance33:
    """The end on Glance 33."""

    listing = ['GET /v2/images'] * 2

    @property
    def server(self) -> fixtures.Service:
        """Glance 33."""
        return servers.glance33()


class OnGlance15:
    """The end on Glance 15, which hides no images.

    It first refuses the visibility all.
    """

    listing = ['GET /v2/images'] * 3

    @property
    def server(self) -> fixtures.Service:
        """Glance 15."""
        return servers.glance15()


class LifeOnGlance33Test(OnGlance33, replication_v2.Life):
    """The end on Glance 33."""


class LifeOnGlance15Test(OnGlance15, replication_v2.Life):
    """The end on Glance 15."""


class LimitsOnGlance33Test(OnGlance33, replication_v2.Limits):
    """The limits of Glance 33."""

    traps = dict(replication_v2.TRAPS, properties=[
        *replication_v2.TRAPS['properties'], {256 * 'k': 'x'},
        {'stores': 'x'}, {'os_glance_x': 'y'}, {'location': 'x'}])

    def test_names_that_are_not_ascii(self) -> None:
        wanted = self.wanted(properties={'é': 'x'})
        self.assertEqual(ends.Fit(wanted), self.end.fit(wanted))
        self.assertTrue(self.is_accepted(wanted))


class LimitsOnGlance15Test(OnGlance15, replication_v2.Limits):
    """The limits of Glance 15."""

    traps = dict(replication_v2.TRAPS, hidden=[True], properties=[
        *replication_v2.TRAPS['properties'], {'é': 'x'}])

    def is_accepted(self, wanted: record.Record) -> bool:
        """Return whether Glance accepts an image, hidden or not."""
        if wanted.hidden:
            return False  # there is no field to ask for
        return super().is_accepted(wanted)
