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

"""The page that compares our commands with those of the other clients."""

import os
import re

import six

from nova_image.tests.unit.cmd import case

if six.PY3:
    import configparser

_ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__),
                                     *[os.pardir] * 4))
_PAGE = os.path.join(_ROOT, 'doc', 'source', 'cli', 'commands.rst')


def rows():
    """Return the rows of the tables, each a list of the cells' texts."""
    with open(_PAGE) as stream:
        found = re.split(r'^   \* -', stream.read(), flags=re.MULTILINE)[1:]
    found = [row.partition('\n\n')[0] for row in found]
    return [[' '.join(cell.split()) for cell in re.split(
        r'^     -', row, flags=re.MULTILINE)] for row in found]


def named(column):
    """Return the commands in a column of the page, without options.

    :param column: 0 for openstack, 1 for glance, 2 for nova-image
    """
    return {name.partition(' -')[0] for row in rows()
            for name in re.findall('``([^`]*)``', row[column])}


class TestCommandsPage(case.TestCase):
    """doc/source/cli/commands.rst"""

    def test_has_all_our_commands(self):
        config = configparser.ConfigParser()
        config.read(os.path.join(_ROOT, 'setup.cfg'))
        ours = {line.split()[0] for line in config['entry_points'][
            'nova_image.cli'].splitlines() if line}
        self.assertEqual(set(), (ours | {'help'}) - named(2))
        self.assertEqual(set(), named(2) - ours - {
            'help', 'copy-image', 'nova-image'})

    def test_has_a_counterpart_or_a_reason_for_every_command(self):
        for row in rows():
            self.assertEqual(3, len(row), row)
            self.assertTrue(row[0] or row[1], row)
            if row[2] != 'nova-image':
                self.assertRegex(row[2], '^(``|none: |none, for the same)')
