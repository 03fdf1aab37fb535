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

"""The scripts that complete command lines."""

import sys

import mock

from nova_image.tests.unit.cmd import case
from nova_image.tests.unit.cmd import fake_app


class TestComplete(case.TestCase):
    """nova_image.cmd.completion"""

    def _run(self, *argv):
        """Return the exit code, the output and the messages."""
        app = fake_app.shell(fake_app.Images())
        try:
            code = app.run(['complete'] + list(argv))
        except SystemExit as end:
            code = end.code
        return code, app.stdout.getvalue(), app.stderr.getvalue()

    def test_bash_is_the_default(self):
        self.assertEqual(self._run('--shell', 'bash'), self._run())

    def test_each_command_has_its_own_and_the_shared_options(self):
        _, script, _ = self._run('--shell', 'fish')
        for command, option in (('list', 'format'), ('list', 'os-cloud'),
                                ('save', 'no-clobber'), ('save', 'debug')):
            self.assertRegex(script, "_using %s' .*-l %s " % (
                command, option))
        self.assertNotRegex(script, "_using list' .*-l no-clobber ")

    def test_data_only(self):
        code, out, _ = self._run('--shell', 'none')
        self.assertEqual(0, code)
        self.assertTrue(out.startswith("  cmds='compare complete "), out)

    def test_shtab_is_missing(self):
        with mock.patch.dict(sys.modules, {'shtab': None}), \
                mock.patch.object(sys, 'stderr') as stderr:
            code, out, _ = self._run()
        self.assertEqual((1, ''), (code, out))
        self.assertIn('shtab is not installed. Install the command line with',
                      str(stderr.write.call_args))

    def test_unsafe_names(self):
        code, out, err = self._run('--name', '$(x)')
        self.assertEqual((2, ''), (code, out))
        self.assertIn('Invalid name of a command: $(x). Use', err)
