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

"""The guide to the migration from v1, run from its page. Removed with v1.

The commands are those of the page. Only the paths of logs and configurations
are changed: they are below the test's folder.
"""

import configparser
import dataclasses
import doctest
import itertools
import json
import pathlib
import re
import sys

from nova_image.tests import fixtures
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import servers

_PAGE = (pathlib.Path(__file__).parents[3] / 'doc' / 'source' / 'operator' /
         'migrating.rst')
_BACK = '**Way back:**'
_BLOCK = re.compile(r' *\.\. code-block:: (console|ini)$')
_CAPTION = re.compile(r':caption: (\S+)\n')
_PATHS = ('/etc/glance/', '/etc/nova/', '/var/log/glance/')
_GLANCE = '/etc/glance/glance-api.conf'
_UNDO = 'before-v2.json'
_OWNER = '5b5bd14bd5054a53ae8b26cd1b4a3d25'
_PARTNER = 'bb4e2f1c3f0a4b7f9d1c5a1f9e2d7c60'
_SHOP = '8d2e4b71-5c60-4f8a-b9e2-17a6c3d4e004'
#: name -> ID, and headers of v1; the oldest image first
_IMAGES = {
    'jammy': ('6a3f0c9d-2b57-4e0f-a1c3-94d7e8b5f003', {
        'x-image-meta-is_public': 'True'}),
    'shop': (_SHOP, {}),
    'report': ('0e1c2a5f-7b0c-4a0d-9d55-3f2f5d9a9c01', {
        'x-image-meta-property-tags': 'production'})}
#: beginning of a command -> its exit code, if it is not 0
_CODES = {
    (1, 'nova-image-status upgrade clients'): 1,
    (2, 'nova-image-status upgrade check'): 2,
    (8, 'nova-image --os-image-api-version 1 list'): 9,
    (8, 'nova-image-status upgrade clients'): 1}
_FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_RUN = '''\
#!%s
import sys
from nova_image.cmd import main
sys.exit(main.%s())
'''


@dataclasses.dataclass(frozen=True)
class Block:
    """A block of the page.

    :ivar step: number of the step, 0 for the beginning
    :ivar back: whether it is a way back
    :ivar path: the file that it belongs to; empty for commands
    :ivar text: the block, without its indentation
    """

    step: int
    back: bool
    path: str
    text: str


def blocks() -> list[Block]:
    """Return the blocks of the page."""
    found, step, back = [], 0, False
    lines = _PAGE.read_text().splitlines()
    for number, line in enumerate(lines):
        begins = re.match('Step ([1-8]): ', line)
        if begins:
            step, back = int(begins[1]), False
        back = back or line.startswith(_BACK)
        if _BLOCK.match(line):
            path, text = indented(lines[number:])
            found.append(Block(step, back, path, text))
    return found


def indented(lines: list[str]) -> tuple[str, str]:
    """Return the caption and the text of a block.

    :param lines: the line that begins it, and all that follow
    """
    margin = len(lines[0]) - len(lines[0].lstrip()) + 3
    text = itertools.takewhile(
        lambda line: not line or line.startswith(' ' * margin), lines[1:])
    block = '\n'.join(line[margin:] for line in text).strip() + '\n'
    caption = _CAPTION.match(block)
    return (caption[1], block[caption.end():].lstrip()) if caption else (
        '', block)


def _changes(block: Block) -> bool:
    """Return whether a block must be followed again after a way back."""
    return bool(block.path) or any(word in block.text for word in (
        '--fix', 'nova-image unset'))


def commands(text: str) -> list[tuple[str, str]]:
    """Return the commands of a block, each with its output."""
    found = []
    for example in re.split(r'^\$ ', text, flags=re.MULTILINE)[1:]:
        command, _, output = example.partition('\n')
        found.append((command, output))
    return found


class MigrationTest(cli_case.CommandLineTest):
    """A cloud that begins with a Glance 15 that serves only v1."""

    def setUp(self) -> None:
        """Start Glance, and make the programs and the files of the page."""
        super().setUp()
        self.glance = self.useFixture(fixtures.LegacyGlance(apis=('v1',)))
        self.mark = 0
        for path in _PATHS:
            (self.folder / path[1:]).mkdir(parents=True)
        programs = self.folder / 'bin'
        programs.mkdir()
        for name, function in (('nova-image', 'main'),
                               ('nova-image-status', 'status')):
            (programs / name).write_text(_RUN % (sys.executable, function))
            (programs / name).chmod(0o755)
        clouds = pathlib.Path(self.home) / 'openstack' / 'clouds.yaml'
        clouds.parent.mkdir()
        clouds.write_text(json.dumps({'clouds': {'mycloud': {
            'image_api_version': 1, 'auth_type': 'none', 'auth': {
                'endpoint': self.glance.url, 'user_id': 'an-admin',
                'project_id': 'the-admins'}}}}))
        self.variables = {'COLUMNS': '80', 'PATH': '%s:/usr/bin:/bin' % (
            programs)}
        self.program = ('bash', '-c')
        self.raw = servers.RawGlance(
            self.glance.url, servers.headers_of(_OWNER, 'admin'))
        for name, (image_id, headers) in _IMAGES.items():
            headers = headers | {
                'x-image-meta-id': image_id, 'x-image-meta-name': name,
                'x-image-meta-disk_format': 'raw',
                'x-image-meta-container_format': 'bare',
                'Content-Type': 'application/octet-stream'}
            self.raw.ask('POST', '/v1/images', 201, data=bytes(20000),
                         headers=headers)
        self.raw.ask('PUT', '/v1/images/%s/members/%s' % (_SHOP, _PARTNER),
                     204)

    def test_all_steps(self) -> None:
        found = blocks()
        self.assertEqual({*range(9)}, {one.step for one in found})
        for step in range(9):
            there = [one for one in found if one.step == step]
            forward = [one for one in there if not one.back]
            back = [one for one in there if one.back]
            for block in forward + back:
                self.follow(block)
            if back and step < 8:
                (self.folder / _UNDO).unlink(missing_ok=True)
                for block in filter(_changes, forward):
                    self.follow(block)
            if step in (1, 6):  # time passes, in which nobody uses v1
                self.mark = len(self.glance.log.read_bytes())
        self.assertEqual(['accepted'], [
            one['status'] for one in self.raw.ask(
                'GET', '/v2/images/%s/members' % _SHOP).json()['members']])

    def follow(self, block: Block) -> None:
        """Do what a block says, and check what it shows."""
        if block.path:
            self.configure(block)
            return
        for command, output in commands(block.text):
            variable = re.fullmatch(r'export (\w+)=(\w+)', command)
            if variable:
                self.variables[variable[1]] = variable[2]
                continue
            self.write_log()
            done = self.run_it(self.here(command) + ' 2>&1',
                               code=self.code_of(block.step, command))
            if not doctest.OutputChecker().check_output(
                    output, done.out, _FLAGS):
                self.fail('%s\nThe page:\n%s\nThe command:\n%s' % (
                    command, output, done.out))

    def here(self, command: str) -> str:
        """Return a command with the paths in the test's folder."""
        for path in _PATHS:
            command = command.replace(path, '%s%s' % (self.folder, path))
        return command

    def code_of(self, step: int, command: str) -> int:
        """Return the exit code of a command."""
        for (number, begin), code in _CODES.items():
            if step == number and command.startswith(begin):
                return code
        return 0

    def configure(self, block: Block) -> None:
        """Change a file, and restart its service if it is Glance."""
        is_glance = block.path == _GLANCE
        path = (self.glance.folder / 'glance-api.conf' if is_glance
                else pathlib.Path(self.here(block.path)))
        config = configparser.RawConfigParser()
        config.read(path)
        config.read_string(block.text)
        with path.open('w') as stream:
            config.write(stream)
        if is_glance:
            self.glance.stop()
            self.glance.start()

    def write_log(self) -> None:
        """Write the log of Glance since the mark."""
        text = self.glance.log.read_bytes()[self.mark:]
        (self.folder / 'var/log/glance/api.log').write_bytes(text)
