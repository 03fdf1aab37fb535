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

"""Text that does not control a terminal."""

import itertools

import six

from nova_image.tests.unit.cmd import case

if six.PY3:
    from nova_image.cmd import safe_text


class TestSafeText(case.TestCase):
    """nova_image.cmd.safe_text"""

    def test_usual_text_is_unchanged(self):
        for text in (u'cirros', u'a b', u'na\xefve \u2603', u'C:\\images',
                     u'\u30c6\u30b9\u30c8\u3000a', u'a\xa0b', u''):
            self.assertEqual(text, safe_text.shown(text))
            self.assertEqual(text, safe_text.harmless(text))

    def test_controls(self):
        for text, expected in (
                (u'\x1b[31m', '\\x1b[31m'), (u'\x9b', '\\x9b'),
                (u'\x7f', '\\x7f'), (u'a\r\n\tb', 'a\\r\\n\\tb'),
                (u'\u202e\u2066', '\\u202e\\u2066'),
                (u'\u200b\ufeff', '\\u200b\\ufeff'),
                (u'\u2028\x85', '\\u2028\\x85'), (u'\udc9b', '\\udc9b'),
                (u'\U000e0041', '\\U000e0041')):
            self.assertEqual(expected, safe_text.shown(text))

    def test_lines_remain(self):
        self.assertEqual("a\n\tb\\\\x1b",
                         safe_text.harmless("a\n\tb\\\x1b"))

    def test_different_texts_look_different(self):
        seen = {}
        for length in range(6):
            for parts in itertools.product(u'\\xn1\x1b\n', repeat=length):
                text = u''.join(parts)
                other = seen.setdefault(safe_text.shown(text), text)
                self.assertEqual(other, text)

    def test_also_in_an_encoding_that_lacks_characters(self):
        seen = {}
        for length in range(5):
            for parts in itertools.product(
                    (u'\\', u'u2603', u'\u2603', u'xe9', u'\xe9', u'\x1b'),
                    repeat=length):
                text = u''.join(parts)
                shown = safe_text.fitting(safe_text.shown(text), 'ascii')
                self.assertEqual(text, seen.setdefault(shown, text))

    def test_fitting(self):
        self.assertEqual('\\u2603\xe9',
                         safe_text.fitting(u'\u2603\xe9', 'latin-1'))
        self.assertEqual(u'\u2603', safe_text.fitting(u'\u2603', None))
