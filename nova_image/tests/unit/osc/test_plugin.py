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

"""Unit tests of nova_image.osc.plugin, which also runs on Python 2.7.

nova_image.tests.functional.test_osc tests the rest with openstackclient.
"""

import argparse
import subprocess
import sys

import fixtures
import testtools

from nova_image.osc import plugin


class TestPlugin(testtools.TestCase):
    """nova_image.osc.plugin"""

    def _chosen(self, value):
        self.useFixture(fixtures.EnvironmentVariable(
            'OS_NOVA_IMAGE_TRANSFERS', value))
        parser = plugin.build_option_parser(argparse.ArgumentParser())
        return vars(parser.parse_args([])).get('os_nova_image_transfers')

    def test_values_of_the_variable(self):
        for value, expected in (
                (None, None), ('', None), ('1', '1'), (' on ', '1'),
                ('True', '1'), ('0', '0'), ('No', '0'), ('2', '2')):
            self.assertEqual(expected, self._chosen(value), value)

    def test_no_new_option(self):
        parser = argparse.ArgumentParser()
        before = parser.format_help()
        self.assertEqual(
            before, plugin.build_option_parser(parser).format_help())

    def test_other_values_are_refused(self):
        self.assertTrue(plugin.check_api_version('0'))
        for value in ('True', '2', 'maybe'):
            self.assertIn(value, str(self.assertRaises(
                plugin.Failed, plugin.check_api_version, value)))

    def test_commands_that_cannot_be_imported(self):
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.osc.plugin._COMMANDS', 'nova_image.osc.missing'))
        error = str(self.assertRaises(
            plugin.Failed, plugin.check_api_version, '1'))
        self.assertIn("pip install 'nova_image[osc]'", error)
        self.assertIn('unset OS_NOVA_IMAGE_TRANSFERS', error)

    def test_imports_nothing_else(self):
        code = ('import sys; from nova_image.osc import plugin; '
                'print(sorted(name for name in sys.modules '
                'if name.startswith("nova_image.") and sys.modules[name]))')
        self.assertEqual(
            "['nova_image.osc', 'nova_image.osc.plugin']",
            subprocess.check_output([sys.executable, '-c', code],
                                    universal_newlines=True).strip())
