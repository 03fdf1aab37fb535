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

"""nova-image-replicator on real servers with v2, and with its folders."""

import json

from nova_image.tests.functional import base
from nova_image.tests.functional import replicator_case
from nova_image.tests.functional import servers

DATA = replicator_case.DATA
_WRITES = ('POST', 'PUT', 'PATCH', 'DELETE')


class ReplicatorOnGlance33Test(replicator_case.ReplicatorTest):
    """Every command, between a folder and Glance 33."""

    def setUp(self) -> None:
        """Name the server."""
        super().setUp()
        self.glance = servers.glance33()
        self.name = replicator_case.name_of(self.glance)
        self.raw = self.raw_glance(self.glance.url)

    def test_size(self) -> None:
        self.image(self.glance)
        self.image(self.glance, b'1234')
        self.image(self.glance, None)
        done = self.run_it('size', self.name)
        words = done.out.split()
        self.assertEqual([str(len(DATA) + 4), 'bytes', '(10.0', 'KiB)'],
                         words[3:7])
        self.assertEqual(['2', 'images'], words[8:])
        self.assertEqual('nova-image-replicator: Using the Images API v2 of '
                         'http://%s\n' % self.name, done.err)

    def test_dump_and_load(self) -> None:
        image = self.image(self.glance, name='disk', visibility='public',
                           tags=['a'], os_type='linux')
        self.image(self.glance, None)
        self.run_it('dump', self.name, 'dump')
        before = self.raw.image(image)
        with base.recording(self.glance) as recorded:
            self.run_it('-c', '1024', 'load', self.name, 'dump')
        self.assertEqual([], [line for line in recorded.calls
                              if line.startswith(_WRITES)])
        self.raw.patch(image, {'op': 'replace', 'path': '/name',
                               'value': 'another'})
        self.raw.patch(image, {'op': 'remove', 'path': '/os_type'})
        self.run_it('-m', 'load', self.name, 'dump', '-D', 'name')
        after = self.raw.image(image)
        self.assertEqual('another', after['name'])
        self.assertEqual('linux', after['os_type'])
        self.run_it('load', self.name, 'dump')
        self.assertEqual(before['name'], self.raw.image(image)['name'])

    def test_dump_of_metadata(self) -> None:
        image = self.image(self.glance, name='disk')
        with base.recording(self.glance) as recorded:
            done = self.run_it('dump', '--metaonly', self.name, 'dump')
        self.assertNotIn('GET /v2/images/ID/file', recorded.calls)
        self.assertNotIn('sent in', done.out)
        manifest = json.loads((self.folder / 'dump' / 'images' / (
            image + '.json')).read_text())['image']
        self.assertEqual(('disk', 'active', len(DATA)), (
            manifest['name'], manifest['status'], manifest['size']))
        self.raw.patch(image, {'op': 'replace', 'path': '/name',
                               'value': 'another'})
        self.run_it('load', '-m', self.name, 'dump')
        self.assertEqual('disk', self.raw.image(image)['name'])
        done = self.run_it('load', self.name, 'dump', code=1)
        self.assertIn('its data in the dump is missing', done.out)
        self.run_it('dump', self.name, 'dump')
        self.run_it('load', self.name, 'dump')

    def test_burnt_id_is_a_failure(self) -> None:
        image = self.image(self.glance)
        self.run_it('dump', self.name, 'dump')
        self.raw.delete(image)
        done = self.run_it('load', self.name, 'dump', code=1)
        self.assertIn('is that of a deleted image', done.out)

    def test_errors(self) -> None:
        for argv, text in (
                (('load', self.name, 'missing'), 'missing: No such file'),
                (('size', self.name.partition(':')[0]), 'HOST:PORT'),
                (('size', self.name, 'more'), 'size requires SERVER. See '),
                ((), 'No command given')):
            err = self.error(1, *argv)
            self.assertTrue(err.startswith('nova-image-replicator: '), err)
            self.assertIn(text, err)


class ReplicatorBetweenGlancesTest(replicator_case.ReplicatorTest):
    """livecopy and compare from Glance 15 to Glance 33, by v2."""

    def setUp(self) -> None:
        """Name the servers."""
        super().setUp()
        self.source, self.target = servers.glance15(), servers.glance33()
        self.pair = (replicator_case.name_of(self.source),
                     replicator_case.name_of(self.target))
        self.raw = self.raw_glance(self.target.url)

    def test_livecopy(self) -> None:
        image = self.image(self.source, name='disk', visibility='public',
                           tags=['a'], os_type='linux')
        done = self.run_it('compare', *self.pair, code=1)
        self.assertIn('the target lacks it', done.out)
        done = self.run_it('livecopy', *self.pair)
        for name in self.pair:
            self.assertIn('Using the Images API v2 of http://%s\n' % name,
                          done.err)
        self.assertIn(image, done.out)
        found = self.raw.image(image)
        self.assertEqual(('disk', 'public', ['a'], 'linux', self.project), (
            found['name'], found['visibility'], found['tags'],
            found['os_type'], found['owner']))
        self.assertHasData(self.raw, image)
        self.run_it('compare', *self.pair)
        with base.recording(self.target) as recorded:
            self.run_it('livecopy', *self.pair)
        self.assertEqual([], [line for line in recorded.calls
                              if line.startswith(_WRITES)])

    def test_what_is_left_out(self) -> None:
        image = self.image(self.source, name='disk', visibility='public',
                           date='then', b='c')
        done = self.run_it('livecopy', '-m', *self.pair)
        self.assertIn('1 skipped', done.out)
        self.assertEqual([], self.raw.find(image))
        self.run_it('compare', '-m', *self.pair, code=1)
        self.run_it('livecopy', *self.pair,
                    '--dontreplicate=name is_public b updated_at')
        found = self.raw.image(image)
        self.assertEqual((None, 'private', None, 'then'), (
            found['name'], found['visibility'], found.get('b'),
            found['date']))
        self.run_it('compare', *self.pair, '-D', 'name is_public b')
        self.run_it('compare', *self.pair, code=1)
        self.run_it('livecopy', *self.pair, '-m')
        self.assertEqual('disk', self.raw.image(image)['name'])

    def test_all_properties_are_left_out(self) -> None:
        image = self.image(self.source, a='b')
        self.run_it('livecopy', *self.pair, '-D', 'properties')
        self.assertNotIn('a', self.raw.image(image))
        self.run_it('compare', *self.pair, '-D', 'properties')


class ReplicatorWithTokensTest(replicator_case.ReplicatorTest):
    """Tokens of Keystone, which no message shows."""

    def setUp(self) -> None:
        """Get a token of an administrator."""
        super().setUp()
        self.glance = servers.secured_glance()
        self.token = servers.token_of('admin')
        self.raw = servers.RawGlance(self.glance.url, {
            'X-Auth-Token': self.token})
        self.addCleanup(self.raw.wipe)

    def test_token(self) -> None:
        image = {'id': base.new_id(), 'name': 'disk'}
        self.raw.create(DATA, **image)
        open_glance, name = servers.glance33(), replicator_case.name_of(
            self.glance)
        raw = self.raw_glance(open_glance.url)
        other = replicator_case.name_of(open_glance)
        for option in '-t', '-M', '-S', '--targettoken':
            done = self.run_it('-d', '-l', 'log', 'size', option, self.token,
                               name)
            self.assertIn('1 images', done.out)
        for argv in (('livecopy', '-M', self.token, name, other),
                     ('compare', '--sourcetoken=' + self.token, name, other),
                     ('compare', '-S', self.token, other, name),
                     ('dump', '-t' + self.token, name, 'dump'),
                     ('load', '--slavetoken', self.token, name, 'dump')):
            self.run_it('-d', '-l', 'log', *argv)
        self.assertHasData(raw, image['id'])
        self.assertNoSecrets((self.folder / 'log').read_text(), 'the log')

    def test_wrong_token(self) -> None:
        wrong = 'a-token-that-nobody-has'
        servers.SECRETS.add(wrong)
        name = replicator_case.name_of(self.glance)
        for argv in (('size', name), ('size', name, '-t', wrong),
                     ('dump', name, 'dump', '-S', self.token)):
            self.assertIn('ot authorized', self.error(1, *argv))
        self.run_it('-d', 'size', name, '-t', wrong, code=1)
