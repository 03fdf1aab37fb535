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

"""Base classes that run the command line against real servers."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import typing

import pexpect

from nova_image.tests.fixtures import keystone as keystone_fixture
from nova_image.tests.fixtures import processes
from nova_image.tests.functional import base
from nova_image.tests.functional import servers

PROGRAM = pathlib.Path(sys.executable).with_name('nova-image')
RAW = ('--disk-format', 'raw', '--container-format', 'bare')
#: timeout of one command in seconds
_DEADLINE = 120


@dataclasses.dataclass
class Done:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str


class CommandLineTest(base.FunctionalTest):
    """A test that runs commands in a new folder and with a new home.

    :cvar program: the program, and its first arguments
    :ivar folder: pathlib.Path of that folder
    :ivar variables: additional environment variables
    """

    program: tuple[str | pathlib.Path, ...] = (PROGRAM,)

    def setUp(self) -> None:
        """Make the folder and the home."""
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(base.folder()).path)
        self.home = self.useFixture(base.folder()).path
        self.variables: dict[str, str] = {}

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the commands."""
        kept = {name: os.environ[name] for name in ('PYTHONPATH',)
                if name in os.environ}
        return processes.clean_environment({
            'HOME': self.home, 'XDG_CONFIG_HOME': self.home,
            'LC_ALL': 'C.UTF-8', 'COLUMNS': '100', **kept,
            **self.variables})

    def start(self, *argv: str, **options: typing.Any
              ) -> 'subprocess.Popen[bytes]':
        """Start a command.

        :param options: for subprocess.Popen
        """
        process = subprocess.Popen(
            [*self.program, *argv], cwd=self.folder, env=self.environment,
            **{'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE,
               'stderr': subprocess.PIPE, **options})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def finish(self, process: 'subprocess.Popen[bytes]',
               data: bytes | None = None) -> Done:
        """Wait for a command to end.

        :param data: for its standard input
        """
        out, err = process.communicate(data, timeout=_DEADLINE)
        done = Done(process.returncode, out.decode(errors='replace'),
                    err.decode())
        self.assertNoSecrets(done.err, 'the standard error')
        return done

    def run_it(self, *argv: str, code: int = 0,
               data: bytes | None = None) -> Done:
        """Run a command and check its exit code.

        :param data: for its standard input
        """
        stdin = subprocess.DEVNULL if data is None else subprocess.PIPE
        done = self.finish(self.start(*argv, stdin=stdin), data)
        self.assertEqual(code, done.code, '%s: %s' % (
            ' '.join(argv), done.err))
        return done

    def json(self, *argv: str) -> typing.Any:
        """Run a command and return its output, parsed from JSON."""
        return json.loads(self.run_it(*argv, '-f', 'json').out)

    def error(self, code: int, *argv: str) -> str:
        """Run a command that fails with one line, and return the line."""
        done = self.run_it(*argv, code=code)
        self.assertEqual('', done.out)
        self.assertEqual(1, done.err.count('\n'), done.err)
        return done.err

    def terminal(self, *argv: str, **options: typing.Any) -> pexpect.spawn:
        """Start a command in a terminal.

        :param options: for pexpect.spawn
        """
        child = pexpect.spawn(
            str(PROGRAM), list(argv), env=self.environment,
            cwd=str(self.folder), encoding='utf-8', timeout=_DEADLINE,
            **{'dimensions': (40, 100), **options})
        self.addCleanup(child.close, force=True)
        return child

    def end_of(self, child: pexpect.spawn) -> tuple[int, str]:
        """Wait for a terminal's command; return its exit code and text."""
        child.expect(pexpect.EOF)
        text = child.before
        child.close()
        return child.exitstatus, text.replace('\r\n', '\n')

    def write(self, name: str, size: int) -> bytes:
        """Write a file of random bytes to the folder; return the bytes."""
        data = os.urandom(size)
        (self.folder / name).write_bytes(data)
        return data

    def create(self, name: str, *argv: str) -> str:
        """Create an image and return its ID."""
        return self.run_it('create', name, *argv, '-f', 'value',
                           '-c', 'id').out.strip()


class OnKeystone(CommandLineTest):
    """A test as a user of a cloud with Keystone 30 and Glance 33."""

    def setUp(self) -> None:
        """Use the credentials of the user demo."""
        super().setUp()
        self.glance = servers.secured_glance()
        self.become('demo')
        self.raw = servers.RawGlance(self.glance.url, {
            'X-Auth-Token': servers.token_of('admin')})
        self.addCleanup(self.raw.wipe)

    def become(self, user: str) -> None:
        """Use the credentials of another user."""
        options = servers.keystone().auth_options(user)
        self.variables = {'OS_' + name.upper(): value
                          for name, value in options.items()}
        self.variables['OS_REGION_NAME'] = keystone_fixture.REGION
