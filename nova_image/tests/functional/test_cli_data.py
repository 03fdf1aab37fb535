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

"""The pipes, devices and formats of the data that nova-image moves."""

import os
import shlex
import struct
import subprocess

import pexpect

from nova_image.cmd import codes
from nova_image.tests import fixtures
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import servers

_MIB = 1024 ** 2
_NAMED = '71c675ab-d94f-49cd-a114-e12490b328d9'
#: the header of an empty qcow2 of 1 GiB
QCOW2 = (struct.pack('>4sIQIIQIIQQIIQQQQII', b'QFI\xfb', 3, 0, 0, 16,
                     1024 ** 3, 0, 1, *[0] * 8, 4, 104) + b'\0' * _MIB)
BOTH = '--disk-format qcow2 --container-format bare'


class DataCase(cli_case.CommandLineTest):
    """A test on Glance 33 without Keystone."""

    def setUp(self) -> None:
        """Use v2 without Keystone."""
        super().setUp()
        self.url = servers.glance33().url
        self.raw = self.raw_glance(self.url)
        self.variables = {'OS_AUTH_TYPE': 'none', 'OS_ENDPOINT': self.url,
                          'OS_PROJECT_ID': self.project}

    def shell(self, line: str, code: int = 0) -> str:
        """Run a line of a shell, and return the standard error.

        :param line: the line, in which @ is nova-image
        """
        program = shlex.quote(str(cli_case.PROGRAM))
        done = subprocess.run(
            ['bash', '-c', line.replace('@', program)], cwd=self.folder,
            env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        error = done.stderr.decode()
        self.assertEqual(code, done.returncode, '%s: %s' % (line, error))
        return error

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        return (self.folder / name).read_bytes()

    def put(self, name: str, content: bytes) -> None:
        """Write a file."""
        (self.folder / name).write_bytes(content)


class PipesTest(DataCase):
    """Pipes and devices instead of regular files."""

    def setUp(self) -> None:
        """Write a file, and make a pipe with a name."""
        super().setUp()
        self.data = self.write('disk', 3 * _MIB)
        os.mkfifo(self.folder / 'pipe')

    def test_sent_data_is_whole(self) -> None:
        create = '@ create x %s -f value -c id' % ' '.join(cli_case.RAW)
        for line in ('cat disk | %s --file /dev/stdin > id' % create,
                     create + ' --file <(cat disk) > id',
                     'cat disk > pipe & %s --file pipe > id' % create):
            self.assertEqual('', self.shell(line))
            self.assertEqual(self.data, self.raw.data(
                self.read('id').decode().strip()), line)
        self.shell('(head -c 1 > /dev/null; %s --file -) < <(cat disk)'
                   ' > id' % create)
        self.assertEqual(self.data[1:], self.raw.data(
            self.read('id').decode().strip()))

    def test_file_that_cannot_seek_to_its_end(self) -> None:
        self.assertIn('MemTotal', self.raw.data(self.create(
            'x', '--file', '/proc/meminfo', *cli_case.RAW)).decode())

    def test_saved_data_is_whole(self) -> None:
        self.create('disk', '--file', 'disk', *cli_case.RAW)
        for line in ('@ save disk --file /dev/fd/7 7> copy',
                     'cat pipe > copy & @ save disk --file pipe; wait'):
            self.assertEqual('', self.shell(line))
            self.assertEqual(self.data, self.read('copy'), line)
            (self.folder / 'copy').unlink()

    def test_name_that_looks_like_an_id(self) -> None:
        self.create(_NAMED, '--file', 'disk', *cli_case.RAW)
        self.shell('timeout 60 cat pipe > copy & @ save %s --file pipe; wait'
                   % _NAMED)
        self.assertEqual(self.data, self.read('copy'))
        waiting = self.create('71c675ab-d94f-49cd-a114-e12490b328d0',
                              *cli_case.RAW)
        self.shell('cat disk > pipe & @ set %s --file pipe'
                   % '71c675ab-d94f-49cd-a114-e12490b328d0')
        self.assertEqual(self.data, self.raw.data(waiting))

    def test_pipe_without_data(self) -> None:
        image = self.create('x', *cli_case.RAW)
        for words in ('create y %s' % ' '.join(cli_case.RAW),
                      'set ' + image, 'import ' + image):
            line = self.shell('false | @ %s --file -' % words,
                              codes.BAD_DATA)
            self.assertIn('No data came from standard input', line)
            self.assertEqual(1, line.count('\n'))
        self.assertEqual([('x', 'queued')], [
            (one['name'], one['status']) for one in self.raw.images()])

    def test_empty_file(self) -> None:
        line = self.shell('@ create x --file /dev/null ' +
                          ' '.join(cli_case.RAW))
        self.assertEqual('nova-image: WARNING: /dev/null is empty\n', line)

    def test_what_cannot_be_used(self) -> None:
        self.create('disk', '--file', 'disk', *cli_case.RAW)
        for verb in ('save disk', 'create x'):
            self.assertIn('is empty', self.error(
                codes.USAGE, *verb.split(), '--file', ''))
        for path in ('/dev/fd/99', '.'):
            self.error(codes.LOCAL_FILE, 'save', 'disk', '--file', path)
            self.error(codes.LOCAL_FILE, 'create', 'x', '--file', path)
        self.error(codes.NO_SPACE, 'save', 'disk', '--file', '/dev/full')
        self.assertEqual(1, len(self.raw.images()))

    def test_block_device(self) -> None:
        if os.geteuid():
            self.skipTest('only root can attach a loop device')
        self.put('small', b'theirs' + b'\0' * _MIB)
        done = subprocess.run(
            ['losetup', '-f', '--show', 'small'], cwd=self.folder,
            capture_output=True)
        if done.returncode:
            self.skipTest('losetup: %s' % done.stderr.decode())
        device = done.stdout.decode().strip()
        self.addCleanup(subprocess.call, ['losetup', '-d', device])
        self.create('disk', '--file', 'disk', *cli_case.RAW)
        self.assertIn('has room for', self.error(
            codes.NO_SPACE, 'save', 'disk', '--file', device))
        self.assertTrue(self.read('small').startswith(b'theirs'))
        self.put('tiny', b'ours')
        self.create('tiny', '--file', 'tiny', *cli_case.RAW)
        self.run_it('save', 'tiny', '--file', device)
        self.assertTrue(self.read('small').startswith(b'oursrs'))


class FormatsTest(DataCase):
    """Formats that are missing, or contradict the data."""

    def test_missing_formats_are_suggested(self) -> None:
        self.put('disk', QCOW2)
        proxy = self.useFixture(fixtures.FaultyProxy(self.url))
        self.variables['OS_ENDPOINT'] = proxy.url
        both = 'disk looks like qcow2. Use ' + BOTH
        self.assertIn(both, self.error(
            codes.USAGE, 'create', 'x', '--file', 'disk'))
        self.assertIn('standard input looks like qcow2', self.shell(
            'cat disk | @ create x --file -', codes.USAGE))
        self.assertEqual([], proxy.requests)
        for argv in (('create', 'x', '--import'), ('create-via-import', 'x')):
            self.assertIn(both, self.error(
                codes.USAGE, *argv, '--file', 'disk'))
        self.assertEqual([], self.raw.images())
        self.run_it('create', 'x', '--file', 'disk', *BOTH.split())

    def test_queued_image_without_formats(self) -> None:
        self.put('disk', QCOW2)
        image = self.create('x')
        self.assertIn('Run nova-image set %s %s' % (image, BOTH), self.error(
            codes.REFUSED, 'import', image, '--file', 'disk'))
        line = self.error(codes.USAGE, 'set', 'x', '--file', 'disk',
                          '--container-format', 'bare', '--name', 'y')
        self.assertIn('looks like qcow2. Use --disk-format qcow2', line)
        self.assertEqual([('x', None)], [
            (one['name'], one.get('container_format'))
            for one in self.raw.images()])
        self.run_it('set', 'x', '--file', 'disk', *BOTH.split())
        self.assertEqual(QCOW2, self.raw.data(image))

    def test_archives(self) -> None:
        subprocess.run('echo x > disk.ovf; tar cf a.ova disk.ovf; '
                       'gzip -k disk.ovf; echo "<html>" > page',
                       shell=True, cwd=self.folder, check=True)
        for name, words in (('a.ova', 'an OVA'), ('disk.ovf.gz', 'gunzip'),
                            ('page', 'a web page')):
            line = self.error(codes.USAGE, 'create', 'x', '--file', name)
            self.assertIn(words, line)
            self.assertNotIn('--disk-format raw', line)
        self.run_it('create', 'x', '--file', 'a.ova', '--disk-format', 'vmdk',
                    '--container-format', 'ova')

    def test_contradictions_are_warnings(self) -> None:
        self.put('disk', QCOW2)
        warning = ('nova-image: WARNING: disk looks like qcow2, not %s. If '
                   'that is right, ')
        done = self.run_it('create', 'x', '--file', 'disk', *cli_case.RAW)
        self.assertEqual(warning % 'raw' + 'use --disk-format qcow2\n',
                         done.err)
        done = self.run_it('create', 'x', '--file', 'disk', '-q',
                           *cli_case.RAW)
        self.assertEqual('', done.err)
        vmdk = ('--disk-format', 'vmdk', '--container-format', 'bare')
        done = self.run_it('create', 'x', '--file', 'disk', *vmdk,
                           code=codes.REFUSED)
        self.assertIn(warning % 'vmdk', done.err)
        image = self.create('y', *cli_case.RAW)
        done = self.run_it('stage', image, '--file', 'disk')
        self.assertEqual(
            warning % 'raw' + 'run nova-image set %s --disk-format qcow2\n'
            % image, done.err)


class ProgressTest(DataCase):
    """Progress bars of pipes."""

    def setUp(self) -> None:
        """Create an image."""
        super().setUp()
        self.write('disk', 3 * _MIB)
        self.create('disk', '--file', 'disk', *cli_case.RAW)

    def _terminal(self, line: str) -> str:
        """Run a line of a shell in a terminal, and return what remains."""
        program = shlex.quote(str(cli_case.PROGRAM))
        child = pexpect.spawn(
            'bash', ['-c', line.replace('@', program)],
            env=self.environment, cwd=str(self.folder), encoding='utf-8',
            timeout=60, dimensions=(24, 80))
        self.addCleanup(child.close, force=True)
        code, text = self.end_of(child)
        self.assertEqual(0, code, text)
        return '\n'.join(part.rpartition('\r')[2].rstrip()
                         for part in text.split('\n') if part.strip())

    def test_commands_of_a_pipeline_take_turns(self) -> None:
        text = self._terminal(
            '@ save disk | @ create y --file - %s -f value -c size' %
            ' '.join(cli_case.RAW))
        self.assertRegex(text, r'(?s)^stdout: 100%\|.*\| 3.00M/3.00M .*\n'
                               r'stdin: 3.00MB .*\n3145728$')

    def test_pipes(self) -> None:
        self.assertRegex(self._terminal(
            'cat disk | @ create-via-import y --file - %s -f value -c size' %
            ' '.join(cli_case.RAW)), r'^y: .*3.00M.*\n3145728$')
        self.assertRegex(self._terminal(
            '@ save disk --file >(cat > copy)'),
            r'^/dev/fd/\d+: 100%.*3.00M/3.00M')

    def test_terminal_is_no_file(self) -> None:
        for argv in (('save', 'disk', '--file', '/dev/stdout'),
                     ('save', 'disk', '--file', '/dev/tty'),
                     ('create', 'x', '--file', '/dev/stdin'),
                     ('create', 'x', '--file', '/dev/tty')):
            code, text = self.end_of(self.terminal(*argv))
            self.assertEqual(codes.USAGE, code)
            self.assertIn('terminal', text)
