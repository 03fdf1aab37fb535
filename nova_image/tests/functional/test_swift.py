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


"""The v2 driver on a Glance that stores images in Swift, by tenant."""

import hashlib
import os
import tempfile
import typing

from nova_image import exception
from nova_image.image.download import swift
from nova_image.image import sizes
from nova_image.image.transfer import recorded
from nova_image.tests import fixtures
from nova_image.tests.fixtures import faults
from nova_image.tests.fixtures import keystone as keystone_fixture
from nova_image.tests.functional import base
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import servers
from nova_image.tests.functional import swift_case as case


class LifeTest(case.SwiftTest):
    """The life of an image with its owner's token."""

    def check_life(self, owner: base.Context, other: base.Context) -> None:
        """Check the life of an image, from its creation to its deletion."""
        image_id = self.create(owner)
        image = self.driver.show(owner, image_id)
        self.assertEqual(('active', len(case.SMALL), owner.project_id),
                         (image['status'], image['size'], image['owner']))
        self.assertIn(image_id, [
            one['id'] for one in self.driver.detail(owner)])
        self.assertIn('glance_' + image_id, self.stored(owner))
        self.assertEqual(case.SMALL, self.data(owner, image_id))
        self.driver.update(owner, image_id, {'visibility': 'shared'})
        self.driver.add_member(owner, image_id, other.project_id)
        self.assertEqual(other.project_id + ':*',
                         self.container_acl(image_id, owner))
        self.assertEqual(case.SMALL, self.data(other, image_id))
        self.driver.remove_member(owner, image_id, other.project_id)
        self.assertEqual('', self.container_acl(image_id, owner))
        self.assertRaises(exception.ImageNotFound, self.data, other, image_id)
        self.assertIs(True, self.driver.delete(owner, image_id))
        self.assertNotIn('glance_' + image_id, self.stored(owner))

    def test_tokens_of_users(self) -> None:
        self.check_life(self.demo, self.context_of('other'))

    def test_tokens_of_users_beside_that_of_nova(self) -> None:
        self.check_life(self.with_service_token('demo'),
                        self.with_service_token('other'))

    def test_snapshots_and_their_metadata(self) -> None:
        image_id = self.create(data=None, properties={
            'image_type': 'snapshot',
            'instance_owner': self.keystone.project_id('other')})
        self.driver.update(self.demo, image_id, {'name': 'done'}, case.SMALL,
                           purge_props=False)
        self.assertEqual(case.SMALL, self.data(self.context_of('other'),
                                               image_id))

    def test_a_broken_download_begins_again(self) -> None:
        image_id = self.create(data=case.LARGE)
        proxy = self.useFixture(fixtures.FaultyProxy(self.glance.url))
        proxy.plan(faults.End(after=2 * case.SEGMENT))
        image_driver = base.make_driver('v2', [proxy.url], {
            'max_retry_wait': 0.1})
        path = os.path.join(self.useFixture(base.folder()).path, 'data')
        with base.recording(self.glance) as asked:
            image_driver.download(self.demo, image_id, dst_path=path)
        with open(path, 'rb') as stream:
            self.assertEqual(case.LARGE, stream.read())
        # The range is refused, and the second attempt sends all of the data.
        self.assertEqual([200, 400, 200], [
            one.status for one in asked.requests
            if one.path.endswith('/file')])
        self.assertIn('it is fetched from the start', self.log.text)
        self.assertIn('verified by sha512', self.log.text)


class RefusalTest(case.SwiftTest):
    """What administrators, services and other projects meet."""

    def setUp(self) -> None:
        """Make requests that would be retried nine times."""
        super().setUp()
        self.driver = self.make_driver(num_retries=9)
        self.admin = self.context_of('admin')
        self.other = self.context_of('other')

    def refused(self, context: base.Context, method: str, *args: typing.Any,
                calls: int = 2, **options: typing.Any) -> str:
        """Assert that the store refuses an operation after two attempts.

        :param calls: the requests that are answered with 500
        :returns: the message
        """
        with base.recording(self.glance) as asked:
            error = self.assertRaises(
                exception.GlanceStoreRefused, getattr(self.driver, method),
                context, *args, **options)
        self.assertEqual(calls, sum(
            one.status == 500 for one in asked.requests), asked.lines)
        self.assertIn("the image's store may be tenant-specific: the token's "
                      'project is not the owner', str(error))
        return str(error)

    def test_downloads(self) -> None:
        image_id = self.create()
        for user in ('admin', 'nova', 'glance'):
            self.refused(self.context_of(user), 'download', image_id)
        # A service token does not help: the user's decides.
        self.refused(self.with_service_token('admin'), 'download', image_id)

    def test_an_administrator_publishes(self) -> None:
        image_id = self.create()
        text = self.refused(self.admin, 'update', image_id,
                            {'is_public': True}, purge_props=False)
        self.assertIn('changed visibility, in Glance only', text)
        self.assertIs(True, self.driver.show(self.other, image_id)[
            'is_public'])
        self.refused(self.other, 'download', image_id)
        # As the message says, any update by the owner sets the rights.
        self.driver.update(self.demo, image_id, {'properties': {'a': 'b'}},
                           purge_props=False)
        for context in (self.other, self.admin):
            self.assertEqual(case.SMALL, self.data(context, image_id))

    def test_an_administrator_changes_members(self) -> None:
        image_id = self.create(visibility='shared')
        member = self.other.project_id
        self.assertIn('added, in Glance only', self.refused(
            self.admin, 'add_member', image_id, member, calls=1))
        self.refused(self.other, 'download', image_id)
        self.driver.update(self.demo, image_id, {'name': 'touched'},
                           purge_props=False)
        self.assertEqual(case.SMALL, self.data(self.other, image_id))
        self.assertIn('removed, in Glance only', self.refused(
            self.admin, 'remove_member', image_id, member, calls=1))
        self.assertEqual(member + ':*',
                         self.container_acl(image_id, self.demo))

    def test_an_administrator_deletes(self) -> None:
        image_id = self.create()
        text = self.refused(self.admin, 'delete', image_id)
        self.assertIn('The image is still active', text)
        self.assertEqual(case.SMALL, self.data(self.demo, image_id))

    def test_an_administrator_switches_the_state(self) -> None:
        image_id = self.create()
        self.assertIs(True, self.driver.deactivate(self.admin, image_id))
        self.assertRaises(exception.ImageNotAuthorized, self.data, self.demo,
                          image_id)
        self.assertIs(True, self.driver.reactivate(self.admin, image_id))
        self.assertEqual(case.SMALL, self.data(self.demo, image_id))

    def test_an_administrator_uploads_for_another_project(self) -> None:
        image_id = self.create(self.admin, owner=self.demo.project_id)
        self.assertIn('in the account of another project', self.log.text)
        self.assertIn('not the owner of the data', self.refused(
            self.demo, 'download', image_id))
        self.assertEqual(case.SMALL, self.data(self.admin, image_id))

    def test_public_images_of_administrators(self) -> None:
        image_id = self.create(self.admin, is_public=True)
        self.assertEqual(case.SMALL, self.data(self.demo, image_id))


class DirectTest(case.SwiftTest):
    """Downloads from Swift itself, with the caller's token."""

    def download(self, context: base.Context, image_id: str, *allowed: str
                 ) -> list[str]:
        """Download an image and check it; return the requests to Glance.

        :param allowed: the endpoints that are allowed
        """
        image_driver = self.make_driver(direct_swift_endpoints=allowed)
        path = os.path.join(self.useFixture(base.folder()).path, 'data')
        with base.recording(self.glance) as asked:
            image_driver.download(context, image_id, dst_path=path)
        with open(path, 'rb') as stream:
            self.assertEqual(case.LARGE, stream.read())
        self.assertIn('verified by sha512', self.log.text)
        return asked.calls

    def test_owners_and_members(self) -> None:
        image_id = self.create(data=case.LARGE, visibility='shared')
        other = self.context_of('other')
        self.driver.add_member(self.demo, image_id, other.project_id)
        for context in (self.demo, other, self.with_service_token('demo')):
            self.assertEqual(['GET /v2/images/ID'], self.download(
                context, image_id, self.swift.url + '/v1'))

    def test_an_interrupted_download_resumes(self) -> None:
        image_id = self.create(data=case.LARGE)
        url, = (one['url'] for one in self.driver.locations(
            self.demo, image_id))
        proxy = self.useFixture(fixtures.FaultyProxy(self.swift.url))
        proxy.plan(faults.End(after=2 * case.SEGMENT), path=image_id)
        image_driver = self.make_driver(direct_swift_endpoints=[proxy.url])
        handler = swift.SwiftHandler(image_driver.client.conf).for_caller(
            image_driver.client, self.demo, recorded.Recorded(
                len(case.LARGE)))
        with tempfile.TemporaryFile() as output:
            handler.copy(url.replace(self.swift.url, proxy.url), output,
                         hashlib.sha256())
            output.seek(0)
            self.assertEqual(case.LARGE, output.read())
        self.assertEqual([(None, 200), ('bytes=%d-' % sizes.CHUNK, 206)], [
            (one.range, one.status) for one in proxy.requests])

    def test_others_and_other_endpoints_are_served_by_glance(self) -> None:
        image_id = self.create(data=case.LARGE)
        both = ['GET /v2/images/ID', 'GET /v2/images/ID/file']
        for endpoint in ('https://swift.example.org', self.swift.url + '/v2'):
            self.assertEqual(both, self.download(self.demo, image_id,
                                                 endpoint))
        self.assertRaises(exception.GlanceStoreRefused, self.download,
                          self.context_of('admin'), image_id, self.swift.url)


class UploadTest(case.SwiftTest):
    """Large images, which the store has in segments."""

    def setUp(self) -> None:
        """Use a URL of which nothing has been learned."""
        super().setUp()
        self.proxy = self.useFixture(fixtures.FaultyProxy(self.glance.url))

    def uploads(self, size: int, **options: typing.Any) -> list[int]:
        """Create an image and check it; return the status of each upload."""
        image_driver = base.make_driver('v2', [self.proxy.url], {
            'max_retry_wait': 0.1, **options})
        data = case.LARGE[:size]
        with base.recording(self.glance) as asked:
            image_id = image_driver.create(self.demo, {
                'name': 'large', 'disk_format': 'raw',
                'container_format': 'bare'}, data)['id']
        self.addCleanup(self.driver.delete, self.demo, image_id)
        self.assertEqual(data, self.data(self.demo, image_id))
        return [one.status for one in asked.requests
                if one.method == 'PUT']

    def test_a_short_last_segment(self) -> None:
        for size in (case.SEGMENT - 1, case.SEGMENT, 2 * case.SEGMENT):
            self.assertEqual([204], self.uploads(size))
        # Glance announces a last segment that is as long as the others.
        self.assertEqual([500, 204], self.uploads(len(case.LARGE)))
        self.assertEqual([204], self.uploads(len(case.LARGE)))

    def test_a_limit_for_announced_sizes(self) -> None:
        self.assertEqual([204], self.uploads(
            len(case.LARGE), sized_upload_limit=1))


class ReplicationTest(cli_case.CommandLineTest):
    """Replication to such a Glance, with credentials of the owners."""

    def setUp(self) -> None:
        """Write clouds.yaml, with a cloud for each user of the target."""
        self.target = servers.tenant_glance()
        super().setUp()
        self.source = servers.RawGlance(servers.glance33().url)
        self.keystone = servers.keystone()
        text = 'clouds:'
        for user in ('admin', 'demo'):
            text += case.CLOUD % dict(
                self.keystone.auth_options(user), name=user,
                url=self.target.url, region=keystone_fixture.REGION)
        (self.folder / 'clouds.yaml').write_text(text)

    def create(self, project: str) -> str:
        """Create an image of a project at the source; return its ID."""
        image_id = self.source.create(
            case.SMALL, owner=self.keystone.project_id(project),
            visibility='private')['id']
        self.addCleanup(self.source.delete, image_id)
        return image_id

    def data(self, user: str, image_id: str, status: int = 200) -> bytes:
        """Return the data of a replica for a user."""
        target = servers.RawGlance(self.target.url, {
            'X-Auth-Token': servers.token_of(user)})
        return target.ask('GET', '/v2/images/%s/file' % image_id,
                          status).content

    def replicate(self, user: str, project: str, image_id: str
                  ) -> cli_case.Done:
        """Replicate the images of a project with a user's credentials."""
        target = servers.RawGlance(self.target.url, {
            'X-Auth-Token': servers.token_of(user)})
        self.addCleanup(target.delete, image_id)
        return self.run_it(
            'replicate', '--from', self.source.url, '--to', user, '--owner',
            self.keystone.project_id(project))

    def test_images_of_the_project_of_the_credentials(self) -> None:
        image_id, other = self.create('demo'), self.create('other')
        done = self.replicate('demo', 'demo', image_id)
        self.assertIn('2 images, 17.6 KiB: 1 copied, 1 skipped', done.out)
        self.assertEqual(case.SMALL, self.data('demo', image_id))
        done = self.replicate('admin', 'other', other)
        self.assertIn('WARNING: The data of image %s is in the account of '
                      'another project' % other, done.err)
        self.data('other', other, 500)
