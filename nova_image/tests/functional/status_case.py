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

"""What the tests of nova-image-status have in common."""

import json
import pathlib
import sys
import typing

import pexpect

from nova_image.tests.functional import cli_case

PROGRAM = pathlib.Path(sys.executable).with_name('nova-image-status')


class StatusTest(cli_case.CommandLineTest):
    """A test that runs nova-image-status."""

    program = (PROGRAM, 'upgrade', 'check')

    def use(self, url: str) -> None:
        """Use a Glance without Keystone."""
        self.variables = {'OS_AUTH_TYPE': 'none', 'OS_ENDPOINT': url}

    def terminal_of(self, *argv: str) -> pexpect.spawn:
        """Start the command in a terminal of 80 columns."""
        child = pexpect.spawn(
            str(PROGRAM), ['upgrade', 'check', *argv], encoding='utf-8',
            cwd=str(self.folder), timeout=60, dimensions=(24, 80),
            env={**self.environment, 'COLUMNS': '80'})
        self.addCleanup(child.close, force=True)
        return child

    def check(self, *argv: str, code: int = 0
              ) -> dict[str, dict[str, typing.Any]]:
        """Run the checks; return the results by the names of the checks."""
        found = json.loads(self.run_it('--json', *argv, code=code).out)
        return {one['name']: one for one in found['checks']}

    def found(self, *argv: str, code: int = 0) -> dict[str, set[str]]:
        """Return what the checks have found, if anything: {name: IDs}."""
        return {name: {item['id'] for item in one['items']}
                for name, one in self.check(*argv, code=code).items()
                if one['items']}

    def unchecked(self, *argv: str, code: int = 1) -> dict[str, list[str]]:
        """Return what could not be checked, if anything: {name: reasons}."""
        return {name: one['unchecked']
                for name, one in self.check(*argv, code=code).items()
                if one['unchecked']}
