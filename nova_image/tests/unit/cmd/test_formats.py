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

"""The output formats."""

import argparse
import io
import json

import six

from nova_image.tests.unit.cmd import case
from nova_image.tests.unit.cmd import fake_app
from nova_image.tests.unit.cmd import test_display

if six.PY3:
    from nova_image.cmd import display
    from nova_image.cmd import formats


class TestFormats(case.TestCase):
    """nova_image.cmd.formats"""

    def _one(self, formatter, columns, values, **arguments):
        out = io.StringIO()
        formatter.emit_one(columns, values, out, argparse.Namespace(
            **arguments))
        return out.getvalue()

    def test_value(self):
        values = ('a', 'a\\nb', 'a\nb', '"', 3, None, display.Size(1024))
        self.assertEqual(
            ['a', 'a\\nb', '"a\\nb"', '"\\""', '3', 'None', '1024'],
            self._one(formats.Value(), 'abcdefg', values).splitlines())

    def test_value_is_one_line_for_every_character(self):
        for number in range(0x3000):
            text = 'a%sb' % chr(number)
            line = self._one(formats.Value(), ('name',), (text,))
            self.assertEqual(1, len(line.splitlines()), number)
            line = line[:-1]
            self.assertEqual(text, json.loads(line) if line[0] == '"'
                             else line)

    def test_shell(self):
        self.assertEqual(
            '_1a_b="\\$(x) \\`y\\` \\"\\\\"\n',
            self._one(formats.Shell(), ('a b',), ('$(x) `y` "\\',),
                      variables=[], prefix='1'))
        self.assertEqual('b="None"\n', self._one(
            formats.Shell(), ('a', 'b'), ('1', None), variables=['b'],
            prefix=''))

    def test_table_keeps_numbers_and_own_lines(self):
        out = self._one(
            formats.Table(), ('size', 'properties', 'name'),
            (5, display.Properties({'b': '\x1b', 'a': 'x\ny'}), None),
            max_width=0, fit_width=False)
        for part in ('| 5 ', '| a=x\\ny |', '| b=\\x1b |', '| None '):
            self.assertIn(part, out)

    def test_used_by_commands(self):
        images = fake_app.Images(dict(test_display.IMAGE, name='a\x1b'))
        for argv, expected in ((['list'], 'a\\x1b'),
                               (['list', '-f', 'value'], 'a\x1b')):
            app = fake_app.shell(images)
            self.assertEqual(0, app.run(argv))
            self.assertIn(expected, app.stdout.getvalue())

    def test_other_formats_remain(self):
        class Other(object):
            """A format of another package."""

        class Extension(object):
            """An entry point that replaces a format of cliff."""

            name, plugin, obj = 'table', Other, Other()

        class Command(object):
            """A command with this format."""

            _formatter_plugins = [Extension]

        formats.install(Command())
        self.assertIsInstance(Extension.obj, Other)
