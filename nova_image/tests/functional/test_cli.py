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

"""nova-image on a real Keystone and a real Glance."""

import json
import os
import pathlib
import signal
import typing

from nova_image.cmd import codes
from nova_image.cmd import display
from nova_image.tests import fixtures
from nova_image.tests.fixtures import faults
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import servers

_MIB = 1024 ** 2
_NOBODY = '71c675ab-d94f-49cd-a114-e12490b328d9'


class CommandsTest(cli_case.OnKeystone):
    """Each command works as documented."""

    def test_life_of_an_image(self) -> None:
        data = self.write('disk', 3 * _MIB)
        made = self.json('create', 'disk', '--file', 'disk', *cli_case.RAW,
                         '--property', 'os_type=linux', '--min-ram', '64')
        self.assertEqual(('active', len(data), {'os_type': 'linux'}, 64), (
            made['status'], made['size'], made['properties'],
            made['min_ram']))
        self.assertEqual(made, self.json('show', 'disk'))
        changed = self.json('set', 'disk', '--name', 'other',
                            '--property', 'a=b=c')
        self.assertEqual({'os_type': 'linux', 'a': 'b=c'},
                         changed['properties'])
        self.assertEqual({'a': 'b=c'}, self.json(
            'unset', 'other', '--property', 'os_type')['properties'])
        self.run_it('save', 'other', '--file', 'copy')
        self.assertEqual(data, (self.folder / 'copy').read_bytes())
        self.assertEqual('', self.run_it('delete', made['id']).out)
        self.error(codes.NOT_FOUND, 'show', made['id'])

    def test_pipes(self) -> None:
        data = os.urandom(_MIB)
        self.run_it('create', 'piped', '--file', '-', *cli_case.RAW,
                    data=data)
        process = self.start('save', 'piped')
        out, err = process.communicate()
        self.assertEqual((0, data, b''), (process.returncode, out, err))

    def test_set_data_of_a_queued_image(self) -> None:
        data = self.write('disk', 1000)
        image = self.create('waiting', *cli_case.RAW)
        self.assertEqual('active', self.json(
            'set', image, '--file', 'disk')['status'])
        self.assertEqual(data, self.raw.data(image))

    def test_list(self) -> None:
        for name in 'abc':
            self.create(name, '--property', 'letter=' + name)
        self.assertEqual(['c', 'b', 'a'], [
            image['name'] for image in self.json('list')])
        self.assertEqual(['a', 'b'], [image['name'] for image in self.json(
            'list', '--sort', 'name:asc', '--limit', '2')])
        self.assertEqual('b\n', self.run_it(
            'list', '--property', 'letter=b', '-f', 'value', '-c',
            'name').out)
        self.assertEqual([], self.json('list', '--status', 'active'))
        self.assertEqual(list(display.LONG),
                         list(self.json('list', '--long')[0]))

    def test_formats(self) -> None:
        self.create('a')
        for name in ('csv', 'json', 'table', 'value', 'yaml'):
            self.assertIn('queued', self.run_it('list', '-f', name).out)
        for name in ('json', 'shell', 'table', 'value', 'yaml'):
            self.assertIn('queued', self.run_it('show', 'a', '-f', name).out)

    def test_delete_several(self) -> None:
        kept = self.create('kept', '--protected')
        gone = [self.create('gone') for _ in range(2)]
        done = self.run_it('delete', gone[0], 'nothing', gone[1],
                           code=codes.NOT_FOUND)
        self.assertEqual(1, done.err.count('\n'))
        done = self.run_it('delete', kept, _NOBODY, code=codes.OTHER)
        self.assertEqual(2, done.err.count('\n'))
        self.assertEqual([kept], [image['id'] for image in self.json('list')])

    def test_members(self) -> None:
        image = self.create('shared', '--shared', *cli_case.RAW)
        other = servers.keystone().project_id('other')
        self.run_it('member-add', 'shared', other)
        self.assertIn(image, self.error(
            codes.CONFLICT, 'member-add', 'shared', other))
        self.become('other')
        self.assertEqual([], self.json('list'))
        self.run_it('member-set', image, other, '--accept')
        self.assertEqual([image], [one['id'] for one in self.json('list')])
        self.become('demo')
        self.assertEqual([(other, 'accepted')], [
            (one['member_id'], one['status'])
            for one in self.json('members', 'shared')])
        self.run_it('member-remove', image, other)
        self.assertEqual([], self.json('members', image))

    def test_clouds_yaml(self) -> None:
        options = servers.keystone().auth_options('demo')
        (self.folder / 'clouds.yaml').write_text(json.dumps({'clouds': {
            'mine': {'auth': options, 'region_name': 'RegionOne'},
            'theirs': {'auth': options | {'password': 'wrong'}}}}))
        self.variables = {}
        self.json('list', '--os-cloud', 'mine')
        self.variables = {'OS_CLOUD': 'theirs'}
        self.assertIn('Not authorized by Keystone',
                      self.error(codes.NOT_AUTHORIZED, 'list'))
        self.error(codes.USAGE, 'list', '--os-cloud', 'nobodys')


class ImportsTest(cli_case.OnKeystone):
    """The commands that use Glance's imports."""

    def test_methods_and_stores(self) -> None:
        self.assertEqual(['fast', 'slow', 'web'],
                         self.json('import-info')['stores'])
        self.assertEqual([
            ('fast', True, False), ('slow', False, False),
            ('web', False, True)], [
                (one['id'], one['default'], one['read-only'])
                for one in self.json('stores')])

    def test_import_of_a_file(self) -> None:
        data = self.write('disk', 3 * _MIB)
        made = self.json('create-via-import', 'disk', '--file', 'disk',
                         *cli_case.RAW)
        self.assertEqual(('active', len(data), ['fast']), (
            made['status'], made['size'], made['stores']))
        self.assertEqual(data, self.raw.data(made['id']))
        again = self.json('create', 'again', '--file', 'disk', '--import',
                          *cli_case.RAW)
        self.assertEqual(['fast'], again['stores'])

    def test_stage_then_import(self) -> None:
        data = self.write('disk', 1000)
        image = self.create('disk', *cli_case.RAW)
        self.run_it('stage', image, '--file', 'disk')
        self.assertEqual('active', self.json(
            'import', image, '--method', 'glance-direct')['status'])
        self.assertEqual(data, self.raw.data(image))

    def test_failed_import_leaves_nothing(self) -> None:
        self.write('disk', 1000)
        line = self.error(
            codes.REFUSED, 'create-via-import', 'disk', '--file',
            'disk', '--hash', 'sha512=' + '0' * 128, *cli_case.RAW)
        self.assertIn('Nothing was changed', line)
        self.assertIn('nova-image import-info', self.error(
            codes.REFUSED, 'create-via-import', 'disk', '--method', 'post',
            *cli_case.RAW))
        self.assertEqual([], self.raw.images())

    def test_copy(self) -> None:
        self.write('disk', 1000)
        self.create('disk', '--file', 'disk', *cli_case.RAW)
        self.error(codes.USAGE, 'copy', 'disk')
        self.assertIn('nowhere', self.error(
            codes.REFUSED, 'copy', 'disk', '--store', 'nowhere'))
        self.error(codes.NOT_AUTHORIZED, 'copy', 'disk', '--store', 'slow')
        self.become('admin')  # as Glance's policy is
        self.assertEqual(['fast', 'slow'], sorted(self.json(
            'copy', 'disk', '--store', 'slow')['stores']))


class MistakesTest(cli_case.OnKeystone):
    """A mistake has one line and one exit code, and loses no data."""

    def test_wrong_cloud(self) -> None:
        right = self.variables
        for code, word, changes in (
                (codes.NOT_AUTHORIZED, 'Keystone',
                 {'OS_PASSWORD': 'not-the-one'}),
                (codes.USAGE, '--os-cloud', {'OS_AUTH_URL': ''}),
                (codes.NO_CONNECTION, 'Keystone',
                 {'OS_AUTH_URL': 'http://127.0.0.1:1/v3'}),
                (codes.NO_CONNECTION, '--os-region-name',
                 {'OS_REGION_NAME': 'Atlantis'}),
                (codes.NO_CONNECTION, '127.0.0.1:1',
                 {'OS_IMAGE_ENDPOINT_OVERRIDE': 'http://127.0.0.1:1'}),
                (codes.USAGE, '1 or 2', {'OS_IMAGE_API_VERSION': '3'}),
                (codes.NO_CONNECTION, '--os-image-api-version',
                 {'OS_IMAGE_API_VERSION': '1'})):
            self.variables = {**right, **changes}
            self.assertIn(word, self.error(code, 'list'))

    def test_wrong_files(self) -> None:
        data = self.write('disk', 1000)
        image = self.create('disk', '--file', 'disk', *cli_case.RAW)
        self.assertIn('nothing', self.error(
            codes.LOCAL_FILE, 'create', 'x', '--file', 'nothing'))
        for path in ('.', 'no/such/folder', '/proc/none'):
            self.error(codes.LOCAL_FILE, 'save', image, '--file', path)
        self.assertIn('--no-clobber', self.error(
            codes.LOCAL_FILE, 'save', image, '--file', 'disk',
            '--no-clobber'))
        self.assertEqual(data, (self.folder / 'disk').read_bytes())
        self.assertEqual(['disk'], os.listdir(self.folder))

    def test_failed_save_keeps_the_existing_file(self) -> None:
        waiting = self.create('waiting', *cli_case.RAW)
        (self.folder / 'old').write_text('old')
        self.assertIn('no data', self.error(
            codes.REFUSED, 'save', waiting, '--file', 'old'))
        self.assertEqual('old', (self.folder / 'old').read_text())

    def test_unusual_names(self) -> None:
        names = ('ubuntu:22.04', 'na\xefve \u2603', 'a/b', 'in:a/b')
        for name in names:
            self.assertEqual(self.create(name),
                             self.json('show', name)['id'])
        self.error(codes.USAGE, 'delete', '')
        self.assertEqual(len(names), len(self.raw.images()))

    def test_several_images_with_a_name(self) -> None:
        both = [self.create('twin') for _ in range(2)]
        line = self.error(codes.CONFLICT, 'delete', 'twin')
        for image in both:
            self.assertIn(image, line)
        self.assertEqual(2, len(self.raw.images()))

    def test_debug_shows_requests_without_secrets(self) -> None:
        done = self.run_it('show', _NOBODY, '--debug', '--log-file', 'log',
                           code=codes.NOT_FOUND)
        log = (self.folder / 'log').read_text()
        for text in (done.err, log):
            self.assertIn('GET %s/v2/images/%s' % (self.glance.url, _NOBODY),
                          text)
            self.assertNoSecrets(text, '--debug')
        self.assertIn('Traceback', done.err)


class InterruptionsTest(cli_case.OnKeystone):
    """Ctrl-C, SIGTERM and a closed pipe."""

    def _image(self) -> tuple[str, bytes]:
        data = self.write('disk', 4 * _MIB)
        return self.create('disk', '--file', 'disk', *cli_case.RAW), data

    def _stalling(self) -> fixtures.FaultyProxy:
        """Use a network where a download stops after 3 MiB."""
        proxy = self.useFixture(fixtures.FaultyProxy(self.glance.url))
        proxy.plan(faults.Stall(3 * _MIB), method='GET')
        self.variables['OS_IMAGE_ENDPOINT_OVERRIDE'] = proxy.url
        return proxy

    def _partial(self) -> pathlib.Path | None:
        return next(self.folder.glob('.copy.*.part'), None)

    def test_interrupted_save_resumes(self) -> None:
        image, data = self._image()
        proxy = self._stalling()
        process = self.start('save', image, '--file', 'copy')
        # The last piece may be written and not counted yet.
        self.wait_for(lambda: self._size() >= 2 * _MIB, 'two pieces there')
        process.send_signal(signal.SIGINT)
        done = self.finish(process)
        self.assertEqual(codes.INTERRUPTED, done.code)
        kept = self._size()
        self.assertEqual(
            'nova-image: Interrupted; kept %s of copy. Run the same command '
            'to resume\n' % display.human_size(kept), done.err)
        self.assertFalse((self.folder / 'copy').exists())
        self.run_it('save', image, '--file', 'copy')
        self.assertEqual(data, (self.folder / 'copy').read_bytes())
        self.assertIsNone(self._partial())
        self.assertEqual('bytes=%d-' % kept, proxy.requests[-1].range)

    def _size(self) -> int:
        partial = self._partial()
        return partial.stat().st_size if partial else 0

    def test_save_interrupted_before_any_data(self) -> None:
        image, _ = self._image()
        proxy = self.useFixture(fixtures.FaultyProxy(self.glance.url))
        proxy.plan(faults.Stall(0), method='GET')
        self.variables['OS_IMAGE_ENDPOINT_OVERRIDE'] = proxy.url
        process = self.start('save', image, '--file', 'copy')
        self.wait_for(lambda: any(one.path.endswith('/file')
                                  for one in proxy.requests), 'asked for')
        process.send_signal(signal.SIGINT)
        done = self.finish(process)
        self.assertEqual(codes.INTERRUPTED, done.code)
        self.assertEqual(
            'nova-image: Interrupted; no data of copy was kept\n', done.err)
        self.assertEqual(['disk'], os.listdir(self.folder))

    def test_corrupt_data_is_not_saved(self) -> None:
        image, _ = self._image()
        proxy = self.useFixture(fixtures.FaultyProxy(self.glance.url))
        proxy.plan(*[faults.Corrupt(_MIB)] * 4, method='GET')
        self.variables['OS_IMAGE_ENDPOINT_OVERRIDE'] = proxy.url
        done = self.run_it('save', image, '--file', 'copy', '-q',
                           code=codes.BAD_DATA)
        self.assertEqual(1, done.err.count('\n'), done.err)
        self.assertEqual(['disk'], os.listdir(self.folder))

    def _half_create(self, *argv: str) -> typing.Any:
        """Start to create an image whose data does not end."""
        process = self.start('create', 'half', '--file', '-', *cli_case.RAW,
                             *argv, stdin=-1)
        assert process.stdin
        process.stdin.write(os.urandom(2 * _MIB))
        process.stdin.flush()
        self.wait_for(lambda: any(
            image['status'] in ('saving', 'uploading')
            for image in self.raw.images()), 'being sent')
        return process

    def test_interrupted_create_leaves_no_image(self) -> None:
        for number, code, argv in (
                (signal.SIGINT, codes.INTERRUPTED, ()),
                (signal.SIGTERM, codes.TERMINATED, ()),
                (signal.SIGINT, codes.INTERRUPTED, ('--import',))):
            process = self._half_create(*argv)
            process.send_signal(number)
            done = self.finish(process)
            self.assertEqual((code, 'nova-image: Interrupted; the new image '
                              'was deleted\n'), (done.code, done.err))
            self.assertEqual([], self.raw.images())

    def test_closed_pipe_of_save(self) -> None:
        image, _ = self._image()
        reading, writing = os.pipe()
        process = self.start('save', image, stdout=writing)
        os.close(writing)
        os.read(reading, 10)
        os.close(reading)
        done = self.finish_without_output(process)
        self.assertEqual((codes.BROKEN_PIPE, b''), done)

    def finish_without_output(self, process: typing.Any
                              ) -> tuple[int, bytes]:
        """Wait for a command whose standard output is redirected."""
        err = process.stderr.read()
        return process.wait(), err

    def test_closed_pipe_of_list(self) -> None:
        self.create('a')
        reading, writing = os.pipe()
        os.close(reading)
        process = self.start('list', stdout=writing)
        os.close(writing)
        self.assertEqual((codes.BROKEN_PIPE, b''),
                         self.finish_without_output(process))


class WithoutKeystoneTest(cli_case.CommandLineTest):
    """The option --os-auth-type none."""

    def test_with_an_endpoint(self) -> None:
        self.raw_glance(servers.glance33().url)
        self.variables = {'OS_PROJECT_ID': 'p1'}
        none = ('--os-auth-type', 'none', '--os-endpoint',
                servers.glance33().url)
        made = self.json('create', 'a', *none)
        self.assertEqual('p1', made['owner'])
        self.assertEqual([made['id']],
                         [image['id'] for image in self.json('list', *none)])

    def test_without_an_endpoint(self) -> None:
        self.assertIn('--os-endpoint', self.error(
            codes.USAGE, 'list', '--os-auth-type', 'none'))

    def test_without_any_option(self) -> None:
        self.assertIn('--os-cloud', self.error(codes.USAGE, 'list'))
