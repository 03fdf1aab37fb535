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
"""Tests of the attributes that the command line shows and changes, on v2."""

import typing
from unittest import mock

from nova_image.cmd import codes
from nova_image.cmd import display
from nova_image.image.v2 import records
from nova_image.tests import fixtures
from nova_image.tests.functional import base
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import servers

IMAGE = '/v2/images/ID'


class _OnV2(cli_case.CommandLineTest):
    """Commands as an administrator of a Glance without Keystone."""

    def use(self, server: fixtures.Service) -> None:
        """Run commands on a Glance, through v2."""
        self.server = server
        self.raw = self.raw_glance(server.url)
        self.variables = {
            'OS_AUTH_TYPE': 'none', 'OS_ENDPOINT': server.url,
            'OS_PROJECT_ID': self.project}

    def calls(self, *argv: str) -> list[str]:
        """Run a command and return the requests that it has made."""
        with base.recording(self.server) as recorded:
            self.run_it(*argv)
        return recorded.calls


class AttributesTest(_OnV2):
    """All attributes, on a Glance that has all of them."""

    def setUp(self) -> None:
        """Use Glance 33."""
        super().setUp()
        self.use(servers.glance33())

    def test_what_is_shown(self) -> None:
        self.write('disk', 1000)
        image = self.create('a', '--file', 'disk', *cli_case.RAW, '--hidden',
                            '--protected', '--tag', 'x/y', '--tag', 'b')
        raw = self.raw.image(image)
        shown = self.json('show', image)
        self.assertEqual(list(display.FIELDS), list(shown))
        for name in ('visibility', 'protected', 'os_hidden', 'os_hash_algo',
                     'os_hash_value', 'virtual_size', 'stores'):
            self.assertEqual(raw[name], shown[name], name)
        self.assertEqual((True, True, ['b', 'x/y']), (
            shown['protected'], shown['os_hidden'], shown['tags']))
        self.assertEqual([], self.json('list'))
        listed = self.json('list', '--hidden', '--long')
        self.assertEqual([{name: shown[name] for name in display.LONG}],
                         listed)
        self.assertEqual([shown], self.json('list', '--hidden', *(
            word for name in display.FIELDS for word in ('-c', name))))
        self.assertEqual("b, x/y", self.run_it(
            'show', image, '-c', 'tags').out.split('|')[5].strip())

    def test_show_on_a_narrow_terminal(self) -> None:
        self.write('disk', 10)
        image = self.create('a', '--file', 'disk', *cli_case.RAW)
        code, text = self.end_of(self.terminal(
            'show', image, dimensions=(40, 80)))
        self.assertEqual(0, code)
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        code, text = self.end_of(self.terminal(
            'list', '-c', 'name', '-c', 'tags', '-c', 'protected',
            '-c', 'os_hash_value', dimensions=(40, 80)))
        self.assertLessEqual(max(map(len, text.splitlines())), 80)

    def test_requests_of_set(self) -> None:
        image = self.raw.create(tags=['old'], kept='1')['id']
        words = ('--property', 'a=b', '--property', 'c=d', '--protected',
                 '--name', 'n')
        self.assertEqual(['GET ' + IMAGE, 'PATCH ' + IMAGE],
                         self.calls('set', image, *words))
        self.assertEqual(['GET ' + IMAGE], self.calls('set', image, *words))
        self.assertEqual(
            ['GET ' + IMAGE, 'PATCH ' + IMAGE, 'PUT %s/tags/t' % IMAGE,
             'GET ' + IMAGE],
            self.calls('set', image, '--tag', 't', '--tag', 'old',
                       '--unprotected'))
        raw = self.raw.image(image)
        self.assertEqual({'old', 't'}, set(raw['tags']))
        self.assertEqual(('n', '1', 'b', 'd', False), (
            raw['name'], raw['kept'], raw['a'], raw['c'], raw['protected']))
        self.assertEqual(['GET ' + IMAGE, 'PATCH ' + IMAGE], self.calls(
            'set', image, '--tag', '\xe9', '--tag', 'a/b', '--tag', '..'))
        self.assertEqual({'old', 't', '\xe9', 'a/b', '..'},
                         set(self.raw.image(image)['tags']))

    def test_requests_of_unset(self) -> None:
        image = self.raw.create(tags=['t', 'u', '\xe9'], a='1', b='2',
                                c='3')['id']
        self.assertEqual(['PATCH ' + IMAGE], self.calls(
            'unset', image, '--property', 'a', '--property', 'a'))
        self.assertEqual(
            ['GET ' + IMAGE, 'PATCH ' + IMAGE, 'DELETE %s/tags/t' % IMAGE,
             'GET ' + IMAGE],
            self.calls('unset', image, '--property', 'b', '--tag', 't'))
        before = self.raw.image(image)
        for words in (('--property', 'c', '--property', 'x'),
                      ('--property', 'c', '--tag', 'u', '--tag', 'x'),
                      ('--property', 'c', '--property', 'os_hidden')):
            line = self.error(codes.USAGE, 'unset', image, *words)
            self.assertIn('Nothing was changed', line)
        self.assertEqual(before, self.raw.image(image))
        self.run_it('unset', image, '--tag', '\xe9')
        self.assertEqual(['u'], self.raw.image(image)['tags'])
        self.assertEqual('3', self.raw.image(image)['c'])

    def test_state(self) -> None:
        self.write('disk', 10)
        image = self.create('a', '--file', 'disk', *cli_case.RAW)
        queued = self.create('queued')
        self.assertEqual('deactivated', self.json(
            'set', image, '--deactivate')['status'])
        self.assertEqual(
            ['POST %s/actions/reactivate' % IMAGE, 'GET ' + IMAGE,
             'PATCH ' + IMAGE],
            self.calls('set', image, '--activate', '--name', 'b'))
        done = self.run_it('deactivate', 'b', queued, image,
                           code=codes.CONFLICT)
        self.assertIn('queued', done.err)
        self.assertEqual('deactivated', self.raw.image(image)['status'])
        self.run_it('reactivate', 'b')
        self.assertEqual('active', self.raw.image(image)['status'])
        self.error(codes.CONFLICT, 'set', queued, '--name', 'other',
                   '--deactivate')
        self.assertEqual('queued', self.raw.image(queued)['name'])
        line = self.error(codes.REFUSED, 'set', image, '--deactivate',
                          '--property', 'name=b')
        self.assertIn('Left behind: image %s, deactivated' % image, line)
        filled = self.json('set', queued, '--file', 'disk', '--deactivate',
                           *cli_case.RAW)
        self.assertEqual('deactivated', filled['status'])

    def test_member_status(self) -> None:
        shared = self.raw.create(name='theirs', owner='other',
                                 visibility='shared')['id']
        self.raw.create(name='public', owner='other', visibility='public')
        self.raw.create(name='mine', owner=self.project, visibility='shared')
        self.raw.ask('POST', '/v2/images/%s/members' % shared,
                     json={'member': self.project})
        # An administrator sees all, so this asks as a member.
        driver = base.make_driver('v2', [self.server.url])
        for status, expected in (
                ('pending', {'theirs', 'mine'}), ('all', {'theirs', 'mine'}),
                ('accepted', {'mine'}), ('rejected', {'mine'})):
            with mock.patch.object(driver.client, 'seen_by',
                                   return_value=lambda image: True):
                found = driver.detail(self.context(), filters={
                    'member_status': status, 'visibility': 'shared'})
            self.assertEqual(expected, {one['name'] for one in found})
            with base.recording(self.server) as recorded:
                self.run_it('list', '--member-status', status)
            self.assertEqual([
                'GET /v2/images?member_status=%s&visibility=shared'
                '&limit=1000 200' % status], recorded.lines)

    def test_changes_of_others_in_between(self) -> None:
        """Changes between the GET and the rest are not undone."""
        image = self.raw.create(tags=['old'], p='1', q='1')['id']
        driver, read = base.make_driver('v2', [self.server.url]), []
        get = records.Records.get

        def get_once(images: typing.Any, *args: typing.Any
                     ) -> dict[str, typing.Any]:
            raw = get(images, *args)
            if not read:
                read.append(raw)
                self.raw.patch(
                    image, {'op': 'replace', 'path': '/p', 'value': '2'},
                    {'op': 'remove', 'path': '/q'},
                    {'op': 'add', 'path': '/r', 'value': '2'},
                    {'op': 'replace', 'path': '/tags',
                     'value': ['old', 'theirs']})
            return raw

        with mock.patch.object(records.Records, 'get', get_once):
            driver.update(self.admin(), image, {'properties': {'s': '1'}},
                          purge_props=False, add_tags=['ours'])
        raw = self.raw.image(image)
        self.assertEqual({'old', 'theirs', 'ours'}, set(raw['tags']))
        self.assertEqual(('2', '2', '1'), (raw['p'], raw['r'], raw['s']))
        self.assertNotIn('q', raw)


class OldGlanceTest(_OnV2):
    """A Glance that cannot hide images, and has no os_hash_value."""

    def test_on_glance_15(self) -> None:
        self.use(servers.glance15())
        image = self.create('a', '--tag', 'b', '--unhidden')
        shown = self.json('show', image)
        self.assertEqual((['b'], 'shared', None, None), (
            shown['tags'], shown['visibility'], shown['os_hidden'],
            shown['os_hash_value']))
        for argv in (('create', 'x', '--hidden'),
                     ('set', image, '--hidden', '--name', 'x')):
            self.assertIn('no hidden images', self.error(
                codes.NOT_SUPPORTED, *argv))
        self.assertEqual([], self.json('list', '--hidden'))
        self.assertEqual(['c', 'd'], self.json(
            'set', image, '--tag', 'c', '--tag', 'd')['tags'][1:])
        self.assertEqual(['d'], self.json(
            'unset', image, '--tag', 'b', '--tag', 'c')['tags'])
        self.assertEqual(['a'], [one['name'] for one in self.json('list')])
