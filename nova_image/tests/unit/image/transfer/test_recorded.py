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

"""Tests of nova_image.image.transfer.recorded."""

import testtools

from nova_image.image.transfer import recorded


class TestRecorded(testtools.TestCase):
    """The values that Glance recorded of an image."""

    def test_all_values_are_optional(self):
        nothing = recorded.Recorded()
        self.assertEqual((None, None, None), nothing.identity)
        self.assertEqual((None, {}, None), (
            nothing.disk_format, nothing.properties, nothing.stores))

    def test_all_values_are_kept(self):
        one = recorded.Recorded(10, 'md5', 'abc', disk_format='raw',
                                properties={'a': 'b'}, stores='fast')
        self.assertEqual((10, 'md5', 'abc'), one.identity)
        self.assertEqual(('raw', {'a': 'b'}, 'fast'), (
            one.disk_format, one.properties, one.stores))

    def test_an_algorithm_without_a_hash_is_dropped(self):
        self.assertIsNone(recorded.Recorded(10, 'md5', '').algorithm)

    def test_an_unknown_keyword_is_a_type_error(self):
        error = self.assertRaises(TypeError, recorded.Recorded, store='fast')
        self.assertIn('store', str(error))
