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

"""nova-image through v1: names, filters and numbers. Removed with v1."""

from nova_image.cmd import codes
from nova_image.tests.functional import base
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import servers


class WordsOnGlance15Test(cli_case.CommandLineTest):
    """The same as with v2, in test_cli_words."""

    def setUp(self) -> None:
        """Use v1 without Keystone."""
        super().setUp()
        self.server = servers.glance15()
        self.raw = self.raw_glance(self.server.url)
        self.variables = {
            'OS_AUTH_TYPE': 'none', 'OS_ENDPOINT': self.server.url,
            'OS_IMAGE_API_VERSION': '1', 'OS_PROJECT_ID': self.project}

    def test_names(self) -> None:
        self.raw.create(name='')
        self.error(codes.USAGE, 'delete', '')
        self.error(codes.USAGE, 'set', '', '--min-ram', '5')
        names = ('71c675ab-d94f-49cd-a114-e12490b328d9', 'http://127.0.0.1/a',
                 'a/b', 'in:a,b', 'n' * 255)
        for name in names:
            self.raw.create(name=name)
        self.run_it('delete', *names)
        self.assertEqual([''], [one['name'] for one in self.raw.images()])
        twins = [self.raw.create(name=names[0])['id'] for _ in range(2)]
        line = self.error(codes.CONFLICT, 'show', names[0])
        for image in twins:
            self.assertIn(image, line)

    def test_filters(self) -> None:
        names = ('save', 'keys', 'metadata', 'properties', 'limit', 'tag',
                 'ram_max', 'size_min', 'members', '_x', 'os_hidden', 'owner',
                 'status')
        words = [word for name in names
                 for word in ('--property', name + '=xv')]
        image = self.create('with', *words)
        self.create('without')
        self.assertEqual(image + '\n', self.run_it(
            'list', '-f', 'value', '-c', 'id', *words).out)
        driver = base.make_driver('v1', [self.server.url])
        for name in names:
            for value, expected in (('xv', [image]), ('other', [])):
                found = driver.detail(
                    self.admin(), filters={'property-' + name: value})
                self.assertEqual(expected, [one['id'] for one in found], name)

    def test_value_that_is_too_long_for_a_request(self) -> None:
        text = 'x' * 9000
        image = self.create('with', '--property', 'note=' + text)
        self.assertEqual(image + '\n', self.run_it(
            'list', '-f', 'value', '-c', 'id', '--property',
            'note=' + text).out)

    def test_numbers_that_cannot_be(self) -> None:
        with base.recording(self.server) as recorded:
            for argv in (('list', '--timeout', '0'),
                         ('list', '--limit', '1e3'),
                         ('create', 'x', '--min-ram', 'nan'),
                         ('set', 'x', '--min-disk', '2147483648')):
                self.assertIn('number', self.error(codes.USAGE, *argv))
        self.assertEqual([], recorded.lines)
