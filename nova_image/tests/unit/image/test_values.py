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

"""Tests of nova_image.image.values."""

import datetime
import os

import six
import testtools

from nova_image import exception
from nova_image.image import values


class TestNumbers(testtools.TestCase):
    """Whole numbers."""

    def test_numbers_and_their_text_are_accepted(self):
        for value in (5, '5', u'5', b'5', 5.0, '05'):
            self.assertEqual(5, values.whole_number('limit', value))
        self.assertEqual(0, values.whole_number('limit', 0))

    def test_other_values_are_refused(self):
        for value in (-1, '-1', 'many', None, [], u'\u65e5', u'\u0665', '',
                      ' ', ' 5', '5\n', '+5', '1_0', '1e3', '0x5', 1.5, -0.5,
                      float('nan'), float('inf'), 'inf', 2 ** 63,
                      str(2 ** 63), '9' * 5000):
            error = self.assertRaises(
                exception.ImageBadRequest, values.whole_number, 'limit',
                value)
            self.assertIn('limit', six.text_type(error))

    def test_a_limit_for_numbers(self):
        self.assertEqual(2 ** 31 - 1, values.whole_number(
            'min_ram', 2 ** 31 - 1, values.MAX_MINIMUM))
        self.assertRaises(
            exception.ImageBadRequest, values.whole_number, 'min_ram',
            2 ** 31, values.MAX_MINIMUM)

    def test_seconds(self):
        for value in (None, 0, 5, 0.5):
            self.assertEqual(value, values.seconds('timeout', value))
        self.assertEqual(5, values.seconds('timeout', '5'))
        for value in (-1, -0.5, float('nan'), float('inf'), '', 'many',
                      2 ** 63):
            self.assertRaises(exception.ImageBadRequest, values.seconds,
                              'timeout', value)


class TestBooleans(testtools.TestCase):
    """Booleans, and the filter is_public."""

    def test_all_spellings_of_true_and_false_are_accepted(self):
        for value in (True, 'true', 'True', '1', 1, u'yes', 'on'):
            self.assertIs(True, values.boolean('protected', value))
        for value in (False, 'false', 'False', '0', 0, u'no', 'off'):
            self.assertIs(False, values.boolean('protected', value))

    def test_other_values_are_refused(self):
        for value in ('maybe', '', 'none', 2, u'\u65e5'):
            error = self.assertRaises(exception.ImageBadRequest,
                                      values.boolean, 'protected', value)
            self.assertIn('protected', six.text_type(error))

    def test_none_does_not_filter_by_visibility(self):
        for value in (None, 'none', 'None', u'NONE'):
            self.assertIsNone(values.visibility_filter(value))

    def test_booleans_filter_by_visibility(self):
        for value in (True, 'true', '1'):
            self.assertIs(True, values.visibility_filter(value))
        for value in (False, 'False', '0'):
            self.assertIs(False, values.visibility_filter(value))
        self.assertRaises(exception.ImageBadRequest,
                          values.visibility_filter, 'nonsense')


class TestText(testtools.TestCase):
    """Values of filters."""

    def test_plain_values_become_text(self):
        for value, expected in ((u'\u65e5', u'\u65e5'), (5, u'5'),
                                (True, u'True'), (0.5, u'0.5'),
                                (u'\u65e5'.encode('utf-8'), u'\u65e5')):
            self.assertEqual(expected, values.text('name', value))

    def test_other_values_are_refused(self):
        for value in (None, [], {}, object()):
            error = self.assertRaises(exception.Invalid, values.text, 'name',
                                      value)
            self.assertIn(type(value).__name__, six.text_type(error))


class TestMoments(testtools.TestCase):
    """The times of changes-since."""

    def test_times_in_all_forms_are_converted_to_utc(self):
        aware = values.moment('changes-since', '2026-11-21T04:16:28+02:00')
        naive = datetime.datetime(2026, 11, 21, 2, 16, 28)
        self.assertEqual('2026-11-21T02:16:28Z', aware)
        for value in ('2026-11-21T02:16:28Z', '2026-11-21T02:16:28',
                      '2026-11-21T02:16:28.677847', naive):
            self.assertEqual(aware, values.moment('changes-since', value))

    def test_other_values_are_refused(self):
        for value in ('yesterday', '', None, 5,
                      '0001-01-01T00:00:00+23:59'):
            error = self.assertRaises(exception.Invalid, values.moment,
                                      'changes-since', value)
            self.assertIn('changes-since', six.text_type(error))


class TestProjects(testtools.TestCase):
    """IDs of projects, which become parts of a path."""

    def test_project_ids_become_text(self):
        for value in (u'4f5ac4', '4f5ac4', b'4f5ac4'):
            found = values.project(value)
            self.assertEqual((u'4f5ac4', six.text_type),
                             (found, type(found)))
        self.assertEqual('a.b', values.project('a.b'))

    def test_invalid_ids_are_refused(self):
        for value in ('', '.', '..', 'a/b', 'a b', 'a\n', u'\u65e5',
                      u'\u65e5'.encode('utf-8'), None, 5, []):
            self.assertRaises(exception.ImageBadRequest, values.project,
                              value)


class TestImageIds(testtools.TestCase):
    """IDs of images, which become parts of a path."""

    def test_image_ids_become_text(self):
        for value in (u'an-id', 'an-id', b'an-id'):
            found = values.image_id(value)
            self.assertEqual((u'an-id', six.text_type), (found, type(found)))
        self.assertEqual(u'\u65e5?#%2f', values.image_id(u'\u65e5?#%2f'))

    def test_invalid_ids_are_not_found(self):
        for value in ('', '.', '..', 'a/b', '/', 'a b', ' a', 'a\n', 'a\x00',
                      'a\x7f', None, 5, []):
            error = self.assertRaises(exception.ImageNotFound,
                                      values.image_id, value)
            self.assertEqual(value, error.image_id)


class TestUnset(testtools.TestCase):
    """Kernels and ramdisks that are not set."""

    def test_all_spellings_of_none_are_unset(self):
        for name in ('kernel_id', 'ramdisk_id'):
            for value in (None, '', 'None', 'none', u' None '):
                self.assertTrue(values.is_unset(name, value))

    def test_other_values_and_other_properties_are_set(self):
        self.assertFalse(values.is_unset('kernel_id', 'an-id'))
        self.assertFalse(values.is_unset('os_type', None))
        self.assertFalse(values.is_unset('os_type', ''))


class TestPercentDecoded(testtools.TestCase):
    """Parts of URLs."""

    def test_text_is_decoded(self):
        decoded = values.percent_decoded(u'/a%20b/Z%C3%BCrich')
        self.assertIsInstance(decoded, str)
        expected = u'/a b/Z\xfcrich'
        self.assertEqual(
            expected.encode('utf-8') if six.PY2 else expected, decoded)

    def test_bytes_that_are_not_utf_8_are_kept(self):
        decoded = values.percent_decoded(u'/%ff')
        self.assertEqual(
            b'/\xff', decoded if six.PY2 else os.fsencode(decoded))
