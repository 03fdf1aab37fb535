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


"""The files and pipes that ``nova-image save`` writes to."""

import os
import resource
import shlex
import stat
import subprocess

from nova_image.cmd import codes
from nova_image.tests import fixtures
from nova_image.tests.fixtures import faults
from nova_image.tests.functional import cli_case

_MIB = 1024 ** 2
_OTHER = 61001


class FilesTest(cli_case.OnKeystone):
    """Nothing that was there is lost, or readable for more users."""

    def setUp(self) -> None:
        """Upload an image."""
        super().setUp()
        self.data = self.write('disk', 4 * _MIB)
        self.image = self.create('disk', '--file', 'disk', *cli_case.RAW)

    def _shell(self, words: str) -> str:
        """Run ``save`` in a shell; return the standard error.

        :param words: its arguments and redirections
        """
        program = shlex.quote(str(cli_case.PROGRAM))
        done = subprocess.run(
            ['bash', '-c', '%s save %s %s' % (program, self.image, words)],
            cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(0, done.returncode, done.stderr.decode())
        self.assertEqual(b'', done.stdout)
        return done.stderr.decode()

    def _assert_copy(self, name: str = 'copy', head: bytes = b'') -> None:
        self.assertEqual(head + self.data, (self.folder / name).read_bytes())

    def test_file_that_appears_during_the_download_stays(self) -> None:
        proxy = self.useFixture(fixtures.FaultyProxy(self.glance.url))
        proxy.plan(faults.Stall(3 * _MIB, 2), method='GET')
        self.variables['OS_IMAGE_ENDPOINT_OVERRIDE'] = proxy.url
        process = self.start('save', self.image, '--file', 'copy',
                             '--no-clobber')
        self.wait_for(lambda: any(self.folder.glob('.copy.*.part')),
                      'downloading')
        (self.folder / 'copy').write_text('theirs')
        done = self.finish(process)
        self.assertEqual((codes.LOCAL_FILE, 'nova-image: copy: File exists, '
                          'and --no-clobber was given\n'),
                         (done.code, done.err))
        self.assertEqual('theirs', (self.folder / 'copy').read_text())
        self.assertEqual(['copy', 'disk'], sorted(os.listdir(self.folder)))

    def test_no_clobber_saves_a_new_file_of_any_name(self) -> None:
        name = 'n' * 255
        self.run_it('save', self.image, '--file', name, '--no-clobber')
        self._assert_copy(name)
        self.assertEqual(['disk', name], sorted(os.listdir(self.folder)))

    def test_standard_output_by_its_path(self) -> None:
        self._shell('--file /dev/stdout | cat > copy')
        self._assert_copy()
        (self.folder / 'log').write_text('head')
        self._shell('--file /dev/stdout >> log')
        self._assert_copy('log', b'head')

    def test_process_substitution(self) -> None:
        os.mkfifo(self.folder / 'done')
        self._shell('--file >(cat > copy; echo > done); cat done > /dev/null')
        self._assert_copy()

    def test_replaced_file_keeps_its_rights(self) -> None:
        (self.folder / 'copy').touch(0o600)
        owner = os.geteuid() or _OTHER
        os.chown(self.folder / 'copy', owner, -1)
        self.run_it('save', self.image, '--file', 'copy')
        found = (self.folder / 'copy').stat()
        self.assertEqual((0o600, owner), (
            stat.S_IMODE(found.st_mode), found.st_uid))
        self._assert_copy()

    def test_link_of_another_user_in_a_public_folder(self) -> None:
        if os.geteuid():
            self.skipTest('only root can give files away')
        public = self.folder / 'public'
        public.mkdir()
        public.chmod(0o1777)
        (public / 'copy').symlink_to(self.folder / 'victim')
        os.lchown(public / 'copy', _OTHER, _OTHER)
        (self.folder / 'victim').write_text('precious')
        self.assertIn('another user', self.error(
            codes.LOCAL_FILE, 'save', self.image, '--file', 'public/copy'))
        self.assertEqual('precious', (self.folder / 'victim').read_text())

    def _as_root(self, *argv: str) -> None:
        if os.geteuid():
            self.skipTest('only root can mount and set flags')
        done = subprocess.run(argv, cwd=self.folder, capture_output=True)
        if done.returncode:
            self.skipTest('%s: %s' % (argv[0], done.stderr.decode()))

    def _assert_refused_before_the_data(self, words: str) -> None:
        proxy = self.useFixture(fixtures.FaultyProxy(self.glance.url))
        self.variables['OS_IMAGE_ENDPOINT_OVERRIDE'] = proxy.url
        line = self.error(codes.LOCAL_FILE, 'save', self.image, '--file',
                          'copy')
        self.assertIn(words, line)
        self.assertEqual([], [one for one in proxy.requests
                              if one.path.endswith('/file')])
        self.assertEqual('theirs', (self.folder / 'copy').read_text())
        self.assertEqual([], list(self.folder.glob('.copy.*')))

    def test_mounted_file(self) -> None:
        (self.folder / 'copy').write_text('theirs')
        (self.folder / 'host').write_text('theirs')
        self._as_root('mount', '--bind', 'host', 'copy')
        self.addCleanup(subprocess.call, ['umount', self.folder / 'copy'])
        self._assert_refused_before_the_data('mount point')
        self._shell('> copy')
        self.assertEqual(self.data, (self.folder / 'host').read_bytes())

    def test_immutable_file(self) -> None:
        (self.folder / 'copy').write_text('theirs')
        self._as_root('chattr', '+i', 'copy')
        self.addCleanup(subprocess.call,
                        ['chattr', '-i', self.folder / 'copy'])
        self._assert_refused_before_the_data('immutable')

    def test_limit_of_the_size_of_files(self) -> None:
        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (_MIB, _MIB))

        done = self.finish(self.start(
            'save', self.image, '--file', 'copy', preexec_fn=limit))
        self.assertEqual(codes.NO_SPACE, done.code, done.err)
        self.assertEqual(1, done.err.count('\n'), done.err)
        self.assertIn('ulimit -f', done.err)
        self.assertEqual(['disk'], os.listdir(self.folder))
