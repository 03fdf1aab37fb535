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

"""nova-image-status upgrade rehearse on Glance 15. Removed with v1.

NOVA_IMAGE_REHEARSED is the number of images, 300 by default.
"""

import collections
import json
import os
import signal
import socket
import sys

import fixtures
import pexpect

from nova_image.image import values
from nova_image.status.v1 import differences
from nova_image.status.v1 import listings
from nova_image.status.v1 import rehearsal
from nova_image.tests.functional import base
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import rehearsal_images as images
from nova_image.tests.functional import servers

COUNT = int(os.environ.get('NOVA_IMAGE_REHEARSED', '300'))
_RUN = ('import sys; from nova_image.cmd import main; '
        'sys.exit(main.status())')


class RehearseTest(cli_case.CommandLineTest):
    """The command, as an administrator and as a member."""

    # The script may not be installed, if this clone was updated.
    program = (sys.executable, '-c', _RUN)

    def setUp(self) -> None:
        """Insert the images."""
        super().setUp()
        self.glance = servers.glance15()
        images.clear(self.glance.database)
        self.addCleanup(images.clear, self.glance.database)
        self.variables = {'COLUMNS': '80'}

    def rehearse(self, *argv: str, code: int) -> cli_case.Done:
        """Run the command."""
        done = self.run_it('--os-auth-type', 'none', '--os-endpoint',
                           self.glance.url, 'upgrade', 'rehearse', *argv,
                           code=code)
        self.assertEqual('', done.err)
        return done

    def kinds(self, count: int, *argv: str, code: int = 2
              ) -> dict[str, set[str]]:
        """Return the kinds of differences of each image, by name.

        :param count: number of usual images
        """
        names = {images.image_id(name): name for name in images.ODD}
        answer = json.loads(self.rehearse('--json', *argv, code=code).out)
        self.assertIsNone(answer['error'])
        self.assertEqual(count + len(images.ODD), answer['images'])
        found: dict[str, set[str]] = collections.defaultdict(set)
        for one in answer['differences']:
            found[names[one['image_id']]].add(one['kind'])
        self.assertEqual(len(found), answer['different'])
        for kind, facts in answer['kinds'].items():
            self.assertEqual(facts['images'], sum(
                kind in kinds for kinds in found.values()))
            self.assertEqual(facts['documented'],
                             differences.KINDS[kind].documented)
        return found

    def test_no_images(self) -> None:
        done = self.rehearse(code=0)
        self.assertRegex(done.out, r'^0 images compared in [0-9.]+ s: '
                         r'callers see no differences\n\Z')
        self.assertEqual({'differences': [], 'images': 0, 'different': 0,
                          'kinds': {}, 'error': None},
                         json.loads(self.rehearse('--json', code=0).out))

    def test_each_kind(self) -> None:
        images.insert(self.glance.database, COUNT)
        self.assertEqual({
            name: set(odd.kinds) for name, odd in images.ODD.items()
            if odd.kinds and not odd.members}, self.kinds(COUNT))

    def test_options(self) -> None:
        images.insert(self.glance.database, 20)
        self.assertEqual({
            name: set(odd.kinds) for name, odd in images.ODD.items()
            if odd.kinds}, self.kinds(20, '--members'))
        self.assertEqual({}, self.kinds(
            20, '--ignore', 'documented', '--ignore', 'unreadable-v1',
            '--ignore', 'unreadable-v2', code=0))

    def test_what_is_derived_is_what_is_shown(self) -> None:
        names = [*images.ODD]
        images.insert(self.glance.database, 20, names)
        done = self.rehearse('--json', '--show', '--threads', '3', code=2)
        shown = {(one['kind'], one['image_id'])
                 for one in json.loads(done.out)['differences']}
        done = self.rehearse('--json', code=2)
        self.assertEqual(shown, {
            (one['kind'], one['image_id'])
            for one in json.loads(done.out)['differences']})

    def test_table(self) -> None:
        images.insert(self.glance.database, 20)
        lines = self.rehearse('--members', code=2).out.splitlines()
        self.assertRegex(lines[0], r'^34 images compared in .* 13 differ$')
        self.assertIn('       2  unreadable-v2      v2 cannot read the image',
                      lines)
        self.assertIn('       1  property-names   * v1 shows the name of a '
                      'property in lower case', lines)
        self.assertIn('    %s  OS_Type' % images.image_id('upper case'),
                      lines)
        self.assertIn('    %s  a-partner: pending' % images.image_id(
            'not accepted'), lines)
        self.assertEqual([], [line for line in lines if len(line) > 80])

    def test_documented_differences_only(self) -> None:
        images.insert(self.glance.database, 20, ['upper case'])
        self.rehearse(code=1)
        self.rehearse('--ignore', 'documented', code=0)
        self.rehearse('--ignore', 'property-names', code=0)
        self.rehearse('--ignore', 'members', code=1)

    def test_as_a_member(self) -> None:
        images.insert(self.glance.database, 20, ['not accepted', 'accepted'])
        context = self.context(project_id=images.PARTNERS[1])
        first, second = (
            listings.Api(api, base.make_driver(api, [self.glance.url]),
                         context) for api in ('v1', 'v2'))
        # With Keystone, only Glance decides what a caller sees.
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.client.Client.seen_by',
            lambda self, context: values.always))
        found = [one for each in rehearsal.Rehearsal(first, second).run()
                 for one in each]
        self.assertEqual([differences.Difference(
            'members', images.image_id('not accepted'), 'list',
            images.PARTNERS[1], 'listed', 'rejected')], found)

    def test_cloud_without_v1(self) -> None:
        done = self.run_it('--os-auth-type', 'none', '--os-endpoint',
                           servers.glance33().url, 'upgrade', 'rehearse',
                           code=2)
        self.assertRegex(done.err, '^nova-image-status: A rehearsal requires '
                         'a Glance with both v1 and v2: ')

    def test_interrupt_while_glance_does_not_answer(self) -> None:
        with socket.create_server(('127.0.0.1', 0)) as server:
            process = self.start(
                '--os-auth-type', 'none', '--os-endpoint',
                'http://127.0.0.1:%d' % server.getsockname()[1], 'upgrade',
                'rehearse')
            with server.accept()[0]:  # a request is on its way
                process.send_signal(signal.SIGINT)
                done = self.finish(process)
        self.assertEqual((130, '', ''), (done.code, done.out, done.err))

    def test_progress(self) -> None:
        images.insert(self.glance.database, 20, ['upper case'])
        child = pexpect.spawn(
            str(self.program[0]), [
                *map(str, self.program[1:]), '--os-auth-type', 'none',
                '--os-endpoint', self.glance.url, 'upgrade', 'rehearse'],
            env=self.environment, cwd=str(self.folder), encoding='utf-8',
            timeout=120, dimensions=(24, 80))
        self.addCleanup(child.close, force=True)
        code, text = self.end_of(child)
        self.assertEqual(1, code)
        self.assertIn('images listed by v1', text)
