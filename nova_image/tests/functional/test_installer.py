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

"""How the installer passes pip's configuration to uv."""

import os
import pathlib
import subprocess
import sys
import unittest.mock

import fixtures as lib_fixtures
import testtools

from nova_image.tests.fixtures import installer


class InstallerTest(testtools.TestCase):
    """uv installs the packages that pip would install."""

    def setUp(self) -> None:
        """Give pip a configuration of its own."""
        super().setUp()
        self.folder = pathlib.Path(
            self.useFixture(lib_fixtures.TempDir()).path)
        self.config = self.folder / 'pip.conf'
        self.env = {name: value for name, value in os.environ.items()
                    if not name.startswith(('PIP_', 'UV_'))}
        self.env['PIP_CONFIG_FILE'] = str(self.config)
        self.useFixture(lib_fixtures.MonkeyPatch(
            'nova_image.tests.fixtures.installer.find_uv', lambda: '/bin/uv'))

    def _options(self, config: str = '[global]\n',
                 **env: str) -> dict[str, str]:
        self.config.write_text(config)
        return installer.pip_options(self.env | env)

    def test_install_options_and_variables_override_global_ones(self) -> None:
        config = ('[install]\nindex-url = https://b/simple\ntimeout = 7\n'
                  '[global]\nindex-url = https://a/simple\ntimeout = 5\n'
                  '[download]\nindex-url = https://c/simple\n')
        options = self._options(config, PIP_TIMEOUT='9')
        self.assertEqual('https://b/simple', options['index-url'])
        self.assertEqual('9', options['timeout'])

    def test_empty_options_are_left_out(self) -> None:
        self.assertNotIn('find-links', self._options(PIP_FIND_LINKS=''))

    def test_lists_are_separated_as_uv_expects(self) -> None:
        found = installer.uv_variables(self._options(
            '[global]\nfind-links =\n  /a\n  /b\nextra-index-url =\n'
            '  https://c/simple\n  https://d/simple\n'))
        self.assertEqual('/a,/b', found['UV_FIND_LINKS'])
        self.assertEqual('https://c/simple https://d/simple',
                         found['UV_INDEX'])

    def test_pip_is_tried_after_uv(self) -> None:
        self._options()
        uv, pip = installer.attempts('python', ['six'], self.env)
        self.assertEqual(['/bin/uv', 'pip', 'install'], uv[0][:3])
        self.assertEqual([sys.executable, '-m', 'pip'], pip[0][:3])
        self.assertEqual(self.env, pip[1])

    def test_variables_of_uv_override_options_of_pip(self) -> None:
        self._options('[global]\nindex-url = https://a/simple\n')
        env = self.env | {'UV_DEFAULT_INDEX': 'https://b/simple'}
        (_, found), _ = installer.attempts('python', ['six'], env)
        self.assertEqual('https://b/simple', found['UV_DEFAULT_INDEX'])

    def test_options_that_uv_lacks_need_pip(self) -> None:
        self._options('[install]\nno-binary = :all:\n')
        self.assertEqual(1, len(installer.attempts('python', [], self.env)))

    def test_no_uv_needs_pip(self) -> None:
        with unittest.mock.patch.object(installer, 'find_uv',
                                        return_value=None):
            self.assertEqual(1, len(installer.attempts('p', [], self.env)))

    def test_program_runs_pip_if_uv_fails(self) -> None:
        uv = self.folder / 'uv'
        uv.write_text('#!/bin/sh\necho uv ran\nexit 1\n')
        uv.chmod(0o755)
        code = ('import sys; from nova_image.tests.fixtures import installer\n'
                'installer.find_uv = lambda: %r\n'
                'sys.argv[1:] = ["pip"]\nsys.exit(installer.main())' % str(uv))
        done = subprocess.run([sys.executable, '-c', code], check=False,
                              capture_output=True, text=True)
        self.assertEqual((0, 'uv ran\n'), (done.returncode, done.stdout),
                         done.stderr)
