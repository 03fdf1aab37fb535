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

"""Tests of the parts of the service fixtures."""

import concurrent.futures
import fcntl
import pathlib
import socket
import subprocess
import sys

import fixtures as lib_fixtures
import testtools

from nova_image.tests import fixtures
from nova_image.tests.fixtures import paths
from nova_image.tests.fixtures import processes
from nova_image.tests.fixtures import virtualenvs

_ROOT = pathlib.Path(__file__).resolve().parents[3]


class FolderTest(testtools.TestCase):
    """Folders of the fixtures, and when they are removed."""

    def setUp(self) -> None:
        """Use a cache that only this test has."""
        super().setUp()
        self.cache = pathlib.Path(
            self.useFixture(lib_fixtures.TempDir()).path).resolve()
        self.useFixture(lib_fixtures.EnvironmentVariable(
            'NOVA_IMAGE_CACHE', str(self.cache)))
        self.useFixture(lib_fixtures.EnvironmentVariable('NOVA_IMAGE_KEEP'))

    def test_cache_is_in_the_clone(self) -> None:
        self.useFixture(lib_fixtures.EnvironmentVariable('NOVA_IMAGE_CACHE'))
        self.assertEqual(_ROOT / '.cache', paths.cache())

    def test_folder_is_removed(self) -> None:
        with fixtures.RunFolder('a') as folder:
            self.assertEqual(self.cache / 'run', folder.path.parent)
        self.assertFalse(folder.path.exists())

    def test_folder_stays_on_request(self) -> None:
        with fixtures.RunFolder('a', keep=True) as folder:
            pass
        with fixtures.RunFolder('b'):
            self.assertTrue(folder.path.exists())

    def test_folder_of_a_failed_test_stays(self) -> None:
        folder = fixtures.RunFolder('a')

        class Failing(testtools.TestCase):
            def test(self) -> None:
                folder.keep_for(self)
                self.useFixture(folder)
                self.fail('on purpose')

        self.assertFalse(Failing('test').run().wasSuccessful())
        self.assertTrue(folder.path.exists())

    def test_folder_of_a_dead_process_is_removed(self) -> None:
        left = paths.below('run') / 'left'
        left.mkdir()
        (left / '.lock').touch()
        with fixtures.RunFolder('a') as owned, fixtures.RunFolder('b'):
            self.assertFalse(left.exists())
            self.assertTrue(owned.path.exists())

    def test_config_is_private(self) -> None:
        path = self.cache / 'a.conf'
        paths.write_config(path, {'a': {'password': 'p'}})
        self.assertEqual('[a]\npassword = p\n', path.read_text())
        self.assertEqual(0o600, path.stat().st_mode & 0o777)


class PortTest(testtools.TestCase):
    """Ports are free, low, and claimed only once."""

    def test_ports_differ(self) -> None:
        numbers = [self.useFixture(fixtures.Port()).number
                   for _ in range(20)]
        self.assertEqual(20, len(set(numbers)))
        self.assertTrue(all(1024 < number < 32768 for number in numbers))

    def test_port_can_be_listened_on(self) -> None:
        port = self.useFixture(fixtures.Port())
        with socket.socket() as listener:
            listener.bind(('127.0.0.1', port.number))
            self.assertFalse(fixtures.Port()._claim(port.number))

    def test_port_in_use_is_not_claimed(self) -> None:
        with socket.socket() as listener:
            listener.bind(('127.0.0.1', 0))
            taken = listener.getsockname()[1]
            self.assertFalse(fixtures.Port()._claim(taken))

    def test_port_of_another_process_is_not_claimed(self) -> None:
        port = self.useFixture(fixtures.Port()).number
        code = ('from nova_image.tests.fixtures import ports; '
                'raise SystemExit(ports.Port()._claim(%d))' % port)
        self.assertEqual(0, subprocess.call([sys.executable, '-c', code],
                                            cwd=_ROOT))


class ProcessTest(testtools.TestCase):
    """Processes start, become ready, end, and leave nothing behind."""

    def setUp(self) -> None:
        """Create a folder for logs."""
        super().setUp()
        self.folder = self.useFixture(fixtures.RunFolder('process')).path

    def _process(self, script: str, ready: str = 'ready'
                 ) -> fixtures.Process:
        log = self.folder / 'log'
        return fixtures.Process(
            'sh', ['sh', '-c', script], log,
            lambda: ready in processes.tail(log), cwd=self.folder)

    def test_children_are_stopped(self) -> None:
        process = self._process('sleep 60 & sleep 60 & echo ready; wait')
        with process:
            group = process.pid
            self.assertEqual(3, len(process.members))
        self.assertEqual([], processes.group(group))

    def test_process_that_ignores_sigterm_is_killed(self) -> None:
        process = self._process(
            "trap '' TERM; echo ready; while :; do sleep 1; done")
        self.addCleanup(process.cleanUp)
        process.setUp()
        process.stop(timeout=0.1)
        self.assertFalse(process.running)
        self.assertEqual([], process.members)

    def test_process_that_ends_early_raises_an_error_and_its_log(self) -> None:
        process = self._process('echo what is wrong; exit 3')
        error = self.assertRaises(fixtures.ProcessFailed, process.start)
        self.assertIn('sh ended while it started', str(error))
        self.assertIn('what is wrong', str(error))

    def test_process_that_is_never_ready_raises_an_error(self) -> None:
        process = self._process('echo what it does; sleep 60')
        error = self.assertRaises(
            fixtures.ProcessFailed, process.start, timeout=0.3)
        self.assertIn('was not ready', str(error))
        self.assertIn('what it does', str(error))
        self.assertFalse(process.running)

    def test_process_outlives_the_thread_that_started_it(self) -> None:
        process = self.useFixture(self._process('echo ready; sleep 60'))
        process.stop()
        with concurrent.futures.ThreadPoolExecutor(1) as executor:
            executor.submit(process.start).result()
        # The signal would have arrived when the thread ended.
        self.assertIsNone(process._popen.poll())

    def test_log_is_a_detail(self) -> None:
        with self._process('echo ready; sleep 60') as process:
            detail = process.getDetails()['sh log']
            self.assertEqual('ready\n', detail.as_text())

    def test_environment_is_clean(self) -> None:
        for name in ('OS_PASSWORD', 'PYTHONPATH', 'https_proxy'):
            self.useFixture(lib_fixtures.EnvironmentVariable(name, 'x'))
        env = processes.clean_environment({'A': 'b'})
        self.assertEqual('b', env['A'])
        self.assertIn('PATH', env)
        self.assertEqual(set(), {'OS_PASSWORD', 'PYTHONPATH', 'https_proxy'}
                         & set(env))


class VirtualenvTest(testtools.TestCase):
    """Virtualenvs are built once, and rebuilt if they are incomplete."""

    def setUp(self) -> None:
        """Use a cache that only this test has."""
        super().setUp()
        self.cache = pathlib.Path(
            self.useFixture(lib_fixtures.TempDir()).path).resolve()
        self.useFixture(lib_fixtures.EnvironmentVariable(
            'NOVA_IMAGE_CACHE', str(self.cache)))
        self.venv = virtualenvs.Virtualenv('a', ['pip'])

    def test_virtualenv_is_built_once(self) -> None:
        with self.venv:
            before = (self.venv.path / 'stamp').stat().st_mtime_ns
        with virtualenvs.Virtualenv('a', ['pip']) as again:
            self.assertEqual(self.venv.path, again.path)
            self.assertEqual(
                before, (again.path / 'stamp').stat().st_mtime_ns)
            subprocess.check_call([again.bin / 'python', '-c', ''])

    def test_interrupted_build_is_repeated(self) -> None:
        path = self.cache / 'venvs' / self.venv.name
        (path / 'bin').mkdir(parents=True)
        (path / 'bin' / 'python').symlink_to('/bin/false')
        with self.venv:
            subprocess.check_call([self.venv.bin / 'python', '-c', ''])

    def test_failed_build_raises_an_error_with_its_log(self) -> None:
        venv = virtualenvs.Virtualenv('a', ['/no/such/package'])
        error = self.assertRaises(fixtures.VirtualenvFailed, venv.setUp)
        self.assertIn('/no/such/package', str(error))
        self.assertFalse((self.cache / 'venvs' / venv.name / 'stamp').exists())

    def test_builders_wait_for_each_other(self) -> None:
        venvs = paths.below('venvs')
        code = ('from nova_image.tests.fixtures import virtualenvs\n'
                'with virtualenvs.Virtualenv("a", ["pip"]): pass')
        with open(venvs / (self.venv.name + '.lock'), 'w') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            other = subprocess.Popen([sys.executable, '-c', code], cwd=_ROOT)
            self.addCleanup(other.kill)
            self.assertRaises(subprocess.TimeoutExpired, other.wait, 1)
            self.assertFalse((venvs / self.venv.name).exists())
        self.assertEqual(0, other.wait(60))
        self.assertTrue((venvs / self.venv.name / 'stamp').exists())
