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

"""The commands that replicate images, with Keystone."""

from nova_image.cmd import codes
from nova_image.tests import fixtures
from nova_image.tests.fixtures import keystone as keystone_fixture
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import replication_matrix as matrix
from nova_image.tests.functional import servers

_CLOUD = """
  %(name)s:
    region_name: %(region)s
    image_endpoint_override: %(url)s
    auth: {auth_url: %(auth_url)s, username: %(username)s,
           password: %(password)s, project_name: %(project_name)s,
           user_domain_id: default, project_domain_id: default}
"""


@servers.once
def other_glance() -> fixtures.Glance:
    """Glance 33 that is not in the catalog of its Keystone."""
    servers.secured_glance()
    return fixtures.Glance(auth='keystone', keystone=servers.keystone())


class KeystoneOnGlance33Test(cli_case.OnKeystone):
    """Two clouds with Keystone; both are the same one."""

    def setUp(self) -> None:
        """Write clouds.yaml."""
        super().setUp()
        self.variables = {}
        self.new = servers.RawGlance(other_glance().url, self.raw.headers)
        matrix.wipe(self.raw, self.new)  # other tests leave images
        self.addCleanup(matrix.wipe, self.raw, self.new)
        text = 'clouds:'
        for name, url, user in (('old', 'null', 'admin'),
                                ('new', self.new.url, 'admin'),
                                ('member', self.new.url, 'demo')):
            text += _CLOUD % dict(
                servers.keystone().auth_options(user), name=name, url=url,
                region=keystone_fixture.REGION)
        (self.folder / 'clouds.yaml').write_text(text)

    def test_projects_by_name(self) -> None:
        project = servers.keystone().project_id('demo')
        image = self.raw.create(b'abc', name='disk', owner=project,
                                visibility='public')['id']
        lost = self.raw.create(b'abc', name='lost', owner='nobody')['id']
        done = self.run_it('replicate', '--from', 'old', '--to', 'new',
                           '--projects-by-name', code=codes.INCOMPLETE)
        self.assertIn('no project of the target is known for project nobody',
                      done.out)
        self.assertEqual(project, self.new.image(image)['owner'])
        self.assertEqual([], self.new.find(lost))
        self.run_it('replicate', '--from', 'old', '--to', 'new',
                    '--projects-by-name', '--keep-unknown-projects')
        self.assertEqual('nobody', self.new.image(lost)['owner'])

    def test_a_user_who_is_no_administrator(self) -> None:
        self.raw.create(b'abc', name='disk', owner='somebody')
        line = self.error(codes.NOT_AUTHORIZED, 'replicate', '--from', 'old',
                          '--to', 'member', '--projects-by-name')
        self.assertIn('--project-map', line)
        done = self.run_it('replicate', '--from', 'old', '--to', 'member',
                           code=codes.INCOMPLETE)
        self.assertIn('failed', done.out)
        self.assertEqual([], self.new.images())

    def test_tokens_in_files(self) -> None:
        image = self.raw.create(b'abc', name='disk')['id']
        (self.folder / 'token').write_text(
            servers.token_of('admin') + '\n')
        (self.folder / 'bad').write_text('no-token')
        ends = ('--from', self.glance.url, '--from-token-file', 'token',
                '--to', self.new.url, '--to-token-file')
        line = self.error(codes.NOT_AUTHORIZED, 'replicate', *ends, 'bad')
        self.assertIn(self.new.url, line)
        self.run_it('replicate', *ends, 'token')
        self.assertEqual(b'abc', self.new.data(image))

    def test_the_catalog_and_a_url_are_the_same_glance(self) -> None:
        line = self.error(codes.USAGE, 'replicate', '--from', 'old', '--to',
                          self.glance.url)
        self.assertIn('the same Glance', line)
