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

"""nova-image-replicator: its command line, with ends in memory."""

import io
import logging
import types

import fixtures
import six

from nova_image.tests.unit.cmd import case
from nova_image.tests.unit.replication import case as replication_case
from nova_image.tests.unit.replication import memory

if six.PY3:
    from nova_image.cmd import main
    from nova_image.cmd import session
    from nova_image import exception

TOKEN = 'a-token-of-this-test'


class ReplicatorTest(case.TestCase):
    """A test with two servers, old:1 and new:2.

    :ivar opened: (URL, token) of each end that was opened
    :ivar missing: URLs of APIs that the servers do not have
    """

    def setUp(self):
        super(ReplicatorTest, self).setUp()
        self.out, self.err = io.StringIO(), io.StringIO()
        self.useFixture(fixtures.MonkeyPatch('sys.stdout', self.out))
        self.useFixture(fixtures.MonkeyPatch('sys.stderr', self.err))
        self.useFixture(fixtures.EnvironmentVariable(
            'XDG_STATE_HOME', self.useFixture(fixtures.TempDir()).path))
        for name in 'keystoneauth', 'nova_image.image.client':
            logger = logging.getLogger(name)
            self.addCleanup(logger.setLevel, logger.level)
        root = logging.getLogger()
        self.addCleanup(setattr, root, 'handlers', list(root.handlers))
        self.addCleanup(root.setLevel, root.level)
        self.old, self.new = memory.Glance('old'), memory.Glance('new')
        self.opened, self.missing = [], set()
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.cmd.session.open_end', self.open_end))
        self.old.put(replication_case.image(), b'hello')

    def open_end(self, options, url, token=None):
        """Stand in for session.open_end()."""
        self.opened.append((url, token))
        end = self.old if 'old' in url else self.new
        end.title = url
        end.trouble = self.refuse if url in self.missing else (
            lambda what, image_id: None)
        return session.ReplicaCloud(end, types.SimpleNamespace(
            glance=types.SimpleNamespace(endpoint_override=url)))

    def refuse(self, what, image_id):
        """Answer 300, as a Glance that lacks the API."""
        raise exception.GlanceVersionNotServed

    def run_it(self, *argv):
        """Run the program; return the exit code."""
        for stream in self.out, self.err:
            stream.seek(0)
            stream.truncate()
        return main.replicator(argv)


class TestCommandLine(ReplicatorTest):
    """Commands, options and tokens."""

    def test_mistakes_show_no_value(self):
        for argv in (
                (), (TOKEN,), ('size', TOKEN), ('size', '-t'),
                ('size', 'old:1', 'more'), ('livecopy', 'old:1'),
                ('help', TOKEN), ('size', '--tokne=' + TOKEN, 'old:1'),
                ('size', '-x' + TOKEN, 'old:1'), ('--s=' + TOKEN, 'size'),
                ('size', '--debug=' + TOKEN), ('-c', TOKEN, 'size', 'old:1'),
                ('-t', TOKEN + ' ', 'size', 'old:1'),
                ('-t', TOKEN + u'\xf6', 'size', 'old:1')):
            self.assertEqual(1, self.run_it(*argv), argv)
            self.assertRegex(self.err.getvalue(),
                             r'^nova-image-replicator: [^\n]+\n$')
            self.assertNotIn(TOKEN, self.err.getvalue())
            self.assertEqual('', self.out.getvalue())
        self.assertEqual([], self.opened)

    def test_help(self):
        for argv in ('-h',), ('help',), ('size', '--help'):
            self.assertEqual(0, self.run_it(*argv))
            self.assertIn('livecopy FROM-SERVER TO-SERVER',
                          self.out.getvalue())
            for line in self.out.getvalue().splitlines():
                self.assertTrue(len(line) < 80, line)
        self.assertEqual(0, self.run_it('help', 'dump'))
        self.assertIn('dump SERVER PATH\n', self.out.getvalue())
        self.assertEqual(0, self.run_it('--version'))
        self.assertRegex(self.out.getvalue(), r'^nova-image-replicator \d')

    def test_servers(self):
        for server, url in (
                ('old:1', 'http://old:1/v2'), ('10.1.2.3:65535', None),
                ('[::1]:9292', None), ('a-b_c.example.org:1', None),
                ('https://old/image/', 'https://old/image/v2'),
                ('http://old:1/v1', 'http://old:1/v1'),
                ('http://old:1/v2/', 'http://old:1/v2')):
            self.opened = []
            self.assertEqual(0, self.run_it('size', server))
            self.assertEqual([(url or 'http://%s/v2' % server, None)],
                             self.opened)
        for server in ('old', 'old:', ':1', 'old:0', 'old:65536', 'old:x',
                       'old:1/v1', 'old:1:2', 'me@old:1', '', 'old:+1'):
            self.assertEqual(1, self.run_it('size', server), server)

    def test_tokens(self):
        for argv, tokens in (
                (('livecopy', '-M', 'm', '-S', 's'), 'ms'),
                (('livecopy', '--mastertoken', 'm'), ('m', None)),
                (('livecopy', '--slavetoken=s'), (None, 's')),
                (('compare', '--sourcetoken', 'm', '--targettoken', 's'),
                 'ms'),
                (('compare', '-t', 't', '-M', 'm', '-S', 's'), 'tt'),
                (('compare', '--token', 't'), 'tt')):
            self.opened = []
            self.run_it(*argv + ('old:1', 'new:2'))
            self.assertEqual(list(tokens), [one[1] for one in self.opened])
        path = self.useFixture(fixtures.TempDir()).join('dump')
        for argv, token in (
                (('size', '-M', 'm', 'old:1'), 'm'),
                (('size', '-M', 'm', '-S', 's', 'old:1'), 's'),
                (('dump', '-M', 'm', '-S', 's', 'old:1', path), 'm'),
                (('load', '-M', 'm', '-S', 's', 'old:1', path), 's')):
            self.opened = []
            self.assertEqual(0, self.run_it(*argv))
            self.assertEqual([token], [one[1] for one in self.opened])


class TestActions(ReplicatorTest):
    """What the commands do, and their exit codes."""

    def test_v1_is_used_only_without_v2(self):
        self.missing = {'http://old:1/v2'}
        self.assertEqual(0, self.run_it('livecopy', 'old:1', 'new:2'))
        self.assertEqual(
            ['nova-image-replicator: Using the Images API v%s of http://%s'
             % one for one in ((1, 'old:1'), (2, 'new:2'))],
            self.err.getvalue().splitlines())
        self.missing.add('http://old:1/v1')
        self.assertEqual(1, self.run_it('size', 'old:1'))
        self.assertIn('does not have the Images API v2 or v1',
                      self.err.getvalue())

    def test_exit_codes(self):
        pair = 'old:1', 'new:2'
        self.assertEqual(1, self.run_it('compare', *pair))
        self.assertEqual(0, self.run_it('livecopy', '-m', *pair))
        self.assertEqual(1, self.run_it('compare', '-m', *pair))
        self.assertEqual([], self.new.writes)
        self.assertEqual(0, self.run_it('livecopy', *pair))
        self.assertEqual(0, self.run_it('compare', *pair))
        self.new.delete('A')
        self.assertEqual(1, self.run_it('livecopy', *pair))

    def test_left_out(self):
        self.old.put(replication_case.image(
            visibility='public', hidden=True, properties={
                'date': '1', 'a*': '2', 'ab': '3'}), b'hello')
        names = 'created_at date location is_public os_hidden a*'
        self.assertEqual(0, self.run_it('livecopy', '-D', names, 'old:1',
                                        'new:2'))
        found = self.new.found['A']
        self.assertEqual(('private', False), (found.visibility, found.hidden))
        self.assertEqual({'date', 'ab'},
                         set(found.properties) & {'date', 'a*', 'ab'})

    def test_one_server_twice(self):
        for verb in 'livecopy', 'compare':
            self.assertEqual(1, self.run_it(verb, 'old:1', 'http://OLD:1/v1'))
            self.assertIn('the same Glance', self.err.getvalue())

    def test_size(self):
        self.old.put(replication_case.image(id='B', status='queued'))
        self.old.put(replication_case.image(id='C'), b'12')
        self.assertEqual(0, self.run_it('size', 'old:1'))
        self.assertEqual('The data takes 7 bytes (7 B) in 2 images\n',
                         self.out.getvalue())
