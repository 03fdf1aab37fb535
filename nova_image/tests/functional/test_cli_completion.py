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

"""The completion scripts in bash, zsh and fish, in a terminal."""

import os

from nova_image.cmd import codes
from nova_image.tests.fixtures import debian
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import screen

PACKAGES = ('fish', 'zsh')
_READY = 'ready> '
#: shell -> how to start it, and the line that loads a script
_SHELLS = {
    'bash': (['bash', '--norc', '--noprofile'], '. ./script'),
    'zsh': (['zsh', '-f'], 'autoload -Uz compinit; compinit -u -D; '
                           'PS1="ready> "; . ./script'),
    'fish': (['fish', '--no-config'],
             'function fish_prompt; echo -n "ready> "; end; . ./script'),
}
#: what is typed before the tabulator -> what the line is afterwards
_LINES = {
    'nova-image del': 'nova-image delete',
    'nova-image help uns': 'nova-image help unset',
    'nova-image --os-cloud c sho': 'nova-image --os-cloud c show',
    'nova-image --os-reg': 'nova-image --os-region-name',
    'nova-image list --os-reg': 'nova-image list --os-region-name',
    'nova-image create-via-import x --uri y --disk':
        'nova-image create-via-import x --uri y --disk-format',
    'nova-image show cirros --form': 'nova-image show cirros --format',
    'nova-image list -f js': 'nova-image list -f json',
    'nova-image list --format cs': 'nova-image list --format csv',
    'nova-image create x --disk-format qc':
        'nova-image create x --disk-format qcow2',
    'nova-image complete --shell fi': 'nova-image complete --shell fish',
    'nova-image save x --file myd': 'nova-image save x --file mydisk.img',
    'nova-image save x --file fol': 'nova-image save x --file folder/',
    'nova-image save x --file folder/in':
        'nova-image save x --file folder/inner',
    'nova-image save x --file two\\ w':
        'nova-image save x --file two\\ words',
    'nova-image save x --file tw':
        'nova-image save x --file two\\ words',
    'nova-image --os-cacert myd': 'nova-image --os-cacert mydisk.img',
}
#: a help text with what means something to a shell
_NASTY = ('It\'s "quoted" `touch ran` $(touch ran) ${x} \\ [a:b] {c,d} %%s '
          '(e) *! ~ # & | > ran; touch ran\\')
_COMMANDS = '''
from nova_image.cmd import base

class Odd(base.Command):
    """It's "odd" `touch ran` $(touch ran) \\\\ [a:b] > ran\\\\."""

    def add_arguments(self, parser):
        parser.add_argument('--odd', metavar='<it\\'s>[:"`touch ran`$(touch '
                            'ran)],...', help=%r)
        parser.add_argument('what', metavar='<a:b>', help=%r)

    def take_action(self, parsed_args):
        pass
''' % (_NASTY, _NASTY)


class CompletionTest(cli_case.CommandLineTest):
    """The scripts in their shells."""

    def setUp(self) -> None:
        """Make files to complete."""
        super().setUp()
        debian.require(PACKAGES)
        self.variables['PATH'] = '%s:%s' % (
            cli_case.PROGRAM.parent, os.environ['PATH'])
        self.variables['PS1'] = _READY
        for name in ('mydisk.img', 'two words', 'folder/inner'):
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b'')

    def _start(self, shell: str) -> screen.Screen:
        """Start a shell with the script that nova-image prints for it."""
        script = self.run_it('complete', '--shell', shell).out
        (self.folder / 'script').write_text(script)
        argv, line = _SHELLS[shell]
        found = screen.Screen(argv, self.environment, self.folder, 100)
        self.addCleanup(found.close)
        self._enter(found, line)
        return found

    def _enter(self, found: screen.Screen, line: str) -> None:
        """Enter a line, and wait until it is done."""
        found.send(line + '; echo do""ne\r')
        found.wait(lambda text: '\ndone' in text and text.rpartition(
            '\n')[2].strip() == _READY.strip())
        found.clear()

    def _complete(self, found: screen.Screen, typed: str,
                  expected: str) -> None:
        found.send(typed + '\t')
        found.wait(lambda text: expected in text)
        found.send('\x15')  # delete the line
        found.wait(lambda text: 'nova-image' not in text)

    def _check(self, shell: str) -> None:
        found = self._start(shell)
        for typed, expected in _LINES.items():
            self._complete(found, typed, expected)

    def test_bash(self) -> None:
        self._check('bash')

    def test_zsh(self) -> None:
        self._check('zsh')

    def test_fish(self) -> None:
        self._check('fish')

    def test_installed_for_zsh(self) -> None:
        functions = self.folder / 'functions'
        functions.mkdir()
        (functions / '_nova-image').write_text(
            self.run_it('complete', '--shell', 'zsh').out)
        found = screen.Screen(['zsh', '-f'], self.environment, self.folder)
        self.addCleanup(found.close)
        self._enter(found, 'fpath+=$PWD/functions; autoload -Uz compinit; '
                    'compinit -u -D; PS1="ready> "')
        self._complete(found, 'nova-image del', 'nova-image delete')

    def test_help_is_never_code(self) -> None:
        package = self.folder / 'odd-1.dist-info'
        package.mkdir()
        (package / 'METADATA').write_text('Name: odd\nVersion: 1\n')
        (package / 'entry_points.txt').write_text(
            '[nova_image.cli]\nodd_thing = odd:Odd\n')
        (self.folder / 'odd.py').write_text(_COMMANDS)
        self.variables['PYTHONPATH'] = ':'.join(filter(None, (
            str(self.folder), os.environ.get('PYTHONPATH'))))
        for shell in _SHELLS:
            found = self._start(shell)
            for typed, expected in (
                    ('nova-image od', 'nova-image odd'),
                    ('nova-image odd th', 'nova-image odd thing'),
                    ('nova-image odd thing x --od', 'x --odd')):
                self._complete(found, typed, expected)
            found.send('nova-image odd thing --\t\t')
            found.wait(lambda text: 'odd' in text.partition('--')[2])
            found.close()
        self.assertFalse((self.folder / 'ran').exists())

    def test_safe_names(self) -> None:
        for name in ('x; touch ran', '$(touch ran)', 'a b', '', 'a\nb'):
            self.error(codes.USAGE, 'complete', '--name', name)
        for shell in _SHELLS:
            self.error(codes.USAGE, 'complete', '--shell', shell,
                       '--name', '`touch ran`')
            self.assertIn('my-nova.1', self.run_it(
                'complete', '--name', 'my-nova.1', '--shell', shell).out)
        self.error(codes.USAGE, 'complete', '--shell', 'tcsh')
