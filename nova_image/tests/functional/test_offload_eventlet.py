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

"""Checks beside transfers, on real eventlet and on both Pythons."""

import json
import pathlib
import subprocess
import typing

import testtools

from nova_image.tests.fixtures import legacy
from nova_image.tests.fixtures import nova_virtualenv
from nova_image.tests.fixtures import processes
from nova_image.tests.fixtures import virtualenvs

_CLONE = pathlib.Path(__file__).resolve().parents[3]
_PROGRAM = (_CLONE / 'nova_image' / 'tests' / 'fixtures' / 'inside'
            / 'eventlet_offload.py')
# What the code under test imports, as in Nova 15.
_OLD = 'eventlet==0.33.3', 'oslo.log==3.45.2', 'oslo.utils==3.42.1'
_BEHIND = 4
_NAME = ['nova_image check']


class EventletTest(testtools.TestCase):
    """Python 3, with the eventlet of Nova 34."""

    def setUp(self) -> None:
        """Build the virtualenv."""
        super().setUp()
        self._python = self.virtualenv().bin / 'python'

    def virtualenv(self) -> virtualenvs.Virtualenv:
        """Return the virtualenv with eventlet."""
        return self.useFixture(nova_virtualenv.nova())

    def _run(self, name: str) -> dict[str, typing.Any]:
        done = subprocess.run(
            [self._python, '-W', 'ignore', _PROGRAM, name], cwd=_CLONE,
            env=processes.clean_environment({'PYTHONPATH': str(_CLONE)}),
            capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        return json.loads(done.stdout)

    def test_hub_runs_while_a_greenthread_waits(self) -> None:
        self.assertEqual(
            {'eventlet': True, 'behind': _BEHIND, 'threads': _NAME,
             'left': [], 'right': True}, self._run('waits'))

    def test_killed_greenthread_leaves_no_thread(self) -> None:
        self.assertEqual(
            {'error': 'GreenletExit', 'behind': _BEHIND, 'left': [],
             'works': 2}, self._run('killed'))

    def test_error_of_the_check_reaches_the_greenthread(self) -> None:
        self.assertEqual({'error': 'ZeroDivisionError', 'left': []},
                         self._run('fails'))

    def test_long_calls_leave_the_threads_of_eventlet_to_the_host(self
                                                                  ) -> None:
        self.assertEqual({'other': 2, 'results': True, 'closed': True},
                         self._run('long_calls'))

    def test_native_thread_feeds_a_check(self) -> None:
        self.assertEqual({'size': True, 'left': [], 'right': True},
                         self._run('copies'))


class OldEventletTest(EventletTest):
    """Python 2.7, with the last eventlet that runs on it."""

    def virtualenv(self) -> virtualenvs.Virtualenv:
        """Return the virtualenv with eventlet."""
        return self.useFixture(virtualenvs.Virtualenv(
            'eventlet', _OLD, legacy.require_python27()))
