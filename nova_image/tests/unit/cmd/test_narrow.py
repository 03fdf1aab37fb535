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

"""Tables on narrow terminals."""

import argparse
import io
import os

import mock
import six

from nova_image.tests.unit.cmd import case

if six.PY3:
    from nova_image.cmd import display
    from nova_image.cmd import formats
    from nova_image.cmd import narrow

_ID = '71c675ab-d94f-49cd-a114-e12490b328d9'
_NAMES = ('id', 'name', 'size')
_ROWS = [(_ID, 'a long name of an image', 5), (_ID, 'b', 10)]


class TestNarrow(case.TestCase):
    """nova_image.cmd.narrow"""

    def _arguments(self, **changes):
        return argparse.Namespace(**dict(
            {'max_width': 0, 'fit_width': False, 'print_empty': False},
            **changes))

    def _shown(self, width, names=_NAMES, rows=_ROWS, emit='emit_list',
               **arguments):
        """Return what a terminal of a width shows."""
        out = io.StringIO()
        with mock.patch.object(out, 'fileno', lambda: 1), \
                mock.patch.object(os, 'get_terminal_size') as size:
            size.return_value.columns = width
            getattr(formats.Table(), emit)(
                names, rows, out, self._arguments(**arguments))
        return out.getvalue()

    def test_width(self):
        with open(os.devnull, 'w') as file:
            for out in (io.StringIO(), file):
                self.assertIsNone(narrow.width_of(out, self._arguments()))
            with mock.patch.object(os, 'get_terminal_size') as size:
                for columns, expected in ((80, 80), (0, None)):
                    size.return_value.columns = columns
                    self.assertEqual(expected, narrow.width_of(
                        file, self._arguments()))
                for chosen in ({'max_width': 9}, {'fit_width': True}):
                    self.assertIsNone(narrow.width_of(
                        file, self._arguments(**chosen)))

    def test_limits(self):
        rows = [_NAMES] + _ROWS
        self.assertEqual([36, 23, 4], narrow.limits(rows, 200))
        self.assertEqual([36, 23, 4], narrow.limits(rows, 73))
        self.assertEqual([36, 22, 4], narrow.limits(rows, 72))
        self.assertEqual([36, 16, 4], narrow.limits(rows, 66))
        self.assertIsNone(narrow.limits(rows, 65))

    def test_columns_that_need_little_get_it_first(self):
        self.assertEqual([30, 20], narrow.limits(
            [('a', 'b'), ('x' * 90, 'x' * 20)], 57))
        self.assertEqual([25, 25], narrow.limits(
            [('a', 'b'), ('x' * 90, 'x' * 80)], 57))

    def test_ids_stay_whole_in_every_table(self):
        for width in range(10, 120):
            shown = self._shown(width)
            self.assertIn(_ID, shown)
            if shown.startswith('+'):
                self.assertFalse([line for line in shown.splitlines()
                                  if len(line) > width])

    def test_wide_characters(self):
        name = u'\u64cd\u4f5c' * 10
        self.assertEqual([36, 40, 4], narrow.limits(
            [_NAMES, (_ID, name, 5)], 200))
        self.assertEqual([1], narrow.limits([('e',), (u'e\u0301',)], 9))

    def test_records(self):
        self.assertEqual(
            'id:   %s\nname: a\nsize: 5\n\nid:   %s\nname: b\nsize: None\n' % (
                _ID, _ID),
            self._shown(30, rows=[(_ID, 'a', 5), (_ID, 'b', None)]))

    def test_record_with_several_lines(self):
        names = ('id', 'properties')
        values = (_ID, display.Properties({'a': '1', 'b': '2'}))
        self.assertEqual(
            'id:         %s\nproperties: a=1\n            b=2\n' % _ID,
            self._shown(40, names, values, 'emit_one'))
        self.assertEqual(
            'id: %s\nproperties:\n  a=1\n  b=2\n' % _ID,
            self._shown(30, names, values, 'emit_one'))

    def test_text_of_others_makes_no_line(self):
        shown = self._shown(30, rows=[(_ID, 'a\nsize: 9\x1b', 5)])
        self.assertEqual(3, len(shown.splitlines()))
        self.assertIn('name: a\\nsize: 9\\x1b\n', shown)

    def test_one_object_is_a_table_if_its_values_fit(self):
        values = (_ID, 'x' * 100, 5)
        for width, expected in ((48, True), (47, False)):
            shown = self._shown(width, rows=values, emit='emit_one')
            self.assertEqual(expected, shown.startswith('+'), width)

    def test_empty_list(self):
        self.assertEqual('\n', self._shown(3, rows=[]))

    def test_options_keep_tables(self):
        for chosen in ({'max_width': 20}, {'fit_width': True}):
            self.assertTrue(self._shown(20, **chosen).startswith('+'))
