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


"""What commands import while they do their work on a real Glance."""

import json
import subprocess
import sys
import typing

import yaml

from nova_image.tests.functional import cli_case

_RUN = """
import json
import sys
import types
from nova_image.cmd import main
code = main.main(sys.argv[1:])
sys.stdout.flush()
sys.stderr.write(json.dumps([
    name for name, module in sys.modules.items()
    if type(module) is types.ModuleType]))
sys.exit(code)
"""
#: Neither list nor show has any use for these. Each takes milliseconds, some
#: a hundred; most are imported by libraries for purposes of their own.
UNUSED = (
    'OpenSSL', 'asyncio', 'cffi', 'charset_normalizer', 'cmd2', 'cryptography',
    'cursive', 'dateutil', 'dogpile', 'eventlet', 'glanceclient.v1',
    'glanceclient.v2', 'idna', 'jmespath', 'jsonpatch', 'jsonschema',
    'keystoneclient', 'lxml', 'netaddr', 'nova', 'nova_image.cmd.changing',
    'nova_image.cmd.data', 'nova_image.cmd.importing',
    'nova_image.cmd.members', 'nova_image.image.download',
    'nova_image.image.transfer.fetch',
    'nova_image.image.transfer.format_check',
    'nova_image.image.transfer.signature', 'nova_image.image.undo',
    'openstack', 'openstack.cloud', 'openstack.compute',
    'openstack.connection', 'openstack.image', 'openstack.network',
    'oslo_concurrency', 'oslo_log.formatters', 'oslo_utils.imageutils',
    'oslo_utils.netutils', 'oslo_utils.strutils', 'psutil', 'rfc3986', 'tqdm',
    'warlock', 'wcwidth', 'webbrowser', 'xmlrpc.client', 'zoneinfo')


class TestStartup(cli_case.OnKeystone):
    """The modules of list and show, as a user of Keystone."""

    def _modules(self, *argv: str) -> tuple[str, set[str]]:
        """Run a command; return its output, and the modules it executed."""
        done = subprocess.run(
            [sys.executable, '-c', _RUN, *argv], cwd=self.folder, text=True,
            env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout, set(json.loads(done.stderr))

    def _check(self, *unused: str) -> None:
        """Check both commands, as tables and as JSON."""
        image_id = self.create('disk', *cli_case.RAW)
        for argv in (['list'], ['show', image_id]):
            for more in ([], ['-f', 'json']):
                out, modules = self._modules(*argv, *more)
                self.assertIn(image_id, out)
                self.assertEqual(
                    set(), modules & {*UNUSED, *unused}, argv)

    def test_variables(self) -> None:
        """The environment says everything: nothing reads YAML."""
        self._check('yaml')

    def test_cloud(self) -> None:
        """With OS_CLOUD, clouds.yaml is read without the rest of the SDK."""
        auth: dict[str, typing.Any] = {
            name.removeprefix('OS_').lower(): value
            for name, value in self.variables.items()}
        region = auth.pop('region_name')
        (self.folder / 'clouds.yaml').write_text(yaml.safe_dump(
            {'clouds': {'mine': {'auth': auth, 'region_name': region}}}))
        self.variables = {'OS_CLOUD': 'mine'}
        self._check()
