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

"""Tokens of a real Keystone that end during a replication."""

import json
import sys
import threading
import time
import typing

from nova_image.cmd import codes
from nova_image.tests import fixtures
from nova_image.tests.fixtures import keystone as keystone_fixture
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import servers

#: seconds; keystoneauth renews a token 30 seconds before its end
_LIFETIME = 35
_MIB = 2 ** 20
_IMAGES = 8
_SIZE = 2 * _MIB
#: bytes per second at which the target receives data while tokens end
_SLOW = 400_000
#: the same while they are revoked, so that requests are frequent
_FASTER = 2_000_000
#: seconds between two revocations
_PAUSE = 3.0
#: the end of a second
_END = 0.8
#: runs after which all images must be there
_RUNS = 5
#: has the role admin, and is not the fixture's own administrator
_USER = 'nova'

_CLOUD = """
  %(name)s:
    region_name: %(region)s
    image_endpoint_override: %(url)s
    auth: {auth_url: %(auth_url)s, username: %(username)s,
           password: %(password)s, project_name: %(project_name)s,
           user_domain_id: default, project_domain_id: default}
"""


@servers.once
def keystone() -> fixtures.Keystone:
    """Return a Keystone with short-lived tokens."""
    return fixtures.Keystone(options={
        'token': {'expiration': str(_LIFETIME)}})


def _glance() -> fixtures.Glance:
    return fixtures.Glance(auth='keystone', keystone=keystone(), options={
        'keystone_authtoken': {'token_cache_time': '-1'}})


@servers.once
def source_glance() -> fixtures.Glance:
    """Return the Glance to read from."""
    return _glance()


@servers.once
def target_glance() -> fixtures.Glance:
    """Return the Glance to write to."""
    return _glance()


class TokensTest(cli_case.CommandLineTest):
    """Between two Glance 33 with a Keystone."""

    def setUp(self) -> None:
        """Give the source images, and put a slow proxy before the target."""
        super().setUp()
        servers.SECRETS.add(keystone().auth_options(_USER)['password'])
        self.images = {self.raw(source_glance()).create(
            bytes([number]) * _SIZE, name='disk %d' % number)['id']
            for number in range(_IMAGES)}
        for glance in source_glance(), target_glance():
            self.addCleanup(lambda one=glance: self.raw(one).wipe())
        self.marks = [(glance, glance.mark()) for glance in (
            source_glance(), target_glance())]
        self.proxy = self.useFixture(fixtures.FaultyProxy(
            target_glance().url, bandwidth=_SLOW))

    def raw(self, glance: fixtures.Glance) -> servers.RawGlance:
        """Return a plain HTTP client with a new token."""
        return servers.RawGlance(glance.url, {'X-Auth-Token': self.token()})

    def token(self) -> str:
        """Return a new token."""
        token = keystone().session('admin').get_token()
        servers.SECRETS.add(token)
        return token

    def refused(self) -> int:
        """Return the number of requests that were refused with a 401."""
        return sum(one.status == 401 for glance, mark in self.marks
                   for one in glance.requests(mark))

    def is_uploading(self) -> bool:
        """Return whether the target receives data."""
        return any(one.method == 'PUT' for one in self.proxy.requests)

    def replicate(self, *ends: str) -> dict[str, typing.Any]:
        """Run once; return the report."""
        done = self.finish(self.start(
            'replicate', *ends, '--transfers', '1', '--json'))
        self.assertIn(done.code, (
            codes.DONE, codes.INCOMPLETE, codes.NOT_AUTHORIZED), done.err)
        lines = [json.loads(line) for line in done.out.splitlines()]
        return lines[-1]['report'] if lines else {'results': {}}

    def tell(self, reports: list[dict[str, typing.Any]]) -> None:
        """Check that tokens were refused, and print what became of it."""
        refused = self.refused()
        self.assertGreater(refused, 0)
        print('%s: %d requests refused' % (
            self.id().rpartition('.')[2], refused), file=sys.stderr)
        for report in reports:
            print('   %s' % report['results'], *[
                '%d %s' % (one['images'], one['reason'])
                for one in report.get('reasons', ())],
                sep='\n      ', file=sys.stderr)

    def check_same(self) -> None:
        """Check that the target has all images, with their data."""
        for image_id in self.images:
            self.assertEqual(self.raw(source_glance()).data(image_id),
                             self.raw(target_glance()).data(image_id))
        self.assertEqual(self.images, {
            one['id'] for one in self.raw(target_glance()).images()})

    def test_a_given_token_ends_in_the_middle(self) -> None:
        reports = []
        for _ in range(_RUNS):
            (self.folder / 'token').write_text(self.token())
            reports.append(self.replicate(
                '--from', source_glance().url, '--from-token-file', 'token',
                '--to', self.proxy.url, '--to-token-file', 'token'))
            self.proxy.bandwidth = None
            if set(reports[-1]['results']) <= {'same', 'copied'}:
                break
        self.assertEqual({'copied', 'failed'}, set(reports[0]['results']))
        self.assertIn('401', reports[0]['reasons'][0]['reason'])
        self.assertLess(len(reports), _RUNS, reports)
        self.tell(reports)
        self.check_same()

    def revoke(self) -> None:
        """Make the tokens that the user has useless.

        Keystone also refuses those that it issues in the same second, so this
        happens at its end.
        """
        time.sleep((_END - time.time()) % 1)
        keystone().session('admin').patch(
            '%s/users/%s' % (keystone().auth_url, keystone().user_id(_USER)),
            json={'user': {'password': keystone().auth_options(_USER)[
                'password']}}, log=False)

    def test_tokens_are_revoked(self) -> None:
        text = 'clouds:'
        for name, url in (('old', source_glance().url),
                          ('new', self.proxy.url)):
            text += _CLOUD % dict(
                keystone().auth_options(_USER), name=name, url=url,
                region=keystone_fixture.REGION)
        (self.folder / 'clouds.yaml').write_text(text)
        self.proxy.bandwidth = _FASTER
        over = threading.Event()

        def revoke_again_and_again() -> None:
            while not over.wait(_PAUSE):
                if self.is_uploading():
                    self.revoke()

        thread = threading.Thread(target=revoke_again_and_again)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(over.set)
        reports = [self.replicate('--from', 'old', '--to', 'new')]
        over.set()
        thread.join()
        reports.append(self.replicate('--from', 'old', '--to', 'new'))
        self.assertLessEqual(set(reports[1]['results']), {'same', 'copied'})
        self.tell(reports)
        self.check_same()
