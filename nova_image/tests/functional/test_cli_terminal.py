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

"""nova-image in a real terminal, and the example in the README."""

import collections.abc
import pathlib
import re
import signal

from nova_image.cmd import codes
from nova_image.tests import fixtures
from nova_image.tests.fixtures import faults
from nova_image.tests.functional import cli_case

_README = pathlib.Path(__file__).parents[3] / 'README.rst'
_MIB = 1024 ** 2
#: parts of the output that differ in each run
_UUID = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
_BAR = re.compile(r'\|[^|]*\| *([\d.]+[MG]/[\d.]+[MG]) \[.*\]')


def story() -> collections.abc.Iterator[tuple[str, str]]:
    """Yield the commands in the README, each with its output."""
    text = _README.read_text().partition(
        'Using the command line')[2].partition('\nWith ``')[0]
    lines = [line[4:] for line in text.splitlines()
             if line.startswith('    ')]
    blocks = '\n'.join(lines).replace('\\\n', '').split('$ nova-image ')[1:]
    for block in blocks:
        command, _, output = block.partition('\n')
        yield command, output.strip()


def shown(text: str) -> str:
    """Return the text of a terminal as the README shows it.

    A progress bar overwrites itself. Only its last state remains, without the
    speed.
    """
    lines = [line.rpartition('\r')[2].rstrip()
             for line in text.replace('\r\r\n', '\n').split('\n')]
    text = '\n'.join(line for line in lines if line)
    text = _BAR.sub(r'|...| \1 [...]', text)
    return _UUID.sub('71c675ab-d94f-49cd-a114-e12490b328d9', text).strip()


class StoryTest(cli_case.OnKeystone):
    """The example in the README."""

    def test_commands_and_output(self) -> None:
        self.write('cirros.img', 20 * _MIB)
        told = list(story())
        self.assertEqual(
            ['create-via-import', 'save', 'delete', 'show'],
            [command.split()[0] for command, _ in told])
        for command, output in told:
            _, text = self.end_of(self.terminal(*command.split()))
            self.assertEqual(shown(output), shown(text), command)
        self.assertEqual((self.folder / 'cirros.img').read_bytes(),
                         (self.folder / 'copy.img').read_bytes())


class TerminalTest(cli_case.OnKeystone):
    """The behaviour on a terminal."""

    def setUp(self) -> None:
        """Create an image."""
        super().setUp()
        self.write('disk', 8 * _MIB)
        self.image = self.create('disk', '--file', 'disk', *cli_case.RAW)

    def test_progress(self) -> None:
        child = self.terminal('save', 'disk', '--file', 'copy')
        child.expect('copy: 100%.*8.00M/8.00M')
        self.assertEqual(0, self.end_of(child)[0])
        child = self.terminal('create', 'b', '--file', 'disk', *cli_case.RAW)
        child.expect('disk: .*8.00M')
        child = self.terminal('save', 'disk', '--file', 'copy', '--quiet')
        self.assertEqual((0, ''), self.end_of(child))

    def test_no_data_on_a_terminal(self) -> None:
        for argv in (('save', 'disk'), ('create', 'x', '--file', '-')):
            code, text = self.end_of(self.terminal(*argv))
            self.assertEqual(codes.USAGE, code)
            self.assertIn('terminal', text)

    def test_ctrl_c(self) -> None:
        proxy = self.useFixture(fixtures.FaultyProxy(self.glance.url))
        proxy.plan(faults.Stall(4 * _MIB), method='GET')
        self.variables['OS_IMAGE_ENDPOINT_OVERRIDE'] = proxy.url
        child = self.terminal('save', 'disk', '--file', 'copy')
        child.expect('copy: ')
        self.wait_for(lambda: any(
            part.stat().st_size >= 2 * _MIB
            for part in self.folder.glob('.copy.*.part')), 'a MiB there')
        child.sendintr()
        code, text = self.end_of(child)
        self.assertEqual(codes.INTERRUPTED, code)
        self.assertIn('MiB of copy. Run the same command to resume',
                      text)
        self.assertNotIn('Traceback', text)

    def test_no_credentials(self) -> None:
        for name in [name for name in self.variables
                     if name.startswith('OS_')]:
            del self.variables[name]
        code, text = self.end_of(self.terminal('list'))
        self.assertEqual(codes.USAGE, code)
        self.assertIn('lack OS_AUTH_URL', text)

    def test_password_prompt(self) -> None:
        password = self.variables.pop('OS_PASSWORD')
        child = self.terminal('list', '-f', 'value', '-c', 'name')
        child.expect('assword: ')
        child.waitnoecho()
        child.sendline(password)
        code, text = self.end_of(child)
        self.assertEqual((0, 'disk'), (code, text.strip()))


class SignalsTest(cli_case.OnKeystone):
    """Signals from a terminal."""

    def test_sighup_leaves_no_image(self) -> None:
        child = self.terminal('create', 'half', '--file', '/dev/zero',
                              *cli_case.RAW)
        self.wait_for(lambda: any(image['status'] == 'saving'
                                  for image in self.raw.images()), 'sent')
        child.kill(signal.SIGHUP)
        code, text = self.end_of(child)
        self.assertEqual(128 + signal.SIGHUP, code)
        self.assertIn('the new image was deleted', text)
        self.assertEqual([], self.raw.images())
