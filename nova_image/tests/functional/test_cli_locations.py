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

"""The commands for locations, and their methods, on a real Glance 33."""

import typing
from unittest import mock

from nova_image.cmd import codes
from nova_image import exception
from nova_image.tests import fixtures
from nova_image.tests.functional import base
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import loopback
from nova_image.tests.functional import servers

DATA = b'nova_image' * 100
SECRET = 'a-url-is-no-place-for-this'
servers.SECRETS.add(SECRET)


@servers.once
def hiding() -> fixtures.Glance:
    """Glance that shows locations only to services and administrators."""
    return fixtures.Glance(stores={'fast': 'file', 'slow': 'file'}, options={
        'DEFAULT': {'show_multiple_locations': 'false',
                    'show_image_direct_url': 'false'}})


class LocationsCase(cli_case.CommandLineTest):
    """Commands without Keystone, so by an administrator."""

    server = staticmethod(servers.glance33)

    def setUp(self) -> None:
        """Use v2, and serve data that is not in Glance."""
        super().setUp()
        self.glance = self.server()
        self.raw = self.raw_glance(self.glance.url)
        self.variables = {
            'OS_AUTH_TYPE': 'none', 'OS_ENDPOINT': self.glance.url,
            'OS_PROJECT_ID': self.project}
        self.driver = base.make_driver('v2', [self.glance.url])

    def image(self, data: bytes | None = DATA) -> str:
        """Create an image; return its ID."""
        return self.raw.create(data, owner=self.project)['id']

    def copy(self, image: str) -> None:
        """Copy an image to the store slow."""
        self.driver.image_import_copy(self.admin(), image, ['slow'], wait=True)

    def stores(self, image: str) -> list[str]:
        """Return the stores that have a file of an image."""
        return [store for store in ('fast', 'slow')
                if (self.glance.folder / store / image).exists()]


class ShowingCase(LocationsCase):
    """Glance that shows locations to everybody."""

    def setUp(self) -> None:
        """Serve data that is not in Glance."""
        super().setUp()
        web = self.useFixture(loopback.WebStore(DATA))
        self.url = 'http://me:%s@%s/%%s?sig=%s' % (SECRET, web.host, SECRET)
        self.shown = 'http://***@%s/%%s?***' % web.host

    def add(self, image: str, *names: str) -> None:
        """Add locations to an image, as another client."""
        self.raw.patch(image, *[
            {'op': 'add', 'path': '/locations/-',
             'value': {'url': self.url % name, 'metadata': {}}}
            for name in names])

    def urls(self, image: str) -> list[str]:
        """Return the URLs of an image's locations."""
        return [one['url'] for one in self.raw.image(image)['locations']]


class OtherClientsTest(ShowingCase):
    """Another client changes the list between two requests of a removal."""

    def _meanwhile(self, image: str, change: dict[str, typing.Any]
                   ) -> typing.Any:
        """Make another client change an image before the driver's PATCH."""
        images = self.driver._images
        patch, changes = images.patch, [change]

        def act(*args: typing.Any) -> typing.Any:
            if changes:
                self.raw.patch(image, changes.pop())
            return patch(*args)

        return mock.patch.object(images, 'patch', act)

    def test_list_that_changes_in_the_meantime(self) -> None:
        for change in ({'op': 'remove', 'path': '/locations/1'},
                       {'op': 'add', 'path': '/locations/0', 'value': {
                           'url': self.url % 'new', 'metadata': {}}}):
            image = self.image()
            self.add(image, 'a', 'b', 'c')
            found = self.driver.locations(self.admin(), image)[2]
            with self._meanwhile(image, change):
                self.driver.remove_location(self.admin(), image, found)
            left = self.urls(image)
            self.assertNotIn(self.url % 'b', left)
            self.assertIn(self.url % 'c', left)
            self.assertEqual(change['op'] == 'add', self.url % 'a' in left)
            self.assertEqual(['file'], [
                url[:4] for url in left if not url.startswith('http')])

    def test_location_that_is_gone_in_the_meantime(self) -> None:
        image = self.image()
        self.add(image, 'a', 'b')
        found = self.driver.locations(self.admin(), image)[1]
        with self._meanwhile(image, {'op': 'remove',
                                     'path': '/locations/1'}):
            self.assertRaises(exception.NotFound, self.driver.remove_location,
                              self.admin(), image, found)
        self.assertEqual(2, len(self.urls(image)))


class OtherClientsOnGlance15Test(OtherClientsTest):
    """The same on Glance 15."""

    server = staticmethod(servers.glance15)


class LocationsTest(ShowingCase):
    """The commands."""

    def test_location_makes_a_queued_image_active(self) -> None:
        image = self.image(None)
        made = self.json('location-add', image, '--url', self.url % 'a')
        self.assertEqual(('active', len(DATA)), (made['status'],
                                                 made['size']))
        self.assertEqual(self.shown % 'a', self.json(
            'locations', image)[0]['url'])

    def test_credentials_are_masked_everywhere(self) -> None:
        image = self.image()
        for argv in (
                ('location-add', image, '--url', self.url % 'a'),
                ('--debug', 'locations', image, '--long'),
                ('locations', image, '-f', 'json'),
                ('--debug', 'location-add', image, '--url', self.url % 'b'),
                ('--debug', 'location-remove', image, '--url',
                 self.url % 'b')):
            self.assertNoSecrets(self.run_it(*argv).out, ' '.join(argv[:2]))
        for code, argv in (
                (codes.REFUSED, ('location-add', image, '--url',
                                 self.url % 'a')),
                (codes.REFUSED, ('location-add', image, '--url',
                                 'swift+http://me:%s@host/c/o' % SECRET)),
                (codes.NOT_FOUND, ('location-remove', image, '--url',
                                   self.url % 'missing'))):
            self.run_it('--debug', *argv, code=code)

    def test_removal_by_what_is_shown(self) -> None:
        image = self.image()
        self.add(image, 'a', 'b', 'c')
        self.run_it('location-remove', image, '--url', self.shown % 'b')
        listed = self.json('locations', image)
        self.assertEqual([self.shown % 'a', self.shown % 'c'],
                         [one['url'] for one in listed[1:]])
        self.run_it('location-remove', image, '--id', listed[1]['id'])
        self.assertEqual([self.url % 'c'], self.urls(image)[1:])
        # The list has changed, so its IDs mean nothing any more.
        self.error(codes.NOT_FOUND, 'location-remove', image, '--id',
                   listed[1]['id'])
        self.run_it('location-remove', image, '--id',
                    self.json('locations', image)[0]['id'])
        self.assertEqual([], self.stores(image))
        self.assertIn('Delete the image instead', self.error(
            codes.CONFLICT, 'location-remove', image, '--url',
            self.shown % 'c'))
        self.assertEqual([self.url % 'c'], self.urls(image))

    def test_urls_that_differ_only_in_secrets(self) -> None:
        image = self.image()
        other = self.url.replace(SECRET, SECRET + '2') % 'a'
        self.add(image, 'a')
        self.run_it('location-add', image, '--url', other)
        line = self.error(codes.CONFLICT, 'location-remove', image, '--url',
                          self.shown % 'a')
        self.assertIn('3-', line)
        self.run_it('location-remove', image, '--url', other)
        self.assertEqual([self.url % 'a'], self.urls(image)[1:])

    def test_data_is_deleted_with_its_location(self) -> None:
        image = self.image()
        self.copy(image)
        self.assertEqual(['fast', 'slow'], self.stores(image))
        self.run_it('location-remove', image, '--url', self.urls(image)[0])
        self.assertEqual(['slow'], self.stores(image))
        self.assertEqual(DATA, self.raw.data(image))

    def test_glance_does_not_compare_the_data(self) -> None:
        image = self.image(b'short')
        made = self.json('location-add', image, '--url', self.url % 'a')
        self.assertEqual(len(b'short'), made['size'])
        self.error(codes.REFUSED, 'location-add', image, '--url',
                   self.url % 'b', '--hash', 'sha512=' + '0' * 128)

    def test_members_may_add_but_not_remove(self) -> None:
        image, ctx = self.image(), self.context()
        self.driver.add_location(ctx, image, self.url % 'a')
        found = self.driver.locations(ctx, image)[1]
        error = self.assertRaises(
            exception.ImageNotAuthorized, self.driver.remove_location, ctx,
            image, found)
        self.assertIn('administrators', str(error))
        self.assertNotIn(SECRET, str(error))


class HidingTest(LocationsCase):
    """Glance that hides locations, and removes them by store."""

    server = staticmethod(hiding)

    def test_removal_by_store(self) -> None:
        image = self.image()
        self.copy(image)
        listed = self.json('locations', image)
        self.assertEqual(['fast', 'slow'], [one['store'] for one in listed])
        self.run_it('location-remove', image, '--url', listed[0]['url'])
        self.assertEqual(['slow'], self.stores(image))
        self.error(codes.NOT_FOUND, 'location-remove', image, '--store',
                   'fast')
        self.error(codes.CONFLICT, 'location-remove', image, '--store',
                   'slow')
        self.assertEqual(['slow'], self.stores(image))

    def test_members_see_no_locations(self) -> None:
        image = self.image()
        error = self.assertRaises(exception.ImageNotAuthorized,
                                  self.driver.locations, self.context(), image)
        self.assertIn('role service', str(error))

    def test_active_image_accepts_no_location(self) -> None:
        self.assertIn('only a queued image', self.error(
            codes.REFUSED, 'location-add', self.image(), '--url',
            'http://127.0.0.1/'))
