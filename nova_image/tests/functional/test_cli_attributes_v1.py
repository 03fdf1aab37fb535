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
"""Tests of the attributes that the command line shows and changes, on v1."""

from nova_image.cmd import codes
from nova_image.cmd import display
from nova_image.tests.functional import base
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import servers


class AttributesOnGlance15Test(cli_case.CommandLineTest):
    """The same columns as with v2, in test_cli_attributes."""

    def setUp(self) -> None:
        """Use v1 without Keystone."""
        super().setUp()
        self.server = servers.glance15()
        self.raw = self.raw_glance(self.server.url)
        self.variables = {
            'OS_AUTH_TYPE': 'none', 'OS_ENDPOINT': self.server.url,
            'OS_IMAGE_API_VERSION': '1', 'OS_PROJECT_ID': self.project}

    def test_what_is_shown(self) -> None:
        image = self.create('a', '--protected', '--public', '--unhidden')
        shown = self.json('show', image)
        self.assertEqual(list(display.FIELDS), list(shown))
        self.assertEqual(('public', True), (
            shown['visibility'], shown['protected']))
        for name in ('tags', 'os_hidden', 'os_hash_algo', 'os_hash_value',
                     'stores', 'virtual_size'):
            self.assertIsNone(shown[name], name)
        self.assertEqual([{name: shown[name] for name in display.LONG}],
                         self.json('list', '--long'))
        self.assertEqual([shown], self.json('list', *(
            word for name in display.FIELDS for word in ('-c', name))))
        self.assertEqual('private', self.json(
            'set', image, '--private')['visibility'])

    def test_what_v1_lacks(self) -> None:
        image = self.raw.create(name='a')['id']
        before = self.raw.image(image)
        for argv in (
                ('create', 'x', '--tag', 't'), ('create', 'x', '--hidden'),
                ('set', 'a', '--tag', 't', '--name', 'b'),
                ('set', 'a', '--hidden', '--name', 'b'),
                ('set', image, '--deactivate', '--name', 'b'),
                ('reactivate', image),
                ('unset', image, '--tag', 't'), ('list', '--hidden'),
                ('list', '--member-status', 'all')):
            self.assertIn('v1', self.error(codes.NOT_SUPPORTED, *argv))
        self.assertEqual([before], self.raw.images())

    def test_requests(self) -> None:
        image = self.create('a', '--property', 'a=1', '--property', 'b=2')
        path = ' /v1/images/ID'
        for argv, expected in (
                (('set', image, '--property', 'c=3', '--name', 'n',
                  '--protected'), ['PUT' + path]),
                (('unset', image, '--property', 'a', '--property', 'c'),
                 ['HEAD' + path, 'PUT' + path])):
            with base.recording(self.server) as recorded:
                self.run_it(*argv)
            self.assertEqual(expected, recorded.calls)
        shown = self.json('show', image)
        self.assertEqual(({'b': '2'}, True, 'n'), (
            shown['properties'], shown['protected'], shown['name']))
        line = self.error(codes.USAGE, 'unset', image, '--property', 'b',
                          '--property', 'x')
        self.assertIn('no property x', line)
        self.assertEqual({'b': '2'}, self.json('show', image)['properties'])
