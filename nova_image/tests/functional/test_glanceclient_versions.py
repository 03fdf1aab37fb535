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


"""Metadata of the Images API v1 under old and new python-glanceclients.

Since version 2.12.0, python-glanceclient percent-encodes headers, and Glance
v1 stores the encoded text. This module is removed together with the v1 driver.
"""

import json
import pathlib
import subprocess
import sys

from nova_image.tests import fixtures
from nova_image.tests.fixtures import processes
from nova_image.tests.functional import base
from nova_image.tests.functional import servers

_ROOT = pathlib.Path(__file__).resolve().parents[3]
#: the last versions for Python 2.7 of everything except the client
_CONSTRAINTS = _ROOT / 'test-constraints-py27.txt'

# Also runs on Python 2.7. It takes the URL of Glance, a project and metadata,
# creates an image from them, and prints the image as the driver returns it.
_SCRIPT = """
import json, sys
import glanceclient
from oslo_config import cfg
from nova_image import conf as nova_image_conf
from nova_image.image import client, glance

class Context(object):
    auth_token, user_id, project_id = None, u'a-user', sys.argv[2]
    roles, is_admin = [u'member', u'reader'], False

conf = cfg.ConfigOpts()
conf([], default_config_files=[], default_config_dirs=[])
nova_image_conf.register_opts(conf)
conf.set_override('api_servers', [sys.argv[1]], 'glance')
driver = glance.GlanceImageService(client.Client(conf))
meta = json.loads(sys.stdin.read())
made = driver.create(Context(), meta, b'data')
listed, = driver.detail(Context(), filters={'id': made['id']})
shown = driver.show(Context(), made['id'])
updated = driver.update(Context(), made['id'], meta)
images = [{name: image[name] for name in ('id', 'name', 'properties')}
          for image in (made, listed, shown, updated)]
print(json.dumps({'version': glanceclient.__version__, 'images': images}))
"""

META = {
    'name': 'Größe 50%25 +& 名前', 'disk_format': 'raw',
    'container_format': 'bare', 'properties': {
        'json': '{"a": ["b c", "%20", null]}', 'plus': 'a+b c',
        'percent': '100% %7B', 'unicode': 'naïve Ω 名前 / ; , = "quoted"',
        'block_device_mapping': [{'device_name': '/dev/vda', 'é': None}]}}


class GlanceclientVersionsTest(base.FunctionalTest):
    """Metadata arrives in Glance 15 unchanged."""

    def assertArrives(self, python: pathlib.Path | str) -> str:
        """Check that metadata arrives unchanged; return the client's version.

        :param python: an interpreter that has python-glanceclient
        """
        raw = self.raw_glance(servers.glance15().url)
        answer = subprocess.run(
            [python, '-c', _SCRIPT, raw.url, self.project],
            input=json.dumps(META), capture_output=True, text=True,
            timeout=60, env=processes.clean_environment(
                {'PYTHONPATH': str(_ROOT), 'PYTHONDONTWRITEBYTECODE': '1'}))
        self.assertEqual(0, answer.returncode, answer.stderr[-2000:])
        printed = json.loads(answer.stdout)
        for image in printed['images']:
            self.assertEqual(META['name'], image['name'])
            self.assertEqual(META['properties'], image['properties'])
        self._assert_stored(raw.image(printed['images'][0]['id']))
        return printed['version']

    def _assert_stored(self, stored: dict[str, str]) -> None:
        """Check an image as v2 returns it."""
        self.assertEqual(META['name'], stored['name'])
        for name, value in META['properties'].items():
            if isinstance(value, str):
                self.assertEqual(value, stored[name])
            else:
                self.assertEqual(value, json.loads(stored[name]))

    def _python27_with(self, version: str) -> pathlib.Path:
        python = fixtures.find_python27()
        if python is None:
            self.skipTest('NO PYTHON 2.7: python-glanceclient %s is not '
                          'tested.' % version)
        pinned = [line for line in _CONSTRAINTS.read_text().splitlines()
                  if '==' in line
                  and not line.startswith('python-glanceclient=')]
        wanted = [line.partition('#')[0].strip() for line in
                  (_ROOT / 'requirements.txt').read_text().splitlines()
                  if line[0] != '#' and 'glanceclient' not in line]
        return self.useFixture(fixtures.Virtualenv(
            'glanceclient-' + version,
            ['python-glanceclient==' + version, *wanted], python,
            pinned)).bin / 'python'

    def test_newest_version(self) -> None:
        version = self.assertArrives(sys.executable)
        self.assertGreaterEqual(int(version.partition('.')[0]), 4)

    def test_2_8_0_the_oldest_supported_version(self) -> None:
        self._test('2.8.0')

    def test_2_11_0_the_last_version_that_does_not_quote(self) -> None:
        self._test('2.11.0')

    def test_2_12_0_the_first_version_that_quotes(self) -> None:
        self._test('2.12.0')

    def test_2_17_1_the_last_version_for_python_2(self) -> None:
        self._test('2.17.1')

    def _test(self, version: str) -> None:
        self.assertEqual(version, self.assertArrives(
            self._python27_with(version)))
