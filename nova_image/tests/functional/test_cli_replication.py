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

"""The commands that replicate images, as a user runs them."""

import hashlib
import json
import pathlib
import signal
import time
import typing

from nova_image.cmd import codes
from nova_image.replication import record
from nova_image.tests import fixtures
from nova_image.tests.functional import base
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import replication_matrix as matrix
from nova_image.tests.functional import screen
from nova_image.tests.functional import servers

Raw = dict[str, typing.Any]

_CLOUDS = """
clouds:
  old:
    auth_type: none
    image_endpoint_override: %s
  new:
    auth_type: none
    image_endpoint_override: %s
"""


class ReplicationCommand(cli_case.CommandLineTest):
    """A test with two Glances 33, which clouds.yaml calls old and new.

    :ivar old: a plain HTTP client of the source
    :ivar new: the same for the target
    """

    def setUp(self) -> None:
        """Write clouds.yaml."""
        super().setUp()
        self.target = matrix.glance_on_mariadb()
        self.old = self.raw_glance(servers.glance33().url)
        self.new = self.raw_glance(self.target.url)
        matrix.wipe(self.old, self.new)  # other tests leave images
        self.addCleanup(matrix.wipe, self.old, self.new)
        self.write_clouds(self.old.url, self.new.url)

    def write_clouds(self, old: str, new: str) -> None:
        """Write clouds.yaml."""
        (self.folder / 'clouds.yaml').write_text(_CLOUDS % (old, new))

    def assertData(self, data: bytes, image: str) -> None:
        """Check the data of an image of the target, without showing it."""
        self.assertEqual(hashlib.sha256(data).digest(), hashlib.sha256(
            self.new.data(image)).digest())

    def replicate(self, *argv: str, code: int = 0) -> list[Raw]:
        """Replicate, and return the lines of JSON; the last is the report."""
        done = self.run_it('replicate', '--from', 'old', '--to', 'new',
                           '--json', *argv, code=code)
        return [json.loads(line) for line in done.out.splitlines()]

    def results(self, *argv: str, code: int = 0) -> dict[str, str]:
        """Replicate, and return {name: result}."""
        return {one['name']: one['result']
                for one in self.replicate(*argv, code=code)[:-1]}


class ReplicateOnGlance33Test(ReplicationCommand):
    """nova-image replicate and compare."""

    def test_from_a_dry_run_to_nothing_to_do(self) -> None:
        name = 'Zürich ' + 'n' * 240
        image = self.old.create(b'abc', name=name, visibility='public',
                                a='b')['id']
        shared = self.old.create(b'abcd', name='sha\x1bred',
                                 visibility='shared', protected=True)['id']
        self.old.ask('POST', '/v2/images/%s/members' % shared,
                     json={'member': 'p'})
        done = self.run_it('replicate', '--from', 'old', '--to', 'new',
                           '--dry-run', code=codes.DIFFERENT)
        self.assertIn('the target lacks it', done.out)
        self.assertNotIn('\x1b', done.out)
        self.assertEqual(('', []), (done.err, self.new.images()))
        lines = self.replicate()
        self.assertEqual(['copied'] * 2, [one['result']
                                          for one in lines[:-1]])
        self.assertEqual({'copied': 2}, lines[-1]['report']['results'])
        self.assertEqual({image: name, shared: 'sha\x1bred'}, {
            one['id']: one['name'] for one in self.new.images()})
        self.assertEqual(['p'], self.new.members(shared))
        with base.recording(servers.glance33()) as ours, base.recording(
                self.target) as theirs:
            done = self.run_it('replicate', '--from', 'old', '--to', 'new')
        self.assertEqual('2 images, 7 B: 2 same\n', done.out)
        for made in ours, theirs:
            self.assertEqual(['GET /v2/schemas/image'] +
                             ['GET /v2/images'] * 2, made.calls)
        self.run_it('compare', '--from', 'old', '--to', 'new')
        self.assertEqual({'images': 2, 'size': 7}, {
            name: value for name, value in self.json(
                'size', '--from', 'old').items() if name in (
                    'images', 'size')})

    def test_filters(self) -> None:
        for name, size, tag in (('cirros-1', 3, 'a'), ('cirros-2', 3, 'b'),
                                ('cirros-3', 2000, 'a'), ('other', 3, 'a')):
            self.old.create(b'x' * size, name=name, tags=[tag])
        found = self.results('--name', 'cirros*', '--tag', 'a',
                             '--size-max', '1K')
        self.assertEqual({'cirros-1': 'copied', 'cirros-2': 'skipped',
                          'cirros-3': 'skipped', 'other': 'skipped'}, found)
        self.assertEqual(['cirros-1'], [one['name']
                                        for one in self.new.images()])

    def test_projects_and_fields(self) -> None:
        (self.folder / 'map').write_text('# ours, theirs\na, b\n')
        mapped = self.old.create(b'x', name='mapped', owner='a', p='1',
                                 secret='2')['id']
        other = self.old.create(b'x', name='other', owner='c')['id']
        self.assertEqual({'mapped': 'copied', 'other': 'conflict'},
                         self.results('--project-map', 'map',
                                      '--dontreplicate', 'sec* min_ram',
                                      code=codes.INCOMPLETE))
        found = self.new.image(mapped)
        self.assertEqual(('b', '1', None), (
            found['owner'], found['p'], found.get('secret')))
        self.old.patch(mapped, {'op': 'replace', 'path': '/name',
                                'value': 'new name'})
        self.assertEqual(
            {'new name': 'updated', 'other': 'skipped'},
            self.results('--all-to', 'd', '--metadata-only'))
        found = self.new.image(mapped)
        self.assertEqual(('d', 'new name'), (found['owner'], found['name']))
        self.assertEqual([], self.new.find(other))

    def test_a_new_id_for_a_kernel(self) -> None:
        kernel = self.old.create(b'k', name='kernel', disk_format='aki',
                                 container_format='aki')['id']
        disk = self.old.create(b'd', name='disk', kernel_id=kernel)['id']
        self.new.delete(self.new.create(id=kernel)['id'])
        self.assertEqual({'kernel': 'failed', 'disk': 'failed'},
                         self.results(code=codes.INCOMPLETE))
        self.assertEqual({'kernel': 'copied', 'disk': 'copied'},
                         self.results('--new-id'))
        new = self.new.image(disk)['kernel_id']
        self.assertNotEqual(kernel, new)
        self.assertEqual(kernel, self.new.image(new)[record.MARKER])
        self.assertEqual(b'k', self.new.data(new))
        self.assertEqual({'kernel': 'same', 'disk': 'same'}, self.results())

    def test_replicas_whose_source_is_gone(self) -> None:
        images = [self.old.create(b'x', name=name)['id'] for name in 'ab']
        foreign = self.new.create(b'x', name='foreign')
        self.replicate()
        for image in images:
            self.old.delete(image)
        before = self.new.images()
        self.assertEqual({'a': 'conflict', 'b': 'conflict'}, self.results(
            '--delete', '--max-delete', '1', code=codes.INCOMPLETE))
        self.assertEqual(before, self.new.images())
        self.results('--deactivate')
        self.assertEqual({'deactivated'}, {
            self.new.image(image)['status'] for image in images})
        self.results('--hide')
        self.assertTrue(self.new.image(images[0])['os_hidden'])
        self.assertEqual({'a': 'updated', 'b': 'updated'},
                         self.results('--delete', '--max-delete', '2'))
        self.assertEqual([], self.new.find(images[0]))
        self.assertEqual(foreign, self.new.image(foreign['id']))

    def test_damage_in_the_store(self) -> None:
        image = self.old.create(b'good data', name='disk')['id']
        self.replicate()
        store: pathlib.Path = self.target.folder / 'fast' / image
        store.write_bytes(b'evil data')
        compare = 'compare', '--from', 'old', '--to', 'new'
        self.run_it(*compare)
        done = self.run_it(*compare, '--deep', code=codes.INCOMPLETE)
        self.assertIn(image, done.out)

    def test_several_targets(self) -> None:
        image = self.old.create(b'x' * 5000, name='disk')['id']
        third = self.raw_glance(self.useFixture(fixtures.Glance()).url)
        with base.recording(servers.glance33()) as made:
            done = self.run_it('replicate', '--from', 'old', '--to', 'new',
                               '--to', third.url)
        self.assertIn('at ' + third.url, done.out)
        self.assertEqual(1, made.calls.count('GET /v2/images/ID/file'))
        for raw in self.new, third:
            self.assertEqual(b'x' * 5000, raw.data(image))


class TroubleOnGlance33Test(ReplicationCommand):
    """Interruptions, limits and mistakes."""

    def test_ctrl_c(self) -> None:
        data = bytes(range(256)) * 32768
        image = self.old.create(data, name='disk', visibility='public')['id']
        proxy = self.useFixture(fixtures.FaultyProxy(
            self.new.url, bandwidth=1024 * 1024))
        self.write_clouds(self.old.url, proxy.url)
        process = self.start('replicate', '--from', 'old', '--to', 'new')
        self.wait_for(lambda: any(
            one['id'] == image and one['status'] == 'saving'
            for one in self.new.images()), 'uploading')
        process.send_signal(signal.SIGINT)
        done = self.finish(process)
        self.assertEqual(codes.INTERRUPTED, done.code, done.err)
        self.assertIn('Stopped: interrupted', done.out)
        self.assertIn('1 image, 8.0 MiB: 1 left', done.out)
        self.assertNotIn('Traceback', done.err)
        found = self.new.image(image)
        self.assertEqual('private', found['visibility'])
        self.assertNotEqual('active', found['status'])
        self.write_clouds(self.old.url, self.new.url)
        self.run_it('replicate', '--from', 'old', '--to', 'new')
        found = self.new.image(image)
        self.assertEqual(('active', 'public'), (
            found['status'], found['visibility']))
        self.assertData(data, image)

    def test_limits(self) -> None:
        for name in 'ab':
            self.old.create(b'x' * 300000, name=name)
        began = time.monotonic()
        found = self.results('--bandwidth', '200K', '--max-duration', '1s',
                             '--transfers', '1', code=codes.INCOMPLETE)
        self.assertGreater(time.monotonic() - began, 1.2)
        self.assertEqual(['copied', 'left'], sorted(found.values()))

    def test_mistakes(self) -> None:
        self.old.create(b'x', name='disk', visibility='public')
        local = self.old.url.replace('127.0.0.1', 'LOCALHOST') + '/v2/'
        (self.folder / 'token').write_bytes(b'\xff\n')
        (self.folder / 'several').write_text('a b\nc')
        for code, text, *argv in (
                (codes.LOCAL_FILE, 'missing', '--from', self.old.url,
                 '--from-token-file', 'missing', '--to', 'new'),
                (codes.LOCAL_FILE, 'token', '--from', self.old.url,
                 '--from-token-file', 'token', '--to', 'new'),
                (codes.LOCAL_FILE, 'several', '--from', self.old.url,
                 '--from-token-file', 'several', '--to', 'new'),
                (codes.USAGE, 'nobody', '--from', 'nobody', '--to', 'new'),
                (codes.USAGE, 'the same Glance', '--from', 'old', '--to',
                 local),
                (codes.USAGE, 'the same Glance', '--from', 'old', '--to',
                 'new', '--to', self.new.url),
                (codes.NO_CONNECTION, '127.0.0.1:9', '--from', 'old', '--to',
                 'http://127.0.0.1:9')):
            line = self.error(code, 'replicate', *argv)
            self.assertIn(text, line)
        self.assertEqual([], self.new.images())

    def test_in_a_terminal(self) -> None:
        for name in ('n' * 200, 'disk\x1b[31m', '日本' * 40, 'd'):
            self.old.create(b'x' * 300000, name=name)
        shown = screen.Screen(
            [cli_case.PROGRAM, 'replicate', '--from', 'old', '--to', 'new',
             '--bandwidth', '400K'], self.environment, self.folder)
        self.addCleanup(shown.close)
        text = shown.wait(lambda text: '%|' in text)
        self.assertEqual(1, text.count('%|'), text)
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        text = shown.wait(lambda text: '4 images' in text)
        self.assertEqual(0, shown.end())
        self.assertNotIn('%|', text)


class FoldersOnGlance33Test(ReplicationCommand):
    """nova-image dump and load."""

    def test_dump_and_load(self) -> None:
        data = bytes(range(256)) * 16384
        image = self.old.create(data, name='disk', visibility='public',
                                tags=['t'])['id']
        same = self.old.create(data, name='same')['id']
        proxy = self.useFixture(fixtures.FaultyProxy(
            self.old.url, bandwidth=1024 * 1024))
        self.write_clouds(proxy.url, self.new.url)
        process = self.start('dump', '--from', 'old', 'dump')
        self.wait_for(lambda: any('/file' in one.path
                                  for one in proxy.requests), 'reading')
        process.send_signal(signal.SIGINT)
        self.assertEqual(codes.INTERRUPTED, self.finish(process).code)
        self.write_clouds(self.old.url, self.new.url)
        self.run_it('dump', '--from', 'old', 'dump')
        stored = sum(path.stat().st_size for path in
                     (self.folder / 'dump').rglob('*') if path.is_file())
        self.assertLess(stored, 1.2 * len(data))
        self.assertEqual('2 images, 8.0 MiB: 2 same\n', self.run_it(
            'dump', '--from', 'old', 'dump').out)
        self.run_it('load', 'dump', '--to', 'new', '--dry-run',
                    code=codes.DIFFERENT)
        self.assertEqual([], self.new.images())
        self.run_it('load', 'dump', '--to', 'new')
        for one in (image, same):
            self.assertData(data, one)
        found = self.new.image(image)
        self.assertEqual(('public', ['t']), (found['visibility'],
                                             found['tags']))

    def test_an_old_dump(self) -> None:
        image, broken = base.new_id(), base.new_id()
        old = self.folder / 'old-dump'
        old.mkdir()
        for one in (image, broken):
            (old / one).write_text(json.dumps({
                'id': one, 'name': 'disk', 'status': 'active', 'size': 4,
                'disk_format': 'raw', 'container_format': 'bare',
                'is_public': True, 'owner': 'a', 'protected': False,
                'min_disk': 0, 'min_ram': 0, 'deleted': False,
                'checksum': '8d777f385d3dfec8815d20f7496026dc',
                'properties': {'p': '1'}, 'virtual_size': None,
                'created_at': '2017-01-01T00:00:00.000000',
                'updated_at': '2017-01-01T00:00:00.000000'}))
        (old / (image + '.img')).write_bytes(b'data')
        (old / (broken + '.img')).write_bytes(b'da')
        done = self.run_it('load', 'old-dump', '--to', 'new',
                           code=codes.INCOMPLETE)
        self.assertIn('truncated', done.out)
        found = self.new.image(image)
        self.assertEqual((b'data', '1', 'public'), (
            self.new.data(image), found['p'], found['visibility']))
        self.assertEqual([], self.new.find(broken))
