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

"""A separate process that makes transfers, for the tests of transfers."""

import contextlib
import json
import pathlib
import subprocess
import sys

import fixtures as lib_fixtures

from nova_image.tests.fixtures import processes
from nova_image.tests.functional import transfer_client

_CLONE = pathlib.Path(__file__).resolve().parents[3]


class Client(lib_fixtures.Fixture):
    """A separate process that makes transfers.

    :ivar process: the subprocess.Popen
    """

    def __init__(self, python: str | pathlib.Path = sys.executable,
                 *args: str) -> None:
        """Create the fixture.

        :param python: an interpreter that has nova_image
        :param args: arguments of the program
        """
        super().__init__()
        self._command = [str(python), '-W', 'ignore', '-m',
                         transfer_client.__name__, *args]

    def _setUp(self) -> None:
        self.process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, cwd=_CLONE,
            env=processes.clean_environment())
        self.addCleanup(self._end)

    def _end(self) -> None:
        self.process.kill()
        with contextlib.suppress(BrokenPipeError):  # it never read an order
            self.process.communicate()

    def send(self, order: transfer_client.Order) -> None:
        """Send an order, without waiting."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + '\n')
        self.process.stdin.flush()

    def perform(self, order: transfer_client.Order) -> transfer_client.Report:
        """Send an order and return its report."""
        self.send(order)
        return self.report()

    def report(self) -> transfer_client.Report:
        """Return the report on the order that was sent."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())
