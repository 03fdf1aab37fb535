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

"""Tests of nova_image.compat."""

import datetime
import sys

import six
import testtools

from nova_image import compat

_DAY = (2026, 11, 21)
#: times -> fields of a datetime, and the offset in seconds or None
_TIMES = {
    '2026-11-21': (_DAY, None),
    '20261121': (_DAY, None),
    '2026-W47-6': (_DAY, None),
    '2026W476': (_DAY, None),
    '2026-W47': ((2026, 11, 16), None),
    '2026-11-21T04': (_DAY + (4,), None),
    '2026-11-21 04:16': (_DAY + (4, 16), None),
    '20261121T0416': (_DAY + (4, 16), None),
    '2026-11-21T04:16:28': (_DAY + (4, 16, 28), None),
    '2026-11-21T04:16:28Z': (_DAY + (4, 16, 28), 0),
    '2026-11-21T04:16Z': (_DAY + (4, 16), 0),
    '2026-11-21T04:16:28.5Z': (_DAY + (4, 16, 28, 500000), 0),
    '20261121T041628,123456789+0200': (_DAY + (4, 16, 28, 123456), 7200),
    '2026-11-21T04:16:28+02:30': (_DAY + (4, 16, 28), 9000),
    '2026-11-21T04:16:28-02': (_DAY + (4, 16, 28), -7200),
    '2026-11-21T04:16:28-00:00:30': (_DAY + (4, 16, 28), -30),
}
_NO_TIMES = (
    '', 'x', 'Z', '2026', '2026-11', '2026-1121', '2026-13-01', '2026-02-30',
    '2026-W54', '2026-W47-8', '2026-11-21T', '2026-11-21T25',
    '2026-11-21T04:1628', '2026-11-21T04:16:60', '2026-11-21T04:16z',
    '2026-11-21T04:16+24:00', '2026-11-21T04:16:28Z ', '0000-01-01',
    '10000-01-01', u'\u0662026-11-21', '2026-11-21T04:16:28+02:00Z')


@testtools.skipIf(six.PY2, 'only code for Python 3 parses such times')
class TestTimes(testtools.TestCase):
    """parse_time(), and what it does on a Python older than 3.11."""

    def setUp(self):
        super(TestTimes, self).setUp()
        self.parsers = [compat.parse_time, compat._parse_time]

    def test_forms_of_python_3_11(self):
        for parse in self.parsers:
            for text, (fields, offset) in _TIMES.items():
                found = parse(text)
                self.assertEqual(datetime.datetime(*fields),
                                 found.replace(tzinfo=None), text)
                self.assertEqual(
                    None if offset is None
                    else datetime.timedelta(seconds=offset),
                    found.utcoffset(), text)

    def test_other_texts_are_refused(self):
        for parse in self.parsers:
            for text in _NO_TIMES:
                self.assertRaises(ValueError, parse, text)

    def test_other_types_are_refused(self):
        for parse in self.parsers:
            for value in (None, 5, b'2026-11-21'):
                self.assertRaises(TypeError, parse, value)


class TestZip(testtools.TestCase):
    """zip_strict()"""

    def test_equal_lengths(self):
        self.assertEqual([], list(compat.zip_strict()))
        self.assertEqual([(1, 'a'), (2, 'b')],
                         list(compat.zip_strict([1, 2], iter('ab'))))

    def test_other_lengths_are_refused(self):
        for iterables in ([1], []), ([], [1]), ([None], [None, None]), (
                'ab', 'ab', 'a'):
            pairs = compat.zip_strict(*iterables)
            self.assertRaises(ValueError, list, pairs)


class TestDataclasses(testtools.TestCase):
    """The options of dataclasses."""

    def test_are_used_if_python_has_them(self):
        new = sys.version_info >= (3, 10)
        self.assertEqual((new, new),
                         (bool(compat.SLOTS), bool(compat.KEYWORDS)))
