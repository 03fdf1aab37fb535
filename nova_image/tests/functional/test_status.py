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

"""nova-image-status on clouds without v1, and its failures."""

import os
import signal
import stat
import typing

from nova_image.status import audit
from nova_image.status import checks
from nova_image.status import halves
from nova_image.tests import fixtures
from nova_image.tests.fixtures import faults
from nova_image.tests.functional import base
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import servers
from nova_image.tests.functional import status_case

#: all checks that are installed
_CHECKS = audit.all_checks(halves.kinds())
#: those that need the images by v2, and no option
_OF_IMAGES = {'non-ascii-properties', 'similar-properties', 'formats',
              'kernel-and-ramdisk', 'values', 'pending-members', 'locations',
              'unfinished-images', 'hashes'}
#: those that need any images, and no option
_OF_ANY_IMAGES = {check.name for check in _CHECKS
                  if isinstance(check, checks.ImageCheck)
                  and not check.option}


class StatusOnGlance33(status_case.StatusTest):
    """A test on Glance 33."""

    def setUp(self) -> None:
        """Use the Glance."""
        super().setUp()
        self.glance = servers.glance33()
        self.use(self.glance.url)
        self.raw = self.raw_glance(self.glance.url)

    def shared(self, *projects: str) -> str:
        """Create an image with members, and return its ID."""
        found: str = self.raw.create(visibility='shared')['id']
        for project in projects:
            self.raw.ask('POST', '/v2/images/%s/members' % found,
                         json={'member': project})
        return found

    def proxy(self) -> fixtures.FaultyProxy:
        """Return a proxy in front of the Glance, which the command uses."""
        found = self.useFixture(fixtures.FaultyProxy(self.glance.url))
        self.use(found.url)
        return found


class ChecksOnGlance33Test(StatusOnGlance33):
    """upgrade check"""

    def test_clean_cloud_is_a_success(self) -> None:
        self.raw.create(b'data')
        self.shared()
        results = self.check('--content', '--write-tests')
        self.assertEqual({0}, {one['result'] for one in results.values()},
                         [one for one in results.values() if one['result']])
        self.assertIn('make an image public', results['roles']['details'])
        self.assertEqual(2, len(self.raw.images()))

    def test_each_check_finds_its_own_image(self) -> None:
        made = {
            'similar-properties': self.raw.create(**{
                'os_type': 'linux', 'OS-Type': 'windows'})['id'],
            'formats': self.raw.create(disk_format=None)['id'],
            'kernel-and-ramdisk': self.raw.create(
                kernel_id=base.new_id())['id'],
            'values': self.raw.create(os_type='None')['id'],
            'pending-members': self.shared('project-1')}
        self.raw.create(ramdisk_id=made['formats'])
        self.raw.create(**{'caf\u00e9': 'harmless'})
        self.assertEqual({name: {image_id} for name, image_id in made.items()},
                         self.found(code=1))

    def test_mends_and_undoes(self) -> None:
        self.shared('project-1', 'project-2')
        self.raw.create(disk_format=None, container_format=None)
        before = self.raw.images()
        self.run_it('--fix', '--yes', '--undo-file', 'undo.json')
        self.assertEqual({}, self.found())
        self.assertEqual(0o600, stat.S_IMODE(
            (self.folder / 'undo.json').stat().st_mode))
        self.run_it('--undo', 'undo.json', '--yes')
        for one in (*before, *(after := self.raw.images())):
            one.pop('updated_at')
        self.assertEqual(before, after)
        self.assertEqual({'pending-members', 'formats'},
                         set(self.found(code=1)))
        self.assertIn('nothing to undo', self.run_it(
            '--undo', 'undo.json', '--yes').err)

    def test_only_the_given_checks(self) -> None:
        self.shared('project-1')
        self.raw.create(disk_format=None)
        with base.recording(self.glance) as recording:
            self.assertEqual({'api-versions'}, set(self.check(
                '--check', 'api-versions')))
        self.assertEqual(['GET /versions'], recording.calls)
        done = self.run_it('--fix', '--check', 'formats', '--yes')
        self.assertIn('Made 1 of 1 changes', done.err)

    def test_table_fits_80_columns(self) -> None:
        for _ in range(12):
            self.shared('project-with-a-long-name', 'b' * 255)
        table = self.run_it(code=1).out
        self.assertLess(max(map(len, table.splitlines())), 81)
        self.assertIn('and 2 more', table)
        self.assertIn('Result: Warning', table)
        self.assertEqual(12, len(self.check(code=1)[
            'pending-members']['items']))

    def test_pages(self) -> None:
        single = self.useFixture(fixtures.Glance(
            options={'DEFAULT': {'api_limit_max': '2'}}))
        self.use(single.url)
        raw = self.raw_glance(single.url)
        made = {raw.create(os_type='None')['id'] for _ in range(5)}
        self.assertEqual({'values': made}, self.found(code=1))


class FailuresOnGlance33Test(StatusOnGlance33):
    """A check that cannot run is a line of the table."""

    def test_image_that_glance_cannot_show(self) -> None:
        image_id = self.shared('project-1')
        other = self.shared('project-1')
        proxy = self.proxy()
        proxy.plan(*[faults.Status(500)] * 4, path=image_id + '/members')
        result = self.check(code=1)['pending-members']
        self.assertEqual([other], [one['id'] for one in result['items']])
        self.assertEqual(1, len(result['unchecked']))
        self.assertTrue(result['unchecked'][0].startswith(
            'image %s: 500 ' % image_id), result)

    def test_listing_that_fails(self) -> None:
        self.raw.create(os_type='None')
        self.proxy().plan(*[faults.Status(500)] * 8, path='limit=1000')
        found = self.unchecked()
        self.assertLessEqual(_OF_IMAGES, set(found))
        self.assertLessEqual(set(found), _OF_ANY_IMAGES)
        self.assertIn('the list of images by the Images API v2: ',
                      found['formats'][0])

    def test_endpoint_that_is_down(self) -> None:
        with fixtures.Port() as port:
            self.use('http://127.0.0.1:%d' % port.number)
        found = self.unchecked()
        self.assertEqual(_OF_ANY_IMAGES | {'api-versions'}, set(found))
        table = self.run_it(code=1).out
        self.assertIn('could not be checked: ', table)

    def test_program_that_is_no_glance(self) -> None:
        self.proxy().plan(*[faults.Status(404)] * 40, path='/')
        self.assertIn('formats', self.unchecked())

    def test_write_tests_leave_nothing(self) -> None:
        proxy = self.proxy()
        proxy.plan(faults.Status(403), path='/v2/images/', method='PATCH')
        result = self.check('--check', 'roles', '--write-tests', code=1)
        self.assertEqual(['make an image public'], [
            one['id'] for one in result['roles']['items']])
        self.assertEqual([], self.raw.images())
        proxy.plan(faults.Slow(60), path='/v2/images/', method='PATCH')
        process = self.start('--write-tests', '--check', 'roles')
        self.wait_for(lambda: any(one.method == 'PATCH' and one.fault
                                  for one in proxy.requests[-1:]),
                      'trying to make the image public')
        process.send_signal(signal.SIGINT)
        self.assertEqual(130, self.finish(process).code)
        self.assertEqual([], self.raw.images())

    def test_interrupt_while_glance_does_not_answer(self) -> None:
        self.shared('project-1')
        proxy = self.proxy()
        proxy.plan(*[faults.Slow(200)] * 9, path='/members')
        process = self.start()
        self.wait_for(lambda: any(one.fault for one in proxy.requests),
                      'asking for members')
        process.send_signal(signal.SIGINT)
        self.assertEqual(130, self.finish(process).code)

    def test_interrupted_fix_can_be_undone(self) -> None:
        first, second = self.shared('project-1'), self.shared('project-1')
        proxy = self.proxy()
        proxy.plan(None, faults.Slow(60), path='/members/', method='PUT')
        process = self.start('--fix', '--yes', '--undo-file', 'undo.json')
        self.wait_for(lambda: any(one.method == 'PUT' and one.fault
                                  for one in proxy.requests[-1:]),
                      'making the second change')
        process.send_signal(signal.SIGINT)
        self.assertEqual(130, self.finish(process).code)
        self.run_it('--undo', 'undo.json', '--yes')
        self.assertEqual({'pending-members': {first, second}},
                         self.found(code=1))


class ConfigurationOnGlance33Test(StatusOnGlance33):
    """nova.conf and other files"""

    def conf(self, text: str, name: str = 'nova.conf') -> str:
        """Write a configuration file and return its path."""
        self.variables = {}
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def test_nova_conf(self) -> None:
        path = self.conf(
            '[DEFAULT]\ncompute_driver = vmwareapi.VMwareVCDriver\n'
            '[glance]\napi_servers = %s/v2, %s\nhost = glance\n'
            'username = nova\nbogus = 1\n' % (
                self.glance.url, self.glance.url.partition('//')[2]))
        self.raw.create(os_type='None')
        found = self.found('--config-file', path, code=1)
        self.assertEqual(1, len(found.pop('values')))
        self.assertEqual({
            'endpoints': {self.glance.url + '/v2',
                          self.glance.url.partition('//')[2]},
            'nova-conf': {'host', 'api_servers'},
            'virt-drivers': {'VMwareVCDriver'},
            'nova-image': {'[glance] bogus'}}, found)

    def test_other_services(self) -> None:
        self.use(self.glance.url)
        url = self.variables
        self.conf('[DEFAULT]\nglance_api_version = 1\n', 'cinder.conf')
        self.conf('[glance]\nglance_api_version = 2\n', 'heat.conf')
        self.variables = url
        found = self.found('--service-config', str(self.folder), code=2)
        self.assertEqual({'other-services': {
            str(self.folder / 'cinder.conf')}}, found)
        found = self.unchecked('--service-config', '/missing')
        self.assertEqual({'other-services'}, set(found))

    def test_log_of_nova(self) -> None:
        (self.folder / 'nova.log').write_text(
            '10.0.0.1 "GET /v2.1/images/detail?changes-since=2020 HTTP/1.1"\n'
            '10.0.0.1 "GET /v2.1/images?name=x HTTP/1.1" 200\n')
        self.assertEqual({'v1-filters': {'changes-since'}}, self.found(
            '--nova-log', 'nova.log', code=1))

    def test_wrong_files(self) -> None:
        for text in ('nonsense', '[glance]\nnum_retries = many\n'):
            err = self.error(2, '--config-file', self.conf(text))
            self.assertIn('Configuration of Nova: ', err)


class UsageOnGlance33Test(StatusOnGlance33):
    """The command line"""

    def test_mistakes(self) -> None:
        self.assertIn('No check has the name bogus', self.error(
            2, '--check', 'bogus'))
        self.assertIn('not an undo file', self.error(
            2, '--undo', os.devnull))
        self.shared('project-1')
        (self.folder / 'undo.json').write_text('mine')
        done = self.run_it('--fix', '--yes', '--undo-file', 'undo.json',
                           code=255)
        self.assertIn('undo.json: the file exists', done.err)
        self.assertIn('is not a terminal', self.run_it(
            '--fix', code=2).err)

    def test_lists_checks_without_a_cloud(self) -> None:
        self.variables = {}
        names = [line for line in self.run_it(
            '--list-checks').out.splitlines() if line[:1].isalpha()]
        self.assertEqual([check.name for check in _CHECKS], names)

    def test_progress_on_a_terminal(self) -> None:
        self.raw.create()
        self.proxy().latency = 0.2
        code, text = self.end_of(self.terminal_of())
        self.assertEqual(0, code)
        self.assertIn('\r\x1b[Kchecking: ', text)
        self.assertIn('\r\x1b[K+---', text)

    def test_asks_on_a_terminal(self) -> None:
        image_id = self.shared('project-1')
        for answer, code in (('n', 1), ('y', 0)):
            child = self.terminal_of('--fix')
            child.expect_exact('Make these 1 changes of 1 images? [y/N] ')
            child.sendline(answer)
            self.assertEqual(code, self.end_of(child)[0])
        self.assertEqual('accepted', self.raw.ask(
            'GET', '/v2/images/%s/members' % image_id).json()[
                'members'][0]['status'])


class OutputTest(status_case.StatusTest):
    """Standard output, without a Glance"""

    def test_result_that_cannot_be_written(self) -> None:
        with fixtures.Port() as port:
            self.use('http://127.0.0.1:%d' % port.number)
        argv = ('--check', 'api-versions')
        self.run_it(*argv, code=1)
        with open('/dev/full', 'wb') as full:
            process = self.start(*argv, stdout=full)
            _, err = process.communicate(timeout=60)
        self.assertEqual(255, process.returncode, err)
        self.assertIn(b'standard output: No space left', err)
        reading, writing = os.pipe()
        os.close(reading)
        process = self.start(*argv, stdout=writing)
        os.close(writing)
        process.communicate(timeout=60)
        self.assertEqual(141, process.returncode)


class WithKeystone(cli_case.OnKeystone, status_case.StatusTest):
    """Users of a cloud with Keystone."""

    def test_administrator(self) -> None:
        self.become('admin')
        self.raw.create(os_type='None')
        results = self.check(code=1)
        self.assertEqual(['values'], [
            name for name, one in results.items() if one['result']])

    def test_user_sees_only_the_own_project(self) -> None:
        results = self.check(code=1)
        self.assertEqual(['the token'], [
            one['id'] for one in results['roles']['items']])
        for name in _OF_IMAGES:
            self.assertIn('own project', results[name]['unchecked'][0])

    def test_wrong_password(self) -> None:
        self.variables['OS_PASSWORD'] = 'wrong'
        self.assertIn('formats', self.unchecked())

    def test_credentials_in_nova_conf(self) -> None:
        options: dict[str, typing.Any] = servers.keystone().auth_options(
            'admin')
        self.variables = {}
        path = self.folder / 'nova.conf'
        path.write_text(
            '[glance]\nregion_name = %s\nvalid_interfaces = public\n'
            '[keystone_authtoken]\nauth_type = password\n%s' % (
                cli_case.keystone_fixture.REGION, ''.join(
                    '%s = %s\n' % item for item in options.items())))
        self.raw.create(os_type='None')
        results = self.check('--config-file', str(path), code=1)
        self.assertEqual(['values'], [
            name for name, one in results.items() if one['result']])
