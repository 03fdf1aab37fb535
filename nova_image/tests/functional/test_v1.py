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


"""The v1 driver on a real Glance 15; removed together with the driver."""

import io
import pathlib
import typing

from nova_image.image import driver
from nova_image.image import glance
from nova_image.tests import fixtures
from nova_image.tests.functional import bad_input
from nova_image.tests.functional import base
from nova_image.tests.functional import budgets
from nova_image.tests.functional import conformance
from nova_image.tests.functional import empty_images
from nova_image.tests.functional import listings
from nova_image.tests.functional import servers

_IMAGE = '/v1/images/ID'
#: Glance's default image_property_quota
_MOST_PROPERTIES = 128


class OnGlance15:
    """The v1 driver on Glance 15."""

    keeps_property_case = False
    keeps_empty_properties = False
    keeps_white_space = False
    shows_locations = False
    shows_deleted = True
    lists_deleted_since = True
    filters_by_tag_and_visibility = False
    filters_by_unicode = False
    tells_private_from_shared = False
    sorts_by_several_keys = False
    members_have_a_status = False
    copies_between_stores = False

    @property
    def server(self) -> fixtures.Service:
        """Glance 15."""
        return servers.glance15()

    @property
    def url(self) -> str:
        """The URL of Glance."""
        return self.server.url

    @property
    def data_folder(self) -> pathlib.Path:
        """The folder in which Glance 15 keeps its images' data."""
        return servers.glance15().images

    def make_driver(self, **options: typing.Any) -> driver.ImageDriver:
        """Return the v1 driver, as its entry point names it."""
        return base.make_driver('v1', [self.url], options)


class V1Test(OnGlance15, conformance.DriverConformance):
    """The whole contract."""


class V1BadInputTest(OnGlance15, bad_input.BadInput):
    """Bad input."""

    reserved_names = ()
    impossible_names = ('', 'ключ', 'a\nb', 'é', 'a:b', 'a b')
    longest_value = 16384 - 256


class V1BudgetsTest(OnGlance15, budgets.Budgets):
    """The requests of each operation."""

    show = ['HEAD ' + _IMAGE]
    detail = 'GET /v1/images/detail'
    create = ['POST /v1/images']
    member = ['PUT %s/members/ID' % _IMAGE]
    members = ['GET %s/members' % _IMAGE]
    member_status: list[str] = []
    member_removal = ['DELETE %s/members/ID' % _IMAGE]
    upload = ['PUT ' + _IMAGE]
    empty = empty_first = create
    update = update_nothing = ['PUT ' + _IMAGE]
    # Data for an image that has some is refused before anything changes; v1
    # does not purge properties in a request with data.
    update_with_data = show + update * 2
    delete = ['DELETE ' + _IMAGE]
    download = ['GET ' + _IMAGE]

    @property
    def database(self) -> pathlib.Path:
        """Its sqlite database."""
        return servers.glance15().database


class V1ListingsTest(OnGlance15, listings.Listings):
    """Listings of several pages."""

    @property
    def database(self) -> pathlib.Path:
        """Its sqlite database."""
        return servers.glance15().database

    def learn(self) -> None:
        """Learn that a page may have 1000 images: shorter ones are the last.

        v1 does not say whether there are more.
        """
        self.driver.client.knowledge(self.ctx).remember(
            glance.LONGEST_PAGE, 1000)


class V1EmptyImagesTest(OnGlance15, empty_images.EmptyImages):
    """Images without data have no formats, unless the caller gives them."""

    expected = {
        (None, None): (None, None), ('qcow2', 'bare'): ('qcow2', 'bare'),
        ('vhd', None): ('vhd', None), (None, 'ovf'): (None, 'ovf')}


class V1VhdTest(OnGlance15, empty_images.EmptyImages):
    """The same on a Glance whose only disk format is vhd."""

    expected = {
        (None, None): (None, None), ('vhd', 'bare'): ('vhd', 'bare'),
        ('raw', 'bare'): ["Invalid disk format 'raw'"]}

    @property
    def server(self) -> fixtures.Service:
        """Glance 15."""
        return servers.vhd_glance15()


class V1PropertiesTest(OnGlance15, base.FunctionalTest):
    """Images with many properties, each of which is a header."""

    def test_image_with_as_many_properties_as_glance_accepts(self) -> None:
        images, context = self.make_driver(), self.context()
        image = images.create(context, {
            'name': 'many', 'disk_format': 'raw', 'container_format': 'bare',
            'properties': {'property_%d' % number: 'value %d' % number
                           for number in range(_MOST_PROPERTIES)}},
            io.BytesIO(b'data'))
        self.addCleanup(images.delete, context, image['id'])
        for found in image, images.show(context, image['id']):
            self.assertEqual(_MOST_PROPERTIES, len(found['properties']))
            self.assertEqual('value 99', found['properties']['property_99'])
        self.assertEqual(b'data', b''.join(
            images.download(context, image['id'])))
        images.update(context, image['id'],
                      {'properties': {'property_0': 'changed'}},
                      purge_props=False)
        self.assertEqual('changed', images.show(
            context, image['id'])['properties']['property_0'])
