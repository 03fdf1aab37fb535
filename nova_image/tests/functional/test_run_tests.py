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

"""The command line of run_tests.sh, and the packages that bindep.txt names.

The script runs in a folder with a Python that records how stestr is called
and prints a summary like stestr's.
"""

import pathlib
import re
import shutil
import subprocess
import sys

import fixtures as lib_fixtures
import testtools

from nova_image.tests.fixtures import ceph
from nova_image.tests.fixtures import cloud
from nova_image.tests.fixtures import etcd
from nova_image.tests.fixtures import mariadb
from nova_image.tests.fixtures import prometheus
from nova_image.tests.fixtures import redis
from nova_image.tests.functional import test_cli_completion

_ROOT = pathlib.Path(__file__).resolve().parents[3]

_VENV = '''
CACHE=$PWD/cache
make_venv() { mkdir -p "$CACHE"; PYTHON=$PWD/python; }
'''
_PYTHON = '''#!/bin/sh
if [ "$1" = -c ]; then
    exec %s "$@"
fi
echo "$@" >>calls
case " $* " in
    *' run '*) cat summary; exit "$(cat status)" ;;
    *' tools.unit_venv '*) echo ./python ;;
esac
'''
_SUMMARY = '''
 - Passed: %d
 - Skipped: 1
 - Unexpected Success: 0
 - Failed: %d
'''


_FAILED = '''
==============================
Failed 2 tests - output below:
==============================

tests.test_one.OneTest.test_it
------------------------------

Captured traceback:
~~~~~~~~~~~~~~~~~~~
    Traceback (most recent call last):
      File "test_one.py", line 7, in test_it
    self.assertEqual(1, 2)
    MismatchError: 1 != 2


Captured log:
~~~~~~~~~~~~~
    DEBUG of no interest


tests.test_two.TwoTest.test_it
------------------------------

Captured traceback:
~~~~~~~~~~~~~~~~~~~
    Traceback (most recent call last):
    ValueError: two


======
Totals
======
'''


class _Case(testtools.TestCase):
    """A test with run_tests.sh in a folder of its own."""

    def setUp(self) -> None:
        """Make the folder."""
        super().setUp()
        self.folder = pathlib.Path(
            self.useFixture(lib_fixtures.TempDir()).path)
        (self.folder / 'tools').mkdir()
        (self.folder / 'tools' / 'venv.sh').write_text(_VENV)
        shutil.copy(_ROOT / 'run_tests.sh', self.folder)
        shutil.copy(_ROOT / 'tools' / 'failed_tests.awk',
                    self.folder / 'tools')
        python = self.folder / 'python'
        python.write_text(_PYTHON % sys.executable)
        python.chmod(0o755)
        self.stestr_prints(_SUMMARY % (2, 0))

    def stestr_prints(self, text: str, status: int = 0) -> None:
        """Set the output and the exit code of stestr."""
        (self.folder / 'summary').write_text(text)
        (self.folder / 'status').write_text('%d' % status)

    def run_script(self, *argv: str) -> 'subprocess.CompletedProcess[str]':
        """Run the script with these arguments."""
        return subprocess.run(
            ['./run_tests.sh', *argv], cwd=self.folder, timeout=60, text=True,
            stdin=subprocess.DEVNULL, capture_output=True)

    def stestr_calls(self) -> list[str]:
        """Return the arguments of each "stestr run", after the "run"."""
        calls = (self.folder / 'calls').read_text().splitlines()
        return [call.partition(' run ')[2] for call in calls
                if ' run ' in call]


class MisuseTest(_Case):
    """Wrong command lines: one line that explains, and exit code 2."""

    def test_it_is_refused(self) -> None:
        for reason, argv in (
                ('Unknown kind of tests: nonsense.', ['unit', 'nonsense']),
                ('Unknown option: --nonsense.', ['unit', '--nonsense']),
                ('A filter must follow --.', ['unit', '--']),
                ('Options and filters require a kind', ['--', 'test_x']),
                ('Options and filters require a kind', ['--failing']),
                ('do not apply to style.', ['style', '--slowest']),
                ('do not apply to drill.', ['unit', 'drill', '--', 'test_x']),
                ('Not a regular expression: [.', ['unit', '--', '['])):
            done = self.run_script(*argv)
            self.assertEqual(2, done.returncode, argv)
            self.assertEqual('', done.stdout, argv)
            self.assertIn(reason, done.stderr, argv)
            self.assertEqual(1, done.stderr.count('\n'), done.stderr)

    def test_no_test_runs(self) -> None:
        self.run_script('unit', 'nonsense')
        self.assertFalse((self.folder / 'calls').exists())


class OptionsTest(_Case):
    """Options, filters, and the summary."""

    def _last_line(self, *argv: str, status: int = 0) -> str:
        done = self.run_script(*argv)
        self.assertEqual(status, done.returncode, done.stderr)
        return done.stdout.splitlines()[-1]

    def test_help_names_every_kind(self) -> None:
        done = self.run_script('unit', '--help')
        self.assertEqual((0, ''), (done.returncode, done.stderr))
        for kind in ('style', 'unit', 'py27', 'pythons', 'functional',
                     'drill', 'lowest', 'gate', 'legacy', 'chaos', 'cover'):
            self.assertRegex(done.stdout, r'(?m)^  %s +\w' % kind)

    def test_options_and_filters_reach_stestr(self) -> None:
        self._last_line('--slowest', 'unit', '--failing', '--', 'test_x', '-v')
        self.assertEqual(['--concurrency 2 --slowest --failing test_x -v'],
                         self.stestr_calls())

    def test_filters_apply_to_each_kind(self) -> None:
        line = self._last_line('unit', 'legacy', '--', 'test_x')
        self.assertEqual('4 passed, 0 failed, 2 skipped', line)
        self.assertEqual(['--concurrency 2 test_x', '--concurrency 1 test_x'],
                         self.stestr_calls())

    def test_without_options(self) -> None:
        self.assertEqual('2 passed, 0 failed, 1 skipped',
                         self._last_line('unit'))
        self.assertEqual(['--concurrency 2'], self.stestr_calls())

    def test_other_pythons(self) -> None:
        own = '%d.%d' % sys.version_info[:2]
        for name, runs in (('3.98 3.99', 2), ('3.98', 1), (own, 0)):
            (self.folder / 'calls').unlink(missing_ok=True)
            self.useFixture(lib_fixtures.EnvironmentVariable(
                'NOVA_IMAGE_PYTHONS', name))
            done = self.run_script('pythons', 'unit')
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertEqual(1 + runs, len(self.stestr_calls()))
            self.assertEqual(runs == 0, 'the kind "unit" runs' in done.stdout)

    def test_missing_python_is_skipped_loudly(self) -> None:
        python = self.folder / 'python'
        python.write_text(python.read_text().replace(
            'case', '[ "$3" != --check ] || exit 1\ncase', 1))
        self.useFixture(lib_fixtures.EnvironmentVariable(
            'NOVA_IMAGE_PYTHONS', '3.98 3.99'))
        done = self.run_script('py27', 'pythons', 'unit')
        for version in '2.7', '3.98', '3.99':
            self.assertIn(
                'SKIPPED the unit tests on Python %s: there is no python%s'
                % (version, version), done.stdout)
        self.assertTrue(done.stdout.endswith(
            '\n2 passed, 0 failed, 4 skipped\n'), done.stdout)

    def test_failure(self) -> None:
        self.stestr_prints(_SUMMARY % (1, 1), 1)
        self.assertEqual('1 passed, 1 failed, 1 skipped',
                         self._last_line('unit', status=1))

    def test_failures_are_listed_at_the_end(self) -> None:
        self.stestr_prints(_FAILED + _SUMMARY % (1, 2), 1)
        done = self.run_script('unit')
        end = done.stdout.rpartition('\nFailed:\n')[2].splitlines()
        self.assertEqual([
            '  unit:', '      tests.test_one.OneTest.test_it',
            'Traceback (most recent call last):',
            'File "test_one.py", line 7, in test_it',
            'self.assertEqual(1, 2)', 'MismatchError: 1 != 2',
            'tests.test_two.TwoTest.test_it',
            'Traceback (most recent call last):', 'ValueError: two', '',
            '1 passed, 2 failed, 1 skipped'],
            end[:2] + [line.strip() for line in end[2:]])

    def test_failed_check_is_listed_with_its_output(self) -> None:
        drill = self.folder / 'tools' / 'removal_drill.sh'
        drill.write_text('#!/bin/sh\necho it imports v1\nexit 1\n')
        drill.chmod(0o755)
        done = self.run_script('drill')
        self.assertEqual(
            '  removal of the v1 driver:\n      it imports v1\n\n'
            '0 passed, 1 failed, 0 skipped\n',
            done.stdout.rpartition('\nFailed:\n')[2])

    def test_failure_of_stestr_itself(self) -> None:
        self.stestr_prints('Traceback', 1)
        self.assertEqual('0 passed, 1 failed, 0 skipped',
                         self._last_line('unit', status=1))

    def test_filter_that_matches_no_test(self) -> None:
        self.stestr_prints("The specified regex doesn't match with anything",
                           1)
        done = self.run_script('unit', '--', 'test_x')
        self.assertEqual(1, done.returncode)
        self.assertTrue(done.stdout.endswith(
            'No test of unit to run: test_x\n\n'
            '0 passed, 0 failed, 0 skipped\n'), done.stdout)


class BindepTest(testtools.TestCase):
    """bindep.txt has the packages that the tests install."""

    def _packages(self, profile: str) -> set[str]:
        lines = (_ROOT / 'bindep.txt').read_text().splitlines()
        found = [re.fullmatch(r'(\S+) \[(.*)\]', line) for line in lines]
        return {match[1] for match in found
                if match and profile in match[2].split()}

    def test_ceph(self) -> None:
        self.assertEqual({*ceph.PACKAGES, *ceph.MANAGER_PACKAGES},
                         self._packages('ceph'))

    def test_shells(self) -> None:
        self.assertEqual(set(), {*test_cli_completion.PACKAGES} -
                         self._packages('test'))

    def test_workers(self) -> None:
        self.assertEqual(
            {*etcd.PACKAGES, *mariadb.PACKAGES, *redis.PACKAGES},
            self._packages('workers'))

    def test_gate(self) -> None:
        self.assertEqual(
            {*cloud.PACKAGES, *cloud.CEPH_PACKAGES, *prometheus.PACKAGES},
            self._packages('gate'))
