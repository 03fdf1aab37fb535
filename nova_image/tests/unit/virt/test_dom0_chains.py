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

"""The plugin for dom0: chains of VHDs, and staging folders."""

import os
import stat
import subprocess

import fixtures
import mock
import testtools

from nova_image.tests.unit.virt.dom0 import plugin


class TestChain(testtools.TestCase):
    """VHDs in a staging folder."""

    def setUp(self):
        super(TestChain, self).setUp()
        plugin._stagings[:] = []
        self.sr = self.useFixture(fixtures.TempDir()).path
        self.patch(plugin.signal, 'signal', mock.Mock())
        self.staging = plugin._Staging(self.sr)
        self.staging.make()
        self.chain = plugin._Chain(self.staging)
        self.said = {'check': 'x is valid', 'query': 'x has no parent',
                     '-f': 'hidden: 0', 'modify': '', 'repair': ''}
        self.commands = []
        self.staging.run = self.run_program

    def run_program(self, *command):
        """Take the place of vhd-util."""
        self.commands.append(command[1:2] + tuple(
            os.path.basename(one) for one in command[3:]))
        said = self.said['-f' if '-f' in command else command[1]]
        if not isinstance(said, str):
            said = said(command[3])
        return said, 0, None

    def put(self, *names):
        """Put files into the staging folder."""
        for name in names:
            with open(os.path.join(self.staging.path, name), 'w') as made:
                made.write(name)

    def test_order(self):
        for names, expected in (
                (['0.vhd'], ['0.vhd']), (['any.vhd'], ['any.vhd']),
                (['1.vhd', '0.vhd'], ['0.vhd', '1.vhd']),
                (['image.vhd', 'snap.vhd'], ['snap.vhd', 'image.vhd']),
                (['base.vhd', 'image.vhd', 'snap.vhd'],
                 ['snap.vhd', 'image.vhd', 'base.vhd'])):
            self.assertEqual(expected, plugin._in_order(names))

    def test_wrong_files(self):
        for names in ([], ['0.vhd', '2.vhd'], ['0.vhd', 'snap.vhd'],
                      ['1.vhd', '2.vhd'], ['a.vhd', 'b.vhd']):
            self.assertRaises(plugin.PluginError, plugin._in_order, names)

    def test_names_and_swap(self):
        self.put('0.vhd', '1.vhd', 'swap.vhd', 'notes')
        self.chain.find(['c', 'b', 'a'])
        self.assertEqual(['a', 'b'], self.chain.uuids)
        self.assertEqual(['a.vhd', 'b.vhd', 'notes', 'swap.vhd'],
                         sorted(os.listdir(self.staging.path)))

    def test_uuid_that_is_a_name_in_the_image(self):
        self.put('0.vhd', '1.vhd')
        self.chain.find(['0', '1'])
        with open(os.path.join(self.staging.path, '1.vhd')) as leaf:
            self.assertEqual('0.vhd', leaf.read())

    def test_too_few_uuids(self):
        self.put('0.vhd', '1.vhd')
        self.assertRaises(plugin.PluginError, self.chain.find, ['a'])

    def test_uuid_that_is_a_path(self):
        self.put('0.vhd')
        self.assertRaises(plugin.PluginError, self.chain.find, ['../a'])

    def test_links(self):
        os.symlink('/etc/passwd', os.path.join(self.staging.path, '0.vhd'))
        self.assertRaises(plugin.PluginError, self.chain.find, ['a'])

    def test_hard_links(self):
        self.put('0.vhd')
        path = os.path.join(self.staging.path, '0.vhd')
        os.link(path, os.path.join(self.sr, 'other'))
        self.assertRaises(plugin.PluginError, self.chain.find, ['a'])

    def test_modes(self):
        self.put('0.vhd')
        os.chmod(os.path.join(self.staging.path, '0.vhd'), 0o6777)
        self.chain.find(['a'])
        mode = os.stat(os.path.join(self.staging.path, 'a.vhd')).st_mode
        self.assertEqual(0o644, stat.S_IMODE(mode))

    def linked(self, *parents):
        """Put VHDs with these parents."""
        names = ['%d.vhd' % number for number in range(len(parents))]
        uuids = ['uuid%d' % number for number in range(len(parents))]
        self.put(*names)
        self.chain.find(uuids[::-1])
        found = {'uuid%d' % number: parent
                 for number, parent in enumerate(parents)}
        self.said['query'] = lambda path: found[
            os.path.basename(path)[:-4]] + '\nmore'

    def test_programs(self):
        self.linked('./uuid1.vhd', 'uuid1 has no parent')
        self.chain.check()
        self.assertEqual([
            ('modify', 'uuid0.vhd', '-p', 'uuid1.vhd'),
            ('query', 'uuid0.vhd', '-f'),
            ('check', 'uuid0.vhd', '-p'), ('query', 'uuid0.vhd', '-p'),
            ('check', 'uuid1.vhd', '-p'), ('query', 'uuid1.vhd', '-p'),
        ], self.commands)

    def test_parent_outside_of_the_image(self):
        for parents in (('../victim.vhd',), ('/sr/victim.vhd',),
                        ('./uuid1.vhd', '../victim.vhd'),
                        ('x has no parent', 'x has no parent'),
                        ('./uuid1.vhd', './uuid0.vhd'), ('query failed',)):
            self.chain = plugin._Chain(self.staging)
            self.linked(*parents)
            error = self.assertRaises(plugin.PluginError, self.chain.check)
            self.assertIn('wrong parent', str(error))
            for name in os.listdir(self.staging.path):
                os.unlink(os.path.join(self.staging.path, name))

    def test_hidden(self):
        self.linked('x has no parent')
        for said in ('hidden: 1', 'x\nHidden : 1\n'):
            self.said['-f'] = said
            error = self.assertRaises(plugin.PluginError, self.chain.check)
            self.assertIn('hidden', str(error))

    def test_repair(self):
        self.linked('x has no parent')
        said = ['primary footer invalid: bad', 'x is valid']
        self.said['check'] = lambda path: said.pop(0)
        self.chain.check()
        self.assertIn(('repair', 'uuid0.vhd'), self.commands)

    def test_invalid(self):
        self.linked('x has no parent')
        self.said['check'] = 'footer invalid: timestamp in the future\n'
        error = self.assertRaises(plugin.PluginError, self.chain.check)
        self.assertIn('timestamp in the future (are the clocks', str(error))
        self.assertEqual(1, len([one for one in self.commands
                                 if one[0] == 'repair']))

    def test_publish(self):
        self.linked('', '')
        order = []
        link = os.link
        self.patch(plugin.os, 'link', lambda *args: (
            order.append(os.path.basename(args[1])), link(*args)))
        self.chain.publish()
        self.assertEqual(['uuid1.vhd', 'uuid0.vhd'], order)
        self.staging.remove()
        self.assertEqual({'uuid0.vhd', 'uuid1.vhd'}, set(os.listdir(self.sr)))

    def test_all_or_nothing(self):
        """A VHD of the same name stays, and no other is published."""
        taken = os.path.join(self.sr, 'uuid0.vhd')
        with open(taken, 'w') as made:
            made.write('of another image')
        self.linked('', '')
        self.assertRaises(OSError, self.chain.publish)
        self.staging.remove()
        self.assertEqual(['uuid0.vhd'], os.listdir(self.sr))
        with open(taken) as found:
            self.assertEqual('of another image', found.read())


class TestStaging(testtools.TestCase):
    """Staging folders, also those of processes that were killed."""

    def setUp(self):
        super(TestStaging, self).setUp()
        self.sr = self.useFixture(fixtures.TempDir()).path
        self.patch(plugin.signal, 'signal', mock.Mock())

    def folder(self, name, age=0, kind='folder'):
        """Make something of an age in the storage repository."""
        path = os.path.join(self.sr, name)
        if kind == 'folder':
            os.mkdir(path)
            with open(os.path.join(path, '0.vhd'), 'w'):
                pass
        else:
            with open(path, 'w'):
                pass
        then = os.stat(path).st_mtime - age
        os.utime(path, (then, then))

    def test_leftovers(self):
        old, young = plugin.LEFTOVER + 60, plugin.LEFTOVER - 60
        self.folder('nova_image_glance-old', old)
        self.folder('nova_image_glance-young', young)
        self.folder('nova_image_glance-file', old, 'file')
        self.folder('other-old', old)
        os.symlink('other-old', os.path.join(self.sr,
                                             'nova_image_glance-link'))
        staging = plugin._Staging(self.sr)
        staging.make()
        staging.remove()
        self.assertEqual(
            ['nova_image_glance-file', 'nova_image_glance-link',
             'nova_image_glance-young', 'other-old'],
            sorted(os.listdir(self.sr)))
        self.assertEqual(['0.vhd'],
                         os.listdir(os.path.join(self.sr, 'other-old')))

    def test_leftovers_of_others(self):
        self.folder('nova_image_glance-old', plugin.LEFTOVER + 60)
        self.patch(plugin.os, 'geteuid', lambda: os.getuid() + 1)
        plugin._Staging(self.sr).make()
        self.assertEqual(2, len(os.listdir(self.sr)))

    def test_nothing_interrupts_the_removal(self):
        """An alarm may be left over if a signal came first."""
        staging = plugin._Staging(self.sr)
        staging.make()
        with mock.patch.object(plugin.shutil, 'rmtree') as rmtree:
            rmtree.side_effect = lambda *args: self.assertEqual(
                {plugin.signal.SIGTERM, plugin.signal.SIGINT,
                 plugin.signal.SIGHUP, plugin.signal.SIGALRM},
                {call[1][0] for call in plugin.signal.signal.mock_calls})
            staging.remove()
        self.assertEqual({plugin.signal.SIG_IGN}, {
            call[1][1] for call in plugin.signal.signal.mock_calls})

    def test_signs_of_life(self):
        staging = plugin._Staging(self.sr)
        staging.make()
        os.utime(staging.path, (0, 0))
        staging.live()
        self.assertEqual(0, os.stat(staging.path).st_mtime)
        staging._seen -= plugin.SIGN_OF_LIFE
        staging.live()
        self.assertNotEqual(0, os.stat(staging.path).st_mtime)

    def test_words_of_a_program_are_bounded(self):
        staging = plugin._Staging(self.sr)
        staging.make()
        _, code, program = staging.run(
            'sh', '-c', 'yes | head -c 1000000 >&2; echo the end >&2; exit 3')
        self.assertEqual(3, code)
        self.assertTrue(program.words().endswith('the end'))
        self.assertLess(len(program.words()), 3000)
        self.assertRaises(plugin.BadData, program.check)
        staging.remove()

    def test_killed_program(self):
        staging = plugin._Staging(self.sr)
        program = plugin._Program(staging, ['sleep', '100'],
                                  plugin._environment(), subprocess.PIPE)
        staging.remove()
        self.assertRaises(plugin.RetryableError, program.check)
