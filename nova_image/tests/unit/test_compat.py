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
    '2026-11-21 04:16': (_DAY + (4, 16), None),
    '2026-11-21T04:16:28': (_DAY + (4, 16, 28), None),
    '2026-11-21T04:16:28Z': (_DAY + (4, 16, 28), 0),
    '2026-11-21T04:16Z': (_DAY + (4, 16), 0),
    '2026-11-21T04:16:28.500000Z': (_DAY + (4, 16, 28, 500000), 0),
    '2026-11-21T04:16:28+02:30': (_DAY + (4, 16, 28), 9000),
}
_NO_TIMES = (
    '', 'x', 'Z', '2026', '2026-13-01', '2026-02-30', '2026-11-21T',
    '2026-11-21T25', '2026-11-21T04:16:60', '2026-11-21T04:16z',
    '2026-11-21T04:16:28Z ', '0000-01-01', '10000-01-01',
    '2026-11-21T04:16:28+02:00Z')


@testtools.skipIf(six.PY2, 'only code for Python 3 parses such times')
class TestTimes(testtools.TestCase):
    """parse_time(), on each Python 3."""

    def test_times(self):
        for text, (fields, offset) in _TIMES.items():
            found = compat.parse_time(text)
            self.assertEqual(datetime.datetime(*fields),
                             found.replace(tzinfo=None), text)
            self.assertEqual(None if offset is None
                             else datetime.timedelta(seconds=offset),
                             found.utcoffset(), text)

    def test_other_texts_are_refused(self):
        for text in _NO_TIMES:
            self.assertRaises(ValueError, compat.parse_time, text)

    def test_other_types_are_refused(self):
        for value in (None, 5, b'2026-11-21'):
            self.assertRaises(TypeError, compat.parse_time, value)


class TestDataclasses(testtools.TestCase):
    """The options of dataclasses."""

    def test_are_used_if_python_has_them(self):
        new = sys.version_info >= (3, 10)
        self.assertEqual((new, new),
                         (bool(compat.SLOTS), bool(compat.KEYWORDS)))
