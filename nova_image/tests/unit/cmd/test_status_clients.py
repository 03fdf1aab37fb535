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

"""Unit tests of nova_image.cmd.status_clients."""

import argparse
import datetime
import json
import os

import fixtures
import six

from nova_image.tests.unit.status import case
from nova_image.tests.unit.status import test_access_logs as logs

if six.PY3:
    from nova_image.cmd import status_clients


class TestClients(case.TestCase):
    """The subcommand, without its program."""

    def setUp(self):
        """Make a folder, and catch the output."""
        super(TestClients, self).setUp()
        self.folder = self.useFixture(fixtures.TempDir()).path
        self.out = self.useFixture(fixtures.StringStream('stdout')).stream
        self.err = self.useFixture(fixtures.StringStream('stderr')).stream
        self.useFixture(fixtures.MonkeyPatch('sys.stdout', self.out))
        self.useFixture(fixtures.MonkeyPatch('sys.stderr', self.err))

    def run_it(self, found, *argv):
        """Run the subcommand on some lines; return (exit code, output)."""
        path = os.path.join(self.folder, 'access.log')
        with open(path, 'w') as stream:
            stream.writelines(line + '\n' for line in found)
        parser = argparse.ArgumentParser()
        status_clients.add_parser(parser.add_subparsers())
        arguments = parser.parse_args(['clients', path] + list(argv))
        arguments.verbose_level = 1
        code = status_clients.run(arguments)
        for stream in (self.out, self.err):
            stream.seek(0)
        return code, self.out.read(), self.err.read()

    def test_nobody(self):
        self.assertEqual((0, '0 of 1 requests call v1\n', ''),
                         self.run_it([logs.call(path='/v2/images')]))

    def test_empty_log(self):
        self.assertEqual((0, '0 of 0 requests call v1\n', ''),
                         self.run_it([]))

    def test_tables(self):
        code, out, err = self.run_it(
            [logs.call(), logs.call(agent='-', status=300)])
        self.assertEqual((1, ''), (code, err))
        self.assertEqual("""\
2 of 2 requests call v1
The answers: 200 (1), 300 (1)

   calls  last call (UTC)      user agent
       1  2026-11-26 11:08:13  nova
       1                       (unknown)

   calls  last call (UTC)      address
       2  2026-11-26 11:08:13  10.0.0.1

   calls  request
       2  GET /v1/images
""", out)

    def test_long_tables_are_cut(self):
        _, out, _ = self.run_it([logs.call(agent='agent %d' % number)
                                 for number in range(30)])
        self.assertIn('\n          and 19 more, which --json lists\n', out)

    def test_agents_do_not_control_the_terminal(self):
        _, out, _ = self.run_it([logs.call(agent='\x1b[31mred')])
        self.assertIn('\\x1b[31mred', out)

    def test_json(self):
        code, out, _ = self.run_it([logs.call()], '--json')
        self.assertEqual(1, code)
        found = json.loads(out)
        self.assertEqual(
            [{'address': '10.0.0.1', 'agent': 'nova', 'user': None,
              'project': None, 'calls': 1, 'first': '2026-11-26T11:08:13Z',
              'last': '2026-11-26T11:08:13Z'}], found['clients'])

    def test_no_access_log(self):
        code, _, err = self.run_it(['words'])
        self.assertEqual(2, code)
        self.assertIn('None of the lines is a request', err)

    def test_progress_leaves_nothing_on_the_terminal(self):
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.cmd.status_cloud.shows_progress', lambda given: True))
        _, out, err = self.run_it([logs.call(path='/v2')] * 100000, '--json')
        self.assertTrue(err.endswith('\x1b[K'), repr(err))
        self.assertEqual(100000, json.loads(out)['lines'])

    def test_missing_file(self):
        gone = os.path.join(self.folder, 'gone')
        code, out, err = self.run_it([logs.call()], gone)
        self.assertEqual(2, code)
        self.assertIn('1 of 1 requests', out)
        self.assertIn('gone cannot be read: No such file', err)

    def test_unknown_format(self):
        _, out, _ = self.run_it(['HTTP/1.1: a call of /v1/images'])
        self.assertIn('1 lines that name v1 are in no known format, such as:'
                      '\n    HTTP/1.1: a call of /v1/images\n', out)

    def test_unknown_format_is_not_nobody(self):
        unknown = 'HTTP/1.1: a call of /v1/images'
        other = logs.call(path='/v2/images')
        code, _, err = self.run_it([other, unknown])
        self.assertEqual(2, code)
        self.assertIn('cannot be ruled out', err)
        self.assertEqual(1, self.run_it([logs.call(), unknown])[0])

    def test_times(self):
        for text in ('2026-11-01', '2026-11-01T00:00', '2026-11-01 00:00Z',
                     '2026-11-01T01:00+01:00'):
            self.assertEqual('2026-11-01T00:00:00+00:00',
                             status_clients.moment(text).isoformat())
        now = datetime.datetime.now(status_clients.moment('1d').tzinfo)
        for text, hours in (('120m', 2), ('24h', 24), ('1d', 24),
                            ('1w', 168)):
            age = now - status_clients.moment(text)
            self.assertEqual(hours, round(age.total_seconds() / 3600))
        for text in ('', 'yesterday', '7', '7y', '-1d', '2026-13-01',
                     '999999w', '0001-01-01T00:00+10:00'):
            self.assertRaises(argparse.ArgumentTypeError,
                              status_clients.moment, text)

    def test_since(self):
        code, out, _ = self.run_it([logs.call()], '--since', '2026-11-27')
        self.assertEqual((0, '0 of 1 requests call v1\n'), (code, out))
