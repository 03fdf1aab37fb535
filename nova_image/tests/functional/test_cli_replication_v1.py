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

"""The commands that replicate images from v1. Removed with the v1 driver."""

import subprocess
import sys

from nova_image.cmd import codes
from nova_image.tests.functional import base
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import replication_matrix as matrix
from nova_image.tests.functional import servers


#: Runs a command, and writes which modules it has executed that only
#: transfers, errors or clouds.yaml need.
_RUN = """
import sys
import types
from nova_image.cmd import main
code = main.main(sys.argv[1:])
print([name for name in (
    'nova_image.image.transfer.fetch', 'oslo_utils.strutils', 'tooz', 'yaml')
    if type(sys.modules.get(name)) is types.ModuleType], file=sys.stderr)
sys.exit(code)
"""


class FromV1Test(cli_case.CommandLineTest):
    """From Glance 15 to Glance 33, and back."""

    def setUp(self) -> None:
        """Choose the servers."""
        super().setUp()
        self.old = self.raw_glance(servers.glance15().url)
        self.new = self.raw_glance(matrix.glance_on_mariadb().url)
        matrix.wipe(self.old, self.new)  # other tests leave images
        self.addCleanup(matrix.wipe, self.old, self.new)
        self.ends = '--from', self.old.url + '/v1', '--to', self.new.url

    def test_the_way_off_v1(self) -> None:
        image = self.old.create(b'abc', name='disk', visibility='public',
                                Mixed='1')['id']
        shared = self.old.create(b'abc', name='shared',
                                 visibility='shared')['id']
        self.old.ask('POST', '/v2/images/%s/members' % shared,
                     json={'member': 'p'})
        self.run_it('replicate', *self.ends, '--dry-run',
                    code=codes.DIFFERENT)
        self.run_it('replicate', *self.ends)
        self.assertEqual(('1', 'public'), (
            self.new.image(image)['Mixed'],
            self.new.image(image)['visibility']))
        self.assertEqual(['p'], self.new.members(shared))
        with base.recording(servers.glance15()) as made:
            done = self.run_it('replicate', *self.ends)
        self.assertEqual('2 images, 6 B: 2 same\n', done.out)
        self.assertEqual({'GET /v1/images/detail'}, set(made.calls))
        self.run_it('compare', *self.ends, '--deep')
        self.old.delete(shared)
        done = self.run_it('replicate', *self.ends, '--delete', '--all')
        self.assertIn('updated    ' + shared, done.out)
        self.assertEqual([], self.new.find(shared))

    def test_to_v1(self) -> None:
        self.new.create(b'abc', name='disk', tags=['t'])
        done = self.run_it('replicate', '--from', self.new.url, '--to',
                           self.old.url + '/v1')
        self.assertIn('(lost: tags)', done.out)
        self.assertIn('1 without tags: v1 has no tags', done.out)
        with base.recording(servers.glance15()) as made:
            self.run_it('replicate', '--from', self.new.url, '--to',
                        self.old.url + '/v1')
        # Nor is it asked about formats, if it receives no data.
        self.assertEqual({'GET /v1/images/detail'}, set(made.calls))

    def test_requests_for_each_image(self) -> None:
        """The listings are not counted; operator/replication.rst has them."""
        for _ in range(2):
            self.old.create(b'abc', name='disk', visibility='private')
        with base.recording(servers.glance15()) as read, (
                base.recording(matrix.glance_on_mariadb())) as written:
            self.run_it('replicate', *self.ends, '--transfers', '1')
        self.assertEqual(
            ['GET /v1/images/ID'] * 2 + ['GET /v1/images/ID/members'] * 2,
            sorted(self._about_images(read.calls)))
        self.assertEqual(
            sorted(['POST /v2/images', 'PUT /v2/images/ID/file',
                    'GET /v2/images/ID'] * 2),
            sorted(self._about_images(written.calls)))

    def test_requests_for_each_image_to_v1(self) -> None:
        """Those about its formats and its owner are made once."""
        for _ in range(3):
            self.new.create(b'abc', name='disk', visibility='private')
        with base.recording(matrix.glance_on_mariadb()) as read, (
                base.recording(servers.glance15())) as written:
            self.run_it('replicate', '--from', self.new.url, '--to',
                        self.old.url + '/v1', '--transfers', '1')
        self.assertEqual(
            ['GET /v2/images/ID'] * 6 + ['GET /v2/images/ID/file'] * 3,
            sorted(self._about_images(read.calls)))
        self.assertEqual(
            ['PUT /v1/images/ID', 'POST /v1/images', 'HEAD /v1/images/ID',
             'PUT /v1/images/ID', 'POST /v1/images', 'POST /v1/images'],
            self._about_images(written.calls))

    @staticmethod
    def _about_images(calls: list[str]) -> list[str]:
        """Return the calls that are not made once for all images."""
        return [call for call in calls if call not in (
            'GET /v1/images/detail', 'GET /v2/images',
            'GET /v2/schemas/image')]

    def test_imports_of_a_run_that_finds_nothing_to_do(self) -> None:
        self.old.create(b'abc', name='disk', visibility='public')
        self.run_it('replicate', *self.ends)
        done = subprocess.run(
            [sys.executable, '-c', _RUN, 'replicate', *self.ends],
            cwd=self.folder, env=self.environment, text=True, timeout=120,
            check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self.assertEqual('1 image, 3 B: 1 same\n', done.stdout)
        self.assertEqual('[]\n', done.stderr)

    def test_v1_has_no_stores_to_choose_from(self) -> None:
        self.new.create(b'abc', name='disk')
        line = self.error(codes.NOT_SUPPORTED, 'replicate', '--from',
                          self.new.url, '--to', self.old.url + '/v1',
                          '--store', 'file')
        self.assertIn('does not use the Images API v2', line)
        self.assertEqual([], self.old.images())

    def test_one_glance_with_two_apis(self) -> None:
        line = self.error(codes.USAGE, 'replicate', '--from',
                          self.old.url + '/v1', '--to', self.old.url)
        self.assertIn('the same Glance', line)

    def test_a_dump(self) -> None:
        image = self.old.create(b'abc', name='disk')['id']
        self.run_it('dump', *self.ends[:2], 'dump')
        self.run_it('load', 'dump', *self.ends[2:])
        self.assertEqual(b'abc', self.new.data(image))
