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

"""The quickstart and the example for Keystone, run from their pages.

One shell runs all commands of the quickstart, as a reader's does, on a real
Keystone and Glance. Only the installation is replaced: test_packaging proves
that the package can be installed, which takes a minute.
"""

import json
import pathlib
import re
import stat
import subprocess
import sys
import textwrap

import yaml

from nova_image.tests.functional import cli_case
from nova_image.tests.functional import servers

_TOP = pathlib.Path(__file__).resolve().parents[3]
_PAGES = _TOP / 'doc' / 'source'
_UUID = re.compile('[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
_DEADLINE = 120  # seconds
_END = 'the end of a command: '
#: what the stand-ins do
_GIT = 'mkdir nova-image'
_PYTHON = '''
mkdir -p "$3/bin"
printf 'PATH=%%s/%%s/bin:$PATH\\n' "$PWD" "$3" >"$3/bin/activate"
printf '#!/bin/sh\\nprintf %%%%s "$3" >pip.log\\nln -s %s "%%s/bin"\\n' "$3" \\
    >"$3/bin/pip"
chmod +x "$3/bin/pip"'''


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a page, without their options."""
    found = re.findall(
        r'^\.\. code-block:: %s\n(?:   :.*\n)*\n((?:   .*\n|\n)+)' % language,
        (_PAGES / page).read_text(), re.MULTILINE)
    return [textwrap.dedent(block).strip('\n') + '\n' for block in found]


def examples(page: str) -> list[tuple[str, str]]:
    """Return the commands of a page, each with its output."""
    found = []
    for block in blocks(page, 'console'):
        for example in re.split(r'^\$ ', block, flags=re.MULTILINE)[1:]:
            lines = re.match(r'(?:.*\\\n)*.*\n', example)
            assert lines
            found.append((lines[0], example[lines.end():]))
    return found


class QuickstartTest(cli_case.OnKeystone):
    """doc/source/quickstart.rst"""

    def setUp(self) -> None:
        """Make the file with the credentials, and the stand-ins."""
        super().setUp()
        text, = blocks('quickstart.rst', 'yaml')
        clouds = yaml.safe_load(text)
        options = servers.keystone().auth_options('demo')
        auth = clouds['clouds']['mycloud']['auth']
        self.assertEqual({*options}, {*auth})
        auth.update(options)
        (self.folder / 'clouds.yaml').write_text(json.dumps(clouds))
        self.variables = {}
        self.stand_in('git', _GIT)
        self.stand_in('python3', _PYTHON % cli_case.PROGRAM)

    def stand_in(self, name: str, script: str) -> None:
        """Make a program that comes first on the PATH."""
        folder = self.folder / 'stand-ins'
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text('#!/bin/sh -e\n%s\n' % script)
        path.chmod(stat.S_IRWXU)
        self.variables['PATH'] = '%s:/usr/bin:/bin' % folder

    def test_commands(self) -> None:
        found = examples('quickstart.rst')
        self.assertGreater(len(found), 10)
        script = ''.join('%sprintf "%s%%d\\n" $?\n' % (command, _END)
                         for command, _ in found)
        done = subprocess.run(
            ['bash', '-c', 'exec 2>&1\n' + script], cwd=self.folder,
            env=self.environment, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, timeout=_DEADLINE, check=False)
        outputs = re.split(_END + r'(\d+)\n', done.stdout)
        codes = dict(zip((command for command, _ in found), outputs[1::2],
                         strict=True))
        last, _ = found[-1]
        self.assertNotEqual('0', codes.pop(last))
        self.assertEqual({'0'}, {*codes.values()}, done.stdout)
        for (command, expected), output in zip(
                found, outputs[::2], strict=False):
            self.assertEqual(_UUID.sub('ID', expected),
                             _UUID.sub('ID', output), command)
        self.assertEqual([], self.raw.images())

    def test_nova_conf(self) -> None:
        """The section for Nova is that of the page about Nova."""
        text, = blocks('quickstart.rst', 'ini')
        page = (_PAGES / 'operator' / 'nova.rst').read_text()
        self.assertIn(textwrap.indent(text, '      '), page)


class UserTokenTest(cli_case.OnKeystone):
    """The example for Keystone in doc/source/user/index.rst"""

    def test_example(self) -> None:
        script, = (text for text in blocks('user/index.rst', 'python')
                   if 'keystoneauth1' in text)
        self.create('mine', '--file', '/dev/null', *cli_case.RAW)
        done = subprocess.run(
            [sys.executable, '-c', script], cwd=self.folder,
            env=self.environment, text=True, capture_output=True,
            timeout=_DEADLINE, check=False)
        self.assertEqual((0, 'mine active\n'), (done.returncode, done.stdout),
                         done.stderr)
