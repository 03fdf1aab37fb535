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

"""nova-image on Glance 15 through v1. Removed with the v1 driver."""

from nova_image.cmd import codes
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import loopback
from nova_image.tests.functional import servers

SECRET = 'a-header-is-no-place-for-this'
servers.SECRETS.add(SECRET)


class OnGlance15Test(cli_case.CommandLineTest):
    """Commands either work with v1 or fail with one line."""

    def setUp(self) -> None:
        """Use v1 without Keystone."""
        super().setUp()
        url = servers.glance15().url
        self.raw = self.raw_glance(url)
        self.variables = {
            'OS_AUTH_TYPE': 'none', 'OS_ENDPOINT': url,
            'OS_IMAGE_API_VERSION': '1', 'OS_PROJECT_ID': self.project}

    def test_life_of_an_image(self) -> None:
        data = self.write('disk', 3000)
        made = self.json('create', 'disk', '--file', 'disk', *cli_case.RAW,
                         '--property', 'os_type=linux', '--public')
        self.assertEqual(('active', 3000, {'os_type': 'linux'}, True), (
            made['status'], made['size'], made['properties'],
            made['is_public']))
        self.assertEqual(made, self.json('show', 'disk'))
        self.assertEqual({'os_type': 'linux', 'a': 'b'}, self.json(
            'set', 'disk', '--property', 'a=b', '--private')['properties'])
        self.assertEqual({'a': 'b'}, self.json(
            'unset', 'disk', '--property', 'os_type')['properties'])
        self.assertEqual(['disk'], [image['name'] for image in self.json(
            'list', '--sort', 'name:asc', '--property', 'a=b',
            '--not-public')])
        self.run_it('save', 'disk', '--file', 'copy')
        self.assertEqual(data, (self.folder / 'copy').read_bytes())
        self.run_it('delete', 'disk')
        self.assertEqual([], self.json('list'))

    def test_text_that_controls_a_terminal(self) -> None:
        name = 'a\x1b[31m\\x1b'  # as a client of v2 may call it
        image = self.raw.create(name=name, owner=self.project, p=name)['id']
        for argv in (('list', '--long'), ('show', image)):
            text = self.run_it(*argv).out
            self.assertNotIn('\x1b', text)
            self.assertIn('p=a\\x1b[31m\\\\x1b', text)
        self.assertEqual(name, self.json('show', image)['name'])
        self.assertEqual(name + '\n', self.run_it(
            'list', '-f', 'value', '-c', 'name').out)
        self.variables['PYTHONIOENCODING'] = 'ascii'
        self.raw.create(name='sno\u2603', owner=self.project)
        self.assertIn('sno\\u2603', self.run_it('list').out)

    def test_formats_that_are_missing_or_wrong(self) -> None:
        (self.folder / 'disk').write_bytes(b'QFI\xfb' + b'\0' * 1000)
        image = self.create('waiting')
        for argv in (('create', 'x'), ('set', image)):
            self.assertIn(
                'disk looks like qcow2. Use --disk-format qcow2 '
                '--container-format bare', self.error(
                    codes.USAGE, *argv, '--file', 'disk'))
        self.assertEqual([image], [one['id'] for one in self.raw.images()])
        done = self.run_it('set', image, '--file', 'disk', *cli_case.RAW)
        self.assertEqual('nova-image: WARNING: disk looks like qcow2, not '
                         'raw. If that is right, use --disk-format qcow2\n',
                         done.err)
        self.run_it('save', image, '--file', '/dev/null')

    def test_members(self) -> None:
        image = self.create('disk')
        self.run_it('member-add', image, 'another')
        self.assertEqual(['another'], [
            one['member_id'] for one in self.json('members', image)])
        self.run_it('member-remove', image, 'another')
        self.assertEqual([], self.json('members', image))

    def test_location_of_a_queued_image(self) -> None:
        web = self.useFixture(loopback.WebStore(b'data'))
        url = '%s?sig=%s' % (web.url, SECRET)
        image = self.create('disk', *cli_case.RAW)
        made = self.json('location-add', image, '--url', url)
        self.assertEqual(('active', 4), (made['status'], made['size']))
        line = self.error(codes.REFUSED, 'location-add', image, '--url', url)
        self.assertIn('not in queued status', line)
        self.run_it('--debug', 'location-add', image, '--url', url,
                    code=codes.REFUSED)

    def test_unsupported_commands(self) -> None:
        self.write('disk', 10)
        image = self.create('disk')
        for argv in (
                ('import-info',), ('stores',),
                ('create', 'x', '--file', 'disk', '--import'),
                ('create-via-import', 'x', '--file', 'disk'),
                ('stage', image, '--file', 'disk'),
                ('import', image, '--uri', 'http://127.0.0.1/'),
                ('copy', image, '--store', 'slow'),
                ('import-status', image), ('locations', image),
                ('location-remove', image, '--url', 'http://127.0.0.1/'),
                ('location-remove', image, '--store', 'slow'),
                ('location-add', image, '--url', 'http://127.0.0.1/',
                 '--store', 'slow'),
                ('member-set', image, 'another', '--accept'),
                ('list', '--tag', 'a'), ('list', '--visibility', 'shared'),
                ('list', '--sort', 'name,size')):
            line = self.error(codes.NOT_SUPPORTED, *argv)
            self.assertIn('Images API v1', line)
        self.assertEqual([image], [one['id'] for one in self.raw.images()])
