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


"""The jobs of Zuul: their configuration, and what judges the cloud's logs.

The playbook runs for real, on a ``systemctl`` and a ``journalctl`` that tell
of a cloud. What only Zuul can tell, whether the parents and templates exist,
is not looked at.
"""

import ast
import pathlib
import re
import shutil
import subprocess
import typing

import fixtures as lib_fixtures
import testtools
import yaml

from nova_image.tests.fixtures import processes
from nova_image.tests.fixtures import virtualenvs

_ROOT = pathlib.Path(__file__).resolve().parents[3]
_CONFIG = _ROOT / '.zuul.yaml'
_SCHEMA = pathlib.Path(__file__).with_name('zuul_schema.py')
_PLAYBOOKS = _ROOT / 'playbooks' / 'nova-image-glance-v2-only'
JOB = 'nova-image-glance-v2-only'
_VARIANTS = ('nova-image-ceph', 'nova-image-multinode')
_BRIDGE = _ROOT / 'nova_image' / 'host' / 'bridge.py'

# Lines as the two services of systemd print them.
_STAMP = 'Nov 21 04:00:00.000001 controller devstack@%s.service[7]: %s'
_V2_REQUEST = ('[pid: 7|app: 0|req: 1/1] 127.0.0.1 () {66 vars in 1499 bytes}'
               ' [Sat Nov 21 04:00:00 2026] GET /v2/images?limit=20 => ok')
_V1_REQUESTS = (_V2_REQUEST.replace('/v2/images?limit=20', '/v1/images'),
                _V2_REQUEST.replace('GET /v2/', 'HEAD /image/v1/'),
                '"POST /v1 HTTP/1.1" 300')
_SYSTEMCTL = """#!/bin/bash
cd %(folder)s
for unit in devstack@*; do
    for pattern in "$@"; do
        # shellcheck disable=SC2053
        [[ $unit != $pattern ]] || echo "$unit loaded active running -"
    done
done
"""
_JOURNALCTL = """#!/bin/bash
cat "%(folder)s/${!#}"
"""


def _zuul_venv() -> virtualenvs.Virtualenv:
    return virtualenvs.Virtualenv(
        'zuul', ['zuul==14.3.0', 'ansible-core>=2.18'])


def read_jobs() -> dict[str, dict[str, typing.Any]]:
    """Return the jobs that are defined here by their names."""
    return {item['job']['name']: item['job']
            for item in yaml.safe_load(_CONFIG.read_text()) if 'job' in item}


def _announcement(driver: str = 'GlanceImageServiceV2') -> str:
    """Return what a service logs, by the code that logs it."""
    template, = [
        node.value for node in ast.walk(ast.parse(_BRIDGE.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        and '%(driver)s serves' in node.value]
    return template % {'version': '1.0.0', 'driver': driver,
                       'service': 'uwsgi', 'nova': '34.0.0'}


class ConfigurationTest(testtools.TestCase):
    """What can be said of .zuul.yaml by itself."""

    def setUp(self) -> None:
        """Read the job."""
        super().setUp()
        self.job = read_jobs()[JOB]
        self.variants = [read_jobs()[name] for name in _VARIANTS]

    def test_files_that_it_names_exist(self) -> None:
        for moment in ('pre-run', 'run', 'post-run'):
            if moment in self.job:
                self.assertTrue((_ROOT / self.job[moment]).is_file(), moment)
        plugin, = self.job['vars']['devstack_plugins']
        self.assertIn('define_plugin %s\n' % plugin,
                      (_ROOT / 'devstack' / 'settings').read_text())

    def test_variables_are_the_plugins(self) -> None:
        settings = (_ROOT / 'devstack' / 'settings').read_text()
        for name in self.job['vars']['devstack_localrc']:
            self.assertIn('\n%s=' % name, settings)

    def test_plugin_is_a_required_project(self) -> None:
        url, = self.job['vars']['devstack_plugins'].values()
        self.assertIn(url.removeprefix('https://opendev.org/'),
                      self.job['required-projects'])

    def test_own_jobs_that_it_runs_are_defined(self) -> None:
        project, = [item['project']
                    for item in yaml.safe_load(_CONFIG.read_text())
                    if 'project' in item]
        for pipeline in ('check', 'gate'):
            own = [job for job in project[pipeline]['jobs']
                   if job.startswith('nova-image-')]
            self.assertEqual(
                [JOB, *(_VARIANTS if pipeline == 'check' else ())], own)

    def test_variants_do_the_same_with_another_cloud(self) -> None:
        for job in self.variants:
            self.assertEqual(JOB, job['parent'])
            self.assertFalse(job['voting'])  # so it cannot be in gate
            self.assertEqual(self.job['irrelevant-files'],
                             job['irrelevant-files'])
            self.assertNotIn('post-run', job)
            for name, url in job['vars'].get('devstack_plugins', {}).items():
                self.assertEqual('https://opendev.org/openstack/' + name, url)
                self.assertIn('openstack/' + name, job['required-projects'])

    def test_what_runs_in_the_cloud_is_relevant(self) -> None:
        # Zuul skips the job if each changed file matches one of these.
        ignored = [re.compile(regex)
                   for regex in self.job['irrelevant-files']]

        def skipped(path: str) -> bool:
            return any(regex.match(path) for regex in ignored)

        for path in ('.zuul.yaml', 'setup.cfg', 'requirements.txt',
                     'devstack/plugin.sh', 'devstack/settings',
                     'nova_image/image/glance_v2.py', self.job['post-run']):
            self.assertTrue((_ROOT / path).is_file(), path)
            self.assertFalse(skipped(path), path)
        for path in ('README.rst', 'doc/source/conf.py', 'run_tests.sh',
                     'packaging/debian/rules',
                     'nova_image/tests/unit/base.py'):
            self.assertTrue((_ROOT / path).is_file(), path)
            self.assertTrue(skipped(path), path)


class Cloud(lib_fixtures.Fixture):
    """The journal of a DevStack, as far as evidence.sh asks for it.

    :ivar journal: the folder with a file a unit
    :ivar stage: where evidence is collected
    :ivar env: the environment in which commands find this journal
    """

    def _setUp(self) -> None:
        folder = pathlib.Path(self.useFixture(lib_fixtures.TempDir()).path)
        self.stage = folder / 'stage'
        self.journal = folder / 'journal'
        commands = folder / 'bin'
        for path in (self.journal, commands):
            path.mkdir()
        for name, text in (('systemctl', _SYSTEMCTL),
                           ('journalctl', _JOURNALCTL)):
            command = commands / name
            command.write_text(text % {'folder': self.journal})
            command.chmod(0o755)
        self.env = processes.clean_environment(
            {'PATH': '%s:/usr/bin:/bin' % commands, 'HOME': str(folder),
             'LC_ALL': 'C.UTF-8'})
        for unit in ('n-api', 'n-super-cond', 'n-cond-cell1', 'n-cpu'):
            self.logs(unit, 'DEBUG other', 'INFO ' + _announcement())
        self.logs('n-novnc', 'DEBUG other')
        self.logs('g-api', 'DEBUG other', _V2_REQUEST)

    def logs(self, unit: str, *lines: str) -> None:
        """Say what a service logged.

        :param unit: the service's name in DevStack
        :param lines: its log, whole
        """
        (self.journal / ('devstack@%s.service' % unit)).write_text(
            ''.join(_STAMP % (unit, line) + '\n' for line in lines))

    def lacks(self, unit: str) -> None:
        """Take a service away.

        :param unit: its name in DevStack
        """
        (self.journal / ('devstack@%s.service' % unit)).unlink()


class EvidenceTest(testtools.TestCase):
    """evidence.sh finds what is wrong with a cloud."""

    def setUp(self) -> None:
        """Make a cloud with which nothing is wrong."""
        super().setUp()
        self.cloud = self.useFixture(Cloud())

    def _run(self, *args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ['bash', _PLAYBOOKS / 'evidence.sh', *args],
            env=self.cloud.env, capture_output=True, text=True, timeout=60)

    def _faults(self) -> list[str]:
        stage = str(self.cloud.stage)
        shutil.rmtree(stage, ignore_errors=True)
        collected = self._run('collect', stage)
        self.assertEqual((0, ''), (collected.returncode, collected.stderr))
        checked = self._run('check', stage)
        self.assertEqual('', checked.stderr)
        faults = [line.removeprefix('FAULT: ')
                  for line in checked.stdout.splitlines()
                  if line.startswith('FAULT: ')]
        self.assertEqual(int(bool(faults)), checked.returncode)
        return faults

    def test_good_cloud(self) -> None:
        self.assertEqual([], self._faults())
        collected = {path.name: path.read_text()
                     for path in self.cloud.stage.iterdir()}
        self.assertEqual({
            'g-api.txt', 'n-api.txt', 'n-cond-cell1.txt', 'n-cpu.txt',
            'n-novnc.txt', 'n-super-cond.txt'}, set(collected))
        self.assertEqual('', collected['n-novnc.txt'])
        self.assertIn(_announcement(), collected['n-cpu.txt'])
        self.assertNotIn('DEBUG', ''.join(collected.values()))

    def test_one_conductor_is_enough(self) -> None:
        self.cloud.lacks('n-super-cond')
        self.cloud.lacks('n-cond-cell1')
        self.cloud.logs('n-cond', _announcement())
        self.assertEqual([], self._faults())

    def test_silent_services(self) -> None:
        for unit, what in (('n-api', 'nova-api'), ('n-cpu', 'nova-compute'),
                           ('n-cond-cell1', 'nova-conductor')):
            cloud = self.cloud = self.useFixture(Cloud())
            cloud.logs(unit, 'INFO starts with its own image code')
            self.assertEqual(
                ['%s (%s) did not announce nova_image' % (what, unit)],
                self._faults())

    def test_missing_service(self) -> None:
        self.cloud.lacks('n-cpu')
        self.assertEqual(['nova-compute is missing'], self._faults())

    def test_another_driver(self) -> None:
        self.cloud.logs('n-cpu', _announcement(),
                        _announcement('GlanceImageServiceV3'))
        self.assertEqual(['nova-compute (n-cpu) announced a driver '
                          'other than v2'], self._faults())

    def test_requests_for_v1(self) -> None:
        for request in _V1_REQUESTS:
            self.cloud.logs('g-api', _V2_REQUEST, request)
            self.assertEqual(['Glance got 1 request(s) for /v1'],
                             self._faults(), request)

    def test_v1_elsewhere_in_a_line_is_not_a_request_for_it(self) -> None:
        self.cloud.logs('g-api', _V2_REQUEST, 'DEBUG GET http://x/v1/tokens',
                        _V2_REQUEST.replace('limit=20', 'name=/v1/'),
                        _V2_REQUEST.replace('/v2/', '/v10/'))
        self.assertEqual([], self._faults())

    def test_no_requests_prove_nothing(self) -> None:
        fault = ['Glance got no request for /v2: check its log']
        self.cloud.logs('g-api', 'DEBUG other')
        self.assertEqual(fault, self._faults())
        self.cloud.lacks('g-api')
        self.assertEqual(fault, self._faults())

    def test_node_with_only_nova_compute(self) -> None:
        for unit in ('n-api', 'n-super-cond', 'n-cond-cell1', 'g-api'):
            self.cloud.lacks(unit)
        stage = str(self.cloud.stage)
        for lines, status in (([_announcement()], 0), (['other'], 1)):
            self.cloud.logs('n-cpu', *lines)
            self._run('collect', stage)
            checked = self._run('check-compute', stage)
            self.assertEqual(status, checked.returncode, checked.stdout)

    def test_wrong_use(self) -> None:
        for args in ((), ('collect',), ('x', 'y'), ('check', 'a', 'b')):
            self.assertEqual(2, self._run(*args).returncode, args)


class ZuulTest(testtools.TestCase):
    """Zuul's own schema, and Ansible with the playbook."""

    def setUp(self) -> None:
        """Get Zuul and Ansible."""
        super().setUp()
        self.bin = self.useFixture(_zuul_venv()).bin

    def _judge(self, path: pathlib.Path) -> tuple[int, str]:
        done = subprocess.run(
            [self.bin / 'python', _SCHEMA, path], capture_output=True,
            text=True, timeout=120, env=processes.clean_environment())
        return done.returncode, done.stdout.strip() or done.stderr

    def test_schema(self) -> None:
        status, said = self._judge(_CONFIG)
        self.assertEqual(0, status, said)

    def test_schema_refuses_what_is_wrong(self) -> None:
        path = pathlib.Path(
            self.useFixture(lib_fixtures.TempDir()).path) / 'zuul.yaml'
        path.write_text(_CONFIG.read_text().replace(
            'irrelevant-files:', 'irrelevent-files:').replace(
            'parent: devstack-tempest', 'files: ["(?!x)"]'))
        status, said = self._judge(path)
        self.assertEqual(1, status, said)
        self.assertIn('extra keys not allowed', said)
        self.assertIn('(?!x): invalid perl operator', said)

    def _play(self, cloud: Cloud, success: str) -> tuple[int, str]:
        done = subprocess.run(
            [self.bin / 'ansible-playbook', '--inventory', 'controller,',
             '--connection', 'local', '--extra-vars',
             'ansible_become=false zuul_success=%s stage_dir=%s '
             'ansible_python_interpreter=%s' % (
                 success, cloud.stage, self.bin / 'python'),
             _PLAYBOOKS / 'post.yaml'],
            env=cloud.env, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout + done.stderr

    def test_playbook(self) -> None:
        cloud = self.useFixture(Cloud())
        status, said = self._play(cloud, 'True')
        self.assertEqual(0, status, said)
        self.assertIn('ok=3', said)
        evidence = cloud.stage / 'nova-image' / 'n-cpu.txt'
        self.assertIn(_announcement(), evidence.read_text())

    def test_playbook_fails_where_the_evidence_is_against_it(self) -> None:
        cloud = self.useFixture(Cloud())
        cloud.logs('n-api', 'DEBUG other')
        status, said = self._play(cloud, 'True')
        self.assertEqual(2, status, said)
        self.assertIn('nova-api (n-api) did not announce nova_image', said)

    def test_playbook_only_collects_after_a_failed_run(self) -> None:
        cloud = self.useFixture(Cloud())
        cloud.logs('n-api', 'DEBUG other')
        status, said = self._play(cloud, 'False')
        self.assertEqual(0, status, said)
        self.assertTrue((cloud.stage / 'nova-image' / 'n-cpu.txt').exists())
