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

"""nova-image with unusual standard streams, and with unusual text in images.

The streams are closed, full, or have an encoding that lacks characters.
"""

import csv
import io
import json
import os
import subprocess

from testtools import matchers
import yaml

from nova_image.cmd import codes
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import servers

_MIB = 1024 ** 2
_NOBODY = '71c675ab-d94f-49cd-a114-e12490b328d9'
#: a title for the terminal, a new line that fakes a row, C1, bidi, a
#: zero-width space, a line separator, and what looks escaped already
ODD = 'a\x1b]0;x\x07\nb\x9b1m\u202e\u200b\u2028\x7f\\x1b'
ODD_SHOWN = ('a\\x1b]0;x\\x07\\nb\\x9b1m\\u202e\\u200b\\u2028\\x7f'
             '\\\\x1b')
#: code that a shell would run
CODE = '$(touch ran)`touch ran`"; touch ran; \'\\$(touch ran)'
_CONTROLS = {chr(number) for number in (
    *range(32), *range(127, 160))} - {'\n'} | set('\u202e\u200b\u2028')


class _Case(cli_case.CommandLineTest):
    """A test on Glance 33 without Keystone."""

    def setUp(self) -> None:
        """Use v2 without Keystone."""
        super().setUp()
        url = servers.glance33().url
        self.raw = self.raw_glance(url)
        self.variables = {'OS_AUTH_TYPE': 'none', 'OS_ENDPOINT': url,
                          'OS_PROJECT_ID': self.project}

    def redirected(self, how: str, *argv: str) -> cli_case.Done:
        """Run a command with redirections of a shell."""
        return self.finish(subprocess.Popen(
            ['bash', '-c', 'exec "$0" "$@" ' + how, cli_case.PROGRAM, *argv],
            cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE))

    def assertHarmless(self, text: str) -> None:
        """Check that text does not control a terminal."""
        self.assertEqual(set(), _CONTROLS & set(text), repr(text))


class ClosedStreamsTest(_Case):
    """A stream that cannot be used costs one line and a documented code."""

    def test_closed(self) -> None:
        image = self.create('disk')
        self.assertIn(image, self.redirected('<&-', 'list').out)
        self.assertIn(image, self.redirected('2>&-', 'list').out)
        for argv in (('list',), ('--version',), ('--help',),
                     ('list', '--help'), ('complete',)):
            done = self.redirected('<&- 2>&-', *argv)
            self.assertEqual((0, ''), (done.code, done.err), argv)
            self.assertTrue(done.out)
            done = self.redirected('<&- >&-', *argv)
            self.assertEqual(
                (codes.LOCAL_FILE, 'nova-image: standard output: Bad file '
                 'descriptor\n'), (done.code, done.err), argv)
        self.assertEqual(codes.LOCAL_FILE, self.redirected(
            '<&- >&- 2>&-', 'list').code)

    def test_closed_output_that_is_not_needed(self) -> None:
        for how in ('>&-', '<&- >&- 2>&-', '>/dev/full'):
            done = self.redirected(how, 'delete', self.raw.create()['id'])
            self.assertEqual((0, ''), (done.code, done.err), how)
        self.assertEqual([], self.raw.images())

    def test_full(self) -> None:
        image = self.create('disk')
        for argv in (('list',), ('show', image, '-f', 'json'),
                     ('--version',), ('--help',), ('list', '--help'),
                     ('help',)):
            done = self.redirected('>/dev/full', *argv)
            self.assertEqual(
                (codes.NO_SPACE, 'nova-image: standard output: No space '
                 'left on device\n'), (done.code, done.err), argv)
        done = self.redirected('>/dev/full 2>&1', 'list')
        self.assertEqual((codes.NO_SPACE, ''), (done.code, done.err))

    def test_errors_that_nobody_reads(self) -> None:
        for code, how, *argv in (
                (codes.NOT_FOUND, '2>&-', 'show', _NOBODY),
                (codes.NOT_FOUND, '2>/dev/full --debug', 'show', _NOBODY),
                (codes.NOT_FOUND, '2> >(:)', 'show', _NOBODY),
                (codes.NOT_FOUND, '--log-file /dev/full 2>&-', 'show',
                 _NOBODY),
                (codes.USAGE, '2>/dev/full', 'lisst'),
                (codes.USAGE, '2>&-', 'list', '--nothing'),
                (codes.USAGE, '2>/dev/full')):
            self.assertEqual(code, self.redirected(how, *argv).code,
                             (how, argv))

    def test_log_file(self) -> None:
        done = self.redirected('--log-file /dev/full', 'list')
        self.assertEqual(
            (0, 'nova-image: /dev/full: No space left on device\n'),
            (done.code, done.err))
        done = self.redirected('--log-file /nowhere/log', 'list')
        self.assertEqual(
            (codes.LOCAL_FILE, 'nova-image: /nowhere/log: No such file or '
             'directory\n'), (done.code, done.err))

    def test_data(self) -> None:
        self.write('disk', _MIB)
        image = self.create('disk', '--file', 'disk', *cli_case.RAW)
        for how, code, reason in (
                ('>&-', codes.LOCAL_FILE, 'Bad file descriptor'),
                ('>/dev/full', codes.NO_SPACE, 'No space left on device')):
            done = self.redirected(how, 'save', image)
            self.assertEqual(
                (code, 'nova-image: standard output: %s\n' % reason),
                (done.code, done.err))
        for how in ('2>/dev/full', '<&- >&- 2>&-'):
            done = self.redirected(how, 'save', image, '--file', 'copy')
            self.assertEqual((0, ''), (done.code, done.err), how)
        for path, reason in (
                ('-', 'standard input: Bad file descriptor'),
                ('/dev/stdin', '/dev/stdin: Too many levels of symbolic '
                               'links')):
            done = self.redirected('<&-', 'create', 'x', '--file', path,
                                   *cli_case.RAW)
            self.assertEqual((codes.LOCAL_FILE, 'nova-image: %s\n' % reason),
                             (done.code, done.err))
        done = self.redirected('>&-', 'save', image, '--file', '/dev/stdout')
        self.assertEqual(codes.LOCAL_FILE, done.code)
        self.assertEqual(1, done.err.count('\n'), done.err)
        self.assertEqual([image], [one['id'] for one in self.raw.images()])

    def test_closed_pipe_of_each_output(self) -> None:
        image = self.create('disk')
        for argv in (('--help',), ('list', '--help'), ('--version',),
                     ('show', image)):
            reading, writing = os.pipe()
            os.close(reading)
            process = self.start(*argv, stdout=writing)
            os.close(writing)
            assert process.stderr
            self.assertEqual((b'', codes.BROKEN_PIPE), (
                process.stderr.read(), process.wait()), argv)


class EncodingTest(_Case):
    """A character that the encoding lacks is escaped."""

    def test_every_output(self) -> None:
        image = self.raw.create(name='sno\u2603 \xe9')['id']
        for changes, accent in (
                ({'PYTHONIOENCODING': 'ascii'}, '\\xe9'),
                ({'PYTHONIOENCODING': 'latin-1:strict'}, '\xe9'),
                ({'LC_ALL': 'C', 'PYTHONCOERCECLOCALE': '0',
                  'PYTHONUTF8': '0'}, '\\xe9')):
            variables = {**self.variables, **changes}
            table = self._output(variables, 'list')
            self.assertIn('sno\\u2603 ' + accent, table)
            self.assertEqual(1, len({len(line)
                                     for line in table.splitlines()}), table)
        variables['PYTHONIOENCODING'] = 'ascii'
        for form in ('csv', 'value', 'json', 'yaml', 'shell'):
            verb = ('show', image) if form == 'shell' else ('list',)
            self.assertIn('sno\\u2603', self._output(
                variables, *verb, '-f', form))
        self.assertIn('\\u2603', self._output(
            {**self.variables, 'PYTHONIOENCODING': 'ascii'}, 'show',
            'none \u2603', code=codes.NOT_FOUND))

    def _output(self, variables: dict[str, str], *argv: str,
                code: int = 0) -> str:
        environment = {**self.environment, **variables}
        done = subprocess.run(
            [cli_case.PROGRAM, *argv], env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = done.stdout.decode('latin-1')
        self.assertEqual(code, done.returncode, text)
        return text

    def test_value_is_not_ambiguous(self) -> None:
        names = ['\u2603', '\\u2603', '"\\u2603"', 'a\nb', 'a\\nb']
        for name in names:
            self.raw.create(name=name)
        self.variables['PYTHONIOENCODING'] = 'ascii'
        lines = self.run_it('list', '-f', 'value', '-c', 'name',
                            '--sort', 'created_at:asc').out.splitlines()
        self.assertEqual(names, [
            json.loads(line) if line.startswith('"') else line
            for line in lines])


class PeopleTest(_Case):
    """What people read does not control their terminals."""

    def setUp(self) -> None:
        """Create an image."""
        super().setUp()
        self.image = self.raw.create(name=ODD, **{'p\x1b\nq': ODD})['id']

    def test_tables(self) -> None:
        out = self.run_it('list').out
        self.assertEqual(5, out.count('\n'))
        texts = [out, self.run_it('list', '--long').out]
        for argv in (('list',), ('show', self.image)):
            child = self.terminal(*argv, dimensions=(40, 400))
            texts.append(self.end_of(child)[1])
        for text in texts:
            self.assertHarmless(text)
            self.assertIn(ODD_SHOWN, text)
        for text in texts[1], texts[3]:
            self.assertIn('p\\x1b\\nq=' + ODD_SHOWN, text)

    def test_formats_for_programs_on_a_terminal(self) -> None:
        for form in ('csv', 'json', 'value', 'yaml'):
            code, text = self.end_of(self.terminal(
                'list', '--long', '-f', form))
            self.assertEqual(0, code)
            self.assertHarmless(text)

    def test_errors(self) -> None:
        self.raw.create(name=ODD)
        for code, argv in (
                (codes.CONFLICT, ('show', ODD)),
                (codes.NOT_FOUND, ('show', 'none' + ODD)),
                (codes.USAGE, ('x' + ODD,)),
                (codes.USAGE, ('help', 'x' + ODD)),
                (codes.USAGE, ('list', '--limit', ODD)),
                (codes.USAGE, ('list', '-c', ODD)),
                (codes.USAGE, ('unset', self.image, '--property', ODD)),
                (codes.LOCAL_FILE, ('save', self.image, '--file',
                                    'no/' + ODD))):
            self.assertHarmless(self.error(code, *argv))
        done = self.run_it('show', ODD, '--debug', '--log-file', 'log',
                           code=codes.CONFLICT)
        self.assertHarmless(done.err)
        self.assertHarmless((self.folder / 'log').read_text())

    def test_progress(self) -> None:
        self.write('d\x1b\u202e', _MIB)
        child = self.terminal('create', 'b', '--file', 'd\x1b\u202e',
                              *cli_case.RAW, '-f', 'value', '-c', 'status')
        code, text = self.end_of(child)
        self.assertEqual(0, code)
        self.assertIn('d\\x1b\\u202e: 100%', text)
        self.assertHarmless(text.replace('\r', ''))

    def test_retry_warning_has_one_reason(self) -> None:
        self.variables['OS_ENDPOINT'] = 'http://127.0.0.1:1'
        *warnings, error = self.run_it(
            'list', '--verbose', code=codes.NO_CONNECTION).err.splitlines()
        self.assertIn('WARNING: Attempt 1 of 4 failed', warnings[0])
        for line in (*warnings, error):
            self.assertThat(line, matchers.EndsWith(
                'Connection to Glance failed: list images at '
                'http://127.0.0.1:1: Failed to establish a new connection: '
                '[Errno 111] Connection refused. Check that the endpoint is '
                'correct and that Glance is running'))


class ProgramsTest(_Case):
    """Programs get the text of images as it is, and safe to evaluate."""

    def test_formats(self) -> None:
        names = [ODD, CODE, 'a\\b', 'a"b\\', 'a\\nb', 'a\nb', '"a\\nb"',
                 'None', '\r', '\x85', '\u2603']
        for name in names:
            self.raw.create(name=name)
        argv = ('list', '--sort', 'created_at:asc', '-c', 'name', '-f')
        out = self.run_it(*argv, 'json').out
        self.assertEqual(names, [one['name'] for one in json.loads(out)])
        out = self.run_it(*argv, 'yaml').out
        self.assertEqual(names, [one['name'] for one in yaml.safe_load(out)])
        for quote in ('all', 'minimal', 'nonnumeric'):
            out = self.run_it(*argv, 'csv', '--quote', quote).out
            rows = csv.reader(io.StringIO(out, newline=''))
            self.assertEqual([['name']] + [[name] for name in names],
                             list(rows))
        lines = self.run_it(*argv, 'value').out.split('\n')[:-1]
        self.assertEqual(names, [
            json.loads(line) if line.startswith('"') else line
            for line in lines])
        self.assertIn('a\\b', lines)

    def test_eval(self) -> None:
        for name, options, variable in (
                (CODE, '', 'name'), (ODD, '', 'name'),
                ("\\!!\nit's $HOME\\", '--prefix "a b;touch ran;"',
                 'a_b_touch_ran_name')):
            image = self.raw.create(
                name=name, **{'$(touch ran)"': CODE})['id']
            done = subprocess.run(
                ['bash', '-c', 'eval "$("$0" show "$1" -f shell %s)"; '
                 'printf %%s "$%s"' % (options, variable),
                 cli_case.PROGRAM, image], cwd=self.folder,
                env=self.environment, capture_output=True)
            self.assertEqual((name, b''),
                             (done.stdout.decode(), done.stderr))
        self.assertEqual([], os.listdir(self.folder))

    def test_completion(self) -> None:
        for name in ('x; touch ran', '$(touch ran)', 'a b', ''):
            self.error(codes.USAGE, 'complete', '--name', name)
        self.assertIn('-F _shtab_nova nova\n', self.run_it(
            'complete', '--name', 'nova').out)
