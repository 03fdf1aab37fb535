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

"""nova-image-replicator on a Glance that has only the Images API v1.

This module is removed together with the v1 driver.
"""

import os
import subprocess

from nova_image.tests import fixtures
from nova_image.tests.fixtures import processes
from nova_image.tests.functional import replicator_case
from nova_image.tests.functional import servers

DATA = replicator_case.DATA
# The server identifies its callers by headers, which the program cannot send.
_GLANCE_REPLICATOR = """
from glance.cmd import replicator
request = replicator.ImageService._http_request
def identified(self, method, url, headers, *args, **options):
    headers.update(%r)
    return request(self, method, url, headers, *args, **options)
replicator.ImageService._http_request = identified
replicator.main()
""" % servers.headers_of('the-admins', 'admin')


@servers.once
def only_v1() -> fixtures.LegacyGlance:
    """The images of servers.glance15(), by v1 only."""
    return fixtures.LegacyGlance(apis=('v1',), data_of=servers.glance15())


class ReplicatorV1Test(replicator_case.ReplicatorTest):
    """From v1 to Glance 33, also by a dump of glance-replicator itself."""

    def setUp(self) -> None:
        """Create an image, and name the servers."""
        super().setUp()
        self.pair = (replicator_case.name_of(only_v1()),
                     replicator_case.name_of(servers.glance33()))
        self.raw = self.raw_glance(servers.glance33().url)
        self.copied = self.image(servers.glance15(), name='disk',
                                 visibility='public', os_type='linux')

    def assert_copied(self) -> None:
        """Check the image at the target."""
        found = self.raw.image(self.copied)
        self.assertEqual(('disk', 'public', 'linux', self.project), (
            found['name'], found['visibility'], found['os_type'],
            found['owner']))
        self.assertHasData(self.raw, self.copied)

    def test_v1_is_used_only_without_v2(self) -> None:
        done = self.run_it('livecopy', *self.pair)
        self.assertEqual([
            'nova-image-replicator: Using the Images API v%s of http://%s' % (
                version, name) for version, name in zip(
                    '12', self.pair, strict=True)], done.err.splitlines())
        self.assert_copied()
        self.run_it('compare', *self.pair)
        both = servers.glance15().url
        for url, version in (both, 2), (both + '/v1', 1), (both + '/v2/', 2):
            done = self.run_it('size', url)
            self.assertIn('API v%d of %s\n' % (version, both), done.err)
            self.assertIn(' %d bytes' % len(DATA), done.out)
        for url, version in ((only_v1().url, 'v2'),
                             (servers.glance33().url, 'v1')):
            self.assertIn('does not have the Images API %s' % version,
                          self.error(1, 'size', '%s/%s' % (url, version)))

    def test_dump_of_glance_replicator(self) -> None:
        (self.folder / 'dump').mkdir()
        python = only_v1().virtualenv.bin / 'python'
        subprocess.run(
            [python, '-c', _GLANCE_REPLICATOR, 'dump', self.pair[0], 'dump'],
            cwd=self.folder, check=True,
            env=processes.clean_environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        self.assertIn(self.copied + '.img',
                      os.listdir(self.folder / 'dump'))
        self.run_it('load', self.pair[1], 'dump')
        self.assert_copied()
        self.run_it('compare', *self.pair)
