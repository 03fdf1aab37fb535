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


"""Tests of nova_image.image.answers: values that others have written."""

import datetime

import six
import testtools

from nova_image.image import answers


class TestJson(testtools.TestCase):
    """loads() of a body."""

    def test_an_object_is_read(self):
        self.assertEqual({u'a': [1, u'\xe9']},
                         answers.loads(u'{"a": [1, "\xe9"]}'.encode('utf-8')))

    def test_what_is_not_json_is_unreadable(self):
        for content in (b'', b'{', b'\xff{}', b'[' * 100000,
                        b'{"a":' * 100000, b'9' * 5000):
            self.assertRaises(answers.Unreadable, answers.loads, content)

    def test_half_a_character_is_replaced(self):
        self.assertEqual(
            [u'\ufffd|\ufffd', u'\U0001f600', u'\\ud800'],
            answers.loads(b'["\\ud800|\\uDE00", "\\ud83d\\ude00", '
                          b'"\\\\ud800"]'))


class TestDecoded(testtools.TestCase):
    """decoded(): the JSON in a property that any user can set."""

    def test_json_is_decoded(self):
        for text, value in (('[{"a": null}]', [{'a': None}]), ('1', 1),
                            ('"a"', 'a'), ('[[], [], {}]', [[], [], {}])):
            self.assertEqual(value, answers.decoded(text))

    def test_wide_json_is_decoded(self):
        self.assertEqual([[1]] * 1000, answers.decoded(
            '[%s]' % ', '.join(['[1]'] * 1000)))

    def test_text_that_cannot_be_decoded_stays_text(self):
        for text in ('', 'none', '[' * 1500, '{"a":' * 1500, '[' * 10 ** 6,
                     '[' * 1500 + ']' * 1500, '9' * 5000, '"\\ud800"'):
            self.assertEqual(text, answers.decoded(text))

    def test_depth_and_size_are_bounded(self):
        for opening, closing in (('[', ']'), ('{"a": ', '}')):
            deep = '[' + opening * 31 + '1' + closing * 31 + ']'
            self.assertIsInstance(answers.decoded(deep), list)
            deeper = '[' + opening * 32 + '1' + closing * 32 + ']'
            self.assertEqual(deeper, answers.decoded(deeper))
        long = '"%s"' % ('a' * (answers.MAX_JSON - 2))
        self.assertEqual(long[1:-1], answers.decoded(long))
        self.assertEqual(long + ' ', answers.decoded(long + ' '))

    def test_other_values_are_left_unchanged(self):
        for value in (None, 5, [1], {'a': 1}):
            self.assertEqual(value, answers.decoded(value))


class TestValues(testtools.TestCase):
    """The readers of single values."""

    def _refuses(self, read, *values):
        for value in values:
            self.assertRaises(answers.Unreadable, read, value)

    def test_text(self):
        self.assertEqual(u'a', answers.text(u'a'))
        self.assertIsNone(answers.text(None))
        self._refuses(answers.text, 5, [], {}, False)

    def test_name(self):
        self.assertEqual(u'a', answers.name(u'a'))
        self._refuses(answers.name, None, u'', 5, [])

    def test_number(self):
        for value in (0, 7, 2 ** 63 - 1):
            self.assertEqual(value, answers.number(value))
        self.assertIsNone(answers.number(None))
        self._refuses(answers.number, -1, 2 ** 63, 10 ** 30, 1.0, True,
                      u'5', float('nan'), float('inf'), [])

    def test_header_number(self):
        self.assertEqual(7, answers.header_number(u'7'))
        for value in (None, u''):
            self.assertIsNone(answers.header_number(value))
        self._refuses(answers.header_number, u'-1', u'1.5', u'x', u'7, 7',
                      u'\u0663', u'\xb2', u'9' * 5000, u'1_0', u' 7')

    def test_moment(self):
        moment = answers.moment(u'2026-11-21T04:16:28.5+02:00')
        self.assertEqual(datetime.timedelta(0), moment.utcoffset())
        self.assertEqual('2026-11-21 02:16:28.500000+00:00',
                         six.text_type(moment))
        for value in (None, u''):
            self.assertIsNone(answers.moment(value))

    def test_what_is_not_a_time_is_unreadable(self):
        self._refuses(
            answers.moment, 5, [], {}, True, u'x', u'Z',
            u'10000-01-01T00:00:00Z', u'0000-01-01T00:00:00Z',
            u'2026-13-01T00:00:00Z', u'0001-01-01T00:00:00+23:59',
            u'9999-12-31T23:59:59-23:59', u'2026-01-01T00:00:00+99:99',
            u'\u0662026-01-01T00:00:00', u'2' * 10 ** 6 + u'Z')

    def test_url(self):
        self.assertEqual(u'/v2/images?a', answers.url(u'/v2/images?a'))
        self.assertIsNone(answers.url(None))
        self._refuses(answers.url, 5, [1], u'http://[::1/v2/images')

    def test_lists_and_objects(self):
        self.assertEqual([], answers.texts(None))
        self.assertEqual([u'a', u''], answers.texts([u'a', u'']))
        self._refuses(answers.texts, u'a', {}, [u'a', 5], [None])
        self.assertEqual({}, answers.mapping(None))
        self._refuses(answers.mapping, [], u'a', 5)

    def test_fields_are_read_or_named(self):
        found, wrong = answers.fields(
            {'a': u'text', 'b': -1, 'c': 7},
            {'a': answers.text, 'b': answers.number, 'd': answers.name})
        self.assertEqual({'a': u'text'}, found)
        self.assertEqual(
            'its b is not a whole number of 0 or more, its d is missing',
            answers.one_line(wrong))


class TestHashes(testtools.TestCase):
    """is_hash()."""

    def test_hashes_of_this_host_with_one_size(self):
        self.assertTrue(answers.is_hash(u'sha512'))
        for value in (u'x', u'', u'shake_128', u'sha\0', ['sha512'], None,
                      {}, 512):
            self.assertFalse(answers.is_hash(value))
