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

"""Base classes that run ``openstack`` with the transfers of nova_image.

The real openstackclient runs in a virtualenv with the extra ``osc``, on a real
Keystone and a real Glance.
"""

import dataclasses
import json
import os
import pathlib
import subprocess
import typing

from nova_image.tests import fixtures
from nova_image.tests.fixtures import faults
from nova_image.tests.fixtures import virtualenvs
from nova_image.tests.functional import cli_case

VARIABLE = 'OS_NOVA_IMAGE_TRANSFERS'
ON, OFF = {VARIABLE: '1'}, {VARIABLE: '0'}
# Most of the time of a command is that of its imports, so that several
# commands share them.
_SEVERAL = '''
import json, os, sys
from openstackclient import shell
for number, (changes, argv) in enumerate(json.loads(sys.argv[1])):
    child = os.fork()
    if not child:
        os.environ.update(changes)
        for stream, name in (1, 'out'), (2, 'err'):
            os.dup2(os.open('../%d.%s' % (number, name),
                            os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
        sys.exit(shell.main(argv))
    status = os.waitpid(child, 0)[1]
    print(os.waitstatus_to_exitcode(status), flush=True)
'''


@dataclasses.dataclass
class Command:
    """The arguments of ``openstack``.

    :ivar argv: the arguments
    :ivar variables: the environment variables that differ
    """

    argv: tuple[str, ...]
    variables: dict[str, str]


def openstack(*argv: str, **variables: str) -> Command:
    """Return a command with our transfers, unless ``variables`` differ."""
    return Command(argv, ON | variables)


class OpenStackTest(cli_case.OnKeystone):
    """A test that runs ``openstack`` as the user demo."""

    def setUp(self) -> None:
        """Choose our transfers."""
        super().setUp()
        self._venv = self.useFixture(virtualenvs.programs())
        self.folder /= 'current'  # outputs are beside it
        self.folder.mkdir()
        self.variables |= ON

    @property
    def environment(self) -> dict[str, str]:
        """The environment; the virtualenv has this clone already."""
        return {name: value for name, value in super().environment.items()
                if name != 'PYTHONPATH'} | self._venv.bytecode

    def start(self, *argv: str, **options: typing.Any
              ) -> 'subprocess.Popen[bytes]':
        """Start ``openstack``.

        :param options: for subprocess.Popen
        """
        return self._start(self._venv.bin / 'openstack', *argv, **options)

    def _start(self, *argv: str | pathlib.Path, **options: typing.Any
               ) -> 'subprocess.Popen[bytes]':
        process = subprocess.Popen(
            argv, cwd=self.folder, env=self.environment,
            **{'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE,
               'stderr': subprocess.PIPE, **options})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def run_all(self, *commands: Command) -> list[cli_case.Done]:
        """Run several commands, in turn."""
        codes = self.finish(self._start(
            self._venv.bin / 'python', '-c', _SEVERAL,
            json.dumps([(one.variables, one.argv) for one in commands])))
        self.assertEqual((0, ''), (codes.code, codes.err))
        found = []
        for number, code in enumerate(codes.out.split()):
            out, err = ((self.folder.parent / ('%d.%s' % (number, name)))
                        .read_text(errors='surrogateescape')
                        for name in ('out', 'err'))
            self.assertNoSecrets(err, 'the standard error')
            found.append(cli_case.Done(int(code), out, err))
        return found

    def through(self, *planned: faults.Fault, method: str
                ) -> fixtures.FaultyProxy:
        """Use a network with faults."""
        proxy = self.useFixture(fixtures.FaultyProxy(self.glance.url))
        proxy.plan(*planned, method=method)
        self.variables['OS_IMAGE_ENDPOINT_OVERRIDE'] = proxy.url
        return proxy

    def assertFiles(self, **expected: bytes) -> None:
        """Check the names and contents of the files in the folder."""
        self.assertEqual(sorted(expected), sorted(os.listdir(self.folder)))
        for name, content in expected.items():
            self.assertSame(content, (self.folder / name).read_bytes())

    def assertData(self, expected: bytes, image_id: str) -> None:
        """Check the data of an image."""
        self.assertSame(expected, self.raw.data(image_id))

    def assertSame(self, expected: bytes, found: bytes) -> None:
        """Compare data; do not show megabytes that differ."""
        if expected != found:
            self.fail('%d bytes differ from the %d expected ones' % (
                len(found), len(expected)))
