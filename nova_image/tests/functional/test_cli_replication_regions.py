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

"""Replication by glance-download, between two regions of one Keystone."""

import json
import pathlib
import signal
import typing

from nova_image.cmd import codes
from nova_image.replication import record
from nova_image.tests import fixtures
from nova_image.tests.fixtures import keystone as keystone_fixture
from nova_image.tests.functional import base
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import loopback
from nova_image.tests.functional import replication_matrix as matrix
from nova_image.tests.functional import servers

Raw = dict[str, typing.Any]

REGION = 'RegionTwo'
_CLOUD = """
  %(name)s:
    region_name: %(region)s
    auth: {auth_url: %(auth_url)s, username: %(username)s,
           password: %(password)s, project_name: %(project_name)s,
           user_domain_id: default, project_domain_id: default}
"""
_DATA = bytes(range(256)) * 4096


class _InOtherRegion(fixtures.Glance):
    """A Glance in another region of its Keystone's catalog."""

    def _setUp(self) -> None:
        super()._setUp()
        assert self.keystone is not None
        self.keystone.add_endpoint('image', 'glance-two', self.url, REGION)


@servers.once
def glance_two() -> fixtures.Glance:
    """Glance 33 that imports from secured_glance()."""
    servers.secured_glance()
    return _InOtherRegion(
        stores={'fast': 'file', 'slow': 'file', 'web': 'http'},
        auth='keystone', keystone=servers.keystone(), options={
            'DEFAULT': {'enabled_import_methods':
                        '[glance-direct, glance-download]'}})


class RegionsOnGlance33Test(cli_case.OnKeystone):
    """Two regions, each with its own Glance.

    :ivar new: a plain HTTP client of the target
    """

    def setUp(self) -> None:
        """Write clouds.yaml."""
        super().setUp()
        self.variables = {}
        self.new = servers.RawGlance(glance_two().url, self.raw.headers)
        matrix.wipe(self.raw, self.new)  # other tests leave images
        self.addCleanup(matrix.wipe, self.raw, self.new)
        text = 'clouds:'
        for name, region in (('old', keystone_fixture.REGION),
                             ('new', REGION), ('lost', 'RegionThree')):
            text += _CLOUD % dict(
                servers.keystone().auth_options('admin'), name=name,
                region=region)
        (self.folder / 'clouds.yaml').write_text(text)

    def pull(self, *argv: str, code: int = 0) -> list[Raw]:
        """Replicate, and return the lines of JSON; the last is the report."""
        done = self.run_it(*self.pulling(*argv), code=code)
        return [json.loads(line) for line in done.out.splitlines()]

    def pulling(self, *argv: str, source: str = 'old', target: str = 'new'
                ) -> list[str]:
        """Return the arguments of a replication by glance-download.

        One image at a time: these Glances have sqlite.
        """
        return ['replicate', '--from', source, '--to', target, '--json',
                '--method', 'glance-download', '--transfers', '1', *argv]

    def stored(self, image: str) -> pathlib.Path:
        """Return the file with the data of an image of the source."""
        return self.glance.folder / 'fast' / image

    def test_images_of_any_kind(self) -> None:
        project = servers.keystone().project_id('demo')
        image = self.raw.create(
            _DATA, name='disk', owner=project, visibility='public',
            protected=True, tags=['a'], os_distro='debian', hw_a='1',
            p='q')['id']
        shared = self.raw.create(b'', name='empty', visibility='shared',
                                 hw_b='')['id']
        self.raw.ask('POST', '/v2/images/%s/members' % shared,
                     json={'member': project})
        off = self.raw.create(b'abc', name='off')['id']
        self.raw.ask('POST', '/v2/images/%s/actions/deactivate' % off, 204)
        with base.recording(self.glance) as ours, base.recording(
                glance_two()) as theirs:
            lines = self.pull('--dontreplicate', 'hw_*', '--store', 'slow')
        self.assertEqual(
            {'disk': ('copied', 'both ends'), 'empty': (
                'copied', 'both ends'), 'off': ('skipped', 'no')},
            {one['name']: (one['result'], one['verified'])
             for one in lines[:-1]})
        self.assertEqual(len(_DATA), lines[-1]['report']['bytes_sent'])
        self.assertEqual(2, len([call for call in ours.calls
                                 if call.endswith('/file')]))
        self.assertEqual([], [call for call in theirs.calls
                              if call.endswith('/file')])
        found = self.new.image(image)
        self.assertEqual(
            (project, 'public', True, ['a'], 'debian', None, 'q', image,
             'slow'), tuple(found.get(name) for name in (
                 'owner', 'visibility', 'protected', 'tags', 'os_distro',
                 'hw_a', 'p', record.MARKER, 'stores')))
        if self.new.data(image) != _DATA:
            self.fail('The data differs')
        self.assertEqual([project], self.new.members(shared))
        self.assertEqual([], self.new.find(off))
        again = self.pull('--dontreplicate', 'hw_*')
        self.assertEqual({'same': 2, 'skipped': 1},
                         again[-1]['report']['results'])

    def test_wrong_data(self) -> None:
        image = self.raw.create(_DATA, visibility='public')['id']
        self.stored(image).write_bytes(bytes(len(_DATA)))
        failed = self.pull(code=codes.INCOMPLETE)[0]
        self.assertEqual('failed', failed['result'])
        self.assertIn('the private image with the wrong data',
                      failed['reason'])
        self.assertEqual('private', self.new.image(image)['visibility'])

    def test_data_that_is_lost(self) -> None:
        image = self.raw.create(_DATA, visibility='public')['id']
        path = self.stored(image)
        path.rename(self.folder / 'away')
        failed = self.pull(code=codes.INCOMPLETE)[0]
        self.assertIn('Task failed', failed['reason'])
        self.assertNotIn('Left behind', failed['reason'])
        self.assertEqual(('queued', 'private'), tuple(
            self.new.image(image)[name] for name in ('status', 'visibility')))
        self.assertEqual([], glance_two().staged)
        (self.folder / 'away').rename(path)
        locked = self.pull(code=codes.INCOMPLETE)[0]
        self.assertIn('no other for an hour', locked['reason'])
        self.run_it('replicate', '--from', 'old', '--to', 'new',
                    '--store', 'new=slow')
        self.assertEqual(('active', 'public', 'slow'), tuple(
            self.new.image(image)[name] for name in (
                'status', 'visibility', 'stores')))

    def test_a_source_without_hashes(self) -> None:
        image = self.raw.create(None, name='located', visibility='public')
        web = self.useFixture(loopback.WebStore(b'abc'))
        self.raw.patch(image['id'], {
            'op': 'add', 'path': '/locations/-', 'value': {
                'url': web.url, 'metadata': {}}})
        self.assertIsNone(self.raw.image(image['id'])['checksum'])
        lines = self.pull()
        self.assertEqual(('copied', 'target only'), (
            lines[0]['result'], lines[0]['verified']))
        self.assertEqual('public', self.new.image(image['id'])['visibility'])

    def test_killed_while_the_target_imports(self) -> None:
        image = self.raw.create(bytes(96 * 2 ** 20))['id']
        child = self.start(*self.pulling())
        self.wait_for(lambda: [one['status'] for one in self.new.images()] ==
                      ['importing'], 'importing', 20)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        with base.recording(glance_two()) as made:
            lines = self.pull()
        self.assertEqual('copied', lines[0]['result'])
        self.assertNotIn('POST /v2/images/%s/import' % image, made.calls)
        self.assertEqual(self.raw.image(image)['os_hash_value'],
                         self.new.image(image)['os_hash_value'])

    def test_what_cannot_work_is_refused(self) -> None:
        self.raw.create(b'abc')
        text = (self.folder / 'clouds.yaml').read_text().replace(
            'region_name: RegionThree', 'region_name: %s\n'
            '    image_endpoint_override: http://127.0.0.1:1' %
            keystone_fixture.REGION)
        (self.folder / 'clouds.yaml').write_text(text)
        line = self.error(codes.USAGE, *self.pulling(source='lost'))
        self.assertIn('in the catalog of the target: that of new has %s as '
                      'the public endpoint in region RegionOne, but lost is '
                      'http://127.0.0.1:1' % self.glance.url, line)
        line = self.error(codes.REFUSED, *self.pulling(
            '--dry-run', source='new', target='old'))
        self.assertIn('glance-download is not enabled', line)
        line = self.error(codes.REFUSED, *self.pulling('--store', 'web'))
        self.assertIn('store web is missing or read-only in new, whose '
                      'writable stores are fast, slow', line)
        self.assertEqual([], self.new.images())
